//! `tribunal plugin`: what authors of policies use. It runs policies under a daemon's limits, and connects to nobody.

mod bench;
mod build;
mod fuzz;
mod inspect;
mod new;
mod run;
mod test;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use anyhow::Context as _;
use tribunal_engine::Limits;

use super::args::{LimitsArgs, PluginAction, PluginArgs};
use super::{EXIT_NOT_RUN, report};
use crate::config::{Config, Overrides};
use crate::workbench::workshop;

/// Plugins beyond so many bytes take a while to compile.
const SLOW_BYTES: u64 = 1024 * 1024;
/// What went well.
const GOOD: Style = AnsiColor::Green.on_default();
/// What did not.
const BAD: Style = AnsiColor::Red.on_default().bold();

pub(super) async fn plugin(args: PluginArgs) -> anyhow::Result<ExitCode> {
    // Policies are compiled and asked on threads of the engine, which are waited for.
    let done = tokio::task::spawn_blocking(move || dispatch(args.action)).await;
    let done = done.context("this ended in a bug; please report it").and_then(|outcome| outcome);
    Ok(done.unwrap_or_else(|error| {
        report::error(&error);
        ExitCode::from(EXIT_NOT_RUN)
    }))
}

fn dispatch(action: PluginAction) -> anyhow::Result<ExitCode> {
    match action {
        PluginAction::New(args) => new::new(&args),
        PluginAction::Build(args) => build::build(&args, &workshop()),
        PluginAction::Inspect(args) => inspect::inspect(&args),
        PluginAction::Test(args) => test::test(&args),
        PluginAction::Run(args) => run::run(&args),
        PluginAction::Bench(args) => bench::bench(&args),
        PluginAction::Fuzz(args) => fuzz::fuzz(&args),
    }
}

/// The limits that a daemon with this configuration has, or one without any.
fn limits(args: &LimitsArgs) -> anyhow::Result<Limits> {
    let Some(path) = &args.config else { return Ok(Limits::default()) };
    Ok(Config::load(path, &Overrides { dry_run: true, ..Overrides::default() })?.limits.engine)
}

/// Says that a large plugin is about to be compiled, where somebody watches: interpreters take seconds.
fn tell_if_slow(plugin: &Path) {
    let is_large = std::fs::metadata(plugin).is_ok_and(|metadata| metadata.len() > SLOW_BYTES);
    if is_large && std::io::stderr().is_terminal() {
        let _unheard = writeln!(anstream::stderr(), "compiling `{}`, once; it is large", plugin.display());
    }
}

/// Colour only where a terminal shows it; that is anstream's to find out.
fn print(text: &str) -> anyhow::Result<()> {
    anstream::stdout().lock().write_all(text.as_bytes()).context("standard output cannot be written")
}
