//! Access for a ticket, with the policy `ticket` and a file that another system writes: it begins with an open ticket, ends
//! with it, and a file that says nothing opens nothing.

use std::fs::{self, File};
use std::time::{Duration, UNIX_EPOCH};

use tribunal_core::decision::Verdict;
use tribunal_ports::Clock as _;
use tribunal_proto::types::RequestState;

use crate::world::panel::Seat;
use crate::world::{Setup, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTE: Duration = Duration::from_secs(60);
const SETTINGS: &str = r#"{"pattern": "OPS-\\d+", "example": "OPS-1"}"#;
const OPEN: &str = r#"{"OPS-1": "open"}"#;
const CLOSED: &str = r#"{"OPS-1": "closed"}"#;

/// A daemon whose panel wants tickets, and what the file says of them at first.
async fn with_tickets(max_age: Duration, json: Option<&str>) -> World {
    let setup = Setup::new().guest(Seat::builtin("ticket", SETTINGS)).fact("tickets", max_age);
    let mut world = setup.without_daemon().await;
    if let Some(json) = json {
        export(&world, json);
    }
    world.start_daemon().await;
    world.until_seeing().await;
    world
}

/// The other system writes the file, now by the clock of the world.
fn export(world: &World, json: &str) {
    let (path, now) = (world.fact_file("tickets"), Duration::from_millis(world.clock().now().as_millis()));
    let next = path.with_extension("next");
    fs::write(&next, json).unwrap();
    File::options().write(true).open(&next).unwrap().set_modified(UNIX_EPOCH + now).unwrap();
    fs::rename(next, path).unwrap();
}

async fn exported(world: &World, json: &str) {
    export(world, json);
    world.until_facts(|facts| facts[0].json == json && facts[0].fresh).await;
}

#[tokio::test]
async fn n5_access_ends_with_its_ticket_and_comes_back_with_it() {
    let mut world = with_tickets(DAY, Some(OPEN)).await;
    let request = world.asks_for_node_because("alice", "node-1", "disk full, OPS-1");
    let other = world.asks_for_node_because("straddler", "node-1", "OPS-2 is not known");
    world.until_usable(&request).await;
    world.until_denied(&other).await;

    exported(&world, CLOSED).await;
    let locked = world.until_locked(&request).await;
    let (_, message) = &locked.locks[0];
    assert!(message.contains("Ticket `OPS-1` is `closed`") && message.contains("ticket/ticket-closed"), "{message}");

    // Nothing new is given for it, and what was given comes back if the ticket is opened again.
    let late = world.asks_for_node_because("alice", "node-2", "OPS-1");
    assert!(world.until_denied(&late).await.reason.contains("`OPS-1` is `closed`"));
    exported(&world, OPEN).await;
    world.until_usable(&request).await;
    world.settle().await;
    world.assert_lawful();
}

#[tokio::test]
async fn n5_a_fact_that_grows_old_gives_nothing_back() {
    let mut world = with_tickets(10 * MINUTE, Some(OPEN)).await;
    let request = world.asks_for_node_because("alice", "node-1", "OPS-1");
    world.until_usable(&request).await;
    exported(&world, CLOSED).await;
    world.until_locked(&request).await;
    world.advance(11 * MINUTE);
    world.until_facts(|facts| !facts[0].fresh).await;
    world.settle().await;
    world.settle().await;
    assert!(world.standing(&request).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn n5_a_missing_stale_or_damaged_file_never_approves_and_a_good_one_does() {
    for (json, age) in [(None, Duration::ZERO), (Some(r#"{"OPS-1": "open""#), Duration::ZERO), (Some(OPEN), 2 * MINUTE)]
    {
        let mut world = with_tickets(MINUTE, json).await;
        world.advance(age);
        world.until_facts(|facts| !facts[0].fresh).await;
        let request = world.asks_for_node_because("alice", "node-1", "OPS-1");
        let decided = world.until_decided(1).await;
        let decision = decided[0].decision.as_ref().unwrap();
        assert_eq!(decision.verdict, Verdict::Leave);
        assert!(decided[0].reason.contains("Whether `OPS-1` is open cannot be told"), "{}", decided[0].reason);
        world.settle().await;
        assert_eq!(world.standing(&request).state, RequestState::Pending);
        assert_eq!(world.writes(), 0);

        exported(&world, OPEN).await;
        world.until_usable(&request).await;
        world.assert_lawful();
    }
}

#[tokio::test]
async fn n5_a_damaged_file_leaves_what_was_known_until_that_is_too_old() {
    let mut world = with_tickets(10 * MINUTE, Some(OPEN)).await;
    export(&world, "{");
    world.settle().await;
    let request = world.asks_for_node_because("alice", "node-1", "OPS-1");
    world.until_usable(&request).await;
    fs::remove_file(world.fact_file("tickets")).unwrap();
    world.advance(11 * MINUTE);
    world.until_facts(|facts| !facts[0].fresh).await;
    let late = world.asks_for_node_because("alice", "node-2", "OPS-1");
    world.until_decided(2).await;
    world.settle().await;
    assert_eq!(world.standing(&late).state, RequestState::Pending);
    assert!(world.standing(&request).is_usable(), "nobody knows that the ticket is closed");
    world.assert_lawful();
}
