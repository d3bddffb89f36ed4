//! The policy `allow-rules` on cases that people care about.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use tribunal_allow_rules::{
    ALLOWED, AllowRules, CANNOT_TELL, LEFT_TO_PEOPLE, NO_RULE_FITS, NOT_ALLOWED, RULES_COUNT_MAX,
};
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, case, configure, faults_of_description, faults_of_opinion, pending, resource,
};

const HOUR_MS: u64 = 3_600_000;

const RULES: &str = r#"{"rules": [
    {"name": "nobody into the vault", "when": {"labels": {"zone": ["vault"]}, "kinds": ["db"]}, "then": "deny"},
    {"name": "staging for developers", "when": {"traits": {"team": ["dev"]}, "roles": ["staging-*"]}, "at-most": "8h", "then": "approve"},
    {"name": "production is looked at", "when": {"roles": ["prod-*"]}, "then": "escalate", "reason": "Production access is given by the owner of the service"}
]}"#;

fn review(settings: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<AllowRules>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&AllowRules::describe(), &opinion), [""; 0]);
    opinion
}

fn developer() -> CaseBuilder {
    case("alice").with_trait("team", ["dev"])
}

fn faults(settings: &str) -> Vec<String> {
    configure::<AllowRules>(settings).map(|_policy| ()).unwrap_err()
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&AllowRules::describe()), [""; 0]);
}

#[test]
fn what_a_rule_allows_is_approved_by_its_name() {
    let staging =
        developer().request(pending("new").roles(["staging-db"]).created(NOW_MS).expires(NOW_MS + 8 * HOUR_MS));
    assert_eq!(review(RULES, staging), approve(ALLOWED, "Approved by rule `staging for developers`"));
}

#[test]
fn no_rule_no_answer_unless_it_is_set() {
    let other = || developer().request(pending("new").roles(["lab-db"]).nodes(["lab"]));
    assert_eq!(review(RULES, other()), abstain());
    let otherwise = |word| format!(r#"{{"rules": [], "otherwise": "{word}"}}"#);
    assert_eq!(
        review(&otherwise("escalate"), other()),
        escalate(NO_RULE_FITS, "No rule says that this is approved automatically: people decide")
    );
    assert!(matches!(review(&otherwise("deny"), other()), Opinion::Deny(grounds) if grounds[0].rule == NO_RULE_FITS));
    assert_eq!(review(r#"{"rules": []}"#, other()), abstain());
}

#[test]
fn one_role_that_a_rule_does_not_name_is_enough_not_to_be_approved() {
    let both = developer().request(pending("new").roles(["staging-db", "editor"]).nodes(["a"]));
    assert_eq!(review(RULES, both), abstain());
}

/// Teleport's own rules approve a request without resources where only labels are asked for.
#[test]
fn a_rule_about_labels_never_approves_a_whole_role() {
    let rules =
        r#"{"rules": [{"name": "dev", "when": {"roles": ["*"], "labels": {"env": ["dev"]}}, "then": "approve"}]}"#;
    assert_eq!(review(rules, case("alice").request(pending("new").roles(["editor"]))), abstain());
    let dev = || resource("node", "a", [("env", "dev")]);
    assert!(matches!(review(rules, case("alice").request(pending("new").resources([dev()]))), Opinion::Approve(_)));
    let mixed = [dev(), resource("node", "b", [("env", "prod")])];
    assert_eq!(review(rules, case("alice").request(pending("new").resources(mixed))), abstain());
}

#[test]
fn some_of_it_is_enough_to_be_denied_or_left_to_people() {
    let vault = [resource("node", "a", []), resource("db", "keys", [("zone", "vault")])];
    let asked = developer().request(pending("new").roles(["staging-db"]).resources(vault));
    let denial = "Some of what is asked for is not allowed by rule `nobody into the vault`";
    assert_eq!(review(RULES, asked), deny(NOT_ALLOWED, denial));
    let production = developer().request(pending("new").roles(["prod-db", "lab-db"]).nodes(["a"]));
    let reason = "Production access is given by the owner of the service (rule `production is looked at`)";
    assert_eq!(review(RULES, production), escalate(LEFT_TO_PEOPLE, reason));
}

#[test]
fn what_could_not_be_seen_is_never_approved_and_never_denied() {
    let mut unread = resource("db", "x", []);
    unread.labels = None;
    let asked = developer().request(pending("new").roles(["staging-db"]).resources([unread]));
    assert!(matches!(review(RULES, asked), Opinion::Escalate(ground) if ground.rule == CANNOT_TELL));
    let unseen = case("alice").unseen_subject().request(pending("new").roles(["staging-db"]).nodes(["a"]));
    assert_eq!(review(RULES, unseen), abstain());
}

#[test]
fn access_that_is_too_long_or_without_end_does_not_fit() {
    let lasting = |ms| pending("new").roles(["staging-db"]).nodes(["a"]).created(NOW_MS).expires(NOW_MS + ms);
    // Teleport counts from a moment after the creation.
    assert!(matches!(review(RULES, developer().request(lasting(8 * HOUR_MS + 60_000))), Opinion::Approve(_)));
    assert_eq!(review(RULES, developer().request(lasting(8 * HOUR_MS + 60_001))), abstain());
    assert_eq!(review(RULES, developer().request(pending("new").roles(["staging-db"]).nodes(["a"]))), abstain());
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = |first: &str, second: &str| {
        let rule = |then: &str| format!(r#"{{"name": "{then}", "when": {{"roles": ["a"]}}, "then": "{then}"}}"#);
        format!(r#"{{"rules": [{}, {}]}}"#, rule(first), rule(second))
    };
    let asked = || case("alice").request(pending("new").roles(["a"]));
    assert!(matches!(review(&rules("approve", "deny"), asked()), Opinion::Approve(_)));
    assert!(matches!(review(&rules("deny", "approve"), asked()), Opinion::Deny(_)));
    assert!(matches!(review(&rules("escalate", "deny"), asked()), Opinion::Escalate(_)));
}

#[test]
fn what_is_wrong_is_told_all_at_once() {
    let rules = r#"{"rules": [
        {"name": "", "when": {"users": ["alice"]}, "then": "approve"},
        {"name": "b", "when": {"roles": [""]}, "at-most": "8h", "then": "deny"}
    ]}"#;
    assert_eq!(
        faults(rules),
        [
            "`rules.0.name` has to have 1 to 200 bytes: reasons name the rule",
            "`rules.0.when.roles` is missing: a rule that approves names the roles, with `[\"*\"]` for any",
            "`rules.1.when.roles`: the pattern `` is empty: it would match everything or nothing",
            "`rules.1.at-most` is for rules that approve: the policy `duration` limits how long access lasts",
        ]
    );
    assert_eq!(faults("{}"), ["`rules` is missing"]);
    let long = r#"{"rules": [{"name": "a", "at-most": "8 hours", "then": "deny"}]}"#;
    assert_eq!(
        faults(long),
        ["`rules.0.at-most`: `8 hours` is no length of time: write it like `8h`, `1d12h`, `90m` or `45s`"]
    );
    let rule = r#"{"name": "a", "then": "deny"}"#;
    let many = format!(r#"{{"rules": [{}]}}"#, vec![rule; RULES_COUNT_MAX + 1].join(","));
    assert_eq!(faults(&many), ["`rules` has 201 rules, more than the limit of 200"]);
}
