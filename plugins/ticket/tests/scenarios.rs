//! The policy `ticket` on cases that people care about.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, RequestBuilder, case, configure, faults_of_description, faults_of_opinion, faults_of_orders,
    held, pending,
};
use tribunal_ticket::{
    NO_TICKET, TICKET_ABOUT_OTHER_THINGS, TICKET_AT_ANOTHER_TIME, TICKET_CLOSED, TICKET_NOT_FOUND, TICKET_OF_ANOTHER,
    TICKET_OPEN, TICKETS_NOT_KNOWN, Ticket,
};

const TICKETS: &str = r#"{
    "OPS-1": {"status": "Open", "assignee": "alice", "priority": 3},
    "OPS-2": {"status": "done"},
    "OPS-3": "open",
    "OPS-4": {"status": "open", "roles": ["prod-*"], "resources": ["/root/node/web-*"]},
    "OPS-5": {"status": "open", "starts": "2026-01-01T13:00:00Z", "ends": "2026-01-01T18:00:00Z"},
    "OPS-6": {"status": "open", "ends": "2026-01-01T12:00:00Z"}
}"#;

fn settings(more: &str) -> String {
    format!(r#"{{"pattern": "OPS-\\d+", "example": "OPS-42"{more}}}"#)
}

fn review_with(more: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<Ticket>(&settings(more)).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&Ticket::describe(), &opinion), [""; 0]);
    opinion
}

fn review(more: &str, request: RequestBuilder) -> Opinion {
    review_with(more, case("alice").fact("tickets", TICKETS).request(request))
}

fn asks(reason: &str) -> RequestBuilder {
    pending("new").roles(["prod-db"]).reason(reason)
}

fn orders(more: &str, case: CaseBuilder) -> Vec<LockOrder> {
    let case = case.build();
    let orders = configure::<Ticket>(&settings(more)).unwrap().enforce(&case);
    assert_eq!(faults_of_orders(&Ticket::describe(), &case, &orders), [""; 0]);
    orders
}

fn locked(more: &str, case: CaseBuilder) -> Vec<String> {
    orders(more, case).into_iter().map(|order| order.request).collect()
}

/// The same case, with facts that are out of date.
fn stale(case: CaseBuilder) -> Case {
    let mut case = case.build();
    case.facts.iter_mut().for_each(|fact| fact.fresh = false);
    case
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&Ticket::describe()), [""; 0]);
}

#[test]
fn a_request_with_an_open_ticket_is_left_to_others_or_approved() {
    assert_eq!(review("", asks("disk full, OPS-1")), abstain());
    assert_eq!(review("", asks("disk full (ops-3)")), abstain());
    let approving = r#", "when-open": "approve""#;
    assert_eq!(review(approving, asks("OPS-3")), approve(TICKET_OPEN, "Ticket `OPS-3` is open"));
}

#[test]
fn without_a_ticket_it_is_denied_with_an_example() {
    for reason in ["", "please", "DEVOPS-1", "OPS-"] {
        let expected = deny(NO_TICKET, "Name an open ticket in the reason, such as `OPS-42`");
        assert_eq!(review("", asks(reason)), expected, "{reason}");
    }
    let many: Vec<String> = (1..=11).map(|n| format!("OPS-{n}")).collect();
    let expected = deny(NO_TICKET, "The reason names 11 tickets: name the one that this is for");
    assert_eq!(review("", asks(&many.join(" "))), expected);
}

#[test]
fn what_is_wrong_with_a_ticket_is_told() {
    for (number, rule, reason) in [
        ("OPS-2", TICKET_CLOSED, "Ticket `OPS-2` is `done`: open it again, or name one that is open"),
        (
            "OPS-9",
            TICKET_NOT_FOUND,
            "Ticket `OPS-9` is not known: check its number, or try again when it is some minutes old",
        ),
        (
            "OPS-4",
            TICKET_ABOUT_OTHER_THINGS,
            "Ticket `OPS-4` is not about all that is asked for: ask for less, or have the ticket name it",
        ),
        (
            "OPS-5",
            TICKET_AT_ANOTHER_TIME,
            "The work of ticket `OPS-5` starts at 2026-01-01 13:00 UTC: ask for access from then on",
        ),
        (
            "OPS-6",
            TICKET_AT_ANOTHER_TIME,
            "The time of ticket `OPS-6` was over at 2026-01-01 12:00 UTC: have it extended, or name another",
        ),
    ] {
        assert_eq!(review("", asks(number)), deny(rule, reason));
    }
}

#[test]
fn one_good_ticket_is_enough_and_all_bad_ones_are_told() {
    assert_eq!(review("", asks("OPS-2, OPS-9 and OPS-1")), abstain());
    let Opinion::Deny(grounds) = review("", asks("OPS-2 and OPS-9")) else { unreachable!() };
    assert_eq!(
        grounds.iter().map(|ground| ground.rule.as_str()).collect::<Vec<_>>(),
        [TICKET_CLOSED, TICKET_NOT_FOUND]
    );
}

#[test]
fn a_ticket_is_about_what_it_lists() {
    let web = |names: [&str; 2]| pending("new").roles(["prod-node"]).nodes(names).reason("OPS-4");
    assert_eq!(review("", web(["web-1", "web-2"])), abstain());
    assert!(matches!(review("", web(["web-1", "db-1"])), Opinion::Deny(_)));
    assert_eq!(review(r#", "scope": "ignore""#, asks("OPS-4")), abstain());
    assert!(matches!(review(r#", "scope": "listed""#, asks("OPS-1")), Opinion::Deny(_)));
    assert_eq!(review(r#", "scope": "listed""#, web(["web-1", "web-2"])), abstain());
}

#[test]
fn a_ticket_may_have_to_be_the_requesters_own() {
    let own = r#", "assigned-to": "requester""#;
    assert_eq!(review(own, asks("OPS-1")), abstain());
    let nobodys = "Ticket `OPS-3` is assigned to nobody: take it first";
    assert_eq!(review(own, asks("OPS-3")), deny(TICKET_OF_ANOTHER, nobodys));
    let bob = review_with(own, case("bob").fact("tickets", TICKETS).request(asks("OPS-1")));
    let alices = "Ticket `OPS-1` is assigned to `alice`: have it assigned to you, or name yours";
    assert_eq!(bob, deny(TICKET_OF_ANOTHER, alices));

    let by_mail = r#", "assigned-to": "requester", "assignee-trait": "email""#;
    let tickets = r#"{"OPS-1": {"status": "open", "assignee": "a@example.com"}}"#;
    let with = |case: CaseBuilder| review_with(by_mail, case.fact("tickets", tickets).request(asks("OPS-1")));
    assert_eq!(with(case("alice").with_trait("email", ["a@example.com"])), abstain());
    assert!(matches!(with(case("alice").with_trait("email", ["b@example.com"])), Opinion::Deny(_)));
    assert!(matches!(with(case("alice").unseen_subject()), Opinion::Escalate(_)));
}

#[test]
fn a_missing_stale_or_damaged_fact_never_approves_and_never_denies() {
    let policy = configure::<Ticket>(&settings(r#", "when-open": "approve""#)).unwrap();
    let asked = |case: CaseBuilder| case.request(asks("OPS-1"));
    let damaged = [
        "",
        "null",
        "3",
        "[",
        r#"["OPS-1"]"#,
        r#"[["OPS-1", "open"]]"#,
        r#"{"OPS-1": ["OPS-1", "open"]}"#,
        r#"[{"status": "open"}]"#,
        r#"{"OPS-1": {}}"#,
        r#"{"OPS-1": {"status": 1}}"#,
    ];
    let damaged = damaged.map(|json| asked(case("alice").fact("tickets", json)).build());
    let twice = r#"[{"id": "OPS-1", "status": "open"}, {"id": "ops-1", "status": "done"}]"#;
    let cases = damaged.into_iter().chain([
        asked(case("alice")).build(),
        stale(asked(case("alice").fact("tickets", TICKETS))),
        asked(case("alice").fact("tickets", twice)).build(),
        asked(case("alice").fact("tickets", r#"{"OPS-1": {"status": "open", "ends": "soon"}}"#)).build(),
        asked(case("alice").fact("tickets", r#"{"OPS-1": {"status": "open", "roles": "prod"}}"#)).build(),
    ]);
    for case in cases {
        let opinion = policy.review(&case, case.find("new").unwrap());
        assert!(matches!(&opinion, Opinion::Escalate(ground) if ground.rule == TICKETS_NOT_KNOWN), "{opinion:?}");
    }
    let case = asked(case("alice")).build();
    assert_eq!(
        policy.review(&case, case.find("new").unwrap()),
        escalate(
            TICKETS_NOT_KNOWN,
            "Whether `OPS-1` is open cannot be told, so people decide: the fact `tickets` is not there"
        )
    );
}

#[test]
fn an_odd_ticket_hides_no_other() {
    let tickets = r#"[{"id": 7, "status": []}, {"id": "OPS-8"}, {"key": "OPS-1", "state": "in progress", "more": {}}]"#;
    assert_eq!(review_with("", case("alice").fact("tickets", tickets).request(asks("OPS-1"))), abstain());
}

#[test]
fn a_ticket_that_is_not_known_yet_may_be_left_to_people() {
    let opinion = review(r#", "unknown": "escalate""#, asks("OPS-9"));
    assert!(matches!(&opinion, Opinion::Escalate(ground) if ground.rule == TICKET_NOT_FOUND), "{opinion:?}");
    assert!(matches!(review(r#", "unknown": "escalate""#, asks("OPS-2")), Opinion::Deny(_)));
}

#[test]
fn what_needs_no_ticket_is_left_to_others() {
    assert_eq!(review(r#", "only": [{"roles": ["lab-*"]}]"#, asks("please")), abstain());
    assert!(matches!(review(r#", "only": [{"roles": ["prod-*"]}]"#, asks("please")), Opinion::Deny(_)));
    assert_eq!(review(r#", "unless-marked": "BREAK-GLASS""#, asks("break-glass: all is down")), abstain());
}

fn holds(reason: &str) -> CaseBuilder {
    case("alice").fact("tickets", TICKETS).request(held("h1").roles(["prod-db"]).reason(reason))
}

#[test]
fn when_its_ticket_is_closed_held_access_is_locked_and_told_why() {
    let reason =
        "Ticket `OPS-2` is `done`, so the access that was for it ends: open the ticket again, or ask anew with another";
    assert_eq!(orders("", holds("OPS-2")), [lock("h1", TICKET_CLOSED, reason)]);
    assert_eq!(locked("", holds("OPS-6")), ["h1"], "its time is over");
    assert_eq!(locked("", holds("OPS-1")), [""; 0]);
    assert_eq!(locked("", holds("OPS-2 and OPS-1")), [""; 0], "one is open");
    assert_eq!(locked("", holds("no ticket")), [""; 0]);
}

#[test]
fn a_ticket_that_is_not_listed_is_closed_only_where_so_configured() {
    assert_eq!(locked("", holds("OPS-9")), [""; 0]);
    assert_eq!(locked(r#", "when-closed": "lock-unlisted""#, holds("OPS-9")), ["h1"]);
    assert_eq!(locked(r#", "when-closed": "leave""#, holds("OPS-2")), [""; 0]);
}

#[test]
fn a_missing_or_damaged_fact_locks_nothing_and_an_old_one_undoes_nothing() {
    let held = || case("alice").request(held("h1").reason("OPS-2"));
    assert_eq!(locked(r#", "when-closed": "lock-unlisted""#, held()), [""; 0]);
    assert_eq!(locked(r#", "when-closed": "lock-unlisted""#, held().fact("tickets", "null")), [""; 0]);
    let old = stale(holds("OPS-2"));
    let orders = configure::<Ticket>(&settings("")).unwrap().enforce(&old);
    assert_eq!(orders.len(), 1, "an order that is not given again would be undone");
}

#[test]
fn what_gives_no_access_or_must_not_be_locked_is_left_alone() {
    let h = || held("h1").reason("OPS-2");
    for request in [
        h().locked("incident"),
        h().exempt("human-approved"),
        h().expires(NOW_MS),
        h().starts(NOW_MS + 1),
        asks("OPS-2"),
    ] {
        assert_eq!(locked("", case("alice").fact("tickets", TICKETS).request(request)), [""; 0]);
    }
}

#[test]
fn what_is_wrong_with_the_settings_is_told_all_at_once() {
    let faults = |settings: &str| configure::<Ticket>(settings).map(|_policy| ()).unwrap_err();
    assert_eq!(faults("{}"), ["`pattern` is missing", "`example` is missing"]);
    assert_eq!(
        faults(r#"{"pattern": "OPS-(", "example": "OPS-1", "open": []}"#),
        [
            "`pattern`: the pattern `OPS-(` is not a regular expression: unclosed group",
            "`open` is empty: no ticket could ever be open",
        ]
    );
    assert_eq!(
        faults(r#"{"pattern": "OPS-\\d+", "example": "DB-1", "only": [{"roles": [""]}], "unless-marked": "x"}"#),
        [
            "`example` is `DB-1`, in which `pattern` finds no ticket",
            "`only.0.roles`: the pattern `` is empty: it would match everything or nothing",
            "`unless-marked` is `x`: it has to be one word of at least 4 letters, digits, `-` and `_`, such as `BREAK-GLASS`",
        ]
    );
}
