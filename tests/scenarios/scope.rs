//! Whom the daemon is for, and what an operator takes out for a time: the rest is neither resolved nor locked.

use std::time::Duration;

use tribunal_core::guard::Guard;
use tribunal_core::record::Decided;
use tribunal_core::request::{RequestId, UserName};
use tribunal_core::scope::{Exempt, Exemption, Pattern, Scope, Selector};
use tribunal_ledger::schema::Body;
use tribunal_ports::Clock as _;
use tribunal_proto::types::RequestState;

use crate::world::people::our_lock;
use crate::world::{POLL, Setup, World, within};

const FOUR: [&str; 4] = ["node-1", "node-2", "node-3", "node-4"];
/// How long an exemption lasts here.
const HOUR: Duration = Duration::from_secs(60 * 60);
const REASON: &str = "incident 4711";

fn selector(include: &[&str], exclude: &[&str]) -> Selector {
    let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::new(*text)).collect();
    Selector { include: patterns(include), exclude: patterns(exclude) }
}

/// A cap of three comes upon users who hold four.
async fn four_held(users: &[&str]) -> (World, Vec<Vec<String>>) {
    let mut world = Setup::new().cap(Some(r#"{"max-resources":10}"#)).start().await;
    let mut held = Vec::new();
    for user in users {
        held.push(world.holds_nodes(user, &FOUR).await);
    }
    world.settle().await;
    world.stop_daemon().await;
    world.reconfigure(|setup| setup.cap(Some("{}")));
    (world, held)
}

#[tokio::test]
async fn h48_what_is_out_of_scope_is_neither_resolved_nor_locked_and_the_rest_is() {
    let (mut world, held) = four_held(&["alice", "hoarder"]).await;
    let users = selector(&["a*", "s*"], &["straddler"]);
    world.reconfigure(|setup| setup.scope(Scope { users, roles: selector(&[], &["research-*"]) }));
    let before = world.writes();
    world.start_daemon().await;
    world.until_seeing().await;
    let (ours, theirs) = (&held[0], &held[1]);
    world.until_locked(&ours[0]).await;
    let in_scope = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&in_scope).await;
    let out_of_scope = [
        world.asks_for_nodes("hoarder", &["node-5"]),
        world.asks_for_roles("straddler", &["prod-admin"]),
        world.asks_for_roles("straddler", &["prod-admin", "research-admin"]),
        world.asks_for_roles("switcher", &["research-admin"]),
    ];
    world.settle().await;
    for request in &out_of_scope {
        assert_eq!(world.standing(request).state, RequestState::Pending);
    }
    assert!(theirs.iter().chain(&ours[1..]).chain([&in_scope]).all(|request| world.standing(request).is_usable()));
    assert_eq!(world.writes() - before, 2, "one lock, one approval");
    // Who has something in scope is judged, and what is not in it is left to people on record.
    let left = out_of_scope[3].as_str();
    let is_left = |decided: &Decided| decided.request.as_ref().is_some_and(|request| request.id.as_str() == left);
    within("it is on record", world.witness.until(|witness| witness.decided().iter().any(is_left))).await;
    let decided = world.witness.decided();
    let decided = decided.iter().filter_map(|decided| Some((decided.request.as_ref()?.id.as_str(), &decided.reason)));
    let reasons: Vec<_> = decided.filter(|(id, _)| out_of_scope.iter().any(|request| request == id)).collect();
    assert_eq!(reasons, [(left, &Guard::OutOfScope.to_string())]);
    world.assert_lawful_without_limits();
}

#[tokio::test]
async fn h41_an_exempt_users_requests_are_locked_when_the_exemption_ends_and_not_before() {
    let (mut world, held) = four_held(&["hoarder"]).await;
    let held = &held[0];
    let until = world.clock().now().after(HOUR);
    let on = Exempt::User(UserName::new("hoarder"));
    world.reconfigure(|setup| setup.exempting(Exemption { on, until, reason: REASON.to_owned() }));
    world.start_daemon().await;
    world.until_seeing().await;
    // What is exempt takes no room either.
    let fifth = world.asks_for_nodes("hoarder", &["node-5"]);
    world.until_usable(&fifth).await;
    // Locks are in force when it ends, so that they come up to two polls early.
    world.advance(HOUR - 6 * POLL);
    world.settle().await;
    assert!(held.iter().all(|request| world.standing(request).is_usable()));
    assert!(world.server().snapshot().locks.is_empty());
    world.advance(6 * POLL);
    world.settle().await;
    let locked: Vec<bool> = held.iter().map(|request| world.standing(request).is_locked()).collect();
    assert_eq!(locked, [true, true, false, false], "the oldest of five give way");
    assert!(world.standing(&fifth).is_usable());
    world.stop_daemon().await;

    // The record of the fifth shows why the others were spared.
    let lines = world.ledger();
    let decided = lines.iter().find_map(|line| match &line.body {
        Body::Decided(decided) if decided.request.as_ref().is_some_and(|request| request.id == fifth) => Some(decided),
        Body::Decided(_) | Body::Outcome(_) | Body::Lifecycle(_) => None,
    });
    let case = decided.unwrap().case.as_ref().unwrap().inline().unwrap();
    let exempt: Vec<_> = case
        .requests
        .iter()
        .filter(|shown| shown.request.annotations.get("tribunal/exempt").is_some_and(|why| *why == [REASON]))
        .map(|shown| shown.request.id.as_str())
        .collect();
    assert_eq!(exempt, held.iter().map(String::as_str).collect::<Vec<_>>());
    world.assert_lawful_without_limits();
}

#[tokio::test]
async fn h41_an_exemption_of_one_request_spares_it_alone() {
    let (mut world, held) = four_held(&["hoarder", "alice"]).await;
    let until = world.clock().now().after(HOUR);
    let on = Exempt::Request(RequestId::new(held[0][0].as_str()));
    world.reconfigure(|setup| setup.exempting(Exemption { on, until, reason: REASON.to_owned() }));
    world.start_daemon().await;
    world.until_seeing().await;
    world.until_locked(&held[1][0]).await;
    assert!(held[0].iter().all(|request| world.standing(request).is_usable()), "three count, and one does not");
    world.advance(HOUR);
    world.until_locked(&held[0][0]).await;
    world.settle().await;
    let locks: Vec<String> = world.server().with(|cluster, _| cluster.locks().keys().cloned().collect());
    let mut expected = [our_lock(&held[0][0]), our_lock(&held[1][0])];
    expected.sort();
    assert_eq!(locks, expected);
    world.assert_lawful_without_limits();
}
