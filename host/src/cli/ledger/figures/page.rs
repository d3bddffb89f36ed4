//! The figures as one page that opens anywhere, offline: HTML with its style and its plots in it. It has no script and asks
//! nobody for anything; what a plot shows stands in a table as well.

use std::fmt::Write;

use tribunal_ledger::schema::Time;
use tribunal_ledger::{Counts, Figures, Hours, Period, Prevented, Took};

use super::plot::{bars, columns, escaped};
use super::{hours, span};

/// The order of the parts of a bar, as the legend and the style have it.
const PARTS: [&str; 4] = ["approved", "denied", "left to people", "locks"];
/// More held requests than this are counted only.
const HELD_SHOWN_MAX: usize = 500;

const STYLE: &str = "\
:root{color-scheme:light dark;--c1:#1b7f4b;--c2:#b3261e;--c3:#8a6d00;--c4:#5b3fa0}\
@media(prefers-color-scheme:dark){:root{--c1:#5fd39a;--c2:#ff8a80;--c3:#e6c75a;--c4:#b9a3ff}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2.2rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem}dt{font-weight:600}dd{margin:0}\
table{border-collapse:collapse;width:100%;font-size:.9rem}\
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #8886;overflow-wrap:anywhere}\
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}\
figure{margin:1rem 0}svg{width:100%;height:auto;font:12px system-ui,sans-serif}svg text{fill:currentColor}\
svg line{stroke:currentColor}\
.c1{fill:var(--c1)}.c2{fill:var(--c2)}.c3{fill:var(--c3)}.c4{fill:var(--c4)}\
.k1::before,.k2::before,.k3::before,.k4::before{content:'■ '}\
.k1{color:var(--c1)}.k2{color:var(--c2)}.k3{color:var(--c3)}.k4{color:var(--c4)}\
ul.legend{list-style:none;padding:0;display:flex;gap:1.2rem;font-size:.9rem}";

pub(super) fn page(figures: &Figures, period: &Period, made: Time) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Access decisions</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Access decisions</h1>\n"
    );
    let time = |time: &Option<Time>, none: &str| time.map_or_else(|| none.to_owned(), |time| time.to_string());
    let (since, until) = (time(&period.since, "the beginning"), time(&period.until, "now"));
    say(
        &mut page,
        &format!("<p>From {since} until {until}; made {made} by tribunal {}.</p>\n", env!("CARGO_PKG_VERSION")),
    );
    say(&mut page, &summary(figures));
    say(&mut page, &by_day(figures));
    say(&mut page, &by_rule(figures));
    say(&mut page, &by_hours(&figures.hours));
    say(&mut page, &held(figures));
    say(&mut page, "</main>\n</body>\n</html>\n");
    page
}

fn say(page: &mut String, text: &str) {
    page.push_str(text);
}

fn summary(figures: &Figures) -> String {
    let Counts { approved, denied, left, nothing, locked, released } = figures.decisions;
    let Prevented { denied: refused, locked: taken, left: asked } = figures.separation;
    let took = figures.took.map_or_else(
        || "not known: no request was decided".to_owned(),
        |Took { count, median_ms, ninth_decile_ms, max_ms }| {
            let (median, ninth, max) = (span(median_ms), span(ninth_decile_ms), span(max_ms));
            format!("median {median}, nine of ten {ninth}, at most {max}; measured {count} times")
        },
    );
    let rows = [
        (
            "Requests",
            format!("{approved} approved, {denied} denied, {left} left to people, {nothing} without an opinion"),
        ),
        ("Locks", format!("{locked} written, {released} released")),
        ("Users", figures.users.to_string()),
        ("From request to decision", took),
        ("Separation of duties", format!("{refused} requests denied, {taken} locks, {asked} requests left to people")),
        ("Steps that failed", figures.steps.failed.to_string()),
        ("Decisions still open", figures.steps.open.to_string()),
        ("Rehearsed only", figures.rehearsed.to_string()),
    ];
    let mut text = "<h2>In short</h2>\n<dl>\n".to_owned();
    for (name, what) in rows {
        say(&mut text, &format!("<dt>{name}</dt><dd>{}</dd>\n", escaped(&what)));
    }
    say(&mut text, "</dl>\n");
    text
}

fn parts(counts: &Counts) -> Vec<u64> {
    vec![counts.approved, counts.denied, counts.left, counts.locked]
}

fn legend() -> String {
    let mut text = "<ul class=\"legend\">".to_owned();
    for (class, name) in (1..).zip(PARTS) {
        say(&mut text, &format!("<li class=\"k{class}\">{name}</li>"));
    }
    say(&mut text, "</ul>\n");
    text
}

fn table(caption: &str, name: &str, rows: &[(String, Vec<u64>)]) -> String {
    let mut text = format!("<details><summary>{caption}</summary>\n<table>\n<thead><tr><th>{name}</th>");
    for part in PARTS {
        say(&mut text, &format!("<th class=\"n\">{part}</th>"));
    }
    say(&mut text, "</tr></thead>\n<tbody>\n");
    for (name, parts) in rows {
        let cells: String = parts.iter().map(|part| format!("<td class=\"n\">{part}</td>")).collect();
        say(&mut text, &format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", escaped(name)));
    }
    say(&mut text, "</tbody>\n</table>\n</details>\n");
    text
}

fn by_day(figures: &Figures) -> String {
    let day = |time: &Time| time.to_string().split('T').next().unwrap_or_default().to_owned();
    let rows: Vec<_> = figures.days.iter().map(|(time, counts)| (day(time), parts(counts))).collect();
    let says = format!("{} days with decisions; the table below has the numbers", rows.len());
    let plot = columns("days", "Decisions by day", &says, &rows);
    format!("<h2>By day</h2>\n{}<figure>{plot}</figure>\n{}", legend(), table("The same as a table", "day", &rows))
}

fn by_rule(figures: &Figures) -> String {
    let rows: Vec<_> = figures.rules.iter().map(|(rule, counts)| (rule.clone(), parts(counts))).collect();
    let drawn: Vec<_> =
        rows.iter().map(|(rule, parts)| (rule.clone(), parts.clone(), parts.iter().sum::<u64>().to_string())).collect();
    let says = format!("{} rules that fired; the table below has the numbers", rows.len());
    let mut text = format!(
        "<h2>By rule</h2>\n{}<figure>{}</figure>\n{}",
        legend(),
        bars("rules", "Decisions and locks by rule", &says, &drawn),
        table("The same as a table", "rule", &rows)
    );
    if !figures.faults.is_empty() {
        say(&mut text, "<p>Policies that did not answer:</p>\n<ul>\n");
        for (policy, faults) in &figures.faults {
            say(&mut text, &format!("<li>{}: {faults} times</li>\n", escaped(policy)));
        }
        say(&mut text, "</ul>\n");
    }
    text
}

fn by_hours(all: &Hours) -> String {
    let Hours { asked_ms, given_ms, held_ms } = *all;
    let rows: Vec<_> = [("asked for", asked_ms), ("given", given_ms), ("held, and not locked", held_ms)]
        .map(|(name, millis)| (name.to_owned(), vec![millis], format!("{} h", hours(millis))))
        .into();
    let says = format!("{} hours asked for, {} given, {} held", hours(asked_ms), hours(given_ms), hours(held_ms));
    let mut text =
        format!("<h2>Standing hours</h2>\n<figure>{}</figure>\n", bars("hours", "Hours of access", &says, &rows));
    // Writing to a string does not fail.
    let _written = writeln!(
        text,
        "<p>Before: what requests asked for. After: what the daemon gave, and what of it could be used. {says}.</p>"
    );
    text
}

fn held(figures: &Figures) -> String {
    let mut text =
        format!("<h2>Held now</h2>\n<p>{} requests that the daemon approved are not over.</p>\n", figures.held.len());
    if figures.held.is_empty() {
        return text;
    }
    let head = "<thead><tr><th>user</th><th>request</th><th>roles</th><th>resources</th><th>since</th><th>until</th>\
                <th>locked</th></tr></thead>";
    say(&mut text, &format!("<table>\n{head}\n<tbody>\n"));
    for held in figures.held.iter().take(HELD_SHOWN_MAX) {
        let until = held.until.map_or_else(String::new, |until| until.to_string());
        let cells = [
            held.user.clone(),
            held.request.clone(),
            held.roles.join(", "),
            held.resources.join(", "),
            held.since.to_string(),
            until,
            if held.locked { "locked".to_owned() } else { String::new() },
        ];
        let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        say(&mut text, &format!("<tr>{cells}</tr>\n"));
    }
    say(&mut text, "</tbody>\n</table>\n");
    let more = figures.held.len().saturating_sub(HELD_SHOWN_MAX);
    if more > 0 {
        say(&mut text, &format!("<p>And {more} more; `--json` has them.</p>\n"));
    }
    text
}
