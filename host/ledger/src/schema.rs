//! The form of a ledger line, version 1: types of its own, so that the core may change without changing old evidence.
//! It never touches files; `SCHEMA.md` beside this crate describes it for people.

/// Mirrors an enum of the core without data, variant by variant, in both directions.
macro_rules! mirror {
    (
        $(#[$outer:meta])*
        $name:ident = $core:path, $case:literal { $($(#[$inner:meta])* $variant:ident,)* }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = $case)]
        pub enum $name {
            $($(#[$inner])* $variant,)*
        }

        impl From<$core> for $name {
            fn from(it: $core) -> Self {
                use $core as Core;
                match it {
                    $(Core::$variant => Self::$variant,)*
                }
            }
        }

        impl From<$name> for $core {
            fn from(it: $name) -> Self {
                match it {
                    $($name::$variant => Self::$variant,)*
                }
            }
        }
    };
}

mod case;
mod lock;
mod opinion;
mod request;
mod time;
#[cfg(test)]
mod tests;
mod verdict;

use std::fmt;

use serde::{Deserialize, Serialize};
use tribunal_core::record as core;
use tribunal_core::request::UserName;

pub use self::case::{Case, CaseLock, CaseRequest, Fact, Subject};
pub use self::lock::{Lock, LockTarget, PlannedLock};
pub use self::opinion::{
    Answer, Effect, Enforcement, EnforcementAnswer, Evaluation, Fault, FaultKind, Ground, LockOrder, Mode, Opinion,
};
pub use self::request::{
    Constraints, Decider, Request, RequestKind, RequestState, RequestedResource, Review,
};
pub use self::time::Time;
pub use self::verdict::{Because, DeterminedBy, Guard, PolicyFault, PolicyGround, Verdict};

/// The version of the schema that this build writes, and the only one that it reads.
pub const SCHEMA_VERSION: u32 = 1;

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// [`SCHEMA_VERSION`].
    pub v: u32,
    /// The number of the line, counted from 1 over all segments without a gap.
    pub seq: u64,
    /// When it happened, by the clock of the daemon.
    pub at: Time,
    /// What happened.
    #[serde(flatten)]
    pub body: Body,
}

/// What a line tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Body {
    /// A decision, before anything of it is done.
    Decided(Box<Decided>),
    /// What became of one step of a decision.
    Outcome(Outcome),
    /// Something that happened to the daemon itself.
    Lifecycle(Lifecycle),
}

/// A decision, with all that it stands on; also the intent of what follows from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// The decision's id.
    pub id: String,
    /// About whom: a Teleport user name.
    pub user: String,
    /// The root cluster, repeated from the case for those who search.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// Nothing of it is done: the operator rehearses.
    pub dry_run: bool,
    /// The verdict; absent when only held requests were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What determined the verdict; there exactly when the verdict is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub determined_by: Option<DeterminedBy>,
    /// The reason that Teleport is given with a resolution.
    pub reason: String,
    /// The pending request, as it was when it was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// What each policy said about the request, in the order of the panel.
    pub evaluations: Vec<Evaluation>,
    /// What each policy wants locked, in the order of the panel.
    pub enforcements: Vec<Enforcement>,
    /// Locks that are about to be written.
    pub locks: Vec<PlannedLock>,
    /// Names of locks that are about to be deleted.
    pub releases: Vec<String>,
    /// What the policies were shown; absent where they were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
}

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
    }
}

/// Why a text is not a line of this schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLine(String);

#[derive(Deserialize)]
struct Head {
    v: u32,
}

// === impl Line ===

impl Line {
    /// The line with this number for a record.
    #[must_use]
    pub fn new(seq: u64, record: &core::Record) -> Self {
        let (at, body) = match record {
            core::Record::Decided(decided) => (decided.at, Body::Decided(Box::new(Decided::from(&**decided)))),
            core::Record::Outcome(outcome) => (outcome.at, Body::Outcome(Outcome::from(outcome))),
            core::Record::Lifecycle { at, what, detail } => {
                (*at, Body::Lifecycle(Lifecycle { what: (*what).into(), detail: detail.clone() }))
            }
        };
        Self { v: SCHEMA_VERSION, seq, at: at.into(), body }
    }

    /// Appends the line as JSON, with its line break, to `out`.
    ///
    /// # Errors
    /// When the JSON writer refuses, which these types give no cause for.
    pub fn write_to(&self, out: &mut Vec<u8>) -> Result<(), InvalidLine> {
        serde_json::to_writer(&mut *out, self).map_err(|error| InvalidLine(error.to_string()))?;
        out.push(b'\n');
        Ok(())
    }

    /// Reads a line, with or without its line break.
    ///
    /// # Errors
    /// When it is not JSON, not of this schema, or of another version of it.
    pub fn parse(line: &[u8]) -> Result<Self, InvalidLine> {
        let other_version = |v: u32| {
            InvalidLine(format!("schema version {v} is not known to this build, which reads version {SCHEMA_VERSION}"))
        };
        match serde_json::from_slice::<Self>(line) {
            Ok(parsed) if parsed.v == SCHEMA_VERSION => Ok(parsed),
            Ok(parsed) => Err(other_version(parsed.v)),
            Err(error) => match serde_json::from_slice::<Head>(line) {
                Ok(head) if head.v != SCHEMA_VERSION => Err(other_version(head.v)),
                Ok(_) | Err(_) => Err(InvalidLine(error.to_string())),
            },
        }
    }

    /// The record that the line was made from.
    ///
    /// # Errors
    /// When a verdict stands without what determined it, or the other way round.
    pub fn into_record(self) -> Result<core::Record, InvalidLine> {
        let Self { v: _, seq: _, at, body } = self;
        Ok(match body {
            Body::Decided(decided) => core::Record::Decided(Box::new(decided.into_core(at)?)),
            Body::Outcome(Outcome { decision, step, result }) => core::Record::Outcome(core::Outcome {
                decision: core::DecisionId::new(decision),
                at: at.into(),
                step: step.into(),
                result: result.into(),
            }),
            Body::Lifecycle(Lifecycle { what, detail }) => {
                core::Record::Lifecycle { at: at.into(), what: what.into(), detail }
            }
        })
    }
}

// === impl Decided ===

impl From<&core::Decided> for Decided {
    fn from(it: &core::Decided) -> Self {
        let core::Decided {
            id,
            at: _, // the line has it
            user,
            request,
            decision,
            evaluations,
            enforcements,
            locks,
            releases,
            reason,
            case,
            dry_run,
        } = it;
        Self {
            id: id.as_str().to_owned(),
            user: user.as_str().to_owned(),
            cluster: case.as_ref().map(|case| case.cluster.clone()),
            dry_run: *dry_run,
            verdict: decision.as_ref().map(|decision| decision.verdict.into()),
            determined_by: decision.as_ref().map(|decision| DeterminedBy::from(&decision.because)),
            reason: reason.clone(),
            request: request.as_ref().map(Request::from),
            evaluations: evaluations.iter().map(Evaluation::from).collect(),
            enforcements: enforcements.iter().map(Enforcement::from).collect(),
            locks: locks.iter().map(PlannedLock::from).collect(),
            releases: releases.iter().map(|name| name.as_str().to_owned()).collect(),
            case: case.as_ref().map(|case| Case::from(&**case)),
        }
    }
}

impl Decided {
    fn into_core(self, at: Time) -> Result<core::Decided, InvalidLine> {
        let Self {
            id,
            user,
            cluster: _, // repeated from the case
            dry_run,
            verdict,
            determined_by,
            reason,
            request,
            evaluations,
            enforcements,
            locks,
            releases,
            case,
        } = self;
        let decision = match (verdict, determined_by) {
            (Some(verdict), Some(DeterminedBy { rules: _, because })) => Some(tribunal_core::decision::Decision {
                verdict: verdict.into(),
                because: because.into(),
            }),
            (None, None) => None,
            (Some(_), None) => return Err(InvalidLine("`verdict` without `determined_by`".to_owned())),
            (None, Some(_)) => return Err(InvalidLine("`determined_by` without `verdict`".to_owned())),
        };
        Ok(core::Decided {
            id: core::DecisionId::new(id),
            at: at.into(),
            user: UserName::new(user),
            request: request.map(Into::into),
            decision,
            evaluations: evaluations.into_iter().map(Into::into).collect(),
            enforcements: enforcements.into_iter().map(Into::into).collect(),
            locks: locks.into_iter().map(Into::into).collect(),
            releases: releases.into_iter().map(tribunal_core::lock::LockName::new).collect(),
            reason,
            case: case.map(|case| std::sync::Arc::new(case.into())),
            dry_run,
        })
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
        use tribunal_core::lock::LockName;
        use tribunal_core::request::RequestId;
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
            core::StepResult::Failed(tribunal_core::failure::Failure { class, detail }) => {
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
            StepResult::Failed { class, detail } => {
                Self::Failed(tribunal_core::failure::Failure { class: class.into(), detail })
            }
            StepResult::Superseded { why } => Self::Superseded(why),
        }
    }
}

// === impl InvalidLine ===

impl fmt::Display for InvalidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLine {}
