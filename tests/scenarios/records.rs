//! Law 5: what is not on record is not done; and what a rehearsal does. The ledger is real, and broken for real.

use std::fs;

use tribunal_core::record::Lifecycle;
use tribunal_ledger::schema::Body;
use tribunal_proto::types::RequestState;

use crate::world::{Setup, World};

/// Puts the ledger's directory out of the way, runs, and puts it back.
async fn nothing_is_approved_while(broken: impl FnOnce(&World), mended: impl FnOnce(&World)) {
    let mut world = Setup::new().in_real_time().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    world.settle().await;
    let writes = world.writes();
    broken(&world);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    let denied = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_status("both wait", |status| status.retrying == 2).await;
    world.settle().await;
    assert_eq!(world.standing(&fourth).state, RequestState::Pending);
    assert_eq!(world.standing(&denied).state, RequestState::Pending);
    assert!(world.standing(&held[0]).is_usable(), "nothing was locked either");
    assert_eq!(world.writes(), writes);
    mended(&world);
    world.until_usable(&fourth).await;
    world.until_denied(&denied).await;
    world.settle().await;
    world.stop_daemon().await;
    assert!(world.standing(&held[0]).is_locked());
    // What is on the disk explains every write: no line was lost.
    let on_disk: Vec<String> = world
        .ledger()
        .iter()
        .filter_map(|line| match &line.body {
            Body::Decided(decided) => Some(decided.id.clone()),
            Body::Outcome(_) | Body::Lifecycle(_) => None,
        })
        .collect();
    for decision in world.witness.intents().keys() {
        assert!(on_disk.contains(decision), "`{decision}` was acknowledged");
    }
    world.assert_lawful();
}

#[tokio::test]
async fn nothing_is_approved_while_a_file_stands_where_the_ledger_was() {
    nothing_is_approved_while(
        |world| {
            fs::rename(world.ledger_dir(), world.ledger_dir().with_extension("away")).unwrap();
            fs::write(world.ledger_dir(), "not a directory").unwrap();
        },
        |world| {
            fs::remove_file(world.ledger_dir()).unwrap();
            fs::rename(world.ledger_dir().with_extension("away"), world.ledger_dir()).unwrap();
        },
    )
    .await;
}

#[tokio::test]
async fn a_ledger_deleted_under_way_is_put_back_line_by_line_but_for_what_its_keys_sealed() {
    let mut world = Setup::new().in_real_time().start().await;
    world.holds_nodes("alice", &["node-1"]).await;
    world.settle().await;
    let segment = world.ledger_dir().join("ledger-000001.jsonl");
    let lines = fs::read(&segment).unwrap();
    fs::remove_dir_all(world.ledger_dir()).unwrap();
    let second = world.asks_for_nodes("alice", &["node-2"]);
    world.until_usable(&second).await;
    world.settle().await;
    world.stop_daemon().await;
    assert_eq!(fs::read(&segment).unwrap()[..lines.len()], *lines);
    // Who destroys keys erases: nothing brings them back.
    let decided = world.ledger().into_iter().filter_map(|line| match line.body {
        Body::Decided(decided) => decided.request,
        Body::Outcome(_) | Body::Lifecycle(_) => None,
    });
    let reasons: Vec<String> = decided.map(|request| request.reason).collect();
    assert_eq!(reasons, ["", "work"]);
    world.assert_lawful();
}

#[tokio::test]
async fn the_ledger_says_what_became_of_each_step() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    world.settle().await;
    world.stop_daemon().await;
    let applied: Vec<String> = world.witness.outcomes().iter().map(|outcome| format!("{:?}", outcome.result)).collect();
    assert_eq!(applied, ["Applied"; 5], "four approvals and a lock");
    // Nothing is left open for the next start.
    let (_, recovery) = tribunal_ledger::Ledger::open(&world.ledger_dir()).unwrap();
    assert_eq!(recovery.open, []);
}

#[tokio::test]
async fn h48_a_rehearsal_writes_nothing_and_says_what_it_would_do() {
    let mut world = Setup::new()
        .dry_run()
        .scenario_toml(
            r#"
            [[request]]
            user = "hoarder"
            resources = ["/dev/node/node-1", "/dev/node/node-2", "/dev/node/node-3"]
            "#,
        )
        .start()
        .await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let both = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.settle().await;
    world.settle().await;
    assert_eq!(world.writes(), 0);
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    let decided = world.until_decided(3).await;
    assert_eq!(decided.len(), 3, "each once");
    assert!(decided.iter().all(|decided| decided.dry_run));
    let said =
        decided.iter().find(|decided| decided.request.as_ref().is_some_and(|it| it.id.as_str() == both)).unwrap();
    assert!(said.reason.contains("conflicting environments"), "{}", said.reason);
    assert!(world.witness.outcomes().is_empty());
}

#[tokio::test]
async fn a_start_and_a_stop_are_on_record() {
    let mut world = Setup::new().start().await;
    world.stop_daemon().await;
    assert_eq!(world.witness.lifecycle(Lifecycle::Started).len(), 1);
    assert_eq!(world.witness.lifecycle(Lifecycle::Stopped).len(), 1);
}
