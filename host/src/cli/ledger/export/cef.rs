//! Common Event Format, version 0, as ArcSight's implementation standard has it. A field is never more than one field, whoever
//! wrote it.

use std::fmt::Write;

use super::{Became, Event, PRODUCT, VERSION};

/// The longest value of an extension, in bytes; the standard gives strings a kilobyte or more.
const VALUE_BYTES_MAX: usize = 1_023;

pub(super) fn event(event: &Event<'_>) -> String {
    let decided = event.decided;
    let verdict = event.verdict();
    let name = match verdict {
        "approve" => "Access request approved",
        "deny" => "Access request denied",
        "leave" => "Access request left to people",
        "enforce" => "Held access put in order",
        _ => "Access request left alone",
    };
    let severity = match (event.became(), verdict) {
        (Became::Failed, _) => 7,
        (Became::Open | Became::Superseded, _) => 4,
        (Became::Nothing | Became::Rehearsed | Became::Done, "deny" | "enforce") => 5,
        (Became::Nothing | Became::Rehearsed | Became::Done, _) => 3,
    };
    let rules = event.rules().join(" ");
    let class = if rules.is_empty() { verdict } else { &rules };
    let mut text = format!("CEF:0|{PRODUCT}|{PRODUCT}|{VERSION}|{}|{}|{severity}|", header(class), header(name));
    let request = decided.request.as_ref();
    let fields = [
        ("rt", tribunal_core::Timestamp::from(event.at).as_millis().to_string()),
        ("externalId", decided.id.clone()),
        ("act", verdict.to_owned()),
        ("outcome", event.became().as_str().to_owned()),
        ("suser", decided.user.clone()),
        ("reason", decided.reason.clone()),
        ("cs1Label", "request".to_owned()),
        ("cs1", request.map(|request| request.id.clone()).unwrap_or_default()),
        ("cs2Label", "roles".to_owned()),
        ("cs2", request.map(|request| request.roles.join(" ")).unwrap_or_default()),
        ("cs3Label", "resources".to_owned()),
        ("cs3", event.resources().join(" ")),
        ("cs4Label", "locks".to_owned()),
        ("cs4", decided.locks.iter().map(|lock| lock.lock.name.as_str()).collect::<Vec<_>>().join(" ")),
        ("cs5Label", "panel".to_owned()),
        ("cs5", decided.panel.map(|panel| panel.to_string()).unwrap_or_default()),
        ("cs6Label", "cluster".to_owned()),
        ("cs6", decided.cluster.clone().unwrap_or_default()),
        ("cn1Label", "record".to_owned()),
        ("cn1", event.seq.to_string()),
        ("msg", event.trouble().unwrap_or_default()),
    ];
    // A label without its value says nothing.
    let empty: Vec<String> =
        fields.iter().filter(|(_, value)| value.is_empty()).map(|(name, _)| format!("{name}Label")).collect();
    let mut between = "";
    for (name, value) in &fields {
        if !value.is_empty() && !empty.iter().any(|label| label == name) {
            // Writing to a string does not fail.
            let _written = write!(text, "{between}{name}={}", extension(value));
            between = " ";
        }
    }
    text.push('\n');
    text
}

/// A value of the head: a bar would end it.
pub(super) fn header(value: &str) -> String {
    let line = value.replace(|letter: char| letter.is_control(), " ");
    line.replace('\\', "\\\\").replace('|', "\\|")
}

/// A value of the extension: an equals sign would begin another, and a line break end the event.
pub(super) fn extension(value: &str) -> String {
    let end = value.floor_char_boundary(VALUE_BYTES_MAX);
    let value = value.get(..end).unwrap_or_default().replace('\\', "\\\\").replace('=', "\\=");
    let value = value.replace("\r\n", "\\n").replace(['\n', '\r'], "\\n");
    value.replace(|letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}'), " ")
}
