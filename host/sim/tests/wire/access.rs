//! The verbs: each call needs exactly the ones that Teleport asks for, and no call gets by with less.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use tonic::{Code, Status};
use tribunal_proto::proto::{
    DeleteLockRequest, GetLockRequest, GetLocksRequest, GetRoleRequest, ListLocksRequest, ListRolesRequest,
    ListSemaphoresRequest, RequestId, RequestStateSetter, Watch,
};
use tribunal_proto::types::{
    AcquireSemaphoreRequest, PluginDataFilter, PluginDataUpdateParams, RequestState, SemaphoreFilter, SemaphoreLease,
    WatchKind,
};
use tribunal_proto::userloginstate_v1::user_login_state_service_client::UserLoginStateServiceClient;
use tribunal_proto::userloginstate_v1::{GetUserLoginStateRequest, ListUserLoginStatesRequest};
use tribunal_proto::users_v1::users_service_client::UsersServiceClient;
use tribunal_proto::users_v1::{GetUserRequest, ListUsersRequest};

use crate::world::{Client, SCENARIO, World, asking, id, lock, on_request};

/// Call, kind, and the verbs that it needs.
const CALLS: [(&str, &str, &[&str]); 25] = [
    ("SetAccessRequestState", "access_request", &["list", "read", "update"]),
    ("CreateAccessRequestV2", "access_request", &["create"]),
    ("DeleteAccessRequest", "access_request", &["delete"]),
    ("GetLock", "lock", &["read"]),
    ("GetLocks", "lock", &["list", "read"]),
    ("ListLocks", "lock", &["list", "read"]),
    ("UpsertLock", "lock", &["create", "update"]),
    ("DeleteLock", "lock", &["delete"]),
    ("WatchRequests", "access_request", &["read"]),
    ("WatchLocks", "lock", &["read"]),
    ("AcquireSemaphore", "semaphore", &["create", "update"]),
    ("KeepAliveSemaphoreLease", "semaphore", &["update"]),
    ("CancelSemaphoreLease", "semaphore", &["update"]),
    ("ListSemaphores", "semaphore", &["list", "read"]),
    ("DeleteSemaphore", "semaphore", &["delete"]),
    ("GetPluginData", "access_plugin_data", &["list", "read"]),
    ("UpdatePluginData", "access_plugin_data", &["update"]),
    // The same verbs on the requests themselves do as well.
    ("GetPluginData", "access_request", &["list", "read"]),
    ("UpdatePluginData", "access_request", &["update"]),
    ("GetRole", "role", &["read"]),
    ("ListRoles", "role", &["list", "read"]),
    ("GetUser", "user", &["read"]),
    ("ListUsers", "user", &["list", "read"]),
    ("GetUserLoginState", "user_login_state", &["read"]),
    ("ListUserLoginStates", "user_login_state", &["list", "read"]),
];

const VERBS: [&str; 5] = ["list", "read", "create", "update", "delete"];

async fn watch(client: &mut Client, kind: &str) -> Result<(), Status> {
    let kinds = vec![WatchKind { kind: kind.to_owned(), ..WatchKind::default() }];
    client.watch_events(Watch { kinds, allow_partial_success: false }).await.map(drop)
}

/// Makes the call with arguments that are all right for whoever may make it.
async fn make(call: &str, world: &World, user: &str) -> Result<(), Status> {
    let mut client = world.client(user).await;
    let mut users = UsersServiceClient::new(world.channel(user).await);
    let mut states = UserLoginStateServiceClient::new(world.channel(user).await);
    let handle = world.running.handle();
    let request = id(&world.request().await);
    let end = Some(world.now().plus_ms(60_000).to_proto());
    let semaphore = SemaphoreFilter { semaphore_kind: "k".into(), semaphore_name: "n".into() };
    handle.upsert_lock_as("admin", lock("l", on_request("r"))).unwrap();
    let acquire = AcquireSemaphoreRequest {
        semaphore_kind: "k".into(),
        semaphore_name: "n".into(),
        max_leases: 99,
        expires: end,
        holder: "h".into(),
    };
    let admin = tribunal_sim::Caller::person("admin", &["root"]);
    let lease: SemaphoreLease =
        handle.with(|cluster, now| cluster.acquire_semaphore(&admin, now, acquire.clone())).unwrap();
    let kind = || "access_request".to_owned();
    match call {
        "SetAccessRequestState" => {
            let update =
                RequestStateSetter { id: request, state: RequestState::Denied.into(), ..RequestStateSetter::default() };
            client.set_access_request_state(update).await.map(drop)
        }
        "CreateAccessRequestV2" => client.create_access_request_v2(asking("alice", &["prod-a"], &[])).await.map(drop),
        "DeleteAccessRequest" => client.delete_access_request(RequestId { id: request }).await.map(drop),
        "GetLock" => client.get_lock(GetLockRequest { name: "l".into() }).await.map(drop),
        "GetLocks" => client.get_locks(GetLocksRequest::default()).await.map(drop),
        "ListLocks" => client.list_locks(ListLocksRequest::default()).await.map(drop),
        "UpsertLock" => client.upsert_lock(lock("m", on_request("r"))).await.map(drop),
        "DeleteLock" => client.delete_lock(DeleteLockRequest { name: "l".into() }).await.map(drop),
        "WatchRequests" => watch(&mut client, "access_request").await,
        "WatchLocks" => watch(&mut client, "lock").await,
        "AcquireSemaphore" => client.acquire_semaphore(acquire).await.map(drop),
        "KeepAliveSemaphoreLease" => client.keep_alive_semaphore_lease(lease).await.map(drop),
        "CancelSemaphoreLease" => client.cancel_semaphore_lease(lease).await.map(drop),
        "ListSemaphores" => client.list_semaphores(ListSemaphoresRequest::default()).await.map(drop),
        "DeleteSemaphore" => client.delete_semaphore(semaphore).await.map(drop),
        "GetPluginData" => {
            client.get_plugin_data(PluginDataFilter { kind: kind(), ..Default::default() }).await.map(drop)
        }
        "UpdatePluginData" => {
            let update =
                PluginDataUpdateParams { kind: kind(), resource: request, plugin: "p".into(), ..Default::default() };
            client.update_plugin_data(update).await.map(drop)
        }
        "GetRole" => client.get_role(GetRoleRequest { name: "root".into() }).await.map(drop),
        "ListRoles" => client.list_roles(ListRolesRequest::default()).await.map(drop),
        "GetUser" => users.get_user(GetUserRequest { name: "alice".into(), ..Default::default() }).await.map(drop),
        "ListUsers" => users.list_users(ListUsersRequest::default()).await.map(drop),
        "GetUserLoginState" => {
            states.get_user_login_state(GetUserLoginStateRequest { name: "alice".into() }).await.map(drop)
        }
        "ListUserLoginStates" => states.list_user_login_states(ListUserLoginStatesRequest::default()).await.map(drop),
        other => Err(Status::internal(format!("no such call in this test: {other}"))),
    }
}

/// A world in which users `exact` and `lacking-VERB` hold what the call needs, and all but one of it.
fn scenario(kind: &str, needed: &[&str]) -> (String, Vec<(String, BTreeSet<&'static str>)>) {
    let needed: BTreeSet<&'static str> = VERBS.into_iter().filter(|verb| needed.contains(verb)).collect();
    let mut sets = vec![("exact".to_owned(), needed.clone())];
    for verb in &needed {
        // Everything but this one verb.
        sets.push((format!("lacking-{verb}"), VERBS.into_iter().filter(|other| other != verb).collect()));
    }
    let mut text = SCENARIO.to_owned();
    for (name, verbs) in &sets {
        let verbs: Vec<String> = verbs.iter().map(|verb| format!("\"{verb}\"")).collect();
        text.push_str(&format!(
            "\n[[role]]\nname = \"{name}\"\n[[role.allow.rules]]\nresources = [\"{kind}\"]\nverbs = [{}]\n[[user]]\nname = \"{name}\"\nroles = [\"{name}\"]\n",
            verbs.join(", ")
        ));
    }
    (text, sets)
}

#[tokio::test]
async fn each_call_needs_exactly_its_verbs() {
    for (call, kind, needed) in CALLS {
        let (text, sets) = scenario(kind, needed);
        let world = World::with(&text).await;
        for (user, _) in sets {
            let result = make(call, &world, &user).await;
            if user == "exact" {
                assert!(result.is_ok(), "{call} as {user}: {result:?}");
            } else {
                let code = result.map_err(|status| status.code());
                // Who may update but not see a request does not find it.
                let hidden = call == "SetAccessRequestState" && user != "lacking-update";
                assert_eq!(code, Err(if hidden { Code::NotFound } else { Code::PermissionDenied }), "{call} as {user}");
            }
        }
    }
}

#[tokio::test]
async fn the_verbs_for_plugin_data_may_come_from_both_kinds() {
    let rule =
        |kind: &str, verb: &str| format!("[[role.allow.rules]]\nresources = [\"{kind}\"]\nverbs = [\"{verb}\"]\n");
    let world = World::with(&format!(
        "{SCENARIO}\n[[role]]\nname = \"mixed\"\n{}{}[[user]]\nname = \"mixed\"\nroles = [\"mixed\"]\n",
        rule("access_request", "list"),
        rule("access_plugin_data", "read")
    ))
    .await;
    make("GetPluginData", &world, "mixed").await.unwrap();
    let status = make("UpdatePluginData", &world, "mixed").await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_deny_rule_beats_every_allow_rule() {
    let text = format!(
        "{SCENARIO}\n[[role]]\nname = \"no-locks\"\n[[role.deny.rules]]\nresources = [\"lock\"]\nverbs = [\"create\"]\n[[user]]\nname = \"curbed\"\nroles = [\"root\", \"no-locks\"]\n"
    );
    let world = World::with(&text).await;
    let mut curbed = world.client("curbed").await;
    curbed.get_locks(GetLocksRequest::default()).await.unwrap();
    let status = curbed.upsert_lock(lock("l", on_request("r"))).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}
