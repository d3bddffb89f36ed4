//! `tribunal torture`: shows what the attacks on the sandbox came to. It attacks nothing itself.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::{Context as _, bail};
use tokio::runtime::Handle;

use super::EXIT_ERROR;
use super::args::TortureArgs;
use crate::assembly::workshop;
use crate::config::CompiledCache;
use crate::torture::{Options, Report, Workshops, run};

const FOUND: Style = AnsiColor::Red.on_default().bold();
const CONTAINED: Style = AnsiColor::Green.on_default().bold();

pub(super) async fn torture(args: TortureArgs) -> anyhow::Result<ExitCode> {
    let TortureArgs { rounds, threads, seed, random, components, load, untimed, only, list, json } = args;
    if list {
        return guests();
    }
    let threads = usize::from(threads);
    let components = components.map_or_else(|| Ok(Vec::new()), |dir| components_in(&dir))?;
    let options = Options { rounds, threads, seed, random, components, load, timed: !untimed, only };
    // What is compiled here is of no use to anybody else.
    let kept = tempfile::tempdir().context("there is no directory for native code")?;
    let remembering = workshop(&CompiledCache::Dir(kept.path().to_owned()));
    let workshops = Workshops { remembering, forgetful: workshop(&CompiledCache::Off) };
    let shows_progress = std::io::stderr().is_terminal();
    let handle = Handle::current();
    let ran =
        tokio::task::spawn_blocking(move || run(&options, workshops, &handle, |now| progress(shows_progress, &now)));
    let report = ran.await.context("it ended in a bug; please report it")?.map_err(anyhow::Error::msg)?;
    progress(shows_progress, "");
    show(&report, json).context("standard output cannot be written")?;
    Ok(if report.findings().is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

/// The components in a directory, by name.
fn components_in(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unread = || format!("`{}` cannot be read", dir.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).with_context(unread)? {
        found.push(entry.with_context(unread)?.path());
    }
    found.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    found.sort();
    if found.is_empty() {
        bail!("`{}` has no file that ends with `.wasm`", dir.display());
    }
    Ok(found)
}

fn guests() -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    for guest in tribunal_hostile::corpus().map_err(anyhow::Error::msg)? {
        let limit = guest.limit.map_or_else(String::new, |limit| format!(" {limit}"));
        let declared = format!("{}{limit}", guest.fault);
        writeln!(out, "{:36} {:8} {declared:34} {}", guest.name, guest.strikes.as_str(), guest.about)
            .context("standard output cannot be written")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn show(report: &Report, json: bool) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    if json {
        return writeln!(out, "{}", report.as_json());
    }
    write!(out, "{}\n{}\n", report.table(), report.summary())?;
    let findings = report.findings();
    for finding in &findings {
        writeln!(out, "{FOUND}found:{FOUND:#} {finding}")?;
    }
    if findings.is_empty() {
        writeln!(out, "{CONTAINED}contained{CONTAINED:#}")?;
    }
    Ok(())
}

/// One line of a terminal that is written over.
fn progress(shows: bool, now: &str) {
    if shows {
        // Where nobody can be told, nobody can be told that either.
        let _unheard = write!(std::io::stderr().lock(), "\r\u{1b}[K{now}");
    }
}
