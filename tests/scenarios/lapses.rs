//! Enforcement that must not lapse as time goes by: how long locks last, what ends them, and that nothing is written
//! twice. Time is moved by hand.

use std::time::Duration;

use tribunal_proto::types::RequestState;
use tribunal_sim::RequestSpec;

use crate::world::gate::Place;
use crate::world::people::{our_lock, span};
use crate::world::{POLL, Setup, within};

const HOUR: Duration = Duration::from_secs(3_600);
/// Just longer than the locks of the sample watcher last.
const HOUR_AND_A_BIT: Duration = Duration::from_secs(3_611);

#[tokio::test]
async fn h1_locks_last_as_long_as_the_access() {
    let mut world = Setup::new().start().await;
    let nodes = ["node-1", "node-2", "node-3", "node-4", "node-5", "node-6"];
    let mut held = Vec::new();
    for node in nodes {
        let request = world.asks_for_nodes_for("hoarder", &[node], 8 * HOUR);
        world.until_approved(&request).await;
        held.push(request);
    }
    world.settle().await;
    let writes = world.writes();
    world.advance(HOUR_AND_A_BIT);
    world.settle().await;
    for (age, request) in held.iter().enumerate() {
        assert_eq!(world.standing(request).is_locked(), age < 3, "{age}");
    }
    assert_eq!(world.writes(), writes, "nothing had to be done");
    world.assert_lawful();
}

#[tokio::test]
async fn h2_separation_lasts_as_long_as_the_access() {
    let mut world = Setup::new().start().await;
    let prod = world.asks_for_roles("switcher", &["prod-admin"]);
    world.until_usable(&prod).await;
    let research = world.asks_for_roles("switcher", &["research-admin"]);
    world.until_usable(&research).await;
    assert!(world.access_end(&prod).unwrap() > world.server().now().plus_ms(2 * 3_600_000));
    world.advance(HOUR_AND_A_BIT);
    world.settle().await;
    assert!(world.standing(&prod).is_locked());
    assert!(world.standing(&research).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn h13_when_one_of_four_expires_the_locked_one_comes_back() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let short = world.asks_for_nodes_for("hoarder", &["node-4"], HOUR);
    world.until_usable(&short).await;
    world.until_locked(&held[0]).await;
    world.advance(HOUR_AND_A_BIT);
    world.until_usable(&held[0]).await;
    world.settle().await;
    assert!(world.server().snapshot().locks.is_empty());
    world.assert_lawful();
}

#[tokio::test]
async fn where_the_operator_never_releases_the_locked_one_stays_locked() {
    let mut world = Setup::new().never_releasing().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let short = world.asks_for_nodes_for("hoarder", &["node-4"], HOUR);
    world.until_usable(&short).await;
    world.until_locked(&held[0]).await;
    world.advance(HOUR_AND_A_BIT);
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    world.assert_lawful();
}

#[tokio::test]
async fn h25_a_request_whose_access_is_over_is_not_approved() {
    let setup = Setup::new().scenario(|scenario| scenario.sweep.pending_grace = span(HOUR)).scenario(|scenario| {
        let over = r#"cluster = "dev"
            [[request]]
            user = "alice"
            resources = ["/dev/node/node-1"]
            age = "9h"
            expires-in = "-1m""#;
        let mut over =
            tribunal_sim::Scenario::parse(&format!("{over}\n[[user]]\nname = \"alice\"\n[[node]]\nname = \"node-1\""))
                .unwrap();
        scenario.requests.append(&mut over.requests);
    });
    let mut world = setup.start().await;
    world.settle().await;
    let left = &world.server().snapshot().requests;
    assert_eq!(left.len(), 1, "it lingers in the backend");
    assert_eq!(left[0].spec.as_ref().unwrap().state, i32::from(RequestState::Pending));
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn h26_access_that_starts_later_evicts_nothing_until_it_starts() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let later = world.asks(RequestSpec {
        user: "hoarder".to_owned(),
        resources: vec!["/dev/node/node-4".to_owned()],
        starts_in: Some(span(2 * HOUR)),
        ..RequestSpec::default()
    });
    world.until_approved(&later).await;
    world.settle().await;
    assert!(world.server().snapshot().locks.is_empty(), "all three are still usable");
    // One poll before the start the lock is in force, so that the four never meet.
    world.advance(2 * HOUR - 3 * POLL);
    world.settle().await;
    world.settle().await;
    world.until_locked(&held[0]).await;
    world.advance(2 * POLL);
    world.settle().await;
    assert!(world.standing(&later).is_usable());
    world.assert_lawful();
}

#[tokio::test]
async fn h39_ten_polls_over_a_locked_request_write_nothing() {
    let mut world = Setup::new()
        .enforced_on_people()
        .scenario_toml(
            r#"
            [[request]]
            user = "straddler"
            roles = ["prod-admin", "research-admin"]
            state = "approved"
            age = "1h"
            "#,
        )
        .start()
        .await;
    world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.settle().await;
    assert_eq!(world.server().snapshot().locks.len(), 2);
    let (history, decisions) = (world.server().history().len(), world.witness.decided().len());
    for _ in 0..10 {
        world.settle().await;
    }
    assert_eq!(world.server().history().len(), history, "nothing changed on the server");
    assert_eq!(world.witness.decided().len(), decisions, "nothing was decided");
    world.assert_lawful();
}

#[tokio::test]
async fn h43_a_clock_that_is_ahead_shortens_no_lock() {
    let world = Setup::new().daemon_ahead(Duration::from_secs(600)).start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    assert_eq!(world.lock_end(&our_lock(&held[0])), world.access_end(&held[0]));
    world.assert_lawful();
}

#[tokio::test]
async fn h25_a_request_whose_access_ends_while_it_is_judged_is_not_approved() {
    let mut world = Setup::new().scenario(|scenario| scenario.sweep.pending_grace = span(2 * HOUR)).start().await;
    world.gate.close(Place::BeforeReread);
    let request = world.asks_for_nodes_for("alice", &["node-1"], HOUR);
    within("the request is judged", world.gate.reached()).await;
    world.advance(HOUR_AND_A_BIT);
    world.gate.open();
    world.settle().await;
    assert_eq!(world.writes(), 0);
    let gone = world.server().with(|cluster, _| !cluster.requests().contains_key(&request));
    assert!(gone || world.standing(&request).state == RequestState::Pending);
}
