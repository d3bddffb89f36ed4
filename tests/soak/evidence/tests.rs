//! The auditor notices what the ledger does not explain.

#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_sim::Moment;

use super::*;
use crate::tail;

const AT_MS: i64 = 1_000;

fn ledger(lines: &[&str]) -> Evidence {
    let mut evidence = Evidence::default();
    for (seq, line) in (1..).zip(lines) {
        let line = format!(r#"{{"v":4,"seq":{seq},"at":"1970-01-01T00:00:01.000Z",{line}}}"#);
        evidence.take(tail::parse(line.as_bytes()).unwrap());
    }
    evidence
}

const PLAN: &str = r#""kind":"decided","id":"d-1","dry_run":false,"verdict":"approve","request":{"id":"r1","roles":[]},
    "locks":[{"name":"l1","rule":"cap/x"}],"releases":["l2"],"case":{"now":"x"}"#;

fn write(what: What, decision: Option<&str>, at_ms: i64) -> Write {
    Write { sequence: 7, at: Moment::from_unix_ms(at_ms), decision: decision.map(str::to_owned), what }
}

fn whole() -> Vec<Write> {
    vec![
        write(What::Locked("l1".to_owned()), Some("d-1"), AT_MS),
        write(What::Unlocked("l2".to_owned()), None, AT_MS),
        write(What::Approved("r1".to_owned()), Some("d-1"), AT_MS + 1),
    ]
}

#[test]
fn what_was_planned_is_explained_once() {
    let mut evidence = ledger(&[PLAN]);
    evidence.explain(whole());
    assert_eq!(evidence.unexplained, Vec::<String>::new());
    evidence.explain(whole());
    assert_eq!(evidence.unexplained.len(), 3, "nothing is done twice on one decision");
}

#[test]
fn what_was_not_planned_before_is_unexplained() {
    let wrong = [
        write(What::Denied("r1".to_owned()), Some("d-1"), AT_MS),
        write(What::Approved("r2".to_owned()), Some("d-1"), AT_MS),
        write(What::Approved("r1".to_owned()), Some("d-2"), AT_MS),
        write(What::Approved("r1".to_owned()), None, AT_MS),
        write(What::Approved("r1".to_owned()), Some("d-1"), AT_MS - 1),
        write(What::Unlocked("l1".to_owned()), None, AT_MS),
        write(What::Unlocked("l2".to_owned()), None, AT_MS - 1),
    ];
    for write in wrong {
        let mut evidence = ledger(&[PLAN]);
        evidence.explain(vec![write.clone()]);
        assert_eq!(evidence.unexplained.len(), 1, "{write:?}");
    }
}

#[test]
fn a_claim_that_nothing_stands_behind_is_noticed() {
    for is in [r#"{"is":"applied"}"#, r#"{"is":"reviewed","state":"APPROVED"}"#] {
        let outcome = format!(r#""kind":"outcome","decision":"d-1","step":{{"do":"approve","of":"r1"}},"result":{is}"#);
        let mut evidence = ledger(&[PLAN, &outcome]);
        assert_eq!(evidence.false_claims().len(), 1, "{is}");
        evidence.explain(whole());
        assert_eq!(evidence.false_claims(), Vec::<String>::new());
    }
}

#[test]
fn a_decision_is_open_until_each_step_or_all_of_it_has_an_end() {
    let step =
        |step: &str| format!(r#""kind":"outcome","decision":"d-1","step":{step},"result":{{"is":"superseded"}}"#);
    let steps =
        [r#"{"do":"lock","of":"l1"}"#, r#"{"do":"unlock","of":"l2"}"#, r#"{"do":"approve","of":"r1"}"#].map(step);
    let [lock, unlock, approve] = [&steps[0], &steps[1], &steps[2]];
    assert_eq!(ledger(&[PLAN]).open().len(), 1);
    assert_eq!(ledger(&[PLAN, lock, unlock]).open().len(), 1);
    assert_eq!(ledger(&[PLAN, lock, unlock, approve]).open().len(), 0);
    assert_eq!(ledger(&[PLAN, &step(r#"{"do":"decision"}"#)]).open().len(), 0);
}
