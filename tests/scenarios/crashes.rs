//! The daemon dies between any two steps, and the next one ends where the first would have. Deaths are at gates, never at
//! random moments.

use crate::world::gate::Place;
use crate::world::people::our_lock;
use crate::world::{Setup, World, within};

/// A fourth resource for a hoarder: lock the first, approve the fourth; the daemon dies at this place.
async fn dies_at(place: Place) -> (World, Vec<String>, String) {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.settle().await;
    world.gate.close(place);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the daemon is there", world.gate.reached()).await;
    world.kill_daemon().await;
    world.assert_lawful();
    (world, held, fourth)
}

async fn ends_as_if_nothing_had_happened((mut world, held, fourth): (World, Vec<String>, String)) {
    world.start_daemon().await;
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    world.until_seeing().await;
    assert_eq!(world.standing(&held[0]).locks[0].0, our_lock(&held[0]));
    assert!(world.standing(&held[1]).is_usable());
    assert!(world.standing(&held[2]).is_usable());
    assert_eq!(world.server().snapshot().locks.len(), 1);
    // Four approvals and one lock over both lives: nothing was done twice.
    assert_eq!(world.writes(), 4 + 1);
    world.assert_lawful();
    // Each step of the first life is accounted for as well.
    world.stop_daemon().await;
    let (_, recovery) = tribunal_ledger::Ledger::open(&world.ledger_dir()).unwrap();
    assert_eq!(recovery.open, []);
}

#[tokio::test]
async fn a_crash_before_the_lock_ends_in_the_same_state() {
    ends_as_if_nothing_had_happened(dies_at(Place::BeforeWriteLock).await).await;
}

#[tokio::test]
async fn a_crash_after_the_lock_that_nobody_heard_of_ends_in_the_same_state() {
    ends_as_if_nothing_had_happened(dies_at(Place::AfterWriteLock).await).await;
}

#[tokio::test]
async fn h28_a_crash_between_lock_and_approval_ends_in_the_same_state() {
    let (world, held, fourth) = dies_at(Place::BeforeResolve).await;
    assert!(world.standing(&held[0]).is_locked(), "the lock came first");
    assert!(!world.standing(&fourth).is_usable());
    ends_as_if_nothing_had_happened((world, held, fourth)).await;
}

#[tokio::test]
async fn a_crash_after_the_approval_that_nobody_heard_of_ends_in_the_same_state() {
    ends_as_if_nothing_had_happened(dies_at(Place::AfterResolve).await).await;
}

#[tokio::test]
async fn h40_h47_a_restarted_daemon_repeats_nothing_and_remembers() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    let five = world.asks_for_nodes("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"]);
    world.until_denied(&five).await;
    world.until_locked(&held[0]).await;
    world.settle().await;
    let writes = world.writes();
    world.stop_daemon().await;
    let lines = world.ledger();
    world.start_daemon().await;
    world.until_seeing().await;
    world.settle().await;
    assert_eq!(world.writes(), writes);
    world.stop_daemon().await;
    let after = world.ledger();
    assert_eq!(after[..lines.len()], lines, "nothing old was changed");
    world.assert_lawful();
}

#[tokio::test]
async fn what_happened_while_no_daemon_ran_is_put_in_order() {
    let mut world = Setup::new().enforced_on_people().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.stop_daemon().await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.server().approve_as("admin", &fourth, "the robot is down").unwrap();
    world.start_daemon().await;
    world.until_locked(&held[0]).await;
    world.until_seeing().await;
    world.assert_lawful();
}

#[tokio::test]
async fn a_stop_between_two_steps_ends_in_the_same_state_after_the_next_start() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.settle().await;
    world.gate.close(Place::AfterWriteLock);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the lock is written", world.gate.reached()).await;
    world.stop_daemon().await;
    world.gate.open();
    assert!(!world.standing(&fourth).is_usable(), "nothing new is begun after a stop");
    world.assert_lawful();
    ends_as_if_nothing_had_happened((world, held, fourth)).await;
}
