//! The figures as text for a terminal. It adds nothing up itself.

use comfy_table::{Table, presets};
use tribunal_ledger::{Counts, Figures, Hours, Prevented, Steps, Took};

use super::{hours, span};
use crate::health::plain;

/// More held requests than this are counted only.
const HELD_SHOWN_MAX: usize = 50;

pub(super) fn as_text(figures: &Figures) -> String {
    let Figures { range, decisions, rehearsed, users, steps, took, hours: all, separation, held, .. } = figures;
    let mut text = String::new();
    let mut say = |name: &str, what: String| text.push_str(&format!("{name:<12} {what}\n"));
    match range {
        Some((first, last)) => say("records", format!("from {first} to {last}")),
        None => say("records", "none".to_owned()),
    }
    say("decisions", format!("about {users} users: {}", counted(decisions)));
    if *rehearsed > 0 {
        say("", format!("and {rehearsed} that only rehearsed"));
    }
    let Steps { done, reviewed, failed, superseded, open } = steps;
    say(
        "steps",
        format!(
            "{done} in force, {reviewed} reviewed, {failed} failed, {superseded} superseded; {open} decisions open"
        ),
    );
    if let Some(Took { count, median_ms, ninth_decile_ms, max_ms }) = took {
        let (median, ninth, max) = (span(*median_ms), span(*ninth_decile_ms), span(*max_ms));
        say(
            "took",
            format!("median {median}, nine of ten {ninth}, at most {max}, of {count} from request to decision"),
        );
    }
    let Hours { asked_ms, given_ms, held_ms } = all;
    let (asked, given, usable) = (hours(*asked_ms), hours(*given_ms), hours(*held_ms));
    say("hours", format!("{asked} asked for, {given} given, {usable} held: the rest of them locked"));
    let Prevented { denied, locked, left } = separation;
    say("separation", format!("{denied} requests denied, {locked} locks, {left} requests left to people"));
    say("held now", format!("{} requests that the daemon approved", held.len()));
    text.push_str(&tables(figures));
    text
}

pub(super) fn counted(counts: &Counts) -> String {
    let Counts { approved, denied, left, nothing, locked, released } = counts;
    format!(
        "{approved} approved, {denied} denied, {left} left to people, {nothing} without an opinion; {locked} locks, \
         {released} released"
    )
}

fn tables(figures: &Figures) -> String {
    let mut text = String::new();
    let mut rules = Table::new();
    rules.load_style(presets::NOTHING).set_header(["rule", "approved", "denied", "left", "locks", "faults"]);
    for (rule, counts) in &figures.rules {
        let Counts { approved, denied, left, locked, .. } = counts;
        let cells = [plain(rule), approved.to_string(), denied.to_string(), left.to_string(), locked.to_string()];
        rules.add_row(cells.into_iter().chain([String::new()]));
    }
    for (policy, faults) in &figures.faults {
        let none = || String::new();
        rules.add_row([plain(policy), none(), none(), none(), none(), faults.to_string()]);
    }
    if !figures.rules.is_empty() || !figures.faults.is_empty() {
        text.push_str(&format!("\n{rules}\n"));
    }
    let mut held = Table::new();
    held.load_style(presets::NOTHING).set_header(["user", "request", "roles", "resources", "since", "until", "locked"]);
    for entry in figures.held.iter().take(HELD_SHOWN_MAX) {
        let until = entry.until.map_or_else(String::new, |until| until.to_string());
        let locked = if entry.locked { "locked" } else { "" };
        let (roles, resources) = (entry.roles.join(", "), entry.resources.join(", "));
        let cells = [&entry.user, &entry.request, &roles, &resources, &entry.since.to_string(), &until, locked];
        held.add_row(cells.map(plain));
    }
    if !figures.held.is_empty() {
        let more = figures.held.len().saturating_sub(HELD_SHOWN_MAX);
        let more = if more > 0 { format!("and {more} more; `--json` has them\n") } else { String::new() };
        text.push_str(&format!("\n{held}\n{more}"));
    }
    text
}
