//! Law 1: what the host makes of all opinions about a pending request. Pure; it neither asks policies nor acts.

use crate::guard::Guard;
use crate::opinion::{Evaluation, Fault, Ground, Mode, Opinion, PolicyName};

/// What is to become of a pending request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub enum Verdict {
    /// It is approved.
    Approve,
    /// It is denied.
    Deny,
    /// It stays pending: people have to decide.
    Leave,
    /// It stays pending: no policy had anything to say.
    Nothing,
}

/// What determined a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// The grounds of these policies, by policy name, each policy's in its own order.
    Grounds(Vec<(PolicyName, Ground)>),
    /// These policies did not answer; beside them, who escalated.
    Faults(Vec<(PolicyName, Fault)>, Vec<(PolicyName, Ground)>),
    /// The request is not ours to decide.
    Guarded(Guard),
    /// Approving would need a lock that cannot be had: which, and why not.
    LockImpossible(String),
    /// Every policy abstained.
    Silence,
}

/// A verdict and what determined it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    /// What is to become of the request.
    pub verdict: Verdict,
    /// What determined it.
    pub because: Because,
}

/// What the host makes of all opinions. Deny by any denies. Otherwise a fault of any that may object, or an escalation,
/// leaves the request to people. Otherwise one approval approves. The order of the evaluations does not matter, and
/// those in shadow mode do not count.
pub fn combine(evaluations: &[Evaluation]) -> Decision {
    let mut denials = Vec::new();
    let mut faults = Vec::new();
    let mut escalations = Vec::new();
    let mut approvals = Vec::new();
    for Evaluation { member, answer } in evaluations {
        match member.mode {
            Mode::Shadow => continue,
            Mode::Enforce => {}
        }
        let name = || member.name.clone();
        match answer.clone().and_then(|opinion| member.admit(opinion)) {
            Ok(Opinion::Abstain) => {}
            Ok(Opinion::Approve(ground)) => approvals.push((name(), ground)),
            Ok(Opinion::Escalate(ground)) => escalations.push((name(), ground)),
            Ok(Opinion::Deny(grounds)) => denials.extend(grounds.into_iter().map(|ground| (name(), ground))),
            Err(fault) if member.may_object() => faults.push((name(), fault)),
            Err(_approver_only) => {}
        }
    }
    // Stable: a policy's own grounds keep the order in which it gave them.
    denials.sort_by(|(a, _), (b, _)| a.cmp(b));
    faults.sort_by(|(a, _), (b, _)| a.cmp(b));
    escalations.sort();
    approvals.sort();
    let (verdict, because) = if !denials.is_empty() {
        (Verdict::Deny, Because::Grounds(denials))
    } else if !faults.is_empty() {
        (Verdict::Leave, Because::Faults(faults, escalations))
    } else if !escalations.is_empty() {
        (Verdict::Leave, Because::Grounds(escalations))
    } else if !approvals.is_empty() {
        (Verdict::Approve, Because::Grounds(approvals))
    } else {
        (Verdict::Nothing, Because::Silence)
    };
    Decision { verdict, because }
}

// === impl Verdict ===

impl Verdict {
    /// Its name in the ledger, in logs and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Leave => "leave",
            Self::Nothing => "nothing",
        }
    }
}

// === impl Decision ===

impl Decision {
    /// Left to people because it is not ours to decide.
    pub fn guarded(guard: Guard) -> Self {
        Self { verdict: Verdict::Leave, because: Because::Guarded(guard) }
    }

    /// Left to people, for want of a lock that it would need.
    pub fn lock_impossible(why: impl Into<String>) -> Self {
        Self { verdict: Verdict::Leave, because: Because::LockImpossible(why.into()) }
    }
}

// === impl Because ===

impl Because {
    /// The rules that fired, as `policy/rule`.
    #[must_use]
    pub fn rules(&self) -> Vec<String> {
        match self {
            Self::Grounds(grounds) | Self::Faults(_, grounds) => {
                grounds.iter().map(|(policy, ground)| format!("{policy}/{}", ground.rule)).collect()
            }
            Self::Guarded(guard) => vec![format!("guard/{}", guard.name())],
            Self::LockImpossible(_) => vec!["guard/lock-impossible".to_owned()],
            Self::Silence => Vec::new(),
        }
    }

    /// The reasons in words, each once, in order.
    #[must_use]
    pub fn reason(&self) -> String {
        let mut reasons: Vec<String> = Vec::new();
        let mut say = |reason: String| {
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        };
        match self {
            Self::Grounds(grounds) => grounds.iter().for_each(|(_, ground)| say(ground.reason.clone())),
            Self::Faults(faults, grounds) => {
                for (policy, fault) in faults {
                    say(format!("policy `{policy}` did not answer ({})", fault.kind.as_str()));
                }
                grounds.iter().for_each(|(_, ground)| say(ground.reason.clone()));
            }
            Self::Guarded(guard) => say(guard.to_string()),
            Self::LockImpossible(why) => say(why.clone()),
            Self::Silence => say("no policy had anything to say".to_owned()),
        }
        reasons.join("; ")
    }
}

#[cfg(test)]
mod tests;
