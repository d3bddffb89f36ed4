//! Messages that are large: more than gRPC takes by itself are taken, and not without bound.

use tribunal_core::failure::FailureClass;
use tribunal_ports::Teleport as _;
use tribunal_proto::{proto, types};
use tribunal_teleport::client::MESSAGE_BYTES_MAX;

use super::client::{cluster, one, unimplemented};
use super::server::{Call, Reply};

/// What gRPC takes where nothing is said.
const DEFAULT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A request whose reason has so many bytes.
fn request(id: &str, bytes: usize) -> types::AccessRequestV3 {
    types::AccessRequestV3 {
        metadata: Some(types::Metadata { name: id.into(), ..Default::default() }),
        spec: Some(types::AccessRequestSpecV3 {
            user: "u".into(),
            state: 1,
            request_reason: "x".repeat(bytes),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn pages(call: &Call, bytes: usize) -> Reply {
    match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse::default()),
        "ListLocks" => one(&proto::ListLocksResponse::default()),
        "ListAccessRequests" => {
            let access_requests = vec![request("a", bytes / 2), request("b", bytes / 2)];
            one(&proto::ListAccessRequestsResponse { access_requests, ..Default::default() })
        }
        _ => unimplemented(),
    }
}

#[tokio::test]
async fn a_page_may_be_larger_than_grpc_takes_by_itself() {
    let (_server, client) = cluster(|call| pages(call, 2 * DEFAULT_BYTES_MAX)).await;
    assert_eq!(client.list().await.unwrap().requests.len(), 2);
}

#[tokio::test]
async fn a_page_that_is_larger_than_is_taken_is_a_clear_failure_and_no_list() {
    let (server, client) = cluster(|call| pages(call, MESSAGE_BYTES_MAX + 1024)).await;
    let failure = client.list().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm, "{failure}");
    assert!(failure.detail.starts_with("`ListAccessRequests`: out of range: "), "{failure}");
    assert!(failure.detail.ends_with("; the answer is larger than this client takes"), "{failure}");
    assert_eq!(server.calls("ListAccessRequests").len(), 1, "the next one will be no smaller");
}
