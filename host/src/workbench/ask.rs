//! Asks one policy about a case, as the daemon would: about each pending request, about what is held, and about what would be
//! held if a pending request were approved. It judges no answer.

use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::opinion::{Fault, LockOrder, Opinion};
use tribunal_core::request::{RequestId, RequestState};
use tribunal_engine::{Solo, Traces, is_of_the_moment};

/// What a policy is asked about a case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// What about this pending request?
    Review(RequestId),
    /// What of what is held must be locked?
    Enforce,
    /// What would have to be locked if this pending request were approved?
    EnforceIf(RequestId),
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// About a pending request.
    Opinion(Result<Opinion, Fault>),
    /// About what is held.
    Orders(Result<Vec<LockOrder>, Fault>),
}

// === impl Question ===

impl Question {
    /// Everything that can be asked about a case, oldest request first.
    #[must_use]
    pub fn all(case: &Case) -> Vec<Self> {
        let pending = pending(case);
        let reviews = pending.iter().cloned().map(Self::Review);
        reviews.chain([Self::Enforce]).chain(pending.iter().cloned().map(Self::EnforceIf)).collect()
    }

    /// Asks it.
    #[must_use]
    pub fn ask(&self, solo: &Solo, case: &Arc<Case>) -> (Answer, Traces) {
        let orders = |case: &Arc<Case>| {
            let (answer, traces) = solo.enforce(case);
            (Answer::Orders(answer), traces)
        };
        match self {
            Self::Review(request) => {
                let (answer, traces) = solo.review(case, request);
                (Answer::Opinion(answer), traces)
            }
            Self::Enforce => orders(case),
            Self::EnforceIf(request) => orders(&Arc::new(case.as_if_held(request))),
        }
    }
}

impl std::fmt::Display for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Review(request) => write!(f, "review of `{request}`"),
            Self::Enforce => f.write_str("enforce"),
            Self::EnforceIf(request) => write!(f, "enforce as if `{request}` were approved"),
        }
    }
}

// === impl Answer ===

impl Answer {
    /// The fault that it is, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Opinion(answer) => answer.as_ref().err(),
            Self::Orders(answer) => answer.as_ref().err(),
        }
    }

    /// Whether it may be the doing of a busy machine, so that asking once more may give another.
    #[must_use]
    pub fn is_of_the_moment(&self) -> bool {
        self.fault().is_some_and(is_of_the_moment)
    }

    /// Whether both are answers to one question that cannot both be given.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        self != other && !self.is_of_the_moment() && !other.is_of_the_moment()
    }

    /// Bytes of text in it.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let bytes = |rule: &str, reason: &str| rule.len().saturating_add(reason.len());
        let sizes: Vec<usize> = match self {
            Self::Opinion(Ok(opinion)) => {
                opinion.grounds().iter().map(|ground| bytes(&ground.rule, &ground.reason)).collect()
            }
            Self::Orders(Ok(orders)) => orders
                .iter()
                .map(|order| {
                    bytes(&order.ground.rule, &order.ground.reason).saturating_add(order.request.as_str().len())
                })
                .collect(),
            Self::Opinion(Err(_)) | Self::Orders(Err(_)) => Vec::new(),
        };
        sizes.into_iter().fold(0, usize::saturating_add)
    }
}

/// The answer in a line.
impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Opinion(Ok(opinion)) => {
                f.write_str(opinion.word())?;
                for ground in opinion.grounds() {
                    write!(f, " ({}: {})", ground.rule, ground.reason)?;
                }
                Ok(())
            }
            Self::Orders(Ok(orders)) if orders.is_empty() => f.write_str("locks nothing"),
            Self::Orders(Ok(orders)) => {
                for (index, LockOrder { request, ground, until: _ }) in orders.iter().enumerate() {
                    let before = if index == 0 { "locks" } else { "," };
                    write!(f, "{before} `{request}` ({}: {})", ground.rule, ground.reason)?;
                }
                Ok(())
            }
            Self::Opinion(Err(fault)) | Self::Orders(Err(fault)) => {
                write!(f, "fault `{}`: {}", fault.kind.as_str(), fault.detail)
            }
        }
    }
}

/// The pending requests of a case, oldest first.
#[must_use]
pub fn pending(case: &Case) -> Vec<RequestId> {
    let pending = case.requests.iter().filter(|entry| entry.request.state == RequestState::Pending);
    pending.map(|entry| entry.request.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use tribunal_core::opinion::FaultKind;

    use super::*;

    #[test]
    fn a_missed_deadline_is_no_other_answer_and_a_trap_is() {
        let abstains = Answer::Opinion(Ok(Opinion::Abstain));
        let fault = |kind| Answer::Opinion(Err(Fault::new(kind, "why")));
        assert!(!abstains.differs_from(&abstains));
        assert!(!abstains.differs_from(&fault(FaultKind::Deadline)));
        assert!(!fault(FaultKind::Unavailable).differs_from(&abstains));
        assert!(abstains.differs_from(&fault(FaultKind::Trap)));
    }
}
