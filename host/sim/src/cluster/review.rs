//! `SubmitAccessReview`: who may review, which thresholds a review counts for, and when reviews decide. It never decides without a review.

use std::collections::BTreeMap;

use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, AccessReview, AccessReviewSubmission, RequestState};

use super::create::REASON_BYTES_MAX;
use super::lifetimes;
use super::listing::state_name;
use super::predicate::{Facts, Predicate};
use super::rbac::matches;
use super::refusal::{access_denied, bad_parameter, not_found, not_implemented};
use super::{Caller, Cluster, Refusal, spec_of};
use crate::clock::Moment;
use crate::scenario::ReviewDef;

impl Cluster {
    /// Adds the caller's review to a request, and resolves the request when its thresholds are met.
    ///
    /// # Errors
    /// As Teleport refuses them: no right to review, no second factor where people need one, own request, a second review, a request
    /// that is not pending, and so on. In Teleport's order (`lib/auth/auth_with_roles.go`, then `lib/services/local/dynamic_access.go` and
    /// `lib/services/access_request.go`).
    pub fn submit_review(
        &mut self,
        caller: &Caller,
        now: Moment,
        submission: AccessReviewSubmission,
    ) -> Result<AccessRequestV3, Refusal> {
        if !self.settings.enterprise {
            return Err(access_denied("access reviews need Teleport Enterprise"));
        }
        let AccessReviewSubmission { request_id, review } = submission;
        let mut review = review.ok_or_else(|| bad_parameter("the submission carries no review"))?;
        if review.proposed_state == i32::from(RequestState::Promoted) {
            return Err(bad_parameter("state promoted is set by promoting to an access list, not by a review"));
        }
        if review.author.is_empty() {
            review.author.clone_from(&caller.user);
        } else if review.author != caller.user {
            let (user, author) = (&caller.user, &review.author);
            return Err(access_denied(format!("user {user:?} cannot submit reviews on behalf of {author:?}")));
        }
        if !self.reviews_anything(caller) {
            return Err(access_denied(format!("user {:?} cannot submit reviews", caller.user)));
        }
        self.require_admin_action(caller)?;
        if !caller.active_requests.is_empty() && caller.bot {
            return Err(bad_parameter("bot should not have active requests"));
        }
        if !caller.active_requests.is_empty() {
            return Err(access_denied(
                "reviews cannot be submitted by an identity with elevated access: drop the assumed requests first",
            ));
        }
        if request_id.is_empty() {
            return Err(bad_parameter("missing request ID"));
        }
        if review.reason.len() > REASON_BYTES_MAX {
            return Err(bad_parameter(format!("review reason is too long: at most {REASON_BYTES_MAX} bytes")));
        }
        let stored =
            self.requests.get(&request_id).cloned().ok_or_else(|| {
                not_found(format!("cannot apply review to access request {request_id:?} (not found)"))
            })?;
        if !self.may_review(caller, &stored) {
            return Err(access_denied(format!("user {:?} cannot review request {request_id:?}", caller.user)));
        }
        let mut request = AccessRequestV3::clone(&stored);
        let spec = request.spec.get_or_insert_default();
        let proposed = check_compatible(spec, &mut review)?;
        check_pending(spec)?;
        let created = Moment::from_proto(spec.created.as_ref()).unwrap_or(now);
        let start = Moment::from_proto(review.assume_start_time.as_ref());
        lifetimes::check_start(start, created, Moment::from_proto(spec.expires.as_ref()))?;
        review.created = Some(now.to_proto());
        review.threshold_indexes = self.counted_thresholds(caller, spec, &review);
        spec.reviews.push(review);
        if let Some(state) = resolution(spec) {
            resolve(spec, state);
        }
        tracing::debug!(proposed = proposed.as_str_name(), "Review stored");
        Ok(AccessRequestV3::clone(&self.store_request(now, &caller.user, request)))
    }

    /// Whether the caller's roles let them review the requests of anybody.
    pub(super) fn reviews_anything(&self, caller: &Caller) -> bool {
        self.role_set(&caller.roles)
            .any(|role| role.allow.review_requests.as_ref().is_some_and(|review| !review.roles.is_empty()))
    }

    /// Whether the caller's roles let them review this request, which must not be their own.
    pub(super) fn may_review(&self, caller: &Caller, request: &AccessRequestV3) -> bool {
        let spec = spec_of(request);
        if spec.user == caller.user {
            return false;
        }
        let facts = self.facts(caller, spec, None);
        let holds =
            |review: &ReviewDef| Predicate::parse(&review.r#where).is_ok_and(|predicate| predicate.holds(&facts));
        let covers = |review: &Option<ReviewDef>, role: &String| {
            review
                .as_ref()
                .is_some_and(|review| review.roles.iter().any(|pattern| matches(pattern, role)) && holds(review))
        };
        let all = spec.roles.iter().all(|role| {
            self.role_set(&caller.roles).any(|held| covers(&held.allow.review_requests, role))
                && !self.role_set(&caller.roles).any(|held| covers(&held.deny.review_requests, role))
        });
        all && self.reviews_anything(caller)
    }

    fn facts(&self, caller: &Caller, spec: &AccessRequestSpecV3, review: Option<&AccessReview>) -> Facts {
        let annotations = spec.system_annotations.as_ref().map(|labels| {
            let pair = |(key, values): (&String, &tribunal_proto::wrappers::StringValues)| {
                (key.clone(), values.values.clone())
            };
            labels.values.iter().map(pair).collect::<BTreeMap<_, _>>()
        });
        Facts {
            reviewer_roles: caller.roles.clone(),
            reviewer_traits: self.users.get(&caller.user).map(|user| user.traits.clone()).unwrap_or_default(),
            review_reason: review.map(|review| review.reason.clone()).unwrap_or_default(),
            request_roles: spec.roles.clone(),
            request_reason: spec.request_reason.clone(),
            request_annotations: annotations.unwrap_or_default(),
        }
    }

    /// The thresholds whose filter lets this review count.
    fn counted_thresholds(&self, caller: &Caller, spec: &AccessRequestSpecV3, review: &AccessReview) -> Vec<u32> {
        let facts = self.facts(caller, spec, Some(review));
        let counts = |filter: &str| Predicate::parse(filter).is_ok_and(|predicate| predicate.holds(&facts));
        (0u32..)
            .zip(&spec.thresholds)
            .filter(|(_, threshold)| counts(&threshold.filter))
            .map(|(index, _)| index)
            .collect()
    }
}

/// What the review proposes, if it fits the request.
fn check_compatible(spec: &AccessRequestSpecV3, review: &mut AccessReview) -> Result<RequestState, Refusal> {
    let proposed = match RequestState::try_from(review.proposed_state) {
        Ok(state @ (RequestState::Approved | RequestState::Denied)) => state,
        Ok(RequestState::None | RequestState::Pending | RequestState::Promoted) | Err(_) => {
            let state = state_name(review.proposed_state);
            return Err(bad_parameter(format!("invalid state proposal: {state} (expected approval/denial)")));
        }
    };
    if spec.thresholds.is_empty() {
        return Err(bad_parameter("request is uninitialized or does not support reviews"));
    }
    if spec.reviews.iter().any(|known| known.author == review.author) {
        return Err(access_denied(format!("user {:?} has already reviewed this request", review.author)));
    }
    review.roles.sort();
    review.roles.dedup();
    if !review.roles.is_empty() && review.roles.len() != spec.role_threshold_mapping.len() {
        return Err(not_implemented("role subselection is not yet supported in reviews: leave the roles out"));
    }
    if review.annotations.as_ref().is_some_and(|annotations| !annotations.values.is_empty()) {
        return Err(not_implemented("annotations are not yet supported in reviews: leave them out"));
    }
    match review.roles.iter().find(|role| !spec.role_threshold_mapping.contains_key(*role)) {
        Some(role) => Err(bad_parameter(format!("role {role:?} is not a member of this request"))),
        None => Ok(proposed),
    }
}

/// Clients know what these words mean: with the same code others are told that they may not review.
fn check_pending(spec: &AccessRequestSpecV3) -> Result<(), Refusal> {
    match RequestState::try_from(spec.state) {
        Ok(RequestState::Pending | RequestState::None) | Err(_) => Ok(()),
        Ok(state @ (RequestState::Approved | RequestState::Denied | RequestState::Promoted)) => {
            let word = state.as_str_name().to_lowercase();
            Err(access_denied(format!("the access request has been already {word}")))
        }
    }
}

/// What the reviews together decide, if anything.
fn resolution(spec: &AccessRequestSpecV3) -> Option<RequestState> {
    let votes = |index: u32, state: RequestState| {
        let counted = spec
            .reviews
            .iter()
            .filter(|review| review.proposed_state == i32::from(state) && review.threshold_indexes.contains(&index));
        u32::try_from(counted.count()).unwrap_or(u32::MAX)
    };
    let threshold = |index: u32| usize::try_from(index).ok().and_then(|index| spec.thresholds.get(index));
    let denied = (0u32..)
        .zip(&spec.thresholds)
        .any(|(index, threshold)| threshold.deny != 0 && votes(index, RequestState::Denied) >= threshold.deny);
    if denied {
        return Some(RequestState::Denied);
    }
    let met = |index: &u32| {
        threshold(*index).is_some_and(|threshold| {
            threshold.approve != 0 && votes(*index, RequestState::Approved) >= threshold.approve
        })
    };
    let approved = !spec.role_threshold_mapping.is_empty()
        && spec.roles.iter().all(|role| {
            spec.role_threshold_mapping
                .get(role)
                .is_some_and(|sets| !sets.sets.is_empty() && sets.sets.iter().all(|set| set.indexes.iter().any(met)))
        });
    approved.then_some(RequestState::Approved)
}

fn resolve(spec: &mut AccessRequestSpecV3, state: RequestState) {
    spec.state = state.into();
    if let Some(last) = spec.reviews.last() {
        spec.resolve_reason.clone_from(&last.reason);
        if last.assume_start_time.is_some() {
            spec.assume_start_time = last.assume_start_time;
        }
    }
    spec.resource_expiry = spec.expires;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_without_thresholds_takes_no_reviews() {
        let proposed_state = RequestState::Approved.into();
        let mut review = AccessReview { author: "rita".to_owned(), proposed_state, ..AccessReview::default() };
        let refusal = check_compatible(&AccessRequestSpecV3::default(), &mut review);
        assert!(refusal.is_err_and(|refusal| refusal.message.contains("does not support reviews")));
    }
}
