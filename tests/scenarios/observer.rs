//! The observer can fail: each thing that must never be, brought about by hand in the daemon's name, is seen. No daemon
//! runs here.

use std::collections::BTreeMap;
use std::time::Duration;

use tribunal_proto::proto::RequestStateSetter;
use tribunal_proto::types::RequestState;
use tribunal_sim::Caller;

use crate::world::people::{lock, our_lock};
use crate::world::witness::Intent;
use crate::world::{Setup, World, observer};

/// The daemon's user resolves a request, with or without its mark.
fn resolves(world: &World, request: &str, state: RequestState, decision: Option<&str>) {
    let annotations = decision.map(|decision| {
        let values = vec![decision.to_owned()];
        let values = tribunal_proto::wrappers::StringValues { values };
        tribunal_proto::wrappers::LabelValues { values: [("tribunal/decision".to_owned(), values)].into() }
    });
    let update = RequestStateSetter { id: request.to_owned(), state: state.into(), annotations, ..Default::default() };
    world.server().with(|cluster, now| cluster.set_request_state(&bot(world), now, update)).unwrap();
}

fn bot(world: &World) -> Caller {
    Caller { bot: true, ..Caller::person(&world.bot(), &["tribunal"]) }
}

fn finds(world: &World, intents: &BTreeMap<String, Intent>) -> Vec<String> {
    observer::faults(&world.server().history(), intents, &world.rules(), world.server().now())
}

fn intent(durable_at: u64, request: &str, approve: bool, locks: &[&str]) -> Intent {
    Intent {
        durable_at,
        resolves: Some((request.to_owned(), approve)),
        locks: locks.iter().map(|request| our_lock(request)).collect(),
        releases: Vec::new(),
    }
}

#[track_caller]
fn assert_found(found: &[String], wanted: &str) {
    assert!(found.iter().any(|fault| fault.contains(wanted)), "{wanted}: {found:?}");
}

#[tokio::test]
async fn it_sees_a_change_without_an_intent_and_one_whose_intent_came_too_late() {
    let world = Setup::new().without_daemon().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    resolves(&world, &request, RequestState::Approved, Some("d-1"));
    let newest = world.server().history().last().unwrap().sequence;
    assert_found(&finds(&world, &BTreeMap::new()), "without a durable intent");
    let late = BTreeMap::from([("d-1".to_owned(), intent(newest, &request, true, &[]))]);
    assert_found(&finds(&world, &late), "without a durable intent");
    let other = BTreeMap::from([("d-1".to_owned(), intent(newest - 1, &request, false, &[]))]);
    assert_found(&finds(&world, &other), "without a durable intent");
    let timely = BTreeMap::from([("d-1".to_owned(), intent(newest - 1, &request, true, &[]))]);
    assert_eq!(finds(&world, &timely), Vec::<String>::new());
}

#[tokio::test]
async fn it_sees_a_review_without_an_intent_and_one_that_was_not_planned() {
    let world = Setup::new().reviewing().without_daemon().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.server().review_as(&world.bot(), &request, true, "fine (tribunal decision d-1)").unwrap();
    assert_found(&finds(&world, &BTreeMap::new()), "without a durable intent");
    let other = BTreeMap::from([("d-1".to_owned(), intent(0, &request, false, &[]))]);
    assert_found(&finds(&world, &other), "without a durable intent");
    let planned = BTreeMap::from([("d-1".to_owned(), intent(0, &request, true, &[]))]);
    assert_eq!(finds(&world, &planned), Vec::<String>::new());
}

#[tokio::test]
async fn it_sees_four_resources_even_if_the_lock_comes_right_after() {
    let world = Setup::new().without_daemon().await;
    let mut intents = BTreeMap::new();
    let mut held = Vec::new();
    for node in ["node-1", "node-2", "node-3", "node-4"] {
        let request = world.asks_for_nodes("hoarder", &[node]);
        let decision = format!("d-{node}");
        resolves(&world, &request, RequestState::Approved, Some(&decision));
        held.push(request.clone());
        intents.insert(decision, intent(0, &request, true, &[&held[0]]));
    }
    let message = "too many (tribunal decision d-node-4; ask again)";
    let late = lock(&our_lock(&held[0]), &held[0], message);
    world.server().with(|cluster, now| cluster.upsert_lock(&bot(&world), now, late)).unwrap();
    let found = finds(&world, &intents);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_found(&found, "`hoarder` can use 4 resources");
}

#[tokio::test]
async fn it_sees_two_classes_and_a_lock_that_lapses() {
    let world = Setup::new().without_daemon().await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    resolves(&world, &prod, RequestState::Approved, Some("d-1"));
    let mut brief = lock(&our_lock(&prod), &prod, "conflict (tribunal decision d-2; ask again)");
    let end = Some(world.server().now().plus_ms(3_600_000).to_proto());
    brief.spec.as_mut().unwrap().expires = end;
    brief.metadata.as_mut().unwrap().expires = end;
    world.server().with(|cluster, now| cluster.upsert_lock(&bot(&world), now, brief)).unwrap();
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    resolves(&world, &research, RequestState::Approved, Some("d-2"));
    let intents = BTreeMap::from([
        ("d-1".to_owned(), intent(0, &prod, true, &[])),
        ("d-2".to_owned(), intent(0, &research, true, &[&prod])),
    ]);
    assert_eq!(finds(&world, &intents), Vec::<String>::new());
    world.advance(Duration::from_secs(3_599));
    assert_found(&finds(&world, &intents), "`switcher` can use two classes");
}

#[tokio::test]
async fn it_sees_a_persons_decision_changed_and_a_persons_lock_touched() {
    let world = Setup::new().without_daemon().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.server().approve_as("admin", &request, "mine").unwrap();
    world.admin_locks(&our_lock(&request), &request);
    let ours = lock(&our_lock(&request), &request, "ours (tribunal decision d-1; ask again)");
    world.server().with(|cluster, now| cluster.upsert_lock(&bot(&world), now, ours)).unwrap();
    resolves(&world, &request, RequestState::Denied, Some("d-1"));
    let intents = BTreeMap::from([("d-1".to_owned(), intent(0, &request, false, &[&request]))]);
    let found = finds(&world, &intents);
    assert_found(&found, "was changed after `admin` decided it");
    assert_found(&found, "of `admin` was overwritten");
}

#[tokio::test]
async fn it_excuses_what_people_bring_about_only_until_it_could_be_mended() {
    let world = Setup::new().without_daemon().await;
    for node in ["node-1", "node-2", "node-3", "node-4"] {
        let request = world.asks_for_nodes("hoarder", &[node]);
        world.server().approve_as("admin", &request, "by hand").unwrap();
    }
    assert_eq!(finds(&world, &BTreeMap::new()), Vec::<String>::new(), "people may");
    let strict = observer::Rules { exempt: false, ..world.rules() };
    let found = observer::faults(&world.server().history(), &BTreeMap::new(), &strict, world.server().now());
    assert_eq!(found, ["`hoarder` was left in a forbidden state"]);
}
