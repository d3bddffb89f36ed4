//! `SubmitAccessReview`, row by row, and what reviews decide.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{InvalidArgument, NotFound, PermissionDenied, Unimplemented};
use tribunal_proto::types::RequestState::{self, Approved, Denied, Pending, Promoted};
use tribunal_proto::types::{AccessReview, AccessReviewSubmission};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_sim::IssueOptions;

use crate::world::{SCENARIO, World, id, refused, spec};

fn review(id: &str, state: RequestState) -> AccessReviewSubmission {
    let review =
        AccessReview { proposed_state: state.into(), reason: "looked at it".to_owned(), ..AccessReview::default() };
    AccessReviewSubmission { request_id: id.to_owned(), review: Some(review) }
}

fn changed(mut submission: AccessReviewSubmission, change: impl FnOnce(&mut AccessReview)) -> AccessReviewSubmission {
    change(submission.review.as_mut().unwrap());
    submission
}

#[tokio::test]
async fn one_review_decides_where_one_is_enough() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let answer =
        spec(&world.client("rita").await.submit_access_review(review(&request, Approved)).await.unwrap().into_inner());
    assert_eq!((answer.state(), answer.resolve_reason.as_str()), (Approved, "looked at it"));
    let first = answer.reviews.first().unwrap();
    assert_eq!((first.author.as_str(), first.threshold_indexes.as_slice()), ("rita", [0].as_slice()));
    assert!(first.created.is_some());
    assert_eq!(answer.resource_expiry, answer.expires);
}

#[tokio::test]
async fn two_approvals_are_needed_where_the_threshold_says_so_and_one_denial_is_enough() {
    let world = World::start().await;
    let first = id(&world.request_of("carol", &["two-eyes"]).await);
    let mut rita = world.client("rita").await;
    let mut ralf = world.client("ralf").await;
    let state = |answer: tonic::Response<tribunal_proto::types::AccessRequestV3>| spec(&answer.into_inner()).state();
    assert_eq!(state(rita.submit_access_review(review(&first, Approved)).await.unwrap()), Pending);
    assert_eq!(state(ralf.submit_access_review(review(&first, Approved)).await.unwrap()), Approved);
    let second = id(&world.request_of("carol", &["two-eyes"]).await);
    assert_eq!(state(rita.submit_access_review(review(&second, Approved)).await.unwrap()), Pending);
    assert_eq!(state(ralf.submit_access_review(review(&second, Denied)).await.unwrap()), Denied);
}

#[tokio::test]
async fn reviews_that_may_not_be_given_are_refused_one_by_one() {
    let world = World::start().await;
    let of_alice = id(&world.request().await);
    let of_bob = id(&world.request_of("bob", &["prod-a"]).await);
    let mut rita = world.client("rita").await;
    let ok = || review(&of_alice, Approved);
    let labels = LabelValues { values: [("a".to_owned(), StringValues::default())].into() };
    for (submission, code, words) in [
        (review(&of_alice, Promoted), InvalidArgument, "state promoted"),
        (review(&of_alice, Pending), InvalidArgument, "invalid state proposal: PENDING"),
        (changed(ok(), |review| review.annotations = Some(labels)), Unimplemented, "annotations"),
        (changed(ok(), |review| review.roles = vec!["prod-a".into(), "prod-b".into()]), Unimplemented, "role subsel"),
        (changed(ok(), |review| review.roles = vec!["prod-b".into()]), InvalidArgument, "not a member"),
        (changed(ok(), |review| review.author = "ralf".into()), PermissionDenied, "reviews on behalf of \"ralf\""),
        (AccessReviewSubmission { review: None, ..ok() }, InvalidArgument, "no review"),
        (review("", Approved), InvalidArgument, "missing request ID"),
        (review("0190a7c6-0000-7000-8000-000000000000", Approved), NotFound, "not found"),
    ] {
        refused(rita.submit_access_review(submission).await, code, words);
    }
    refused(
        world.client("alice").await.submit_access_review(review(&of_bob, Approved)).await,
        PermissionDenied,
        "cannot submit reviews",
    );
    refused(
        world.client("bob").await.submit_access_review(review(&of_bob, Approved)).await,
        PermissionDenied,
        "cannot review request",
    );
    let elevated = IssueOptions { active_requests: vec![of_bob.clone()], ..IssueOptions::of("rita") };
    refused(world.client_of(&elevated).await.submit_access_review(ok()).await, PermissionDenied, "elevated");
    let robot = IssueOptions { user: "bot-tribunal".to_owned(), ..elevated };
    let world = World::with(&format!("{SCENARIO}\n[bot]\nreview-requests = {{ roles = [\"*\"] }}")).await;
    refused(world.client_of(&robot).await.submit_access_review(ok()).await, InvalidArgument, "active requests");
}

#[tokio::test]
async fn a_review_that_names_all_requested_roles_is_one_that_names_none() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let whole = changed(review(&request, Approved), |review| review.roles = vec!["prod-a".into(), "prod-a".into()]);
    let answer = spec(&world.client("rita").await.submit_access_review(whole).await.unwrap().into_inner());
    assert_eq!(answer.state(), Approved);
}

#[tokio::test]
async fn what_a_role_denies_to_review_is_denied_whatever_allows_it() {
    let denying = SCENARIO.replace(
        "[[role]]\nname = \"root\"",
        "[[role]]\nname = \"not-b\"\n[role.deny]\nreview-requests = { roles = [\"*-b\"] }\n[[role]]\nname = \"root\"",
    );
    let denying = denying
        .replace("name = \"rita\"\nroles = [\"reviewer\"]", "name = \"rita\"\nroles = [\"reviewer\", \"not-b\"]");
    let world = World::with(&denying).await;
    let both = id(&world.request_of("alice", &["prod-a", "prod-b"]).await);
    let mut rita = world.client("rita").await;
    refused(rita.submit_access_review(review(&both, Approved)).await, PermissionDenied, "cannot review request");
    let other = id(&world.request_of("alice", &["prod-a"]).await);
    assert!(rita.submit_access_review(review(&other, Approved)).await.is_ok());
}

#[tokio::test]
async fn a_reviewer_needs_every_requested_role() {
    let world =
        World::with(&SCENARIO.replace("roles = [\"prod-*\", \"two-eyes\", \"node-access\"]", "roles = [\"prod-a\"]"))
            .await;
    let request = id(&world.request_of("alice", &["prod-a", "prod-b"]).await);
    refused(
        world.client("rita").await.submit_access_review(review(&request, Approved)).await,
        PermissionDenied,
        "cannot review",
    );
}

#[tokio::test]
async fn nobody_reviews_twice_and_nothing_is_reviewed_after_it_was_resolved() {
    let world = World::start().await;
    let request = id(&world.request_of("carol", &["two-eyes"]).await);
    let mut rita = world.client("rita").await;
    rita.submit_access_review(review(&request, Approved)).await.unwrap();
    refused(rita.submit_access_review(review(&request, Approved)).await, PermissionDenied, "already reviewed");
    world.client("ralf").await.submit_access_review(review(&request, Approved)).await.unwrap();
    refused(
        world.client("bob").await.submit_access_review(review(&request, Denied)).await,
        PermissionDenied,
        "the access request has been already approved",
    );
}

#[tokio::test]
async fn a_threshold_counts_only_reviews_that_its_filter_lets_through() {
    let filtered = SCENARIO.replace(
        "name = \"two\", approve = 2",
        "name = \"two\", filter = 'equals(review.reason, \"looked at it\")', approve = 1",
    );
    let world = World::with(&filtered).await;
    let request = id(&world.request_of("carol", &["two-eyes"]).await);
    let careless = changed(review(&request, Approved), |review| review.reason = "lgtm".to_owned());
    let answer = spec(&world.client("rita").await.submit_access_review(careless).await.unwrap().into_inner());
    assert_eq!(answer.state(), Pending);
    let answer =
        spec(&world.client("ralf").await.submit_access_review(review(&request, Approved)).await.unwrap().into_inner());
    assert_eq!(answer.state(), Approved);
}

#[tokio::test]
async fn a_bot_reviews_with_its_roles_and_under_its_own_name() {
    let world = World::with(&format!("{SCENARIO}\n[bot]\nreview-requests = {{ roles = [\"*\"] }}")).await;
    let request = id(&world.request().await);
    let answer = spec(&world.bot().await.submit_access_review(review(&request, Denied)).await.unwrap().into_inner());
    assert_eq!((answer.state(), answer.reviews.first().unwrap().author.as_str()), (Denied, "bot-tribunal"));
}

#[tokio::test]
async fn where_a_second_factor_is_required_people_cannot_review_and_bots_can() {
    let world =
        World::with(&format!("admin-mfa = true\n{SCENARIO}\n[bot]\nreview-requests = {{ roles = [\"*\"] }}")).await;
    let request = id(&world.request().await);
    let mut rita = world.client("rita").await;
    refused(rita.submit_access_review(review(&request, Approved)).await, PermissionDenied, "multi-factor");
    // The factor is asked for before the review is looked at, but after the right to review at all.
    refused(rita.submit_access_review(review("", Pending)).await, PermissionDenied, "multi-factor");
    refused(rita.submit_access_review(review("", Promoted)).await, InvalidArgument, "state promoted");
    refused(
        world.client("alice").await.submit_access_review(review(&request, Approved)).await,
        PermissionDenied,
        "cannot submit reviews",
    );
    let answer = spec(&world.bot().await.submit_access_review(review(&request, Approved)).await.unwrap().into_inner());
    assert_eq!(answer.state(), Approved);
}

#[tokio::test]
async fn without_enterprise_there_are_no_reviews() {
    let world = World::with(&format!("enterprise = false\n{SCENARIO}")).await;
    let request = id(&world.request().await);
    refused(
        world.client("rita").await.submit_access_review(review(&request, Approved)).await,
        PermissionDenied,
        "Enterprise",
    );
}
