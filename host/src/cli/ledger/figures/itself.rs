//! What happened to the daemon itself, as text. It leaves out nothing that it was given.

use comfy_table::{Table, presets};
use tribunal_core::record::Lifecycle;
use tribunal_ledger::{Itself, Run};

use crate::health::plain;

pub(super) fn as_text(itself: &Itself) -> String {
    let Itself { counts, runs, tripped, happenings } = itself;
    let mut text = String::new();
    let mut say = |name: &str, what: String| text.push_str(&format!("{name:<12} {what}\n"));
    match tripped {
        Some(why) => say("breaker", format!("TRIPPED: {}", plain(why))),
        None => say("breaker", "has not tripped, or was released".to_owned()),
    }
    let cut_off = runs.iter().rev().skip(1).filter(|run| run.stopped.is_none()).count();
    say("runs", format!("{}, of which {cut_off} ended without a stop in good order", runs.len()));
    for (what, count) in counts {
        say("", format!("{count} × {what}"));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["at", "what", "particulars"]);
    let mut rows: Vec<_> = runs
        .iter()
        .flat_map(|Run { started, stopped, detail }| {
            let stopped = stopped.map(|stopped| (stopped, "stopped", String::new()));
            [Some((*started, "started", detail.clone())), stopped]
        })
        .flatten()
        .collect();
    rows.extend(happenings.iter().map(|it| (it.at, Lifecycle::from(it.what).as_str(), it.detail.clone())));
    rows.sort();
    for (at, what, detail) in rows {
        table.add_row([at.to_string(), what.to_owned(), plain(&detail)]);
    }
    format!("{text}\n{table}\n")
}
