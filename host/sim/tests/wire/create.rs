//! What a new request must say, and what of it the server keeps. Who may ask for what is tested beside the lists.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{InvalidArgument, PermissionDenied};
use tribunal_proto::types::{AccessRequestSpecV3, AccessRequestV3, RequestState};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_sim::IssueOptions;

use crate::world::{CHOSEN_NAME, World, asking, id, refused, spec};

fn for_alice(change: impl FnOnce(&mut AccessRequestSpecV3)) -> AccessRequestV3 {
    let mut request = asking("alice", &["prod-a"], &[]);
    change(request.spec.as_mut().unwrap());
    request
}

fn named(name: &str) -> AccessRequestV3 {
    let mut request = for_alice(|_| {});
    request.metadata.as_mut().unwrap().name = name.to_owned();
    request
}

fn annotations() -> LabelValues {
    LabelValues { values: [("ticket".to_owned(), StringValues { values: vec!["T1".to_owned()] })].into() }
}

#[tokio::test]
async fn a_request_is_named_by_the_client_with_a_uuid_and_renamed_by_the_server() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    for name in ["", "mine", "6f1c6c0e-7f0b-4b57-9a3e"] {
        refused(alice.create_access_request_v2(named(name)).await, InvalidArgument, "is not a uuid");
    }
    let nameless = AccessRequestV3 { metadata: None, ..for_alice(|_| {}) };
    refused(alice.create_access_request_v2(nameless).await, InvalidArgument, "is not a uuid");
    assert!(world.running.handle().snapshot().requests.is_empty());
    let first = alice.create_access_request_v2(named(CHOSEN_NAME)).await.unwrap().into_inner();
    let second = alice.create_access_request_v2(named(CHOSEN_NAME)).await.unwrap().into_inner();
    assert_ne!(id(&first), CHOSEN_NAME);
    assert_ne!(id(&first), id(&second));
}

#[tokio::test]
async fn a_pending_request_with_a_resolution_is_refused() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    for state in [RequestState::Pending, RequestState::None] {
        for request in [
            for_alice(|spec| spec.resolve_reason = "trust me".to_owned()),
            for_alice(|spec| spec.resolve_annotations = Some(annotations())),
        ] {
            let mut request = request;
            request.spec.as_mut().unwrap().state = state.into();
            refused(alice.create_access_request_v2(request).await, InvalidArgument, "pending request");
        }
    }
    let empty = for_alice(|spec| spec.resolve_annotations = Some(LabelValues::default()));
    alice.create_access_request_v2(empty).await.unwrap();
}

#[tokio::test]
async fn a_resolved_request_for_another_keeps_its_resolution() {
    let world = World::start().await;
    let mut admin = world.client("admin").await;
    let resolved = |reason: &str| {
        for_alice(|spec| {
            spec.state = RequestState::Denied.into();
            spec.resolve_reason = reason.to_owned();
            spec.resolve_annotations = Some(annotations());
        })
    };
    let stored = spec(&admin.create_access_request_v2(resolved("no")).await.unwrap().into_inner());
    assert_eq!((stored.state(), stored.resolve_reason.as_str()), (RequestState::Denied, "no"));
    assert_eq!(stored.resolve_annotations, Some(annotations()));
    refused(
        admin.create_access_request_v2(resolved(&"x".repeat(4097))).await,
        InvalidArgument,
        "resolve reason is too long",
    );
}

#[tokio::test]
async fn with_assumed_requests_nothing_resolved_can_be_created_for_another() {
    let world = World::start().await;
    let assumed = id(&world.request_of("bob", &["prod-a"]).await);
    let elevated = IssueOptions { active_requests: vec![assumed], ..IssueOptions::of("admin") };
    let mut elevated = world.client_of(&elevated).await;
    let resolved = |state: RequestState| for_alice(|spec| spec.state = state.into());
    for state in [RequestState::Approved, RequestState::Denied, RequestState::Promoted] {
        refused(elevated.create_access_request_v2(resolved(state)).await, PermissionDenied, "elevated");
    }
    elevated.create_access_request_v2(resolved(RequestState::Pending)).await.unwrap();
    world.client("admin").await.create_access_request_v2(resolved(RequestState::Approved)).await.unwrap();
}

#[tokio::test]
async fn a_state_without_a_name_is_no_pending_one() {
    let world = World::start().await;
    let nameless = || for_alice(|spec| spec.state = 17);
    refused(
        world.client("alice").await.create_access_request_v2(nameless()).await,
        PermissionDenied,
        "already resolved",
    );
    let mut admin = world.client("admin").await;
    let stored = admin.create_access_request_v2(nameless()).await.unwrap().into_inner();
    assert_eq!(spec(&stored).state, 17);
    let promoted = for_alice(|spec| spec.state = RequestState::Promoted.into());
    refused(admin.create_access_request_v2(promoted).await, InvalidArgument, "in this state");
}
