//! People act in between and have the last word: what they decide, lock, edit and delete is seen before anything is
//! written, and stands.

use tribunal_core::record::Lifecycle;
use tribunal_proto::types::RequestState;

use crate::world::gate::Place;
use crate::world::people::our_lock;
use crate::world::{Setup, World, within};

/// Holds the daemon after it has judged a request, right before it looks at it once more.
async fn judged(world: &World, ask: impl FnOnce(&World) -> String) -> String {
    world.gate.close(Place::BeforeReread);
    let request = ask(world);
    within("the request is judged", world.gate.reached()).await;
    request
}

fn five(world: &World) -> String {
    world.asks_for_nodes("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"])
}

#[tokio::test]
async fn h10a_what_a_person_approves_meanwhile_is_not_denied() {
    let mut world = Setup::new().start().await;
    let request = judged(&world, five).await;
    world.server().approve_as("admin", &request, "agreed with the owner").unwrap();
    world.gate.open();
    world.settle().await;
    let standing = world.standing(&request);
    assert!(standing.is_usable(), "{standing:?}");
    assert_eq!(standing.reason, "agreed with the owner");
    assert_eq!(world.writes(), 0);
    world.assert_lawful();
}

#[tokio::test]
async fn h10b_a_persons_words_are_not_overwritten_by_our_own_approval() {
    let mut world = Setup::new().start().await;
    let request = judged(&world, |world| world.asks_for_nodes("alice", &["node-1"])).await;
    world.server().approve_as("admin", &request, "by hand").unwrap();
    world.gate.open();
    world.settle().await;
    assert_eq!(world.standing(&request).reason, "by hand");
    assert_eq!(world.writes(), 0);
    world.assert_lawful();
}

#[tokio::test]
async fn what_a_person_denies_meanwhile_stays_denied() {
    let mut world = Setup::new().start().await;
    let request = judged(&world, |world| world.asks_for_nodes("alice", &["node-1"])).await;
    world.server().deny_as("admin", &request, "not today").unwrap();
    world.gate.open();
    world.settle().await;
    let standing = world.standing(&request);
    assert_eq!((standing.state, standing.reason.as_str()), (RequestState::Denied, "not today"));
    assert_eq!(world.writes(), 0);
    world.assert_lawful();
}

/// No call can ask whether something changed since; the server itself refuses this one.
#[tokio::test]
async fn a_denial_after_our_last_look_stays_as_well() {
    let mut world = Setup::new().start().await;
    world.gate.close(Place::BeforeResolve);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    within("the approval is on its way", world.gate.reached()).await;
    world.server().deny_as("admin", &request, "not today").unwrap();
    world.gate.open();
    world.settle().await;
    let standing = world.standing(&request);
    assert_eq!((standing.state, standing.reason.as_str()), (RequestState::Denied, "not today"));
    world.assert_lawful();
}

#[tokio::test]
async fn a_request_that_is_deleted_meanwhile_is_let_go() {
    let mut world = Setup::new().start().await;
    let request = judged(&world, |world| world.asks_for_nodes("alice", &["node-1"])).await;
    world.server().with(|cluster, now| {
        cluster.delete_request(&tribunal_sim::Caller::person("admin", &["admin"]), now, &request).unwrap();
    });
    world.gate.open();
    world.settle().await;
    assert!(world.server().snapshot().requests.is_empty());
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_lock_that_appears_meanwhile_makes_ours_needless() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = judged(&world, |world| world.asks_for_nodes("hoarder", &["node-4"])).await;
    world.admin_locks("incident-7", &held[2]);
    world.gate.open();
    world.until_usable(&fourth).await;
    world.settle().await;
    // With the newest locked by the admin, three are left: ours, if it was written before we knew, is gone again.
    assert!(world.standing(&held[0]).is_usable());
    assert!(world.standing(&held[1]).is_usable());
    assert_eq!(world.server().snapshot().locks.len(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn h14_a_request_that_an_admin_locked_takes_no_room() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.admin_locks("incident-7", &held[2]);
    world.settle().await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.settle().await;
    assert!(world.standing(&held[0]).is_usable());
    assert!(world.standing(&held[1]).is_usable());
    assert_eq!(world.server().snapshot().locks.len(), 1, "only the admin's");
    // When the incident is over there are four, and the oldest gives way.
    world.server().delete_lock_as("admin", "incident-7").unwrap();
    world.until_locked(&held[0]).await;
    world.settle().await;
    world.assert_lawful();
}

#[tokio::test]
async fn h4_what_a_person_approved_is_neither_locked_nor_counted() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.gate.close(Place::BeforeReread);
    let exception = world.asks_for_nodes("hoarder", &["node-3", "node-4", "node-5", "node-6"]);
    within("the request is judged", world.gate.reached()).await;
    world.server().approve_as("admin", &exception, "for the migration").unwrap();
    world.gate.open();
    world.settle().await;
    assert!(world.standing(&exception).is_usable());
    assert!(held.iter().all(|request| world.standing(request).is_usable()));
    assert!(world.server().snapshot().locks.is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn where_the_operator_says_so_what_people_approved_counts_like_any_other() {
    let mut world = Setup::new().enforced_on_people().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.gate.close(Place::BeforeReread);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the request is judged", world.gate.reached()).await;
    world.server().approve_as("admin", &fourth, "by hand").unwrap();
    world.gate.open();
    world.until_locked(&held[0]).await;
    world.settle().await;
    assert!(world.standing(&fourth).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn separation_leaves_to_people_what_only_locking_their_own_approval_would_allow() {
    let mut world = Setup::new().start().await;
    world.gate.close(Place::BeforeReread);
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    within("the request is judged", world.gate.reached()).await;
    world.server().approve_as("admin", &prod, "on call").unwrap();
    world.gate.open();
    world.settle().await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.settle().await;
    assert_eq!(world.standing(&research).state, RequestState::Pending);
    assert!(world.standing(&prod).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn h41_a_lock_that_a_person_deletes_is_put_back_at_once_and_not_only_after_a_restart() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    world.settle().await;
    world.server().delete_lock_as("admin", &our_lock(&held[0])).unwrap();
    world.until_locked(&held[0]).await;
    world.settle().await;
    let told = world.witness.lifecycle(Lifecycle::Overridden);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with("of `hoarder` was deleted by somebody else"), "{told:?}");
    world.assert_lawful();
}

#[tokio::test]
async fn h42_a_lock_that_a_person_edited_is_not_overwritten() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    world.settle().await;
    world.admin_edits(&our_lock(&held[0]), &held[0], "kept for the audit");
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(world.standing(&held[0]).locks, [(our_lock(&held[0]), "kept for the audit".to_owned())]);
    // Nor is it released when nobody needs it any more.
    world.server().with(|cluster, now| {
        cluster.delete_request(&tribunal_sim::Caller::person("admin", &["admin"]), now, &held[3]).unwrap();
    });
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn a_lock_deleted_before_the_approval_that_needs_it_is_written_again_first() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.gate.close(Place::AfterWriteLock);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the lock is written", world.gate.reached()).await;
    world.server().delete_lock_as("admin", &our_lock(&held[0])).unwrap();
    world.gate.open();
    world.until_usable(&fourth).await;
    assert!(world.standing(&held[0]).is_locked());
    world.settle().await;
    world.assert_lawful();
}

#[tokio::test]
async fn what_a_person_approves_beside_it_is_weighed_before_the_approval() {
    let mut world = Setup::new().enforced_on_people().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = judged(&world, |world| world.asks_for_nodes("hoarder", &["node-4"])).await;
    let fifth = world.asks_for_nodes("hoarder", &["node-5"]);
    world.server().approve_as("admin", &fifth, "by hand").unwrap();
    // The daemon hears of it while its plan for the fourth is still under way.
    world.advance(crate::world::POLL);
    let since = tribunal_ports::Clock::now(world.clock());
    world.until_status("it is heard of", |status| status.last_full_list.is_some_and(|begun| begun >= since)).await;
    world.gate.open();
    world.until_locked(&held[0]).await;
    world.settle().await;
    world.settle().await;
    assert!(world.standing(&fifth).is_usable());
    assert!(world.standing(&fourth).state != RequestState::Denied);
    world.assert_lawful();
}
