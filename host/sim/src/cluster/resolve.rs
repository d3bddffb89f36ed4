//! `SetAccessRequestState`: one call decides, past all thresholds, as Teleport lets it. There is no compare-and-set, because Teleport has none.

use tribunal_proto::proto::RequestStateSetter;
use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, RequestState};

use super::create::{REASON_BYTES_MAX, request_not_found};
use super::lifetimes;
use super::listing::state_name;
use super::refusal::{access_denied, bad_parameter};
use super::{Caller, Cluster, KIND_ACCESS_REQUEST, Refusal, spec_of};
use crate::clock::Moment;

impl Cluster {
    /// Sets a request's state.
    ///
    /// # Errors
    /// As Teleport refuses them: missing verbs, own or elevated requests, a denied request, roles that were not asked for, and so on.
    /// In Teleport's order (`lib/auth/auth_with_roles.go`, then `lib/services/local/dynamic_access.go`). A state without a name is stored.
    pub fn set_request_state(
        &mut self,
        caller: &Caller,
        now: Moment,
        update: RequestStateSetter,
    ) -> Result<(), Refusal> {
        self.require(caller, KIND_ACCESS_REQUEST, &["update"])?;
        if !caller.active_requests.is_empty() {
            return Err(access_denied(
                "access requests cannot be resolved by an identity with elevated access: drop the assumed requests first",
            ));
        }
        self.require_admin_action(caller)?;
        if update.state == i32::from(RequestState::Promoted) {
            return Err(bad_parameter("a request is promoted through an access list, not by setting its state"));
        }
        // Without an id Teleport looks at the first request that the caller sees, before it finds that the id is missing.
        let stored = self.first_visible(caller, now, &update.id)?.ok_or_else(|| request_not_found(&update.id))?;
        let spec = spec_of(&stored);
        if spec.user == caller.user {
            return Err(access_denied("users cannot resolve access requests of their own"));
        }
        check_form(&update)?;
        check_against(&update, spec)?;
        let created = Moment::from_proto(spec.created.as_ref()).unwrap_or(now);
        let start = Moment::from_proto(update.assume_start_time.as_ref());
        lifetimes::check_start(start, created, Moment::from_proto(spec.expires.as_ref()))?;
        check_resolution(&update)?;
        let mut request = AccessRequestV3::clone(&stored);
        let spec = request.spec.get_or_insert_default();
        spec.state = update.state;
        spec.resolve_reason = update.reason;
        spec.resolve_annotations = update.annotations;
        if !update.roles.is_empty() {
            spec.roles = update.roles;
        }
        if start.is_some() {
            spec.assume_start_time = update.assume_start_time;
        }
        if update.state == i32::from(RequestState::Approved) {
            spec.resource_expiry = spec.expires;
        }
        self.store_request(now, &caller.user, request);
        Ok(())
    }
}

/// What is wrong whichever request it is about.
fn check_form(update: &RequestStateSetter) -> Result<(), Refusal> {
    if update.id.is_empty() {
        return Err(bad_parameter("missing request id"));
    }
    if update.state == i32::from(RequestState::None) {
        return Err(bad_parameter("missing request state"));
    }
    if update.state != i32::from(RequestState::Approved) && !update.roles.is_empty() {
        return Err(bad_parameter(format!(
            "cannot override the role list when setting state `{}`",
            state_name(update.state)
        )));
    }
    Ok(())
}

/// What the request as it stands does not allow.
fn check_against(update: &RequestStateSetter, spec: &AccessRequestSpecV3) -> Result<(), Refusal> {
    let denied = i32::from(RequestState::Denied);
    if spec.state == denied && update.state != denied {
        return Err(bad_parameter(format!(
            "cannot set request-state `{}`: request `{}` has already been denied (already denied)",
            state_name(update.state),
            update.id
        )));
    }
    if let Some(role) = update.roles.iter().find(|role| !spec.roles.contains(role)) {
        return Err(bad_parameter(format!("role override `{role}` is not among the requested roles")));
    }
    Ok(())
}

/// What does not fit the new state: Teleport finds it when it writes.
fn check_resolution(update: &RequestStateSetter) -> Result<(), Refusal> {
    let annotated = update.annotations.as_ref().is_some_and(|annotations| !annotations.values.is_empty());
    if update.state == i32::from(RequestState::Pending) && (annotated || !update.reason.is_empty()) {
        return Err(bad_parameter("a pending request has no resolve reason and no resolve annotations"));
    }
    if update.reason.len() > REASON_BYTES_MAX {
        return Err(bad_parameter(format!("resolve reason is too long: at most {REASON_BYTES_MAX} bytes")));
    }
    Ok(())
}
