//! `SetAccessRequestState`, row by row.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{InvalidArgument, NotFound, PermissionDenied};
use tribunal_proto::proto::RequestStateSetter;
use tribunal_proto::types::RequestState::{self, Approved, Denied, None, Pending, Promoted};
use tribunal_proto::types::{AccessRequestFilter, AccessRequestSpecV3};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_sim::IssueOptions;

use crate::world::{Client, SCENARIO, World, id, refused, spec};

fn set(id: &str, state: RequestState) -> RequestStateSetter {
    RequestStateSetter {
        id: id.to_owned(),
        state: state.into(),
        reason: "because".to_owned(),
        ..RequestStateSetter::default()
    }
}

async fn read(client: &mut Client, id: &str) -> AccessRequestSpecV3 {
    let filter = AccessRequestFilter { id: id.to_owned(), ..AccessRequestFilter::default() };
    let mut stream = client.get_access_requests_v2(filter).await.unwrap().into_inner();
    spec(&stream.message().await.unwrap().unwrap())
}

#[tokio::test]
async fn an_approval_is_stored_with_reason_and_annotations_and_keeps_the_object_as_long_as_the_access() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    let annotations = LabelValues {
        values: [("tribunal/decision".to_owned(), StringValues { values: vec!["d1".to_owned()] })].into(),
    };
    bot.set_access_request_state(RequestStateSetter {
        annotations: Some(annotations.clone()),
        ..set(&request, Approved)
    })
    .await
    .unwrap();
    let stored = read(&mut bot, &request).await;
    assert_eq!((stored.state(), stored.resolve_reason.as_str()), (Approved, "because"));
    assert_eq!(stored.resolve_annotations, Some(annotations));
    assert_eq!(stored.resource_expiry, stored.expires);
    assert!(stored.reviews.is_empty());
}

#[tokio::test]
async fn malformed_updates_are_refused_one_by_one() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    let later = |ms: i64| Some(world.now().plus_ms(ms).to_proto());
    let roles = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let plain = |state| RequestStateSetter { reason: String::new(), ..set(&request, state) };
    let cases = [
        (set("", Approved), InvalidArgument, "missing request id"),
        (set(&request, None), InvalidArgument, "missing request state"),
        (set(&request, Promoted), InvalidArgument, "promoted"),
        (set("0190a7c6-0000-7000-8000-000000000000", Approved), NotFound, "not found"),
        (RequestStateSetter { roles: roles(&["prod-a"]), ..set(&request, Denied) }, InvalidArgument, "role list"),
        (RequestStateSetter { roles: roles(&["prod-b"]), ..set(&request, Approved) }, InvalidArgument, "`prod-b`"),
        (RequestStateSetter { reason: "x".repeat(4097), ..set(&request, Approved) }, InvalidArgument, "too long"),
        (set(&request, Pending), InvalidArgument, "pending request"),
        (
            RequestStateSetter {
                annotations: Some(LabelValues { values: [("a".to_owned(), StringValues::default())].into() }),
                ..plain(Pending)
            },
            InvalidArgument,
            "pending request",
        ),
        (
            RequestStateSetter { assume_start_time: later(-1), ..set(&request, Approved) },
            InvalidArgument,
            "before the creation",
        ),
        (
            RequestStateSetter { assume_start_time: later(72 * 3_600_000 + 1), ..set(&request, Approved) },
            InvalidArgument,
            "before the access expiry",
        ),
    ];
    for (update, code, words) in cases {
        refused(bot.set_access_request_state(update).await, code, words);
    }
    assert_eq!(read(&mut bot, &request).await.state(), Pending);
}

#[tokio::test]
async fn who_may_not_resolve_is_refused() {
    let world = World::start().await;
    let request = id(&world.request().await);
    for user in ["alice", "rita", "half", "nobody"] {
        refused(
            world.client(user).await.set_access_request_state(set(&request, Approved)).await,
            PermissionDenied,
            "`update` on `access_request`",
        );
    }
    let elevated = IssueOptions { active_requests: vec![request.clone()], ..IssueOptions::of("bot-tribunal") };
    refused(
        world.client_of(&elevated).await.set_access_request_state(set(&request, Approved)).await,
        PermissionDenied,
        "elevated",
    );
    let both = IssueOptions { roles: Some(vec!["requester".into(), "root".into()]), ..IssueOptions::of("alice") };
    refused(
        world.client_of(&both).await.set_access_request_state(set(&request, Approved)).await,
        PermissionDenied,
        "of their own",
    );
}

/// Each update is wrong in every later way as well, so that its refusal says which check came first.
#[tokio::test]
async fn an_update_is_checked_in_teleports_order() {
    let world = World::with(&format!("admin-mfa = true\n{SCENARIO}")).await;
    let roles = |update| RequestStateSetter { roles: vec!["secret".into()], ..update };
    let mut rita = world.client("rita").await;
    refused(rita.set_access_request_state(set("", None)).await, PermissionDenied, "`update`");
    refused(rita.set_access_request_state(set("", Promoted)).await, PermissionDenied, "`update`");
    let mut bot = world.bot().await;
    refused(bot.set_access_request_state(set("", None)).await, NotFound, "not found");
    let request = id(&world.request().await);
    let elevated = IssueOptions { active_requests: vec![request.clone()], ..IssueOptions::of("admin") };
    let mut elevated = world.client_of(&elevated).await;
    refused(elevated.set_access_request_state(set("", Promoted)).await, PermissionDenied, "elevated");
    let mut admin = world.client("admin").await;
    refused(admin.set_access_request_state(set("", Promoted)).await, PermissionDenied, "multi-factor");
    let nowhere = "0190a7c6-0000-7000-8000-000000000000";
    refused(bot.set_access_request_state(set(nowhere, Promoted)).await, InvalidArgument, "promoted");
    refused(bot.set_access_request_state(set(nowhere, None)).await, NotFound, "not found");
    world.running.handle().with(|cluster, _| cluster.settings_mut().admin_mfa = false);
    let own = IssueOptions { roles: Some(vec!["requester".into(), "root".into()]), ..IssueOptions::of("alice") };
    let mut own = world.client_of(&own).await;
    refused(own.set_access_request_state(roles(set(&request, None))).await, PermissionDenied, "of their own");
    refused(bot.set_access_request_state(roles(set("", None))).await, InvalidArgument, "missing request id");
    refused(bot.set_access_request_state(roles(set(&request, None))).await, InvalidArgument, "missing request state");
    refused(bot.set_access_request_state(roles(set(&request, Denied))).await, InvalidArgument, "role list");
    assert_eq!(read(&mut bot, &request).await.state(), Pending);
}

#[tokio::test]
async fn a_state_without_a_name_is_stored_but_never_over_a_denial() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    let nameless = || RequestStateSetter { state: 9, ..set(&request, None) };
    bot.set_access_request_state(nameless()).await.unwrap();
    assert_eq!(read(&mut bot, &request).await.state, 9);
    let with_roles = RequestStateSetter { roles: vec!["prod-a".into()], ..nameless() };
    refused(bot.set_access_request_state(with_roles).await, InvalidArgument, "role list");
    bot.set_access_request_state(set(&request, Denied)).await.unwrap();
    refused(bot.set_access_request_state(nameless()).await, InvalidArgument, "already been denied");
}

#[tokio::test]
async fn an_updater_who_is_denied_to_list_is_refused_and_not_told_that_there_is_no_such_request() {
    let world = World::with(&format!(
        "{SCENARIO}\n[bot]\ndeny-rules = [{{ resources = [\"access_request\"], verbs = [\"list\"] }}]"
    ))
    .await;
    let request = id(&world.request().await);
    refused(world.bot().await.set_access_request_state(set(&request, Approved)).await, PermissionDenied, "`list`");
}

#[tokio::test]
async fn an_updater_who_cannot_list_does_not_find_the_request() {
    let world = World::with(&format!(
        "{SCENARIO}\n[bot]\nrules = [{{ resources = [\"access_request\"], verbs = [\"update\"] }}]"
    ))
    .await;
    let request = id(&world.request().await);
    refused(world.bot().await.set_access_request_state(set(&request, Approved)).await, NotFound, "not found");
}

#[tokio::test]
async fn where_a_second_factor_is_required_people_are_refused_and_bots_are_not() {
    let world = World::with(&format!("admin-mfa = true\n{SCENARIO}")).await;
    let request = id(&world.request().await);
    refused(
        world.client("admin").await.set_access_request_state(set(&request, Approved)).await,
        PermissionDenied,
        "multi-factor",
    );
    world.bot().await.set_access_request_state(set(&request, Approved)).await.unwrap();
}

#[tokio::test]
async fn a_denial_beats_an_approval_and_is_final() {
    let world = World::start().await;
    let request = id(&world.request().await);
    let mut bot = world.bot().await;
    let reason = |text: &str, state| RequestStateSetter { reason: text.to_owned(), ..set(&request, state) };
    bot.set_access_request_state(reason("first", Approved)).await.unwrap();
    bot.set_access_request_state(reason("second", Approved)).await.unwrap();
    assert_eq!(read(&mut bot, &request).await.resolve_reason, "second", "an approval may be overwritten");
    bot.set_access_request_state(reason("no", Denied)).await.unwrap();
    assert_eq!(read(&mut bot, &request).await.state(), Denied);
    bot.set_access_request_state(reason("no!", Denied)).await.unwrap();
    assert_eq!(read(&mut bot, &request).await.resolve_reason, "no!");
    refused(bot.set_access_request_state(reason("yes", Approved)).await, InvalidArgument, "already been denied");
    refused(
        bot.set_access_request_state(RequestStateSetter { reason: String::new(), ..set(&request, Pending) }).await,
        InvalidArgument,
        "already been denied",
    );
}

#[tokio::test]
async fn an_approval_may_narrow_the_roles() {
    let world = World::start().await;
    let request = id(&world.request_of("alice", &["prod-a", "prod-b"]).await);
    let mut bot = world.bot().await;
    bot.set_access_request_state(RequestStateSetter { roles: vec!["prod-b".into()], ..set(&request, Approved) })
        .await
        .unwrap();
    assert_eq!(read(&mut bot, &request).await.roles, ["prod-b"]);
}
