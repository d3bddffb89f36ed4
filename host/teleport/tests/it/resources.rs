//! Labels of requested resources and rights of our own: what is asked, and what the answers become.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prost::Message;
use tonic::Status;
use tribunal_core::failure::FailureClass;
use tribunal_core::request::ResourceKey;
use tribunal_core::request::{Attributes, RequestedResource};
use tribunal_ports::Teleport as _;
use tribunal_proto::proto::paginated_resource::Resource;
use tribunal_proto::{proto, types};
use tribunal_teleport::client::{BLIND_SECS_MAX, SIGHT_SECS_MAX};
use tribunal_teleport::rights::{TO_RELEASE, TO_SEE};

use super::client::{cluster, decode, one, unimplemented};
use super::server::{Call, Reply};

/// As [`super::client::by`], for the cluster `root`.
fn by(
    script: impl Fn(&str, &[u8]) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| match call.path.rsplit('/').next().unwrap() {
        "Ping" => one(&proto::PingResponse { cluster_name: "root".into(), ..Default::default() }),
        method => script(method, &call.message),
    }
}

fn asked_in(cluster: &str, kind: &str, name: &str) -> RequestedResource {
    RequestedResource {
        cluster: cluster.into(),
        kind: kind.into(),
        name: name.into(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    }
}

fn asked(kind: &str, name: &str) -> RequestedResource {
    asked_in("root", kind, name)
}

fn metadata(name: &str, labels: &[(&str, &str)]) -> Option<types::Metadata> {
    let labels = labels.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    Some(types::Metadata { name: name.into(), labels, ..Default::default() })
}

fn node(name: &str, labels: &[(&str, &str)]) -> Resource {
    Resource::Node(types::ServerV2 { metadata: metadata(name, labels), ..Default::default() })
}

fn db(name: &str, labels: &[(&str, &str)]) -> Resource {
    let database = types::DatabaseV3 { metadata: metadata(name, labels), ..Default::default() };
    Resource::DatabaseServer(types::DatabaseServerV3 {
        metadata: metadata("agent", &[("env", "agent")]),
        spec: Some(types::DatabaseServerSpecV3 { database: Some(database) }),
        ..Default::default()
    })
}

fn listed(resources: Vec<Resource>) -> Vec<proto::PaginatedResource> {
    let listed = |resource| proto::PaginatedResource { resource: Some(resource), requires_request: false };
    resources.into_iter().map(listed).collect()
}

fn unified(resources: Vec<Resource>, next: &str) -> Reply {
    one(&proto::ListUnifiedResourcesResponse { resources: listed(resources), next_key: next.into() })
}

fn of_kind(resources: Vec<Resource>, next: &str) -> Reply {
    one(&proto::ListResourcesResponse { resources: listed(resources), next_key: next.into(), total_count: 0 })
}

/// Kind, name, and labels with their values.
type Found<'a> = (&'a str, &'a str, &'a [(&'a str, &'a [&'a str])]);

fn labels(found: &[Found<'_>]) -> BTreeMap<ResourceKey, Attributes> {
    let attributes = |labels: &[(&str, &[&str])]| -> Attributes {
        labels.iter().map(|(key, values)| ((*key).into(), values.iter().map(|it| (*it).into()).collect())).collect()
    };
    let key = |kind: &str, name: &str| ("root".to_owned(), kind.to_owned(), name.to_owned());
    found.iter().map(|(kind, name, labels)| (key(kind, name), attributes(labels))).collect()
}

#[tokio::test]
async fn labels_of_many_resources_come_with_one_call_in_pages() {
    let (server, client) = cluster(by(|method, message| match method {
        "ListUnifiedResources" => match decode::<proto::ListUnifiedResourcesRequest>(message).start_key.as_str() {
            "" => unified(vec![node("n1", &[("env", "prod")]), db("orders", &[("env", "prod")])], "k"),
            // Another agent serves the same database, and a filter that the server does not know lets more through.
            "k" => unified(vec![db("orders", &[("env", "lab")]), node("n2", &[]), node("other", &[])], ""),
            key => panic!("{key}"),
        },
        _ => unimplemented(),
    }))
    .await;
    let resources = [asked("node", "n1"), asked("node", "n2"), asked("db", "orders"), asked("node", "unseen")];
    let found = client.labels(&resources).await.unwrap();
    let both: &[&str] = &["lab", "prod"];
    assert_eq!(
        found,
        labels(&[
            ("db", "orders", &[("env", both)]),
            ("node", "n1", &[("env", &["prod"])]),
            // Seen, and without labels: not the same as unseen.
            ("node", "n2", &[]),
        ])
    );
    let calls = server.calls("ListUnifiedResources");
    assert_eq!(calls.len(), 2);
    let page: proto::ListUnifiedResourcesRequest = decode(&calls[0].message);
    let expected = proto::ListUnifiedResourcesRequest {
        kinds: vec!["db".into(), "node".into()],
        limit: 200,
        predicate_expression: ["n1", "n2", "orders", "unseen"]
            .map(|name| format!("resource.metadata.name == \"{name}\""))
            .join(" || "),
        sort_by: Some(types::SortBy { is_desc: false, field: "name".into() }),
        use_preview_as_roles: true,
        ..Default::default()
    };
    assert_eq!(page, expected);
}

#[tokio::test]
async fn what_cannot_be_listed_is_not_asked_for() {
    let (server, client) = cluster(by(|_, _| unified(vec![node("n1", &[])], ""))).await;
    let injection = "x\" || resource.metadata.name != \"";
    let resources = [
        asked_in("leaf", "node", "n1"),
        asked("user_group", "g"),
        asked("pod", "k8s"),
        asked("node", injection),
        asked("node", ""),
    ];
    assert_eq!(client.labels(&resources).await.unwrap(), labels(&[]));
    assert_eq!(client.labels(&[]).await.unwrap(), labels(&[]));
    assert_eq!(server.calls("ListUnifiedResources").len(), 0);
    let resources = [asked("node", "n1"), asked_in("leaf", "node", "n2"), asked("node", injection)];
    assert_eq!(client.labels(&resources).await.unwrap(), labels(&[("node", "n1", &[])]));
    let call = &server.calls("ListUnifiedResources")[0];
    let page: proto::ListUnifiedResourcesRequest = decode(&call.message);
    assert_eq!(page.predicate_expression, "resource.metadata.name == \"n1\"");
}

#[tokio::test]
async fn a_call_names_a_bounded_number_of_resources() {
    let (server, client) = cluster(by(|_, message| {
        let page: proto::ListUnifiedResourcesRequest = decode(message);
        let names = page.predicate_expression.split('"').skip(1).step_by(2);
        unified(names.map(|name| node(name, &[("of", name)])).collect(), "")
    }))
    .await;
    let resources: Vec<_> = (0..120).map(|number| asked("node", &format!("n{number}"))).collect();
    let twice: Vec<_> = resources.iter().chain(&resources).cloned().collect();
    let found = client.labels(&twice).await.unwrap();
    assert_eq!(found.len(), 120);
    assert!(found.iter().all(|((_, _, name), labels)| labels["of"] == [name.clone()]));
    assert_eq!(server.calls("ListUnifiedResources").len(), 3);
    // The cluster's name is learnt once (and the first ping is the test's own).
    assert_eq!(server.calls("Ping").len(), 2);
}

#[tokio::test]
async fn labels_that_may_not_be_seen_are_unknown_and_no_failure() {
    let denied = || Reply::Fail(Status::permission_denied("access denied"));
    let (server, client) = cluster(by(move |_, _| denied())).await;
    for _ in 0..2 {
        assert_eq!(client.labels(&[asked("node", "n1")]).await.unwrap(), labels(&[]));
    }
    // A right can be granted any time, so that it is asked for again.
    assert_eq!(server.calls("ListUnifiedResources").len(), 2);
    assert_eq!(server.calls("ListResources").len(), 0);
}

#[tokio::test]
async fn an_old_server_is_asked_kind_by_kind() {
    let (server, client) = cluster(by(|method, message| match method {
        "ListResources" => {
            let page: proto::ListResourcesRequest = decode(message);
            assert!(page.use_preview_as_roles);
            assert_eq!((page.namespace.as_str(), page.limit), ("default", 200));
            match (page.resource_type.as_str(), page.start_key.as_str(), page.predicate_expression.as_str()) {
                ("node", "", r#"resource.metadata.name == "n1""#) => of_kind(vec![], "k"),
                ("node", "k", _) => of_kind(vec![node("n1", &[("env", "prod")])], ""),
                ("db_server", "", r#"resource.metadata.name == "orders""#) => {
                    Reply::Fail(Status::permission_denied("access denied"))
                }
                ("git_server", "", _) => unimplemented(),
                other => panic!("{other:?}"),
            }
        }
        _ => unimplemented(),
    }))
    .await;
    let resources = [asked("node", "n1"), asked("db", "orders"), asked("git_server", "repo")];
    for _ in 0..2 {
        assert_eq!(client.labels(&resources).await.unwrap(), labels(&[("node", "n1", &[("env", &["prod"])])]));
    }
    assert_eq!(server.calls("ListUnifiedResources").len(), 1);
    // Two pages of nodes and a refusal twice; that there are no git servers is learnt once.
    assert_eq!(server.calls("ListResources").len(), 2 * 3 + 1);
}

#[tokio::test]
async fn a_server_that_lists_nothing_is_asked_once() {
    let (server, client) = cluster(by(|_, _| unimplemented())).await;
    for _ in 0..3 {
        assert_eq!(client.labels(&[asked("node", "n1")]).await.unwrap(), labels(&[]));
    }
    assert_eq!((server.calls("ListUnifiedResources").len(), server.calls("ListResources").len()), (1, 1));
}

#[tokio::test]
async fn half_a_list_of_labels_is_none() {
    let (_server, client) = cluster(by(|method, message| match method {
        "ListUnifiedResources" => match decode::<proto::ListUnifiedResourcesRequest>(message).start_key.as_str() {
            "" => unified(vec![node("n1", &[])], "k"),
            _ => Reply::Fail(Status::unavailable("gone")),
        },
        _ => unimplemented(),
    }))
    .await;
    let failure = client.labels(&[asked("node", "n1")]).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert_eq!(failure.detail, "`ListUnifiedResources`: unavailable: gone");
    let (_server, client) = cluster(by(|_, _| unified(vec![], "same"))).await;
    let failure = client.labels(&[asked("node", "n1")]).await.unwrap_err();
    assert!(failure.detail.contains("followed by itself"), "{failure}");
}

fn role(allow: &[(&str, &[&str])], deny: &[(&str, &[&str])]) -> Vec<u8> {
    let rule = |(resource, verbs): &(&str, &[&str])| types::Rule {
        resources: vec![(*resource).into()],
        verbs: verbs.iter().map(|verb| (*verb).into()).collect(),
        ..Default::default()
    };
    let half = |rules: &[(&str, &[&str])]| {
        Some(types::RoleConditions { rules: rules.iter().map(rule).collect(), ..Default::default() })
    };
    let spec = types::RoleSpecV6 { options: None, allow: half(allow), deny: half(deny) };
    types::RoleV6 { spec: Some(spec), ..Default::default() }.encode_to_vec()
}

#[tokio::test]
async fn our_rights_are_those_of_all_our_roles_less_what_one_denies() {
    let (_server, client) = cluster(by(|method, _| match method {
        "GetCurrentUserRoles" => Reply::Messages(vec![
            role(&[("access_request", &["list", "read", "update"])], &[]),
            role(&[("lock", &["*"])], &[("lock", &["delete"])]),
        ]),
        _ => unimplemented(),
    }))
    .await;
    let rights = client.rights().await.unwrap().unwrap();
    assert_eq!(rights.missing(TO_SEE), [""; 0]);
    assert_eq!(rights.missing(TO_RELEASE), ["lock: delete"]);
}

/// Law 8: a server that may not be asked for everything gives a part, and does not say so.
#[tokio::test]
async fn rights_that_are_taken_away_are_missed_within_the_hour_and_found_again_soon() {
    let whole = Arc::new(AtomicBool::new(true));
    let script = {
        let whole = Arc::clone(&whole);
        by(move |method, _| match method {
            "GetCurrentUserRoles" => {
                let verbs: &[&str] = if whole.load(Ordering::Relaxed) { &["list", "read"] } else { &["read"] };
                Reply::Messages(vec![role(&[("access_request", verbs), ("lock", &["list", "read"])], &[])])
            }
            "ListAccessRequests" => one(&proto::ListAccessRequestsResponse::default()),
            "ListLocks" => one(&proto::ListLocksResponse::default()),
            _ => unimplemented(),
        })
    };
    let (server, client) = cluster(script).await;
    let goes_by = |secs| async move {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(secs)).await;
        tokio::time::resume();
    };
    client.list().await.unwrap();
    whole.store(false, Ordering::Relaxed);
    client.list().await.expect("it was asked just now");
    assert_eq!(server.calls("GetCurrentUserRoles").len(), 1);
    goes_by(SIGHT_SECS_MAX).await;
    let failure = client.list().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("lacks access_request: list; add that"), "{failure}");
    whole.store(true, Ordering::Relaxed);
    goes_by(BLIND_SECS_MAX).await;
    client.list().await.expect("the role was mended");
}

#[tokio::test]
async fn an_identity_without_roles_may_do_nothing_which_is_known() {
    let (_server, client) = cluster(by(|_, _| Reply::Messages(vec![]))).await;
    let rights = client.rights().await.unwrap().unwrap();
    assert_eq!(rights.missing(TO_SEE), ["access_request: list, read", "lock: list, read"]);
}

#[tokio::test]
async fn rights_that_the_server_does_not_tell_are_unknown() {
    for status in [Status::unimplemented("unknown method"), Status::permission_denied("access denied")] {
        let (_server, client) = cluster(by(move |_, _| Reply::Fail(status.clone()))).await;
        assert_eq!(client.rights().await.unwrap(), None);
    }
    let (_server, client) = cluster(by(|_, _| Reply::Fail(Status::unavailable("gone")))).await;
    assert_eq!(client.rights().await.unwrap_err().class, FailureClass::Retry);
}

#[tokio::test]
async fn a_list_of_roles_without_end_is_a_failure() {
    let (_server, client) = cluster(by(|_, _| Reply::Messages(vec![role(&[], &[]); 1001]))).await;
    let failure = client.rights().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("more than 1000 roles"), "{failure}");
}
