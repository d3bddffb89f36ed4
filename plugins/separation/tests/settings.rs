//! The settings of the policy `separation`: what they mean, and what is refused.
//! It must never accept a table that would separate nothing without a word.

#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_guest::prelude::*;
use tribunal_guest::testing::{case, configure, pending};
use tribunal_separation::{CLASSES_COUNT_MAX, PATTERNS_COUNT_MAX, Separation, rules};

fn faults(settings: &str) -> Vec<String> {
    configure::<Separation>(settings).map(|_policy| ()).unwrap_err()
}

fn mixes(settings: &str, roles: [&str; 2]) -> bool {
    let case = case("alice").request(pending("new").roles(roles)).build();
    let opinion = configure::<Separation>(settings).unwrap().review(&case, case.find("new").unwrap());
    matches!(opinion, Opinion::Deny(grounds) if grounds.iter().any(|ground| ground.rule == rules::REQUEST_MIXES_CLASSES))
}

fn overlap(place: &str, first: &str, second: &str) -> String {
    format!(
        "{place}: the patterns `{first}` and `{second}` overlap, so one name could be in both classes; make them \
         narrower or drop one"
    )
}

#[test]
fn words_are_found_anywhere_ignoring_case() {
    let words = r#"{"classes": ["prod", "research"]}"#;
    assert!(mixes(words, ["my-PROD-db", "Research"]));
    // Watcher H7c: the Go program's form finds words inside of others.
    assert!(mixes(words, ["product-catalog", "research-ro"]));
    assert!(mixes(words, ["non-prod", "research-ro"]));
    assert!(!mixes(words, ["production", "prod"]));
}

#[test]
fn words_may_be_regular_expressions() {
    // Watcher H32: a comma is part of a pattern here.
    let settings = r#"{"classes": ["prod-\\d{1,3}$", "^lab-"]}"#;
    assert!(mixes(settings, ["prod-12", "lab-1"]));
    assert!(!mixes(settings, ["prod-1234", "lab-1"]));
}

#[test]
fn h7c_named_classes_match_whole_names() {
    let settings = r#"{"classes": {"prod": {"roles": ["prod-*"]}, "research": {"roles": ["research-*"]}}}"#;
    assert!(mixes(settings, ["prod-a", "research-a"]));
    assert!(!mixes(settings, ["product-catalog", "research-ro"]));
    assert!(!mixes(settings, ["non-prod-a", "research-ro"]));
    assert!(!mixes(settings, ["Prod-a", "research-ro"]));
}

#[test]
fn h7a_overlapping_words_are_refused() {
    assert_eq!(
        faults(r#"{"classes": ["prod", "production", "research"]}"#),
        [overlap("`classes`", "prod", "production")]
    );
}

#[test]
fn h7b_duplicate_words_are_refused() {
    assert_eq!(faults(r#"{"classes": ["prod", "prod"]}"#), [overlap("`classes`", "prod", "prod")]);
    assert_eq!(faults(r#"{"classes": ["prod", "PROD"]}"#), [overlap("`classes`", "prod", "PROD")]);
    assert_eq!(faults(r#"{"classes": ["prod-\\d", "prod-\\d"]}"#), [overlap("`classes`", r"prod-\d", r"prod-\d")]);
    assert_eq!(faults(r#"{"classes": [".*", "prod"]}"#), [overlap("`classes`", ".*", "prod")]);
}

#[test]
fn overlapping_globs_and_labels_are_refused() {
    let settings = r#"{"classes": {
        "a": {"roles": ["prod-*", "x"], "labels": ["env=p*", "team=a"]},
        "b": {"roles": ["*-research", "y"], "labels": ["env=prod", "zone=a"]}
    }}"#;
    assert_eq!(
        faults(settings),
        [
            overlap("`classes.a.roles` and `classes.b.roles`", "prod-*", "*-research"),
            overlap("`classes.a.labels` and `classes.b.labels`", "env=p*", "env=prod"),
        ]
    );
}

#[test]
fn patterns_of_one_class_may_overlap() {
    let settings = r#"{"classes": {"a": {"roles": ["prod-*", "prod-a"]}, "b": {"roles": ["lab-*"]}}}"#;
    assert!(configure::<Separation>(settings).is_ok());
}

#[test]
fn fewer_than_two_classes_are_refused() {
    for (settings, count) in [
        (r#"{"classes": []}"#, 0),
        (r#"{"classes": ["prod"]}"#, 1),
        (r#"{"classes": {}}"#, 0),
        (r#"{"classes": {"prod": {"roles": ["prod-*"]}}}"#, 1),
    ] {
        let expected = format!("`classes` needs at least two classes, not {count}: one alone conflicts with nothing");
        assert_eq!(faults(settings), [expected]);
    }
}

#[test]
fn all_faults_are_told_at_once() {
    let settings = r#"{"classes": {
        "": {"roles": ["z"]},
        "empty": {},
        "prod": {"roles": ["prod-*", ""], "labels": ["env", "=x", "e*=x", "env="]},
        "research": {"roles": ["prod-a"]}
    }}"#;
    assert_eq!(
        faults(settings),
        [
            "`classes` has a class without a name: reasons could not say which it is",
            "`classes.empty` has neither `roles` nor `labels`: nothing would belong to it",
            "`classes.prod.roles`: the pattern `` is empty: it would match everything or nothing",
            "`classes.prod.labels`: the pattern `env` has no `=`: write it as `key=value`",
            "`classes.prod.labels`: the pattern `=x` has no key before `=`: write it as `key=value`",
            "`classes.prod.labels`: the pattern `e*=x` has a wildcard in its key: only the value may have them",
            "`classes.prod.labels`: the pattern `env=` is empty: it would match everything or nothing",
            &overlap("`classes.prod.roles` and `classes.research.roles`", "prod-*", "prod-a"),
        ]
    );
}

#[test]
fn what_cannot_be_read_names_its_key() {
    assert_eq!(faults("{}"), ["`classes` is missing"]);
    assert_eq!(
        faults(r#"{"classes": 3, "conflict": "newest", "clases": []}"#),
        [
            "`clases`: unknown key: expected one of `classes`, `conflict`, `standing-roles`, `when-compliant`",
            "`classes`: invalid type: integer `3`, expected a list of patterns, or a table of classes",
            "`conflict`: unknown variant `newest`, expected one of `newest-wins`, `oldest-wins`, `escalate`",
        ]
    );
    assert_eq!(faults(r#"{"classes": ["a", 1]}"#), ["`classes.1`: invalid type: integer `1`, expected a string"]);
    assert_eq!(
        faults(r#"{"classes": {"a": {"role": ["x"]}, "b": {"roles": ["y"]}}}"#),
        ["`classes.a.role`: unknown key: expected `roles` or `labels`"]
    );
}

#[test]
fn an_invalid_expression_is_refused_with_its_cause() {
    assert_eq!(
        faults(r#"{"classes": ["prod(", "research"]}"#),
        ["`classes`: the pattern `prod(` is not a regular expression: unclosed group"]
    );
}

#[test]
fn numbers_of_classes_and_patterns_have_limits() {
    let words = |count: usize| {
        let words: Vec<String> = (0..count).map(|n| format!("\"class-{n:04}\"")).collect();
        format!(r#"{{"classes": [{}]}}"#, words.join(","))
    };
    assert!(configure::<Separation>(&words(CLASSES_COUNT_MAX)).is_ok());
    assert_eq!(faults(&words(CLASSES_COUNT_MAX + 1)), ["`classes` has 65 classes, more than the limit of 64"]);

    let globs = |count: usize| {
        let roles: Vec<String> = (1..count).map(|n| format!("\"prod-{n}\"")).collect();
        format!(r#"{{"classes": {{"prod": {{"roles": [{}]}}, "lab": {{"roles": ["lab-*"]}}}}}}"#, roles.join(","))
    };
    assert!(configure::<Separation>(&globs(PATTERNS_COUNT_MAX)).is_ok());
    assert_eq!(faults(&globs(PATTERNS_COUNT_MAX + 1)), ["`classes` has 257 patterns, more than the limit of 256"]);
}

#[test]
fn the_schema_describes_both_forms() {
    let schema = tribunal_guest::runtime::describe::<Separation>().settings_schema;
    for part in ["\"classes\"", "\"newest-wins\"", "\"standing-roles\"", "\"required\":[\"classes\"]", "\"labels\""] {
        assert!(schema.contains(part), "{part} in {schema}");
    }
}
