//! Two daemons on one cluster never act at once: one leads, the other stands by and takes over. Their clocks are the
//! test's; each has a ledger and connections of its own.

use std::time::Duration;

use tonic::Code;
use tribunal::daemon::lease::{MARGIN, Mode, Stand, TERM};
use tribunal_core::record::{Lifecycle, StepResult};
use tribunal_proto::types::RequestState;
use tribunal_sim::{Change, Often};

use crate::world::gate::Place;
use crate::world::observer::{id, spec};
use crate::world::rival::{Rival, is_leading, says};
use crate::world::{POLL, Setup, World, within};

/// More than the pause between two tries of a standby.
const TRY: Duration = Duration::from_secs(6);

/// A leader and its standby.
async fn two(setup: Setup) -> (World, Rival, Rival) {
    let world = setup.without_daemon().await;
    let mut one = world.start_rival("one", "one1", Mode::Auto).await;
    one.until_leading().await;
    let mut two = world.start_rival("two", "two1", Mode::Auto).await;
    two.until("it stands by", says("`one` leads")).await;
    (world, one, two)
}

/// The annotations of the one resolution of a request: which decision it was.
#[track_caller]
fn resolved_once_by(world: &World, request: &str) -> String {
    let mut by = Vec::new();
    for entry in world.server().history() {
        let Change::RequestPut(put) = &entry.change else { continue };
        if id(put) == request && spec(put).state != i32::from(RequestState::Pending) {
            by.push(format!("{:?}", spec(put).resolve_annotations));
        }
    }
    assert_eq!(by.len(), 1, "`{request}` was resolved once: {by:?}");
    by.remove(0)
}

#[tokio::test]
async fn h29_of_two_daemons_one_acts_and_after_its_stop_the_other_does_at_once() {
    let (world, one, mut two) = two(Setup::new()).await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    assert!(two.status.borrow().as_ref().is_some_and(|status| status.blind.as_deref() == Some("standby: `one` leads")));
    let (_, ends) = world.lease().unwrap();
    one.stop().await;
    assert_eq!(world.lease(), None, "given back");
    let after_stop = world.asks_for_nodes("hoarder", &["node-4"]);
    world.leap_until(&mut two, TRY, is_leading).await;
    world.until_usable(&after_stop).await;
    world.until_locked(&held[0]).await;
    assert!(world.server().now() < ends, "nobody waited for an end");
    for request in &held {
        assert!(resolved_once_by(&world, request).contains("one1-"));
    }
    assert!(resolved_once_by(&world, &after_stop).contains("two1-"));
    assert_eq!(world.witness.lifecycle(Lifecycle::Leading), ["dev", "dev"]);
    assert_eq!(world.witness.lifecycle(Lifecycle::StandbyBegan), ["`one` leads"]);
    two.stop().await;
    world.assert_lawful();
}

#[tokio::test]
async fn h29_when_the_leader_dies_the_other_ends_its_work_once_the_lease_is_over_and_not_before() {
    let (world, one, mut two) = two(Setup::new()).await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    one.gate.close(Place::AfterWriteLock);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the first is between lock and approval", one.gate.reached()).await;
    one.kill().await;
    let (_, ends) = world.lease().unwrap();
    world.leap_until(&mut two, TRY, is_leading).await;
    assert!(world.server().now() >= ends, "it waited for the end");
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    assert!(resolved_once_by(&world, &fourth).contains("two1-"));
    assert_eq!(world.server().snapshot().locks.len(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn h29_a_lease_that_an_admin_deletes_is_used_by_the_other_only_after_the_leader_noticed() {
    let (world, mut one, mut two) = two(Setup::new()).await;
    one.gate.close(Place::BeforeResolve);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    within("the first is about to approve", one.gate.reached()).await;
    world.admin_deletes_semaphores();
    let deleted = world.server().now();
    world.leap_until(&mut two, TRY, says("until whoever led before has stopped")).await;
    assert_eq!(one.stand(), Stand::Leading, "it does not know yet");
    // It finds out when it keeps its lease, and what was under way is gone with it.
    world.leap_until(&mut one, TRY, says("the lease was lost")).await;
    assert!(matches!(two.stand(), Stand::Standby(_)), "nobody acts");
    one.gate.open();
    one.until("it sees who has the lease now", |_| world.lease().is_some_and(|(holder, _)| holder == "two")).await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    world.leap_until(&mut two, TRY, is_leading).await;
    assert!(world.server().now() >= deleted.plus_ms(i64::try_from((TERM - MARGIN).as_millis()).unwrap()));
    world.until_usable(&request).await;
    assert!(resolved_once_by(&world, &request).contains("two1-"));
    assert!(matches!(one.stand(), Stand::Standby(_)));
    world.assert_lawful();
}

#[tokio::test]
async fn h29_a_leader_that_slept_past_its_lease_sends_nothing_and_begins_anew() {
    let world = Setup::new().without_daemon().await;
    let mut one = world.start_rival("one", "one1", Mode::Auto).await;
    one.until_leading().await;
    one.gate.close(Place::BeforeResolve);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    within("it is about to approve", one.gate.reached()).await;
    // As if the machine had been asleep.
    world.advance(10 * TERM);
    one.until("it gives up", says("the lease was lost")).await;
    one.gate.open();
    world.leap_until(&mut one, TRY, is_leading).await;
    world.until_usable(&request).await;
    assert!(resolved_once_by(&world, &request).contains("one1.2-"), "what was decided before was not carried out");
    let settled = |outcome: &tribunal_core::record::Outcome| {
        outcome.decision.as_str().starts_with("one1-") && matches!(outcome.result, StepResult::Superseded(_))
    };
    assert!(world.witness.outcomes().iter().any(settled), "what was open is accounted for");
    world.assert_lawful();
}

#[tokio::test]
async fn h29_a_daemon_that_crashed_finds_its_own_lease_again_and_waits_for_nobody() {
    let world = Setup::new().without_daemon().await;
    let mut one = world.start_rival("one", "one1", Mode::Auto).await;
    one.until_leading().await;
    one.kill().await;
    let mut again = world.start_rival("one", "one2", Mode::Auto).await;
    again.until_leading().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&request).await;
    assert!(resolved_once_by(&world, &request).contains("one2-"));
}

#[tokio::test]
async fn a_leader_that_cannot_keep_its_lease_stops_before_it_ends() {
    let (world, mut one, two) = two(Setup::new()).await;
    let (_, ends) = world.lease().unwrap();
    world.server().faults(|faults| {
        for method in ["KeepAliveSemaphoreLease", "ListSemaphores", "AcquireSemaphore"] {
            faults.fail(method, Often::Probability(1.0), Code::Unavailable, "down");
        }
    });
    world.leap_until(&mut one, 2 * TRY, says("the lease was lost")).await;
    assert!(world.server().now() < ends, "before anybody else can have it");
    let request = world.asks_for_nodes("alice", &["node-1"]);
    assert!(matches!(two.stand(), Stand::Standby(_)));
    assert_eq!(world.standing(&request).state, RequestState::Pending);
}

#[test]
fn what_is_under_way_when_a_leader_stops_has_ended_when_another_may_lead() {
    let call_max = Duration::from_secs(tribunal_teleport::client::CALL_SECS_MAX);
    let clocks_differ_max = MARGIN.checked_sub(call_max).unwrap();
    assert!(clocks_differ_max >= Duration::from_secs(3), "{clocks_differ_max:?}");
}

/// Watcher C12: requests and locks are all that the sample watcher's role has.
#[tokio::test]
async fn c12_without_the_right_to_semaphores_a_daemon_acts_alone_unless_it_must_not() {
    let setup = Setup::new().scenario(|scenario| {
        scenario.bot.rules.retain(|rule| ["access_request", "lock"].contains(&rule.resources[0].as_str()));
    });
    let world = setup.without_daemon().await;
    let mut must = world.start_rival("must", "must", Mode::Required).await;
    must.until("it says what is missing", says("lacks semaphore: create, update")).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let mut may = world.start_rival("may", "may", Mode::Auto).await;
    may.until("it acts", |stand| *stand == Stand::Alone).await;
    world.until_usable(&request).await;
    assert!(resolved_once_by(&world, &request).contains("may-"));
    world.advance(POLL);
    must.until("it still does", says("lacks semaphore: create, update")).await;
    within("a person is called", world.witness.until(|witness| !witness.lifecycle(Lifecycle::Alarm).is_empty())).await;
    may.stop().await;
    must.stop().await;
}

#[tokio::test]
async fn on_a_server_without_semaphores_a_daemon_acts_alone() {
    let world = Setup::new().without_daemon().await;
    world.server().faults(|faults| {
        for method in ["AcquireSemaphore", "ListSemaphores", "GetSemaphores"] {
            faults.fail(method, Often::Probability(1.0), Code::Unimplemented, "unknown method");
        }
    });
    let mut one = world.start_rival("one", "one1", Mode::Auto).await;
    one.until("it acts", |stand| *stand == Stand::Alone).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&request).await;
}

#[tokio::test]
async fn who_heeds_nobody_takes_no_lease() {
    let world = Setup::new().without_daemon().await;
    let mut off = world.start_rival("off", "off", Mode::Off).await;
    off.until("it acts", |stand| *stand == Stand::Alone).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&request).await;
    assert_eq!(world.lease(), None);
}
