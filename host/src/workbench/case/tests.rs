//! Cases that people write, and those of the ledger.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use tribunal_core::request::{Decider, RequestKind, RequestState};
use tribunal_core::{Timestamp, case::Case};

use super::*;

const FULL: &str = r#"{
    "now": "2026-03-02T10:00:00.000Z", "cluster": "root",
    "subject": {"name": "bob", "roles": ["access"], "traits": {"team": ["db", "sre"]}},
    "requests": [{
        "id": "r1", "revision": "7", "user": "bob", "state": "APPROVED", "term": "short-term", "roles": ["node-access"],
        "resources": [
            {"cluster": "leaf", "kind": "db", "name": "orders", "sub_resource": "t", "labels": {"env": ["prod"]}},
            {"cluster": "root", "kind": "node", "name": "n", "sub_resource": "", "constraints": {"unknown": "x"}}
        ],
        "reason": "ticket 1", "created": "2026-03-02T09:00:00.000Z", "decided_by": "other-bot", "decision": "d",
        "resolve_reason": "ok", "suggested_reviewers": ["carol"], "annotations": {"a": ["1", "2"]},
        "reviews": [{"author": "carol", "state": "DENIED", "reason": "no", "created": "2026-03-02T09:30:00.000Z"}],
        "locks": [{"name": "incident", "message": "m", "ours": false}]
    }],
    "facts": [{"name": "on-call", "json": "[\"bob\"]", "fetched": "2026-03-02T09:59:00.000Z", "fresh": false}]
}"#;

fn toml(text: &str) -> Case {
    parse(text, Syntax::Toml).unwrap_or_else(|why| panic!("{why}"))
}

#[test]
fn nothing_said_is_a_case_of_somebody_who_asks_for_nothing() {
    let case = toml("");
    assert_eq!((case.subject.name.as_str(), case.cluster.as_str(), case.now), ("alice", "example.com", NOW_DEFAULT));
    assert!(case.requests.is_empty() && case.facts.is_empty() && case.subject.roles.is_none());
}

#[test]
fn one_word_is_a_request_for_a_resource() {
    let case = toml("held = [\"a\", \"db/orders\"]\nasks = \"/leaf/kube_cluster/prod/ns/pod\"");
    let ids: Vec<&str> = case.requests.iter().map(|entry| entry.request.id.as_str()).collect();
    assert_eq!(ids, ["a", "db/orders", "/leaf/kube_cluster/prod/ns/pod"]);
    let [a, b, c] = case.requests.iter().map(|entry| &entry.request).collect::<Vec<_>>()[..] else {
        panic!("{case:?}")
    };
    assert_eq!((a.state, a.decided_by, a.kind), (RequestState::Approved, Decider::Tribunal, RequestKind::ShortTerm));
    assert_eq!((c.state, c.decided_by), (RequestState::Pending, Decider::Nobody));
    assert!(a.created < b.created && b.created < c.created && c.created < case.now);
    assert!(a.is_granted(case.now));
    assert_eq!((b.resources[0].kind.as_str(), b.resources[0].cluster.as_str()), ("db", "example.com"));
    let inside = &c.resources[0];
    assert_eq!(
        (inside.cluster.as_str(), inside.name.as_str(), inside.sub_resource.as_str()),
        ("leaf", "prod", "ns/pod")
    );
    assert_eq!(inside.labels, Some([].into()));
}

#[test]
fn a_table_says_more_and_the_rest_is_filled_in() {
    let case = toml(
        r#"
        now = 2026-03-02T10:00:00Z
        subject = { name = "bob", roles = "access" }
        facts = { on-call = ["bob"] }

        [[asks]]
        roles = ["admin", "db"]
        reason = "ticket 7"
        created = "-90m"
        starts = "+1h30m"
        expires = "unknown"

        [[held]]
        resources = [{ name = "n", labels = { env = "prod" } }, { name = "m", labels = "unreadable" }]
        locks = "incident"
        exempt = "human-approved"
        "#,
    );
    assert_eq!(case.now, Timestamp::from_secs(1_772_445_600));
    let [ask, held] = case.requests.iter().collect::<Vec<_>>()[..] else { panic!("{case:?}") };
    assert_eq!((ask.request.id.as_str(), held.request.id.as_str()), ("ask-1", "held-1"));
    assert_eq!(case.now.since(ask.request.created).as_secs(), 90 * 60);
    assert_eq!(ask.request.access_starts.unwrap().since(case.now).as_secs(), 90 * 60);
    assert_eq!((ask.request.access_expires, ask.request.user.as_str()), (None, "bob"));
    assert_eq!(held.request.resources[0].labels.as_ref().unwrap()["env"], ["prod"]);
    assert_eq!(held.request.resources[1].labels, None);
    assert_eq!((held.locks[0].name.as_str(), held.locks[0].ours), ("incident", false));
    assert_eq!(held.request.annotations["tribunal/exempt"], ["human-approved"]);
    assert_eq!(
        (case.facts[0].json.as_str(), case.facts[0].fetched, case.facts[0].fresh),
        ("[\"bob\"]", case.now, true)
    );
}

#[test]
fn the_same_case_can_be_written_in_three_ways() {
    let written = [
        ("subject = \"bob\"\nasks = { roles = [\"admin\"] }\nheld = [\"a\"]", Syntax::Toml),
        ("subject: bob\nasks: {roles: [admin]}\nheld:\n  - a\n", Syntax::Yaml),
        (r#"{"subject": "bob", "asks": {"roles": ["admin"]}, "held": ["a"]}"#, Syntax::Json),
    ];
    let cases = written.map(|(text, syntax)| parse(text, syntax).unwrap());
    assert!(cases.iter().all(|case| *case == cases[0]), "{cases:?}");
}

#[test]
fn a_case_of_the_ledger_is_read_as_it_was_recorded() {
    let recorded: schema::Case = serde_json::from_str(FULL).unwrap();
    let case = parse(FULL, Syntax::Json).unwrap();
    assert_eq!(case, recorded.into());
    let request = &case.requests[0].request;
    assert_eq!((request.access_expires, request.resources[1].labels.as_ref()), (None, None));
}

#[test]
fn what_is_written_short_is_the_same_case() {
    let case = parse(FULL, Syntax::Json).unwrap();
    let text = toml::to_string(&short(&case)).unwrap();
    assert_eq!(toml(&text), case, "{text}");
    assert!(!text.contains("short-term") && !text.contains("cluster = \"root\"\nkind"), "{text}");
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (text, line, what) in [
        ("now = 1\nholds = [\"a\"]", "line 2", "unknown field `holds`"),
        ("\n\nasks = { rolls = [\"a\"] }", "line 3", "unknown field `rolls`"),
        ("asks = { created = \"soon\" }", "line 1", "`soon` is not a time such as"),
        ("asks = 3", "line 1", "or a table of a request, or a list of them"),
        ("requests = [{ state = \"open\" }]", "line 1", "`open` is not one of `pending`"),
    ] {
        let why = parse(text, Syntax::Toml).unwrap_err();
        assert!(why.contains(line) && why.contains(what), "{text}\n{why}");
    }
    for (text, what) in [
        ("held = [\"a\"]\nasks = \"a\"", "two requests are called `a`"),
        ("now = \"-1h\"", "write it in full"),
        ("asks = { resources = [{ kind = \"db\" }] }", "request `ask-1`: one of its resources has no `name`"),
        ("facts = [{ name = \"f\" }]", "fact `f`: give it either a `value`"),
        ("facts = [{ name = \"f\", json = \"{\" }]", "is no JSON text"),
        ("from = \"missing.json\"", "cannot be read"),
    ] {
        let why = parse(text, Syntax::Toml).unwrap_err();
        assert!(why.contains(what), "{text}\n{why}");
    }
}
