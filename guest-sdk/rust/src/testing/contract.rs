//! Checks answers against the contract as the host does: what it finds here would be a fault there.
//! It must never judge whether an answer is a wise one.

use std::collections::BTreeSet;

use crate::{Case, Description, Effect, Ground, LockOrder, Opinion, RequestState};

/// Longest rule id and policy name, in bytes.
const WORD_BYTES_MAX: usize = 64;

/// What is wrong with a description; empty if nothing.
#[must_use]
pub fn faults_of_description(description: &Description) -> Vec<String> {
    let mut faults = Vec::new();
    if !is_word(&description.name) {
        faults.push(format!("name `{}` is not made of lower case words joined by `-`", description.name));
    }
    let mut seen = BTreeSet::new();
    for rule in &description.rules {
        if !is_word(&rule.id) {
            faults.push(format!("rule `{}` is not made of lower case words joined by `-`", rule.id));
        }
        if !seen.insert(&rule.id) {
            faults.push(format!("rule `{}` is described twice", rule.id));
        }
    }
    faults
}

/// What is wrong with an opinion; empty if nothing.
#[must_use]
pub fn faults_of_opinion(description: &Description, opinion: &Opinion) -> Vec<String> {
    match opinion {
        Opinion::Abstain => Vec::new(),
        Opinion::Approve(ground) => faults_of_answer(description, Effect::Approve, [ground]),
        Opinion::Escalate(ground) => faults_of_answer(description, Effect::Escalate, [ground]),
        Opinion::Deny(grounds) if grounds.is_empty() => vec!["denies without a ground".to_owned()],
        Opinion::Deny(grounds) => faults_of_answer(description, Effect::Deny, grounds),
    }
}

/// What is wrong with lock orders; empty if nothing.
#[must_use]
pub fn faults_of_orders(description: &Description, case: &Case, orders: &[LockOrder]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for order in orders {
        faults.extend(faults_of_answer(description, Effect::Lock, [&order.ground]));
        if case.find(&order.request).is_none_or(|request| request.state != RequestState::Approved) {
            faults.push(format!("locks `{}`, which is not an approved request of the case", order.request));
        }
        if !seen.insert(&order.request) {
            faults.push(format!("locks `{}` twice", order.request));
        }
    }
    faults
}

fn faults_of_answer<'a>(
    description: &Description,
    effect: Effect,
    grounds: impl IntoIterator<Item = &'a Ground>,
) -> Vec<String> {
    let mut faults = Vec::new();
    if !description.effects.contains(&effect) {
        faults.push(format!("the effect `{}` is not described", word(effect)));
    }
    for ground in grounds {
        if !description.rules.iter().any(|rule| rule.id == ground.rule) {
            faults.push(format!("rule `{}` is not described", ground.rule));
        }
        if ground.reason.is_empty() || ground.reason.contains(char::is_control) {
            faults.push(format!("the reason of rule `{}` is empty or holds control characters", ground.rule));
        }
    }
    faults
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Approve => "approve",
        Effect::Deny => "deny",
        Effect::Escalate => "escalate",
        Effect::Lock => "lock",
    }
}

fn is_word(text: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    text.len() <= WORD_BYTES_MAX && text.split('-').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{case, held, pending};
    use crate::{approve, deny, description, ground, lock};

    fn described() -> Description {
        description("test", "0.1.0", "").rule("some-rule", "").effect(Effect::Deny).effect(Effect::Lock)
    }

    #[test]
    fn a_fair_answer_has_no_fault() {
        let case = case("alice").request(held("r1")).build();
        assert_eq!(faults_of_description(&described()), [""; 0]);
        assert_eq!(faults_of_opinion(&described(), &deny("some-rule", "why")), [""; 0]);
        assert_eq!(faults_of_orders(&described(), &case, &[lock("r1", "some-rule", "why")]), [""; 0]);
    }

    #[test]
    fn what_is_not_described_is_a_fault() {
        assert_eq!(
            faults_of_opinion(&described(), &approve("other", "why")),
            ["the effect `approve` is not described", "rule `other` is not described"]
        );
    }

    #[test]
    fn a_denial_without_ground_is_a_fault() {
        assert_eq!(faults_of_opinion(&described(), &Opinion::Deny(vec![])), ["denies without a ground"]);
        assert_eq!(
            faults_of_opinion(&described(), &Opinion::Deny(vec![ground("some-rule", "")])),
            ["the reason of rule `some-rule` is empty or holds control characters"]
        );
    }

    #[test]
    fn orders_are_for_approved_requests_once_each() {
        let case = case("alice").request(held("r1")).request(pending("r2")).build();
        let orders = ["r1", "r1", "r2", "r3"].map(|id| lock(id, "some-rule", "why"));
        assert_eq!(
            faults_of_orders(&described(), &case, &orders),
            [
                "locks `r1` twice",
                "locks `r2`, which is not an approved request of the case",
                "locks `r3`, which is not an approved request of the case"
            ]
        );
    }

    #[test]
    fn names_are_lower_case_words() {
        for bad in ["", "-", "a-", "A", "a_b", "a b", &"a".repeat(65)] {
            assert_eq!(faults_of_description(&description(bad, "0.1.0", "").rule(bad, "")).len(), 2, "{bad}");
        }
        assert_eq!(faults_of_description(&described().rule("some-rule", "")), ["rule `some-rule` is described twice"]);
    }
}
