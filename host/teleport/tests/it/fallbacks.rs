//! What is done where a server lacks a method: the older way, under the laws of the newer one, asked for once a connection.

use std::sync::atomic::{AtomicUsize, Ordering};

use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Status;
use tribunal_core::Timestamp;
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::LockName;
use tribunal_core::request::{RequestId, RequestedResource, UserName};
use tribunal_ports::{LeaseWish, Taken, Teleport as _};
use tribunal_proto::proto::paginated_resource::Resource;
use tribunal_proto::{proto, types, users_v1};
use tribunal_teleport::Client;

use super::client::{cluster, decode, one, unimplemented};
use super::server::{Call, Reply, Server};

/// Newer ways and the older ones, as paths end.
const WAYS: [(&str, &str); 5] = [
    ("AuthService/ListAccessRequests", "GetAccessRequestsV2"),
    ("AuthService/ListLocks", "GetLocks"),
    ("AuthService/ListSemaphores", "GetSemaphores"),
    ("UsersService/GetUser", "AuthService/GetUser"),
    ("AuthService/ListUnifiedResources", "ListResources"),
];

fn request(id: &str) -> types::AccessRequestV3 {
    types::AccessRequestV3 {
        metadata: metadata(id),
        spec: Some(types::AccessRequestSpecV3 { user: "u".into(), state: 1, ..Default::default() }),
        ..Default::default()
    }
}

fn metadata(name: &str) -> Option<types::Metadata> {
    Some(types::Metadata { name: name.into(), ..Default::default() })
}

fn lock(name: &str) -> types::LockV2 {
    types::LockV2 { metadata: metadata(name), ..Default::default() }
}

fn semaphore(name: &str, holder: &str) -> types::SemaphoreV3 {
    let end = Some(prost_types::Timestamp { seconds: 9_000_000_000, nanos: 0 });
    let lease = types::SemaphoreLeaseRef { lease_id: "1".into(), expires: end, holder: holder.into() };
    types::SemaphoreV3 {
        sub_kind: "tribunal".into(),
        metadata: metadata(name),
        spec: Some(types::SemaphoreSpecV3 { leases: vec![lease] }),
        ..Default::default()
    }
}

fn node(name: &str) -> proto::PaginatedResource {
    let node = types::ServerV2 { metadata: metadata(name), ..Default::default() };
    proto::PaginatedResource { resource: Some(Resource::Node(node)), requires_request: false }
}

fn stored_user() -> types::UserV2 {
    types::UserV2 {
        spec: Some(types::UserSpecV2 { roles: vec!["r".into()], ..Default::default() }),
        ..Default::default()
    }
}

fn methods_name(call: &Call) -> &str {
    call.path.rsplit('/').next().unwrap()
}

fn is(call: &Call, way: &str) -> bool {
    call.path.ends_with(way)
}

/// How a server that has it answers the older way.
fn older(call: &Call) -> Reply {
    match methods_name(call) {
        "Ping" => one(&proto::PingResponse { cluster_name: "root".into(), ..Default::default() }),
        "GetAccessRequestsV2" => Reply::Messages(["a", "b"].map(|id| request(id).encode_to_vec()).to_vec()),
        "GetLocks" => one(&proto::GetLocksResponse { locks: vec![lock("l"), lock("m")] }),
        "GetSemaphores" => one(&proto::Semaphores { semaphores: vec![semaphore("dev", "them")] }),
        "AcquireSemaphore" => Reply::Fail(Status::resource_exhausted("all leases are held")),
        "GetUser" if is(call, "AuthService/GetUser") => one(&stored_user()),
        "ListResources" => one(&proto::ListResourcesResponse { resources: vec![node("n")], ..Default::default() }),
        _ => unimplemented(),
    }
}

fn resource() -> RequestedResource {
    RequestedResource {
        cluster: "root".into(),
        kind: "node".into(),
        name: "n".into(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    }
}

fn wish() -> LeaseWish {
    LeaseWish { name: "dev".into(), holder: "us".into(), until: Timestamp::from_secs(9_000_000_000) }
}

/// Goes each of the ways, and sees what the older ones tell.
async fn go_all_ways(client: &Client) {
    let listing = client.list().await.unwrap();
    assert_eq!((listing.requests.len(), listing.locks.len()), (2, 2));
    let background = client.background(UserName::new("u"), vec![resource()]).await.unwrap();
    assert_eq!((background.subject.roles.unwrap(), background.labels.len()), (vec!["r".to_owned()], 1));
    let taken = client.take_lease(wish()).await.unwrap();
    assert!(matches!(taken, Taken::Theirs { holder: Some(holder), .. } if holder == "them"));
}

fn counts(server: &Server) -> Vec<(usize, usize)> {
    WAYS.iter().map(|(newer, older)| (server.calls_ending(newer).len(), server.calls_ending(older).len())).collect()
}

#[tokio::test]
async fn a_connection_is_asked_the_newer_way_once_and_the_next_connection_again() {
    let (server, client, _file) = lasting(older).await;
    for _ in 0..3 {
        go_all_ways(&client).await;
    }
    assert_eq!(counts(&server), [(1, 3); WAYS.len()]);
    server.kick();
    // A call may be the one that finds the connection broken.
    while client.ping().await.is_err() {}
    for _ in 0..2 {
        go_all_ways(&client).await;
    }
    assert_eq!(counts(&server), [(2, 5); WAYS.len()]);
    client.reload().await.unwrap();
    go_all_ways(&client).await;
    // The first call over a new channel makes the connection; all others know it.
    assert_eq!(counts(&server), [(3, 6); WAYS.len()]);
}

#[tokio::test]
async fn what_two_connections_lack_is_two_things() {
    let (first, second) = (
        cluster(older).await,
        cluster(|call: &Call| match methods_name(call) {
            "ListLocks" => one(&proto::ListLocksResponse { locks: vec![lock("l")], ..Default::default() }),
            "ListAccessRequests" => one(&proto::ListAccessRequestsResponse::default()),
            "GetLocks" | "GetAccessRequestsV2" => panic!("another server lacks the newer way"),
            _ => older(call),
        })
        .await,
    );
    for _ in 0..2 {
        first.1.list().await.unwrap();
        assert_eq!(second.1.list().await.unwrap().locks.len(), 1);
    }
}

/// Answers the first page of each newer way, and lacks the method for the second.
fn forgetful(call: &Call) -> Reply {
    match methods_name(call) {
        "ListAccessRequests" if decode::<proto::ListAccessRequestsRequest>(&call.message).start_key.is_empty() => {
            one(&proto::ListAccessRequestsResponse { access_requests: vec![request("x")], next_key: "k".into() })
        }
        "ListLocks" if decode::<proto::ListLocksRequest>(&call.message).page_token.is_empty() => {
            one(&proto::ListLocksResponse { locks: vec![lock("x")], next_page_token: "k".into() })
        }
        "ListSemaphores" if decode::<proto::ListSemaphoresRequest>(&call.message).page_token.is_empty() => {
            let semaphores = vec![semaphore("other", "x")];
            one(&proto::ListSemaphoresResponse { semaphores, next_page_token: "k".into() })
        }
        "ListUnifiedResources" if decode::<proto::ListUnifiedResourcesRequest>(&call.message).start_key.is_empty() => {
            one(&proto::ListUnifiedResourcesResponse { resources: vec![node("x")], next_key: "k".into() })
        }
        _ => older(call),
    }
}

#[tokio::test]
async fn a_method_that_is_lacking_in_the_middle_of_a_list_begins_the_list_anew() {
    let (_server, client) = cluster(forgetful).await;
    let listing = client.list().await.unwrap();
    let ids: Vec<&str> = listing.requests.iter().map(|request| request.id.as_str()).collect();
    let names: Vec<&str> = listing.locks.iter().map(|lock| lock.name.as_str()).collect();
    assert_eq!((ids, names), (vec!["a", "b"], vec!["l", "m"]), "nothing of the page before");
    go_all_ways(&client).await;
}

#[tokio::test]
async fn a_list_that_lacks_both_ways_is_a_failure_and_no_empty_list() {
    for lacking in ["GetAccessRequestsV2", "GetLocks"] {
        for newer in [older, forgetful] {
            let (_server, client) =
                cluster(move |call: &Call| if methods_name(call) == lacking { unimplemented() } else { newer(call) })
                    .await;
            let failure = client.list().await.unwrap_err();
            let said = format!("`{lacking}`: not implemented: unknown method; the server is too old");
            assert!(failure.class == FailureClass::Alarm && failure.detail.starts_with(&said), "{failure}");
        }
    }
}

#[tokio::test]
async fn the_older_way_keeps_the_laws_of_the_newer_one() {
    type Case = (&'static str, fn() -> Reply, FailureClass, &'static str);
    let cases: [Case; 7] = [
        ("GetLocks", || Reply::Fail(Status::unavailable("x")), FailureClass::Retry, "`GetLocks`: unavailable: x"),
        (
            "GetLocks",
            || Reply::Fail(Status::permission_denied("no")),
            FailureClass::Alarm,
            "`GetLocks`: permission denied: no; the daemon's role needs lock: list, read",
        ),
        (
            "GetLocks",
            || one(&proto::GetLocksResponse { locks: vec![lock("l"), lock("")] }),
            FailureClass::Alarm,
            "`GetLocks`: a lock without `metadata.name`",
        ),
        (
            "GetAccessRequestsV2",
            || Reply::Messages(vec![request("a").encode_to_vec(), request("").encode_to_vec()]),
            FailureClass::Alarm,
            "`GetAccessRequestsV2`: an access request without `metadata.name`",
        ),
        (
            "GetAccessRequestsV2",
            || broken_after(&["a"], Status::unavailable("cache reset")),
            FailureClass::Retry,
            "`GetAccessRequestsV2`: unavailable: cache reset",
        ),
        (
            "GetAccessRequestsV2",
            || broken_after(&["a"], Status::permission_denied("locked")),
            FailureClass::Alarm,
            "`GetAccessRequestsV2`: permission denied: locked; the daemon's role needs access_request: list, read",
        ),
        (
            "GetAccessRequestsV2",
            || broken_after(&["a"], Status::unimplemented("x")),
            FailureClass::Alarm,
            "`GetAccessRequestsV2`: not implemented: x",
        ),
    ];
    for (method, answer, class, said) in cases {
        let (_server, client) =
            cluster(move |call: &Call| if methods_name(call) == method { answer() } else { older(call) }).await;
        let failure = client.list().await.unwrap_err();
        assert_eq!(failure.class, class, "{failure}");
        assert!(failure.detail.starts_with(said), "{failure}");
    }
}

/// A stream of these requests that ends like this.
fn broken_after(ids: &[&str], end: Status) -> Reply {
    let (sender, receiver) = mpsc::channel(ids.len() + 1);
    for id in ids {
        sender.try_send(Ok(request(id).encode_to_vec())).unwrap();
    }
    sender.try_send(Err(end)).unwrap();
    Reply::Stream(receiver)
}

#[tokio::test]
async fn what_fails_in_passing_is_asked_for_again_the_older_way_too() {
    let (streams, lists) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (server, client) = cluster(move |call: &Call| match methods_name(call) {
        "GetAccessRequestsV2" if streams.fetch_add(1, Ordering::Relaxed) % 3 < 2 => {
            broken_after(&["a"], Status::unavailable("cache reset"))
        }
        "GetLocks" if lists.fetch_add(1, Ordering::Relaxed) % 3 < 2 => Reply::Fail(Status::unavailable("busy")),
        _ => older(call),
    })
    .await;
    let listing = client.list().await.unwrap();
    let ids: Vec<&str> = listing.requests.iter().map(|request| request.id.as_str()).collect();
    assert_eq!((ids, listing.locks.len()), (vec!["a", "b"], 2), "each once, from one stream");
    assert_eq!((server.calls("GetAccessRequestsV2").len(), server.calls("GetLocks").len()), (3, 3));
    // What is read by its name is for those who act on it to ask for again.
    let failed = client.reread(vec![RequestId::new("a")], Vec::new()).await.unwrap_err();
    assert_eq!((failed.class, server.calls("GetAccessRequestsV2").len()), (FailureClass::Retry, 4));
}

#[tokio::test]
async fn the_older_way_has_the_filters_of_the_newer_one() {
    let (server, client) = cluster(older).await;
    go_all_ways(&client).await;
    let fresh = client.reread(vec![RequestId::new("b")], vec![LockName::new("m"), LockName::new("z")]).await.unwrap();
    assert_eq!(fresh.requests[0].as_ref().unwrap().id.as_str(), "b");
    assert_eq!(fresh.locks.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false]);
    let filters: Vec<types::AccessRequestFilter> =
        server.calls("GetAccessRequestsV2").iter().map(|call| decode(&call.message)).collect();
    let by_id = types::AccessRequestFilter { id: "b".into(), ..Default::default() };
    assert_eq!(filters, [types::AccessRequestFilter::default(), by_id]);
    let filter: types::SemaphoreFilter = decode(&server.calls("GetSemaphores")[0].message);
    let wanted = types::SemaphoreFilter { semaphore_kind: "tribunal".into(), semaphore_name: "dev".into() };
    assert_eq!(filter, wanted);
    let resources: proto::ListResourcesRequest = decode(&server.calls("ListResources")[0].message);
    assert!(resources.use_preview_as_roles);
    assert_eq!(resources.predicate_expression, "resource.metadata.name == \"n\"");
    let user: proto::GetUserRequest = decode(&server.calls_ending("AuthService/GetUser")[0].message);
    assert_eq!((user.name.as_str(), user.with_secrets), ("u", false));
}

#[tokio::test]
async fn a_semaphore_is_looked_for_on_all_pages() {
    let (_server, client) = cluster(|call: &Call| match methods_name(call) {
        "ListSemaphores" => {
            let page: proto::ListSemaphoresRequest = decode(&call.message);
            let (name, next) = if page.page_token.is_empty() { ("other", "k") } else { ("dev", "") };
            one(&proto::ListSemaphoresResponse {
                semaphores: vec![semaphore(name, "them")],
                next_page_token: next.into(),
            })
        }
        _ => older(call),
    })
    .await;
    let taken = client.take_lease(wish()).await.unwrap();
    assert!(matches!(taken, Taken::Theirs { holder: Some(holder), .. } if holder == "them"));
    // A page that cannot be had hides what may stand on it.
    let (_server, client) = cluster(|call: &Call| match methods_name(call) {
        "ListSemaphores" if decode::<proto::ListSemaphoresRequest>(&call.message).page_token.is_empty() => {
            one(&proto::ListSemaphoresResponse { semaphores: Vec::new(), next_page_token: "k".into() })
        }
        "ListSemaphores" => Reply::Fail(Status::unavailable("busy")),
        "AcquireSemaphore" => panic!("a lease that may be ours is asked for first"),
        _ => older(call),
    })
    .await;
    assert_eq!(client.take_lease(wish()).await.unwrap_err().class, FailureClass::Retry);
}

#[tokio::test]
async fn a_newer_way_that_fails_otherwise_is_no_lack() {
    let (server, client) = cluster(|call: &Call| match methods_name(call) {
        "ListAccessRequests" => Reply::Fail(Status::permission_denied("access denied")),
        "GetUser" if is(call, "UsersService/GetUser") => one(&users_v1::GetUserResponse { user: Some(stored_user()) }),
        _ => older(call),
    })
    .await;
    assert_eq!(client.list().await.unwrap_err().class, FailureClass::Alarm);
    client.background(UserName::new("u"), Vec::new()).await.unwrap();
    assert_eq!(server.calls("GetAccessRequestsV2").len(), 0);
    assert_eq!(server.calls_ending("AuthService/GetUser").len(), 0);
}

/// As [`cluster`], with an identity file that stays: the client connects more than once.
async fn lasting(script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> (Server, Client, super::pki::File) {
    let ca = super::pki::Ca::new("root");
    let server = Server::new(&ca, script).await;
    let file = super::pki::File::new(&super::pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&server.address), tribunal_teleport::Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    (server, client, file)
}
