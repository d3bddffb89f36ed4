//! Comma-separated values for spreadsheets: RFC 4180. A cell is never a formula, whoever wrote it.

use super::Event;

const COLUMNS: [&str; 17] = [
    "at",
    "record",
    "decision",
    "user",
    "cluster",
    "verdict",
    "rules",
    "reason",
    "request",
    "roles",
    "resources",
    "words",
    "locks",
    "releases",
    "became",
    "trouble",
    "panel",
];

pub(super) fn head() -> String {
    line(COLUMNS.map(str::to_owned).into_iter())
}

pub(super) fn row(event: &Event<'_>) -> String {
    let decided = event.decided;
    let request = decided.request.as_ref();
    let locks: Vec<&str> = decided.locks.iter().map(|lock| lock.lock.name.as_str()).collect();
    let cells: [String; COLUMNS.len()] = [
        event.at.to_string(),
        event.seq.to_string(),
        decided.id.clone(),
        decided.user.clone(),
        decided.cluster.clone().unwrap_or_default(),
        event.verdict().to_owned(),
        event.rules().join(" "),
        decided.reason.clone(),
        request.map(|request| request.id.clone()).unwrap_or_default(),
        request.map(|request| request.roles.join(" ")).unwrap_or_default(),
        event.resources().join(" "),
        event.words().unwrap_or(if request.is_some() { "erased" } else { "" }).to_owned(),
        locks.join(" "),
        decided.releases.join(" "),
        event.became().as_str().to_owned(),
        event.trouble().unwrap_or_default(),
        decided.panel.map(|panel| panel.to_string()).unwrap_or_default(),
    ];
    line(cells.into_iter())
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.map(|text| cell(&text)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

/// A cell as a spreadsheet shows it and nothing more: what one would take for a formula gets an apostrophe before it.
pub(super) fn cell(text: &str) -> String {
    // Some look past blanks and line breaks for the sign.
    let begins = text.trim_start_matches(|letter: char| letter.is_whitespace() || letter.is_control());
    let formula =
        begins.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) || text.starts_with(['\t', '\r', '\n']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', ';', '\t', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}
