//! What a policy answers, in the core's words, or the fault that it is. It never repairs an answer: what breaks the contract
//! is refused, except for characters that have no business in a sentence.

use std::collections::BTreeSet;

use tribunal_core::Timestamp;
use tribunal_core::case::Case;
use tribunal_core::opinion::{Effect, Fault, FaultKind, Ground, LockOrder, Opinion};
use tribunal_core::request::{RequestId, RequestState};

use crate::bindings::policy::tribunal::policy::types as wit;
use crate::description::Description;
use crate::engine::limits::Limits;
use crate::text;

/// What an answer is measured by.
pub(crate) struct Door<'a> {
    pub(crate) description: &'a Description,
    pub(crate) limits: &'a Limits,
}

/// An effect, in the core's words.
pub(crate) const fn effect(effect: wit::Effect) -> Effect {
    match effect {
        wit::Effect::Approve => Effect::Approve,
        wit::Effect::Deny => Effect::Deny,
        wit::Effect::Escalate => Effect::Escalate,
        wit::Effect::Lock => Effect::Lock,
    }
}

// === impl Door ===

impl Door<'_> {
    /// An answer to `review`.
    pub(crate) fn opinion(&self, answer: wit::Opinion) -> Result<Opinion, Fault> {
        Ok(match answer {
            wit::Opinion::Abstain => Opinion::Abstain,
            wit::Opinion::Approve(ground) => Opinion::Approve(self.ground(ground)?),
            wit::Opinion::Deny(grounds) => Opinion::Deny(self.grounds(grounds)?),
            wit::Opinion::Escalate(ground) => Opinion::Escalate(self.ground(ground)?),
        })
    }

    /// An answer to `enforce` about `case`.
    pub(crate) fn orders(&self, answer: Vec<wit::LockOrder>, case: &Case) -> Result<Vec<LockOrder>, Fault> {
        within("lock_orders_max", "lock orders", answer.len(), self.limits.lock_orders_max)?;
        let approved: BTreeSet<&str> = case
            .requests
            .iter()
            .filter(|entry| entry.request.state == RequestState::Approved)
            .map(|entry| entry.request.id.as_str())
            .collect();
        let mut ordered = BTreeSet::new();
        let mut orders = Vec::with_capacity(answer.len());
        for wit::LockOrder { request, ground, until } in answer {
            if !approved.contains(request.as_str()) {
                return Err(nonsense(format!(
                    "ordered a lock on `{}`, which is no approved request of the case",
                    name(&request)
                )));
            }
            let until = until.map(Timestamp::from_millis);
            if until.is_some_and(|until| until < case.now) {
                return Err(nonsense(format!("ordered a lock on `{request}` that ends before now")));
            }
            let ground = self.ground(ground)?;
            if !ordered.insert(request.clone()) {
                return Err(nonsense(format!(
                    "ordered two locks on `{request}`: order one, with all that is wrong in it"
                )));
            }
            orders.push(LockOrder { request: RequestId::new(request), ground, until });
        }
        Ok(orders)
    }

    fn grounds(&self, grounds: Vec<wit::Ground>) -> Result<Vec<Ground>, Fault> {
        if grounds.is_empty() {
            return Err(nonsense("denied without a ground"));
        }
        within("grounds_max", "grounds", grounds.len(), self.limits.grounds_max)?;
        grounds.into_iter().map(|ground| self.ground(ground)).collect()
    }

    fn ground(&self, ground: wit::Ground) -> Result<Ground, Fault> {
        let wit::Ground { rule, reason } = ground;
        if !self.description.rules.iter().any(|declared| declared.id == rule) {
            return Err(nonsense(format!("named the rule `{}`, which its description does not declare", name(&rule))));
        }
        within("reason_bytes_max", "bytes of reason", reason.len(), self.limits.reason_bytes_max)?;
        let reason = text::clean(&reason).into_owned();
        Ok(Ground { rule, reason })
    }
}

fn within(name: &'static str, what: &'static str, found: usize, max: usize) -> Result<(), Fault> {
    if found <= max {
        return Ok(());
    }
    Err(Fault::new(FaultKind::Limit, format!("answered {found} {what}, its limit is {max} (`{name}`)")))
}

fn nonsense(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Nonsense, detail)
}

/// Something that a policy named, fit for a message.
fn name(text: &str) -> String {
    text::clip(text, text::NAME_BYTES_MAX)
}
