//! What the code of Teleport's sample watcher does exactly, K1 to K14, where it shows on the protocol; by default or by
//! setting.

use std::time::Duration;

use tribunal_proto::types::RequestState;

use crate::world::gate::Place;
use crate::world::people::our_lock;
use crate::world::{POLL, Setup};

#[tokio::test]
async fn k5_a_pending_request_is_approved_for_itself_and_older_ones_give_way() {
    let world = Setup::new().start().await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research).await;
    let again = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&again).await;
    assert!(world.standing(&prod).is_locked());
    assert!(world.standing(&research).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn k6_by_setting_requests_of_roles_alone_do_not_count() {
    let setup = Setup::new().separation(None).cap(Some(r#"{"role-only-requests":"ignore"}"#));
    let world = setup.start().await;
    for _ in 0..5 {
        let request = world.asks_for_roles("alice", &["prod-admin"]);
        world.until_usable(&request).await;
    }
    assert!(world.server().snapshot().locks.is_empty());
}

#[tokio::test]
async fn k9_by_setting_an_old_small_request_outlives_a_newer_big_one() {
    let world = Setup::new().cap(Some(r#"{"order":"skip-fit"}"#)).start().await;
    let old = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&old).await;
    let mid = world.asks_for_nodes("alice", &["node-2", "node-3"]);
    world.until_usable(&mid).await;
    let new = world.asks_for_nodes("alice", &["node-4", "node-5"]);
    world.until_usable(&new).await;
    assert!(world.standing(&old).is_usable());
    assert!(world.standing(&mid).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn k10_a_lock_is_on_the_request_alone_and_ends_with_its_access() {
    let world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    let lock = world.server().with(|cluster, _| cluster.locks().get(&our_lock(&held[0])).cloned()).unwrap();
    let target = lock.spec.as_ref().unwrap().target.clone().unwrap();
    let expected = tribunal_proto::types::LockTarget { access_request: held[0].clone(), ..Default::default() };
    assert_eq!(target, expected);
    let end = world.lock_end(&our_lock(&held[0]));
    assert!(end.is_some());
    assert_eq!(end, world.access_end(&held[0]));
}

#[tokio::test]
async fn k12_a_stop_ends_within_five_seconds_even_while_a_call_hangs() {
    let mut world = Setup::new().start().await;
    world.gate.close(Place::BeforeResolve);
    world.asks_for_nodes("alice", &["node-1"]);
    crate::world::within("a call hangs", world.gate.reached()).await;
    let took = world.stop_daemon().await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    world.gate.open();
    let lines = world.ledger();
    let last = format!("{:?}", lines.last().unwrap().body);
    assert!(last.contains("Stopped"), "{last}");
}

#[tokio::test]
async fn k12_an_idle_daemon_stops_at_once_and_says_so() {
    let mut world = Setup::new().start().await;
    let took = world.stop_daemon().await;
    assert!(took < Duration::from_secs(2), "{took:?}");
    let what: Vec<_> = world.ledger().iter().map(|line| format!("{:?}", line.body)).collect();
    assert!(what.first().unwrap().contains("Started"), "{what:?}");
    assert!(what.last().unwrap().contains("Stopped"), "{what:?}");
}

#[tokio::test]
async fn k13_the_cap_works_without_separation() {
    let world = Setup::new().separation(None).start().await;
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_usable(&both).await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
}

#[tokio::test]
async fn k13_separation_works_without_the_cap() {
    let setup =
        Setup::new().cap(None).separation(Some(r#"{"classes":["prod","research"],"when-compliant":"approve"}"#));
    let world = setup.start().await;
    world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4", "node-5"]).await;
    assert!(world.server().snapshot().locks.is_empty());
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_denied(&both).await;
}

/// `lock: create, read, update, delete`, as the sample watcher's README has it, lacks `list`.
#[tokio::test]
async fn k14_h34_the_readmes_permissions_are_too_few_and_that_is_said() {
    let setup = Setup::new().scenario(|scenario| {
        scenario.bot.rules.retain(|rule| ["access_request", "lock"].contains(&rule.resources[0].as_str()));
        scenario.bot.rules[1].verbs.retain(|verb| verb != "list");
    });
    let mut world = setup.without_daemon().await;
    world.start_daemon().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let blind =
        |status: &tribunal_core::Status| status.blind.as_ref().is_some_and(|why| why.contains("lacks lock: list;"));
    world.until_status("it is blind and says why", blind).await;
    world.advance(POLL);
    world.until_status("it still is", blind).await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}
