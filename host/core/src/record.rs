//! What goes into the ledger: intents before Teleport is called, outcomes after. The form on disk is the ledger's own.

use std::fmt;
use std::sync::Arc;

use crate::case::Case;
use crate::decision::{Decision, Verdict};
use crate::failure::Failure;
use crate::lock::{Lock, LockName};
use crate::opinion::{Evaluation, Fault, LockOrder, Member, PanelId};
use crate::request::{AccessRequest, RequestId, RequestState, UserName};
use crate::time::Timestamp;

/// The id of a decision, unique among all runs of a daemon.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DecisionId(String);

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// What was decided and is about to be done.
    Decided(Box<Decided>),
    /// What became of one step.
    Outcome(Outcome),
    /// Something that happened to the daemon itself.
    Lifecycle {
        /// When.
        at: Timestamp,
        /// What.
        what: Lifecycle,
        /// Particulars, for people.
        detail: String,
    },
}

/// A decision, with all that it stands on; also the intent of what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// About whom.
    pub user: UserName,
    /// The pending request that was judged, as it was then; none when only held requests were.
    pub request: Option<AccessRequest>,
    /// The verdict about that request.
    pub decision: Option<Decision>,
    /// What each policy said about it.
    pub evaluations: Vec<Evaluation>,
    /// What each policy wants locked (if the request were held, when there is one and it would be approved).
    pub enforcements: Vec<Enforcement>,
    /// Locks that are about to be written, with the `policy/rule` that wants each.
    pub locks: Vec<(Lock, String)>,
    /// Locks that are about to be deleted.
    pub releases: Vec<LockName>,
    /// The reason that Teleport is given with a resolution.
    pub reason: String,
    /// The panel that was asked, or would have been; none: it is not kept in the ledger.
    pub panel: Option<PanelId>,
    /// What the policies were shown; none where they were not asked.
    pub case: Option<Arc<Case>>,
    /// Nothing of it will be done: the operator rehearses.
    pub dry_run: bool,
}

/// One policy's answer about held requests, or its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforcement {
    /// Who answered.
    pub member: Member,
    /// What.
    pub answer: Result<Vec<LockOrder>, Fault>,
}

/// What became of one step of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The decision.
    pub decision: DecisionId,
    /// When.
    pub at: Timestamp,
    /// Which step.
    pub step: Step,
    /// What became of it.
    pub result: StepResult,
}

/// A step that changes Teleport's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A lock is written.
    Lock(LockName),
    /// A lock is deleted.
    Unlock(LockName),
    /// A request is approved.
    Approve(RequestId),
    /// A request is denied.
    Deny(RequestId),
    /// The decision as a whole, given up before its next step.
    Decision,
}

/// What became of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// It is in force on the server.
    Applied,
    /// Our review is on the request, which stands like this with it: still pending, where it takes more than that;
    /// unknown where that could not be read any more.
    Reviewed(RequestState),
    /// The server answered with a failure, and the step is not in force.
    Failed(Failure),
    /// Not done, because the world had changed meanwhile.
    Superseded(String),
}

/// What happens to the daemon itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifecycle {
    /// It started.
    Started,
    /// It stopped in good order.
    Stopped,
    /// Its view became incomplete: it approves nothing.
    ViewIncomplete,
    /// Its view is complete again.
    ViewComplete,
    /// An alarm: a person has to act.
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

// === impl Decided ===

impl Decided {
    /// The steps that follow from it, in the order in which they are done.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        if self.dry_run {
            return Vec::new();
        }
        let mut steps: Vec<Step> = self.locks.iter().map(|(lock, _rule)| Step::Lock(lock.name.clone())).collect();
        steps.extend(self.releases.iter().cloned().map(Step::Unlock));
        if let (Some(decision), Some(request)) = (&self.decision, &self.request) {
            match decision.verdict {
                Verdict::Approve => steps.push(Step::Approve(request.id.clone())),
                Verdict::Deny => steps.push(Step::Deny(request.id.clone())),
                Verdict::Leave | Verdict::Nothing => {}
            }
        }
        steps
    }
}

// === impl DecisionId ===

impl DecisionId {
    /// The id `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl StepResult ===

impl StepResult {
    /// What became of a resolution that this request carries: its state was set, or it was reviewed.
    pub(crate) fn of_resolution(request: &AccessRequest, decision: &DecisionId) -> Self {
        if request.decision.as_deref() == Some(decision.as_str()) {
            Self::Applied
        } else {
            Self::Reviewed(request.state)
        }
    }
}

// === impl Lifecycle ===

impl Lifecycle {
    /// Its name in the ledger.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::ViewIncomplete => "view-incomplete",
            Self::ViewComplete => "view-complete",
            Self::Alarm => "alarm",
            Self::BreakerTripped => "breaker-tripped",
            Self::BreakerReleased => "breaker-released",
            Self::StandbyBegan => "standby-began",
            Self::Leading => "leading",
            Self::PanelChanged => "panel-changed",
            Self::PanelRefused => "panel-refused",
            Self::ConfigurationRead => "configuration-read",
            Self::IdentityChanged => "identity-changed",
            Self::Quarantined => "quarantined",
            Self::QuarantineEnded => "quarantine-ended",
            Self::Overridden => "overridden",
            Self::Erased => "erased",
            Self::Archived => "archived",
        }
    }
}
