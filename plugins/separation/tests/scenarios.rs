//! The policy `separation` on cases that people care about.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_guest::log::Level;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, case, configure, faults_of_description, faults_of_opinion, faults_of_orders, held, logs, node,
    pending, promoted, resource,
};
use tribunal_separation::{Separation, rules};

/// The form of the Go program.
const WORDS: &str = r#"{"classes": ["prod", "research"]}"#;
const OLDEST_WINS: &str = r#"{"classes": ["prod", "research"], "conflict": "oldest-wins"}"#;
const ESCALATE: &str = r#"{"classes": ["prod", "research"], "conflict": "escalate"}"#;
const NAMED: &str = r#"{"classes": {
    "prod": {"roles": ["prod-*"], "labels": ["env=prod", "env=prod-*"]},
    "research": {"roles": ["research-*"], "labels": ["env=research"]}
}}"#;
const MULTI: &str =
    "Multi-request environment conflict: user has conflicting access across requests (prod vs research)";

fn review(settings: &str, case: CaseBuilder, request: &str) -> Opinion {
    let case = case.build();
    let opinion = configure::<Separation>(settings).unwrap().review(&case, case.find(request).unwrap());
    assert_eq!(faults_of_opinion(&Separation::describe(), &opinion), [""; 0]);
    opinion
}

fn orders(settings: &str, case: CaseBuilder) -> Vec<LockOrder> {
    let case = case.build();
    let orders = configure::<Separation>(settings).unwrap().enforce(&case);
    assert_eq!(faults_of_orders(&Separation::describe(), &case, &orders), [""; 0]);
    orders
}

fn locked(settings: &str, case: CaseBuilder) -> Vec<String> {
    orders(settings, case).into_iter().map(|order| order.request).collect()
}

fn rule_of(opinion: Opinion) -> Vec<String> {
    match opinion {
        Opinion::Abstain => vec!["abstain".to_owned()],
        Opinion::Approve(ground) | Opinion::Escalate(ground) => vec![ground.rule],
        Opinion::Deny(grounds) => grounds.into_iter().map(|ground| ground.rule).collect(),
    }
}

fn switcher() -> CaseBuilder {
    case("switcher").request(held("old").roles(["prod-admin"])).request(pending("new").roles(["research-ro"]))
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Separation::describe()), [""; 0]);
}

#[test]
fn a_request_for_two_classes_is_denied_with_its_roles_in_order() {
    // Watcher H45: the same text whatever the order of the roles.
    for roles in [["research-ro", "prod-b", "prod-a", "other"], ["prod-a", "other", "prod-b", "research-ro"]] {
        let case = case("straddler").request(pending("both").roles(roles));
        let reason = "Request contains conflicting environments - prod: [prod-a prod-b], research: [research-ro]";
        assert_eq!(review(WORDS, case, "both"), deny(rules::REQUEST_MIXES_CLASSES, reason));
    }
}

#[test]
fn a_request_that_conflicts_with_nothing_is_left_to_others() {
    assert_eq!(review(WORDS, case("alice").request(pending("new").roles(["prod-admin"])), "new"), abstain());
    let approving = r#"{"classes": ["prod", "research"], "when-compliant": "approve"}"#;
    assert_eq!(
        review(approving, case("alice").request(pending("new").roles(["prod-admin"])), "new"),
        approve(rules::CLASSES_SEPARATE, "Auto-approved: complies with access policies")
    );
}

#[test]
fn the_older_request_gives_way_to_the_newer() {
    assert_eq!(review(WORDS, switcher(), "new"), abstain());
    let both = case("switcher").request(held("old").roles(["prod-admin"])).request(held("new").roles(["research-ro"]));
    assert_eq!(orders(WORDS, both), [lock("old", rules::HELD_CONFLICT, MULTI)]);
}

#[test]
fn a_held_request_of_two_classes_is_locked_in_every_mode() {
    let reason = "Single request contains conflicting roles: prod: [prod-a], research: [research-ro]";
    for settings in [WORDS, OLDEST_WINS, ESCALATE] {
        let case = case("alice")
            .request(held("both").roles(["research-ro", "prod-a"]))
            .request(held("prod").roles(["prod-b"]))
            .request(held("other").roles(["dev"]));
        // It is gone, so it costs nobody else a place.
        assert_eq!(orders(settings, case), [lock("both", rules::HELD_MIXES_CLASSES, reason)]);
    }
}

#[test]
fn where_the_oldest_wins_the_new_request_is_denied() {
    let reason = "Request conflicts with held request old, which does not give way (prod vs research) - \
                  prod: [prod-admin]";
    assert_eq!(review(OLDEST_WINS, switcher(), "new"), deny(rules::CONFLICTS_WITH_HELD, reason));
    let both = case("alice").request(held("old").roles(["prod-admin"])).request(held("new").roles(["research-ro"]));
    assert_eq!(locked(OLDEST_WINS, both), ["new"]);
}

#[test]
fn where_people_decide_nothing_is_locked_but_told() {
    let reason = "Request conflicts with held request old, of which people decide (prod vs research) - \
                  prod: [prod-admin]";
    assert_eq!(review(ESCALATE, switcher(), "new"), escalate(rules::CONFLICTS_WITH_HELD, reason));
    let _earlier = logs();
    let both = case("alice").request(held("old").roles(["prod-admin"])).request(held("new").roles(["research-ro"]));
    assert_eq!(locked(ESCALATE, both), [""; 0]);
    let warning = "conflicting access stays, because none of it may be locked: prod vs research".to_owned();
    assert_eq!(logs(), [(Level::Warn, warning)]);
}

#[test]
fn a_request_older_than_what_it_conflicts_with_is_left_to_people() {
    let case = case("alice").request(pending("old").roles(["prod-a"])).request(held("new").roles(["research-ro"]));
    assert_eq!(rule_of(review(WORDS, case, "old")), [rules::CONFLICTS_WITH_HELD]);
}

/// Watcher H8.
#[test]
fn h8_only_what_conflicts_with_the_kept_class_is_locked() {
    let case = ["prod-a", "research-x", "prod-b", "prod-c"]
        .iter()
        .fold(case("alice"), |case, role| case.request(held(role).roles([*role])));
    assert_eq!(locked(WORDS, case.clone()), ["research-x"]);
    assert_eq!(locked(OLDEST_WINS, case), ["research-x"]);
}

/// Watcher H9.
#[test]
fn h9_what_gives_no_access_conflicts_with_nothing() {
    let closed = [
        held("prod").roles(["prod-a"]).locked("jit-watcher-prod"),
        held("prod").roles(["prod-a"]).expires(NOW_MS),
        held("prod").roles(["prod-a"]).starts(NOW_MS + 1),
    ];
    for prod in closed {
        let case = case("alice")
            .request(prod)
            .request(held("research-a").roles(["research-a"]))
            .request(pending("research-b").roles(["research-b"]));
        assert_eq!(locked(WORDS, case.clone()), [""; 0]);
        assert_eq!(review(OLDEST_WINS, case, "research-b"), abstain());
    }
}

/// Watcher H16 (the other ground is the cap's).
#[test]
fn h16_all_violated_rules_are_listed_in_order() {
    let case = case("alice")
        .standing_roles(["prod-ro"])
        .request(held("held").roles(["prod-a"]))
        .request(pending("new").roles(["research-ro", "prod-b"]));
    assert_eq!(
        rule_of(review(OLDEST_WINS, case, "new")),
        [rules::REQUEST_MIXES_CLASSES, rules::CONFLICTS_WITH_STANDING, rules::CONFLICTS_WITH_HELD]
    );
}

/// Watcher H19.
#[test]
fn h19_standing_roles_count_when_known() {
    let new = || pending("new").roles(["research-ro"]);
    let standing = || case("alice").standing_roles(["access", "prod-ro"]).request(new());
    let reason = "Request conflicts with standing roles `prod-ro` (prod vs research)";
    assert_eq!(review(WORDS, standing(), "new"), deny(rules::CONFLICTS_WITH_STANDING, reason));
    assert_eq!(review(OLDEST_WINS, standing(), "new"), deny(rules::CONFLICTS_WITH_STANDING, reason));
    assert_eq!(review(ESCALATE, standing(), "new"), escalate(rules::CONFLICTS_WITH_STANDING, reason));
    assert_eq!(review(WORDS, case("alice").unseen_subject().request(new()), "new"), abstain());
    let ignored = r#"{"classes": ["prod", "research"], "standing-roles": "ignore"}"#;
    assert_eq!(review(ignored, standing(), "new"), abstain());
}

#[test]
fn held_access_that_conflicts_with_a_standing_role_is_locked() {
    let case = || {
        case("alice")
            .standing_roles(["prod-ro"])
            .request(held("research").roles(["research-ro"]))
            .request(held("prod").roles(["prod-a"]))
    };
    let reason = "Environment conflict: user has conflicting standing roles `prod-ro` (prod vs research)";
    assert_eq!(orders(WORDS, case()), [lock("research", rules::CONFLICTS_WITH_STANDING, reason)]);
    assert_eq!(locked(ESCALATE, case()), [""; 0]);
}

/// Watcher H24.
#[test]
fn h24_one_role_for_both_environments_is_told_apart_by_labels() {
    let database = |name, env| resource("db", name, [("env", env)]);
    let case = || {
        case("alice")
            .request(held("old").roles(["engineer"]).resources([database("p1", "prod-eu")]))
            .request(held("new").roles(["engineer"]).resources([database("r1", "research")]))
            .request(
                pending("both").roles(["engineer"]).resources([database("p2", "prod"), database("r2", "research")]),
            )
    };
    assert_eq!(orders(NAMED, case()), [lock("old", rules::HELD_CONFLICT, MULTI)]);
    let reason = "Request contains conflicting environments - prod: [/root/db/p2], research: [/root/db/r2]";
    assert_eq!(review(NAMED, case(), "both"), deny(rules::REQUEST_MIXES_CLASSES, reason));
    assert_eq!(review(WORDS, case(), "both"), abstain());
}

#[test]
fn a_resource_of_unread_labels_is_left_to_people() {
    let unread = || {
        let mut resource = node("n1");
        resource.labels = None;
        resource
    };
    let reason = "The labels of a requested resource could not be read, so its class is not known";
    let asks = case("alice").request(pending("new").roles(["engineer"]).resources([unread()]));
    assert_eq!(review(NAMED, asks.clone(), "new"), escalate(rules::LABELS_UNKNOWN, reason));
    assert_eq!(review(WORDS, asks, "new"), abstain());

    let holds = |role| {
        case("alice")
            .request(held("dark").roles(["engineer"]).resources([unread()]))
            .request(pending("new").roles([role]))
    };
    let reason = "The labels of a resource of held request dark could not be read, so its class is not known";
    assert_eq!(review(NAMED, holds("prod-a"), "new"), escalate(rules::LABELS_UNKNOWN, reason));
    assert_eq!(review(NAMED, holds("other"), "new"), abstain());
    assert_eq!(locked(NAMED, holds("prod-a").request(held("prod").roles(["prod-b"]))), [""; 0]);
}

#[test]
fn a_denial_outweighs_what_is_unsure() {
    let mut dark = node("n1");
    dark.labels = None;
    let case = case("alice").request(pending("new").roles(["prod-a", "research-a"]).resources([dark]));
    assert_eq!(rule_of(review(NAMED, case, "new")), [rules::REQUEST_MIXES_CLASSES]);
}

/// Watcher H4.
#[test]
fn h4_exempt_access_is_never_locked_and_never_joined_without_people() {
    let exempt = || held("exception").roles(["prod-a"]).exempt("human-approved");
    for settings in [WORDS, OLDEST_WINS, ESCALATE] {
        let case = case("alice").request(exempt()).request(pending("new").roles(["research-ro"]));
        assert_eq!(rule_of(review(settings, case, "new")), [rules::CONFLICTS_WITH_EXEMPT]);
    }
    let mixed = held("both").roles(["prod-a", "research-a"]).exempt("human-approved");
    assert_eq!(locked(WORDS, case("alice").request(mixed)), [""; 0]);
    // What is not exempt gives way to it, whichever is older.
    let research = || held("research").roles(["research-ro"]);
    assert_eq!(locked(WORDS, case("alice").request(exempt()).request(research())), ["research"]);
    assert_eq!(locked(OLDEST_WINS, case("alice").request(research()).request(exempt())), ["research"]);
}

/// Watcher H18.
#[test]
fn h18_promoted_access_is_never_joined_without_people() {
    let case =
        case("alice").request(promoted("permanent").roles(["prod-a"])).request(pending("new").roles(["research-ro"]));
    assert_eq!(rule_of(review(WORDS, case, "new")), [rules::CONFLICTS_WITH_EXEMPT]);
}

/// Watcher H27.
#[test]
fn h27_equal_ages_are_decided_by_id() {
    for ids in [["a", "b"], ["b", "a"]] {
        let case = ids.iter().fold(case("alice"), |case, id| {
            case.request(held(id).roles([if *id == "a" { "prod-a" } else { "research-a" }]).created(NOW_MS))
        });
        assert_eq!(locked(WORDS, case), ["a"]);
    }
}

/// Watcher H13.
#[test]
fn h13_nothing_stays_locked_once_the_other_has_expired() {
    let at = |now| {
        case("alice")
            .now(now)
            .request(held("prod").roles(["prod-a"]).created(NOW_MS - 2))
            .request(held("research").roles(["research-a"]).created(NOW_MS - 1).expires(NOW_MS + 60_000))
    };
    assert_eq!(locked(WORDS, at(NOW_MS)), ["prod"]);
    assert_eq!(locked(WORDS, at(NOW_MS + 60_000)), [""; 0]);
}

#[test]
fn of_three_classes_each_two_conflict() {
    let settings = r#"{"classes": ["prod", "research", "finance"]}"#;
    let case = ["prod-a", "finance-a", "research-a"]
        .iter()
        .fold(case("alice"), |case, role| case.request(held(role).roles([*role])));
    let reasons: Vec<String> = orders(settings, case).into_iter().map(|order| order.ground.reason).collect();
    assert_eq!(
        reasons,
        [MULTI.to_owned(), MULTI.replace("prod vs research", "research vs finance")],
        "each names its own classes"
    );
}

#[test]
fn many_names_are_counted_instead_of_listed() {
    let roles: Vec<String> = (0..25).map(|n| format!("prod-{n:02}")).chain(["research-ro".to_owned()]).collect();
    let case = case("alice").request(pending("new").roles(roles.iter().map(String::as_str)));
    let Opinion::Deny(grounds) = review(WORDS, case, "new") else { unreachable!("it mixes classes") };
    assert!(grounds.iter().any(|ground| ground.reason.contains("prod-19 and 5 more], research: [research-ro]")));
}
