//! `tribunal doctor`: shows what the examination finds, a line for each check as soon as it is done. It examines nothing
//! itself.

use std::io::Write as _;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;

use super::EXIT_ERROR;
use super::args::DoctorArgs;
use crate::config::Overrides;
use crate::doctor::{Finding, Outcome, Patient, Progress, examine};

pub(super) async fn doctor(args: DoctorArgs) -> anyhow::Result<ExitCode> {
    let DoctorArgs { config, proxy, identity, ledger_dir, dry_run, strict, json } = args;
    let overrides = Overrides { address: proxy, identity_file: identity, ledger_dir, dry_run };
    let mut shown = Ok(());
    let tell = |progress: Progress<'_>| match progress {
        Progress::Slow(name, most) => slow(name, most.as_secs()),
        Progress::Found(finding) if !json && shown.is_ok() => shown = line(finding),
        Progress::Found(_) => {}
    };
    let report = Box::pin(examine(Patient::new(config, overrides), tell)).await;
    shown.context("standard output cannot be written")?;
    let last = if json { report.as_json() } else { format!("\n{}", report.summary()) };
    writeln!(anstream::stdout().lock(), "{last}").context("standard output cannot be written")?;
    let warned = strict && report.count(Outcome::Warning) > 0;
    Ok(if report.is_ok() && !warned { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

fn line(finding: &Finding) -> std::io::Result<()> {
    // Colour only where a terminal shows it; that is anstream's to find out.
    anstream::stdout().lock().write_all(finding.as_text(style(finding.outcome)).as_bytes())
}

fn slow(name: &str, most_secs: u64) {
    // Where nobody can be told, nobody can be told that either.
    let _unheard = writeln!(anstream::stderr().lock(), "`{name}` takes a while, {most_secs} s at most");
}

fn style(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Ok => AnsiColor::Green.on_default(),
        Outcome::Warning => AnsiColor::Yellow.on_default(),
        Outcome::Failed => AnsiColor::Red.on_default().bold(),
        Outcome::Skipped => Style::new().dimmed(),
    }
}
