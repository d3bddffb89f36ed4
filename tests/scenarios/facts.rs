//! Facts: what files of other systems say is shown to policies, followed while the daemon runs, and recorded.

use std::fs;
use std::time::Duration;

use tribunal_core::Timestamp;
use tribunal_core::case::Fact;

use crate::world::{Setup, World};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The facts that the newest decision was made with.
async fn decided_with(world: &World, decisions: usize) -> Vec<Fact> {
    let decided = world.until_decided(decisions).await;
    decided.last().unwrap().case.as_ref().unwrap().facts.to_vec()
}

#[tokio::test]
async fn a_decision_is_made_with_what_the_files_say_then_and_is_recorded_with_it() {
    let mut world = Setup::new().fact("tickets", DAY).without_daemon().await;
    fs::write(world.fact_file("tickets"), "[4711]").unwrap();
    world.start_daemon().await;
    world.until_seeing().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    let first = decided_with(&world, 1).await;
    assert_eq!((first[0].name.as_str(), first[0].json.as_str(), first[0].fresh), ("tickets", "[4711]", true));

    fs::write(world.fact_file("tickets"), "[]").unwrap();
    world.until_facts(|facts| facts[0].json == "[]").await;
    let request = world.asks_for_nodes("straddler", &["node-1"]);
    world.until_approved(&request).await;
    let second = decided_with(&world, 2).await;
    assert_eq!((second[0].json.as_str(), second[0].fresh), ("[]", true));
    assert!(second[0].fetched >= first[0].fetched);
    world.assert_lawful();
}

#[tokio::test]
async fn a_fact_grows_old_while_nobody_writes_it_and_policies_are_told() {
    let setup = Setup::new().fact("oncall", DAY).fact("tickets", Duration::from_secs(60));
    let mut world = setup.without_daemon().await;
    fs::write(world.fact_file("tickets"), "[4711]").unwrap();
    world.start_daemon().await;
    world.until_seeing().await;
    world.until_facts(|facts| facts.iter().all(|fact| !fact.fresh)).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    let facts = decided_with(&world, 1).await;
    assert_eq!((facts[1].json.as_str(), facts[1].fresh), ("[4711]", false));
    let missing =
        Fact { name: "oncall".to_owned(), json: "null".to_owned(), fetched: Timestamp::default(), fresh: false };
    assert_eq!(facts[0], missing);
    world.assert_lawful();
}
