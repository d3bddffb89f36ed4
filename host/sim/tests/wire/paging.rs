//! Pages of requests: every sort, both directions, no request twice and none missing.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tonic::Code::InvalidArgument;
use tribunal_proto::proto::{AccessRequestSort, ListAccessRequestsRequest};
use tribunal_proto::types::AccessRequestV3;

use crate::world::{Client, World, id, refused, spec};

async fn all(client: &mut Client, sort: AccessRequestSort, descending: bool, limit: i32) -> Vec<AccessRequestV3> {
    let mut query =
        ListAccessRequestsRequest { sort: sort.into(), descending, limit, ..ListAccessRequestsRequest::default() };
    let mut all = Vec::new();
    loop {
        let page = client.list_access_requests(query.clone()).await.unwrap().into_inner();
        assert!(limit == 0 || i32::try_from(page.access_requests.len()).unwrap() <= limit);
        all.extend(page.access_requests);
        query.start_key = page.next_key;
        if query.start_key.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn every_sort_in_both_directions_gives_every_request_once() {
    let world = World::start().await;
    let mut made = Vec::new();
    for n in 0..7 {
        let user = if n % 2 == 0 { "bob" } else { "alice" };
        made.push(id(&world.request_of(user, &["prod-b"]).await));
        if n % 3 == 0 {
            world.running.handle().approve_as("admin", made.last().unwrap(), "ok").unwrap();
        }
        world.clock.advance(Duration::from_millis(if n < 3 { 0 } else { 5 }));
    }
    let mut bot = world.bot().await;
    for sort in
        [AccessRequestSort::Default, AccessRequestSort::Created, AccessRequestSort::State, AccessRequestSort::User]
    {
        for limit in [1, 2, 3, 7, 100, 0] {
            let up: Vec<String> = all(&mut bot, sort, false, limit).await.iter().map(id).collect();
            let mut down: Vec<String> = all(&mut bot, sort, true, limit).await.iter().map(id).collect();
            down.reverse();
            assert_eq!(up, down, "{sort:?} {limit}");
            let mut sorted = up.clone();
            sorted.sort();
            assert_eq!(sorted, made, "{sort:?} {limit}");
        }
    }
    assert_eq!(all(&mut bot, AccessRequestSort::Created, false, 2).await.iter().map(id).collect::<Vec<_>>(), made);
    let users: Vec<String> =
        all(&mut bot, AccessRequestSort::User, false, 2).await.iter().map(|request| spec(request).user).collect();
    assert!(users.is_sorted());
}

#[tokio::test]
async fn limits_and_sorts_that_do_not_exist_are_refused() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let query = ListAccessRequestsRequest::default;
    refused(
        bot.list_access_requests(ListAccessRequestsRequest { limit: 16_001, ..query() }).await,
        InvalidArgument,
        "16001",
    );
    refused(bot.list_access_requests(ListAccessRequestsRequest { limit: -1, ..query() }).await, InvalidArgument, "-1");
    refused(bot.list_access_requests(ListAccessRequestsRequest { sort: 9, ..query() }).await, InvalidArgument, "sort");
    bot.list_access_requests(ListAccessRequestsRequest { limit: 16_000, ..query() }).await.unwrap();
    world.running.handle().with(|cluster, _| cluster.settings_mut().cache_down = true);
    refused(
        bot.list_access_requests(ListAccessRequestsRequest { descending: true, ..query() }).await,
        InvalidArgument,
        "cache",
    );
    refused(bot.list_access_requests(ListAccessRequestsRequest { sort: 1, ..query() }).await, InvalidArgument, "cache");
    bot.list_access_requests(query()).await.unwrap();
}
