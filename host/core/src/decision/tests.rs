//! Law 1 over the whole space: every answer, grant and mode of up to three policies.

#![expect(clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::opinion::{Effect, FaultKind, Member};

const ANSWERS: usize = 5;
const GRANTS: usize = 16;

/// Everything that one policy can be: answer or fault, effects granted, mode.
fn space(name: &str) -> Vec<Evaluation> {
    let ground = || Ground { rule: format!("{name}-rule"), reason: format!("{name} says so") };
    let answer = |kind| match kind {
        0 => Ok(Opinion::Abstain),
        1 => Ok(Opinion::Approve(ground())),
        2 => Ok(Opinion::Deny(vec![ground()])),
        3 => Ok(Opinion::Escalate(ground())),
        4 => Err(Fault::new(FaultKind::Trap, "it broke")),
        other => panic!("no answer {other}"),
    };
    let granted = |bits: usize| {
        let set = Effect::ALL.into_iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0);
        set.map(|(_, effect)| effect).collect()
    };
    let mut all = Vec::new();
    for kind in 0..ANSWERS {
        for bits in 0..GRANTS {
            for mode in [Mode::Enforce, Mode::Shadow] {
                let member = Member { name: PolicyName::new(name), effects: granted(bits), mode };
                all.push(Evaluation { member, answer: answer(kind) });
            }
        }
    }
    all
}

/// Law 1, in other words than the code's: what one policy's evaluation amounts to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Voice {
    Unheard,
    Approves,
    Holds,
    Denies,
}

fn voice(evaluation: &Evaluation) -> Voice {
    let has = |effect| evaluation.member.effects.contains(&effect);
    let objects = has(Effect::Deny) || has(Effect::Lock) || has(Effect::Escalate);
    let fault = if objects { Voice::Holds } else { Voice::Unheard };
    if evaluation.member.mode == Mode::Shadow {
        return Voice::Unheard;
    }
    match &evaluation.answer {
        Ok(Opinion::Abstain) => Voice::Unheard,
        Ok(Opinion::Approve(_)) if has(Effect::Approve) => Voice::Approves,
        Ok(Opinion::Deny(_)) if has(Effect::Deny) => Voice::Denies,
        Ok(Opinion::Escalate(_)) if has(Effect::Escalate) => Voice::Holds,
        Ok(Opinion::Approve(_) | Opinion::Deny(_) | Opinion::Escalate(_)) | Err(_) => fault,
    }
}

fn expected(panel: &[&Evaluation]) -> Verdict {
    match panel.iter().map(|evaluation| voice(evaluation)).max() {
        Some(Voice::Denies) => Verdict::Deny,
        Some(Voice::Holds) => Verdict::Leave,
        Some(Voice::Approves) => Verdict::Approve,
        Some(Voice::Unheard) | None => Verdict::Nothing,
    }
}

fn decide(panel: &[&Evaluation]) -> Decision {
    combine(&panel.iter().map(|evaluation| (*evaluation).clone()).collect::<Vec<_>>())
}

fn check(panel: &[&Evaluation]) {
    assert_eq!(decide(panel).verdict, expected(panel), "{panel:?}");
}

#[test]
fn nobody_approves_nothing() {
    check(&[]);
}

#[test]
fn one_policy_decides_as_the_law_says() {
    space("a").iter().for_each(|a| check(&[a]));
}

#[test]
fn two_policies_decide_as_the_law_says_in_either_order() {
    let (all_a, all_b) = (space("a"), space("b"));
    for a in &all_a {
        for b in &all_b {
            check(&[a, b]);
            assert_eq!(decide(&[a, b]), decide(&[b, a]), "{a:?} {b:?}");
        }
    }
}

/// What a policy amounts to is one of few things: one of each answer and voice is enough for the third dimension.
#[test]
fn three_policies_decide_as_the_law_says_in_every_order() {
    let kinds = |name: &str| {
        let mut kinds: Vec<Evaluation> = Vec::new();
        for evaluation in space(name) {
            let same = |it: &Evaluation| {
                voice(it) == voice(&evaluation)
                    && it.answer == evaluation.answer
                    && it.member.mode == evaluation.member.mode
                    && it.member.may_object() == evaluation.member.may_object()
            };
            if !kinds.iter().any(same) {
                kinds.push(evaluation);
            }
        }
        kinds
    };
    let (all_a, all_b, all_c) = (kinds("a"), kinds("b"), kinds("c"));
    assert!(all_a.len() >= 20, "{}", all_a.len());
    for a in &all_a {
        for b in &all_b {
            for c in &all_c {
                let panel = [a, b, c];
                check(&panel);
                let orders = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
                for order in orders {
                    assert_eq!(decide(&order.map(|at| panel[at])), decide(&panel), "{panel:?}");
                }
            }
        }
    }
}

#[test]
fn a_shadow_never_changes_anything() {
    let (all_a, all_b) = (space("a"), space("b"));
    for shadow in all_b.iter().filter(|it| it.member.mode == Mode::Shadow) {
        for a in &all_a {
            assert_eq!(decide(&[a, shadow]), decide(&[a]));
        }
    }
}

#[test]
fn a_denial_without_grounds_is_a_fault() {
    let member = Member { name: PolicyName::new("a"), effects: Effect::ALL.into_iter().collect(), mode: Mode::Enforce };
    let decision = combine(&[Evaluation { member, answer: Ok(Opinion::Deny(Vec::new())) }]);
    assert_eq!(decision.verdict, Verdict::Leave);
    assert!(decision.because.reason().contains("nonsense"), "{}", decision.because.reason());
}

#[test]
fn every_ground_is_named_once_in_a_fixed_order() {
    let deny = |name: &str, rules: &[&str]| {
        let member =
            Member { name: PolicyName::new(name), effects: Effect::ALL.into_iter().collect(), mode: Mode::Enforce };
        let ground = |rule: &&str| Ground { rule: (*rule).to_owned(), reason: format!("because of {rule}") };
        Evaluation { member, answer: Ok(Opinion::Deny(rules.iter().map(ground).collect())) }
    };
    let decision = combine(&[deny("b", &["y", "x"]), deny("a", &["x"])]);
    assert_eq!(decision.because.rules(), ["a/x", "b/y", "b/x"]);
    assert_eq!(decision.because.reason(), "because of x; because of y");
}
