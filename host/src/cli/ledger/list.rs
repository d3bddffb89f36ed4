//! `tribunal ledger list`: decisions that fit a question, a line each. It never guesses what became of them; `show` tells.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::{Table, presets};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tribunal_ledger::schema::{Time, Verdict};
use tribunal_ledger::{Filter, Match, ReadError, search};

use super::super::args::{FilterArgs, ListArgs, VerdictWord};
use super::{directory, unless_closed};
use crate::health::plain;

/// So many rows are laid out together; the columns of the next ones may have other widths.
const PAGE_ROWS: usize = 1_000;

pub(super) fn list(args: &ListArgs) -> anyhow::Result<ExitCode> {
    let filter = filter(&args.filter, Timestamp::now())?;
    let found = search(&directory(&args.place)?, &filter)?;
    let to = &mut BufWriter::new(io::stdout().lock());
    let written = match args.last {
        None => write(found, args.json, to),
        Some(last) => {
            let newest: Vec<_> = found.rev().take(last).collect();
            write(newest.into_iter().rev(), args.json, to)
        }
    };
    unless_closed(written).map(|()| ExitCode::SUCCESS)
}

pub(in super::super) fn filter(args: &FilterArgs, now: Timestamp) -> anyhow::Result<Filter> {
    let time = |text: &Option<String>| text.as_deref().map(|text| point(text, now)).transpose();
    Ok(Filter {
        user: args.user.clone(),
        request: args.request.clone(),
        rule: args.rule.clone(),
        plugin: args.plugin.clone(),
        verdict: args.verdict.map(|word| match word {
            VerdictWord::Approve => Verdict::Approve,
            VerdictWord::Deny => Verdict::Deny,
            VerdictWord::Leave => Verdict::Leave,
            VerdictWord::Nothing => Verdict::Nothing,
        }),
        since: time(&args.since)?,
        until: time(&args.until)?,
    })
}

/// A day, a point in time, or so long ago.
pub(super) fn point(text: &str, now: Timestamp) -> anyhow::Result<Time> {
    let day = |date: Date| date.to_zoned(TimeZone::UTC).ok().map(|midnight| midnight.timestamp());
    let ago = |text: &str| {
        // A day is 24 hours here: no calendar is asked.
        let days = text.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
        let hours = days.and_then(|days| days.checked_mul(24)).and_then(SignedDuration::try_from_hours);
        let length = hours.or_else(|| text.parse::<SignedDuration>().ok()).filter(|length| !length.is_negative())?;
        now.checked_sub(length).ok()
    };
    let time = text.parse::<Timestamp>().ok();
    let time = time.or_else(|| text.parse::<Date>().ok().and_then(day)).or_else(|| ago(text));
    let millis = time.and_then(|time| u64::try_from(time.as_millisecond()).ok());
    let millis = millis.with_context(|| {
        format!("`{text}` is no time: write `2026-03-01`, `2026-03-01T09:30:00Z`, or `24h` for a day ago")
    })?;
    Ok(Time::from(tribunal_core::Timestamp::from_millis(millis)))
}

fn write(
    mut found: impl Iterator<Item = Result<Match, ReadError>>,
    json: bool,
    to: &mut impl Write,
) -> anyhow::Result<()> {
    if json {
        for found in found {
            to.write_all(&found?.line)?;
            to.write_all(b"\n")?;
        }
        return Ok(to.flush()?);
    }
    let mut count = 0_usize;
    loop {
        let page: Vec<Match> = found.by_ref().take(PAGE_ROWS).collect::<Result<_, _>>()?;
        if count == 0 || !page.is_empty() {
            writeln!(to, "{}", table(&page, count == 0))?;
        }
        count = count.saturating_add(page.len());
        if page.len() < PAGE_ROWS {
            writeln!(to, "{count} decisions")?;
            return Ok(to.flush()?);
        }
    }
}

fn table(page: &[Match], with_head: bool) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if with_head {
        table.set_header(vec!["at", "decision", "user", "verdict", "by", "request", "roles", "locks"]);
    }
    for found in page {
        let Match { at, id, user, verdict, rules, request, roles, locks, dry_run, .. } = found;
        let verdict = verdict.map_or("", word);
        let verdict = if *dry_run { format!("{verdict} (dry run)") } else { verdict.to_owned() };
        let locks = match locks {
            (0, 0) => String::new(),
            (written, deleted) => format!("+{written} -{deleted}"),
        };
        let request = request.clone().unwrap_or_default();
        let cells =
            [at.to_string(), id.clone(), user.clone(), verdict, rules.join(", "), request, roles.join(", "), locks];
        table.add_row(cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
    }
    table
}

pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approve",
        Verdict::Deny => "deny",
        Verdict::Leave => "leave",
        Verdict::Nothing => "nothing",
    }
}
