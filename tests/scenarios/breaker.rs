//! Law 9 end to end: a panel that would lock what most users hold is stopped before it has, and goes on when an operator
//! says so. What it did is counted on the server's side.

use std::time::Duration;

use tribunal::daemon::lease::Mode;
use tribunal::health::Whose;
use tribunal_core::record::Lifecycle;
use tribunal_core::{RoundLimits, Status};
use tribunal_ports::Clock as _;
use tribunal_proto::types::RequestState;

use crate::world::rival::{is_leading, says};
use crate::world::{POLL, Setup, World};

const USERS: [&str; 6] = ["hoarder", "straddler", "switcher", "bulk", "climber", "alice"];
/// Two of the six.
const LIMITS: RoundLimits = RoundLimits { actions_max: 1_000, locked_percent_max: 34, locked_subjects_min: 1 };

fn has_tripped(status: &Status) -> bool {
    status.tripped.is_some() && status.in_flight == 0
}

/// Lets polls go by in which the daemon sees all that is there.
async fn polls_go_by(world: &mut World) {
    for _ in 0..3 {
        world.advance(POLL);
        let since = world.clock().now();
        let listed = |status: &Status| status.last_full_list >= Some(since) && status.in_flight == 0;
        world.until_status("it polls though the breaker tripped", listed).await;
    }
}

#[tokio::test]
async fn a_panel_that_would_lock_what_most_hold_is_stopped_until_an_operator_lets_it_go_on() {
    let mut world = Setup::new().start().await;
    let (mut older, mut newer) = (Vec::new(), Vec::new());
    for user in USERS {
        let held = world.holds_nodes(user, &["node-1", "node-2"]).await;
        older.push(held[0].clone());
        newer.push(held[1].clone());
    }
    world.settle().await;
    world.stop_daemon().await;

    // Too strict: everybody would lose something.
    world.reconfigure(|setup| setup.cap(Some(r#"{"max-resources":1}"#)).round(LIMITS));
    world.start_daemon().await;
    world.until_status("the breaker trips", has_tripped).await;
    let writes = world.writes();
    let locked = |world: &World| older.iter().filter(|request| world.standing(request).is_locked()).count();
    assert!(locked(&world) <= 2, "{}", locked(&world));
    assert!(newer.iter().all(|request| world.standing(request).is_usable()));
    let asked = world.asks_for_nodes("alice", &["node-3"]);
    polls_go_by(&mut world).await;
    assert_eq!(world.writes(), writes);
    let why = "one round would lock what more than 2 of 6 users hold";
    let told = world.witness.lifecycle(Lifecycle::BreakerTripped);
    assert_eq!(told, [why], "it is said once");
    let probe = world.probe().await;
    let (code, ready) = probe.ready().await;
    let unready =
        format!("not ready: the breaker tripped, and nothing is enforced until an operator releases it: {why}\n");
    assert_eq!((code, ready), (503, unready));
    assert_eq!(probe.metric("tribunal_breaker_tripped").await, Some(1.0));

    // A restart is no release.
    world.stop_daemon().await;
    world.start_daemon().await;
    world.until_status("it still is", has_tripped).await;
    polls_go_by(&mut world).await;
    assert_eq!(world.writes(), writes);
    assert_eq!(world.standing(&asked).state, RequestState::Pending);
    let probe = world.probe().await;
    assert_eq!(probe.ready().await.0, 503);
    assert_eq!(probe.report(&Whose::Together).await.breaker_tripped.as_deref(), Some(why));
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 0);

    world.release_breaker();
    for request in &older {
        world.until_locked(request).await;
    }
    world.until_usable(&asked).await;
    world.settle().await;
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 1);
    assert_eq!(probe.ready().await.0, 200);
    world.stop_daemon().await;
    let (_, recovery) = tribunal_ledger::Ledger::open(&world.ledger_dir()).unwrap();
    assert_eq!(recovery.tripped, None, "the next start is not told of it");
    world.assert_lawful();
}

#[tokio::test]
async fn a_release_where_nothing_tripped_is_not_kept_for_later() {
    let limits = RoundLimits { actions_max: 3, ..LIMITS };
    let mut world = Setup::new().round(limits).start().await;
    world.release_breaker();
    world.settle().await;
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 0);
    for user in ["alice", "bulk", "climber"] {
        world.holds_nodes(user, &["node-1"]).await;
    }
    let fourth = world.asks_for_nodes("hoarder", &["node-1"]);
    let status = world.until_status("the breaker trips", has_tripped).await;
    assert_eq!(status.tripped.as_deref(), Some("one round would do more than 3 things to the cluster"));
    polls_go_by(&mut world).await;
    assert_eq!(world.standing(&fourth).state, RequestState::Pending);
    world.release_breaker();
    world.until_usable(&fourth).await;
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn a_release_that_comes_while_it_stands_by_is_kept_until_it_leads() {
    let world = Setup::new().without_daemon().await;
    world.rival_tripped("two", "too many locks").await;
    let mut one = world.start_rival("one", "one1", Mode::Auto).await;
    one.until_leading().await;
    let mut two = world.start_rival("two", "two1", Mode::Auto).await;
    two.until("it stands by", says("`one` leads")).await;
    two.release.notify_one();
    one.stop().await;
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 0);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.leap_until(&mut two, Duration::from_secs(6), is_leading).await;
    world.until_usable(&request).await;
    assert_eq!(world.witness.lifecycle(Lifecycle::BreakerReleased).len(), 1);
    two.stop().await;
    world.assert_lawful();
}
