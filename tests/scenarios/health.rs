//! What others see of the daemon, over the real health port: ready or not and why, who holds what, whose clock is wrong.

use std::time::Duration;

use tonic::Code;
use tribunal::health::Whose;
use tribunal_core::request::UserName;
use tribunal_engine::testing::Guest;
use tribunal_sim::{Faults, Often};

use crate::world::gate::Place;
use crate::world::panel::Seat;
use crate::world::{POLL, Setup, within};

#[tokio::test]
async fn h36_an_auth_server_that_cannot_be_reached_turns_readiness_red_and_it_is_green_again_by_itself() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    assert_eq!(probe.ready().await, (200, "ready\n".to_owned()));
    world.server().faults(|faults| faults.fail("*", Often::Probability(1.0), Code::Unavailable, "nobody there"));
    world.server().cut_connections();
    world.advance(POLL);
    world.until_status("it is blind", |status| status.blind.is_some()).await;
    // An hour goes by, and it stays so.
    for _ in 0..4 {
        world.advance(Duration::from_secs(15 * 60));
        let (status, why) = probe.ready().await;
        assert_eq!(status, 503);
        assert!(why.starts_with("not ready: it does not see the cluster"), "{why}");
        assert!(why.contains("the full list failed") && why.ends_with('\n') && why.lines().count() == 1, "{why}");
        assert_eq!(probe.get("/livez").await.0, 200, "a restart would mend nothing");
    }
    assert_eq!(probe.metric("tribunal_view_complete").await, Some(0.0));
    assert_eq!(probe.metric("tribunal_ready").await, Some(0.0));
    let report = probe.until("since when is known", |report| report.sight.since.is_some()).await;
    assert!(!report.ready && !report.sight.complete);
    world.server().faults(Faults::clear);
    world.settle().await;
    assert_eq!(probe.ready().await, (200, "ready\n".to_owned()));
    assert_eq!(probe.metric("tribunal_view_complete").await, Some(1.0));
    assert_eq!(probe.metric("tribunal_sight_losses_total").await, Some(1.0), "said once");
}

/// The stream is up, so that decisions go on; but nobody checked for a while that nothing was missed.
#[tokio::test]
async fn h36_a_list_that_hangs_turns_readiness_red_after_two_intervals() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    world.gate.close(Place::BeforeList);
    world.advance(POLL);
    within("the poll hangs", world.gate.reached()).await;
    assert_eq!(probe.ready().await.0, 200);
    world.advance(POLL + Duration::from_secs(1));
    let (status, why) = probe.ready().await;
    assert_eq!(
        (status, why.as_str()),
        (503, "not ready: the last full list is 61 s old, and one is made every 30 s\n")
    );
    world.gate.open();
    world.settle().await;
    assert_eq!(probe.ready().await.0, 200);
}

#[tokio::test]
async fn n6_who_holds_what_can_be_counted_and_compared() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    let editor = world.asks_for_roles("climber", &["editor"]);
    world.settle().await;
    let report = probe.report(&Whose::Everybody).await;
    let users = report.users.unwrap();
    let counts = |name: &str| users.iter().find(|user| user.name == name).unwrap().counted;
    let hoarder = counts("hoarder");
    assert_eq!((hoarder.held, hoarder.resources, hoarder.locked, hoarder.pending), (3, 3, 1, 0));
    assert_eq!((counts("climber").pending, counts("climber").held), (1, 0));
    // The same as the server has it.
    for request in held.iter().chain([&fourth, &editor]) {
        let user = if *request == editor { "climber" } else { "hoarder" };
        let one = probe.report(&Whose::One(UserName::new(user))).await.user.unwrap();
        let stands = one.requests.iter().find(|shown| shown.id == *request).unwrap().stands.clone();
        assert_eq!(stands == "held", world.standing(request).is_usable(), "{request}: {stands}");
        assert_eq!(stands == "locked", world.standing(request).is_locked(), "{request}: {stands}");
    }
    for (name, value) in [
        ("tribunal_requests{state=\"held\"}", 3.0),
        ("tribunal_requests{state=\"locked\"}", 1.0),
        ("tribunal_requests{state=\"pending\"}", 1.0),
        ("tribunal_resources_held", 3.0),
        ("tribunal_users_holding", 1.0),
        ("tribunal_decisions_total{verdict=\"approve\",dry_run=\"false\"}", 4.0),
        ("tribunal_steps_total{step=\"approve\",result=\"applied\"}", 4.0),
        ("tribunal_steps_total{step=\"lock\",result=\"applied\"}", 1.0),
        ("tribunal_rules_fired_total{policy=\"cap\",rule=\"held-over-cap\",verdict=\"lock\"}", 1.0),
        ("tribunal_rules_fired_total{policy=\"guard\",rule=\"protected-role\",verdict=\"leave\"}", 1.0),
        ("tribunal_teleport_call_duration_seconds_count{call=\"write-lock\",result=\"ok\"}", 1.0),
        ("tribunal_watch_up", 1.0),
    ] {
        assert_eq!(probe.metric(name).await, Some(value), "{name}");
    }
    assert!(probe.metric("tribunal_identity_expiry_timestamp_seconds{}").await.unwrap() > 1.7e9);
    assert!(probe.metric("tribunal_last_full_list_timestamp_seconds{}").await.unwrap() > 1.7e9);
    world.assert_lawful();
}

#[tokio::test]
async fn policies_that_do_not_answer_are_counted_by_policy_and_kind() {
    let seat = Seat::new("broken", &Guest::new().review("(unreachable)"));
    let mut world = Setup::new().guest(seat).start().await;
    let probe = world.probe().await;
    world.asks_for_nodes("alice", &["node-1"]);
    world.until_decided(1).await;
    world.settle().await;
    let faults = probe.metric("tribunal_policy_faults_total{policy=\"broken\",kind=\"trap\"}").await;
    assert!(faults.is_some_and(|faults| faults >= 1.0), "{faults:?}");
}

#[tokio::test]
async fn h43_a_clock_that_is_ahead_is_told_by_how_much() {
    let mut world = Setup::new().daemon_ahead(Duration::from_secs(600)).start().await;
    let probe = world.probe().await;
    world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    assert_eq!(probe.report(&Whose::Together).await.clock_skew.warning, None, "old objects do not show it");
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    world.settle().await;
    let skew = probe.report(&Whose::Together).await.clock_skew;
    assert!(skew.at_most_ms.is_some_and(|most| (-600_000..-599_000).contains(&most)), "{skew:?}");
    assert!(skew.at_least_ms.is_some_and(|least| least <= -600_000), "{skew:?}");
    let warning = skew.warning.unwrap();
    assert!(warning.starts_with("this machine's clock is at least 599 s ahead of the Auth server's"), "{warning}");
    let upper = probe.metric("tribunal_clock_skew_seconds{bound=\"upper\"}").await.unwrap();
    assert!((-600.0..-599.0).contains(&upper), "{upper}");
    assert_eq!(probe.ready().await.0, 200, "it is told, and no more than that");
    world.assert_lawful();
}

#[tokio::test]
async fn h43_a_clock_that_is_behind_is_told_until_it_is_right() {
    let world = Setup::new().start().await;
    let probe = world.probe().await;
    world.server().faults(|faults| faults.set_clock_skew_ms(600_000));
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    let skew = probe.until("it is told", |report| report.clock_skew.warning.is_some()).await.clock_skew;
    assert_eq!(skew.at_least_ms, Some(600_000));
    let warning = skew.warning.unwrap();
    assert!(warning.starts_with("this machine's clock is at least 600 s behind the Auth server's"), "{warning}");
    // The clocks are put right, and a lock shows it.
    world.server().faults(|faults| faults.set_clock_skew_ms(0));
    world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    world.until_usable(&fourth).await;
    let right = probe.until("it is right", |report| report.clock_skew.warning.is_none()).await.clock_skew;
    assert!(right.at_most_ms.is_some_and(|most| (0..1_000).contains(&most)), "{right:?}");
}

#[tokio::test]
async fn an_identity_that_expires_turns_readiness_red() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    let left = probe.report(&Whose::Together).await.identity.unwrap().remaining_secs;
    world.advance(Duration::from_secs(left + 2));
    world.until_status("it polled", |status| status.blind.is_none()).await;
    let (status, why) = probe.ready().await;
    assert_eq!(status, 503);
    assert!(why.contains("the identity expired at "), "{why}");
}
