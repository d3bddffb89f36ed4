//! What is never given whatever policies say, and what the policies say of cases that need the whole system to arise.

use tribunal_proto::types::RequestState;

use crate::world::{Setup, World};

/// The only request there is, seeded.
fn only(world: &World) -> String {
    let snapshot = world.server().snapshot();
    assert_eq!(snapshot.requests.len(), 1);
    snapshot.requests[0].metadata.as_ref().unwrap().name.clone()
}

#[tokio::test]
async fn h22_a_long_term_request_is_left_to_people() {
    let seeded = "[[request]]\nuser = \"alice\"\nroles = [\"prod-admin\"]\nlong-term = true\n";
    let mut world = Setup::new().scenario_toml(seeded).start().await;
    world.settle().await;
    assert_eq!(world.standing(&only(&world)).state, RequestState::Pending);
    let decided = world.until_decided(1).await;
    assert_eq!(decided.len(), 1);
    assert_eq!(decided[0].reason, "left to people: it asks for long-term access");
}

#[tokio::test]
async fn h6_protected_roles_are_left_to_people() {
    let mut world = Setup::new().start().await;
    let editor = world.asks_for_roles("climber", &["editor"]);
    let auditor = world.asks_for_roles("climber", &["auditor", "prod-admin"]);
    world.settle().await;
    assert_eq!(world.standing(&editor).state, RequestState::Pending);
    assert_eq!(world.standing(&auditor).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn h12_without_policies_nothing_is_approved() {
    let mut world = Setup::new().cap(None).separation(None).start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn where_every_policy_abstains_nothing_is_approved() {
    let mut world = Setup::new().cap(Some(r#"{"when-compliant":"abstain"}"#)).start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn h19_a_standing_role_counts_as_held() {
    let setup = Setup::new().scenario(|scenario| {
        let alice = scenario.users.iter_mut().find(|user| user.name == "alice").unwrap();
        alice.roles.push("prod-admin".to_owned());
    });
    let world = setup.start().await;
    let research = world.asks_for_roles("alice", &["research-admin"]);
    let denied = world.until_denied(&research).await;
    assert!(denied.reason.contains("standing roles"), "{}", denied.reason);
    world.assert_lawful();
}

#[tokio::test]
async fn h5_requests_of_roles_fill_the_cap() {
    let world = Setup::new().separation(None).start().await;
    let mut held = Vec::new();
    for _ in 0..20 {
        let request = world.asks_for_roles("alice", &["prod-admin"]);
        world.until_usable(&request).await;
        held.push(request);
    }
    let usable = held.iter().filter(|request| world.standing(request).is_usable()).count();
    assert_eq!(usable, 3);
    world.assert_lawful();
}

#[tokio::test]
async fn h3_the_oldest_give_way_first() {
    let world = Setup::new().start().await;
    let old = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&old).await;
    let mid = world.asks_for_nodes("alice", &["node-2", "node-3"]);
    world.until_usable(&mid).await;
    let new = world.asks_for_nodes("alice", &["node-4", "node-5"]);
    world.until_usable(&new).await;
    assert!(world.standing(&old).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn h8_only_what_conflicts_is_locked() {
    let world = Setup::new().start().await;
    let prod_a = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod_a).await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research).await;
    let prod_b = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod_b).await;
    let prod_c = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod_c).await;
    // Prod a does not conflict with what is kept, and comes back; three fit the cap.
    world.until_usable(&prod_a).await;
    assert!(world.standing(&research).is_locked());
    assert!(world.standing(&prod_b).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn h9_a_locked_request_conflicts_with_nothing() {
    let mut world = Setup::new().start().await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let research_a = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research_a).await;
    let research_b = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research_b).await;
    world.settle().await;
    assert!(world.standing(&prod).is_locked());
    assert!(world.standing(&research_a).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn h17_the_same_nodes_twice_count_once() {
    let mut world = Setup::new().start().await;
    let first = world.asks_for_nodes("alice", &["node-1", "node-2"]);
    world.until_usable(&first).await;
    let again = world.asks_for_nodes("alice", &["node-1", "node-2"]);
    world.until_usable(&again).await;
    world.settle().await;
    assert!(world.standing(&first).is_usable());
    assert!(world.server().snapshot().locks.is_empty());
    world.assert_lawful();
}
