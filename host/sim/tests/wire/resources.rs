//! Lists of resources: who sees what, filters, pages; and the roles of one's own.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use tonic::Code::{InvalidArgument, PermissionDenied, Unimplemented};
use tribunal_proto::proto::paginated_resource::Resource;
use tribunal_proto::proto::{ListResourcesRequest, ListUnifiedResourcesRequest, PaginatedResource};
use tribunal_proto::types::{Metadata, SortBy};

use crate::world::{Client, World, refused};

const SCENARIO: &str = r#"
cluster = "test"

[[role]]
name = "prod"
[role.allow]
node-labels = { env = "prod" }

[[role]]
name = "everything"
[role.allow]
node-labels = { "*" = "*" }

[[role]]
name = "not-lab"
[role.deny]
node-labels = { env = "lab" }

[[role]]
name = "previewer"
[role.allow]
review-requests = { preview-as-roles = ["everything"] }

[[role]]
name = "searcher"
[role.allow.request]
search-as-roles = ["prod"]

[[role]]
name = "blind"
[[role.deny.rules]]
resources = ["node", "app_server"]
verbs = ["list"]

[[user]]
name = "nobody"
[[user]]
name = "prod"
roles = ["prod"]
[[user]]
name = "careful"
roles = ["everything", "not-lab"]
[[user]]
name = "previewer"
roles = ["previewer"]
[[user]]
name = "careful-previewer"
roles = ["previewer", "not-lab"]
[[user]]
name = "searcher"
roles = ["searcher"]
[[user]]
name = "blind"
roles = ["everything", "blind"]

[[node]]
name = "n1"
labels = { env = "prod", "a b" = "x" }
[[node]]
name = "n2"
labels = { env = "prod" }
[[node]]
name = "lab"
labels = { env = "lab" }
[[node]]
name = "shop"
kind = "app"
labels = { env = "prod" }
[[node]]
name = "orders"
kind = "db"
labels = { env = "prod" }
[[node]]
name = "k8s"
kind = "kube_cluster"
labels = { env = "lab" }
[[node]]
name = "desk"
kind = "windows_desktop"
labels = { env = "lab" }
[[node]]
name = "group"
kind = "user_group"
labels = { env = "prod" }
"#;

fn by_name() -> Option<SortBy> {
    Some(SortBy { is_desc: false, field: "name".into() })
}

fn unified() -> ListUnifiedResourcesRequest {
    ListUnifiedResourcesRequest { sort_by: by_name(), ..Default::default() }
}

fn previewing() -> ListUnifiedResourcesRequest {
    ListUnifiedResourcesRequest { use_preview_as_roles: true, ..unified() }
}

/// The thing itself, not the agent that serves it.
fn thing(resource: &PaginatedResource) -> Metadata {
    match resource.resource.clone().unwrap() {
        Resource::Node(it) | Resource::GitServer(it) => it.metadata,
        Resource::AppServer(it) => it.spec.unwrap().app.unwrap().metadata,
        Resource::DatabaseServer(it) => it.spec.unwrap().database.unwrap().metadata,
        Resource::KubernetesServer(it) => it.spec.unwrap().cluster.unwrap().metadata,
        Resource::KubeCluster(it) => it.metadata,
        Resource::WindowsDesktop(it) => it.header.unwrap().metadata,
    }
    .unwrap()
}

fn names(resources: &[PaginatedResource]) -> Vec<String> {
    resources.iter().map(|resource| thing(resource).name).collect()
}

async fn seen(client: &mut Client, query: ListUnifiedResourcesRequest) -> Vec<String> {
    names(&client.list_unified_resources(query).await.unwrap().into_inner().resources)
}

#[tokio::test]
async fn a_caller_sees_what_its_labels_open_and_no_hint_of_the_rest() {
    let world = World::with(SCENARIO).await;
    let all = ["desk", "k8s", "lab", "n1", "n2", "orders", "shop"];
    let prod = ["n1", "n2", "orders", "shop"];
    for (user, own, with_preview) in [
        ("nobody", &[][..], &[][..]),
        ("prod", &prod[..], &prod[..]),
        ("careful", &prod[..], &prod[..]),
        ("previewer", &[][..], &all[..]),
        // What one of its own roles denies, no preview opens.
        ("careful-previewer", &[][..], &prod[..]),
        ("searcher", &[][..], &[][..]),
        ("bot-tribunal", &[][..], &all[..]),
    ] {
        let mut client = world.client(user).await;
        assert_eq!(seen(&mut client, unified()).await, own, "{user}");
        assert_eq!(seen(&mut client, previewing()).await, with_preview, "{user}");
    }
    let mut searcher = world.client("searcher").await;
    let searching = ListUnifiedResourcesRequest { use_search_as_roles: true, ..unified() };
    assert_eq!(seen(&mut searcher, searching).await, prod);
    let requestable = ListUnifiedResourcesRequest { include_requestable: true, ..unified() };
    let answer = searcher.list_unified_resources(requestable).await.unwrap().into_inner();
    assert!(answer.resources.iter().all(|resource| resource.requires_request));
    assert_eq!(answer.resources.len(), prod.len());
}

#[tokio::test]
async fn the_bots_preview_can_be_switched_off() {
    let off = SCENARIO.replace("cluster = \"test\"", "cluster = \"test\"\n[bot]\npreviews-resources = false");
    let world = World::with(&off).await;
    let mut bot = world.bot().await;
    assert_eq!(seen(&mut bot, previewing()).await, [""; 0]);
    let roles = current_roles(&mut bot).await;
    assert_eq!(roles.keys().collect::<Vec<_>>(), ["tribunal"]);
}

#[tokio::test]
async fn a_denied_kind_is_left_out_unless_it_is_all_that_was_asked_for() {
    let world = World::with(SCENARIO).await;
    let mut blind = world.client("blind").await;
    assert_eq!(seen(&mut blind, unified()).await, ["desk", "k8s", "orders"]);
    let kinds = |kinds: &[&str]| ListUnifiedResourcesRequest {
        kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
        ..previewing()
    };
    assert_eq!(seen(&mut blind, kinds(&["node", "db"])).await, ["orders"]);
    refused(blind.list_unified_resources(kinds(&["node", "app"])).await, PermissionDenied, "node, app");
    let node = ListResourcesRequest { resource_type: "node".into(), ..Default::default() };
    refused(blind.list_resources(node).await, PermissionDenied, "`node`");
    let mut bot = world.bot().await;
    assert_eq!(seen(&mut bot, kinds(&["node"])).await, ["lab", "n1", "n2"]);
    assert_eq!(seen(&mut bot, kinds(&["user_group"])).await, [""; 0]);
}

#[tokio::test]
async fn filters_narrow_what_is_seen() {
    let world = World::with(SCENARIO).await;
    let mut bot = world.bot().await;
    for (predicate, found) in [
        (r#"name == "n1""#, &["n1"][..]),
        (r#"resource.metadata.name == "n2" || resource.metadata.name == "shop""#, &["n2", "shop"]),
        (r#"labels["env"] == "lab" && name != "lab""#, &["desk", "k8s"]),
        (r#"labels["a b"] == "x""#, &["n1"]),
        (r#"name == "group""#, &[]),
        (r#"name == "no-such""#, &[]),
    ] {
        let query = ListUnifiedResourcesRequest { predicate_expression: predicate.into(), ..previewing() };
        assert_eq!(seen(&mut bot, query).await, found, "{predicate}");
    }
    let labels = BTreeMap::from([("env".to_owned(), "lab".to_owned())]);
    let query = ListUnifiedResourcesRequest { labels, kinds: vec!["node".into()], ..previewing() };
    assert_eq!(seen(&mut bot, query).await, ["lab"]);
    let query = ListUnifiedResourcesRequest { search_keywords: vec!["PROD".into(), "N".into()], ..previewing() };
    assert_eq!(seen(&mut bot, query).await, ["n1", "n2", "orders", "shop"]);
    assert_eq!(seen(&mut bot, ListUnifiedResourcesRequest { pinned_only: true, ..previewing() }).await, [""; 0]);
    let bad = ListUnifiedResourcesRequest { predicate_expression: "name == n1".into(), ..previewing() };
    refused(bot.list_unified_resources(bad).await, InvalidArgument, "nothing known at `n1`");
    let unsorted = ListUnifiedResourcesRequest { sort_by: None, ..previewing() };
    refused(bot.list_unified_resources(unsorted).await, InvalidArgument, "sort field is required");
    let by_age = Some(SortBy { is_desc: false, field: "age".into() });
    let odd = ListUnifiedResourcesRequest { sort_by: by_age, ..previewing() };
    refused(bot.list_unified_resources(odd).await, Unimplemented, "`age`");
}

#[tokio::test]
async fn pages_in_every_order_give_every_resource_once() {
    let world = World::with(SCENARIO).await;
    let mut bot = world.bot().await;
    for (field, is_desc) in [("name", false), ("name", true), ("kind", false), ("kind", true)] {
        let sort_by = Some(SortBy { is_desc, field: field.into() });
        let whole = seen(&mut bot, ListUnifiedResourcesRequest { sort_by: sort_by.clone(), ..previewing() }).await;
        assert_eq!(whole.len(), 7);
        for limit in [1, 2, 3, 7] {
            let mut query = ListUnifiedResourcesRequest { sort_by: sort_by.clone(), limit, ..previewing() };
            let mut all = Vec::new();
            loop {
                let page = bot.list_unified_resources(query.clone()).await.unwrap().into_inner();
                assert!(i32::try_from(page.resources.len()).unwrap() <= limit);
                all.extend(names(&page.resources));
                query.start_key = page.next_key;
                if query.start_key.is_empty() {
                    break;
                }
            }
            assert_eq!(all, whole, "{field} {is_desc} {limit}");
        }
    }
}

#[tokio::test]
async fn each_kind_is_listed_by_itself_too() {
    let world = World::with(SCENARIO).await;
    let mut bot = world.bot().await;
    let query = |kind: &str| ListResourcesRequest {
        resource_type: kind.into(),
        use_preview_as_roles: true,
        need_total_count: true,
        ..Default::default()
    };
    for (kind, found) in [
        ("node", &["lab", "n1", "n2"][..]),
        ("app_server", &["shop"]),
        ("db_server", &["orders"]),
        ("kube_server", &["k8s"]),
        ("windows_desktop", &["desk"]),
    ] {
        let answer = bot.list_resources(query(kind)).await.unwrap().into_inner();
        assert_eq!(names(&answer.resources), found, "{kind}");
        assert_eq!(answer.total_count, i32::try_from(found.len()).unwrap());
    }
    let first = bot.list_resources(ListResourcesRequest { limit: 2, ..query("node") }).await.unwrap().into_inner();
    let start_key = first.next_key;
    let rest = bot.list_resources(ListResourcesRequest { start_key, ..query("node") }).await.unwrap().into_inner();
    assert_eq!((first.resources.len(), names(&rest.resources)), (2, vec!["n2".to_owned()]));
    let one = ListResourcesRequest { predicate_expression: r#"name == "n1""#.into(), ..query("node") };
    let node = bot.list_resources(one).await.unwrap().into_inner().resources;
    assert_eq!(thing(node.first().unwrap()).labels.get("env").unwrap(), "prod");
    let own = ListResourcesRequest { use_preview_as_roles: false, ..query("node") };
    assert_eq!(bot.list_resources(own).await.unwrap().into_inner().resources, []);
    assert_eq!(bot.list_resources(query("user_group")).await.unwrap().into_inner().resources, []);
    refused(bot.list_resources(query("moon")).await, Unimplemented, "`moon`");
}

async fn current_roles(client: &mut Client) -> BTreeMap<String, tribunal_proto::types::RoleSpecV6> {
    let mut stream = client.get_current_user_roles(()).await.unwrap().into_inner();
    let mut roles = BTreeMap::new();
    while let Some(role) = stream.message().await.unwrap() {
        roles.insert(role.metadata.unwrap().name, role.spec.unwrap());
    }
    roles
}

#[tokio::test]
async fn everybody_reads_the_roles_of_their_own_certificate_whole() {
    let world = World::with(SCENARIO).await;
    let blind = current_roles(&mut world.client("blind").await).await;
    assert_eq!(blind.keys().collect::<Vec<_>>(), ["blind", "everything"]);
    let denied = blind.get("blind").unwrap().deny.clone().unwrap().rules;
    assert_eq!(denied.first().unwrap().resources, ["node", "app_server"]);
    assert_eq!(current_roles(&mut world.client("nobody").await).await.len(), 0);
    let bot = current_roles(&mut world.bot().await).await;
    let allow = bot.get("tribunal").unwrap().allow.clone().unwrap();
    assert_eq!(allow.rules.first().unwrap().verbs, ["list", "read", "update"]);
    assert_eq!(allow.review_requests.unwrap().preview_as_roles, ["list-access-request-resources"]);
}
