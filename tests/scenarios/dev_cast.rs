//! The five users of `tribunal dev`: each is named for what they do. Nothing here knows how it comes about.

use tribunal_proto::types::RequestState;

use crate::world::Setup;
use crate::world::people::our_lock;

#[tokio::test]
async fn a_hoarder_never_has_four_resources_and_loses_the_oldest() {
    let world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    let oldest = world.until_locked(&held[0]).await;
    assert_eq!(oldest.locks.len(), 1);
    let (name, message) = &oldest.locks[0];
    assert_eq!(*name, our_lock(&held[0]));
    assert!(
        message.starts_with("Exceeded maximum approved resources limit (3) (cap/held-over-cap, tribunal decision ")
    );
    assert!(message.contains("; if you still need this access, request it again)"), "{message}");
    assert!(world.standing(&held[1]).is_usable());
    assert!(world.standing(&held[2]).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn a_straddler_is_denied_with_both_grounds_named() {
    let world = Setup::new().start().await;
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    let denied = world.until_denied(&both).await;
    assert_eq!(
        denied.reason,
        "Request contains conflicting environments - prod: [prod-admin], research: [research-admin]"
    );
    world.assert_lawful();
}

#[tokio::test]
async fn a_switcher_loses_prod_before_research_is_granted() {
    let world = Setup::new().start().await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research).await;
    let locked = world.until_locked(&prod).await;
    assert!(locked.locks[0].1.contains("separation/"), "{locked:?}");
    world.assert_lawful();
}

#[tokio::test]
async fn bulk_is_denied() {
    let world = Setup::new().start().await;
    let five = world.asks_for_nodes("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"]);
    let denied = world.until_denied(&five).await;
    assert_eq!(denied.reason, "Request contains 5 resources, exceeds limit of 3");
    world.assert_lawful();
}

#[tokio::test]
async fn a_climber_is_left_to_people() {
    let mut world = Setup::new().start().await;
    let editor = world.asks_for_roles("climber", &["editor"]);
    world.settle().await;
    assert_eq!(world.standing(&editor).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
    let decided = world.until_decided(1).await;
    let told: Vec<&str> = decided.iter().map(|decided| decided.reason.as_str()).collect();
    assert_eq!(told, ["left to people: role `editor` is protected"]);
    world.server().approve_as("admin", &editor, "just this once").unwrap();
    world.settle().await;
    assert_eq!(world.standing(&editor).reason, "just this once");
    world.assert_lawful();
}

#[tokio::test]
async fn all_five_at_once_end_as_each_alone() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    let five = world.asks_for_nodes("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"]);
    let editor = world.asks_for_roles("climber", &["editor"]);
    world.until_usable(&fourth).await;
    world.until_usable(&research).await;
    world.until_denied(&both).await;
    world.until_denied(&five).await;
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    assert!(world.standing(&prod).is_locked());
    assert_eq!(world.standing(&editor).state, RequestState::Pending);
    // Six approvals, two denials, two locks, and nothing twice.
    assert_eq!(world.writes(), 6 + 2 + 2);
    world.assert_lawful();
}
