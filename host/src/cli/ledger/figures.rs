//! `tribunal report`, and `tribunal ledger report`: what the ledger adds up to, and with `--self` what happened to the daemon
//! itself; as text, as JSON, as a page. It never shows what people wrote.

mod itself;
mod page;
mod plot;
#[cfg(test)]
mod tests;
mod text;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use tribunal_ledger::Period;
use tribunal_ports::Clock;

use super::super::args::ReportArgs;
use super::list::point;
use super::{directory, print};
use crate::clock::SystemClock;

/// The policies whose denials and locks are separation of duties, where nobody names others.
const SEPARATION_DEFAULT: &str = "separation";

pub(in super::super) fn report(args: &ReportArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    let period = period(args, Timestamp::now())?;
    if args.itself {
        let itself = tribunal_ledger::itself(&directory, &period)?;
        print(&if args.json { format!("{}\n", serde_json::to_string(&itself)?) } else { itself::as_text(&itself) })?;
        return Ok(ExitCode::SUCCESS);
    }
    let figures = tribunal_ledger::figures(&directory, &period, SystemClock.now())?;
    if let Some(path) = &args.html {
        write_new(path, &page::page(&figures, &period, SystemClock.now().into()))?;
    }
    match (args.json, &args.html) {
        (true, _) => print(&format!("{}\n", serde_json::to_string(&figures)?))?,
        (false, Some(path)) => print(&format!("written: `{}`\n", path.display()))?,
        (false, None) => print(&text::as_text(&figures))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn period(args: &ReportArgs, now: Timestamp) -> anyhow::Result<Period> {
    let time = |text: &Option<String>| text.as_deref().map(|text| point(text, now)).transpose();
    let separation = match args.separation.as_slice() {
        [] => [SEPARATION_DEFAULT.to_owned()].into(),
        named => named.iter().cloned().collect(),
    };
    Ok(Period { since: time(&args.since)?, until: time(&args.until)?, separation })
}

fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes());
    write().with_context(|| format!("`{}` cannot be written; name a file that is not there yet", path.display()))
}

/// A time that something took, for people.
fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{seconds}.{} s", millis % 1_000 / 100),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Hours, with one decimal.
fn hours(millis: u64) -> String {
    let tenths = millis / 360_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}
