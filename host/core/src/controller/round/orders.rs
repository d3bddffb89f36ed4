//! Whether lock orders make sense, and which faults stand in the way of a decision.

use crate::case::Case;
use crate::opinion::{Fault, FaultKind, LockOrder, Mode, PolicyName};
use crate::record::Enforcement;
use crate::request::RequestId;

/// Orders as far as they are about granted requests of the case, one each.
pub(crate) fn admit_orders(orders: Vec<LockOrder>, case: &Case) -> Result<Vec<LockOrder>, Fault> {
    let mut seen: Vec<&RequestId> = Vec::new();
    for order in &orders {
        let granted = case.find(&order.request).is_some_and(|entry| entry.request.is_granted(case.now));
        if !granted {
            let detail = format!("ordered a lock on `{}`, which is not a held request of the case", order.request);
            return Err(Fault::new(FaultKind::Nonsense, detail));
        }
        if order.until.is_some_and(|until| until <= case.now) {
            let detail = format!("ordered a lock on `{}` that would be over at once", order.request);
            return Err(Fault::new(FaultKind::Nonsense, detail));
        }
        if seen.contains(&&order.request) {
            return Err(Fault::new(FaultKind::Nonsense, format!("ordered `{}` to be locked twice", order.request)));
        }
        seen.push(&order.request);
    }
    Ok(orders)
}

pub(crate) fn faults_that_count(enforcements: &[Enforcement]) -> Vec<(PolicyName, Fault)> {
    let counts = |mode: Mode| match mode {
        Mode::Enforce => true,
        Mode::Shadow => false,
    };
    enforcements
        .iter()
        .filter(|enforcement| counts(enforcement.member.mode))
        .filter_map(|Enforcement { member, answer }| {
            answer.as_ref().err().map(|fault| (member.name.clone(), fault.clone()))
        })
        .collect()
}
