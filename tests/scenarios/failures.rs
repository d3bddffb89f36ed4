//! Calls fail, replies are lost, streams break, in real time: nothing forbidden happens meanwhile, and the end is as if
//! nothing had gone wrong.

use std::sync::Arc;

use tonic::Code;
use tribunal_core::decision::Verdict;
use tribunal_core::record::Lifecycle;
use tribunal_proto::types::{AccessRequestV3, RequestState};
use tribunal_sim::{Change, Entry, Often, RotationPhase};

use crate::world::observer::spec;
use crate::world::people::our_lock;
use crate::world::{Setup, World};

async fn hoarder_with_three() -> (World, Vec<String>) {
    let world = Setup::new().in_real_time().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    (world, held)
}

fn puts_of_lock(world: &World, name: &str) -> usize {
    let is_put = |entry: &&Arc<Entry>| match &entry.change {
        Change::LockPut(lock) => lock.metadata.as_ref().unwrap().name == name,
        Change::RequestPut(_)
        | Change::RequestDeleted(_)
        | Change::LockDeleted(_)
        | Change::PluginDataPut(_)
        | Change::SemaphorePut(_)
        | Change::SemaphoreDeleted(..)
        | Change::UserPut(_)
        | Change::UserDeleted(_)
        | Change::RolePut(_) => false,
    };
    world.server().history().iter().filter(is_put).count()
}

#[tokio::test]
async fn a_lost_reply_to_a_lock_is_not_repeated_blindly() {
    let (mut world, held) = hoarder_with_three().await;
    world.server().faults(|faults| faults.lose_reply("UpsertLock", Often::Next(1)));
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    assert_eq!(puts_of_lock(&world, &our_lock(&held[0])), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn a_lost_reply_to_an_approval_is_not_repeated_blindly() {
    let mut world = Setup::new().in_real_time().start().await;
    world.server().faults(|faults| faults.lose_reply("SetAccessRequestState", Often::Next(1)));
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    world.settle().await;
    assert_eq!(world.writes(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn a_lost_reply_to_a_denial_is_not_repeated_blindly() {
    let mut world = Setup::new().in_real_time().start().await;
    world.server().faults(|faults| faults.lose_reply("SetAccessRequestState", Often::Next(1)));
    let request = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_denied(&request).await;
    world.settle().await;
    assert_eq!(world.writes(), 1);
    world.assert_lawful();
}

/// Each method fails twice, with codes that may pass; then a user's case is as it should be.
async fn recovers_from(method: &str, code: Code) {
    let (world, held) = hoarder_with_three().await;
    world.server().faults(|faults| faults.fail(method, Often::Next(2), code, "injected"));
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    assert!(world.standing(&held[0]).is_locked(), "`{method}` {code:?}");
    assert_eq!(world.server().snapshot().locks.len(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn errors_of_writes_pass() {
    for code in [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted, Code::Unknown] {
        tokio::join!(recovers_from("UpsertLock", code), recovers_from("SetAccessRequestState", code));
    }
}

#[tokio::test]
async fn errors_of_reads_pass() {
    for code in [Code::Unavailable, Code::Internal, Code::FailedPrecondition] {
        tokio::join!(
            recovers_from("GetLock", code),
            recovers_from("ListAccessRequests", code),
            recovers_from("ListLocks", code),
        );
    }
}

#[tokio::test]
async fn users_whose_roles_cannot_be_read_right_now_wait() {
    for method in ["GetUser", "GetUserLoginState"] {
        let mut world = Setup::new().in_real_time().start().await;
        world.server().faults(|faults| faults.fail(method, Often::Next(3), Code::Unavailable, "injected"));
        let request = world.asks_for_nodes("alice", &["node-1"]);
        world.until_usable(&request).await;
        world.settle().await;
        world.assert_lawful();
    }
}

#[tokio::test]
async fn h11_when_a_lock_cannot_be_had_the_request_stays_pending() {
    let (mut world, held) = hoarder_with_three().await;
    world
        .server()
        .faults(|faults| faults.fail("UpsertLock", Often::Probability(1.0), Code::PermissionDenied, "denied"));
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_status("it was tried", |status| status.retrying > 0).await;
    world.settle().await;
    assert_eq!(world.standing(&fourth).state, RequestState::Pending);
    assert!(held.iter().all(|request| world.standing(request).is_usable()));
    let alarms = world.witness.lifecycle(Lifecycle::Alarm);
    assert!(alarms.iter().any(|alarm| alarm.contains("lock") && alarm.contains("denied")), "{alarms:?}");
    // When it can be had, all goes its way.
    world.server().faults(tribunal_sim::Faults::clear);
    world.until_usable(&fourth).await;
    assert!(world.standing(&held[0]).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn a_broken_stream_comes_back_and_loses_nothing() {
    let (mut world, held) = hoarder_with_three().await;
    for _ in 0..5 {
        world.server().drop_watches();
    }
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.server().drop_watches();
    world.until_usable(&fourth).await;
    world.until_seeing().await;
    assert!(world.standing(&held[0]).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn streams_that_break_after_every_event_lose_nothing() {
    let world = Setup::new().in_real_time().scenario(|scenario| scenario.faults.drop_watch_after = 2).start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4", "node-5"]).await;
    world.until_locked(&held[0]).await;
    world.until_locked(&held[1]).await;
    world.assert_lawful();
}

#[tokio::test]
async fn cut_connections_come_back() {
    let (world, held) = hoarder_with_three().await;
    world.server().cut_connections();
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    assert!(world.standing(&held[0]).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn a_slow_server_that_errs_and_forgets_to_answer_sees_nothing_forbidden() {
    let world = Setup::new().in_real_time().start().await;
    world.server().faults(|faults| {
        faults.set_latency(std::time::Duration::from_millis(1), std::time::Duration::from_millis(5));
        faults.fail("*", Often::Probability(0.05), Code::Unavailable, "injected");
        faults.lose_reply("*", Often::Probability(0.02));
        faults.set_drop_watch_after(Some(7));
    });
    let users = ["hoarder", "switcher", "alice", "bulk"];
    for round in 1..=6 {
        for user in users {
            world.asks_for_nodes(user, &[&format!("node-{round}")]);
        }
        world.asks_for_roles("straddler", &[if round % 2 == 0 { "prod-admin" } else { "research-admin" }]);
        world.server().drop_watches();
    }
    // An older request may find that a newer one, which met no failure, took its place: then people decide.
    let left = |id: &str| {
        world.witness.decided().iter().any(|decided| {
            decided.request.as_ref().is_some_and(|request| request.id.as_str() == id)
                && decided.decision.as_ref().is_some_and(|decision| decision.verdict == Verdict::Leave)
        })
    };
    world
        .wait_until("everything is decided or left to people", |cluster, _| {
            let pending = |request: &AccessRequestV3| spec(request).state == i32::from(RequestState::Pending);
            cluster.requests().iter().all(|(id, request)| !pending(request) || left(id)).then_some(())
        })
        .await;
    world.assert_lawful();
}

#[tokio::test]
async fn lists_that_trail_behind_approve_nothing_forbidden() {
    let mut world = Setup::new().in_real_time().scenario(|scenario| scenario.faults.stale_list = 3).start().await;
    let nodes = ["node-1", "node-2", "node-3", "node-4", "node-5"];
    let held: Vec<_> = nodes.iter().map(|node| world.asks_for_nodes("hoarder", &[node])).collect();
    for request in &held {
        world.until_approved(request).await;
    }
    world.server().with(|cluster, _| cluster.set_stale_list(0));
    world.settle().await;
    world.until_locked(&held[0]).await;
    world.until_locked(&held[1]).await;
    world.assert_lawful();
}

#[tokio::test]
async fn h30_many_users_are_served_side_by_side() {
    let users = 40;
    let mut setup = Setup::new();
    for number in 0..users {
        setup = setup.scenario(|scenario| {
            let alice = scenario.users.iter().find(|user| user.name == "alice").unwrap().clone();
            scenario.users.push(tribunal_sim::scenario::UserDef { name: format!("user-{number}"), ..alice });
        });
    }
    let world = setup.start().await;
    let requests: Vec<_> =
        (0..users).map(|number| world.asks_for_nodes(&format!("user-{number}"), &["node-1"])).collect();
    for request in &requests {
        world.until_approved(request).await;
    }
    assert_eq!(world.writes(), users);
    world.assert_lawful();
}

#[tokio::test]
async fn h35_renewed_identities_and_authorities_are_followed() {
    let world = Setup::new().in_real_time().start().await;
    world.server().rotate_authorities(RotationPhase::Init).unwrap();
    world.server().rotate_authorities(RotationPhase::UpdateClients).unwrap();
    world.sim().write_identities().unwrap();
    world.server().cut_connections();
    let first = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&first).await;
    world.server().rotate_authorities(RotationPhase::UpdateServers).unwrap();
    world.server().cut_connections();
    let second = world.asks_for_nodes("alice", &["node-2"]);
    world.until_approved(&second).await;
    world.server().rotate_authorities(RotationPhase::Standby).unwrap();
    world.server().cut_connections();
    let third = world.asks_for_nodes("alice", &["node-3"]);
    world.until_approved(&third).await;
    world.assert_lawful();
}
