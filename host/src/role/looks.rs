//! What policies look at beside the requests themselves. It knows the policies that ship with the host; whatever comes
//! from a file may look at everything that it is shown, and it must never guess that one does not.

use serde_json::{Map, Value as Json};
use tribunal_classes::{Classes, Setting};

use crate::config::{Plugin, Source};

/// Keys of the policies that ship with the host which are about what users are without a request.
const CHOOSE_BY_USER: [&str; 3] = ["assignee-trait", "standing-roles", "traits"];

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
        // The others choose requests by keys of one meaning, wherever these stand.
        _ => (has_key(settings, &CHOOSE_BY_USER), has_key(settings, &["labels"])),
    }
}

/// Whether one of these keys has a value anywhere in the settings.
fn has_key(settings: &Map<String, Json>, keys: &[&str]) -> bool {
    settings.iter().any(|(key, value)| {
        let is_set = !matches!(value, Json::Null) && value.as_array().is_none_or(|values| !values.is_empty());
        (keys.contains(&key.as_str()) && is_set) || is_within(value, keys)
    })
}

fn is_within(value: &Json, keys: &[&str]) -> bool {
    match value {
        Json::Object(table) => has_key(table, keys),
        Json::Array(values) => values.iter().any(|value| is_within(value, keys)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

fn are_by_label(settings: &Map<String, Json>) -> bool {
    let classes = settings.get("classes").cloned().unwrap_or(Json::Null);
    // What is not understood is refused when the panel is loaded.
    let classes = serde_json::from_value::<Setting>(classes).ok().and_then(|setting| Classes::new(&setting).ok());
    classes.is_none_or(|classes| classes.are_by_label())
}
