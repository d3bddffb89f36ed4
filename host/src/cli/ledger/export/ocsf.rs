//! Open Cybersecurity Schema Framework: class 3005, User Access Management, of version 1.5.0. What that class has no place for
//! is in `unmapped`; nothing is put where the schema means something else.

use serde_json::{Map, Value, json};
use tribunal_core::Timestamp;
use tribunal_ledger::schema::Verdict;

use super::{Became, Event, PRODUCT, VERSION};

const SCHEMA_VERSION: &str = "1.5.0";
const CATEGORY_UID: u32 = 3;
const CLASS_UID: u32 = 3005;
/// What a type is counted from.
const TYPES_OF_CLASS: u32 = CLASS_UID * 100;

pub(super) fn event(event: &Event<'_>) -> Value {
    let decided = event.decided;
    let (activity_id, activity_name) = match decided.verdict {
        Some(Verdict::Approve | Verdict::Deny) => (1, "Assign Privileges"),
        None if !decided.locks.is_empty() => (2, "Revoke Privileges"),
        None => (99, "Release Locks"),
        Some(Verdict::Leave) => (99, "Leave to People"),
        Some(Verdict::Nothing) => (99, "Leave Alone"),
    };
    let (status_id, status) = match (event.became(), decided.verdict) {
        (Became::Failed | Became::Superseded, _) => (2, "Failure"),
        (Became::Done, Some(Verdict::Deny)) => (2, "Failure"),
        (Became::Done, _) => (1, "Success"),
        (Became::Nothing | Became::Rehearsed, _) => (99, event.became().as_str()),
        (Became::Open, _) => (0, "Unknown"),
    };
    let (severity_id, severity) = match (event.became(), decided.verdict) {
        (Became::Failed, _) => (3, "Medium"),
        (_, Some(Verdict::Deny) | None) => (2, "Low"),
        (_, _) => (1, "Informational"),
    };
    let request = decided.request.as_ref();
    let time = Timestamp::from(event.at).as_millis();
    let resources = request.iter().flat_map(|request| &request.resources).map(
        |it| json!({ "name": it.name, "type": it.kind, "uid": format!("/{}/{}/{}", it.cluster, it.kind, it.name) }),
    );
    let mut metadata = json!({
        "version": SCHEMA_VERSION,
        "product": { "name": PRODUCT, "vendor_name": PRODUCT, "version": VERSION },
        "uid": decided.id,
        "sequence": event.seq,
        "log_name": "ledger",
        "log_provider": PRODUCT,
        "original_time": event.at.to_string(),
    });
    if let (Some(metadata), Some(request)) = (metadata.as_object_mut(), request) {
        metadata.insert("correlation_uid".to_owned(), json!(request.id));
    }
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| drop(fields.insert(name.to_owned(), value));
    put("activity_id", json!(activity_id));
    put("activity_name", json!(activity_name));
    put("category_uid", json!(CATEGORY_UID));
    put("category_name", json!("Identity & Access Management"));
    put("class_uid", json!(CLASS_UID));
    put("class_name", json!("User Access Management"));
    put("type_uid", json!(TYPES_OF_CLASS + activity_id));
    put("type_name", json!(format!("User Access Management: {activity_name}")));
    put("time", json!(time));
    put("severity_id", json!(severity_id));
    put("severity", json!(severity));
    put("status_id", json!(status_id));
    put("status", json!(status));
    if let Some(trouble) = event.trouble() {
        put("status_detail", json!(trouble));
    }
    put("message", json!(decided.reason));
    put("metadata", metadata);
    put("user", json!({ "name": decided.user }));
    put("privileges", json!(request.map(|request| request.roles.clone()).unwrap_or_default()));
    put("resources", resources.collect());
    put("unmapped", json!({ "tribunal": unmapped(event) }));
    Value::Object(fields)
}

fn unmapped(event: &Event<'_>) -> Value {
    let decided = event.decided;
    json!({
        "verdict": event.verdict(),
        "rules": event.rules(),
        "became": event.became().as_str(),
        "cluster": decided.cluster,
        "dry_run": decided.dry_run,
        "panel": decided.panel,
        "words": event.words(),
        "locks": decided.locks,
        "releases": decided.releases,
    })
}
