//! As much of a line as adding up takes. It never decides what a line means.

use memchr::memmem;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::schema::{LifecycleEvent, Time, Verdict};

pub(super) enum Row {
    Decided(Box<Decided>),
    Outcome(Outcome),
    Lifecycle(Lifecycle),
}

#[derive(Deserialize)]
pub(super) struct Outcome {
    pub(super) at: Time,
    pub(super) decision: String,
    pub(super) step: Step,
    pub(super) result: Result,
}

#[derive(Deserialize)]
pub(super) struct Lifecycle {
    pub(super) at: Time,
    pub(super) what: LifecycleEvent,
    pub(super) detail: String,
}

#[derive(Deserialize)]
pub(super) struct Decided {
    pub(super) at: Time,
    pub(super) id: String,
    pub(super) user: String,
    #[serde(default)]
    pub(super) dry_run: bool,
    pub(super) verdict: Option<Verdict>,
    pub(super) determined_by: Option<Rules>,
    pub(super) request: Option<Request>,
    #[serde(default)]
    pub(super) locks: Vec<Lock>,
    #[serde(default)]
    pub(super) releases: Vec<IgnoredAny>,
    #[serde(default)]
    pub(super) evaluations: Vec<Evaluation>,
}

#[derive(Deserialize)]
pub(super) struct Rules {
    pub(super) rules: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) id: String,
    pub(super) roles: Vec<String>,
    #[serde(default)]
    pub(super) resources: Vec<Resource>,
    pub(super) created: Time,
    pub(super) access_starts: Option<Time>,
    pub(super) access_expires: Option<Time>,
}

#[derive(Deserialize)]
pub(super) struct Resource {
    pub(super) cluster: String,
    pub(super) kind: String,
    pub(super) name: String,
}

#[derive(Deserialize)]
pub(super) struct Lock {
    pub(super) rule: String,
    pub(super) name: String,
    pub(super) target: Target,
}

#[derive(Deserialize)]
pub(super) struct Target {
    pub(super) access_request: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Evaluation {
    pub(super) policy: String,
    pub(super) fault: Option<IgnoredAny>,
}

#[derive(Deserialize, PartialEq, Eq)]
#[serde(tag = "do", content = "of", rename_all = "kebab-case")]
pub(super) enum Step {
    Lock(String),
    Unlock(String),
    Approve(String),
    Deny(String),
    Decision,
}

#[derive(Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(super) enum Result {
    Applied,
    Reviewed {},
    Failed {},
    Superseded {},
}

// === impl Row ===

impl Row {
    /// Reads a line of a ledger.
    pub(super) fn parse(line: &[u8]) -> serde_json::Result<Self> {
        // It stands before anything that others wrote: twice as fast as having the parser find it out.
        const KIND: &[u8] = b"\"kind\":\"";
        let kind =
            memmem::find(line, KIND).and_then(|at| line.get(at.saturating_add(KIND.len())..)).unwrap_or_default();
        match kind {
            kind if kind.starts_with(b"decided\"") => serde_json::from_slice(line).map(Self::Decided),
            kind if kind.starts_with(b"outcome\"") => serde_json::from_slice(line).map(Self::Outcome),
            _ => serde_json::from_slice(line).map(Self::Lifecycle),
        }
    }

    pub(super) fn at(&self) -> Time {
        match self {
            Self::Decided(decided) => decided.at,
            Self::Outcome(outcome) => outcome.at,
            Self::Lifecycle(lifecycle) => lifecycle.at,
        }
    }
}
