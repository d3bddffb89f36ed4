//! The policy `throttle` on users in a hurry.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, case, configure, faults_of_description, faults_of_opinion, held, pending, promoted,
};
use tribunal_throttle::{HISTORY_NOT_KNOWN, TOO_MANY_REQUESTS, TOO_SOON, Throttle};

const MINUTE_MS: u64 = 60_000;
const TWO_AN_HOUR: &str = r#"{"max-requests": 2, "per": "1h"}"#;
const WITH_HISTORY: &str = r#"{"max-requests": 2, "per": "1h", "fact": "requests"}"#;

fn review(settings: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<Throttle>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&Throttle::describe(), &opinion), [""; 0]);
    opinion
}

/// A case with earlier requests of so many minutes ago, and a new one.
fn after(minutes: &[u64]) -> CaseBuilder {
    let earlier = minutes.iter().enumerate().fold(case("alice"), |case, (n, minutes)| {
        case.request(held(&format!("h{n}")).roles(["dev"]).created(NOW_MS - minutes * MINUTE_MS))
    });
    earlier.request(pending("new").roles(["dev"]).created(NOW_MS))
}

fn rules(opinion: &Opinion) -> Vec<&str> {
    match opinion {
        Opinion::Deny(grounds) => grounds.iter().map(|ground| ground.rule.as_str()).collect(),
        Opinion::Escalate(ground) => vec![&ground.rule],
        Opinion::Abstain | Opinion::Approve(_) => Vec::new(),
    }
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Throttle::describe()), [""; 0]);
}

#[test]
fn one_request_too_many_is_denied_with_the_time_at_which_to_ask_again() {
    assert_eq!(review(TWO_AN_HOUR, after(&[30])), abstain());
    let reason = "There were 2 requests in the 1 h before this one, and 2 requests may be made: ask again after 2026-01-01 12:20 UTC";
    assert_eq!(review(TWO_AN_HOUR, after(&[40, 10])), deny(TOO_MANY_REQUESTS, reason));
    // Of three in sight two have to be out of it.
    let reason = "There were 3 requests in the 1 h before this one, and 2 requests may be made: ask again after 2026-01-01 12:30 UTC";
    assert_eq!(review(TWO_AN_HOUR, after(&[40, 30, 10])), deny(TOO_MANY_REQUESTS, reason));
    let escalating = r#"{"max-requests": 1, "per": "1h", "over": "escalate"}"#;
    assert!(matches!(review(escalating, after(&[10])), Opinion::Escalate(_)));
}

#[test]
fn what_was_long_ago_does_not_count() {
    assert_eq!(review(TWO_AN_HOUR, after(&[90, 60, 10])), abstain());
}

#[test]
fn all_that_is_live_counts_whatever_became_of_it() {
    let now = |minutes: u64| NOW_MS - minutes * MINUTE_MS;
    let busy = case("alice")
        .request(promoted("p").created(now(30)))
        .request(pending("w").created(now(20)))
        .request(pending("new").created(NOW_MS));
    assert_eq!(rules(&review(TWO_AN_HOUR, busy)), [TOO_MANY_REQUESTS]);
}

#[test]
fn later_requests_do_not_count_against_earlier_ones() {
    let queue = ["new", "second", "third"]
        .iter()
        .zip(0..)
        .fold(case("alice"), |case, (id, age)| case.request(pending(id).created(NOW_MS + age)));
    assert_eq!(review(r#"{"max-requests": 1}"#, queue), abstain());
}

#[test]
fn a_request_waits_for_the_cool_down_after_the_one_before() {
    let settings = r#"{"cool-down": "10m"}"#;
    assert_eq!(review(settings, after(&[10])), abstain());
    let reason =
        "This request follows the one before it too soon: wait 10 min, and ask again after 2026-01-01 12:05 UTC";
    assert_eq!(review(settings, after(&[30, 5])), deny(TOO_SOON, reason));
    let both = r#"{"cool-down": "10m", "max-requests": 1}"#;
    assert_eq!(rules(&review(both, after(&[5]))), [TOO_MANY_REQUESTS, TOO_SOON]);
}

#[test]
fn a_fact_remembers_what_is_there_no_more_and_nothing_counts_twice() {
    let history = |json: &str| review(WITH_HISTORY, after(&[30]).fact("requests", json));
    let gone = r#"{"alice": [{"id": "gone", "created": "2026-01-01T11:45:00Z", "state": "DENIED"}], "bob": 7}"#;
    assert_eq!(rules(&history(gone)), [TOO_MANY_REQUESTS]);
    let same = r#"{"alice": [{"id": "h0", "created": "2026-01-01T11:30:00Z"}, {"id": "new", "created": "2026-01-01T12:00:00Z"}]}"#;
    assert_eq!(history(same), abstain());
    assert_eq!(history(r#"{"bob": []}"#), abstain());
    let later = r#"{"alice": [{"id": "later", "created": "2026-01-01T12:00:01Z"}]}"#;
    assert_eq!(history(later), abstain());
}

#[test]
fn without_the_history_that_was_asked_for_people_decide() {
    assert_eq!(rules(&review(WITH_HISTORY, after(&[]))), [HISTORY_NOT_KNOWN]);
    for damaged in
        ["null", r#"{"alice": {}}"#, r#"{"alice": [{"id": "x"}]}"#, r#"{"alice": [{"id": "x", "created": "then"}]}"#]
    {
        assert_eq!(
            rules(&review(WITH_HISTORY, after(&[]).fact("requests", damaged))),
            [HISTORY_NOT_KNOWN],
            "{damaged}"
        );
    }
}

#[test]
fn only_what_is_meant_counts_and_is_limited() {
    let settings = r#"{"max-requests": 1, "only": [{"roles": ["prod-*"]}]}"#;
    assert_eq!(review(settings, after(&[10, 5])), abstain());
    let prod = |earlier: &str| {
        let earlier = held("h").roles([earlier]).created(NOW_MS - MINUTE_MS);
        case("alice").request(earlier).request(pending("new").roles(["prod-db"]).created(NOW_MS))
    };
    assert_eq!(review(settings, prod("dev")), abstain());
    assert_eq!(rules(&review(settings, prod("prod-web"))), [TOO_MANY_REQUESTS]);
    let marked = after(&[1]).request(pending("x").created(NOW_MS - 1)).build();
    let mut marked = marked;
    marked.requests.iter_mut().for_each(|request| request.reason = "BREAK-GLASS".to_owned());
    let policy = configure::<Throttle>(r#"{"max-requests": 1, "unless-marked": "BREAK-GLASS"}"#).unwrap();
    assert_eq!(policy.review(&marked, marked.find("new").unwrap()), abstain());
}

#[test]
fn a_limit_of_nothing_is_refused() {
    assert_eq!(
        configure::<Throttle>(r#"{"max-requests": 0}"#).map(|_policy| ()).unwrap_err(),
        ["`max-requests` is 0: it has to be at least 1, or nobody could ask for anything"]
    );
}

proptest! {
    #[test]
    fn it_denies_exactly_if_there_were_too_many_and_asking_when_told_succeeds(
        minutes in prop::collection::vec(1..180_u64, 0..8),
        max in 1..4_usize,
    ) {
        let settings = format!(r#"{{"max-requests": {max}, "per": "1h"}}"#);
        let in_sight = minutes.iter().filter(|minutes| **minutes < 60).count();
        let opinion = review(&settings, after(&minutes));
        prop_assert_eq!(opinion != abstain(), in_sight >= max);
        if let Opinion::Deny(grounds) = opinion {
            // The denied request is gone by then.
            let (_, told) = grounds[0].reason.split_once("2026-01-01 ").unwrap();
            let (hour, minute) = told.trim_end_matches(" UTC").split_once(':').unwrap();
            let wait = (hour.parse::<u64>().unwrap() - 12) * 60 + minute.parse::<u64>().unwrap();
            let later: Vec<u64> = minutes.iter().map(|minutes| minutes + wait).collect();
            prop_assert_eq!(review(&settings, after(&later)), abstain());
        }
    }
}
