//! The policy `cap` on cases that people care about.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use tribunal_cap::{Cap, HELD_OVER_CAP, NEWER_FILL_CAP, REQUEST_OVER_CAP, WITHIN_CAP};
use tribunal_guest::log::Level;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, case, configure, faults_of_description, faults_of_opinion, faults_of_orders, held, logs, node,
    pending, promoted, resource,
};

const HOUR_MS: u64 = 3_600_000;

fn cap(settings: &str) -> Cap {
    configure(settings).unwrap()
}

fn review(settings: &str, case: CaseBuilder, request: &str) -> Opinion {
    let case = case.build();
    let opinion = cap(settings).review(&case, case.find(request).unwrap());
    assert_eq!(faults_of_opinion(&Cap::describe(), &opinion), [""; 0]);
    opinion
}

/// The ids that are locked, in the order of the orders.
fn locked(settings: &str, case: CaseBuilder) -> Vec<String> {
    let case = case.build();
    let orders = cap(settings).enforce(&case);
    assert_eq!(faults_of_orders(&Cap::describe(), &case, &orders), [""; 0]);
    assert!(orders.iter().all(|order| order.ground.rule == HELD_OVER_CAP && order.until.is_none()));
    orders.into_iter().map(|order| order.request).collect()
}

fn approved() -> Opinion {
    approve(WITHIN_CAP, "Auto-approved: complies with access policies")
}

/// `held` requests with one node of their own each.
fn hoard(ids: &[&str]) -> CaseBuilder {
    ids.iter().fold(case("alice"), |case, id| case.request(held(id).nodes([*id])))
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Cap::describe()), [""; 0]);
}

#[test]
fn a_compliant_request_is_approved() {
    assert_eq!(review("{}", case("alice").request(pending("new").nodes(["a", "b", "c"])), "new"), approved());
}

#[test]
fn a_compliant_request_is_left_to_others_where_so_configured() {
    let case = case("alice").request(pending("new").nodes(["a"]));
    assert_eq!(review(r#"{"when-compliant": "abstain"}"#, case, "new"), abstain());
}

#[test]
fn a_request_that_alone_exceeds_the_cap_is_denied() {
    let case = case("alice").request(pending("bulk").nodes(["a", "b", "c", "d", "e"]));
    let expected = deny(REQUEST_OVER_CAP, "Request contains 5 resources, exceeds limit of 3");
    assert_eq!(review("{}", case, "bulk"), expected);
}

#[test]
fn something_new_can_be_asked_for_while_the_cap_is_full() {
    assert_eq!(review("{}", hoard(&["a", "b", "c"]).request(pending("d").nodes(["d"])), "d"), approved());
}

#[test]
fn the_oldest_gives_way_with_the_reason_that_people_know() {
    let orders = cap("{}").enforce(&hoard(&["a", "b", "c", "d"]).build());
    assert_eq!(orders, [lock("a", HELD_OVER_CAP, "Exceeded maximum approved resources limit (3)")]);
}

#[test]
fn what_fits_stays() {
    assert_eq!(locked("{}", hoard(&["a", "b", "c"])), [""; 0]);
}

/// Watcher H3.
#[test]
fn h3_the_oldest_give_way_before_newer_ones() {
    let sizes = || {
        case("alice")
            .request(held("old").nodes(["a"]))
            .request(held("mid").nodes(["b", "c"]))
            .request(held("new").nodes(["d", "e"]))
    };
    assert_eq!(locked("{}", sizes()), ["old", "mid"]);
    assert_eq!(locked(r#"{"order": "skip-fit"}"#, sizes()), ["mid"]);
}

/// Watcher H5.
#[test]
fn h5_role_only_requests_fill_the_cap() {
    let ids: Vec<String> = (0..20).map(|n| format!("r{n:02}")).collect();
    let roles = || ids.iter().fold(case("alice"), |case, id| case.request(held(id).roles(["admin"])));
    assert_eq!(locked("{}", roles()), ids[..17]);
    assert_eq!(locked(r#"{"role-only-requests": "ignore"}"#, roles()), [""; 0]);
    assert_eq!(locked(r#"{"unit": "requests", "role-only-requests": "ignore"}"#, roles()), ids[..17]);
}

/// Watcher H9.
#[test]
fn h9_locked_requests_do_not_count() {
    let case = hoard(&["a", "b", "c"]).request(held("locked").nodes(["d"]).locked("jit-watcher-locked"));
    assert_eq!(locked("{}", case), [""; 0]);
}

/// Watcher H13.
#[test]
fn h13_nothing_stays_locked_once_another_has_expired() {
    let four = |now| {
        ["r0", "r1", "r2", "r3"].iter().fold(case("alice").now(now), |case, id| {
            let request = held(id).nodes([*id]).created(NOW_MS - HOUR_MS);
            case.request(if *id == "r3" { request.expires(NOW_MS + 60_000) } else { request })
        })
    };
    assert_eq!(locked("{}", four(NOW_MS)), ["r0"]);
    assert_eq!(locked("{}", four(NOW_MS + 60_000)), [""; 0]);
}

/// Watcher H14.
#[test]
fn h14_a_lock_by_an_administrator_makes_room() {
    let case = hoard(&["a", "b", "c"]).request(held("newest").nodes(["d"]).locked("incident-7"));
    assert_eq!(locked("{}", case), [""; 0]);
}

/// Watcher H17.
#[test]
fn h17_the_same_resources_count_once() {
    let twice = || case("alice").request(held("one").nodes(["a", "b"])).request(held("two").nodes(["a", "b"]));
    assert_eq!(locked("{}", twice()), [""; 0]);
    assert_eq!(locked("{}", twice().request(held("three").nodes(["c"]))), [""; 0]);
    assert_eq!(locked("{}", twice().request(held("three").nodes(["c", "d"]))), ["one", "two"]);
}

#[test]
fn a_request_that_newer_ones_cover_stays() {
    let case = case("alice")
        .request(held("covered").nodes(["a"]))
        .request(held("gives-way").nodes(["b", "c"]))
        .request(held("new").nodes(["a", "d"]));
    assert_eq!(locked("{}", case), ["gives-way"]);
}

#[test]
fn sub_resources_kinds_and_clusters_tell_resources_apart() {
    let mut elsewhere = node("a");
    elsewhere.cluster = "leaf".to_owned();
    let mut part = node("a");
    part.sub_resource = "ns/pod".to_owned();
    let case = case("alice").request(pending("new").resources([node("a"), resource("db", "a", []), elsewhere, part]));
    let expected = deny(REQUEST_OVER_CAP, "Request contains 4 resources, exceeds limit of 3");
    assert_eq!(review("{}", case, "new"), expected);
}

#[test]
fn one_resource_named_twice_in_a_request_counts_once() {
    let case = case("alice").request(pending("new").nodes(["a", "b", "c", "c"]));
    assert_eq!(review("{}", case, "new"), approved());
}

/// Watcher H18.
#[test]
fn h18_promoted_access_counts_or_is_warned_of() {
    let case = || {
        case("alice")
            .request(promoted("permanent").nodes(["p"]))
            .request(held("a").nodes(["a"]))
            .request(held("b").nodes(["b"]))
            .request(held("c").nodes(["c"]))
            .request(pending("d").nodes(["d"]))
    };
    let _earlier = logs();
    assert_eq!(review("{}", case(), "d"), approved());
    let warning = "1 promoted requests are not counted: their access is permanent (setting `promoted`)".to_owned();
    assert_eq!(logs(), [(Level::Warn, warning)]);
    assert_eq!(locked("{}", case()), [""; 0]);

    assert_eq!(locked(r#"{"promoted": "count"}"#, case()), ["a"]);
    assert_eq!(review(r#"{"promoted": "count"}"#, case(), "d"), approved());
    assert_eq!(logs(), []);
}

#[test]
fn a_request_that_would_have_to_give_way_at_once_is_left_to_people() {
    let case = case("alice").request(pending("old").nodes(["a"])).request(held("new").nodes(["b", "c", "d"]));
    let reason =
        "Newer or permanent access already fills the limit of 3 resources: this request would be locked at once";
    assert_eq!(review("{}", case, "old"), escalate(NEWER_FILL_CAP, reason));
}

/// Watcher H26.
#[test]
fn h26_access_that_has_not_started_does_not_evict() {
    let case = || hoard(&["a", "b", "c"]).request(held("tomorrow").nodes(["d"]).starts(NOW_MS + 24 * HOUR_MS));
    assert_eq!(locked("{}", case()), [""; 0]);
    assert_eq!(locked("{}", hoard(&["a", "b", "c"]).request(held("now").nodes(["d"]).starts(NOW_MS))), ["a"]);
}

/// Watcher H27.
#[test]
fn h27_equal_ages_are_decided_by_id() {
    for ids in [["d", "c", "b", "a"], ["b", "d", "a", "c"]] {
        let case = ids.iter().fold(case("alice"), |case, id| case.request(held(id).nodes([*id]).created(NOW_MS)));
        assert_eq!(locked("{}", case), ["a"]);
    }
}

/// Watcher H4.
#[test]
fn h4_exempt_requests_neither_count_nor_are_locked() {
    let exception = held("exception").nodes(["w", "x", "y", "z"]).exempt("human-approved");
    assert_eq!(locked("{}", hoard(&["a", "b", "c"]).request(exception)), [""; 0]);
}

#[test]
fn a_held_request_that_fits_never_does_not_take_others_with_it() {
    let case = hoard(&["a", "b"]).request(held("huge").nodes(["w", "x", "y", "z"]));
    assert_eq!(locked("{}", case), ["huge"]);
}

#[test]
fn permanent_access_is_not_made_room_for_in_vain() {
    let case = case("alice")
        .request(promoted("permanent").nodes(["p", "q", "r", "s"]))
        .request(held("inside").nodes(["p"]))
        .request(held("more").nodes(["a"]));
    assert_eq!(locked(r#"{"promoted": "count"}"#, case), ["more"]);
}

#[test]
fn roles_can_be_the_unit() {
    let settings = r#"{"unit": "roles", "max-resources": 2}"#;
    let case = case("alice")
        .request(held("one").roles(["a", "b"]).nodes(["n"]))
        .request(held("two").roles(["b"]))
        .request(held("three").roles(["c"]))
        .request(pending("four").roles(["a", "b", "c"]));
    assert_eq!(locked(settings, case.clone()), ["one"]);
    let expected = deny(REQUEST_OVER_CAP, "Request contains 3 roles, exceeds limit of 2");
    assert_eq!(review(settings, case, "four"), expected);
}

#[test]
fn all_faults_of_the_settings_are_told_at_once() {
    let faults = configure::<Cap>(r#"{"max-resources": 0, "unit": "nodes", "max": 3, "order": 1}"#).unwrap_err();
    assert_eq!(
        faults,
        [
            "`max`: unknown key: expected one of `max-resources`, `unit`, `order`, `when-compliant`, \
             `role-only-requests`, `promoted`",
            "`order`: invalid type: integer `1`, expected string or map",
            "`unit`: unknown variant `nodes`, expected one of `resources`, `requests`, `roles`",
            "`max-resources` is 0: it must be at least 1, or nobody could hold anything",
        ]
    );
    for bad in ["-1", "1.5", "\"3\"", "4294967296", "null"] {
        let faults = configure::<Cap>(&format!(r#"{{"max-resources": {bad}}}"#)).unwrap_err();
        assert!(faults.len() == 1 && faults[0].starts_with("`max-resources`: "), "{faults:?}");
    }
}

#[test]
fn settings_that_are_no_table_are_refused() {
    for text in ["", "[]", "3", "null", "{"] {
        assert_eq!(configure::<Cap>(text).unwrap_err().len(), 1, "{text}");
    }
}
