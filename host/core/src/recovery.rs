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
            let done = match step {
                Step::Approve(_) | Step::Deny(_) => carries(requests.next(), decision),
                Step::Lock(_) => names(locks.next(), decision),
                Step::Unlock(_) => locks.next().is_some_and(Option::is_none),
                Step::Decision => false,
            };
            let result = if done {
                StepResult::Applied
            } else {
                StepResult::Superseded("the daemon ended before this step; the cluster is judged anew".to_owned())
            };
            (step.clone(), result)
        })
        .collect()
}

fn carries(request: Option<&Option<AccessRequest>>, decision: &DecisionId) -> bool {
    request.and_then(Option::as_ref).is_some_and(|request| request.decision.as_deref() == Some(decision.as_str()))
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
    fn an_unlock_is_done_when_the_lock_is_gone() {
        let id = DecisionId::new("a-1");
        let steps = [Step::Unlock(LockName::new("x")), Step::Decision];
        let settled = settle(&id, &steps, &Fresh { requests: Vec::new(), locks: vec![None] });
        let done: Vec<_> = settled.iter().map(|(_, result)| *result == StepResult::Applied).collect();
        assert_eq!(done, [true, false]);
    }
}
