//! Pages of a list that fail: in passing, for good, or because the list is not what it was.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tonic::{Code, Status};
use tribunal_core::failure::FailureClass;
use tribunal_core::request::RequestId;
use tribunal_ports::Teleport as _;
use tribunal_proto::{proto, types};
use tribunal_sim::{Handle, Often, RequestSpec};
use tribunal_teleport::{Client, Limits};

use super::client::{cluster, decode, one, unimplemented};
use super::pki::{self, Ca, File};
use super::server::{Reply, Server};
use super::sim::dev;

/// More than two pages.
const MANY: usize = 450;
/// Fewer than a page is asked for.
const FEW: u64 = 2;

const PEOPLE: &str = r#"
[[role]]
name = "prod"
[[role]]
name = "asker"
allow.request.roles = ["prod"]
[[role]]
name = "admin"
allow.rules = [{ resources = ["*"], verbs = ["*"] }]
[[user]]
name = "alice"
roles = ["asker"]
[[user]]
name = "admin"
roles = ["admin"]
"#;

/// Requests and locks of three pages each.
fn fill(server: &Handle) {
    let wish = RequestSpec { user: "alice".into(), roles: vec!["prod".into()], ..RequestSpec::default() };
    for _ in 0..MANY {
        let request = server.create_request(&wish).unwrap();
        let id = request.metadata.unwrap().name;
        let target = types::LockTarget { access_request: id.clone(), ..Default::default() };
        let lock = types::LockV2 {
            kind: "lock".into(),
            version: "v2".into(),
            metadata: Some(types::Metadata { name: format!("lock-{id}"), ..Default::default() }),
            spec: Some(types::LockSpecV2 { target: Some(target), ..Default::default() }),
            ..Default::default()
        };
        server.upsert_lock_as("admin", lock).unwrap();
    }
}

/// Lists everything, and says how many different requests and locks there are, if the list says none twice.
async fn listed(client: &Client) -> Result<(usize, usize), (FailureClass, String)> {
    let listing = client.list().await.map_err(|failure| (failure.class, failure.detail))?;
    let requests: BTreeSet<_> = listing.requests.iter().map(|request| &request.id).collect();
    let locks: BTreeSet<_> = listing.locks.iter().map(|lock| &lock.name).collect();
    assert_eq!((requests.len(), locks.len()), (listing.requests.len(), listing.locks.len()));
    Ok((requests.len(), locks.len()))
}

#[tokio::test]
async fn a_list_of_which_pages_fail_in_passing_is_whole() {
    let (running, _dir, client) = dev(PEOPLE).await;
    let server = running.handle();
    fill(server);
    let passing = [Code::Unavailable, Code::DeadlineExceeded, Code::ResourceExhausted, Code::Internal, Code::Unknown];
    for code in passing {
        for method in ["ListAccessRequests", "ListLocks"] {
            server.faults(|faults| faults.fail(method, Often::Next(FEW), code, "injected"));
        }
        assert_eq!(listed(&client).await, Ok((MANY, MANY)), "{code:?}");
    }
}

#[tokio::test]
async fn a_page_that_goes_on_failing_fails_the_list_whole() {
    let (running, _dir, client) = dev(PEOPLE).await;
    let server = running.handle();
    fill(server);
    for method in ["ListAccessRequests", "ListLocks"] {
        server.faults(|faults| faults.fail(method, Often::Next(FEW + 1), Code::Unavailable, "injected"));
        let failure = (FailureClass::Retry, format!("`{method}`: unavailable: injected"));
        assert_eq!(listed(&client).await, Err(failure));
        assert_eq!(listed(&client).await, Ok((MANY, MANY)), "all its tries were used up");
    }
}

#[tokio::test]
async fn a_list_that_is_not_what_it_was_begins_anew() {
    let (running, _dir, client) = dev(PEOPLE).await;
    let server = running.handle();
    fill(server);
    let changed = [
        (Code::FailedPrecondition, FailureClass::Retry, "failed precondition"),
        (Code::Aborted, FailureClass::Retry, "aborted"),
        (Code::InvalidArgument, FailureClass::Settle, "invalid argument"),
    ];
    for (code, class, name) in changed {
        for method in ["ListAccessRequests", "ListLocks"] {
            server.faults(|faults| faults.fail(method, Often::Next(1), code, "the key expired"));
            assert_eq!(listed(&client).await, Err((class, format!("`{method}`: {name}: the key expired"))));
            assert_eq!(listed(&client).await, Ok((MANY, MANY)), "it was not asked twice: {code:?}");
        }
    }
}

/// What a read by id says is looked at by those who act on it, before anything is repeated.
#[tokio::test]
async fn a_read_by_id_is_not_repeated() {
    let (running, _dir, client) = dev("").await;
    running.handle().faults(|faults| faults.fail("ListAccessRequests", Often::Next(1), Code::Unavailable, "x"));
    let id = || vec![RequestId::new("gone")];
    assert_eq!(client.reread(id(), Vec::new()).await.unwrap_err().class, FailureClass::Retry);
    assert_eq!(client.reread(id(), Vec::new()).await.unwrap().requests, [None]);
}

fn page(id: &str, next_key: &str) -> Reply {
    let metadata = Some(types::Metadata { name: id.into(), ..Default::default() });
    let spec = Some(types::AccessRequestSpecV3 { user: "u".into(), state: 1, ..Default::default() });
    let request = types::AccessRequestV3 { metadata, spec, ..Default::default() };
    one(&proto::ListAccessRequestsResponse { access_requests: vec![request], next_key: next_key.into() })
}

#[tokio::test]
async fn what_is_asked_for_again_is_the_page_that_failed() {
    let failed = AtomicU32::new(0);
    let (server, client) = cluster(move |call| match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse::default()),
        "ListLocks" => one(&proto::ListLocksResponse::default()),
        "ListAccessRequests" => match decode::<proto::ListAccessRequestsRequest>(&call.message).start_key.as_str() {
            "" => page("a", "k1"),
            "k1" if failed.fetch_add(1, Ordering::Relaxed) < 2 => Reply::Fail(Status::unavailable("busy")),
            "k1" => page("b", "k2"),
            _ => page("c", ""),
        },
        _ => unimplemented(),
    })
    .await;
    let listing = client.list().await.unwrap();
    let ids: Vec<&str> = listing.requests.iter().map(|request| request.id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let calls = server.calls("ListAccessRequests");
    let keys: Vec<String> =
        calls.iter().map(|call| decode::<proto::ListAccessRequestsRequest>(&call.message).start_key).collect();
    assert_eq!(keys, ["", "k1", "k1", "k1", "k2"]);
}

/// The pauses before the third try are longer than this list may take.
#[tokio::test]
async fn a_list_ends_by_its_deadline_however_often_its_pages_may_be_asked_for() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, |call| match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse::default()),
        "ListLocks" => Reply::Fail(Status::unavailable("busy")),
        _ => unimplemented(),
    })
    .await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let limits = Limits { list: Duration::from_millis(40), ..Limits::default() };
    let client = Client::new(file.target(&server.address), limits).await.unwrap();
    client.ping().await.unwrap();
    let failure = client.list().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.contains("no answer within 0.04 s"), "{failure}");
    assert!(server.calls("ListLocks").len() < 3);
}
