//! `tribunal plugin run`: prints what one policy says of one case. It asks nothing itself.

use std::path::Path;
use std::process::ExitCode;

use super::super::EXIT_ERROR;
use super::super::args::RunPluginArgs;
use super::{BAD, GOOD, limits, print, tell_if_slow};
use crate::workbench::run::{What, run as ask};
use crate::workbench::test::report::Styles;

pub(super) fn run(args: &RunPluginArgs) -> anyhow::Result<ExitCode> {
    let limits = limits(&args.limits)?;
    tell_if_slow(Path::new(&args.plugin));
    let done = ask(&What {
        plugin: &args.plugin,
        case: &args.case,
        name: args.name.as_deref(),
        settings: args.settings.as_deref(),
        instructions: !args.no_instructions,
        limits: &limits,
    })?;
    let styles = Styles { good: GOOD, bad: BAD };
    print(&if args.json { format!("{}\n", done.as_json()) } else { done.as_text(styles) })?;
    Ok(if done.answered() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}
