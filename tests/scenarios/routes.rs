//! The daemon's story over each way to Teleport: nothing in it may depend on the way.

use tribunal_teleport::Route;

use crate::world::way::Way;
use crate::world::{Setup, World};

/// Approved, denied, locked and approved; the proxy is restarted, and it goes on.
async fn story(way: Way) -> World {
    let mut world = Setup::new().by(way).start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_denied(&both).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    world.entrance().restart();
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    // The stream may be down: the next list finds it.
    world.settle().await;
    world.until_usable(&prod).await;
    // Five approvals, a denial, a lock: nothing twice.
    assert_eq!(world.writes(), 5 + 1 + 1);
    world.assert_lawful();
    world
}

#[tokio::test]
async fn the_story_is_the_same_straight_to_auth() {
    let world = story(Way::Auth).await;
    assert!(matches!(world.entrance().reach().last.get(), Some(Route::Auth { .. })));
}

#[tokio::test]
async fn the_story_is_the_same_through_tls_routing() {
    let world = story(Way::TlsRouting).await;
    assert!(matches!(world.entrance().reach().last.get(), Some(Route::ProxyTls { .. })));
}

#[tokio::test]
async fn the_story_is_the_same_inside_a_connection_upgrade() {
    let world = story(Way::Upgrade).await;
    assert!(matches!(world.entrance().reach().last.get(), Some(Route::ProxyUpgrade { .. })));
}

#[tokio::test]
async fn the_story_is_the_same_through_ssh() {
    let world = story(Way::Ssh).await;
    assert!(matches!(world.entrance().reach().last.get(), Some(Route::ProxySsh { .. })));
}
