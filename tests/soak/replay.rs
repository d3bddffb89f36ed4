//! What Teleport's objects say, read by the observer's own eyes: ids, resources, ends, and whether a lock bites. It shares
//! no code with the daemon.

use std::collections::BTreeSet;

use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, LockV2, RequestState};
use tribunal_sim::Moment;

pub(crate) fn id(request: &AccessRequestV3) -> &str {
    request.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

fn spec(request: &AccessRequestV3) -> Option<&AccessRequestSpecV3> {
    request.spec.as_ref()
}

pub(crate) fn user(request: &AccessRequestV3) -> &str {
    spec(request).map_or("", |spec| spec.user.as_str())
}

pub(crate) fn state(request: &AccessRequestV3) -> RequestState {
    spec(request).map_or(RequestState::None, AccessRequestSpecV3::state)
}

pub(crate) fn roles(request: &AccessRequestV3) -> &[String] {
    spec(request).map_or(&[], |spec| spec.roles.as_slice())
}

/// The decision that a request carries.
pub(crate) fn decision(request: &AccessRequestV3) -> Option<&str> {
    let annotations = spec(request)?.resolve_annotations.as_ref()?;
    annotations.values.get("tribunal/decision")?.values.first().map(String::as_str)
}

/// Distinct resources, as they stand in the request.
pub(crate) fn resources(request: &AccessRequestV3) -> BTreeSet<String> {
    let Some(spec) = spec(request) else { return BTreeSet::new() };
    let constrained = spec.requested_resource_access_ids.iter().filter_map(|access| access.id.as_ref());
    let all = spec.requested_resource_ids.iter().chain(constrained);
    all.map(|id| format!("{}/{}/{}/{}", id.cluster_name, id.kind, id.name, id.sub_resource_name)).collect()
}

/// When the access ends.
pub(crate) fn access_end(request: &AccessRequestV3) -> Option<Moment> {
    Moment::from_proto(spec(request)?.expires.as_ref())
}

/// When the access starts, if not at once.
pub(crate) fn access_start(request: &AccessRequestV3) -> Option<Moment> {
    Moment::from_proto(spec(request)?.assume_start_time.as_ref())
}

pub(crate) fn lock_name(lock: &LockV2) -> &str {
    lock.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

/// The request that a lock targets; the soak's locks have no other target.
pub(crate) fn lock_target(lock: &LockV2) -> &str {
    let target = lock.spec.as_ref().and_then(|spec| spec.target.as_ref());
    target.map_or("", |target| target.access_request.as_str())
}

/// The first of a lock's two ends.
pub(crate) fn lock_end(lock: &LockV2) -> Option<Moment> {
    let ends = [
        lock.spec.as_ref().and_then(|spec| Moment::from_proto(spec.expires.as_ref())),
        lock.metadata.as_ref().and_then(|metadata| Moment::from_proto(metadata.expires.as_ref())),
    ];
    ends.into_iter().flatten().min()
}

/// The decision that a lock's message names.
pub(crate) fn lock_decision(lock: &LockV2) -> Option<&str> {
    let message = &lock.spec.as_ref()?.message;
    let (_, rest) = message.rsplit_once("tribunal decision ")?;
    rest.split([';', ')', ' ']).next()
}
