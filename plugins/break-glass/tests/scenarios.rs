//! The policy `break-glass` on emergencies, and on what is none.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tribunal_break_glass::{BreakGlass, GLASS_BROKEN, NOT_ENTITLED};
use tribunal_guest::log::Level;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, RequestBuilder, case, configure, faults_of_description, faults_of_opinion, logs, pending,
};

const HOUR_MS: u64 = 3_600_000;
const SRE: &str = r#"{"allow": {"traits": {"team": ["sre"]}, "roles": ["prod-*"]}}"#;
const ON_CALL: &str = r#"{"allow": {"users": ["*"], "roles": ["prod-*"]}, "on-call": "on-call"}"#;

fn review(settings: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<BreakGlass>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&BreakGlass::describe(), &opinion), [""; 0]);
    opinion
}

fn sre() -> CaseBuilder {
    case("alice").with_trait("team", ["sre"])
}

fn emergency() -> RequestBuilder {
    pending("new").roles(["prod-db"]).reason("BREAK-GLASS: database down").created(NOW_MS).expires(NOW_MS + HOUR_MS)
}

/// Why it is not approved.
fn why(opinion: &Opinion) -> &str {
    match opinion {
        Opinion::Escalate(ground) if ground.rule == NOT_ENTITLED => &ground.reason,
        Opinion::Abstain | Opinion::Approve(_) | Opinion::Deny(_) | Opinion::Escalate(_) => "",
    }
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&BreakGlass::describe()), [""; 0]);
}

#[test]
fn whoever_may_is_let_in_at_once_and_not_in_silence() {
    let reason = "BREAK-GLASS: emergency access for `alice` until 2026-01-01 13:00 UTC. This is on record and will be looked at: \
                  write down what you do";
    assert_eq!(review(SRE, sre().request(emergency())), approve(GLASS_BROKEN, reason));
    assert_eq!(logs(), [(Level::Warn, "`alice` breaks the glass: request new".to_owned())]);
}

#[test]
fn what_is_not_marked_is_left_to_others() {
    assert_eq!(review(SRE, sre().request(emergency().reason("database down"))), abstain());
    assert_eq!(logs(), []);
}

#[test]
fn whoever_may_not_is_left_to_people_and_told_why() {
    let elsewhere = "the emergency path is not for this user, or not for all that is asked for";
    let told = |why: &str| format!("The reason says BREAK-GLASS, and {why}: people decide, or ask again without it");
    for (case, expected) in [
        (case("bob").request(emergency()), elsewhere),
        (sre().request(emergency().roles(["prod-db", "editor"])), elsewhere),
        (
            case("alice").unseen_subject().request(emergency()),
            "whether the emergency path is for this could not be seen",
        ),
        (
            sre().request(emergency().expires(NOW_MS + 2 * HOUR_MS)),
            "in an emergency access may last 1 h, and 2 h are asked for",
        ),
        (sre().request(emergency().starts(NOW_MS + 1)), "access that starts later is no emergency"),
        (
            sre().request(pending("new").roles(["prod-db"]).reason("break-glass")),
            "when the access would end is not known, and in an emergency it may last 1 h",
        ),
    ] {
        assert_eq!(why(&review(SRE, case)), told(expected));
        assert_eq!(logs().len(), 1);
    }
    let quiet = r#"{"allow": {"users": ["alice"], "roles": ["prod-*"]}, "otherwise": "abstain"}"#;
    assert_eq!(review(quiet, case("bob").request(emergency())), abstain());
}

#[test]
fn whoever_is_on_call_is_known_by_a_fact() {
    let on = |json: &str| review(ON_CALL, case("alice").fact("on-call", json).request(emergency()));
    for yes in [
        r#"["bob", "alice"]"#,
        r#"{"alice": {}}"#,
        r#"{"bob": "odd", "alice": {"from": "2026-01-01T12:00:00Z", "until": "2026-01-01T12:00:01Z"}}"#,
        r#"{"alice": [{"until": "2025-12-01T00:00:00Z"}, {"from": "2026-01-01T00:00:00Z"}]}"#,
    ] {
        assert!(matches!(on(yes), Opinion::Approve(_)), "{yes}");
    }
    for no in [
        "[]",
        r#"["Alice"]"#,
        "{}",
        r#"{"alice": []}"#,
        r#"{"alice": {"until": "2026-01-01T12:00:00Z"}}"#,
        r#"{"alice": {"from": "2026-01-01T12:00:01Z"}}"#,
    ] {
        assert!(why(&on(no)).contains("the requester is not on call now"), "{no}");
    }
}

#[test]
fn a_missing_stale_or_damaged_fact_lets_nobody_in() {
    let case_of = |json: &str| case("alice").fact("on-call", json).request(emergency());
    for damaged in [
        "null",
        "",
        "7",
        r#"["alice""#,
        r#"{"alice": true}"#,
        r#"{"alice": {"till": ""}}"#,
        r#"{"alice": {}, "alice": {}}"#,
        r#"{"alice": {"from": "now"}}"#,
    ] {
        assert!(why(&review(ON_CALL, case_of(damaged))).contains("who is on call cannot be told"), "{damaged}");
    }
    let mut stale = case_of(r#"["alice"]"#).build();
    stale.facts.iter_mut().for_each(|fact| fact.fresh = false);
    let opinion = configure::<BreakGlass>(ON_CALL).unwrap().review(&stale, stale.find("new").unwrap());
    assert!(why(&opinion).contains("the fact `on-call` is out of date"), "{opinion:?}");
    assert!(why(&review(ON_CALL, case("alice").request(emergency()))).contains("the fact `on-call` is not there"));
}

#[test]
fn a_path_for_nobody_or_to_anywhere_is_refused() {
    let faults = |settings: &str| configure::<BreakGlass>(settings).map(|_policy| ()).unwrap_err();
    assert_eq!(
        faults(r#"{"allow": {}, "max": "2d", "marker": "now"}"#),
        [
            "`marker` is `now`: it has to be one word of at least 4 letters, digits, `-` and `_`, such as `BREAK-GLASS`",
            "`allow` names nobody: give it `users`, `traits` or `standing-roles`",
            "`allow.roles` is missing: name the roles that may be had in an emergency",
            "`max` is 2 d: the most is 1 d",
        ]
    );
    assert_eq!(faults("{}"), ["`allow` is missing"]);
}

proptest! {
    #[test]
    fn it_approves_only_what_is_marked_named_and_short(
        user in prop::sample::select(vec!["alice", "bob"]),
        reason in prop::sample::select(vec!["BREAK-GLASS", "x break-glass y", "BREAKGLASS", ""]),
        role in prop::sample::select(vec!["prod-db", "lab"]),
        minutes in 0..120_u64,
    ) {
        let settings = r#"{"allow": {"users": ["alice"], "roles": ["prod-*"]}}"#;
        let request = emergency().roles([role]).reason(reason).expires(NOW_MS + minutes * 60_000);
        let approves = matches!(review(settings, case(user).request(request)), Opinion::Approve(_));
        let marked = reason.to_lowercase().contains("break-glass");
        prop_assert_eq!(approves, user == "alice" && marked && role == "prod-db" && minutes <= 61);
    }
}
