//! Tables for people. It must never be the only place that something is told in: `--json` has it all.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::shown::{ShownLock, ShownRequest, split_lock_message};

/// How wide a table is where the terminal does not say.
const WIDTH_COLUMNS: u16 = 140;
/// The narrowest that a table is made for.
const WIDTH_COLUMNS_MIN: u16 = 60;
/// From here on, names are not broken.
const WIDTH_COLUMNS_AMPLE: u16 = 120;
/// The variable in which shells tell the terminal's width, if they export it.
const COLUMNS: &str = "COLUMNS";

/// How many characters of an id tell requests apart: its end, because ids of one minute begin alike.
const SHORT_ID_CHARS: usize = 8;

/// The end of an id. The client commands take it for the whole.
pub(super) fn short(id: &str) -> &str {
    let start = id.char_indices().rev().nth(SHORT_ID_CHARS.saturating_sub(1)).map_or(0, |(at, _)| at);
    id.get(start..).unwrap_or(id)
}

/// Requests: who asked for what, and what became of it.
pub(super) fn of_requests(requests: &[ShownRequest]) -> Table {
    let mut table = table(&["request", "user", "asked for", "verdict", "rule", "reason", "lock"], 5);
    for request in requests {
        let (lock, _rule) = split_lock_message(&request.lock_reason);
        let lock = if request.locked { format!("locked: {lock}") } else { String::new() };
        let cells = [
            short(&request.id).to_owned(),
            request.user.clone(),
            asked_for(request).join("\n"),
            verdict(request).to_owned(),
            request.rules.join("\n"),
            request.why.clone(),
            lock,
        ];
        table.add_row(cells.to_vec());
    }
    table
}

/// Locks: on what, by which rule, why, until when.
pub(super) fn of_locks(locks: &[ShownLock]) -> Table {
    let mut table = table(&["lock", "on", "rule", "message", "by", "until"], 3);
    for lock in locks {
        let on = [("request", short(&lock.request)), ("user", &lock.user), ("role", &lock.role)];
        let on: Vec<String> =
            on.iter().filter(|(_, name)| !name.is_empty()).map(|(what, name)| format!("{what} {name}")).collect();
        let (message, rule) = split_lock_message(&lock.message);
        let until = lock.expires.clone().unwrap_or_else(|| "deleted".to_owned());
        let until = if lock.in_force { until } else { format!("{until} (over)") };
        let rule = rule.unwrap_or_default().to_owned();
        table.add_row(vec![lock.name.clone(), on.join("\n"), rule, message.to_owned(), lock.created_by.clone(), until]);
    }
    table
}

/// What a request asks for: its resources where it has some, because the roles are then the server's choice.
pub(super) fn asked_for(request: &ShownRequest) -> Vec<String> {
    if request.resources.is_empty() { request.roles.clone() } else { request.resources.clone() }
}

fn verdict(request: &ShownRequest) -> &'static str {
    match request.state {
        "APPROVED" => "approved",
        "DENIED" => "denied",
        "PENDING" if request.rules.is_empty() => "pending",
        "PENDING" => "left to people",
        other => other,
    }
}

/// A table whose first `names` columns hold names, which are broken only where there is no room at all.
fn table(header: &[&str], names: usize) -> Table {
    let width: u16 = std::env::var(COLUMNS).ok().and_then(|text| text.parse().ok()).unwrap_or(WIDTH_COLUMNS);
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.max(WIDTH_COLUMNS_MIN))
        .set_header(header.to_vec());
    if width >= WIDTH_COLUMNS_AMPLE {
        for column in table.column_iter_mut().take(names) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_id_is_the_end_of_the_long_one() {
        assert_eq!(short("01890a5d-ac96-774b-bcce-b302099a8057"), "099a8057");
        assert_eq!(short("abc"), "abc");
        assert_eq!(short(""), "");
        assert_eq!(short("ääääääääää"), "ääääääää");
    }

    #[test]
    fn a_row_says_what_was_asked_what_became_of_it_and_why() {
        let request = ShownRequest {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".to_owned(),
            user: "hoarder".to_owned(),
            roles: vec!["node-access".to_owned()],
            resources: vec!["/dev/node/node-1".to_owned()],
            state: "APPROVED",
            resolve_reason: String::new(),
            why: "complies".to_owned(),
            locked: true,
            lock_reason: "too much (cap/held-over-cap, tribunal decision d; ask again)".to_owned(),
            rules: vec!["cap/within-cap".to_owned(), "cap/held-over-cap".to_owned()],
        };
        let text = of_requests(&[request]).to_string();
        for part in
            ["099a8057", "hoarder", "/dev/node/node-1", "approved", "cap/within-cap", "complies", "locked: too much"]
        {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("node-access"), "{text}");
    }
}
