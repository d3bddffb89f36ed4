//! Injected faults, as a client meets them.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::{Duration, Instant};

use tonic::Code::{NotFound, PermissionDenied, Unavailable, Unimplemented};
use tribunal_proto::proto::{
    GetLockRequest, GetLocksRequest, ListAccessRequestsRequest, ListLocksRequest, PingRequest, Watch,
};
use tribunal_proto::types::{AccessRequestFilter, WatchKind};
use tribunal_sim::{Change, Moment, Often};

use crate::world::{SCENARIO, World, id, lock, on_request, refused, soon, spec};

#[tokio::test]
async fn a_lost_reply_happens_after_the_write() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    world.running.handle().faults(|faults| faults.lose_reply("UpsertLock", Often::Next(1)));
    refused(bot.upsert_lock(lock("l", on_request("r"))).await, Unavailable, "connection lost");
    bot.get_lock(GetLockRequest { name: "l".into() }).await.unwrap();
    bot.upsert_lock(lock("l", on_request("r"))).await.unwrap();
}

#[tokio::test]
async fn an_error_happens_before_the_write_and_as_often_as_ordered() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    world.running.handle().faults(|faults| faults.fail("UpsertLock", Often::Next(2), Unavailable, "gone fishing"));
    for _ in 0..2 {
        refused(bot.upsert_lock(lock("l", on_request("r"))).await, Unavailable, "gone fishing");
    }
    refused(bot.get_lock(GetLockRequest { name: "l".into() }).await, NotFound, "`l`");
    bot.upsert_lock(lock("l", on_request("r"))).await.unwrap();
}

#[tokio::test]
async fn the_scenario_file_orders_faults_such_as_methods_that_an_old_server_lacks() {
    let faults = "[[faults.error]]\nmethod = \"ListLocks\"\ncode = \"unimplemented\"\nprobability = 1.0\n";
    let world = World::with(&format!("{SCENARIO}\n{faults}")).await;
    let mut bot = world.bot().await;
    refused(bot.list_locks(ListLocksRequest::default()).await, Unimplemented, "injected");
    bot.get_locks(GetLocksRequest::default()).await.unwrap();
}

#[tokio::test]
async fn a_stale_list_trails_while_a_single_read_does_not() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let handle = world.running.handle();
    handle.with(|cluster, _| cluster.set_stale_list(1));
    let request = id(&world.request().await);
    handle.approve_as("admin", &request, "ok").unwrap();
    let listed =
        bot.list_access_requests(ListAccessRequestsRequest::default()).await.unwrap().into_inner().access_requests;
    assert_eq!(listed.iter().map(|request| spec(request).resolve_reason).collect::<Vec<_>>(), [""]);
    let filter = Some(AccessRequestFilter { id: request, ..AccessRequestFilter::default() });
    let read = bot
        .list_access_requests(ListAccessRequestsRequest { filter, ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .access_requests;
    assert_eq!(read.iter().map(|request| spec(request).resolve_reason).collect::<Vec<_>>(), ["ok"]);
    handle.with(|cluster, _| cluster.set_stale_list(0));
    let listed =
        bot.list_access_requests(ListAccessRequestsRequest::default()).await.unwrap().into_inner().access_requests;
    assert_eq!(listed.iter().map(|request| spec(request).resolve_reason).collect::<Vec<_>>(), ["ok"]);
}

#[tokio::test]
async fn a_skewed_clock_shows_in_what_the_server_stamps() {
    let world = World::start().await;
    world.running.handle().faults(|faults| faults.set_clock_skew_ms(-90_000));
    let created = spec(&world.request().await).created;
    assert_eq!(Moment::from_proto(created.as_ref()), Some(world.now().plus_ms(-90_000)));
}

#[tokio::test]
async fn watch_streams_break_after_so_many_events() {
    let world = World::start().await;
    world.running.handle().faults(|faults| faults.set_drop_watch_after(Some(2)));
    let kinds = vec![WatchKind { kind: "access_request".into(), ..WatchKind::default() }];
    let mut stream =
        world.bot().await.watch_events(Watch { kinds, allow_partial_success: false }).await.unwrap().into_inner();
    world.request().await;
    assert!(soon(stream.message()).await.unwrap().is_some());
    assert!(soon(stream.message()).await.unwrap().is_some());
    assert_eq!(soon(stream.message()).await.unwrap_err().code(), Unavailable);
}

#[tokio::test]
async fn latency_is_waited_for() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    world.running.handle().faults(|faults| faults.set_latency(Duration::from_millis(30), Duration::ZERO));
    let start = Instant::now();
    bot.ping(PingRequest {}).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(30));
}

#[tokio::test]
async fn cut_connections_are_replaced_by_new_ones_and_nothing_is_forgotten() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let request = id(&world.request().await);
    let kinds = vec![WatchKind { kind: "access_request".into(), ..WatchKind::default() }];
    let mut stream = bot.watch_events(Watch { kinds, allow_partial_success: false }).await.unwrap().into_inner();
    soon(stream.message()).await.unwrap();
    world.running.handle().cut_connections();
    assert!(soon(stream.message()).await.is_err());
    let mut again = world.bot().await;
    let listed =
        again.list_access_requests(ListAccessRequestsRequest::default()).await.unwrap().into_inner().access_requests;
    assert_eq!(listed.iter().map(id).collect::<Vec<_>>(), [request]);
}

#[tokio::test]
async fn observers_see_every_change_with_its_author_in_order() {
    let world = World::start().await;
    let handle = world.running.handle();
    let observer = handle.clone();
    let approved = tokio::spawn(async move {
        observer
            .wait_until(|cluster, _| {
                cluster
                    .requests()
                    .values()
                    .any(|request| spec(request).state() == tribunal_proto::types::RequestState::Approved)
                    .then_some(())
            })
            .await;
    });
    let request = id(&world.request().await);
    handle.approve_as("admin", &request, "ok").unwrap();
    soon(approved).await.unwrap();
    refused(world.client("nobody").await.get_lock(GetLockRequest { name: "l".into() }).await, PermissionDenied, "read");
    let history = handle.history();
    let authors: Vec<(u64, &str)> = history.iter().map(|entry| (entry.sequence, entry.by.as_str())).collect();
    assert_eq!(authors, [(1, "alice"), (2, "admin")]);
    assert!(history.iter().all(|entry| matches!(&entry.change, Change::RequestPut(stored) if id(stored) == request)));
}
