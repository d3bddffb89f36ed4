//! What policies answer, and what it means when one does not; this room never weighs answers against each other.

use std::collections::BTreeSet;
use std::fmt;

use crate::request::RequestId;
use crate::time::Timestamp;

/// The name of a plugin in the operator's configuration.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(String);

/// Why: the rule that fired and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ground {
    /// A rule id of the policy's description.
    pub rule: String,
    /// For the requester.
    pub reason: String,
}

/// A policy's answer about a pending request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Opinion {
    /// Nothing to say.
    Abstain,
    /// Yes, as far as this policy is concerned.
    Approve(Ground),
    /// No, on these grounds; never empty once admitted.
    Deny(Vec<Ground>),
    /// People have to decide.
    Escalate(Ground),
}

/// A held request that must be locked now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LockOrder {
    /// The request.
    pub request: RequestId,
    /// Why.
    pub ground: Ground,
    /// When the lock may end before the request's access does.
    pub until: Option<Timestamp>,
}

/// What an answer may bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// A request is approved.
    Approve,
    /// A request is denied.
    Deny,
    /// A request is left to people whatever others say.
    Escalate,
    /// A held request is locked.
    Lock,
}

/// Why a policy did not answer. A fault is an answer, never an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of failure it was.
    pub kind: FaultKind,
    /// What happened, for the operator; never shown to requesters.
    pub detail: String,
}

/// Kinds of [`Fault`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// It ran into a trap: a panic, an abort, an out-of-bounds access.
    Trap,
    /// It exceeded its deadline.
    Deadline,
    /// It exceeded its memory.
    Memory,
    /// It exceeded another limit, which the detail names.
    Limit,
    /// Its answer breaks the contract.
    Nonsense,
    /// Its answer goes beyond the effects that the operator granted.
    NotGranted,
    /// It refused its settings.
    Settings,
    /// It is not running: not loaded, or in quarantine.
    Unavailable,
}

/// The policies that are asked together, in the order in which enforcement asks them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Tells it from those before it in this run; the first is 0.
    pub generation: u64,
    /// What names it in the ledger; none: it is not kept there.
    pub id: Option<PanelId>,
    /// The policies.
    pub members: Vec<Member>,
}

/// What names a panel in the ledger, and no other panel ever: it means nothing to anybody else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PanelId(String);

/// What the host needs to know about a policy of the panel to weigh its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: PolicyName,
    /// The effects that the operator granted.
    pub effects: BTreeSet<Effect>,
    /// Whether its opinions count, or are only recorded.
    pub mode: Mode,
}

/// Whether a policy's opinions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// They count.
    Enforce,
    /// They are recorded and never counted.
    Shadow,
}

/// One policy's answer about a pending request, or its fault.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Evaluation {
    /// Who answered.
    pub member: Member,
    /// What.
    pub answer: Result<Opinion, Fault>,
}

// === impl Panel ===

impl From<Vec<Member>> for Panel {
    /// The first panel of a run, which is not kept in the ledger.
    fn from(members: Vec<Member>) -> Self {
        Self { generation: 0, id: None, members }
    }
}

// === impl PanelId ===

impl PanelId {
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

impl fmt::Display for PanelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl PolicyName ===

impl PolicyName {
    /// The name `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PolicyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Opinion ===

impl Opinion {
    /// The effect that this answer has, if any.
    #[must_use]
    pub const fn effect(&self) -> Option<Effect> {
        match self {
            Self::Abstain => None,
            Self::Approve(_) => Some(Effect::Approve),
            Self::Deny(_) => Some(Effect::Deny),
            Self::Escalate(_) => Some(Effect::Escalate),
        }
    }

    /// The grounds it stands on.
    #[must_use]
    pub fn grounds(&self) -> &[Ground] {
        match self {
            Self::Abstain => &[],
            Self::Approve(ground) | Self::Escalate(ground) => std::slice::from_ref(ground),
            Self::Deny(grounds) => grounds,
        }
    }

    /// One word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Abstain => "abstain",
            Self::Approve(_) => "approve",
            Self::Deny(_) => "deny",
            Self::Escalate(_) => "escalate",
        }
    }
}

// === impl Effect ===

impl Effect {
    /// Every effect.
    pub const ALL: [Self; 4] = [Self::Approve, Self::Deny, Self::Escalate, Self::Lock];

    /// Its name in the contract and in configurations.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Escalate => "escalate",
            Self::Lock => "lock",
        }
    }

    /// The effect of this name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effect| effect.as_str() == text)
    }
}

// === impl FaultKind ===

impl FaultKind {
    /// Its name in the ledger and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trap => "trap",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::Limit => "limit",
            Self::Nonsense => "nonsense",
            Self::NotGranted => "not-granted",
            Self::Settings => "settings",
            Self::Unavailable => "unavailable",
        }
    }
}

// === impl Fault ===

impl Fault {
    /// A fault of this kind.
    pub fn new(kind: FaultKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.as_str(), self.detail)
    }
}

// === impl Member ===

impl Member {
    /// Whether a missing answer of this policy could have been a no: it may deny, escalate or lock.
    #[must_use]
    pub fn may_object(&self) -> bool {
        [Effect::Deny, Effect::Escalate, Effect::Lock].iter().any(|effect| self.effects.contains(effect))
    }

    /// An answer as far as it is within the contract and the grant; what is beyond is a fault.
    ///
    /// # Errors
    /// [`FaultKind::Nonsense`] for a denial without grounds, [`FaultKind::NotGranted`] for an effect not granted.
    pub fn admit(&self, opinion: Opinion) -> Result<Opinion, Fault> {
        if let Opinion::Deny(grounds) = &opinion
            && grounds.is_empty()
        {
            return Err(Fault::new(FaultKind::Nonsense, "denied without a ground"));
        }
        match opinion.effect() {
            Some(effect) if !self.effects.contains(&effect) => {
                Err(Fault::new(FaultKind::NotGranted, format!("answered `{}`, which is not granted", effect.as_str())))
            }
            Some(_) | None => Ok(opinion),
        }
    }
}
