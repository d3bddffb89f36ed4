//! The claims of the blog post about Teleport's sample watcher, C1 to C13, on the real protocol. What only a policy or
//! only the configuration promises is tested there.

use std::time::Duration;

use tonic::Code;
use tribunal_ledger::schema::Body;
use tribunal_proto::types::RequestState;
use tribunal_sim::Often;

use crate::world::{POLL, Setup};

#[tokio::test]
async fn c1_an_identity_file_is_all_it_takes_to_connect() {
    let world = Setup::new().without_daemon().await;
    let client = world.client().await;
    assert_eq!(client.ping().await.unwrap().name, "dev");
    assert_eq!(client.identity().user(), "bot-tribunal");
}

#[tokio::test]
async fn c2_the_first_round_runs_at_once_over_pending_and_held_requests() {
    let setup = Setup::new().enforced_on_people().scenario_toml(
        r#"
        [[request]]
        user = "switcher"
        roles = ["prod-admin"]
        state = "approved"
        age = "2h"
        [[request]]
        user = "switcher"
        roles = ["research-admin"]
        state = "approved"
        age = "1h"
        [[request]]
        user = "hoarder"
        resources = ["/dev/node/node-1"]
        "#,
    );
    let mut world = setup.without_daemon().await;
    let request = |world: &crate::world::World, role: &str| {
        let snapshot = world.server().snapshot();
        let has = |stored: &&tribunal_sim::cluster::StoredRequest| stored.spec.as_ref().unwrap().roles == [role];
        snapshot.requests.iter().find(has).unwrap().metadata.as_ref().unwrap().name.clone()
    };
    world.start_daemon().await;
    // No time passes.
    world.until_locked(&request(&world, "prod-admin")).await;
    world.until_approved(&request(&world, "node-access")).await;
    assert!(world.standing(&request(&world, "research-admin")).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn c2_without_a_stream_the_poll_decides() {
    let mut world = Setup::new().without_daemon().await;
    world.server().faults(|faults| faults.fail("WatchEvents", Often::Probability(1.0), Code::Unavailable, "no stream"));
    world.start_daemon().await;
    world.until_status("the first list is in", |status| status.blind.is_none()).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.advance(POLL - Duration::from_secs(2));
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    world.advance(Duration::from_secs(1));
    world.until_approved(&request).await;
    world.assert_lawful();
}

#[tokio::test]
async fn c3_a_compliant_request_is_approved_as_soon_as_it_is_seen() {
    let world = Setup::new().start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let approved = world.until_approved(&request).await;
    assert_eq!(approved.reason, "Auto-approved: complies with access policies");
    world.assert_lawful();
}

#[tokio::test]
async fn c7_something_new_can_be_asked_for_again_and_again() {
    let world = Setup::new().start().await;
    let nodes = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"];
    let held = world.holds_nodes("hoarder", &nodes).await;
    for (age, request) in held.iter().enumerate() {
        let standing = world.until(request, "it stands", |standing| standing.is_locked() == (age < 3)).await;
        assert_eq!(standing.is_usable(), age >= 3, "{age}: {standing:?}");
    }
    world.assert_lawful();
}

#[tokio::test]
async fn c9_patterns_and_limits_are_the_operators() {
    let setup = Setup::new().cap(Some(r#"{"max-resources":1}"#)).separation(Some(r#"{"classes":["node","prod"]}"#));
    let world = setup.start().await;
    let node = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&node).await;
    let two = world.asks_for_nodes("alice", &["node-1", "node-2"]);
    assert_eq!(world.until_denied(&two).await.reason, "Request contains 2 resources, exceeds limit of 1");
    let prod = world.asks_for_roles("alice", &["prod-admin"]);
    world.until_usable(&prod).await;
    assert!(world.standing(&node).is_locked());
}

#[tokio::test]
async fn c10_every_decision_is_on_record_with_its_reason() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    let five = world.asks_for_nodes("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"]);
    let editor = world.asks_for_roles("climber", &["editor"]);
    world.until_denied(&five).await;
    world.settle().await;
    world.stop_daemon().await;
    let lines = world.ledger();
    let told = lines.iter().filter_map(|line| match &line.body {
        Body::Decided(decided) => Some(decided),
        Body::Outcome(_) | Body::Lifecycle(_) => None,
    });
    let told: Vec<_> = told.collect();
    for request in held.iter().chain([&five, &editor]) {
        let about = told.iter().filter(|decided| decided.request.as_ref().is_some_and(|asked| asked.id == *request));
        let about: Vec<_> = about.collect();
        assert_eq!(about.len(), 1, "`{request}` is decided once");
        assert!(!about[0].reason.is_empty());
        assert!(!about[0].determined_by.as_ref().unwrap().rules.is_empty());
    }
    let locks: Vec<_> = told.iter().flat_map(|decided| &decided.locks).collect();
    assert_eq!(locks.len(), 1);
    assert_eq!(locks[0].rule, "cap/held-over-cap");
}

#[tokio::test]
async fn c12_rights_on_requests_and_locks_are_enough() {
    let setup = Setup::new().scenario(|scenario| {
        scenario.bot.rules.retain(|rule| ["access_request", "lock"].contains(&rule.resources[0].as_str()));
    });
    let world = setup.start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research).await;
    world.assert_lawful();
}

#[tokio::test]
async fn c13_approvers_see_only_exceptions() {
    let mut world = Setup::new().start().await;
    world.asks_for_nodes("alice", &["node-1"]);
    world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    let exception = world.asks_for_roles("climber", &["auditor"]);
    world.settle().await;
    let pending = |stored: &&tribunal_sim::cluster::StoredRequest| {
        stored.spec.as_ref().unwrap().state == i32::from(RequestState::Pending)
    };
    let snapshot = world.server().snapshot();
    let left = snapshot.requests.iter().filter(pending).map(|stored| stored.metadata.as_ref().unwrap().name.clone());
    assert_eq!(left.collect::<Vec<_>>(), [exception]);
}
