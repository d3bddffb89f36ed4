//! Resources as lists show them: what they are called in requests, and their labels.

use std::collections::BTreeMap;

use tribunal_core::request::Attributes;
use tribunal_proto::proto::PaginatedResource;
use tribunal_proto::proto::paginated_resource::Resource;
use tribunal_proto::types;

/// A resource, by the names that requests use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Its kind in resource ids, such as `app` (and not `app_server`, which is an agent that serves apps).
    pub kind: &'static str,
    /// Its name in resource ids.
    pub name: String,
    /// Its labels as Teleport's roles match them, fixed ones and results of commands.
    pub labels: Attributes,
}

type Commands = BTreeMap<String, types::CommandLabelV2>;

/// A listed resource; none if it is of a kind that is not known, or an agent that does not say what it serves.
#[must_use]
pub fn labelled(listed: PaginatedResource) -> Option<Labelled> {
    let PaginatedResource { resource, requires_request: _ } = listed;
    match resource? {
        Resource::Node(node) => server("node", node),
        Resource::GitServer(git) => server("git_server", git),
        Resource::AppServer(agent) => {
            let app = agent.spec?.app?;
            labels("app", app.metadata, app.spec.unwrap_or_default().dynamic_labels)
        }
        Resource::DatabaseServer(agent) => {
            let database = agent.spec?.database?;
            labels("db", database.metadata, database.spec.unwrap_or_default().dynamic_labels)
        }
        Resource::KubernetesServer(agent) => kube_cluster(agent.spec?.cluster?),
        Resource::KubeCluster(cluster) => kube_cluster(cluster),
        Resource::WindowsDesktop(desktop) => labels("windows_desktop", desktop.header?.metadata, Commands::new()),
    }
}

fn server(kind: &'static str, server: types::ServerV2) -> Option<Labelled> {
    labels(kind, server.metadata, server.spec.unwrap_or_default().cmd_labels)
}

fn kube_cluster(cluster: types::KubernetesClusterV3) -> Option<Labelled> {
    labels("kube_cluster", cluster.metadata, cluster.spec.unwrap_or_default().dynamic_labels)
}

/// A command's result wins over a fixed label of the same key (`api/types`, `CombineLabels`).
fn labels(kind: &'static str, metadata: Option<types::Metadata>, commands: Commands) -> Option<Labelled> {
    let types::Metadata { name, labels, namespace: _, description: _, expires: _, revision: _ } = metadata?;
    if name.is_empty() {
        return None;
    }
    let results = commands.into_iter().map(|(key, command)| (key, command.result));
    let labels: BTreeMap<String, String> = labels.into_iter().chain(results).collect();
    Some(Labelled { kind, name, labels: labels.into_iter().map(|(key, value)| (key, vec![value])).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(name: &str, labels: &[(&str, &str)]) -> Option<types::Metadata> {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Some(types::Metadata { name: name.to_owned(), labels, ..Default::default() })
    }

    fn listed(resource: Resource) -> Option<Labelled> {
        labelled(PaginatedResource { resource: Some(resource), requires_request: false })
    }

    fn commands() -> Commands {
        [("arch", "arm"), ("env", "lab")]
            .map(|(key, result)| (key.to_owned(), types::CommandLabelV2 { result: result.to_owned() }))
            .into()
    }

    /// What each kind must become: the thing's own name and labels, with those of commands.
    #[track_caller]
    fn is(kind: &str, resource: Resource) {
        let labelled = listed(resource);
        let labels = [("arch", "arm"), ("env", "lab"), ("team", "blue")]
            .map(|(key, value)| (key.to_owned(), vec![value.to_owned()]))
            .into();
        let found = labelled.as_ref().map(|it| (it.kind, it.name.as_str(), &it.labels));
        assert_eq!(found, Some((kind, "thing", &labels)));
    }

    #[test]
    fn what_is_served_counts_and_not_the_agent_that_serves_it() {
        let fixed: &[(&str, &str)] = &[("env", "prod"), ("team", "blue")];
        let own = metadata("thing", fixed);
        let agent = metadata("agent", &[("env", "agent")]);
        let node = types::ServerV2 {
            metadata: own.clone(),
            spec: Some(types::ServerSpecV2 { hostname: "host".to_owned(), cmd_labels: commands() }),
            ..Default::default()
        };
        is("node", Resource::Node(node.clone()));
        is("git_server", Resource::GitServer(node));
        let app = types::AppV3 {
            metadata: own.clone(),
            spec: Some(types::AppSpecV3 { dynamic_labels: commands() }),
            ..Default::default()
        };
        is(
            "app",
            Resource::AppServer(types::AppServerV3 {
                metadata: agent.clone(),
                spec: Some(types::AppServerSpecV3 { app: Some(app) }),
                ..Default::default()
            }),
        );
        let database = types::DatabaseV3 {
            metadata: own.clone(),
            spec: Some(types::DatabaseSpecV3 { dynamic_labels: commands() }),
            ..Default::default()
        };
        is(
            "db",
            Resource::DatabaseServer(types::DatabaseServerV3 {
                metadata: agent.clone(),
                spec: Some(types::DatabaseServerSpecV3 { database: Some(database) }),
                ..Default::default()
            }),
        );
        let cluster = types::KubernetesClusterV3 {
            metadata: own,
            spec: Some(types::KubernetesClusterSpecV3 { dynamic_labels: commands() }),
            ..Default::default()
        };
        is("kube_cluster", Resource::KubeCluster(cluster.clone()));
        is(
            "kube_cluster",
            Resource::KubernetesServer(types::KubernetesServerV3 {
                metadata: agent,
                spec: Some(types::KubernetesServerSpecV3 { cluster: Some(cluster) }),
                ..Default::default()
            }),
        );
        let header = types::ResourceHeader {
            metadata: metadata("thing", &[("env", "lab"), ("team", "blue"), ("arch", "arm")]),
            ..Default::default()
        };
        is("windows_desktop", Resource::WindowsDesktop(types::WindowsDesktopV3 { header: Some(header) }));
    }

    #[test]
    fn a_resource_without_labels_has_none_which_is_known() {
        let node = types::ServerV2 { metadata: metadata("n", &[]), ..Default::default() };
        let found = listed(Resource::Node(node));
        assert_eq!(found, Some(Labelled { kind: "node", name: "n".to_owned(), labels: Attributes::new() }));
    }

    #[test]
    fn what_does_not_say_what_it_is_is_left_out() {
        assert_eq!(labelled(PaginatedResource::default()), None);
        assert_eq!(listed(Resource::Node(types::ServerV2::default())), None);
        assert_eq!(listed(Resource::Node(types::ServerV2 { metadata: metadata("", &[]), ..Default::default() })), None);
        let agent = types::AppServerV3 { metadata: metadata("agent", &[("env", "prod")]), ..Default::default() };
        assert_eq!(listed(Resource::AppServer(agent)), None);
    }
}
