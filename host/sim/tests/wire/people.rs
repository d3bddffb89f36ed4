//! Ping, users, roles, login states and capabilities.

#![expect(clippy::unwrap_used, reason = "tests")]

use tonic::Code::{InvalidArgument, NotFound, PermissionDenied};
use tribunal_proto::proto::{GetRoleRequest, GetUserRequest, ListRolesRequest, PingRequest};
use tribunal_proto::types::{AccessCapabilitiesRequest, ResourceId};
use tribunal_proto::userloginstate_v1::user_login_state_service_client::UserLoginStateServiceClient;
use tribunal_proto::userloginstate_v1::{GetUserLoginStateRequest, ListUserLoginStatesRequest};
use tribunal_proto::users_v1::users_service_client::UsersServiceClient;
use tribunal_proto::users_v1::{self, ListUsersRequest};

use crate::world::{World, refused};

#[tokio::test]
async fn anybody_with_an_identity_may_ping_and_learn_the_cluster() {
    let world = World::start().await;
    let mut nobody = world.client("nobody").await;
    let answer = nobody.ping(PingRequest {}).await.unwrap();
    assert_eq!(answer.metadata().get("version").unwrap(), "18.2.0");
    let answer = answer.into_inner();
    assert_eq!((answer.cluster_name.as_str(), answer.server_version.as_str()), ("test", "18.2.0"));
    assert!(answer.server_features.unwrap().advanced_access_workflows);
    assert!(answer.remote_addr.starts_with("127.0.0.1:"));
    assert_eq!(nobody.get_domain_name(()).await.unwrap().into_inner().domain_name, "test");
    assert!(
        nobody.get_cluster_ca_cert(()).await.unwrap().into_inner().tls_ca.starts_with(b"-----BEGIN CERTIFICATE-----")
    );
}

#[tokio::test]
async fn users_come_from_both_services_with_roles_and_traits() {
    let world = World::start().await;
    let channel = world.channel("bot-tribunal").await;
    let mut users = UsersServiceClient::new(channel);
    let ask = |name: &str| users_v1::GetUserRequest { name: name.into(), ..Default::default() };
    let alice = users.get_user(ask("alice")).await.unwrap().into_inner().user.unwrap();
    let spec = alice.spec.clone().unwrap();
    assert_eq!(spec.roles, ["requester"]);
    assert_eq!(spec.traits.unwrap().values.get("team").unwrap().values, ["blue", "red"]);
    let old = world
        .bot()
        .await
        .get_user(GetUserRequest { name: "alice".into(), with_secrets: false })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(old, alice);
    let me = users
        .get_user(users_v1::GetUserRequest { current_user: true, ..Default::default() })
        .await
        .unwrap()
        .into_inner()
        .user
        .unwrap();
    assert_eq!(me.metadata.unwrap().labels.get("teleport.internal/bot").unwrap(), "tribunal");
    refused(users.get_user(ask("no-such-user")).await, NotFound, "no-such-user");
    refused(users.get_user(ask("")).await, InvalidArgument, "missing user name");
    let first = users.list_users(ListUsersRequest { page_size: 3, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(first.users.len(), 3);
    let rest = users
        .list_users(ListUsersRequest { page_token: first.next_page_token, ..Default::default() })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(3 + rest.users.len(), world.running.scenario().users.len() + 1);
    let mut nobody = UsersServiceClient::new(world.channel("nobody").await);
    nobody.get_user(ask("nobody")).await.unwrap();
    refused(nobody.get_user(ask("alice")).await, PermissionDenied, "`read` on `user`");
}

#[tokio::test]
async fn a_login_state_has_the_roles_since_login_and_not_everybody_has_one() {
    let world = World::start().await;
    let mut states = UserLoginStateServiceClient::new(world.channel("bot-tribunal").await);
    let carol = states
        .get_user_login_state(GetUserLoginStateRequest { name: "carol".into() })
        .await
        .unwrap()
        .into_inner()
        .spec
        .unwrap();
    assert_eq!(carol.roles, ["two-eyes-asker", "reasoned-asker", "prod-b"]);
    assert_eq!(carol.original_roles, ["two-eyes-asker", "reasoned-asker"]);
    for name in ["ghost", "bot-tribunal", "no-such-user"] {
        refused(states.get_user_login_state(GetUserLoginStateRequest { name: name.into() }).await, NotFound, name);
    }
    let all = states.list_user_login_states(ListUserLoginStatesRequest::default()).await.unwrap().into_inner();
    assert_eq!(all.user_login_states.len(), world.running.scenario().users.len() - 1);
}

#[tokio::test]
async fn roles_are_read_whole_and_own_roles_need_no_verb() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let role = bot.get_role(GetRoleRequest { name: "requester".into() }).await.unwrap().into_inner();
    let request = role.spec.unwrap().allow.unwrap().request.unwrap();
    assert_eq!(request.roles, ["prod-*", "two-eyes", "reasoned"]);
    assert_eq!(request.max_duration, 3 * 24 * 3_600_000_000_000);
    refused(bot.get_role(GetRoleRequest { name: "none".into() }).await, NotFound, "`none`");
    let first = bot.list_roles(ListRolesRequest { limit: 2, ..Default::default() }).await.unwrap().into_inner();
    assert_eq!(first.roles.len(), 2);
    assert!(!first.next_key.is_empty());
    let mut alice = world.client("alice").await;
    alice.get_role(GetRoleRequest { name: "requester".into() }).await.unwrap();
    refused(alice.get_role(GetRoleRequest { name: "root".into() }).await, PermissionDenied, "`read` on `role`");
}

#[tokio::test]
async fn capabilities_say_what_a_user_may_ask_for() {
    let world = World::start().await;
    let mut alice = world.client("alice").await;
    let node = |name: &str| ResourceId {
        cluster_name: "test".into(),
        kind: "node".into(),
        name: name.into(),
        ..Default::default()
    };
    let ask = AccessCapabilitiesRequest {
        requestable_roles: true,
        suggested_reviewers: true,
        resource_ids: vec![node("n1")],
        ..Default::default()
    };
    let answer = alice.get_access_capabilities(ask.clone()).await.unwrap().into_inner();
    assert_eq!(answer.requestable_roles, ["prod-a", "prod-b", "reasoned", "two-eyes"]);
    assert_eq!(answer.applicable_roles_for_resources, ["node-access"]);
    assert_eq!(answer.suggested_reviewers, ["rita"]);
    refused(
        alice.get_access_capabilities(AccessCapabilitiesRequest { user: "bob".into(), ..ask.clone() }).await,
        PermissionDenied,
        "`read` on `user`",
    );
    let mut bot = world.bot().await;
    let of_alice = bot
        .get_access_capabilities(AccessCapabilitiesRequest { user: "alice".into(), ..ask })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(of_alice, answer);
}
