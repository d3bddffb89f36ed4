//! `SetAccessRequestState`: one call decides, past all thresholds, as Teleport lets it. There is no compare-and-set, because Teleport has none.

use tribunal_proto::proto::RequestStateSetter;
use tribunal_proto::types::{AccessRequestV3, RequestState};

use super::create::{REASON_BYTES_MAX, request_not_found};
use super::lifetimes;
use super::refusal::{access_denied, bad_parameter};
use super::{Caller, Cluster, KIND_ACCESS_REQUEST, Refusal, spec_of};
use crate::clock::Moment;

impl Cluster {
    /// Sets a request's state.
    ///
    /// # Errors
    /// As Teleport refuses them: missing verbs, own or elevated requests, a denied request, roles that were not asked for, and so on.
    pub fn set_request_state(
        &mut self,
        caller: &Caller,
        now: Moment,
        update: RequestStateSetter,
    ) -> Result<(), Refusal> {
        let state = check_form(&update)?;
        self.require(caller, KIND_ACCESS_REQUEST, &["update"])?;
        self.require_admin_action(caller)?;
        if !caller.active_requests.is_empty() {
            return Err(access_denied(
                "access requests cannot be resolved by an identity with elevated access: drop the assumed requests first",
            ));
        }
        let stored = self.visible_request(caller, &update.id).ok_or_else(|| request_not_found(&update.id))?;
        let spec = spec_of(&stored);
        if spec.user == caller.user {
            return Err(access_denied("users cannot resolve access requests of their own"));
        }
        check_form_against(&update, state)?;
        if spec.state == i32::from(RequestState::Denied) && state != RequestState::Denied {
            let id = &update.id;
            return Err(bad_parameter(format!(
                "cannot set request-state `{}`: request `{id}` has already been denied (already denied)",
                state.as_str_name()
            )));
        }
        if let Some(role) = update.roles.iter().find(|role| !spec.roles.contains(role)) {
            return Err(bad_parameter(format!("role override `{role}` is not among the requested roles")));
        }
        let created = Moment::from_proto(spec.created.as_ref()).unwrap_or(now);
        let start = Moment::from_proto(update.assume_start_time.as_ref());
        lifetimes::check_start(start, created, Moment::from_proto(spec.expires.as_ref()))?;
        let mut request = AccessRequestV3::clone(&stored);
        let spec = request.spec.get_or_insert_default();
        spec.state = state.into();
        spec.resolve_reason = update.reason;
        spec.resolve_annotations = update.annotations;
        if !update.roles.is_empty() {
            spec.roles = update.roles;
        }
        if start.is_some() {
            spec.assume_start_time = update.assume_start_time;
        }
        if state == RequestState::Approved {
            spec.resource_expiry = spec.expires;
        }
        self.store_request(now, &caller.user, request);
        Ok(())
    }
}

/// What is wrong whoever asks, and about whichever request.
fn check_form(update: &RequestStateSetter) -> Result<RequestState, Refusal> {
    if update.id.is_empty() {
        return Err(bad_parameter("missing request id"));
    }
    match RequestState::try_from(update.state) {
        Ok(RequestState::None) => Err(bad_parameter("missing request state")),
        Ok(RequestState::Promoted) => {
            Err(bad_parameter("a request is promoted through an access list, not by setting its state"))
        }
        Ok(state @ (RequestState::Pending | RequestState::Approved | RequestState::Denied)) => Ok(state),
        Err(_) => Err(bad_parameter(format!("unknown request state {}", update.state))),
    }
}

/// What does not fit the new state.
fn check_form_against(update: &RequestStateSetter, state: RequestState) -> Result<(), Refusal> {
    if state != RequestState::Approved && !update.roles.is_empty() {
        return Err(bad_parameter(format!(
            "cannot override the role list when setting state `{}`",
            state.as_str_name()
        )));
    }
    if update.reason.len() > REASON_BYTES_MAX {
        return Err(bad_parameter(format!("resolve reason is too long: at most {REASON_BYTES_MAX} bytes")));
    }
    let annotated = update.annotations.as_ref().is_some_and(|annotations| !annotations.values.is_empty());
    if state == RequestState::Pending && (annotated || !update.reason.is_empty()) {
        return Err(bad_parameter("a pending request has no resolve reason and no resolve annotations"));
    }
    Ok(())
}
