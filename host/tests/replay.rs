//! `tribunal replay`: what was decided is decided again, the same to the byte, or otherwise, and then it says what. It must
//! never need a daemon.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "past/kept.rs"]
mod kept;
#[path = "past/made.rs"]
mod made;
#[path = "past/native.rs"]
mod native;
#[path = "replay/oracle.rs"]
mod oracle;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tribunal::replay::{Against, Change, Fate, Flip, Progress, Report, replay};
use tribunal_core::opinion::{Fault, FaultKind, Mode, Opinion};
use tribunal_core::record::Decided;
use tribunal_ledger::Filter;

use kept::{decided, open, parts, write};
use made::{CAP, SEPARATION};
use native::Natives;

const DECISIONS: u64 = 400;

fn both() -> Natives {
    Natives::new().separation(SEPARATION).cap(CAP)
}

fn both_parts() -> tribunal_ledger::PanelParts {
    parts(&[("separation", SEPARATION), ("cap", CAP)])
}

/// A ledger of these decisions of the two reference policies.
async fn ledger(decisions: impl Iterator<Item = Decided>) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let (ledger, id) = open(root.path(), both_parts());
    write(&ledger, &id, decisions).await;
    drop(ledger);
    root
}

fn run(directory: &Path, against: &Against) -> Report {
    replay(directory, &Filter::default(), against, 2, &Progress::default()).unwrap()
}

fn cap_of(max: u64) -> Against {
    let settings = vec![("cap".to_owned(), "max-resources".to_owned(), Value::from(max))];
    Against::Changed(Change { settings, ..Change::default() })
}

fn tribunal(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tribunal")).args(arguments).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn every_decision_is_made_again_byte_for_byte_by_the_panel_that_made_it() {
    let root = tempfile::tempdir().unwrap();
    let (ledger, id) = open(root.path(), both_parts());
    let panel = both();
    write(&ledger, &id, (0..DECISIONS / 2).map(|number| decided(number, &panel))).await;
    // Another panel decides from here on; what was before stays what it was.
    let stricter = r#"{"max-resources":2,"order":"skip-fit"}"#;
    let id = ledger.store(parts(&[("cap", stricter)])).unwrap();
    let panel = Natives::new().cap(stricter);
    write(&ledger, &id, (DECISIONS / 2..DECISIONS).map(|number| decided(number, &panel))).await;
    drop(ledger);
    let report = run(root.path(), &Against::Recorded);
    assert_eq!(report.differences, []);
    assert_eq!((report.decisions, report.flips.len(), report.of_time), (DECISIONS, 0, 0));
    // Where nothing is held and nothing is pending, nobody was asked.
    assert!(report.remade > DECISIONS * 9 / 10 && report.remade + report.unasked == DECISIONS, "{report:?}");
    let output = tribunal(&["replay", root.path().to_str().unwrap(), "--json"]);
    assert_eq!((output.status.code(), &json(&output)["ok"]), (Some(0), &Value::from(true)));
}

#[tokio::test]
async fn an_answer_that_is_not_the_same_is_an_alarm_that_names_the_record() {
    let panel = both();
    let forged = (0..60).map(|number| {
        let mut decided = decided(number, &panel);
        if number == 41 {
            let said = decided
                .evaluations
                .iter_mut()
                .find(|said| matches!(said.answer, Ok(Opinion::Approve(_) | Opinion::Deny(_))));
            match &mut said.unwrap().answer {
                Ok(Opinion::Approve(ground)) => ground.reason.push('.'),
                Ok(Opinion::Deny(grounds)) => grounds[0].reason.push('.'),
                Ok(Opinion::Abstain | Opinion::Escalate(_)) | Err(_) => unreachable!(),
            }
        }
        decided
    });
    let root = ledger(forged).await;
    let report = run(root.path(), &Against::Recorded);
    let found: Vec<_> = report.differences.iter().map(|difference| difference.decision.as_deref()).collect();
    assert_eq!((found, report.differences_count), (vec![Some("18f3a-41")], 1));
    let output = tribunal(&["replay", root.path().to_str().unwrap()]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("record 42: policy `cap`"), "{told}");
}

#[tokio::test]
async fn the_backtest_of_an_identical_panel_is_empty() {
    let panel = both();
    let root = ledger((0..DECISIONS).map(|number| decided(number, &panel))).await;
    let config = root.path().join("same.toml");
    let text = r#"
        [teleport]
        address = "example.com:3025"
        identity-file = "identity"
        [[plugin]]
        name = "separation"
        source = "builtin:separation"
        settings = { classes = ["prod", "research"] }
        [[plugin]]
        name = "cap"
        source = "builtin:cap"
    "#;
    std::fs::write(&config, text).unwrap();
    let place = root.path().to_str().unwrap();
    let output = tribunal(&["replay", place, "--config", config.to_str().unwrap(), "--forbid", "any:any", "--json"]);
    let said = json(&output);
    assert_eq!((output.status.code(), &said["flips"]), (Some(0), &Value::from(Vec::<Value>::new())), "{said}");
    assert_eq!(run(root.path(), &cap_of(3)).flips, []);
    // Another protected role is another decision, whatever policies say.
    std::fs::write(&config, format!("[guard]\nprotected-roles = [\"node-access\"]\n{text}")).unwrap();
    let output = tribunal(&["replay", place, "--config", config.to_str().unwrap(), "--json"]);
    let said = json(&output);
    assert!(said["turns"]["approve->leave"].as_u64().unwrap() > 0, "{said}");
    assert_eq!(said["by_rule"].as_object().unwrap().keys().collect::<Vec<_>>(), ["guard/protected-role"]);
}

#[tokio::test]
async fn a_lower_cap_flips_exactly_what_an_oracle_says() {
    let root = tempfile::tempdir().unwrap();
    let (ledger, id) = open(root.path(), parts(&[("cap", CAP)]));
    let panel = Natives::new().cap(CAP);
    write(&ledger, &id, (0..DECISIONS).map(|number| decided(number, &panel))).await;
    drop(ledger);
    let report = run(root.path(), &cap_of(2));
    let found: Vec<(u64, String, Fate, Fate)> = report
        .flips
        .iter()
        .map(|Flip { seq, request, from, to, .. }| (*seq - 1, request.clone(), *from, *to))
        .collect();
    let expected = oracle::flips((0..DECISIONS).map(|number| decided(number, &panel)), 3, 2);
    assert!(expected.len() > 50, "too few to show anything: {}", expected.len());
    assert_eq!(found, expected);
    let turns: u64 = report.turns.values().sum();
    assert_eq!(usize::try_from(turns).unwrap(), found.len());
    for by in [&report.by_user, &report.by_rule] {
        let counted: u64 = by.values().flat_map(|turns| turns.values()).sum();
        assert!(counted >= turns, "{by:?}");
    }
}

#[tokio::test]
async fn faults_of_the_moment_are_counted_apart_and_flip_nothing() {
    let panel = both();
    let late = (0..40).map(|number| {
        let mut decided = decided(number, &panel);
        let fault = Fault::new(FaultKind::Deadline, "exceeded its deadline of 50 ms");
        if let Some(said) = decided.evaluations.first_mut() {
            said.answer = Err(fault);
            decided.decision = Some(tribunal_core::decision::combine(&decided.evaluations));
            decided.enforcements.clear();
        }
        decided
    });
    let root = ledger(late).await;
    let report = run(root.path(), &Against::Recorded);
    assert_eq!((report.differences, report.of_time > 30), (Vec::new(), true));
    let report = run(root.path(), &cap_of(1));
    assert!(report.flips.iter().all(|flip| matches!(flip.from, Fate::Lock | Fate::Keep)), "{:?}", report.turns);
}

#[tokio::test]
async fn what_is_forbidden_ends_with_1_and_names_the_requests() {
    let panel = both();
    let root = ledger((0..DECISIONS).map(|number| decided(number, &panel))).await;
    let place = root.path().to_str().unwrap();
    let set = ["replay", place, "--set", "cap.max-resources=2"];
    let code = |more: &[&str]| tribunal(&[&set[..], more].concat()).status.code();
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--forbid", "deny:approve"]), Some(0));
    assert_eq!(code(&["--forbid", "deny:approve", "--forbid", "approve->deny"]), Some(1));
    assert_eq!(code(&["--forbid", "keep:any"]), Some(1));
    assert_eq!(code(&["--forbid", "approve"]), Some(2));
    assert_eq!(code(&["--forbid", "yes:no"]), Some(2));
    assert_eq!(tribunal(&["replay", place, "--forbid", "any:any"]).status.code(), Some(1), "nothing is changed");
    let wrong = tribunal(&["replay", place, "--set", "cup.max-resources=2"]);
    let told = String::from_utf8(wrong.stderr).unwrap();
    assert!(wrong.status.code() == Some(1) && told.contains("no plugin `cup` to change"), "{told}");
    // Filters are those of `tribunal ledger list`.
    let output = tribunal(&["replay", place, "--verdict", "deny", "--json"]);
    let denials = (0..DECISIONS).map(|number| decided(number, &panel));
    let denials = denials.filter(|it| it.decision.as_ref().is_some_and(|it| it.verdict.as_str() == "deny")).count();
    assert_eq!(json(&output)["decisions"], Value::from(denials));
}

#[tokio::test]
async fn policies_in_shadow_mode_are_compared_as_if_they_counted() {
    let root = tempfile::tempdir().unwrap();
    let mut shadowed = both_parts();
    shadowed.policies[0].member.mode = Mode::Shadow;
    let (ledger, id) = open(root.path(), shadowed);
    let mut panel = both();
    panel.members[0].mode = Mode::Shadow;
    write(&ledger, &id, (0..DECISIONS).map(|number| decided(number, &panel))).await;
    drop(ledger);
    assert_eq!(run(root.path(), &Against::Recorded).differences, []);
    let report = run(root.path(), &Against::Changed(Change { shadows_count: true, ..Change::default() }));
    // What separation denies it would have denied; what the cap says stays what it was.
    let counting = both();
    for number in 0..DECISIONS {
        let (was, would_be) = (decided(number, &panel), decided(number, &counting));
        let verdict = |it: &Decided| it.request.as_ref().and(it.decision.as_ref()).map(|it| it.verdict);
        let flips: Vec<&Flip> = report.flips.iter().filter(|flip| flip.seq == number + 1).collect();
        let turned = flips.iter().any(|flip| !matches!(flip.from, Fate::Lock | Fate::Keep));
        assert_eq!(turned, verdict(&was) != verdict(&would_be), "{number}: {flips:?}");
    }
    assert!(report.by_rule.keys().any(|rule| rule.starts_with("separation/")), "{:?}", report.by_rule);
}
