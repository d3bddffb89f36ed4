//! A case as short as it can be written: what would be filled in anyway is left out. It never leaves out what would not.

use serde_json::{Map, Value, json};
use tribunal_core::case::Case;
use tribunal_ledger::schema;

use super::when::UNKNOWN;

/// What a file of cases says of this case.
#[must_use]
pub fn short(case: &Case) -> Map<String, Value> {
    let full = serde_json::to_value(schema::Case::from(case)).unwrap_or_default();
    let Value::Object(mut full) = full else { return Map::new() };
    let cluster = full.get("cluster").cloned().unwrap_or_default();
    let user = full.get("subject").and_then(|subject| subject.get("name")).cloned().unwrap_or_default();
    if let Some(Value::Object(subject)) = full.get_mut("subject")
        && subject.len() == 1
    {
        full.insert("subject".to_owned(), user.clone());
    }
    for request in entries(full.get_mut("requests")) {
        leave_out_defaults(request, &cluster, &user);
    }
    prune(&mut full);
    full
}

fn leave_out_defaults(request: &mut Map<String, Value>, cluster: &Value, user: &Value) {
    let state = request.get("state").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let decider = match state.as_str() {
        "approved" | "denied" => "tribunal",
        "promoted" => "person",
        _ => "nobody",
    };
    request.insert("state".to_owned(), Value::from(state));
    if !request.contains_key("access_expires") {
        request.insert("access_expires".to_owned(), UNKNOWN.into());
    }
    let defaults = [
        ("user", user.clone()),
        ("state", json!("pending")),
        ("term", json!("short-term")),
        ("decided_by", json!(decider)),
    ];
    leave_out(request, &defaults);
    for resource in entries(request.get_mut("resources")) {
        if !resource.contains_key("labels") {
            resource.insert("labels".to_owned(), json!("unreadable"));
        }
        leave_out(resource, &[("cluster", cluster.clone()), ("kind", json!("node"))]);
        prune(resource);
    }
    for review in entries(request.get_mut("reviews")) {
        if let Some(Value::String(state)) = review.get_mut("state") {
            *state = state.to_ascii_lowercase();
        }
        prune(review);
    }
    for lock in entries(request.get_mut("locks")) {
        leave_out(lock, &[("ours", json!(false))]);
        prune(lock);
    }
    prune(request);
}

fn entries(list: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    list.and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn leave_out(table: &mut Map<String, Value>, defaults: &[(&str, Value)]) {
    table.retain(|key, value| !defaults.iter().any(|(name, default)| key == name && value == default));
}

/// What is empty where nothing is said. A subject's empty roles are not the same as none that can be seen.
fn prune(table: &mut Map<String, Value>) {
    table.retain(|_, value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(table) => !table.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    });
}
