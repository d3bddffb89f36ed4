//! Many users, many requests, failures of every kind, and a daemon that is killed again and again at whatever it is doing:
//! small enough for every run of the tests. It waits for changes, never for time.

use std::collections::BTreeSet;
use std::time::Duration;

use tonic::Code;
use tribunal_core::decision::Verdict;
use tribunal_proto::types::{AccessRequestV3, RequestState};
use tribunal_sim::cluster::Cluster;
use tribunal_sim::scenario::UserDef;
use tribunal_sim::{Change, Often};

use crate::world::Setup;
use crate::world::observer::{decision_of, spec};
use crate::world::witness::Witness;

const USERS: usize = 30;
const REQUESTS_OF_EACH: usize = 5;
const KILLS: u64 = 8;
/// So many changes of the server a daemon lives to see.
const CHANGES_OF_A_LIFE: u64 = 23;

/// Whether every request is decided or left to people.
fn is_all_done(cluster: &Cluster, witness: &Witness) -> bool {
    let pending = |request: &AccessRequestV3| spec(request).state == i32::from(RequestState::Pending);
    let waiting = cluster.requests().iter().filter(|(_, request)| pending(request)).map(|(id, _)| id.as_str());
    let waiting: BTreeSet<&str> = waiting.collect();
    if waiting.is_empty() {
        return true;
    }
    let decided = witness.decided();
    let left = decided
        .iter()
        .filter(|decided| decided.decision.as_ref().is_some_and(|decision| decision.verdict == Verdict::Leave));
    let left: BTreeSet<&str> = left.filter_map(|decided| Some(decided.request.as_ref()?.id.as_str())).collect();
    waiting.is_subset(&left)
}

#[tokio::test]
async fn nothing_forbidden_ever_was_whatever_failed_and_whoever_died() {
    let setup = Setup::new().in_real_time().scenario(|scenario| {
        let alice = scenario.users.iter().find(|user| user.name == "alice").unwrap().clone();
        let more = (0..USERS).map(|number| UserDef { name: format!("user-{number}"), ..alice.clone() });
        scenario.users.extend(more);
        scenario.faults.seed = 7;
    });
    let mut world = setup.start().await;
    world.server().faults(|faults| {
        faults.set_latency(Duration::ZERO, Duration::from_millis(3));
        faults.fail("*", Often::Probability(0.05), Code::Unavailable, "injected");
        faults.lose_reply("*", Often::Probability(0.02));
        faults.set_drop_watch_after(Some(200));
    });
    for request in 0..REQUESTS_OF_EACH {
        for user in 0..USERS {
            let name = format!("user-{user}");
            match (user + request) % 5 {
                0 => world.asks_for_roles(&name, &["prod-admin"]),
                1 => world.asks_for_roles(&name, &["research-admin"]),
                2 => world.asks_for_nodes(&name, &["node-1", "node-2"]),
                3 => world.asks_for_nodes(&name, &["node-3"]),
                _ => world.asks_for_nodes(&name, &["node-3", "node-4", "node-5", "node-6"]),
            };
        }
    }
    for _ in 0..KILLS {
        let end = world.server().snapshot().sequence + CHANGES_OF_A_LIFE;
        world
            .wait_until("the daemon has done something", |cluster, _| {
                (cluster.history().last_sequence() >= end || is_all_done(cluster, &world.witness)).then_some(())
            })
            .await;
        world.kill_daemon().await;
        // Starting is not what is tested here.
        world.server().faults(tribunal_sim::Faults::clear);
        world.start_daemon().await;
        world.server().faults(|faults| {
            faults.fail("*", Often::Probability(0.05), Code::Unavailable, "injected");
            faults.lose_reply("*", Often::Probability(0.02));
        });
    }
    world.server().faults(tribunal_sim::Faults::clear);
    world.wait_until("all is done", |cluster, _| is_all_done(cluster, &world.witness).then_some(())).await;
    world.until_seeing().await;
    world.assert_lawful();
    // The ledger on the disk explains every decision that stands on the server.
    world.stop_daemon().await;
    let ledger = world.ledger();
    let told: BTreeSet<String> = ledger
        .iter()
        .filter_map(|line| match line.clone().into_record().unwrap() {
            tribunal_core::record::Record::Decided(decided) => Some(decided.id.as_str().to_owned()),
            tribunal_core::record::Record::Outcome(_) | tribunal_core::record::Record::Lifecycle { .. } => None,
        })
        .collect();
    for entry in world.server().history() {
        if let Change::RequestPut(request) = &entry.change
            && let Some(decision) = decision_of(request)
        {
            assert!(told.contains(&decision), "`{decision}` is on record");
        }
    }
}
