//! Listing the resources that can be requested: whom which of them are shown to, filters and pages. It never says that something was left
//! out: as in Teleport, what a caller may not see is simply not there.

use std::collections::BTreeMap;

use tribunal_proto::proto::{
    ListResourcesRequest, ListResourcesResponse, ListUnifiedResourcesRequest, ListUnifiedResourcesResponse,
    PaginatedResource,
};
use tribunal_proto::types;

use super::rbac::{matches, names};
use super::refusal::{access_denied, bad_parameter, not_implemented};
use super::resource_predicate::ResourcePredicate;
use super::{Caller, Cluster, Refusal};
use crate::scenario::{NodeDef, RoleDef};

/// Entries in a page when the caller names no number, and at most.
const PAGE_MAX: usize = 1000;
/// Kinds that can be listed, and what their lists by kind are called.
const KINDS: [(&str, &str); 5] = [
    ("node", "node"),
    ("app", "app_server"),
    ("db", "db_server"),
    ("kube_cluster", "kube_server"),
    ("windows_desktop", "windows_desktop"),
];
/// Kinds that Teleport lists as well, and of which there are none here.
const EMPTY_LISTS: [&str; 4] = ["db_service", "saml_idp_service_provider", "user_group", "windows_desktop_service"];

/// The role that previews all resources: the name of Teleport's own preset.
pub(crate) const PREVIEW_ROLE: &str = "list-access-request-resources";

/// A resource as filters see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) labels: &'a BTreeMap<String, String>,
}

/// Which resources are asked for.
struct Wanted<'a> {
    /// Empty for all.
    kinds: &'a [String],
    labels: &'a BTreeMap<String, String>,
    keywords: &'a [String],
    predicate: ResourcePredicate,
}

/// Which way a list goes, and where the page starts.
struct Order<'a> {
    by_kind: bool,
    descending: bool,
    start_key: &'a str,
    limit: i32,
}

impl Cluster {
    /// `ListUnifiedResources`: a page of those resources that the caller may see.
    ///
    /// # Errors
    /// When the caller may list none of the kinds; for a predicate that cannot be read; without a known sort.
    pub fn list_unified_resources(
        &self,
        caller: &Caller,
        query: &ListUnifiedResourcesRequest,
    ) -> Result<ListUnifiedResourcesResponse, Refusal> {
        let wanted = Wanted {
            kinds: &query.kinds,
            labels: &query.labels,
            keywords: &query.search_keywords,
            predicate: ResourcePredicate::parse(&query.predicate_expression).map_err(bad_parameter)?,
        };
        // As in Teleport, kinds are judged by the caller's own roles, and only labels by the extended ones.
        let own = self.caller_roles(caller);
        let asked: Vec<&str> = if query.kinds.is_empty() {
            KINDS.iter().map(|(kind, _)| *kind).collect()
        } else {
            query.kinds.iter().map(String::as_str).collect()
        };
        if asked.iter().all(|kind| is_listed(kind) && !self.may_list(&own, kind)) {
            return Err(access_denied(format!("access denied to list any of the kinds {}", asked.join(", "))));
        }
        let sort = query.sort_by.clone().unwrap_or_default();
        let by_kind = match sort.field.as_str() {
            "name" => false,
            "kind" => true,
            "" => return Err(bad_parameter("sort field is required")),
            other => return Err(not_implemented(format!("unified resources cannot be sorted by `{other}`"))),
        };
        if query.pinned_only {
            return Ok(ListUnifiedResourcesResponse::default());
        }
        let searching = query.use_search_as_roles || query.include_requestable;
        let roles = self.extended_roles(&own, searching, query.use_preview_as_roles);
        let visible = self
            .nodes
            .values()
            .filter(|node| self.may_list(&own, &node.kind) && wanted.lets_through(node) && self.opens(&roles, node));
        let order = Order { by_kind, descending: sort.is_desc, start_key: &query.start_key, limit: query.limit };
        let (page, next_key) = order.page(visible.collect());
        let resources = page.into_iter().filter_map(|node| {
            let mut resource = to_proto(node)?;
            resource.requires_request = query.include_requestable && !self.opens(&own, node);
            Some(resource)
        });
        Ok(ListUnifiedResourcesResponse { resources: resources.collect(), next_key })
    }

    /// `ListResources`: the same for one kind.
    ///
    /// # Errors
    /// For a kind that cannot be listed; when the caller may not list it; for a predicate that cannot be read.
    pub fn list_resources(
        &self,
        caller: &Caller,
        query: &ListResourcesRequest,
    ) -> Result<ListResourcesResponse, Refusal> {
        if EMPTY_LISTS.contains(&query.resource_type.as_str()) {
            return Ok(ListResourcesResponse::default());
        }
        let Some((kind, _)) = KINDS.iter().find(|(_, listed)| *listed == query.resource_type) else {
            let message = format!("resource type `{}` does not support pagination", query.resource_type);
            return Err(not_implemented(message));
        };
        let own = self.caller_roles(caller);
        let roles = self.extended_roles(&own, query.use_search_as_roles, query.use_preview_as_roles);
        if !self.may_list(&roles, kind) {
            return Err(access_denied(format!("access denied to perform action `list` on `{}`", query.resource_type)));
        }
        let wanted = Wanted {
            kinds: &[(*kind).to_owned()],
            labels: &query.labels,
            keywords: &query.search_keywords,
            predicate: ResourcePredicate::parse(&query.predicate_expression).map_err(bad_parameter)?,
        };
        let visible: Vec<&NodeDef> =
            self.nodes.values().filter(|node| wanted.lets_through(node) && self.opens(&roles, node)).collect();
        let total = if query.need_total_count { visible.len() } else { 0 };
        let descending = query.sort_by.as_ref().is_some_and(|sort| sort.is_desc);
        let order = Order { by_kind: false, descending, start_key: &query.start_key, limit: query.limit };
        let (page, next_key) = order.page(visible);
        Ok(ListResourcesResponse {
            resources: page.into_iter().filter_map(to_proto).collect(),
            next_key,
            total_count: i32::try_from(total).unwrap_or(i32::MAX),
        })
    }

    /// Whether these roles may list a kind at all. Teleport lets everybody, unless a role denies it; nodes need no `read`.
    fn may_list(&self, roles: &[String], kind: &str) -> bool {
        let Some((_, listed)) = KINDS.iter().find(|(known, _)| *known == kind) else { return false };
        let verbs: &[&str] = if kind == "node" { &["list"] } else { &["list", "read"] };
        let denied = |role: &RoleDef| {
            role.deny.rules.iter().any(|rule| {
                [kind, listed].iter().any(|kind| names(&rule.resources, kind))
                    && verbs.iter().any(|verb| names(&rule.verbs, verb))
            })
        };
        !self.role_set(roles).any(denied)
    }

    /// Whether these roles' labels open a resource; a denied label beats every allowed one.
    fn opens(&self, roles: &[String], node: &NodeDef) -> bool {
        self.role_set(roles).any(|role| labels_cover(&role.allow.node_labels, node))
            && !self.role_set(roles).any(|role| labels_cover(&role.deny.node_labels, node))
    }

    /// The caller's roles and, where the call wants them, those they may search or preview with.
    fn extended_roles(&self, own: &[String], search: bool, preview: bool) -> Vec<String> {
        let mut roles = own.to_vec();
        let mut extend = |allowed: &dyn Fn(&RoleDef) -> Vec<String>, denied: &dyn Fn(&RoleDef) -> Vec<String>| {
            let denied: Vec<String> = self.role_set(own).flat_map(denied).collect();
            let allowed = self.role_set(own).flat_map(allowed);
            roles.extend(allowed.filter(|role| !denied.iter().any(|pattern| matches(pattern, role))));
        };
        if search {
            extend(&|role| role.allow.request.search_as_roles.clone(), &|role| {
                role.deny.request.search_as_roles.clone()
            });
        }
        if preview {
            let previews = |review: &Option<crate::scenario::ReviewDef>| {
                review.as_ref().map(|review| review.preview_as_roles.clone()).unwrap_or_default()
            };
            extend(&|role| previews(&role.allow.review_requests), &|role| previews(&role.deny.review_requests));
        }
        roles
    }
}

fn is_listed(kind: &str) -> bool {
    KINDS.iter().any(|(known, _)| *known == kind)
}

/// Whether a role's labels, all of them, are a resource's. No labels cover nothing.
pub(super) fn labels_cover(labels: &BTreeMap<String, String>, node: &NodeDef) -> bool {
    let has = |(key, value): (&String, &String)| match (key.as_str(), value.as_str()) {
        ("*", "*") => true,
        (key, pattern) => node.labels.get(key).is_some_and(|label| matches(pattern, label)),
    };
    !labels.is_empty() && labels.iter().all(has)
}

impl Wanted<'_> {
    fn lets_through(&self, node: &NodeDef) -> bool {
        let listed = Listed { kind: &node.kind, name: &node.name, labels: &node.labels };
        (self.kinds.is_empty() || self.kinds.contains(&node.kind))
            && self.labels.iter().all(|(key, value)| node.labels.get(key) == Some(value))
            && self.keywords.iter().all(|keyword| mentions(node, keyword))
            && self.predicate.holds(&listed)
    }
}

fn mentions(node: &NodeDef, keyword: &str) -> bool {
    let keyword = keyword.to_lowercase();
    let has = |text: &String| text.to_lowercase().contains(&keyword);
    has(&node.name) || node.labels.iter().any(|(key, value)| has(key) || has(value))
}

impl Order<'_> {
    fn key(&self, node: &NodeDef) -> String {
        let NodeDef { name, kind, labels: _ } = node;
        if self.by_kind { format!("{kind}/{name}") } else { format!("{name}/{kind}") }
    }

    /// A page, and where the next one starts.
    fn page<'a>(&self, mut all: Vec<&'a NodeDef>) -> (Vec<&'a NodeDef>, String) {
        let limit = usize::try_from(self.limit).ok().filter(|limit| *limit > 0).unwrap_or(PAGE_MAX).min(PAGE_MAX);
        all.sort_by_cached_key(|node| self.key(node));
        if self.descending {
            all.reverse();
        }
        let before = |node: &&NodeDef| {
            let key = self.key(node);
            !self.start_key.is_empty() && if self.descending { *key > *self.start_key } else { *key < *self.start_key }
        };
        let mut page: Vec<&NodeDef> = all.into_iter().skip_while(before).take(limit + 1).collect();
        let next_key =
            if page.len() > limit { page.pop().map(|next| self.key(next)).unwrap_or_default() } else { String::new() };
        (page, next_key)
    }
}

/// As Teleport shows it: applications, databases and Kubernetes clusters inside of an agent that serves them. `None` for kinds that it does
/// not list.
fn to_proto(node: &NodeDef) -> Option<PaginatedResource> {
    use tribunal_proto::proto::paginated_resource::Resource;

    let kind = node.kind.clone();
    let version = "v3".to_owned();
    let metadata = Some(types::Metadata {
        name: node.name.clone(),
        namespace: "default".to_owned(),
        labels: node.labels.clone(),
        ..types::Metadata::default()
    });
    // The agent's own name and labels, which are not what was asked for.
    let agent = || Some(types::Metadata { name: format!("agent-of-{}", node.name), ..types::Metadata::default() });
    let (_, listed) = KINDS.iter().find(|(known, _)| *known == node.kind)?;
    let resource = match *listed {
        "app_server" => Resource::AppServer(types::AppServerV3 {
            kind: (*listed).to_owned(),
            version: version.clone(),
            metadata: agent(),
            spec: Some(types::AppServerSpecV3 {
                app: Some(types::AppV3 { kind, version, metadata, ..types::AppV3::default() }),
            }),
            ..types::AppServerV3::default()
        }),
        "db_server" => Resource::DatabaseServer(types::DatabaseServerV3 {
            kind: (*listed).to_owned(),
            version: version.clone(),
            metadata: agent(),
            spec: Some(types::DatabaseServerSpecV3 {
                database: Some(types::DatabaseV3 { kind, version, metadata, ..types::DatabaseV3::default() }),
            }),
            ..types::DatabaseServerV3::default()
        }),
        "kube_server" => Resource::KubernetesServer(types::KubernetesServerV3 {
            kind: (*listed).to_owned(),
            version: version.clone(),
            metadata: agent(),
            spec: Some(types::KubernetesServerSpecV3 {
                cluster: Some(types::KubernetesClusterV3 {
                    kind,
                    version,
                    metadata,
                    ..types::KubernetesClusterV3::default()
                }),
            }),
            ..types::KubernetesServerV3::default()
        }),
        "windows_desktop" => Resource::WindowsDesktop(types::WindowsDesktopV3 {
            header: Some(types::ResourceHeader { kind, version, metadata, ..types::ResourceHeader::default() }),
        }),
        _ => Resource::Node(types::ServerV2 {
            kind,
            version: "v2".to_owned(),
            metadata,
            spec: Some(types::ServerSpecV2 { hostname: node.name.clone(), ..types::ServerSpecV2::default() }),
            ..types::ServerV2::default()
        }),
    };
    Some(PaginatedResource { resource: Some(resource), requires_request: false })
}
