//! Resource ids as text: `/cluster/kind/name`, or `/cluster/kind/name/sub/resource`. Only their form; whether they exist is asked elsewhere.

use tribunal_proto::types::ResourceId;

/// `None` when the text has another form.
#[must_use]
pub fn parse(text: &str) -> Option<ResourceId> {
    let mut parts = text.strip_prefix('/')?.splitn(4, '/');
    let (cluster, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    if cluster.is_empty() || kind.is_empty() || name.is_empty() {
        return None;
    }
    Some(ResourceId {
        cluster_name: cluster.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        sub_resource_name: parts.next().unwrap_or_default().to_owned(),
    })
}

/// The slash form.
#[must_use]
pub fn to_text(id: &ResourceId) -> String {
    let mut text = format!("/{}/{}/{}", id.cluster_name, id.kind, id.name);
    if !id.sub_resource_name.is_empty() {
        text.push('/');
        text.push_str(&id.sub_resource_name);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_survive_their_text() {
        for text in ["/dev/node/node-1", "/c/kube_cluster/k/ns/pod"] {
            assert_eq!(parse(text).map(|id| to_text(&id)).as_deref(), Some(text));
        }
        for text in ["", "dev/node/x", "/dev/node", "/dev/node/", "//node/x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
