//! Locks: their form, their filters, and whom they stop.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tonic::Code::{InvalidArgument, NotFound, PermissionDenied};
use tribunal_proto::proto::{DeleteLockRequest, GetLockRequest, GetLocksRequest, ListLocksRequest, PingRequest};
use tribunal_proto::types::{LockFilter, LockTarget, LockV2};
use tribunal_sim::{IssueOptions, Moment};

use crate::world::{Client, World, id, lock, on_request, refused};

fn ending(mut lock: LockV2, spec: Option<Moment>, metadata: Option<Moment>) -> LockV2 {
    lock.spec.as_mut().unwrap().expires = spec.map(Moment::to_proto);
    lock.metadata.as_mut().unwrap().expires = metadata.map(Moment::to_proto);
    lock
}

fn user(name: &str) -> LockTarget {
    LockTarget { user: name.to_owned(), ..LockTarget::default() }
}

async fn names(client: &mut Client, filter: LockFilter) -> Vec<String> {
    let query = ListLocksRequest { filter: Some(filter.clone()), ..ListLocksRequest::default() };
    let listed = client.list_locks(query).await.unwrap().into_inner().locks;
    let got = client
        .get_locks(GetLocksRequest { targets: filter.targets, in_force_only: filter.in_force_only })
        .await
        .unwrap()
        .into_inner()
        .locks;
    assert_eq!(listed, got, "both ways of listing agree");
    listed.into_iter().map(|lock| lock.metadata.unwrap().name).collect()
}

#[tokio::test]
async fn the_server_says_when_and_by_whom_a_lock_was_made_and_the_same_name_overwrites() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    bot.upsert_lock(lock("l", on_request("r"))).await.unwrap();
    let stored = bot.get_lock(GetLockRequest { name: "l".into() }).await.unwrap().into_inner().spec.unwrap();
    assert_eq!(stored.created_by, "bot-tribunal");
    assert_eq!(Moment::from_proto(stored.created_at.as_ref()), Some(world.now()));
    bot.upsert_lock(lock("l", on_request("other"))).await.unwrap();
    assert_eq!(names(&mut bot, LockFilter::default()).await, ["l"]);
}

#[tokio::test]
async fn malformed_and_missing_locks_are_refused() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    refused(bot.upsert_lock(lock("l", LockTarget::default())).await, InvalidArgument, "at least one target field");
    refused(bot.upsert_lock(lock("", on_request("r"))).await, InvalidArgument, "no name");
    refused(bot.get_lock(GetLockRequest { name: "none".into() }).await, NotFound, "`none`");
    refused(bot.delete_lock(DeleteLockRequest { name: "none".into() }).await, NotFound, "`none`");
    bot.upsert_lock(lock("l", on_request("r"))).await.unwrap();
    bot.delete_lock(DeleteLockRequest { name: "l".into() }).await.unwrap();
    refused(bot.get_lock(GetLockRequest { name: "l".into() }).await, NotFound, "`l`");
}

#[tokio::test]
async fn a_lock_is_in_force_until_its_spec_expires_and_stored_until_its_metadata_does() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let (soon, later) = (Some(world.now().plus_ms(1000)), Some(world.now().plus_ms(5000)));
    bot.upsert_lock(lock("for-ever", on_request("a"))).await.unwrap();
    bot.upsert_lock(ending(lock("kept", on_request("b")), soon, None)).await.unwrap();
    bot.upsert_lock(ending(lock("cleaned", on_request("c")), soon, later)).await.unwrap();
    let in_force = || LockFilter { in_force_only: true, ..LockFilter::default() };
    assert_eq!(names(&mut bot, in_force()).await, ["cleaned", "for-ever", "kept"]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(names(&mut bot, in_force()).await, ["for-ever"]);
    assert_eq!(names(&mut bot, LockFilter::default()).await, ["cleaned", "for-ever", "kept"]);
    world.clock.advance(Duration::from_secs(4));
    world.running.handle().sweep();
    assert_eq!(names(&mut bot, LockFilter::default()).await, ["for-ever", "kept"]);
}

#[tokio::test]
async fn every_field_that_a_lock_sets_must_match_the_wanted_target() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let both = LockTarget { role: "prod-a".into(), ..user("alice") };
    bot.upsert_lock(lock("both", both.clone())).await.unwrap();
    bot.upsert_lock(lock("request", on_request("r1"))).await.unwrap();
    let targets = |targets: Vec<LockTarget>| LockFilter { targets, in_force_only: false };
    assert_eq!(names(&mut bot, targets(vec![both])).await, ["both"]);
    assert!(names(&mut bot, targets(vec![user("alice")])).await.is_empty());
    assert_eq!(names(&mut bot, targets(vec![on_request("r1"), user("x")])).await, ["request"]);
    assert!(names(&mut bot, targets(vec![LockTarget::default()])).await.is_empty());
}

#[tokio::test]
async fn locks_are_listed_in_pages() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    for n in 0..5 {
        bot.upsert_lock(lock(&format!("l{n}"), on_request("r"))).await.unwrap();
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = bot
            .list_locks(ListLocksRequest { page_size: 2, page_token: token, filter: None })
            .await
            .unwrap()
            .into_inner();
        assert!(page.locks.len() <= 2);
        seen.extend(page.locks.into_iter().map(|lock| lock.metadata.unwrap().name));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(seen, ["l0", "l1", "l2", "l3", "l4"]);
}

#[tokio::test]
async fn whom_a_lock_in_force_targets_is_refused_everything() {
    let world = World::start().await;
    let request = id(&world.request().await);
    world.running.handle().approve_as("admin", &request, "ok").unwrap();
    let elevated = IssueOptions { active_requests: vec![request.clone()], ..IssueOptions::of("alice") };
    let mut base = world.client("alice").await;
    let mut with_request = world.client_of(&elevated).await;
    let mut bot = world.bot().await;
    with_request.ping(PingRequest {}).await.unwrap();
    bot.upsert_lock(lock("request", on_request(&request))).await.unwrap();
    refused(
        with_request.ping(PingRequest {}).await,
        PermissionDenied,
        &format!("lock targeting AccessRequest:\"{request}\" is in force: because"),
    );
    base.ping(PingRequest {}).await.unwrap();
    bot.upsert_lock(ending(lock("user", user("alice")), Some(world.now().plus_ms(1000)), None)).await.unwrap();
    refused(base.ping(PingRequest {}).await, PermissionDenied, "lock targeting User:\"alice\" is in force");
    world.clock.advance(Duration::from_secs(1));
    base.ping(PingRequest {}).await.unwrap();
    bot.upsert_lock(lock("role", LockTarget { role: "prod-a".into(), ..LockTarget::default() })).await.unwrap();
    bot.delete_lock(DeleteLockRequest { name: "request".into() }).await.unwrap();
    refused(with_request.ping(PingRequest {}).await, PermissionDenied, "Role:\"prod-a\"");
    bot.upsert_lock(lock("and", LockTarget { role: "requester".into(), ..user("bob") })).await.unwrap();
    base.ping(PingRequest {}).await.unwrap();
    bot.upsert_lock(lock("self", user("bot-tribunal"))).await.unwrap();
    refused(bot.ping(PingRequest {}).await, PermissionDenied, "bot-tribunal");
}
