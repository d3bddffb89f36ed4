//! What is wrong with a new request whoever makes it: kind, state, lengths and counts. It reads no roles.

use std::collections::BTreeSet;

use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, RequestState};

use super::requested_resources;
use crate::cluster::refusal::bad_parameter;
use crate::cluster::{KIND_ACCESS_REQUEST, Refusal, resource_id};

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
    if spec.user.is_empty() {
        return Err(bad_parameter("the access request names no user"));
    }
    match RequestState::try_from(spec.state) {
        Ok(RequestState::None) => spec.state = RequestState::Pending.into(),
        Ok(RequestState::Pending | RequestState::Approved | RequestState::Denied) => {}
        Ok(RequestState::Promoted) | Err(_) => {
            return Err(bad_parameter("an access request cannot be created in this state"));
        }
    }
    if spec.request_reason.len() > REASON_BYTES_MAX {
        return Err(bad_parameter(format!("request reason is too long: at most {REASON_BYTES_MAX} bytes")));
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
