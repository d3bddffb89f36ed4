//! The policy `duration` on cases that people care about.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tribunal_duration::{Duration, END_NOT_KNOWN, TOO_LONG};
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    NOW_MS, RequestBuilder, case, configure, faults_of_description, faults_of_opinion, pending, resource,
};

const HOUR_MS: u64 = 3_600_000;

const LIMITS: &str = r#"{
    "limits": [
        {"name": "production", "when": {"roles": ["prod-*"]}, "max": "4h"},
        {"name": "the vault", "when": {"labels": {"zone": ["vault"]}}, "max": "30m"}
    ],
    "max": "12h"
}"#;

fn review(settings: &str, request: RequestBuilder) -> Opinion {
    let case = case("alice").request(request).build();
    let opinion = configure::<Duration>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&Duration::describe(), &opinion), [""; 0]);
    opinion
}

fn lasting(ms: u64) -> RequestBuilder {
    pending("new").created(NOW_MS).expires(NOW_MS + ms)
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Duration::describe()), [""; 0]);
}

#[test]
fn what_is_short_enough_is_left_to_other_policies() {
    assert_eq!(review(LIMITS, lasting(12 * HOUR_MS).roles(["dev"])), abstain());
    assert_eq!(review(LIMITS, lasting(4 * HOUR_MS).roles(["prod-db"])), abstain());
}

#[test]
fn what_is_too_long_is_denied_with_the_length_that_would_do() {
    let reason = "Access for 8 h is asked for, and `production` may last 4 h: ask again for 4 h or less";
    assert_eq!(review(LIMITS, lasting(8 * HOUR_MS).roles(["dev", "prod-db"])), deny(TOO_LONG, reason));
    let reason = "Access for 1 d is asked for, and any access may last 12 h: ask again for 12 h or less";
    assert_eq!(review(LIMITS, lasting(24 * HOUR_MS).roles(["dev"])), deny(TOO_LONG, reason));
    let escalating = r#"{"max": "12h", "over": "escalate"}"#;
    assert_eq!(review(escalating, lasting(24 * HOUR_MS)), escalate(TOO_LONG, reason));
}

#[test]
fn of_several_limits_the_shortest_counts() {
    let keys = resource("db", "keys", [("zone", "vault")]);
    let both = lasting(HOUR_MS).roles(["prod-db"]).resources([resource("node", "a", []), keys]);
    let reason = "Access for 1 h is asked for, and `the vault` may last 30 min: ask again for 30 min or less";
    assert_eq!(review(LIMITS, both), deny(TOO_LONG, reason));
}

#[test]
fn labels_that_could_not_be_read_may_be_those_of_a_limit() {
    let mut unread = resource("db", "x", []);
    unread.labels = None;
    assert!(matches!(review(LIMITS, lasting(HOUR_MS).resources([unread])), Opinion::Deny(_)));
}

#[test]
fn access_without_a_known_end_is_left_to_people() {
    let reason = "When this access would end is not known, and `production` may last 4 h";
    assert_eq!(review(LIMITS, pending("new").roles(["prod-db"])), escalate(END_NOT_KNOWN, reason));
}

#[test]
fn access_that_starts_later_is_measured_from_its_start() {
    let tomorrow = pending("new").roles(["prod-db"]).created(NOW_MS).starts(NOW_MS + 24 * HOUR_MS);
    assert_eq!(review(LIMITS, tomorrow.clone().expires(NOW_MS + 28 * HOUR_MS)), abstain());
    assert!(matches!(review(LIMITS, tomorrow.expires(NOW_MS + 29 * HOUR_MS)), Opinion::Deny(_)));
}

#[test]
fn a_marked_request_has_its_limit_elsewhere_where_so_configured() {
    let marked = || lasting(24 * HOUR_MS).reason("BREAK-GLASS: all is down");
    assert!(matches!(review(r#"{"max": "12h"}"#, marked()), Opinion::Deny(_)));
    assert_eq!(review(r#"{"max": "12h", "unless-marked": "BREAK-GLASS"}"#, marked()), abstain());
}

#[test]
fn settings_that_limit_nothing_are_refused() {
    let faults = |settings: &str| configure::<Duration>(settings).map(|_policy| ()).unwrap_err();
    assert_eq!(faults("{}"), ["neither `limits` nor `max` is set: nothing would be limited"]);
    assert_eq!(
        faults(r#"{"max": 12, "maximum": "1h"}"#),
        [
            "`max`: invalid type: integer `12`, expected a string",
            "`maximum`: unknown key: expected one of `limits`, `max`, `over`, `unless-marked`",
        ]
    );
}

proptest! {
    #[test]
    fn only_access_within_every_limit_that_applies_passes(ms in 0..20 * HOUR_MS, prod in any::<bool>()) {
        let role = if prod { "prod-db" } else { "dev" };
        let most = if prod { 4 * HOUR_MS } else { 12 * HOUR_MS };
        let passes = review(LIMITS, lasting(ms).roles([role])) == abstain();
        prop_assert_eq!(passes, ms <= most + 60_000);
    }
}
