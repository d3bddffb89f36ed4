//! What became of decisions, and of the daemon itself, in the ledger. It never reacts to it.

use serde::{Deserialize, Serialize};
use tribunal_core::failure::Failure;
use tribunal_core::lock::LockName;
use tribunal_core::record as core;
use tribunal_core::request::RequestId;

use super::RequestState;

/// What became of one step of a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The decision's id.
    pub decision: String,
    /// Which step.
    pub step: Step,
    /// What became of it.
    pub result: StepResult,
}

/// A step that changes Teleport's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", content = "of", rename_all = "kebab-case")]
pub enum Step {
    /// A lock, by its name, is written.
    Lock(String),
    /// A lock, by its name, is deleted.
    Unlock(String),
    /// A request, by its id, is approved.
    Approve(String),
    /// A request, by its id, is denied.
    Deny(String),
    /// The decision as a whole is given up before its next step.
    Decision,
}

/// What became of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum StepResult {
    /// It is in force on the server.
    Applied,
    /// The daemon's review is on the request.
    Reviewed {
        /// Where the request stands with it; `UNKNOWN` if that could not be read.
        state: RequestState,
    },
    /// The server answered with a failure, and the step is not in force.
    Failed {
        /// How the daemon reacts.
        class: FailureClass,
        /// What the server said.
        detail: String,
    },
    /// Not done, because the world had changed meanwhile.
    Superseded {
        /// What had changed.
        why: String,
    },
}

mirror! {
    /// How the daemon reacts to a failure.
    FailureClass = tribunal_core::failure::FailureClass, "kebab-case" {
        /// It looks again and tries anew after a pause.
        Retry,
        /// It looks again: the world is not as was thought.
        Settle,
        /// A person has to act.
        Alarm,
    }
}

/// Something that happened to the daemon itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// What.
    pub what: LifecycleEvent,
    /// Particulars, for people.
    pub detail: String,
}

mirror! {
    /// What happens to the daemon itself.
    LifecycleEvent = core::Lifecycle, "kebab-case" {
        /// It started.
        Started,
        /// It stopped in good order.
        Stopped,
        /// Its view became incomplete: it approves nothing.
        ViewIncomplete,
        /// Its view is complete again.
        ViewComplete,
        /// A person has to act.
        Alarm,
        /// One round would have done more than it may: nothing is enforced until an operator releases the breaker.
        BreakerTripped,
        /// An operator released the breaker.
        BreakerReleased,
        /// Another daemon leads, or may: this one does nothing.
        StandbyBegan,
        /// It has the lease, and acts from now on.
        Leading,
        /// Another panel is asked from now on.
        PanelChanged,
        /// A panel was configured that cannot be used: the last good one stays.
        PanelRefused,
        /// The configuration was read: at the start, or because its file changed.
        ConfigurationRead,
        /// An identity is in use: that of the start, or a fresh one.
        IdentityChanged,
        /// A policy faulted so often that it is not asked for a while.
        Quarantined,
        /// A policy answered again after a quarantine.
        QuarantineEnded,
        /// A person undid, or decided otherwise, what this daemon had decided.
        Overridden,
        /// An operator destroyed the key of a user's personal text in the ledger.
        Erased,
        /// Old segments of the ledger were moved away or removed.
        Archived,
    }
}

// === impl Outcome ===

impl From<&core::Outcome> for Outcome {
    fn from(it: &core::Outcome) -> Self {
        let core::Outcome { decision, at: _, step, result } = it;
        Self { decision: decision.as_str().to_owned(), step: step.into(), result: result.into() }
    }
}

// === impl Step ===

impl From<&core::Step> for Step {
    fn from(it: &core::Step) -> Self {
        match it {
            core::Step::Lock(name) => Self::Lock(name.as_str().to_owned()),
            core::Step::Unlock(name) => Self::Unlock(name.as_str().to_owned()),
            core::Step::Approve(id) => Self::Approve(id.as_str().to_owned()),
            core::Step::Deny(id) => Self::Deny(id.as_str().to_owned()),
            core::Step::Decision => Self::Decision,
        }
    }
}

impl From<Step> for core::Step {
    fn from(it: Step) -> Self {
        match it {
            Step::Lock(name) => Self::Lock(LockName::new(name)),
            Step::Unlock(name) => Self::Unlock(LockName::new(name)),
            Step::Approve(id) => Self::Approve(RequestId::new(id)),
            Step::Deny(id) => Self::Deny(RequestId::new(id)),
            Step::Decision => Self::Decision,
        }
    }
}

// === impl StepResult ===

impl From<&core::StepResult> for StepResult {
    fn from(it: &core::StepResult) -> Self {
        match it {
            core::StepResult::Applied => Self::Applied,
            core::StepResult::Reviewed(state) => Self::Reviewed { state: (*state).into() },
            core::StepResult::Failed(Failure { class, detail }) => {
                Self::Failed { class: (*class).into(), detail: detail.clone() }
            }
            core::StepResult::Superseded(why) => Self::Superseded { why: why.clone() },
        }
    }
}

impl From<StepResult> for core::StepResult {
    fn from(it: StepResult) -> Self {
        match it {
            StepResult::Applied => Self::Applied,
            StepResult::Reviewed { state } => Self::Reviewed(state.into()),
            StepResult::Failed { class, detail } => Self::Failed(Failure { class: class.into(), detail }),
            StepResult::Superseded { why } => Self::Superseded(why),
        }
    }
}
