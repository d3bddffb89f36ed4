//! What became of the steps of a run that ended before it could say so, as far as the cluster's state tells. Pure; what
//! is to be done now is judged anew by the controller, from that same state.

use crate::action::Fresh;
use crate::lock::{Lock, LockName};
use crate::record::{DecisionId, Step, StepResult};
use crate::request::{AccessRequest, RequestId};

/// The requests and locks that have to be read to know what became of these steps.
#[must_use]
pub fn touched(steps: &[Step]) -> (Vec<RequestId>, Vec<LockName>) {
    let mut requests = Vec::new();
    let mut locks = Vec::new();
    for step in steps {
        match step {
            Step::Approve(id) | Step::Deny(id) => requests.push(id.clone()),
            Step::Lock(name) | Step::Unlock(name) => locks.push(name.clone()),
            Step::Decision => {}
        }
    }
    (requests, locks)
}

/// What became of these steps of a decision; `fresh` is what [`touched`] asked for, in that order.
#[must_use]
pub fn settle(decision: &DecisionId, steps: &[Step], fresh: &Fresh) -> Vec<(Step, StepResult)> {
    let mut requests = fresh.requests.iter();
    let mut locks = fresh.locks.iter();
    steps
        .iter()
        .map(|step| {
            let applied = |done: bool| done.then_some(StepResult::Applied);
            let done = match step {
                Step::Approve(_) | Step::Deny(_) => resolved(requests.next(), decision),
                Step::Lock(_) => applied(names(locks.next(), decision)),
                Step::Unlock(_) => applied(locks.next().is_some_and(Option::is_none)),
                Step::Decision => None,
            };
            let superseded = || {
                StepResult::Superseded(
                    "nothing was heard of this step, and it is not in force; the cluster is judged anew".to_owned(),
                )
            };
            (step.clone(), done.unwrap_or_else(superseded))
        })
        .collect()
}

fn resolved(request: Option<&Option<AccessRequest>>, decision: &DecisionId) -> Option<StepResult> {
    let request = request.and_then(Option::as_ref).filter(|request| request.carries(decision))?;
    Some(StepResult::of_resolution(request, decision))
}

/// Our locks say in their message which decision wrote them; decision ids are no prefix of each other there, because a
/// separator follows.
fn names(lock: Option<&Option<Lock>>, decision: &DecisionId) -> bool {
    lock.and_then(Option::as_ref).is_some_and(|lock| lock.message.contains(&format!("decision {decision};")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::LockTarget;
    use crate::request::{Attributes, Decider, RequestKind, RequestState, Review, UserName};
    use crate::time::Timestamp;

    fn lock(message: &str) -> Option<Lock> {
        let id = RequestId::new("r1");
        Some(Lock {
            name: LockName::of(&id),
            target: LockTarget::access_request(id),
            message: message.to_owned(),
            expires: Some(Timestamp::from_secs(1)),
            created_by: String::new(),
        })
    }

    fn request() -> AccessRequest {
        AccessRequest {
            id: RequestId::new("r1"),
            revision: String::new(),
            user: UserName::new("u"),
            state: RequestState::Pending,
            kind: RequestKind::ShortTerm,
            roles: Vec::new(),
            resources: Vec::new(),
            reason: String::new(),
            created: Timestamp::from_secs(1),
            access_starts: None,
            access_expires: None,
            request_expires: None,
            decided_by: Decider::Nobody,
            decision: None,
            resolve_reason: String::new(),
            reviews: Vec::new(),
            suggested_reviewers: Vec::new(),
            annotations: Attributes::new(),
        }
    }

    #[test]
    fn a_step_counts_as_done_only_if_the_cluster_shows_that_this_decision_did_it() {
        let id = DecisionId::new("a-1");
        let steps = [Step::Lock(LockName::of(&RequestId::new("r1"))), Step::Approve(RequestId::new("r2"))];
        let (requests, locks) = touched(&steps);
        assert_eq!((requests.len(), locks.len()), (1, 1));
        let done = |lock: Option<Lock>| {
            let settled = settle(&id, &steps, &Fresh { requests: vec![None], locks: vec![lock] });
            settled.into_iter().map(|(_, result)| result == StepResult::Applied).collect::<Vec<_>>()
        };
        assert_eq!(done(lock("too much (cap/held-over-cap, tribunal decision a-1; ask again)")), [true, false]);
        assert_eq!(done(lock("too much (cap/held-over-cap, tribunal decision a-12; ask again)")), [false, false]);
        assert_eq!(done(None), [false, false]);
    }

    #[test]
    fn a_review_of_this_decision_is_found_on_a_request_that_it_left_pending() {
        let id = DecisionId::new("a-1");
        let review = |reason: &str| Review {
            author: UserName::new("bot-tribunal"),
            state: RequestState::Approved,
            reason: reason.to_owned(),
            created: Timestamp::from_secs(1),
        };
        let result = |decision: Option<&str>, reason: &str| {
            let request = AccessRequest {
                decision: decision.map(str::to_owned),
                reviews: vec![review("a person's words"), review(reason)],
                ..request()
            };
            let fresh = Fresh { requests: vec![Some(request)], locks: Vec::new() };
            settle(&id, &[Step::Approve(RequestId::new("r1"))], &fresh).remove(0).1
        };
        assert_eq!(result(None, "ok (tribunal decision a-1)"), StepResult::Reviewed(RequestState::Pending));
        assert_eq!(result(Some("a-1"), ""), StepResult::Applied);
        for other in ["ok (tribunal decision a-12)", "ok (tribunal decision a-)", "a-1"] {
            assert!(matches!(result(Some("b-1"), other), StepResult::Superseded(_)), "{other}");
        }
    }

    #[test]
    fn an_unlock_is_done_when_the_lock_is_gone() {
        let id = DecisionId::new("a-1");
        let steps = [Step::Unlock(LockName::new("x")), Step::Decision];
        let settled = settle(&id, &steps, &Fresh { requests: Vec::new(), locks: vec![None] });
        let done: Vec<_> = settled.iter().map(|(_, result)| *result == StepResult::Applied).collect();
        assert_eq!(done, [true, false]);
    }
}
