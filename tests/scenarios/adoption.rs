//! What others left behind: locks of the sample watcher, locks that lapse under a person's hand, and requests that only
//! the server can have made. The daemon takes over what is its own and leaves the rest.

use std::time::Duration;

use tribunal_core::record::Lifecycle;
use tribunal_proto::types::{
    AccessRequestSpecV3, AccessRequestV3, Metadata, RequestState, ResourceAccessId, ResourceConstraints, ResourceId,
};
use tribunal_sim::Caller;

use crate::world::people::{lock, our_lock};
use crate::world::{Setup, World};

/// As the sample watcher locks, under the identity that it leaves to us: by its own name, for an hour.
fn watcher_locks(world: &World, request: &str) -> String {
    let name = format!("jit-watcher-{request}");
    let mut hour = lock(&name, request, "Exceeded maximum approved resources limit (3)");
    let end = Some(world.server().now().plus_ms(3_600_000).to_proto());
    hour.spec.as_mut().unwrap().expires = end;
    hour.metadata.as_mut().unwrap().expires = end;
    let bot = Caller { bot: true, ..Caller::person(&world.bot(), &["tribunal"]) };
    world.server().with(|cluster, now| cluster.upsert_lock(&bot, now, hour)).unwrap();
    name
}

#[tokio::test]
async fn a_lock_of_the_sample_watcher_is_made_to_last() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    world.stop_daemon().await;
    world.server().delete_lock_as("admin", &our_lock(&held[0])).unwrap();
    watcher_locks(&world, &held[0]);
    world.start_daemon().await;
    world.until_seeing().await;
    world.advance(Duration::from_secs(3_611));
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    assert_eq!(world.lock_end(&our_lock(&held[0])), world.access_end(&held[0]));
    assert!(held[1..].iter().all(|request| world.standing(request).is_usable()));
}

#[tokio::test]
async fn a_lock_of_the_sample_watcher_that_nobody_needs_is_released() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("alice", &["node-1"]).await;
    world.stop_daemon().await;
    watcher_locks(&world, &held[0]);
    world.start_daemon().await;
    world.until_usable(&held[0]).await;
    world.settle().await;
    assert!(world.server().snapshot().locks.is_empty());
}

#[tokio::test]
async fn a_lock_that_a_person_let_end_early_is_followed_by_one_of_ours() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3", "node-4"]).await;
    world.until_locked(&held[0]).await;
    world.settle().await;
    let mut brief = lock(&our_lock(&held[0]), &held[0], "ten more minutes");
    let end = Some(world.server().now().plus_ms(600_000).to_proto());
    brief.spec.as_mut().unwrap().expires = end;
    brief.metadata.as_mut().unwrap().expires = end;
    world.server().upsert_lock_as("admin", brief).unwrap();
    world.settle().await;
    assert_eq!(world.standing(&held[0]).locks[0].1, "ten more minutes");
    world.advance(Duration::from_secs(601));
    world
        .until(&held[0], "it is locked anew", |standing| standing.is_locked() && standing.locks[0].1.contains("cap/"))
        .await;
    assert_eq!(world.lock_end(&our_lock(&held[0])), world.access_end(&held[0]));
}

#[tokio::test]
async fn where_locks_cannot_be_deleted_the_request_stays_locked_and_a_person_is_called() {
    let setup = Setup::new().scenario(|scenario| {
        let rule = scenario.bot.rules.iter_mut().find(|rule| rule.resources[0] == "lock").unwrap();
        rule.verbs.retain(|verb| verb != "delete");
    });
    let mut world = setup.start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let short = world.asks_for_nodes_for("hoarder", &["node-4"], Duration::from_secs(3_600));
    world.until_usable(&short).await;
    world.until_locked(&held[0]).await;
    world.advance(Duration::from_secs(3_700));
    world.until_status("it was tried", |status| status.retrying > 0).await;
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    let alarms = world.witness.lifecycle(Lifecycle::Alarm);
    assert!(alarms.iter().any(|alarm| alarm.contains("delete")), "{alarms:?}");
    world.assert_lawful();
}

/// Puts a pending request of alice's into the backend as it stands here.
fn insert(world: &World, id: &str, spec: AccessRequestSpecV3) {
    let now = world.server().now();
    let end = Some(now.plus_ms(8 * 3_600_000).to_proto());
    let spec = AccessRequestSpecV3 {
        user: "alice".to_owned(),
        state: RequestState::Pending.into(),
        created: Some(now.to_proto()),
        expires: end,
        resource_expiry: end,
        ..spec
    };
    let metadata = Some(Metadata { name: id.to_owned(), ..Metadata::default() });
    let request = AccessRequestV3 {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata,
        spec: Some(spec),
        ..AccessRequestV3::default()
    };
    world.server().with(|cluster, now| cluster.insert_request(now, request));
}

async fn is_left(spec: AccessRequestSpecV3, why: &str) {
    let mut world = Setup::new().start().await;
    let id = "01a00000-0000-7000-8000-000000000001";
    insert(&world, id, spec);
    let decided = world.until_decided(1).await;
    assert!(decided[0].reason.contains(why), "{}", decided[0].reason);
    world.settle().await;
    assert_eq!(world.standing(id).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}

fn node(name: &str) -> Option<ResourceId> {
    let (cluster_name, kind) = ("dev".to_owned(), "node".to_owned());
    Some(ResourceId { cluster_name, kind, name: name.to_owned(), ..ResourceId::default() })
}

#[tokio::test]
async fn h23_a_constraint_of_an_unknown_kind_is_left_to_people() {
    let unknown = ResourceConstraints { version: "v9".to_owned(), details: None };
    let access = ResourceAccessId { id: node("node-1"), constraints: Some(unknown) };
    let roles = vec!["node-access".to_owned()];
    let spec = AccessRequestSpecV3 { roles, requested_resource_access_ids: vec![access], ..Default::default() };
    is_left(spec, "constraint is not known").await;
}

#[tokio::test]
async fn h23_constrained_resources_count_like_others() {
    let world = Setup::new().start().await;
    let names = ["node-1", "node-2", "node-3", "node-4"];
    let access = names.map(|name| ResourceAccessId { id: node(name), constraints: None });
    let roles = vec!["node-access".to_owned()];
    let id = "01a00000-0000-7000-8000-000000000001";
    insert(
        &world,
        id,
        AccessRequestSpecV3 { roles, requested_resource_access_ids: access.into(), ..Default::default() },
    );
    assert_eq!(world.until_denied(id).await.reason, "Request contains 4 resources, exceeds limit of 3");
}

#[tokio::test]
async fn a_request_of_an_unknown_kind_or_for_nothing_is_left_to_people() {
    let roles = || vec!["prod-admin".to_owned()];
    is_left(AccessRequestSpecV3 { request_kind: 9, roles: roles(), ..Default::default() }, "kind is not known").await;
    is_left(AccessRequestSpecV3::default(), "neither roles nor resources").await;
}

#[tokio::test]
async fn the_daemons_own_request_is_left_to_people() {
    let mut world = Setup::new().start().await;
    let id = "01a00000-0000-7000-8000-000000000001";
    let roles = vec!["prod-admin".to_owned()];
    insert(&world, id, AccessRequestSpecV3 { roles, ..Default::default() });
    // It is alice's until here; there is no other way for a bot to get one.
    world.server().with(|cluster, now| {
        let mut request = AccessRequestV3::clone(&cluster.requests()[id]);
        request.metadata.as_mut().unwrap().name = "01a00000-0000-7000-8000-000000000002".to_owned();
        request.spec.as_mut().unwrap().user = "bot-tribunal".to_owned();
        cluster.insert_request(now, request);
    });
    world.until_approved(id).await;
    let decided = world.until_decided(2).await;
    assert!(decided.iter().any(|decided| decided.reason.contains("own user")), "{decided:?}");
    world.settle().await;
    assert_eq!(world.standing("01a00000-0000-7000-8000-000000000002").state, RequestState::Pending);
}

#[tokio::test]
async fn ten_polls_over_what_is_left_to_people_tell_it_once() {
    let mut world = Setup::new().start().await;
    world.asks_for_roles("climber", &["editor"]);
    world.until_decided(1).await;
    for _ in 0..10 {
        world.settle().await;
    }
    assert_eq!(world.witness.decided().len(), 1);
    assert_eq!(world.writes(), 0);
}
