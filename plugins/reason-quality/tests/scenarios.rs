//! The policy `reason-quality` on reasons that people give.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use tribunal_guest::prelude::*;
use tribunal_guest::testing::{case, configure, faults_of_description, faults_of_opinion, pending};
use tribunal_reason_quality::{ReasonQuality, SOMETHING_MISSING, TOO_FEW_WORDS, TOO_SHORT};

fn review(settings: &str, reason: &str) -> Opinion {
    let case = case("alice").request(pending("new").roles(["prod-db"]).reason(reason)).build();
    let opinion = configure::<ReasonQuality>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&ReasonQuality::describe(), &opinion), [""; 0]);
    opinion
}

fn rules(opinion: &Opinion) -> Vec<&str> {
    match opinion {
        Opinion::Deny(grounds) => grounds.iter().map(|ground| ground.rule.as_str()).collect(),
        Opinion::Abstain | Opinion::Approve(_) | Opinion::Escalate(_) => Vec::new(),
    }
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&ReasonQuality::describe()), [""; 0]);
}

#[test]
fn a_reason_that_says_something_is_left_to_other_policies() {
    for reason in ["restart billing workers", "OPS-42: disk full on web-1", "Speicher auf db-7 läuft voll"] {
        assert_eq!(review("{}", reason), abstain(), "{reason}");
    }
}

#[test]
fn what_says_nothing_is_denied_with_an_example() {
    for reason in [
        "",
        ".",
        "test",
        "please",
        "work work work work",
        "aaaaaaaaaaaaaaa bbbbbbbbb ccccccccc",
        "I need access asap please",
    ] {
        assert!(rules(&review("{}", reason)).contains(&TOO_FEW_WORDS), "{reason}");
    }
    let Opinion::Deny(grounds) = review("{}", "fix prod") else { unreachable!() };
    assert_eq!(
        grounds[0].reason,
        "The reason says too little: it has 2 words of its own, and 3 words are needed. Say what you are going to do, and why \
         now, such as: restart the billing workers on web-1, which are stuck since the deployment"
    );
    assert_eq!(grounds[1], ground(TOO_SHORT, "The reason is too short: it has 7 letters, and 12 letters are needed"));
}

#[test]
fn what_has_to_be_in_it_is_asked_for_by_name() {
    let settings =
        r#"{"required": [{"pattern": "service: *\\w+", "hint": "name the service, such as `service: billing`"}]}"#;
    assert_eq!(review(settings, "restart stuck workers, SERVICE: billing"), abstain());
    let reason = "The reason lacks something: name the service, such as `service: billing`";
    assert_eq!(review(settings, "restart stuck workers"), deny(SOMETHING_MISSING, reason));
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let settings = r#"{"required": [{"pattern": "x", "hint": "write x"}, {"pattern": "y", "hint": "write y"}]}"#;
    assert_eq!(rules(&review(settings, ".")), [TOO_FEW_WORDS, TOO_SHORT, SOMETHING_MISSING, SOMETHING_MISSING]);
    let escalating = r#"{"otherwise": "escalate", "min-words": 0, "min-letters": 2}"#;
    assert_eq!(
        review(escalating, "a"),
        escalate(TOO_SHORT, "The reason is too short: it has 1 letter, and 2 letters are needed")
    );
}

#[test]
fn others_may_be_brief_where_so_configured() {
    assert_eq!(review(r#"{"only": [{"roles": ["lab-*"]}]}"#, "."), abstain());
    assert_ne!(review(r#"{"only": [{"roles": ["prod-*"]}]}"#, "."), abstain());
}

#[test]
fn what_is_wrong_with_the_settings_is_told_all_at_once() {
    let settings = r#"{"required": [{"pattern": "(", "hint": "a"}, {"pattern": "a", "hint": " "}]}"#;
    assert_eq!(
        configure::<ReasonQuality>(settings).map(|_policy| ()).unwrap_err(),
        [
            "`required.0.pattern`: the pattern `(` is not a regular expression: unclosed group",
            "`required.1.hint` is empty: requesters could not know what is missing",
        ]
    );
    let many = vec![r#""x""#; 33].join(",");
    assert_eq!(
        configure::<ReasonQuality>(&format!(r#"{{"fillers": [{many}]}}"#)).map(|_policy| ()).unwrap_err(),
        ["`fillers` has 33 entries, more than the limit of 32"]
    );
}
