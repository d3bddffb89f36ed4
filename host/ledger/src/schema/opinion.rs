//! What policies answered, in the ledger. It never weighs it.

use serde::{Deserialize, Serialize};
use tribunal_core::opinion as core;
use tribunal_core::record;
use tribunal_core::request::RequestId;

use super::Time;

mirror! {
    /// What an answer may bring about.
    Effect = core::Effect, "kebab-case" {
        /// A request is approved.
        Approve,
        /// A request is denied.
        Deny,
        /// A request is left to people.
        Escalate,
        /// A held request is locked.
        Lock,
    }
}

mirror! {
    /// Whether a policy's answers count.
    Mode = core::Mode, "kebab-case" {
        /// They count.
        Enforce,
        /// They are recorded only.
        Shadow,
    }
}

mirror! {
    /// Why a policy did not answer.
    FaultKind = core::FaultKind, "kebab-case" {
        /// It trapped.
        Trap,
        /// It exceeded its deadline.
        Deadline,
        /// It exceeded its memory.
        Memory,
        /// It exceeded another limit.
        Limit,
        /// Its answer breaks the contract.
        Nonsense,
        /// Its answer goes beyond what it is granted.
        NotGranted,
        /// It refused its settings.
        Settings,
        /// It is not running.
        Unavailable,
    }
}

/// One policy's answer about the pending request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said")]
pub struct Evaluation {
    /// The plugin's name in the configuration.
    pub policy: String,
    /// Whether its answer counts.
    pub mode: Mode,
    /// The effects granted to it, sorted.
    pub effects: Vec<Effect>,
    /// What it answered.
    #[serde(flatten)]
    pub answer: Answer,
}

/// An opinion or a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// It answered.
    Opinion(Opinion),
    /// It did not.
    Fault(Fault),
}

/// One policy's answer about held requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Said")]
pub struct Enforcement {
    /// The plugin's name in the configuration.
    pub policy: String,
    /// Whether its answer counts.
    pub mode: Mode,
    /// The effects granted to it, sorted.
    pub effects: Vec<Effect>,
    /// What it answered.
    #[serde(flatten)]
    pub answer: EnforcementAnswer,
}

/// An answer of either kind as it stands in a line.
#[derive(Deserialize)]
struct Said {
    policy: String,
    mode: Mode,
    effects: Vec<Effect>,
    opinion: Option<Opinion>,
    orders: Option<Vec<LockOrder>>,
    fault: Option<Fault>,
}

/// Lock orders or a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnforcementAnswer {
    /// It answered.
    Orders(Vec<LockOrder>),
    /// It did not.
    Fault(Fault),
}

/// A policy's opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", try_from = "Told")]
pub enum Opinion {
    /// Nothing to say.
    Abstain,
    /// Yes.
    Approve(Ground),
    /// No.
    Deny {
        /// On these grounds.
        grounds: Vec<Ground>,
    },
    /// People have to decide.
    Escalate(Ground),
}

/// An opinion as it stands in a line: serde's own way to read one of a kind copies it first, as `flatten` does.
#[derive(Deserialize)]
struct Told {
    is: Is,
    rule: Option<String>,
    reason: Option<String>,
    grounds: Option<Vec<Ground>>,
}

/// The kind of an opinion.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Is {
    Abstain,
    Approve,
    Deny,
    Escalate,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The rule that fired.
    pub rule: String,
    /// A sentence for people.
    pub reason: String,
}

/// A held request that a policy wants locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOrder {
    /// The request's id.
    pub request: String,
    /// The rule that fired.
    pub rule: String,
    /// A sentence for people.
    pub reason: String,
    /// When the lock may end before the request's access does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// Why a policy did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What kind of failure it was.
    pub kind: FaultKind,
    /// What happened.
    pub detail: String,
}

// === impl Said ===

impl TryFrom<Said> for Evaluation {
    type Error = &'static str;

    fn try_from(it: Said) -> Result<Self, Self::Error> {
        let Said { policy, mode, effects, opinion, orders: _, fault } = it;
        let answer = match (opinion, fault) {
            (Some(opinion), None) => Answer::Opinion(opinion),
            (None, Some(fault)) => Answer::Fault(fault),
            (None, None) | (Some(_), Some(_)) => return Err("an answer has either `opinion` or `fault`"),
        };
        Ok(Self { policy, mode, effects, answer })
    }
}

impl TryFrom<Told> for Opinion {
    type Error = &'static str;

    fn try_from(it: Told) -> Result<Self, Self::Error> {
        let Told { is, rule, reason, grounds } = it;
        let ground = || match (rule, reason) {
            (Some(rule), Some(reason)) => Ok(Ground { rule, reason }),
            (None | Some(_), None) | (None, Some(_)) => Err("an opinion lacks its `rule` or its `reason`"),
        };
        Ok(match is {
            Is::Abstain => Self::Abstain,
            Is::Approve => Self::Approve(ground()?),
            Is::Deny => Self::Deny { grounds: grounds.ok_or("a denial lacks its `grounds`")? },
            Is::Escalate => Self::Escalate(ground()?),
        })
    }
}

impl TryFrom<Said> for Enforcement {
    type Error = &'static str;

    fn try_from(it: Said) -> Result<Self, Self::Error> {
        let Said { policy, mode, effects, opinion: _, orders, fault } = it;
        let answer = match (orders, fault) {
            (Some(orders), None) => EnforcementAnswer::Orders(orders),
            (None, Some(fault)) => EnforcementAnswer::Fault(fault),
            (None, None) | (Some(_), Some(_)) => return Err("an answer has either `orders` or `fault`"),
        };
        Ok(Self { policy, mode, effects, answer })
    }
}

fn member(it: &core::Member) -> (String, Mode, Vec<Effect>) {
    let core::Member { name, effects, mode } = it;
    (name.as_str().to_owned(), (*mode).into(), effects.iter().copied().map(Into::into).collect())
}

fn core_member(policy: String, mode: Mode, effects: Vec<Effect>) -> core::Member {
    core::Member {
        name: core::PolicyName::new(policy),
        effects: effects.into_iter().map(Into::into).collect(),
        mode: mode.into(),
    }
}

// === impl Evaluation ===

impl From<&core::Evaluation> for Evaluation {
    fn from(it: &core::Evaluation) -> Self {
        let core::Evaluation { member: who, answer } = it;
        let (policy, mode, effects) = member(who);
        let answer = match answer {
            Ok(opinion) => Answer::Opinion(opinion.into()),
            Err(fault) => Answer::Fault(fault.into()),
        };
        Self { policy, mode, effects, answer }
    }
}

impl From<Evaluation> for core::Evaluation {
    fn from(it: Evaluation) -> Self {
        let Evaluation { policy, mode, effects, answer } = it;
        let answer = match answer {
            Answer::Opinion(opinion) => Ok(opinion.into()),
            Answer::Fault(fault) => Err(fault.into()),
        };
        Self { member: core_member(policy, mode, effects), answer }
    }
}

// === impl Enforcement ===

impl From<&record::Enforcement> for Enforcement {
    fn from(it: &record::Enforcement) -> Self {
        let record::Enforcement { member: who, answer } = it;
        let (policy, mode, effects) = member(who);
        let answer = match answer {
            Ok(orders) => EnforcementAnswer::Orders(orders.iter().map(LockOrder::from).collect()),
            Err(fault) => EnforcementAnswer::Fault(fault.into()),
        };
        Self { policy, mode, effects, answer }
    }
}

impl From<Enforcement> for record::Enforcement {
    fn from(it: Enforcement) -> Self {
        let Enforcement { policy, mode, effects, answer } = it;
        let answer = match answer {
            EnforcementAnswer::Orders(orders) => Ok(orders.into_iter().map(Into::into).collect()),
            EnforcementAnswer::Fault(fault) => Err(fault.into()),
        };
        Self { member: core_member(policy, mode, effects), answer }
    }
}

// === impl Opinion ===

impl From<&core::Opinion> for Opinion {
    fn from(it: &core::Opinion) -> Self {
        match it {
            core::Opinion::Abstain => Self::Abstain,
            core::Opinion::Approve(ground) => Self::Approve(ground.into()),
            core::Opinion::Deny(grounds) => Self::Deny { grounds: grounds.iter().map(Ground::from).collect() },
            core::Opinion::Escalate(ground) => Self::Escalate(ground.into()),
        }
    }
}

impl From<Opinion> for core::Opinion {
    fn from(it: Opinion) -> Self {
        match it {
            Opinion::Abstain => Self::Abstain,
            Opinion::Approve(ground) => Self::Approve(ground.into()),
            Opinion::Deny { grounds } => Self::Deny(grounds.into_iter().map(Into::into).collect()),
            Opinion::Escalate(ground) => Self::Escalate(ground.into()),
        }
    }
}

// === impl Ground ===

impl From<&core::Ground> for Ground {
    fn from(it: &core::Ground) -> Self {
        let core::Ground { rule, reason } = it;
        Self { rule: rule.clone(), reason: reason.clone() }
    }
}

impl From<Ground> for core::Ground {
    fn from(it: Ground) -> Self {
        let Ground { rule, reason } = it;
        Self { rule, reason }
    }
}

// === impl LockOrder ===

impl From<&core::LockOrder> for LockOrder {
    fn from(it: &core::LockOrder) -> Self {
        let core::LockOrder { request, ground: core::Ground { rule, reason }, until } = it;
        Self {
            request: request.as_str().to_owned(),
            rule: rule.clone(),
            reason: reason.clone(),
            until: until.map(Into::into),
        }
    }
}

impl From<LockOrder> for core::LockOrder {
    fn from(it: LockOrder) -> Self {
        let LockOrder { request, rule, reason, until } = it;
        Self { request: RequestId::new(request), ground: core::Ground { rule, reason }, until: until.map(Into::into) }
    }
}

// === impl Fault ===

impl From<&core::Fault> for Fault {
    fn from(it: &core::Fault) -> Self {
        let core::Fault { kind, detail } = it;
        Self { kind: (*kind).into(), detail: detail.clone() }
    }
}

impl From<Fault> for core::Fault {
    fn from(it: Fault) -> Self {
        let Fault { kind, detail } = it;
        Self { kind: kind.into(), detail }
    }
}
