//! Releases: what each says it is, which methods it lacks, and which clients it hangs up on.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::proto::{ListLocksRequest, PingRequest, PingResponse};
use tribunal_sim::Release;
use tribunal_sim::release::METHODS;

use crate::world::{SCENARIO, World, lock, on_request, refused};

/// A server of this release.
async fn of(release: u64) -> World {
    World::with(&format!("release = {release}\n{SCENARIO}")).await
}

fn path(method: &str) -> String {
    match method.split_once('/') {
        None => format!("/proto.AuthService/{method}"),
        Some(("UsersService", method)) => format!("/teleport.users.v1.UsersService/{method}"),
        Some((service, method)) => format!("/teleport.userloginstate.v1.{service}/{method}"),
    }
}

/// Calls a method with nothing to say.
async fn call(channel: &Channel, path: &str) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path: PathAndQuery = path.parse().unwrap();
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    client.server_streaming(Request::new(()), path, codec).await.map(drop)
}

async fn ping_as(world: &World, version: Option<&'static str>) -> Result<PingResponse, Status> {
    let mut request = Request::new(PingRequest {});
    if let Some(version) = version {
        request.metadata_mut().insert("version", version.parse().unwrap());
    }
    world.bot().await.ping(request).await.map(tonic::Response::into_inner)
}

/// Else a method that is added to the protocol could not be lacking.
#[test]
fn every_method_of_the_protocol_is_known_by_its_name() {
    let services = [
        ("", include_str!("../../../../proto/teleport/legacy/proto/authservice.proto")),
        ("UsersService/", include_str!("../../../../proto/teleport/users/v1/users_service.proto")),
        (
            "UserLoginStateService/",
            include_str!("../../../../proto/teleport/userloginstate/v1/userloginstate_service.proto"),
        ),
    ];
    let mut known = BTreeSet::new();
    for (service, text) in services {
        let methods = text.lines().filter_map(|line| line.trim().strip_prefix("rpc ")?.split('(').next());
        known.extend(methods.map(|method| format!("{service}{method}")));
    }
    assert_eq!(METHODS.map(str::to_owned).into_iter().collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn each_release_says_what_it_is_and_lacks_its_methods_and_no_others() {
    for (major, version, lacking) in [(16, "16.0.0", 3), (17, "17.0.0", 3), (18, "18.0.0", 3), (19, "19.0.0", 0)] {
        let world = of(major).await;
        let pong = ping_as(&world, None).await.unwrap();
        assert_eq!(pong.server_version, version);
        let features = pong.server_features.unwrap();
        assert_eq!((features.advanced_access_workflows, features.entitlements.is_empty()), (true, major == 16));
        let lacks = Release::try_from(major).unwrap().lacks();
        assert_eq!(lacks.len(), lacking);
        let channel = world.channel("admin").await;
        for method in METHODS {
            let answer = call(&channel, &path(method)).await;
            let unknown = answer.as_ref().is_err_and(|status| status.message().starts_with("unknown method "));
            assert_eq!(unknown, lacks.contains(method), "{major}: {method}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn what_a_scenario_says_to_be_lacking_is_and_its_namesake_is_not() {
    let lacks = r#"lacks = ["UsersService/GetUser", "ListAccessRequests"]"#;
    let world = World::with(&format!("{lacks}\n{SCENARIO}")).await;
    assert_eq!(ping_as(&world, None).await.unwrap().server_version, "18.2.0");
    let channel = world.channel("admin").await;
    for (method, code) in [
        ("UsersService/GetUser", Code::Unimplemented),
        ("ListAccessRequests", Code::Unimplemented),
        ("GetUser", Code::InvalidArgument),
    ] {
        assert_eq!(call(&channel, &path(method)).await.unwrap_err().code(), code, "{method}");
    }
    let status = call(&channel, &path("ListAccessRequests")).await.unwrap_err();
    assert_eq!(status.message(), "unknown method ListAccessRequests for service proto.AuthService");
}

#[tokio::test]
async fn an_upgrade_keeps_what_there_is_and_brings_its_methods() {
    let world = of(18).await;
    let handle = world.running.handle();
    handle.upsert_lock_as("admin", lock("l", on_request("r"))).unwrap();
    let mut client = world.bot().await;
    refused(client.list_locks(ListLocksRequest::default()).await, Code::Unimplemented, "unknown method ListLocks");
    handle.with(|cluster, _| cluster.become_release(Release::V19));
    let listed = client.list_locks(ListLocksRequest::default()).await.unwrap().into_inner();
    assert_eq!(listed.locks.len(), 1);
    assert_eq!(ping_as(&world, None).await.unwrap().server_version, "19.0.0");
}

#[tokio::test]
async fn a_client_that_is_too_old_is_hung_up_on_and_one_that_says_nothing_is_not() {
    let world = of(19).await;
    for version in ["17.9.9", "17.9.9-dev", "nonsense"] {
        let status = ping_as(&world, Some(version)).await.unwrap_err();
        assert_ne!(status.code(), Code::PermissionDenied, "the refusal itself does not come over: {status:?}");
    }
    for version in [None, Some("18.0.0"), Some("18.0.0-dev"), Some("30.1.2")] {
        assert_eq!(ping_as(&world, version).await.unwrap().server_version, "19.0.0", "{version:?}");
    }
    assert!(ping_as(&of(16).await, Some("3.0.0")).await.is_ok(), "16 takes any, unless it is told otherwise");
    let world = World::with(&format!("oldest-client = \"18.2.0\"\n{SCENARIO}")).await;
    assert!(ping_as(&world, Some("18.1.9")).await.is_err());
    assert!(ping_as(&world, Some("18.2.0")).await.is_ok());
}

#[tokio::test]
async fn only_the_connection_of_who_is_too_old_is_closed() {
    let world = of(19).await;
    let mut other = AuthServiceClient::new(world.channel("alice").await);
    other.ping(PingRequest {}).await.unwrap();
    ping_as(&world, Some("1.0.0")).await.unwrap_err();
    // A channel that had been cut would say so once.
    other.ping(PingRequest {}).await.unwrap();
}
