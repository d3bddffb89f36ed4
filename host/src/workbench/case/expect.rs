//! What can be expected of a policy that is shown a case. It compares nothing.

use std::collections::BTreeMap;

use serde::Deserialize;
use tribunal_core::opinion::FaultKind;

use super::flex::{Flex, Many, Word};
use super::when::When;

/// What is expected; what is not said is not looked at.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expect {
    /// The opinion about the pending request, one of these words.
    pub opinion: Many<Opined>,
    /// The rules that its grounds name, in this order.
    pub rules: Option<Many<String>>,
    /// Texts that stand in its reasons.
    pub reason: Many<String>,
    /// The fault that the policy runs into instead.
    pub fault: Option<FaultWord>,
    /// Texts that stand in the fault's detail.
    pub detail: Many<String>,
    /// The same of several pending requests, by id.
    pub opinions: BTreeMap<String, Flex<OpinionForm>>,
    /// The held requests that must be locked, and no others.
    pub locks: Option<Many<LockForm>>,
    /// The same as if the pending request were approved.
    #[serde(alias = "locks_if_approved")]
    pub locks_if_approved: Option<Many<LockForm>>,
    /// Texts that stand in the log.
    pub log: Many<String>,
    /// Milliseconds for each evaluation.
    #[serde(alias = "max_ms")]
    pub max_ms: Option<f64>,
    /// KiB of memory of each evaluation.
    #[serde(alias = "max_memory_kib")]
    pub max_memory_kib: Option<u64>,
    /// Wasm instructions of each evaluation: the same on every machine.
    #[serde(alias = "max_instructions")]
    pub max_instructions: Option<u64>,
}

/// What is expected about one pending request.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct OpinionForm {
    /// The opinion, one of these words.
    pub opinion: Many<Opined>,
    /// The rules that its grounds name, in this order.
    pub rules: Option<Many<String>>,
    /// Texts that stand in its reasons.
    pub reason: Many<String>,
    /// The fault that the policy runs into instead.
    pub fault: Option<FaultWord>,
    /// Texts that stand in the fault's detail.
    pub detail: Many<String>,
}

/// A word for an opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opined {
    /// Nothing to say.
    Abstain,
    /// Yes.
    Approve,
    /// No.
    Deny,
    /// People have to decide.
    Escalate,
    /// Whichever, but one.
    Any,
}

/// A word for a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultWord {
    /// Whichever, but one.
    Any,
    /// One of this kind.
    Of(FaultKind),
}

/// A lock that is expected.
#[derive(Clone, Debug, Default, Deserialize, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct LockForm {
    /// On which request.
    pub request: String,
    /// By which rule.
    pub rule: Option<String>,
    /// A text that stands in its reason.
    pub reason: Option<String>,
    /// When it may end.
    pub until: Option<When>,
}

// === impl Expect ===

impl Expect {
    /// What is expected about the pending request, or about the one that is named.
    #[must_use]
    pub fn opined(&self) -> Option<OpinionForm> {
        let Self { opinion, rules, reason, fault, detail, .. } = self;
        let form = OpinionForm {
            opinion: opinion.clone(),
            rules: rules.clone(),
            reason: reason.clone(),
            fault: *fault,
            detail: detail.clone(),
        };
        (form != OpinionForm::default()).then_some(form)
    }
}

impl Word for Expect {
    const EXPECTED: &'static str =
        "one of `abstain`, `approve`, `deny`, `escalate` and `any`, or a table of expectations";

    fn word(text: &str) -> Result<Self, String> {
        Ok(Self { opinion: Many(vec![Opined::word(text)?]), ..Self::default() })
    }
}

// === impl OpinionForm ===

impl Word for OpinionForm {
    const EXPECTED: &'static str = "one of `abstain`, `approve`, `deny`, `escalate` and `any`, or a table with `opinion`, `rules`, `reason`, `fault`";

    fn word(text: &str) -> Result<Self, String> {
        Ok(Self { opinion: Many(vec![Opined::word(text)?]), ..Self::default() })
    }
}

// === impl Opined ===

impl Opined {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Abstain => "abstain",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Escalate => "escalate",
            Self::Any => "any",
        }
    }
}

impl Word for Opined {
    const EXPECTED: &'static str = "one of `abstain`, `approve`, `deny`, `escalate` and `any`";

    fn word(text: &str) -> Result<Self, String> {
        let all = [Self::Abstain, Self::Approve, Self::Deny, Self::Escalate, Self::Any];
        let found = all.into_iter().find(|opined| opined.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is not {}", Self::EXPECTED))
    }
}

impl<'de> Deserialize<'de> for Opined {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::word(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

// === impl FaultWord ===

/// Faults that a policy can run into once it is loaded.
const FAULTS: [FaultKind; 8] = [
    FaultKind::Trap,
    FaultKind::Deadline,
    FaultKind::Memory,
    FaultKind::Limit,
    FaultKind::Nonsense,
    FaultKind::NotGranted,
    FaultKind::Settings,
    FaultKind::Unavailable,
];

impl FaultWord {
    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Of(kind) => kind.as_str(),
        }
    }
}

impl<'de> Deserialize<'de> for FaultWord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == Self::Any.as_str() {
            return Ok(Self::Any);
        }
        let kind = FAULTS.into_iter().find(|kind| kind.as_str() == text);
        kind.map(Self::Of).ok_or_else(|| {
            let known: Vec<String> = FAULTS.iter().map(|kind| format!("`{}`", kind.as_str())).collect();
            serde::de::Error::custom(format_args!("`{text}` is no fault: write `any`, or one of {}", known.join(", ")))
        })
    }
}

// === impl LockForm ===

impl Word for LockForm {
    const EXPECTED: &'static str = "the id of a request, or a table with `request`, `rule`, `reason`, `until`";

    fn word(text: &str) -> Result<Self, String> {
        Ok(Self { request: text.to_owned(), ..Self::default() })
    }
}
