//! The five users of `tribunal dev`: each is named for what they do. Nothing here knows how it comes about.

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
    assert!(message.starts_with("Exceeded maximum approved resources limit (3) (cap/held-over-cap, tribunal decision "));
    assert!(message.ends_with("if you still need this access, request it again)"));
    assert!(world.standing(&held[1]).is_usable());
    assert!(world.standing(&held[2]).is_usable());
    world.assert_lawful();
}
