//! Semaphores as leader leases.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use tonic::Code::{InvalidArgument, NotFound, ResourceExhausted};
use tribunal_proto::proto::ListSemaphoresRequest;
use tribunal_proto::types::{AcquireSemaphoreRequest, SemaphoreFilter, SemaphoreLease};
use tribunal_sim::Moment;

use crate::world::{World, refused};

fn acquire(holder: &str, expires: Moment) -> AcquireSemaphoreRequest {
    AcquireSemaphoreRequest {
        semaphore_kind: "tribunal".into(),
        semaphore_name: "leader".into(),
        max_leases: 1,
        expires: Some(expires.to_proto()),
        holder: holder.into(),
    }
}

#[tokio::test]
async fn one_lease_is_held_by_one_until_it_ends() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let lease = bot.acquire_semaphore(acquire("one", world.now().plus_ms(1000))).await.unwrap().into_inner();
    assert!(!lease.lease_id.is_empty());
    refused(
        bot.acquire_semaphore(acquire("two", world.now().plus_ms(1000))).await,
        ResourceExhausted,
        "leases are held",
    );
    let longer = SemaphoreLease { expires: Some(world.now().plus_ms(3000).to_proto()), ..lease.clone() };
    bot.keep_alive_semaphore_lease(longer.clone()).await.unwrap();
    world.clock.advance(Duration::from_millis(1500));
    refused(
        bot.acquire_semaphore(acquire("two", world.now().plus_ms(1000))).await,
        ResourceExhausted,
        "leases are held",
    );
    world.clock.advance(Duration::from_millis(1500));
    bot.acquire_semaphore(acquire("two", world.now().plus_ms(9000))).await.unwrap();
    let late = SemaphoreLease { expires: Some(world.now().plus_ms(1000).to_proto()), ..lease };
    refused(bot.keep_alive_semaphore_lease(late.clone()).await, NotFound, "not found");
    refused(bot.cancel_semaphore_lease(late).await, NotFound, "not found");
    let listed = bot.get_semaphores(SemaphoreFilter::default()).await.unwrap().into_inner().semaphores;
    let leases = listed.first().unwrap().spec.clone().unwrap().leases;
    assert_eq!(leases.iter().map(|lease| lease.holder.as_str()).collect::<Vec<_>>(), ["two"]);
}

#[tokio::test]
async fn a_cancelled_lease_is_free_at_once() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let lease = bot.acquire_semaphore(acquire("one", world.now().plus_ms(1000))).await.unwrap().into_inner();
    bot.cancel_semaphore_lease(lease).await.unwrap();
    bot.acquire_semaphore(acquire("two", world.now().plus_ms(1000))).await.unwrap();
}

#[tokio::test]
async fn malformed_leases_are_refused_one_by_one() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let ok = || acquire("one", world.now().plus_ms(1000));
    for (request, words) in [
        (AcquireSemaphoreRequest { semaphore_kind: String::new(), ..ok() }, "kind or name"),
        (AcquireSemaphoreRequest { semaphore_name: String::new(), ..ok() }, "kind or name"),
        (AcquireSemaphoreRequest { max_leases: 0, ..ok() }, "max leases"),
        (AcquireSemaphoreRequest { expires: None, ..ok() }, "expiry"),
        (acquire("one", world.now().plus_ms(-1)), "expired"),
    ] {
        refused(bot.acquire_semaphore(request).await, InvalidArgument, words);
    }
    let lease = bot.acquire_semaphore(ok()).await.unwrap().into_inner();
    let past = || SemaphoreLease { expires: Some(world.now().plus_ms(-1).to_proto()), ..lease.clone() };
    refused(bot.keep_alive_semaphore_lease(past()).await, InvalidArgument, "expired");
    refused(bot.cancel_semaphore_lease(past()).await, InvalidArgument, "expired");
    let other = SemaphoreLease { semaphore_name: "other".into(), ..lease.clone() };
    refused(bot.keep_alive_semaphore_lease(other).await, NotFound, "not found");
    let filter = || SemaphoreFilter { semaphore_kind: "tribunal".into(), semaphore_name: "leader".into() };
    refused(bot.delete_semaphore(SemaphoreFilter::default()).await, InvalidArgument, "kind or name");
    bot.delete_semaphore(filter()).await.unwrap();
    refused(bot.delete_semaphore(filter()).await, NotFound, "not found");
}

#[tokio::test]
async fn semaphores_are_listed_in_pages_and_by_name() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    for name in ["a", "b", "c"] {
        bot.acquire_semaphore(AcquireSemaphoreRequest {
            semaphore_name: name.into(),
            ..acquire("x", world.now().plus_ms(1000))
        })
        .await
        .unwrap();
    }
    let first =
        bot.list_semaphores(ListSemaphoresRequest { page_size: 2, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(first.semaphores.len(), 2);
    let rest = bot
        .list_semaphores(ListSemaphoresRequest { page_size: 2, page_token: first.next_page_token, filter: None })
        .await
        .unwrap()
        .into_inner();
    assert_eq!((rest.semaphores.len(), rest.next_page_token.as_str()), (1, ""));
    let only = SemaphoreFilter { semaphore_name: "b".into(), ..SemaphoreFilter::default() };
    assert_eq!(bot.get_semaphores(only).await.unwrap().into_inner().semaphores.len(), 1);
}
