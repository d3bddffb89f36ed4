//! What adds up, by hand. It must never compare figures with themselves.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;

use super::*;

const HOUR_MS: u64 = 3_600_000;

fn at(hours: u64) -> String {
    Time::from(Timestamp::from_millis(hours * HOUR_MS)).to_string()
}

/// A ledger of these lines, which begin after their times.
fn ledger(lines: &[(u64, String)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let text: String = (1..)
        .zip(lines)
        .map(|(seq, (hours, rest))| format!("{{\"v\":3,\"seq\":{seq},\"at\":\"{}\",{rest}}}\n", at(*hours)))
        .collect();
    fs::write(root.path().join("ledger-000001.jsonl"), text).unwrap();
    root
}

fn decided(id: &str, verdict: &str, rule: &str, request: &str, made: u64, until: u64) -> String {
    format!(
        r#""kind":"decided","id":"{id}","user":"alice","dry_run":false,"verdict":"{verdict}","determined_by":{{"rules":["{rule}"]}},"request":{{"id":"{request}","roles":["r"],"created":"{}","access_expires":"{}"}},"evaluations":[{{"policy":"cap"}},{{"policy":"slow","fault":{{"kind":"deadline"}}}}],"locks":[],"releases":[]"#,
        at(made),
        at(until)
    )
}

fn locking(id: &str, rule: &str, request: &str) -> String {
    format!(
        r#""kind":"decided","id":"{id}","user":"alice","dry_run":false,"locks":[{{"rule":"{rule}","name":"lock-{request}","target":{{"access_request":"{request}"}}}}],"releases":[]"#
    )
}

fn outcome(decision: &str, step: &str, of: &str) -> String {
    format!(
        r#""kind":"outcome","decision":"{decision}","step":{{"do":"{step}","of":"{of}"}},"result":{{"is":"applied"}}"#
    )
}

fn lines() -> Vec<(u64, String)> {
    vec![
        (10, decided("d-1", "approve", "cap/within-cap", "r-1", 9, 20)),
        (11, outcome("d-1", "approve", "r-1")),
        (12, decided("d-2", "deny", "separation/two-classes", "r-2", 12, 18)),
        (12, outcome("d-2", "deny", "r-2")),
        (13, locking("d-3", "separation/conflict", "r-1")),
        (14, outcome("d-3", "lock", "lock-r-1")),
        (15, decided("d-4", "leave", "hours/closed", "r-3", 15, 16)),
        (16, decided("d-5", "approve", "cap/within-cap", "r-4", 13, 30)),
        (17, outcome("d-5", "approve", "r-4")),
        (18, decided("d-6", "approve", "cap/within-cap", "r-5", 18, 30)),
    ]
}

fn period() -> Period {
    Period { separation: BTreeSet::from(["separation".to_owned()]), ..Period::default() }
}

#[test]
fn decisions_locks_and_steps_are_counted_by_rule_policy_and_day() {
    let root = ledger(&lines());
    let figures = figures(root.path(), &period(), Timestamp::from_millis(19 * HOUR_MS)).unwrap();
    assert_eq!(figures.decisions, Counts { approved: 3, denied: 1, left: 1, locked: 1, ..Counts::default() });
    assert_eq!(figures.rules["cap/within-cap"].approved, 3);
    assert_eq!(figures.policies["separation"], Counts { denied: 1, locked: 1, ..Counts::default() });
    assert_eq!(figures.faults["slow"], 5);
    assert_eq!(figures.separation, Prevented { denied: 1, locked: 1, left: 0 });
    assert_eq!(figures.steps, Steps { done: 4, open: 1, ..Steps::default() });
    assert_eq!(figures.users, 1);
    assert_eq!(figures.days.values().copied().collect::<Vec<_>>(), [figures.decisions]);
}

#[test]
fn the_time_to_a_decision_is_from_the_making_of_the_request_to_what_is_in_force() {
    let root = ledger(&lines());
    let took = figures(root.path(), &period(), Timestamp::from_millis(19 * HOUR_MS)).unwrap().took.unwrap();
    // 2 hours, none, and 4 hours.
    assert_eq!(took, Took { count: 3, median_ms: 2 * HOUR_MS, ninth_decile_ms: 4 * HOUR_MS, max_ms: 4 * HOUR_MS });
    assert_eq!(Took::of(&[]), None);
    assert_eq!(Took::of(&[1, 2, 3, 4]).unwrap().median_ms, 2);
}

#[test]
fn hours_are_what_was_asked_given_and_held_without_being_locked() {
    let root = ledger(&lines());
    let figures = figures(root.path(), &period(), Timestamp::from_millis(19 * HOUR_MS)).unwrap();
    let hours = |ms: u64| ms / HOUR_MS;
    let Hours { asked_ms, given_ms, held_ms } = figures.hours;
    // r-1 from 9 to 20, r-2 from 12 to 18, r-3 from 15 to 16, r-4 from 13 to 30, r-5 from 18 to 30.
    assert_eq!(hours(asked_ms), 11 + 6 + 1 + 17 + 12);
    // r-1 since 11, locked since 14; r-4 since 17.
    assert_eq!((hours(given_ms), hours(held_ms)), (8 + 2, 3 + 2));
    let held: Vec<_> = figures.held.iter().map(|held| (held.request.as_str(), held.locked)).collect();
    assert_eq!(held, [("r-1", true), ("r-4", false)]);
}

#[test]
fn what_is_outside_of_the_time_does_not_count_and_access_from_before_does_from_then_on() {
    let root = ledger(&lines());
    let time = |hours: u64| Some(Time::from(Timestamp::from_millis(hours * HOUR_MS)));
    let period = Period { since: time(13), until: time(17), ..period() };
    let figures = figures(root.path(), &period, Timestamp::from_millis(40 * HOUR_MS)).unwrap();
    assert_eq!(figures.decisions, Counts { approved: 1, left: 1, locked: 1, ..Counts::default() });
    assert_eq!((figures.hours.given_ms, figures.hours.held_ms), (4 * HOUR_MS, HOUR_MS));
    assert_eq!(figures.held.len(), 1, "what came later is not known yet");
}

#[test]
fn what_happened_to_the_daemon_is_told_from_start_to_stop() {
    let line = |what: &str| format!(r#""kind":"lifecycle","what":"{what}","detail":"of {what}""#);
    let root = ledger(&[
        (1, line("started")),
        (2, line("identity-changed")),
        (3, line("breaker-tripped")),
        (4, line("stopped")),
        (5, line("started")),
        (6, line("overridden")),
    ]);
    let itself = itself(root.path(), &Period::default()).unwrap();
    assert_eq!(itself.runs.iter().map(|run| run.stopped.is_some()).collect::<Vec<_>>(), [true, false]);
    assert_eq!(itself.tripped.as_deref(), Some("of breaker-tripped"));
    assert_eq!(itself.happenings.len(), 3);
    assert_eq!(itself.counts["started"], 2);
}
