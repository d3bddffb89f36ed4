//! The form of a ledger line, version 4: types of its own, so that the core may change without changing old evidence.
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

mod beside;
mod case;
mod decided;
mod lock;
mod opinion;
mod outcome;
mod panel;
mod request;
#[cfg(test)]
mod tests;
mod time;
mod verdict;

use std::fmt;
use std::ops::RangeInclusive;

use memchr::memmem;
use serde::{Deserialize, Serialize};
use tribunal_core::record as core;

use crate::digest::Digest;

use self::beside::DecidedLine;
pub use self::case::{Case, CaseLock, CaseRequest, Erased, Fact, Shown, StoredFact, Subject};
pub use self::decided::Decided;
pub use self::lock::{Lock, LockTarget, PlannedLock};
pub use self::opinion::{
    Answer, Effect, Enforcement, EnforcementAnswer, Evaluation, Fault, FaultKind, Ground, LockOrder, Mode, Opinion,
};
pub use self::outcome::{FailureClass, Lifecycle, LifecycleEvent, Outcome, Step, StepResult};
pub use self::panel::{Artefact, Panel, PanelPolicy};
pub use self::request::{
    Constraints, Decider, Request, RequestKind, RequestState, RequestedResource, Review, StoredWords, Words,
};
pub use self::time::Time;
pub use self::verdict::{Because, DeterminedBy, Guard, PolicyFault, PolicyGround, Verdict};

/// The version of the schema that this build writes.
pub const SCHEMA_VERSION: u32 = 4;
/// The oldest version that it reads: without `prev`, with cases inline.
pub const SCHEMA_VERSION_MIN: u32 = 1;
/// Those that it reads.
pub(crate) const KNOWN_VERSIONS: RangeInclusive<u32> = SCHEMA_VERSION_MIN..=SCHEMA_VERSION;
/// What stands in a line that tells a decision, as this crate writes it.
const IS_DECIDED: &[u8] = br#""kind":"decided""#;

/// One line of the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// [`SCHEMA_VERSION`], or an older one.
    pub v: u32,
    /// The number of the line, counted from 1 over all segments without a gap.
    pub seq: u64,
    /// The leaf hash of the line before; absent in the first line, and in lines of version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Digest>,
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

/// Why a text is not a line of this schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidLine(String);

#[derive(Deserialize)]
struct Head {
    v: u32,
}

// === impl Line ===

impl Line {
    /// The line with this number for a record, after a line with this leaf hash. A case stands in it as it is.
    #[must_use]
    pub fn new(seq: u64, prev: Option<Digest>, record: &core::Record) -> Self {
        let (at, body) = match record {
            core::Record::Decided(decided) => (decided.at, Body::Decided(Box::new(Decided::from(&**decided)))),
            core::Record::Outcome(outcome) => (outcome.at, Body::Outcome(Outcome::from(outcome))),
            core::Record::Lifecycle { at, what, detail } => {
                (*at, Body::Lifecycle(Lifecycle { what: (*what).into(), detail: detail.clone() }))
            }
        };
        Self { v: SCHEMA_VERSION, seq, prev, at: at.into(), body }
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
        // Most lines tell a decision, and those are long: read as such they take less than half the time.
        if memmem::find(line, IS_DECIDED).is_some()
            && let Ok(text) = str::from_utf8(line)
            && let Ok(DecidedLine(line)) = serde_json::from_str(text)
            && KNOWN_VERSIONS.contains(&line.v)
        {
            return Ok(line);
        }
        Self::parse_with_care(line)
    }

    /// The same, whatever the line tells, and what is wrong with it.
    fn parse_with_care(line: &[u8]) -> Result<Self, InvalidLine> {
        let other_version = |v: u32| {
            InvalidLine(format!(
                "schema version {v} is not known to this build, which reads versions {SCHEMA_VERSION_MIN} to \
                 {SCHEMA_VERSION}"
            ))
        };
        match serde_json::from_slice::<Self>(line) {
            Ok(parsed) if KNOWN_VERSIONS.contains(&parsed.v) => Ok(parsed),
            Ok(parsed) => Err(other_version(parsed.v)),
            Err(error) => match serde_json::from_slice::<Head>(line) {
                Ok(head) if !KNOWN_VERSIONS.contains(&head.v) => Err(other_version(head.v)),
                Ok(_) | Err(_) => Err(InvalidLine(error.to_string())),
            },
        }
    }

    /// The record that the line was made from; without its case, where that is stored and not in the line.
    ///
    /// # Errors
    /// When a verdict stands without what determined it, or the other way round.
    pub fn into_record(self) -> Result<core::Record, InvalidLine> {
        let Self { v: _, seq: _, prev: _, at, body } = self;
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

// === impl InvalidLine ===

impl fmt::Display for InvalidLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLine {}
