//! Reads the labels of requested resources, many with one call.
//!
//! Must never take "may not be seen" for "has no labels": what cannot be seen is absent.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use tonic::{Code, Status};
use tribunal_core::failure::Failure;
use tribunal_core::request::{Attributes, RequestedResource, ResourceKey};
use tribunal_proto::proto::{ListResourcesRequest, ListUnifiedResourcesRequest, PingRequest};
use tribunal_proto::types::SortBy;

use super::list::PAGE_ENTRIES;
use super::whole::{Partial, Whole};
use super::{Client, Connection, PING};
use crate::convert::{self, Labelled};
use crate::failure::{Method, explain};

/// The most resources that one call names.
const NAMES_MAX: usize = 50;
/// The most resources whose labels are read at once; the labels of the others stay unknown.
const RESOURCES_MAX: usize = 10_000;
/// The longest name that is looked up, in bytes. Names are host UUIDs or DNS labels.
const NAME_BYTES_MAX: usize = 256;

/// Kinds that can be listed: their names in resource ids, and what lists by kind call them.
pub(super) const KINDS: [(&str, &str); 6] = [
    ("app", "app_server"),
    ("db", "db_server"),
    ("git_server", "git_server"),
    ("kube_cluster", "kube_server"),
    ("node", "node"),
    ("windows_desktop", "windows_desktop"),
];

const LIST_UNIFIED: Method = Method {
    name: "ListUnifiedResources",
    needs: "node, app, db, kube_cluster: list, read (or review_requests.preview_as_roles with a role that has them)",
};
const LIST_RESOURCES: Method = Method { name: "ListResources", needs: LIST_UNIFIED.needs };

/// Kinds and names, both as in resource ids.
type Wanted<'a> = BTreeSet<(&'a str, &'a str)>;

impl Client {
    /// The labels of those of `resources` that can be seen, each as Teleport's roles match them. Absent are resources of
    /// other clusters, of kinds that cannot be listed, with names that cannot be quoted, beyond 10,000, and
    /// whatever our role may not see or the server cannot list. Where several resources have one name, such as a
    /// database that several agents serve, a label has the values of all of them.
    ///
    /// Looks as the roles in our `review_requests.preview_as_roles` as well (`lib/auth/auth_with_roles.go`).
    ///
    /// # Errors
    /// If there is no connection or no answer; that labels may not be seen is none.
    pub async fn labels(&self, resources: &[RequestedResource]) -> Result<BTreeMap<ResourceKey, Attributes>, Failure> {
        if !resources.iter().any(can_be_listed) {
            return Ok(BTreeMap::new());
        }
        let connection = self.connection();
        let after = self.limits().list;
        match tokio::time::timeout(after, self.read_labels(&connection, resources)).await {
            Ok(labels) => labels,
            Err(_) => Err(explain(LIST_UNIFIED, &connection.too_late(after))),
        }
    }

    async fn read_labels(
        &self,
        connection: &Connection,
        resources: &[RequestedResource],
    ) -> Result<BTreeMap<ResourceKey, Attributes>, Failure> {
        let cluster = self.cluster_name(connection).await.map_err(|status| explain(PING, &status))?;
        let wanted: Wanted<'_> = resources
            .iter()
            .filter(|resource| resource.cluster == cluster && can_be_listed(resource))
            .map(|resource| (resource.kind.as_str(), resource.name.as_str()))
            .collect();
        if wanted.len() > RESOURCES_MAX {
            tracing::warn!(resources = wanted.len(), max = RESOURCES_MAX, "Labels of some resources stay unknown");
        }
        let wanted: Vec<_> = wanted.into_iter().take(RESOURCES_MAX).collect();
        let mut labels = BTreeMap::new();
        for some in wanted.chunks(NAMES_MAX) {
            let some: Wanted<'_> = some.iter().copied().collect();
            for Labelled { kind, name, labels: found } in self.list_labelled(connection, &some).await? {
                // A server that does not know a filter ignores it, so that more may come than was asked for.
                if some.contains(&(kind, name.as_str())) {
                    merge(labels.entry((cluster.clone(), kind.to_owned(), name)).or_default(), found);
                }
            }
        }
        Ok(labels)
    }

    /// The name of the cluster that we are connected to, which does not change while we are.
    async fn cluster_name(&self, connection: &Connection) -> Result<String, Status> {
        let ask = || async {
            let mut auth = connection.auth();
            Ok(self.call(connection, auth.ping(PingRequest {})).await?.cluster_name)
        };
        connection.cluster.get_or_try_init(ask).await.cloned()
    }

    /// These resources, and perhaps others, as far as they can be seen.
    async fn list_labelled(&self, connection: &Connection, some: &Wanted<'_>) -> Result<Vec<Labelled>, Failure> {
        let Connection { lacks, dials, .. } = connection;
        let pages = Box::pin(self.page_unified(connection, some));
        match lacks.unified_resources.or_older(dials, pages).await {
            Some(Err(Partial::Refused(status))) if status.code() == Code::PermissionDenied => return Ok(Vec::new()),
            Some(listed) => return listed.map_err(|partial| partial.explain(LIST_UNIFIED)),
            None => {}
        }
        let mut all = Vec::new();
        for ((kind, listed_as), lack) in KINDS.iter().zip(&lacks.resource_kinds) {
            let of_kind: Wanted<'_> = some.iter().filter(|(wanted, _)| wanted == kind).copied().collect();
            if of_kind.is_empty() {
                continue;
            }
            let pages = Box::pin(self.page_kind(connection, listed_as, &of_kind));
            match lack.or_older(dials, pages).await {
                Some(Ok(listed)) => all.extend(listed),
                Some(Err(Partial::Refused(status))) if status.code() == Code::PermissionDenied => {}
                Some(Err(partial)) => return Err(partial.explain(LIST_RESOURCES)),
                None => {}
            }
        }
        Ok(all)
    }

    async fn page_unified(&self, connection: &Connection, some: &Wanted<'_>) -> Result<Vec<Labelled>, Partial> {
        let kinds: BTreeSet<&str> = some.iter().map(|(kind, _)| *kind).collect();
        let mut page = ListUnifiedResourcesRequest {
            kinds: kinds.into_iter().map(str::to_owned).collect(),
            limit: PAGE_ENTRIES,
            predicate_expression: predicate(some),
            // Older servers refuse a list without an order.
            sort_by: Some(SortBy { is_desc: false, field: "name".to_owned() }),
            use_preview_as_roles: true,
            ..ListUnifiedResourcesRequest::default()
        };
        let mut auth = connection.auth();
        let mut all = Whole::new();
        loop {
            let answer = self.call(connection, auth.list_unified_resources(page.clone())).await?;
            all.take(answer.resources, |resource| Ok::<_, Infallible>(convert::labelled(resource)))?;
            if answer.next_key.is_empty() {
                return Ok(all.end().into_iter().flatten().collect());
            }
            page.start_key = all.next(&page.start_key, answer.next_key)?;
        }
    }

    /// As old servers list: each kind by itself.
    async fn page_kind(
        &self,
        connection: &Connection,
        listed_as: &str,
        some: &Wanted<'_>,
    ) -> Result<Vec<Labelled>, Partial> {
        let mut page = ListResourcesRequest {
            resource_type: listed_as.to_owned(),
            namespace: "default".to_owned(),
            limit: PAGE_ENTRIES,
            predicate_expression: predicate(some),
            use_preview_as_roles: true,
            ..ListResourcesRequest::default()
        };
        let mut auth = connection.auth();
        let mut all = Whole::new();
        loop {
            let answer = self.call(connection, auth.list_resources(page.clone())).await?;
            all.take(answer.resources, |resource| Ok::<_, Infallible>(convert::labelled(resource)))?;
            if answer.next_key.is_empty() {
                return Ok(all.end().into_iter().flatten().collect());
            }
            page.start_key = all.next(&page.start_key, answer.next_key)?;
        }
    }
}

fn can_be_listed(resource: &RequestedResource) -> bool {
    KINDS.iter().any(|(kind, _)| *kind == resource.kind) && can_be_quoted(&resource.name)
}

/// Whether a name can stand between quotes in a predicate and mean nothing but itself. The language is Go's: quotes end
/// a text, backslashes escape, line breaks end everything, and a byte order mark is refused.
fn can_be_quoted(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.chars().any(|letter| matches!(letter, '"' | '\\' | '\u{feff}') || letter.is_control())
}

/// True for resources of these names. Not by `name`, which for a node is its hostname (`lib/services/parser.go`).
fn predicate(some: &Wanted<'_>) -> String {
    let names: BTreeSet<&str> = some.iter().map(|(_, name)| *name).collect();
    let terms: Vec<String> = names.into_iter().map(|name| format!("resource.metadata.name == \"{name}\"")).collect();
    terms.join(" || ")
}

/// Adds labels to those of a resource of the same name.
fn merge(labels: &mut Attributes, more: Attributes) {
    for (key, values) in more {
        let known = labels.entry(key).or_default();
        known.extend(values);
        known.sort();
        known.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_quoted_only_if_it_cannot_mean_more_than_itself() {
        for name in ["n1", "0190a7c6-7c00-7000-8000-000000000001", "kube.example.com", "größe", "a b || c == d", "'`"]
        {
            assert!(can_be_quoted(name), "{name}");
        }
        let long = "x".repeat(NAME_BYTES_MAX + 1);
        for name in ["", "a\"b", "\" || name != \"", "a\\", "a\nb", "a\0", "\u{85}", "\u{feff}a", long.as_str()] {
            assert!(!can_be_quoted(name), "{name:?}");
        }
    }

    #[test]
    fn a_predicate_names_each_name_once() {
        let some = Wanted::from([("db", "a"), ("node", "a"), ("node", "b")]);
        assert_eq!(predicate(&some), r#"resource.metadata.name == "a" || resource.metadata.name == "b""#);
    }

    #[test]
    fn labels_of_one_name_add_up_whatever_their_order() {
        let labels = |pairs: &[(&str, &str)]| -> Attributes {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), vec![(*value).to_owned()])).collect()
        };
        let agents = [labels(&[("env", "prod")]), labels(&[("env", "lab"), ("os", "x")]), labels(&[("env", "prod")])];
        let mut forth = Attributes::new();
        let mut back = Attributes::new();
        for (one, other) in agents.iter().zip(agents.iter().rev()) {
            merge(&mut forth, one.clone());
            merge(&mut back, other.clone());
        }
        let both = vec!["lab".to_owned(), "prod".to_owned()];
        assert_eq!(forth, [("env".to_owned(), both), ("os".to_owned(), vec!["x".to_owned()])].into());
        assert_eq!(forth, back);
    }
}
