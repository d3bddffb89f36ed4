//! Cases out of chance, and how they get smaller.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::*;
use crate::workbench::case::parse;
use crate::workbench::syntax::Syntax;

fn words() -> Words {
    let settings = json!({ "classes": { "prod": { "roles": ["prod-*"] } }, "n": 3 });
    Words::new(settings.as_object().unwrap(), &[("on-call".to_owned(), "[\"bob\"]".to_owned())])
}

fn made(seed: u64, number: u64) -> Case {
    make::case(&mut Chance::new(seed, number), &words())
}

#[test]
fn a_seed_gives_the_same_cases_again_and_another_gives_others() {
    let cases = |seed| (0..50).map(|number| made(seed, number)).collect::<Vec<_>>();
    assert_eq!(cases(1), cases(1));
    assert_ne!(cases(1), cases(2));
    let first = cases(1);
    assert!(first.iter().any(|case| case.requests.len() > 3) && first.iter().any(|case| !case.facts.is_empty()));
    let text = format!("{first:?}");
    assert!(text.contains("prod-x") && text.contains("Promoted") && text.contains("labels: None"));
}

#[test]
fn a_case_is_as_the_daemon_shows_it_oldest_first_each_id_once() {
    for number in 0..300 {
        let case = made(7, number);
        let keys: Vec<_> = case.requests.iter().map(|entry| entry.request.age_key()).collect();
        assert!(keys.windows(2).all(|two| matches!(two, [a, b] if a < b)), "{keys:?}");
        assert!(case.requests.iter().all(|entry| entry.request.user == case.subject.name));
        assert!(case.requests.iter().all(|entry| !entry.request.is_over(case.now)));
    }
}

/// What is written down is what was shown, whatever that was.
#[test]
fn every_case_can_be_written_short_and_read_again() {
    for number in 0..300 {
        let case = made(11, number);
        let text = toml::to_string(&short(&case)).unwrap();
        let read = parse(&text, Syntax::Toml).unwrap_or_else(|why| panic!("case {number}: {why}\n{text}"));
        assert_eq!(read, case, "case {number}:\n{text}");
    }
}

#[test]
fn a_case_shrinks_to_what_shows_it() {
    let shows = |case: &Case| case.requests.iter().any(|entry| !entry.request.reason.is_empty());
    let large = (0..100).map(|number| made(3, number)).find(|case| case.requests.len() > 4 && shows(case)).unwrap();
    let small = shrink::shrink(large, shows);
    assert_eq!((small.requests.len(), small.facts.len()), (1, 0));
    let request = &small.requests.first().unwrap().request;
    assert!(!request.reason.is_empty() && request.resources.is_empty() && request.roles.is_empty());
}

#[test]
fn a_finding_is_a_suite() {
    let case = parse("asks = [\"a\", \"b\"]", Syntax::Toml).unwrap();
    let question = Question::Review(RequestId::new("b"));
    let detail = "one\ntwo".to_owned();
    let finding = Finding { wrong: Wrong::Contradicts, question, detail, case, number: 4 };
    let settings = json!({ "max": 3 });
    let dir = tempfile::tempdir().unwrap();
    let path = finding.write(dir.path(), "builtin:cap", settings.as_object().unwrap(), 9).unwrap();
    let suite = crate::workbench::suite::Suite::read(&path).unwrap();
    assert_eq!((suite.plugin.as_deref(), suite.cases.len()), (Some("builtin:cap"), 1));
    let (name, form) = suite.cases.first().unwrap();
    assert_eq!((name.as_str(), form.request.as_deref()), ("contradicts in review of `b`", Some("b")));
    assert_eq!(form.build(&suite.shared).unwrap(), finding.case);
}
