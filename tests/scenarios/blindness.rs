//! Law 8: with a view that may be incomplete the daemon is silent, and says so; with rights that do not suffice it does
//! nothing halfway.

use std::time::Duration;

use tonic::Code;
use tribunal_core::record::Lifecycle;
use tribunal_proto::types::RequestState;
use tribunal_sim::Often;

use crate::world::{POLL, Setup};

/// Takes verbs on a kind from the daemon's role.
fn without(kind: &'static str, verbs: &'static [&'static str]) -> Setup {
    Setup::new().scenario(|scenario| {
        let rule = scenario.bot.rules.iter_mut().find(|rule| rule.resources[0] == kind).unwrap();
        rule.verbs.retain(|verb| !verbs.contains(&verb.as_str()));
    })
}

/// Without these rights the server answers with the caller's own requests only, and says nothing; the roles do.
#[tokio::test]
async fn h21_without_the_right_to_see_requests_nothing_is_done_and_that_is_said() {
    for verbs in [&["list"][..], &["read"], &["list", "read"]] {
        let mut world = Setup::new()
            .scenario(|scenario| {
                let rule = scenario.bot.rules.iter_mut().find(|rule| rule.resources[0] == "access_request").unwrap();
                rule.verbs.retain(|verb| !verbs.contains(&verb.as_str()));
            })
            .without_daemon()
            .await;
        let request = world.asks_for_nodes("alice", &["node-1"]);
        world.start_daemon().await;
        let lacks = |status: &tribunal_core::Status| {
            status.blind.as_ref().is_some_and(|why| why.contains("lacks access_request"))
        };
        world.until_status("it says what is missing", lacks).await;
        assert_eq!(world.standing(&request).state, RequestState::Pending, "{verbs:?}");
        assert_eq!(world.writes(), 0);
        world.stop_daemon().await;
    }
}

#[tokio::test]
async fn without_the_right_to_see_locks_nothing_is_done_and_that_is_said() {
    for verb in ["list", "read"] {
        let mut world = Setup::new()
            .scenario(|scenario| {
                let rule = scenario.bot.rules.iter_mut().find(|rule| rule.resources[0] == "lock").unwrap();
                rule.verbs.retain(|has| has != verb);
            })
            .without_daemon()
            .await;
        let request = world.asks_for_nodes("alice", &["node-1"]);
        world.start_daemon().await;
        let says = |status: &tribunal_core::Status| status.blind.as_ref().is_some_and(|why| why.contains("lacks lock"));
        world.until_status("it says what is missing", says).await;
        assert_eq!(world.standing(&request).state, RequestState::Pending);
        assert_eq!(world.writes(), 0);
        world.stop_daemon().await;
        assert!(world.witness.lifecycle(Lifecycle::ViewIncomplete).iter().any(|why| why.contains("lacks lock")));
    }
}

#[tokio::test]
async fn without_the_right_to_lock_the_request_stays_pending_and_a_person_is_called() {
    let mut world = without("lock", &["create"]).start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_status("it was tried", |status| status.retrying > 0).await;
    world.settle().await;
    assert_eq!(world.standing(&fourth).state, RequestState::Pending);
    assert!(held.iter().all(|request| world.standing(request).is_usable()));
    world.until_alarm(&["the daemon's role needs lock"]).await;
    world.assert_lawful();
}

#[tokio::test]
async fn without_the_right_to_decide_the_request_stays_pending_and_a_person_is_called() {
    let mut world = without("access_request", &["update"]).start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_status("it was tried", |status| status.retrying > 0).await;
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
    world.until_alarm(&["needs access_request", "update"]).await;
}

#[tokio::test]
async fn h36_while_lists_fail_nothing_is_approved_and_sight_comes_back_by_itself() {
    let mut world = Setup::new().in_real_time().start().await;
    world.server().faults(|faults| faults.fail("ListLocks", Often::Probability(1.0), Code::Unavailable, "down"));
    world.until_status("it is blind", |status| status.blind.is_some()).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_status("it still is", |status| status.blind.is_some()).await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    world.server().faults(tribunal_sim::Faults::clear);
    world.until_usable(&request).await;
    assert_eq!(world.witness.lifecycle(Lifecycle::ViewIncomplete).len(), 1, "said once");
    world.assert_lawful();
}

#[tokio::test]
async fn without_a_stream_a_view_of_two_intervals_is_too_old() {
    let mut world = Setup::new().start().await;
    world.server().faults(|faults| {
        faults.fail("WatchEvents", Often::Probability(1.0), Code::Unavailable, "no stream");
        faults.set_latency(Duration::ZERO, Duration::ZERO);
    });
    world.gate.close(crate::world::gate::Place::BeforeList);
    world.server().drop_watches();
    // The poll begins and hangs; the stream is gone; time goes by.
    world.advance(POLL);
    crate::world::within("the poll hangs", world.gate.reached()).await;
    world.advance(2 * POLL);
    let why = world.until_status("it is blind", |status| status.blind.is_some()).await.blind.unwrap();
    assert!(why.contains("the watch stream is down") && why.contains("s old"), "{why}");
    let request = world.asks_for_nodes("alice", &["node-1"]);
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    world.gate.open();
    world.settle().await;
    world.until_approved(&request).await;
    world.assert_lawful();
}

#[tokio::test]
async fn h38_a_list_of_many_pages_is_whole() {
    let mut more = String::new();
    for number in 0..450 {
        more.push_str(&format!(
            "[[request]]\nuser = \"bulk\"\nroles = [\"prod-admin\"]\nstate = \"denied\"\nage = \"{}s\"\n",
            number + 10
        ));
    }
    more.push_str("[[request]]\nuser = \"alice\"\nroles = [\"prod-admin\"]\n");
    let mut world = Setup::new().scenario_toml(&more).start().await;
    world.settle().await;
    assert_eq!(world.writes(), 1, "the one pending request was found and approved");
    world.assert_lawful();
}

#[tokio::test]
async fn a_view_that_becomes_incomplete_while_a_request_is_judged_stops_its_approval() {
    let mut world = Setup::new().start().await;
    world.gate.close(crate::world::gate::Place::BeforeReread);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    crate::world::within("the request is judged", world.gate.reached()).await;
    world.server().faults(|faults| faults.fail("ListLocks", Often::Probability(1.0), Code::Unavailable, "down"));
    world.advance(POLL);
    world.until_status("it is blind", |status| status.blind.is_some()).await;
    world.gate.open();
    world.until_status("the round ends", |status| status.in_flight == 0).await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
    world.server().faults(tribunal_sim::Faults::clear);
    world.settle().await;
    world.until_usable(&request).await;
    world.assert_lawful();
}
