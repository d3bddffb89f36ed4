//! Asks a whole panel about one case at once, in the controller's order, and says what follows: for whoever looks at
//! decisions from outside, afterwards or beforehand. It makes no plan, knows no view, and never acts.

use std::sync::Arc;

use crate::case::Case;
use crate::controller::{admit_orders, faults_that_count};
use crate::decision::{Because, Decision, Verdict, combine};
use crate::opinion::{Effect, Evaluation, Fault, LockOrder, Member, Mode, Opinion, PolicyName};
use crate::record::Enforcement;
use crate::request::{EXEMPT_ANNOTATION, RequestId};

/// Where the answers of a panel come from: its policies, a record, or a test.
pub trait Answers {
    /// What the policy at this place of the panel says about a pending request.
    ///
    /// # Errors
    /// Why it does not answer.
    fn review(&mut self, policy: usize, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault>;

    /// What it wants locked.
    ///
    /// # Errors
    /// Why it does not answer.
    fn enforce(&mut self, policy: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault>;
}

/// What a panel said, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Hearing {
    /// What each policy said about the pending request.
    pub evaluations: Vec<Evaluation>,
    /// What each policy wants locked: where the request would be approved, if it were held.
    pub enforcements: Vec<Enforcement>,
    /// The orders that count, in the order in which they were given.
    pub orders: Vec<(PolicyName, LockOrder)>,
    /// What is to become of the request. Of held requests alone: that faults keep their locks as they are; none, where
    /// no fault does.
    pub decision: Option<Decision>,
}

/// Judges a pending request of the case. What only a view of the cluster can say is left out: that a lock which an
/// approval needs was changed by somebody else, and so cannot be had.
pub fn judge(members: &[Member], case: &Arc<Case>, request: &RequestId, answers: &mut impl Answers) -> Hearing {
    let evaluations: Vec<Evaluation> = members
        .iter()
        .enumerate()
        .map(|(policy, member)| {
            let answer = answers.review(policy, case, request).and_then(|opinion| member.admit(opinion));
            Evaluation { member: member.clone(), answer }
        })
        .collect();
    let decision = combine(&evaluations);
    match decision.verdict {
        Verdict::Approve => {}
        Verdict::Deny | Verdict::Leave | Verdict::Nothing => {
            let (enforcements, orders) = (Vec::new(), Vec::new());
            return Hearing { evaluations, enforcements, orders, decision: Some(decision) };
        }
    }
    let held = Arc::new(case.as_if_held(request));
    let (enforcements, orders) = order(members, &held, answers);
    let faults = faults_that_count(&enforcements);
    let decision = if faults.is_empty() {
        let impossible = orders.iter().find_map(|(_, order)| impossible(&held, request, order));
        impossible.map_or(decision, Decision::lock_impossible)
    } else {
        Decision { verdict: Verdict::Leave, because: Because::Faults(faults, Vec::new()) }
    };
    Hearing { evaluations, enforcements, orders, decision: Some(decision) }
}

/// Asks which held requests of the case must be locked.
pub fn put_in_order(members: &[Member], case: &Arc<Case>, answers: &mut impl Answers) -> Hearing {
    let (enforcements, orders) = order(members, case, answers);
    let faults = faults_that_count(&enforcements);
    let decision = (!faults.is_empty())
        .then(|| Decision { verdict: Verdict::Leave, because: Because::Faults(faults, Vec::new()) });
    Hearing { evaluations: Vec::new(), enforcements, orders, decision }
}

/// One policy after the other, each of which sees as locked what those before it lock; until one whose answer counts
/// does not give it.
fn order(
    members: &[Member],
    case: &Arc<Case>,
    answers: &mut impl Answers,
) -> (Vec<Enforcement>, Vec<(PolicyName, LockOrder)>) {
    let (mut enforcements, mut orders) = (Vec::new(), Vec::<(PolicyName, LockOrder)>::new());
    if !case.requests.iter().any(|entry| entry.request.is_granted(case.now)) {
        return (enforcements, orders);
    }
    for (policy, member) in members.iter().enumerate().filter(|(_, member)| member.effects.contains(&Effect::Lock)) {
        let shown = if orders.is_empty() {
            Arc::clone(case)
        } else {
            Arc::new(case.with_orders(orders.iter().map(|(_, order)| order)))
        };
        let answer = answers.enforce(policy, &shown).and_then(|orders| admit_orders(orders, case));
        let counts = match member.mode {
            Mode::Enforce => true,
            Mode::Shadow => false,
        };
        let stop = counts && answer.is_err();
        if let (true, Ok(ordered)) = (counts, &answer) {
            orders.extend(ordered.iter().map(|order| (member.name.clone(), order.clone())));
        }
        enforcements.push(Enforcement { member: member.clone(), answer });
        if stop {
            break;
        }
    }
    (enforcements, orders)
}

/// Why an order that an approval needs cannot be carried out, as far as the case shows.
fn impossible(case: &Case, request: &RequestId, order: &LockOrder) -> Option<String> {
    let reason = &order.ground.reason;
    if order.request == *request {
        return Some(at_once(reason));
    }
    let exempt = case.find(&order.request)?.request.annotations.get(EXEMPT_ANNOTATION)?;
    Some(exempted(&order.request, &exempt.join(", "), reason))
}

/// Why a request is not approved that a policy would have locked at once.
pub(crate) fn at_once(reason: &str) -> String {
    format!("approving it would lock it at once: {reason}")
}

/// Why a request cannot be locked that is exempt.
pub(crate) fn exempted(request: &RequestId, exempt: &str, reason: &str) -> String {
    format!("request `{request}` would have to be locked, but is exempt ({exempt}): {reason}")
}
