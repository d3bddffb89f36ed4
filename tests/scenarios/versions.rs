//! The daemon's story with each release of Teleport, and across an upgrade: nothing in it may depend on the release.

use tribunal_sim::Release;

use crate::world::Setup;

/// What a client can do without, because something older does it as well.
const REPLACEABLE: [&str; 5] =
    ["ListAccessRequests", "ListLocks", "ListSemaphores", "ListUnifiedResources", "UsersService/GetUser"];

/// Approved, denied, locked and approved; the server is restarted under way, as `next` if that is another, and it goes on.
async fn story(release: Release, lacks: &[&str], next: Option<Release>) {
    let lacks = lacks.iter().map(|method| (*method).to_owned()).collect();
    let mut world = Setup::new()
        .scenario(|scenario| {
            scenario.release = Some(release);
            scenario.lacks = lacks;
        })
        .start()
        .await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_denied(&both).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    if let Some(next) = next {
        world.server().with(|cluster, _| cluster.become_release(next));
    }
    world.server().cut_connections();
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    // The stream may be down: the next list finds it.
    world.settle().await;
    world.until_usable(&prod).await;
    // Five approvals, a denial, a lock: nothing twice.
    assert_eq!(world.writes(), 5 + 1 + 1);
    world.assert_lawful();
}

#[tokio::test]
async fn the_story_is_the_same_with_release_16_and_an_upgrade_to_17() {
    story(Release::V16, &[], Some(Release::V17)).await;
}

#[tokio::test]
async fn the_story_is_the_same_with_release_17_and_an_upgrade_to_18() {
    story(Release::V17, &[], Some(Release::V18)).await;
}

#[tokio::test]
async fn the_story_is_the_same_with_release_18_and_an_upgrade_to_19() {
    story(Release::V18, &[], Some(Release::V19)).await;
}

#[tokio::test]
async fn the_story_is_the_same_with_release_19_and_a_downgrade_to_18() {
    story(Release::V19, &[], Some(Release::V18)).await;
}

#[tokio::test]
async fn the_story_is_the_same_where_all_lacks_that_something_older_does_as_well() {
    story(Release::V16, &REPLACEABLE, None).await;
}
