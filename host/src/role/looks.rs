//! What policies look at beside the requests themselves. It knows the policies that ship with the host; whatever comes
//! from a file may look at everything that it is shown, and it must never guess that one does not.

use serde_json::{Map, Value as Json};
use tribunal_classes::{Classes, Setting};

use crate::config::{Plugin, Source};

/// Which policies look at what, by their quoted names.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// At roles and traits that users have without a request.
    pub(super) standing: Vec<String>,
    /// At labels of resources.
    pub(super) labels: Vec<String>,
}

/// Of all of them, whatever their mode: one in shadow is asked as well.
pub(super) fn of(plugins: &[Plugin]) -> Looks {
    let mut looks = Looks::default();
    for plugin in plugins {
        let (standing, labels) = match &plugin.source {
            Source::File(_) => (true, true),
            Source::Builtin(builtin) => builtin_looks(builtin.name, &plugin.settings),
        };
        let name = format!("`{}`", plugin.name);
        if standing {
            looks.standing.push(name.clone());
        }
        if labels {
            looks.labels.push(name);
        }
    }
    looks
}

/// At standing roles or traits, and at labels.
fn builtin_looks(name: &str, settings: &Map<String, Json>) -> (bool, bool) {
    match name {
        "cap" => (false, false),
        "separation" => {
            let standing = settings.get("standing-roles").and_then(Json::as_str) != Some("ignore");
            (standing, are_by_label(settings))
        }
        _ => (true, true),
    }
}

fn are_by_label(settings: &Map<String, Json>) -> bool {
    let classes = settings.get("classes").cloned().unwrap_or(Json::Null);
    // What is not understood is refused when the panel is loaded.
    let classes = serde_json::from_value::<Setting>(classes).ok().and_then(|setting| Classes::new(&setting).ok());
    classes.is_none_or(|classes| classes.are_by_label())
}
