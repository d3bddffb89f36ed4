//! Creating, listing by scope, deleting and expiring requests.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tonic::Code::{InvalidArgument, NotFound, PermissionDenied};
use tribunal_proto::proto::{ListAccessRequestsRequest, RequestId};
use tribunal_proto::types::{self, AccessRequestFilter, AccessRequestV3, RequestState};
use tribunal_sim::Moment;

use crate::world::{CHOSEN_NAME, Client, World, asking, id, refused, spec};

async fn listed(client: &mut Client, filter: AccessRequestFilter) -> Vec<String> {
    let query = ListAccessRequestsRequest { filter: Some(filter), ..ListAccessRequestsRequest::default() };
    client.list_access_requests(query).await.unwrap().into_inner().access_requests.iter().map(id).collect()
}

fn changed(mut request: AccessRequestV3, change: impl FnOnce(&mut types::AccessRequestSpecV3)) -> AccessRequestV3 {
    change(request.spec.as_mut().unwrap());
    request
}

#[tokio::test]
async fn the_server_fills_in_what_clients_cannot_choose() {
    let world = World::start().await;
    let stored = world.request().await;
    let now = world.now();
    assert_ne!(id(&stored), CHOSEN_NAME);
    let uuid = uuid::Uuid::parse_str(&id(&stored)).unwrap();
    assert_eq!(uuid.get_version_num(), 7);
    let spec = spec(&stored);
    assert_eq!(spec.state(), RequestState::Pending);
    assert_eq!(Moment::from_proto(spec.created.as_ref()), Some(now));
    // The requester's role gives three days, and requests wait as long as that.
    assert_eq!(Moment::from_proto(spec.expires.as_ref()), Some(now.plus_ms(72 * 3_600_000)));
    assert_eq!(Moment::from_proto(spec.resource_expiry.as_ref()), Some(now.plus_ms(72 * 3_600_000)));
    assert_eq!(spec.thresholds.len(), 1);
    assert_eq!((spec.thresholds.first().unwrap().approve, spec.thresholds.first().unwrap().deny), (1, 1));
    assert_eq!(spec.system_annotations.unwrap().values.get("tier").unwrap().values, ["gold"]);
    assert_eq!(spec.suggested_reviewers, ["rita"]);
}

#[tokio::test]
async fn requests_that_may_not_be_made_are_refused_one_by_one() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    let ask = |roles: &[&str], resources: &[&str]| asking("alice", roles, resources);
    let past = Some(world.now().plus_ms(-1000).to_proto());
    let many: Vec<types::ResourceId> = (0..301)
        .map(|n| types::ResourceId {
            cluster_name: "test".into(),
            kind: "node".into(),
            name: n.to_string(),
            ..Default::default()
        })
        .collect();
    let far = Some(world.now().plus_ms(15 * 24 * 3_600_000).to_proto());
    let cases = [
        (ask(&["secret"], &[]), InvalidArgument, "can not request role `secret`"),
        (ask(&["no-such-role"], &[]), InvalidArgument, "can not request role"),
        (ask(&[], &[]), InvalidArgument, "asks for nothing"),
        (asking("", &["prod-a"], &[]), InvalidArgument, "no user"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.request_reason = "x".repeat(4097)), InvalidArgument, "too long"),
        (
            changed(ask(&[], &[]), |spec| spec.requested_resource_ids = many),
            InvalidArgument,
            "too many requested resources",
        ),
        (ask(&[], &[&format!("/test/node/{}", "x".repeat(2048))]), InvalidArgument, "too long"),
        (ask(&[], &["/elsewhere/node/n1"]), NotFound, "cluster `elsewhere`"),
        (ask(&[], &["/test/node/lab"]), PermissionDenied, "search_as_roles"),
        (ask(&[], &["/test/node/no-such-node"]), PermissionDenied, "search_as_roles"),
        (
            changed(ask(&["prod-a"], &[]), |spec| spec.state = RequestState::Approved.into()),
            PermissionDenied,
            "already resolved",
        ),
        (
            changed(ask(&["prod-a"], &[]), |spec| spec.state = RequestState::Promoted.into()),
            PermissionDenied,
            "already resolved",
        ),
        (changed(ask(&["prod-a"], &[]), |spec| spec.state = 17), PermissionDenied, "already resolved"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.expires = past), InvalidArgument, "in the past"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.resource_expiry = past), InvalidArgument, "in the past"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.max_duration = past), InvalidArgument, "max duration"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.max_duration = far), InvalidArgument, "max duration"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.assume_start_time = past), InvalidArgument, "assume start time"),
        (changed(ask(&["prod-a"], &[]), |spec| spec.assume_start_time = far), InvalidArgument, "assume start time"),
        (asking("bob", &["prod-a"], &[]), PermissionDenied, "`create` on `access_request`"),
    ];
    for (request, code, words) in cases {
        refused(alice.create_access_request_v2(request).await, code, words);
    }
    let mut mute = world.client("mute").await;
    refused(mute.create_access_request_v2(asking("mute", &["prod-a"], &[])).await, PermissionDenied, "create");
    let mut carol = world.client("carol").await;
    refused(
        carol.create_access_request_v2(asking("carol", &["reasoned"], &[])).await,
        InvalidArgument,
        "reason must be specified",
    );
    refused(
        carol.create_access_request_v2(asking("carol", &["two-eyes"], &["/test/node/n1"])).await,
        PermissionDenied,
        "search_as_roles",
    );
    let mut admin = world.client("admin").await;
    refused(
        admin.create_access_request_v2(asking("no-such-user", &["prod-a"], &[])).await,
        NotFound,
        "user `no-such-user`",
    );
    assert!(world.running.handle().snapshot().requests.is_empty());
}

#[tokio::test]
async fn resource_requests_get_their_roles_from_search_as_roles() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    let stored = alice
        .create_access_request_v2(asking("alice", &[], &["/test/node/n1", "/test/node/n2"]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(spec(&stored).roles, ["node-access"]);
    assert_eq!(spec(&stored).requested_resource_ids.len(), 2);
    let newer = types::ResourceAccessId {
        id: Some(types::ResourceId {
            cluster_name: "test".into(),
            kind: "node".into(),
            name: "n1".into(),
            ..Default::default()
        }),
        constraints: None,
    };
    let request = changed(asking("alice", &[], &[]), |spec| spec.requested_resource_access_ids = vec![newer]);
    let stored = alice.create_access_request_v2(request).await.unwrap().into_inner();
    assert_eq!(spec(&stored).roles, ["node-access"]);
}

#[tokio::test]
async fn access_lasts_as_long_as_roles_allow_or_as_wished_if_that_is_shorter() {
    let world = World::start().await;
    let now = world.now();
    let hours = |hours: i64| Some(now.plus_ms(hours * 3_600_000).to_proto());
    let mut alice = world.client("alice").await;
    let mut carol = world.client("carol").await;
    // alice's role gives three days, carol's gives no duration; `prod-a` limits a session to two hours.
    for (user, role, wish, access, session) in [
        ("alice", "prod-b", None, 72, 30),
        ("alice", "prod-b", Some(200), 72, 30),
        ("alice", "prod-b", Some(20), 20, 20),
        ("alice", "prod-a", Some(20), 20, 2),
        ("carol", "two-eyes", None, 30, 30),
        ("carol", "two-eyes", Some(200), 30, 30),
        ("carol", "two-eyes", Some(1), 1, 1),
    ] {
        let client = if user == "alice" { &mut alice } else { &mut carol };
        let request = changed(asking(user, &[role], &[]), |spec| spec.max_duration = wish.and_then(hours));
        let stored = spec(&client.create_access_request_v2(request).await.unwrap().into_inner());
        assert_eq!((stored.expires, stored.max_duration), (hours(access), hours(access)), "{user} {role} {wish:?}");
        assert_eq!(stored.session_ttl, hours(session), "{user} {role} {wish:?}");
        assert_eq!(stored.resource_expiry, hours(access), "{user} {role} {wish:?}");
    }
}

#[tokio::test]
async fn a_resource_that_is_named_twice_is_asked_for_once() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    let stored = alice
        .create_access_request_v2(asking("alice", &[], &["/test/node/n1", "/test/node/n1"]))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(spec(&stored).requested_resource_ids.len(), 1);
}

#[tokio::test]
async fn a_dry_run_is_not_stored() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    let request = changed(asking("alice", &["prod-a"], &[]), |spec| spec.dry_run = true);
    let answer = alice.create_access_request_v2(request).await.unwrap().into_inner();
    assert_eq!(spec(&answer).dry_run_enrichment.unwrap().reason_mode, "optional");
    assert!(world.running.handle().snapshot().requests.is_empty());
}

#[tokio::test]
async fn the_right_to_create_creates_for_others_even_approved_ones() {
    let world = World::start().await;
    let mut admin = world.client("admin").await;
    let request = changed(asking("alice", &["prod-a"], &[]), |spec| spec.state = RequestState::Approved.into());
    let stored = admin.create_access_request_v2(request).await.unwrap().into_inner();
    assert_eq!((spec(&stored).user.as_str(), spec(&stored).state()), ("alice", RequestState::Approved));
}

#[tokio::test]
async fn without_list_and_read_a_caller_silently_sees_own_and_reviewable_requests_only() {
    let world = World::start().await;
    let of_alice = id(&world.request_of("alice", &["prod-a"]).await);
    let of_bob = id(&world.request_of("bob", &["prod-a"]).await);
    let of_carol = id(&world.request_of("carol", &["two-eyes"]).await);
    for (user, sees) in [
        ("bot-tribunal", vec![&of_alice, &of_bob, &of_carol]),
        ("alice", vec![&of_alice]),
        ("bob", vec![&of_alice, &of_bob, &of_carol]),
        ("half", vec![]),
        ("nobody", vec![]),
    ] {
        let mut client = world.client(user).await;
        assert_eq!(
            listed(&mut client, AccessRequestFilter::default()).await,
            sees.into_iter().cloned().collect::<Vec<_>>(),
            "{user}"
        );
    }
}

#[tokio::test]
async fn filters_and_scopes_narrow_the_list() {
    let world = World::start().await;
    let of_alice = id(&world.request_of("alice", &["prod-a"]).await);
    let of_bob = id(&world.request_of("bob", &["prod-b"]).await);
    let handle = world.running.handle();
    handle.approve_as("admin", &of_alice, "ok").unwrap();
    let mut bob = world.client("bob").await;
    let mut bot = world.bot().await;
    let by = AccessRequestFilter::default;
    let scope = |scope: types::AccessRequestScope| AccessRequestFilter { scope: scope.into(), ..by() };
    assert_eq!(
        listed(&mut bot, AccessRequestFilter { user: "alice".into(), ..by() }).await,
        std::slice::from_ref(&of_alice)
    );
    assert_eq!(
        listed(&mut bot, AccessRequestFilter { state: RequestState::Pending.into(), ..by() }).await,
        std::slice::from_ref(&of_bob)
    );
    assert_eq!(
        listed(&mut bot, AccessRequestFilter { id: of_bob.clone(), ..by() }).await,
        std::slice::from_ref(&of_bob)
    );
    assert_eq!(
        listed(&mut bot, AccessRequestFilter { search_keywords: vec!["prod-B".into()], ..by() }).await,
        std::slice::from_ref(&of_bob)
    );
    // The server puts the caller's own name in the place of `requester`.
    let forged = AccessRequestFilter { requester: "alice".into(), ..scope(types::AccessRequestScope::MyRequests) };
    assert_eq!(listed(&mut bob, forged).await, std::slice::from_ref(&of_bob));
    assert_eq!(listed(&mut bot, scope(types::AccessRequestScope::NeedsReview)).await, std::slice::from_ref(&of_bob));
    assert!(listed(&mut bob, scope(types::AccessRequestScope::NeedsReview)).await.is_empty());
    assert!(listed(&mut bob, scope(types::AccessRequestScope::Reviewed)).await.is_empty());
    assert!(listed(&mut bot, AccessRequestFilter { id: "no-such-id".into(), ..by() }).await.is_empty(), "not NotFound");
}

#[tokio::test]
async fn only_who_may_delete_deletes() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let query = || RequestId { id: request.clone() };
    refused(world.bot().await.delete_access_request(query()).await, PermissionDenied, "`delete` on `access_request`");
    refused(world.client("alice").await.delete_access_request(query()).await, PermissionDenied, "delete");
    let mut admin = world.client("admin").await;
    admin.delete_access_request(query()).await.unwrap();
    refused(admin.delete_access_request(query()).await, NotFound, &request);
}

#[tokio::test]
async fn an_expired_request_leaves_lists_at_once_and_the_backend_with_the_sweep() {
    let scenario = format!("{}\n[sweep]\npending-grace = \"10s\"", crate::world::SCENARIO);
    let world = World::with(&scenario).await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    world.clock.advance(Duration::from_secs(72 * 3600));
    assert!(listed(&mut bot, AccessRequestFilter::default()).await.is_empty());
    let by_id = AccessRequestFilter { id: request.clone(), ..AccessRequestFilter::default() };
    assert_eq!(listed(&mut bot, by_id.clone()).await, [request]);
    world.clock.advance(Duration::from_secs(11));
    world.running.handle().sweep();
    assert!(listed(&mut bot, by_id).await.is_empty());
}

#[tokio::test]
async fn the_streamed_list_is_the_same_list() {
    let world = World::start().await;
    let one = id(&world.request_of("alice", &["prod-a"]).await);
    let two = id(&world.request_of("bob", &["prod-a"]).await);
    let mut stream =
        world.bot().await.get_access_requests_v2(AccessRequestFilter::default()).await.unwrap().into_inner();
    let mut seen = Vec::new();
    while let Some(request) = stream.message().await.unwrap() {
        seen.push(id(&request));
    }
    assert_eq!(seen, [one, two]);
}
