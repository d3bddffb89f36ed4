//! The daemon outlives its certificates: identities that are renewed, torn, swapped and over, and authorities that change
//! under way. The server's side has the last word on what was decided, and how often.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tribunal::health::identity::wait::wait;
use tribunal::health::serve;
use tribunal_core::record::Lifecycle;
use tribunal_proto::types::RequestState;
use tribunal_sim::{Change, Handle, IssueOptions, RotationPhase, Span};
use tribunal_teleport::Identity;
use tribunal_teleport::identity::LOOK_SECS;

use crate::world::health::Probe;
use crate::world::observer::{id, spec};
use crate::world::way::Way;
use crate::world::{Setup, World, within};

const ROTATION: [RotationPhase; 4] =
    [RotationPhase::Init, RotationPhase::UpdateClients, RotationPhase::UpdateServers, RotationPhase::Standby];

/// How often each of these requests was resolved, as the server saw it.
fn resolutions(server: &Handle, requests: &[String]) -> Vec<usize> {
    let history = server.history();
    let resolved = |request: &String| {
        let changes = history.iter().filter(|entry| match &entry.change {
            Change::RequestPut(put) => id(put) == request && spec(put).state != i32::from(RequestState::Pending),
            Change::RequestDeleted(_)
            | Change::LockPut(_)
            | Change::LockDeleted(_)
            | Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => false,
        });
        changes.count()
    };
    requests.iter().map(resolved).collect()
}

/// tbot renews: a fresh identity of the bot.
fn renew(world: &World) {
    let identity = world.server().issue(&IssueOptions::of(&world.bot())).unwrap();
    identity.write(&world.identity_file()).unwrap();
}

/// Lets the daemon's time go on until it has taken so many fresh identities.
async fn until_renewed(world: &World, renewals: u64) {
    let mut held = world.held();
    within("the fresh identity is taken", async {
        while held.borrow_and_update().renewals < renewals {
            world.advance(Duration::from_secs(LOOK_SECS));
            // It is taken when it was the same at two looks; the time between two of them is up to the machine.
            let _changed = tokio::time::timeout(Duration::from_millis(20), held.changed()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_renewal_is_not_noticed_by_anybody_who_asks() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    let mut requests = Vec::new();
    for renewal in 1..=3 {
        renew(&world);
        requests.push(world.asks_for_nodes("alice", &["node-1"]));
        until_renewed(&world, renewal).await;
        world.until_approved(requests.last().unwrap()).await;
        requests.push(world.asks_for_roles("straddler", &["prod-admin", "research-admin"]));
        world.until_denied(requests.last().unwrap()).await;
    }
    world.until_seeing().await;
    assert_eq!(resolutions(world.server(), &requests), [1; 6]);
    within("the streams of before are closed", async {
        while world.server().watchers() != 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(probe.ready().await.0, 200);
    assert_eq!(probe.metric("tribunal_identity_renewals_total").await, Some(3.0));
    assert_eq!(probe.metric("tribunal_sight_losses_total").await, Some(0.0));
    assert_eq!(world.witness.lifecycle(Lifecycle::ViewIncomplete), [""; 0]);
    world.assert_lawful();
}

/// Files of one version are in a directory of their own, and a symlink to that is swapped.
fn swap_secret(dir: &Path, version: u32, text: &str) {
    let name = format!("..{version}");
    fs::create_dir(dir.join(&name)).unwrap();
    fs::write(dir.join(&name).join("identity"), text).unwrap();
    symlink(&name, dir.join("..data.new")).unwrap();
    fs::rename(dir.join("..data.new"), dir.join("..data")).unwrap();
}

#[tokio::test]
async fn a_secret_of_kubernetes_is_followed_through_its_links() {
    let mut world = Setup::new().without_daemon().await;
    let dir = tempfile::tempdir().unwrap();
    let identity = |world: &World| world.server().issue(&IssueOptions::of(&world.bot())).unwrap().to_text();
    swap_secret(dir.path(), 1, &identity(&world));
    symlink("..data/identity", dir.path().join("identity")).unwrap();
    fs::remove_file(world.identity_file()).unwrap();
    symlink(dir.path().join("identity"), world.identity_file()).unwrap();
    world.start_daemon().await;
    world.until_seeing().await;
    swap_secret(dir.path(), 2, &identity(&world));
    fs::remove_dir_all(dir.path().join("..1")).unwrap();
    until_renewed(&world, 1).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    world.assert_lawful();
}

/// A story in every phase of a rotation, with every connection made anew in it.
async fn rotation(way: Way) {
    let mut world = Setup::new().by(way).start().await;
    let mut requests = Vec::new();
    for (phase, renewals) in ROTATION.into_iter().zip(1..) {
        world.server().rotate_authorities(phase).unwrap();
        requests.push(world.asks_for_nodes("alice", &["node-1"]));
        world.until_approved(requests.last().unwrap()).await;
        renew(&world);
        until_renewed(&world, renewals).await;
        world.server().cut_connections();
        world.entrance().restart();
        requests.push(world.asks_for_roles("straddler", &["prod-admin", "research-admin"]));
        // The stream may be down: the next list finds it.
        world.settle().await;
        world.until_denied(requests.last().unwrap()).await;
        assert_eq!(world.held().borrow().problem, None, "{phase}");
    }
    assert_eq!(resolutions(world.server(), &requests), [1; 8]);
    world.assert_lawful();
}

#[tokio::test]
async fn old_and_new_authorities_work_in_every_phase_of_a_rotation() {
    rotation(Way::Auth).await;
}

#[tokio::test]
async fn the_authorities_of_hosts_are_followed_on_the_way_by_ssh() {
    rotation(Way::Ssh).await;
}

#[tokio::test]
async fn a_torn_file_changes_nothing_and_is_told() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    let whole = fs::read_to_string(world.identity_file()).unwrap();
    fs::write(world.identity_file(), whole.get(..whole.len() / 2).unwrap()).unwrap();
    let mut held = world.held();
    within("the problem is noticed", async {
        while held.borrow_and_update().problem.is_none() {
            world.advance(Duration::from_secs(LOOK_SECS));
            let _changed = tokio::time::timeout(Duration::from_millis(20), held.changed()).await;
        }
    })
    .await;
    world.server().cut_connections();
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.settle().await;
    world.until_approved(&request).await;
    let report = probe.until("it is told", |report| report.identity.is_some()).await;
    assert!(report.identity.unwrap().problem.unwrap().contains("truncated or garbled"));
    assert_eq!(probe.metric("tribunal_identity_file_usable{}").await, Some(0.0));
    assert_eq!(probe.ready().await.0, 200, "the one before is still good");
    renew(&world);
    until_renewed(&world, 1).await;
    assert_eq!(probe.metric("tribunal_identity_file_usable{}").await, Some(1.0));
}

#[tokio::test]
async fn an_expired_identity_makes_it_unready_and_a_fresh_one_brings_it_back() {
    let mut world = Setup::new().in_real_time().without_daemon().await;
    let short = IssueOptions { life: Span::from_ms(4_000), ..IssueOptions::of(&world.bot()) };
    world.server().issue(&short).unwrap().write(&world.identity_file()).unwrap();
    world.start_daemon().await;
    world.until_seeing().await;
    let probe = world.probe().await;
    assert_eq!(probe.ready().await.0, 200);
    // The server ends the connection with the certificate, and no other can be made.
    world.until_status("it is blind", |status| status.blind.is_some()).await;
    let (status, why) = probe.ready().await;
    assert_eq!(status, 503);
    assert!(why.contains("the identity expired at ") && why.lines().count() == 1, "{why}");
    assert_eq!(probe.get("/livez").await.0, 200, "a restart would mend nothing");
    let request = world.asks_for_nodes("alice", &["node-1"]);
    renew(&world);
    world.until_approved(&request).await;
    world.until_seeing().await;
    assert_eq!(probe.ready().await, (200, "ready\n".to_owned()));
    assert_eq!(resolutions(world.server(), &[request]), [1]);
    assert_eq!(world.witness.lifecycle(Lifecycle::ViewIncomplete).len(), 1, "said once");
    world.assert_lawful();
}

#[tokio::test]
async fn a_start_with_an_expired_identity_waits_for_a_fresh_one_alive_and_unready() {
    let world = Setup::new().without_daemon().await;
    let over = IssueOptions { life: Span::from_ms(-60_000), ..IssueOptions::of(&world.bot()) };
    world.server().issue(&over).unwrap().write(&world.identity_file()).unwrap();
    let path = world.identity_file();
    let why = Identity::load(&path).await.unwrap_err();
    assert!(why.problem.is_of_time());
    let listener = Arc::new(serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap());
    let probe = Probe::at(listener.local_addr().unwrap());
    let (clock, stop) = (world.shared_clock(), CancellationToken::new());
    let waiting = {
        let (path, clock, stop) = (path.clone(), Arc::clone(&clock), stop.clone());
        tokio::spawn(async move { wait(&path, &why, Some(listener), clock, &stop).await })
    };
    let (status, ready) = probe.ready().await;
    assert_eq!(status, 503);
    assert!(ready.contains("waits for a fresh identity: identity file") && ready.contains("expired at"), "{ready}");
    assert_eq!(probe.get("/livez").await.0, 200);
    // Whatever becomes of the file meanwhile, it goes on waiting.
    fs::write(&path, "").unwrap();
    clock.advance(Duration::from_secs(LOOK_SECS));
    probe.until("the reason is told", |report| report.why.concat().contains("has no PEM block")).await;
    renew(&world);
    let begins = async {
        while !waiting.is_finished() {
            clock.advance(Duration::from_secs(LOOK_SECS));
            tokio::task::yield_now().await;
        }
        waiting.await.unwrap()
    };
    assert!(within("it begins", begins).await);
}

#[tokio::test]
async fn a_stop_ends_the_wait_for_a_fresh_identity() {
    let world = Setup::new().without_daemon().await;
    let path = world.identity_file();
    fs::remove_file(&path).unwrap();
    let why = Identity::load(&path).await.unwrap_err();
    assert!(!why.problem.is_of_time(), "a wrong path ends the start");
    let (clock, stop) = (world.shared_clock(), CancellationToken::new());
    stop.cancel();
    let began = wait(&path, &why, None::<Arc<tokio::net::TcpListener>>, clock, &stop);
    assert!(!within("it ends", began).await);
}

#[tokio::test]
async fn an_identity_of_somebody_else_is_not_taken() {
    let mut world = Setup::new().start().await;
    let probe = world.probe().await;
    world.server().issue(&IssueOptions::of("admin")).unwrap().write(&world.identity_file()).unwrap();
    world.advance(Duration::from_secs(LOOK_SECS));
    world.server().cut_connections();
    world.settle().await;
    let report = probe.until("it is told", |report| report.identity.as_ref().is_some_and(|it| it.problem.is_some()));
    let problem = report.await.identity.unwrap().problem.unwrap();
    assert!(problem.contains("is of user `admin`, and this process began as `bot-tribunal`"), "{problem}");
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_approved(&request).await;
    assert!(world.server().history().iter().all(|entry| entry.by != "admin"));
}
