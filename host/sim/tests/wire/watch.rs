//! Watch streams: first event, filters, ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;

use tonic::Code::{InvalidArgument, PermissionDenied, Unavailable};
use tonic::Streaming;
use tribunal_proto::proto::event::Resource;
use tribunal_proto::proto::{Event, Operation, Watch};
use tribunal_proto::types::{LockTarget, RequestState, WatchKind};

use crate::world::{Client, World, id, lock, on_request, refused, soon, spec};

fn kind(kind: &str, filter: &[(&str, &str)]) -> WatchKind {
    let filter: BTreeMap<String, String> =
        filter.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    WatchKind { kind: kind.to_owned(), filter, ..WatchKind::default() }
}

fn watch(kinds: &[WatchKind]) -> Watch {
    Watch { kinds: kinds.to_vec(), allow_partial_success: false }
}

async fn next(stream: &mut Streaming<Event>) -> Event {
    soon(stream.message()).await.unwrap().unwrap()
}

/// Opens a watch and takes its first event.
async fn open(client: &mut Client, kinds: &[WatchKind]) -> Streaming<Event> {
    let mut stream = client.watch_events(watch(kinds)).await.unwrap().into_inner();
    let first = next(&mut stream).await;
    assert_eq!(first.r#type(), Operation::Init);
    let Some(Resource::WatchStatus(status)) = first.resource else { panic!("no watch status in {first:?}") };
    assert_eq!(status.spec.unwrap().kinds.len(), kinds.len());
    stream
}

fn deleted(event: &Event) -> (String, String) {
    assert_eq!(event.r#type(), Operation::Delete);
    let Some(Resource::ResourceHeader(header)) = &event.resource else {
        panic!("a delete carries a header only: {event:?}")
    };
    (header.kind.clone(), header.metadata.clone().unwrap().name)
}

fn put(event: &Event) -> (String, RequestState) {
    assert_eq!(event.r#type(), Operation::Put);
    let Some(Resource::AccessRequest(request)) = &event.resource else { panic!("not an access request: {event:?}") };
    (id(request), spec(request).state())
}

#[tokio::test]
async fn every_change_of_requests_and_locks_is_told_in_order_and_the_end_as_a_header() {
    let world = World::start().await;
    let mut stream = open(&mut world.bot().await, &[kind("access_request", &[]), kind("lock", &[])]).await;
    let handle = world.running.handle();
    let request = id(&world.request().await);
    handle.approve_as("admin", &request, "ok").unwrap();
    handle.upsert_lock_as("admin", lock("l", on_request(&request))).unwrap();
    handle.delete_lock_as("admin", "l").unwrap();
    let admin = tribunal_sim::Caller::person("admin", &["root"]);
    handle.with(|cluster, now| cluster.delete_request(&admin, now, &request)).unwrap();
    assert_eq!(put(&next(&mut stream).await), (request.clone(), RequestState::Pending));
    assert_eq!(put(&next(&mut stream).await), (request.clone(), RequestState::Approved));
    let Some(Resource::Lock(seen)) = next(&mut stream).await.resource else { panic!("no lock") };
    assert_eq!(seen.metadata.unwrap().name, "l");
    assert_eq!(deleted(&next(&mut stream).await), ("lock".to_owned(), "l".to_owned()));
    assert_eq!(deleted(&next(&mut stream).await), ("access_request".to_owned(), request));
}

#[tokio::test]
async fn a_filter_hides_changes_but_never_an_end() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let mut pending = open(&mut bot, &[kind("access_request", &[("state", "PENDING")])]).await;
    let mut of_bob = open(&mut bot, &[kind("access_request", &[("user", "bob")])]).await;
    let request = id(&world.request().await);
    let handle = world.running.handle();
    handle.approve_as("admin", &request, "ok").unwrap();
    let bobs = id(&world.request_of("bob", &["prod-a"]).await);
    let admin = tribunal_sim::Caller::person("admin", &["root"]);
    handle.with(|cluster, now| cluster.delete_request(&admin, now, &request)).unwrap();
    assert_eq!(put(&next(&mut pending).await).0, request);
    assert_eq!(put(&next(&mut pending).await).0, bobs, "the approval is not told to who watches PENDING");
    assert_eq!(deleted(&next(&mut pending).await).1, request);
    assert_eq!(put(&next(&mut of_bob).await).0, bobs);
    assert_eq!(deleted(&next(&mut of_bob).await).1, request);
}

#[tokio::test]
async fn watches_that_may_not_be_opened_are_refused() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let mut alice = world.client("alice").await;
    refused(bot.watch_events(watch(&[])).await, PermissionDenied, "name the kinds");
    refused(
        bot.watch_events(watch(&[kind("access_request", &[("colour", "red")])])).await,
        InvalidArgument,
        "`colour`",
    );
    refused(
        bot.watch_events(watch(&[kind("access_request", &[("state", "MAYBE")])])).await,
        InvalidArgument,
        "`MAYBE`",
    );
    refused(
        alice.watch_events(watch(&[kind("access_request", &[])])).await,
        PermissionDenied,
        "`read` on `access_request`",
    );
    refused(alice.watch_events(watch(&[kind("access_request", &[("user", "bob")])])).await, PermissionDenied, "read");
    open(&mut alice, &[kind("access_request", &[("user", "alice")])]).await;
    let partial = |kinds: &[WatchKind]| Watch { allow_partial_success: true, ..watch(kinds) };
    refused(alice.watch_events(partial(&[kind("lock", &[])])).await, InvalidArgument, "none of the requested kinds");
    let mut stream =
        bot.watch_events(partial(&[kind("lock", &[]), kind("cert_authority", &[])])).await.unwrap().into_inner();
    let Some(Resource::WatchStatus(status)) = next(&mut stream).await.resource else { panic!("no watch status") };
    assert_eq!(status.spec.unwrap().kinds.into_iter().map(|kind| kind.kind).collect::<Vec<_>>(), ["lock"]);
}

#[tokio::test]
async fn a_broken_stream_says_so_and_a_new_one_replays_nothing() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let kinds = [kind("access_request", &[])];
    let mut stream = open(&mut bot, &kinds).await;
    world.request().await;
    next(&mut stream).await;
    world.running.handle().drop_watches();
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), Unavailable);
    let mut stream = open(&mut bot, &kinds).await;
    let second = id(&world.request().await);
    assert_eq!(put(&next(&mut stream).await).0, second);
}

#[tokio::test]
async fn a_lock_on_the_watcher_ends_its_stream() {
    let world = World::start().await;
    let mut stream = open(&mut world.bot().await, &[kind("access_request", &[])]).await;
    let target = LockTarget { user: "bot-tribunal".into(), ..LockTarget::default() };
    world.running.handle().upsert_lock_as("admin", lock("l", target)).unwrap();
    let end = soon(stream.message()).await.unwrap_err();
    assert_eq!(end.code(), PermissionDenied);
}

#[tokio::test]
async fn whoever_does_not_read_is_closed_and_others_are_not() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let mut slow = open(&mut bot, &[kind("access_request", &[])]).await;
    let mut other = open(&mut world.bot().await, &[kind("lock", &[])]).await;
    let handle = world.running.handle();
    let request = id(&world.request().await);
    // More than the queue and the transport's windows hold together.
    for _ in 0..6_000 {
        handle.approve_as("admin", &request, &"x".repeat(4000)).unwrap();
    }
    let mut end = None;
    while end.is_none() {
        match soon(slow.message()).await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a clean end"),
            Err(status) => end = Some(status),
        }
    }
    assert!(end.unwrap().message().contains("fanout buffer closed"));
    handle.upsert_lock_as("admin", lock("l", on_request(&request))).unwrap();
    assert_eq!(next(&mut other).await.r#type(), Operation::Put);
}
