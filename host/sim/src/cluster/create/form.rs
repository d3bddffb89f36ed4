//! What is wrong with a new request whoever makes it: kind, name, state, lengths and counts. It reads no roles.

use std::collections::BTreeSet;

use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, RequestState};
use uuid::Uuid;

use super::requested_resources;
use crate::cluster::refusal::bad_parameter;
use crate::cluster::{KIND_ACCESS_REQUEST, Refusal, id_of, resource_id};

/// Longest reason, of a request or a resolution.
pub(in crate::cluster) const REASON_BYTES_MAX: usize = 4096;
/// Most resources in one request.
const RESOURCES_MAX: usize = 300;
/// Longest text that a request's resource ids may have together.
const RESOURCE_IDS_BYTES_MAX: usize = 2048;

/// Checks that need no roles, and gives the spec with defaults and without what clients cannot set.
pub(super) fn check_form(request: &AccessRequestV3) -> Result<AccessRequestSpecV3, Refusal> {
    if !["", KIND_ACCESS_REQUEST].contains(&request.kind.as_str()) {
        return Err(bad_parameter(format!("kind `{}` is not an access request", request.kind)));
    }
    if !["", "v3"].contains(&request.version.as_str()) {
        return Err(bad_parameter(format!("version `{}` of access requests is not supported", request.version)));
    }
    let mut spec = request.spec.clone().ok_or_else(|| bad_parameter("the access request has no spec"))?;
    if spec.state == i32::from(RequestState::None) {
        spec.state = RequestState::Pending.into();
    }
    let annotated = spec.resolve_annotations.as_ref().is_some_and(|annotations| !annotations.values.is_empty());
    if spec.state == i32::from(RequestState::Pending) && (annotated || !spec.resolve_reason.is_empty()) {
        return Err(bad_parameter("a pending request has no resolve reason and no resolve annotations"));
    }
    if spec.user.is_empty() {
        return Err(bad_parameter("the access request names no user"));
    }
    // Clients must name it, and the server names it anew.
    if Uuid::parse_str(id_of(request)).is_err() {
        return Err(bad_parameter(format!("the name `{}` of an access request is not a uuid", id_of(request))));
    }
    for (which, reason) in [("request", &spec.request_reason), ("resolve", &spec.resolve_reason)] {
        if reason.len() > REASON_BYTES_MAX {
            return Err(bad_parameter(format!("{which} reason is too long: at most {REASON_BYTES_MAX} bytes")));
        }
    }
    let resources: Vec<String> = requested_resources(&spec).map(resource_id::to_text).collect();
    if resources.len() > RESOURCES_MAX {
        return Err(bad_parameter(format!(
            "too many requested resources: {} of at most {RESOURCES_MAX}",
            resources.len()
        )));
    }
    if resources.iter().map(String::len).sum::<usize>() > RESOURCE_IDS_BYTES_MAX {
        return Err(bad_parameter(format!(
            "requested resource ids are too long: at most {RESOURCE_IDS_BYTES_MAX} bytes together"
        )));
    }
    let mut seen = BTreeSet::new();
    spec.requested_resource_ids.retain(|id| seen.insert(resource_id::to_text(id)));
    Ok(spec)
}
