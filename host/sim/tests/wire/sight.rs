//! Who sees which requests, and when a list is refused rather than short. Filters and pages have tests of their own.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{InvalidArgument, PermissionDenied};
use tonic::{Response, Status};
use tribunal_proto::proto::{ListAccessRequestsRequest, ListAccessRequestsResponse};
use tribunal_proto::types::{AccessRequestFilter, RequestState};

use crate::world::{Client, SCENARIO, World, id, refused};

/// More than a page may have.
const LIMIT_TOO_LARGE: i32 = 16_001;

type Answer = Result<Response<ListAccessRequestsResponse>, Status>;

async fn list(client: &mut Client, filter: AccessRequestFilter, limit: i32) -> Answer {
    let query = ListAccessRequestsRequest { filter: Some(filter), limit, ..ListAccessRequestsRequest::default() };
    client.list_access_requests(query).await
}

fn ids(answer: Answer) -> Vec<String> {
    answer.unwrap().into_inner().access_requests.iter().map(id).collect()
}

fn of(user: &str) -> AccessRequestFilter {
    AccessRequestFilter { user: user.to_owned(), ..AccessRequestFilter::default() }
}

fn by_id(id: &str) -> AccessRequestFilter {
    AccessRequestFilter { id: id.to_owned(), ..AccessRequestFilter::default() }
}

#[tokio::test]
async fn who_is_denied_to_list_or_read_does_not_see_even_own_requests() {
    for verb in ["list", "read"] {
        let world = World::with(&format!(
            "{SCENARIO}\n[[role]]\nname = \"blinded\"\n[[role.deny.rules]]\nresources = [\"access_request\"]\nverbs = [\"{verb}\"]\n\
             [[user]]\nname = \"blind\"\nroles = [\"requester\", \"reviewer\", \"root\", \"blinded\"]\n"
        ))
        .await;
        let own = id(&world.request_of("blind", &["prod-a"]).await);
        let mut blind = world.client("blind").await;
        let words = format!("`{verb}` on `access_request`");
        for filter in [AccessRequestFilter::default(), of("blind"), of("alice"), by_id(&own)] {
            refused(list(&mut blind, filter.clone(), 0).await, PermissionDenied, &words);
            // Before anything else is looked at.
            refused(list(&mut blind, filter.clone(), LIMIT_TOO_LARGE).await, PermissionDenied, &words);
            refused(blind.get_access_requests_v2(filter).await.map(|_| Response::new(())), PermissionDenied, &words);
        }
    }
}

#[tokio::test]
async fn who_reviews_nothing_finds_nothing_of_others_without_a_word() {
    let world = World::start().await;
    let of_alice = id(&world.request().await);
    let of_bob = id(&world.request_of("bob", &["prod-a"]).await);
    let mut alice = world.client("alice").await;
    assert!(ids(list(&mut alice, of("bob"), 0).await).is_empty());
    assert!(ids(list(&mut alice, by_id(&of_bob), 0).await).is_empty());
    // An empty page is given before the limit is looked at; a page of own requests is not.
    assert!(ids(list(&mut alice, of("bob"), LIMIT_TOO_LARGE).await).is_empty());
    for filter in [AccessRequestFilter::default(), of("alice")] {
        assert_eq!(ids(list(&mut alice, filter.clone(), 0).await), std::slice::from_ref(&of_alice));
        refused(list(&mut alice, filter, LIMIT_TOO_LARGE).await, InvalidArgument, "page size");
    }
    // A reviewer may name others.
    let mut bob = world.client("bob").await;
    assert_eq!(ids(list(&mut bob, of("alice"), 0).await), [of_alice]);
    refused(list(&mut bob, of("alice"), LIMIT_TOO_LARGE).await, InvalidArgument, "page size");
}

#[tokio::test]
async fn a_single_request_is_read_whatever_limit_and_sort_say() {
    let world = World::start().await;
    let request = id(&world.request().await);
    world.running.handle().with(|cluster, _| cluster.settings_mut().cache_down = true);
    for user in ["bot-tribunal", "alice", "rita"] {
        let mut client = world.client(user).await;
        let query = ListAccessRequestsRequest {
            filter: Some(by_id(&request)),
            limit: LIMIT_TOO_LARGE,
            sort: 9,
            descending: true,
            start_key: "z".into(),
        };
        assert_eq!(ids(client.list_access_requests(query).await), std::slice::from_ref(&request), "{user}");
    }
}

#[tokio::test]
async fn numbers_without_a_name_are_no_error_in_a_filter() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    let by = AccessRequestFilter::default;
    assert!(ids(list(&mut bot, AccessRequestFilter { state: 9, ..by() }, 0).await).is_empty());
    assert_eq!(ids(list(&mut bot, AccessRequestFilter { scope: 9, ..by() }, 0).await), std::slice::from_ref(&request));
    let pending = AccessRequestFilter { state: RequestState::Pending.into(), scope: 9, ..by() };
    assert_eq!(ids(list(&mut bot, pending, 0).await), [request]);
}
