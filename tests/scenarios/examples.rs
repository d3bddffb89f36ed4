//! The policies that ship with the host, as `plugins/README.md` configures them: all of them load into one panel, and each
//! answers from inside of the sandbox. What they decide in detail is tested beside each of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tribunal::assembly::load_panel;
use tribunal::config::Config;
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest, Fact};
use tribunal_core::opinion::Opinion;
use tribunal_core::request::{RequestId, RequestState, Review, UserName};
use tribunal_engine::Panel;
use tribunal_engine::testing::{case, held, pending};
use tribunal_ports::Engine as _;

use crate::tidy::tree::file;

/// A Wednesday, 12:00 in Berlin.
const NOON: Timestamp = Timestamp::from_secs(1_767_783_600);
const HOUR_SECS: u64 = 3_600;

/// All that the page has of this language, one after the other.
fn fenced(language: &str) -> String {
    let page = file("plugins/README.md");
    let opening = format!("```{language}\n");
    let blocks = page.split(&opening).skip(1);
    blocks.filter_map(|block| block.split("```").next()).collect::<Vec<_>>().join("\n")
}

fn config() -> Config {
    let cluster = "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n";
    // Debug builds on shared machines are slow, and slowness is not what is tested here.
    let limits = "[limits]\ndeadline-ms = 1000\nsetup-deadline-ms = 1000\n";
    let text = format!("{cluster}{limits}{}", fenced("toml"));
    Config::from_toml(&text, Path::new("/etc/tribunal/tribunal.toml")).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The page's panel, loaded once.
async fn panel() -> &'static Panel {
    static PANEL: OnceCell<Panel> = OnceCell::const_new();
    let load = || async { load_panel(&config()).await.unwrap_or_else(|errors| panic!("{}", errors.join("\n"))) };
    PANEL.get_or_init(load).await
}

async fn place(policy: &str) -> (&'static Panel, usize) {
    let panel = panel().await;
    let names: Vec<String> = panel.members().iter().map(|member| member.name.to_string()).collect();
    (panel, names.iter().position(|name| name == policy).unwrap_or_else(|| panic!("no `{policy}` in {names:?}")))
}

/// A request of alice's for a role, of so many seconds before noon, for so long.
fn asks(role: &str, reason: &str, age: u64, lasts: u64) -> CaseRequest {
    let mut entry = pending("new", 0);
    entry.request.roles = vec![role.to_owned()];
    entry.request.reason = reason.to_owned();
    entry.request.created = Timestamp::from_secs(NOON.as_millis() / 1_000 - age);
    entry.request.access_expires = Some(Timestamp::from_secs(NOON.as_millis() / 1_000 - age + lasts));
    entry
}

/// Alice's case at this time, with what the files of the page would say.
fn of(requests: Vec<CaseRequest>, now: Timestamp) -> Arc<Case> {
    let mut shown = (*case(requests)).clone();
    shown.now = now;
    shown.subject.traits = Some(BTreeMap::from([("team".to_owned(), vec!["dev".to_owned(), "sre".to_owned()])]));
    let tickets = r#"{"OPS-42": {"status": "open", "assignee": "alice"}, "OPS-43": "closed"}"#;
    let fact =
        |name: &str, json: &str| Fact { name: name.to_owned(), json: json.to_owned(), fetched: now, fresh: true };
    shown.facts = [fact("on-call", r#"["alice"]"#), fact("tickets", tickets)].into();
    Arc::new(shown)
}

/// The policy's answer as a word, and its rules.
async fn answer(policy: &str, shown: Arc<Case>) -> (&'static str, Vec<String>) {
    let (panel, place) = place(policy).await;
    match panel.review(place, RequestId::new("new"), shown).await.unwrap() {
        Opinion::Abstain => ("abstain", Vec::new()),
        Opinion::Approve(ground) => ("approve", vec![ground.rule]),
        Opinion::Deny(grounds) => ("deny", grounds.into_iter().map(|ground| ground.rule).collect()),
        Opinion::Escalate(ground) => ("escalate", vec![ground.rule]),
    }
}

#[track_caller]
fn is(found: &(&'static str, Vec<String>), answer: &str, rules: &[&str]) {
    assert_eq!(
        (found.0, found.1.as_slice()),
        (answer, rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>().as_slice())
    );
}

#[tokio::test]
async fn the_page_configures_every_policy_that_ships_with_the_host() {
    let names: BTreeSet<String> = panel().await.members().iter().map(|member| member.name.to_string()).collect();
    let ships: BTreeSet<String> = tribunal_plugins::BUILTINS.iter().map(|builtin| builtin.name.to_owned()).collect();
    assert_eq!(names, ships);
    let page = file("plugins/README.md");
    for name in ships {
        assert!(page.contains(&format!("| [`{name}`](#{name}) |")) && page.contains(&format!("## {name}\n")), "{name}");
    }
}

#[tokio::test]
async fn the_effects_of_the_page_are_those_that_the_policies_declare() {
    let page = file("plugins/README.md");
    for policy in panel().await.policies() {
        let name = policy.description.name;
        let row = page.lines().find(|line| line.starts_with(&format!("| [`{name}`]"))).unwrap();
        let told: BTreeSet<&str> = row.rsplit('|').nth(1).unwrap().split(',').map(str::trim).collect();
        let declared: BTreeSet<&str> = policy.description.effects.iter().map(|effect| effect.as_str()).collect();
        assert_eq!(told, declared, "{name}");
    }
}

#[tokio::test]
async fn the_ticket_of_the_page_is_one_that_the_policy_understands() {
    let mut shown = (*of(vec![asks("prod-web", "OPS-42", 0, HOUR_SECS)], NOON)).clone();
    let asked = &mut Arc::make_mut(&mut shown.requests[0]).request;
    asked.resources = held("x", 1).request.resources;
    asked.resources[0].cluster = "example.com".into();
    asked.resources[0].name = "web-1".into();
    let json = fenced("json").replace("2026-01-01", "2026-01-07");
    shown.facts = [Fact { name: "tickets".into(), json, fetched: NOON, fresh: true }].into();
    is(&answer("ticket", Arc::new(shown.clone())).await, "abstain", &[]);
    Arc::make_mut(&mut shown.requests[0]).request.resources[0].name = "db-1".into();
    is(&answer("ticket", Arc::new(shown)).await, "deny", &["ticket-about-other-things"]);
}

#[tokio::test]
async fn allow_rules_approves_what_a_rule_names() {
    let staging = |lasts| of(vec![asks("staging-db", "", 0, lasts)], NOON);
    is(&answer("allow-rules", staging(8 * HOUR_SECS)).await, "approve", &["allowed"]);
    is(&answer("allow-rules", staging(9 * HOUR_SECS)).await, "abstain", &[]);
    let production = of(vec![asks("prod-db", "", 0, HOUR_SECS)], NOON);
    is(&answer("allow-rules", production).await, "escalate", &["left-to-people"]);
}

#[tokio::test]
async fn ticket_denies_what_has_none_and_locks_what_has_none_any_more() {
    let with = |reason: &str| of(vec![asks("prod-db", reason, 0, HOUR_SECS)], NOON);
    is(&answer("ticket", with("OPS-42")).await, "abstain", &[]);
    is(&answer("ticket", with("please")).await, "deny", &["no-ticket"]);
    is(&answer("ticket", with("OPS-43")).await, "deny", &["ticket-closed", "ticket-of-another"]);
    let mut old = asks("prod-db", "OPS-43", 60, HOUR_SECS);
    old.request.state = RequestState::Approved;
    let (panel, place) = place("ticket").await;
    let orders = panel.enforce(place, of(vec![old], NOON)).await.unwrap();
    assert_eq!(orders.iter().map(|order| order.ground.rule.as_str()).collect::<Vec<_>>(), ["ticket-closed"]);
}

#[tokio::test]
async fn window_knows_its_time_zone_without_any_file() {
    let at = |now| of(vec![asks("prod-db", "", 0, HOUR_SECS)], now);
    is(&answer("window", at(NOON)).await, "abstain", &[]);
    // 18:00 in Berlin is 17:00 in UTC.
    is(
        &answer("window", at(Timestamp::from_secs(NOON.as_millis() / 1_000 + 6 * HOUR_SECS))).await,
        "escalate",
        &["outside-hours"],
    );
    is(&answer("window", at(Timestamp::from_secs(1_798_200_000))).await, "deny", &["in-freeze"]);
}

#[tokio::test]
async fn duration_denies_what_lasts_too_long() {
    is(&answer("duration", of(vec![asks("prod-db", "", 0, 4 * HOUR_SECS)], NOON)).await, "abstain", &[]);
    is(&answer("duration", of(vec![asks("prod-db", "", 0, 5 * HOUR_SECS)], NOON)).await, "deny", &["too-long"]);
}

#[tokio::test]
async fn two_person_waits_for_two_people() {
    let with = |authors: &[&str]| {
        let mut entry = asks("prod-admin", "", 60, HOUR_SECS);
        let review = |author: &&str| Review {
            author: UserName::new(*author),
            state: RequestState::Approved,
            reason: String::new(),
            created: NOON,
        };
        entry.request.reviews = authors.iter().map(review).collect();
        of(vec![entry], NOON)
    };
    is(&answer("two-person", with(&["bob", "alice", "bot-x"])).await, "escalate", &["approvals-missing"]);
    is(&answer("two-person", with(&["bob", "carol"])).await, "approve", &["enough-approved"]);
}

#[tokio::test]
async fn throttle_counts_what_is_live() {
    let after = |age| {
        let mut earlier = held("earlier", 1);
        earlier.request.created = Timestamp::from_secs(NOON.as_millis() / 1_000 - age);
        of(vec![earlier, asks("dev", "", 0, HOUR_SECS)], NOON)
    };
    is(&answer("throttle", after(300)).await, "abstain", &[]);
    is(&answer("throttle", after(299)).await, "deny", &["too-soon"]);
}

#[tokio::test]
async fn break_glass_is_for_those_on_call() {
    let emergency = |lasts| of(vec![asks("prod-db", "BREAK-GLASS: down", 0, lasts)], NOON);
    is(&answer("break-glass", emergency(HOUR_SECS)).await, "approve", &["glass-broken"]);
    is(&answer("break-glass", emergency(2 * HOUR_SECS)).await, "escalate", &["not-entitled"]);
    is(&answer("break-glass", of(vec![asks("prod-db", "down", 0, HOUR_SECS)], NOON)).await, "abstain", &[]);
}

#[tokio::test]
async fn reason_quality_asks_for_a_reason() {
    let with = |reason: &str| of(vec![asks("prod-db", reason, 0, HOUR_SECS)], NOON);
    is(&answer("reason-quality", with("restart stuck workers, service: billing")).await, "abstain", &[]);
    let rules = ["too-few-words", "too-short", "something-missing"];
    is(&answer("reason-quality", with(".")).await, "deny", &rules);
}
