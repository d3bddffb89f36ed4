//! Reads what the cluster stores: who asked for what, and whether a lock takes it away. It must never share code with
//! the core, whose work it is used to check.

use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, LockTarget, LockV2, RequestState};
use tribunal_sim::Moment;
use tribunal_sim::cluster::{in_force, resource_id};

/// The request's id.
pub(super) fn id_of(request: &AccessRequestV3) -> &str {
    request.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

/// Who asked.
pub(super) fn user_of(request: &AccessRequestV3) -> &str {
    request.spec.as_ref().map_or("", |spec| spec.user.as_str())
}

/// Where it stands.
pub(super) fn state_of(request: &AccessRequestV3) -> RequestState {
    let state = request.spec.as_ref().map_or(0, |spec| spec.state);
    RequestState::try_from(state).unwrap_or(RequestState::None)
}

/// The requested resources as `/cluster/kind/name[/sub]`, each once.
pub(super) fn resources_of(spec: &AccessRequestSpecV3) -> Vec<String> {
    let constrained = spec.requested_resource_access_ids.iter().filter_map(|access| access.id.as_ref());
    let mut texts = Vec::new();
    for resource in spec.requested_resource_ids.iter().chain(constrained) {
        let text = resource_id::to_text(resource);
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Whether this request gives access at `now`, locks left aside.
pub(super) fn is_granted(request: &AccessRequestV3, now: Moment) -> bool {
    let Some(spec) = &request.spec else { return false };
    state_of(request) == RequestState::Approved
        && Moment::from_proto(spec.expires.as_ref()).is_none_or(|end| now < end)
        && Moment::from_proto(spec.assume_start_time.as_ref()).is_none_or(|start| start <= now)
}

/// Whether this lock takes the access of this request away at `now`: it is in force, names something of the request,
/// and names nothing that says nothing about a request.
pub(super) fn takes_away(lock: &LockV2, request: &AccessRequestV3, now: Moment) -> bool {
    let Some(target) = lock.spec.as_ref().and_then(|spec| spec.target.as_ref()) else { return false };
    let LockTarget {
        user,
        role,
        access_request,
        login,
        mfa_device,
        windows_desktop,
        device,
        server_id,
        bot_instance_id,
        join_token,
    } = target;
    let others = [login, mfa_device, windows_desktop, device, server_id, bot_instance_id, join_token];
    let roles = request.spec.as_ref().map_or(&[][..], |spec| &spec.roles);
    in_force(lock, now)
        && others.iter().all(|text| text.is_empty())
        && [user, role, access_request].iter().any(|text| !text.is_empty())
        && (user.is_empty() || user == user_of(request))
        && (role.is_empty() || roles.contains(role))
        && (access_request.is_empty() || access_request == id_of(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_lock_in_force_on_the_request_itself_takes_it_away() {
        let request = AccessRequestV3 {
            metadata: Some(tribunal_proto::types::Metadata { name: "r".into(), ..Default::default() }),
            spec: Some(AccessRequestSpecV3 { user: "u".into(), roles: vec!["a".into()], ..Default::default() }),
            ..Default::default()
        };
        let now = Moment::from_unix_ms(1_000);
        let lock = |expires, target| LockV2 {
            spec: Some(tribunal_proto::types::LockSpecV2 { target: Some(target), expires, ..Default::default() }),
            ..Default::default()
        };
        let on = |id: &str| LockTarget { access_request: id.into(), ..Default::default() };
        assert!(takes_away(&lock(None, on("r")), &request, now));
        assert!(takes_away(&lock(Some(now.plus_ms(1).to_proto()), on("r")), &request, now));
        assert!(takes_away(&lock(None, LockTarget { user: "u".into(), ..on("") }), &request, now));
        assert!(takes_away(&lock(None, LockTarget { role: "a".into(), ..on("r") }), &request, now));
        assert!(!takes_away(&lock(Some(now.to_proto()), on("r")), &request, now));
        assert!(!takes_away(&lock(None, on("other")), &request, now));
        assert!(!takes_away(&lock(None, on("")), &request, now));
        assert!(!takes_away(&lock(None, LockTarget { device: "d".into(), ..on("r") }), &request, now));
        assert!(!takes_away(&lock(None, LockTarget { role: "b".into(), ..on("r") }), &request, now));
    }
}
