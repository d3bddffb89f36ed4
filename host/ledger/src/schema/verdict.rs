//! Verdicts and what determined them, in the ledger. It never combines opinions.

use serde::de::Error as _;
use serde::de::value::{Error, MapDeserializer};
use serde::{Deserialize, Serialize};
use tribunal_core::opinion::PolicyName;
use tribunal_core::{decision as core, guard, opinion};

use super::FaultKind;

mirror! {
    /// What is to become of the request.
    Verdict = core::Verdict, "kebab-case" {
        /// It is approved.
        Approve,
        /// It is denied.
        Deny,
        /// It stays pending: people have to decide.
        Leave,
        /// It stays pending: no policy had anything to say.
        Nothing,
    }
}

/// What determined a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Told")]
pub struct DeterminedBy {
    /// The rules that fired, as `policy/rule`; repeated from the rest for those who search.
    pub rules: Vec<String>,
    /// Particulars.
    #[serde(flatten)]
    pub because: Because,
}

/// What determined a verdict, in particular.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Because {
    /// Grounds of policies.
    Grounds {
        /// Each policy's in its own order.
        grounds: Vec<PolicyGround>,
    },
    /// Policies that did not answer.
    Faults {
        /// Which, and why.
        faults: Vec<PolicyFault>,
        /// Who escalated beside them.
        escalations: Vec<PolicyGround>,
    },
    /// The request is not ours to decide.
    Guard(Guard),
    /// Approving would need a lock that cannot be had.
    LockImpossible {
        /// Which, and why not.
        why: String,
    },
    /// Every policy abstained.
    Silence,
}

/// What determined a verdict, as it stands in a line: serde's own way to read one of a kind copies it first.
#[derive(Deserialize)]
struct Told {
    rules: Vec<String>,
    by: By,
    grounds: Option<Vec<PolicyGround>>,
    faults: Option<Vec<PolicyFault>>,
    escalations: Option<Vec<PolicyGround>>,
    guard: Option<String>,
    detail: Option<String>,
    why: Option<String>,
}

/// The kind of what determined a verdict.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum By {
    Grounds,
    Faults,
    Guard,
    LockImpossible,
    Silence,
}

/// A ground and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyGround {
    /// The plugin's name in the configuration.
    pub policy: String,
    /// The rule that fired.
    pub rule: String,
    /// A sentence for people.
    pub reason: String,
}

/// A fault and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFault {
    /// The plugin's name in the configuration.
    pub policy: String,
    /// What kind of failure it was.
    pub kind: FaultKind,
    /// What happened.
    pub detail: String,
}

/// Why a request is left to people whatever policies say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guard", content = "detail", rename_all = "kebab-case")]
pub enum Guard {
    /// Its state was not known.
    UnknownState,
    /// Its kind was not known.
    UnknownKind,
    /// It aims at permanent access.
    LongTerm,
    /// It is the daemon's own user's.
    OwnRequest,
    /// It asks for this protected role.
    ProtectedRole(String),
    /// It names a resource with this constraint, which was not known.
    UnknownConstraint(String),
    /// It, or its access, was over.
    Over,
    /// It asks for nothing at all.
    Empty,
    /// It is outside of what the operator set the daemon to.
    OutOfScope,
}

// === impl DeterminedBy ===

impl TryFrom<Told> for DeterminedBy {
    type Error = Error;

    fn try_from(it: Told) -> Result<Self, Error> {
        let Told { rules, by, grounds, faults, escalations, guard, detail, why } = it;
        let missing = Error::missing_field;
        let because = match by {
            By::Grounds => Because::Grounds { grounds: grounds.ok_or_else(|| missing("grounds"))? },
            By::Faults => Because::Faults {
                faults: faults.ok_or_else(|| missing("faults"))?,
                escalations: escalations.ok_or_else(|| missing("escalations"))?,
            },
            By::Guard => {
                let guard = guard.ok_or_else(|| missing("guard"))?;
                let detail = detail.map(|detail| ("detail", detail));
                Because::Guard(Guard::deserialize(MapDeserializer::new([("guard", guard)].into_iter().chain(detail)))?)
            }
            By::LockImpossible => Because::LockImpossible { why: why.ok_or_else(|| missing("why"))? },
            By::Silence => Because::Silence,
        };
        Ok(Self { rules, because })
    }
}

impl From<&core::Because> for DeterminedBy {
    fn from(it: &core::Because) -> Self {
        Self { rules: it.rules(), because: it.into() }
    }
}

// === impl Because ===

impl From<&core::Because> for Because {
    fn from(it: &core::Because) -> Self {
        match it {
            core::Because::Grounds(grounds) => {
                Self::Grounds { grounds: grounds.iter().map(PolicyGround::from).collect() }
            }
            core::Because::Faults(faults, escalations) => Self::Faults {
                faults: faults.iter().map(PolicyFault::from).collect(),
                escalations: escalations.iter().map(PolicyGround::from).collect(),
            },
            core::Because::Guarded(guard) => Self::Guard(guard.into()),
            core::Because::LockImpossible(why) => Self::LockImpossible { why: why.clone() },
            core::Because::Silence => Self::Silence,
        }
    }
}

impl From<Because> for core::Because {
    fn from(it: Because) -> Self {
        match it {
            Because::Grounds { grounds } => Self::Grounds(grounds.into_iter().map(Into::into).collect()),
            Because::Faults { faults, escalations } => Self::Faults(
                faults.into_iter().map(Into::into).collect(),
                escalations.into_iter().map(Into::into).collect(),
            ),
            Because::Guard(guard) => Self::Guarded(guard.into()),
            Because::LockImpossible { why } => Self::LockImpossible(why),
            Because::Silence => Self::Silence,
        }
    }
}

// === impl PolicyGround ===

impl From<&(PolicyName, opinion::Ground)> for PolicyGround {
    fn from((policy, opinion::Ground { rule, reason }): &(PolicyName, opinion::Ground)) -> Self {
        Self { policy: policy.as_str().to_owned(), rule: rule.clone(), reason: reason.clone() }
    }
}

impl From<PolicyGround> for (PolicyName, opinion::Ground) {
    fn from(PolicyGround { policy, rule, reason }: PolicyGround) -> Self {
        (PolicyName::new(policy), opinion::Ground { rule, reason })
    }
}

// === impl PolicyFault ===

impl From<&(PolicyName, opinion::Fault)> for PolicyFault {
    fn from((policy, opinion::Fault { kind, detail }): &(PolicyName, opinion::Fault)) -> Self {
        Self { policy: policy.as_str().to_owned(), kind: (*kind).into(), detail: detail.clone() }
    }
}

impl From<PolicyFault> for (PolicyName, opinion::Fault) {
    fn from(PolicyFault { policy, kind, detail }: PolicyFault) -> Self {
        (PolicyName::new(policy), opinion::Fault { kind: kind.into(), detail })
    }
}

// === impl Guard ===

impl From<&guard::Guard> for Guard {
    fn from(it: &guard::Guard) -> Self {
        match it {
            guard::Guard::UnknownState => Self::UnknownState,
            guard::Guard::UnknownKind => Self::UnknownKind,
            guard::Guard::LongTerm => Self::LongTerm,
            guard::Guard::OwnRequest => Self::OwnRequest,
            guard::Guard::ProtectedRole(role) => Self::ProtectedRole(role.clone()),
            guard::Guard::UnknownConstraint(what) => Self::UnknownConstraint(what.clone()),
            guard::Guard::Over => Self::Over,
            guard::Guard::Empty => Self::Empty,
            guard::Guard::OutOfScope => Self::OutOfScope,
        }
    }
}

impl From<Guard> for guard::Guard {
    fn from(it: Guard) -> Self {
        match it {
            Guard::UnknownState => Self::UnknownState,
            Guard::UnknownKind => Self::UnknownKind,
            Guard::LongTerm => Self::LongTerm,
            Guard::OwnRequest => Self::OwnRequest,
            Guard::ProtectedRole(role) => Self::ProtectedRole(role),
            Guard::UnknownConstraint(what) => Self::UnknownConstraint(what),
            Guard::Over => Self::Over,
            Guard::Empty => Self::Empty,
            Guard::OutOfScope => Self::OutOfScope,
        }
    }
}
