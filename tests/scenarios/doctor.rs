//! `tribunal doctor` in a simulated world over real sockets: what is right passes, and each of a list of things that go
//! wrong in real life is found by name, by the check that has to find it. It must never leave a trace.

mod bench;
mod connections;
mod identities;
mod local;
mod permissions;

use std::collections::BTreeSet;

use tribunal::doctor::Outcome;

use self::bench::{Bench, Seed};
use crate::world::Setup;
use crate::world::way::Way;

/// How many misconfigurations it finds at least.
const SEEDS_MIN: usize = 25;

fn seeds() -> Vec<&'static Seed> {
    [connections::SEEDS, identities::SEEDS, local::SEEDS, permissions::SEEDS].into_iter().flatten().collect()
}

#[test]
fn each_seeded_misconfiguration_has_a_name_of_its_own_and_there_are_enough() {
    let seeds = seeds();
    let names: BTreeSet<&str> = seeds.iter().map(|seed| seed.name).collect();
    assert_eq!(names.len(), seeds.len());
    assert!(names.len() >= SEEDS_MIN, "{}", names.len());
    let checks = tribunal::doctor::checks();
    for seed in seeds {
        let is_verb = seed.check.contains([':', '_']);
        assert!(is_verb || checks.iter().any(|check| check.name == seed.check), "{}: {}", seed.name, seed.check);
    }
}

#[tokio::test]
async fn n2_whoever_breaks_the_connection_is_found() {
    bench::find_all(connections::SEEDS).await;
}

#[tokio::test]
async fn n2_an_identity_that_cannot_be_used_or_that_others_can_use_is_found() {
    bench::find_all(identities::SEEDS).await;
}

#[tokio::test]
async fn n2_what_is_wrong_on_this_machine_and_with_the_cluster_is_found() {
    bench::find_all(local::SEEDS).await;
}

#[tokio::test]
async fn n2_each_missing_right_and_each_excess_right_is_found() {
    bench::find_all(permissions::SEEDS).await;
}

/// The role that the daemon needs, and no more.
fn least(setup: Setup) -> Setup {
    setup.scenario(|scenario| {
        scenario.bot.rules.retain(|rule| rule.resources != ["access_plugin_data"]);
        for rule in &mut scenario.bot.rules {
            rule.resources.retain(|kind| !["user", "user_login_state", "role"].contains(&kind.as_str()));
            if rule.resources == ["semaphore"] {
                rule.verbs.retain(|verb| verb != "delete");
            }
        }
        scenario.bot.previews_resources = false;
    })
}

#[tokio::test]
async fn what_is_right_passes_on_each_way_and_nothing_is_left_behind() {
    for (way, passed) in [
        (Way::Auth, "as an Auth server"),
        (Way::TlsRouting, "TLS routing of the proxy"),
        (Way::Upgrade, "connection upgrade by the proxy"),
        (Way::Ssh, "SSH through the proxy's tunnel"),
    ] {
        let bench = Bench::new(least(Setup::new().in_real_time().by(way))).await;
        bench.world.asks_for_nodes("alice", &["node-1"]);
        let before = bench.traces();
        let report = bench.examine().await;
        let bad: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| matches!(finding.outcome, Outcome::Failed | Outcome::Warning))
            .collect();
        assert!(bad.is_empty(), "{way:?}: {bad:#?}");
        let route = report.named("route").next().unwrap();
        let said = format!("{} {}", route.what, report.named("tls").next().unwrap().what);
        assert!(said.contains(passed) || matches!(way, Way::Auth), "{way:?}: {said}");
        assert_eq!(bench.traces(), before, "{way:?}");
    }
}

#[tokio::test]
async fn what_is_right_by_review_passes_as_well() {
    let setup = least(Setup::new().in_real_time()).reviewing();
    let mut bench = Bench::new(setup).await;
    bench.teleport_keys.push_str("resolve-with = \"review\"\n");
    let report = bench.examine().await;
    assert!(report.is_ok(), "{:#?}", report.findings);
    assert_eq!(report.named("review_requests").next().unwrap().outcome, Outcome::Ok);
    assert_eq!(report.named("access_request:update").count(), 0);
}
