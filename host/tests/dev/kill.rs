//! A daemon that is killed in the middle of a decision, on a cluster in the test's own process, so that the test sees
//! every change at once. Nothing here may depend on how fast anything is.

use std::path::Path;
use std::sync::Arc;

use tribunal_proto::types::RequestState;
use tribunal_sim::{
    Change, Cluster, Entry, Faults, Handle, Often, RequestSpec, Running, SimClock, SimServer, default_scenario,
};

use crate::process::{in_time, watcher};

async fn cluster(dir: &Path) -> Running {
    let listen = "127.0.0.1:0".parse().unwrap();
    SimServer::start(default_scenario().unwrap(), listen, Some(dir.to_owned()), SimClock::real()).await.unwrap()
}

fn ask(handle: &Handle, node: u32) -> String {
    let resources = vec![format!("/dev/node/node-{node}")];
    let wish = RequestSpec { user: "hoarder".to_owned(), resources, ..RequestSpec::default() };
    handle.create_request(&wish).unwrap().metadata.unwrap().name
}

fn state(handle: &Handle, id: &str) -> RequestState {
    handle.with(|cluster, _| cluster.requests()[id].spec.as_ref().unwrap().state())
}

async fn approved(handle: &Handle, id: &str) {
    let approved = |cluster: &Cluster, _| {
        let spec = cluster.requests()[id].spec.as_ref().unwrap();
        (spec.state() == RequestState::Approved).then_some(())
    };
    in_time(handle.wait_until(approved)).await;
}

async fn locked(handle: &Handle, id: &str) {
    in_time(handle.wait_until(|cluster, now| cluster.lock_on_request(now, id).map(|_lock| ()))).await;
}

/// The number of the first change that is like this.
fn first(history: &[Arc<Entry>], like: impl Fn(&Change) -> bool) -> u64 {
    history.iter().find(|entry| like(&entry.change)).expect("it happened").sequence
}

#[tokio::test]
async fn a_daemon_killed_between_lock_and_approval_ends_in_the_same_state_when_it_is_started_again() {
    let temp = tempfile::tempdir().unwrap();
    let cluster = cluster(temp.path()).await;
    let (handle, address) = (cluster.handle().clone(), cluster.addr().to_string());
    let daemon = watcher(&address, temp.path()).await;
    let oldest = ask(&handle, 1);
    approved(&handle, &oldest).await;
    for node in [2, 3] {
        approved(&handle, &ask(&handle, node)).await;
    }

    // Whatever happens before the kill, the approval does not.
    handle.faults(|faults| {
        faults.fail("SetAccessRequestState", Often::Probability(1.0), tonic::Code::Unavailable, "held")
    });
    let newest = ask(&handle, 4);
    locked(&handle, &oldest).await;
    daemon.end("KILL").await;
    assert_eq!(state(&handle, &newest), RequestState::Pending);
    handle.faults(Faults::clear);

    let daemon = watcher(&address, temp.path()).await;
    approved(&handle, &newest).await;
    let snapshot = handle.snapshot();
    let held =
        snapshot.requests.iter().filter(|request| request.spec.as_ref().unwrap().state() == RequestState::Approved);
    assert_eq!(held.count(), 4);
    let locks: Vec<&str> = snapshot
        .locks
        .iter()
        .map(|lock| lock.spec.as_ref().unwrap().target.as_ref().unwrap().access_request.as_str())
        .collect();
    assert_eq!(locks, [oldest.as_str()]);

    let history = handle.history();
    let lock = first(&history, |change| matches!(change, Change::LockPut(_)));
    let approval = first(&history, |change| {
        let Change::RequestPut(request) = change else { return false };
        request.metadata.as_ref().unwrap().name == newest
            && request.spec.as_ref().unwrap().state() == RequestState::Approved
    });
    assert!(lock < approval, "locked at {lock}, approved at {approval}");
    assert!(!history.iter().any(|entry| matches!(entry.change, Change::LockDeleted(_))), "the lock was never released");
    assert_eq!(daemon.end("TERM").await.code(), Some(0));
    cluster.shutdown().await;
}
