//! A replay as people read it. It never leaves out a kind of flip; of single ones it shows the first.

use std::collections::BTreeMap;

use comfy_table::{Table, presets};

use crate::health::plain;
use crate::replay::{Report, Turns};

/// Flips that are shown one by one.
const FLIPS_SHOWN_MAX: usize = 200;
/// Users, roles and rules that are shown, of each the most concerned.
const NAMES_SHOWN_MAX: usize = 40;

pub(super) fn page(report: &Report, is_exact: bool) -> String {
    let mut text = counts(report);
    if is_exact {
        let said = match report.differences_count {
            0 if report.remade == 0 => "no decision could be made again".to_owned(),
            0 => "every decision that was made again is the same, byte for byte".to_owned(),
            count => format!("NOT the same: {count} decisions"),
        };
        text.push_str(&format!("verdict    {said}\n"));
        return text;
    }
    if report.turns.is_empty() {
        text.push_str("flips      none: no decision would have been another\n");
        return text;
    }
    text.push_str(&format!("flips      {}\n", turns(&report.turns)));
    for (what, names) in [("user", &report.by_user), ("role", &report.by_role), ("rule", &report.by_rule)] {
        text.push_str(&by(what, names));
    }
    text.push_str(&flips(report));
    text
}

fn counts(report: &Report) -> String {
    let Report { decisions, remade, unasked, erased, of_time, without_panel, .. } = report;
    let mut text = format!("decisions  {decisions}, of which {remade} were made again\n");
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            text.push_str(&format!("           {count} {what}\n"));
        }
    };
    say(*unasked, "without any policy: a guard left them to people");
    say(*erased, "erased: nobody can read what the policies were shown");
    say(*of_time, "stand on a fault of the moment, such as a deadline: time is no part of a decision");
    say(*without_panel, "are of an older ledger, which names no panel");
    text
}

fn turns(turns: &Turns) -> String {
    turns.iter().map(|(turn, count)| format!("{turn} {count}")).collect::<Vec<_>>().join(", ")
}

fn by(what: &str, names: &BTreeMap<String, Turns>) -> String {
    let mut names: Vec<(&String, &Turns, u64)> =
        names.iter().map(|(name, turns)| (name, turns, turns.values().sum())).collect();
    names.sort_by(|(a, _, more), (b, _, less)| less.cmp(more).then(a.cmp(b)));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(vec![what, "flips"]);
    for (name, of, _) in names.iter().take(NAMES_SHOWN_MAX) {
        table.add_row(vec![plain(name), turns(of)]);
    }
    let more = names.len().saturating_sub(NAMES_SHOWN_MAX);
    let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
    format!("\n{table}\n{more}")
}

fn flips(report: &Report) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(vec!["at", "decision", "user", "request", "roles", "flip", "by"]);
    for flip in report.flips.iter().take(FLIPS_SHOWN_MAX) {
        let cells = [
            flip.at.to_string(),
            flip.decision.clone(),
            flip.user.clone(),
            flip.request.clone(),
            flip.roles.join(", "),
            flip.turn(),
            flip.because().join(", "),
        ];
        table.add_row(cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
    }
    let more = report.flips.len().saturating_sub(FLIPS_SHOWN_MAX);
    let more = if more > 0 { format!("and {more} more; `--json` has all of them\n") } else { String::new() };
    format!("\n{table}\n{more}")
}
