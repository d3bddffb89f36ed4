//! `tribunal completions`: made from the same words as the parser.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::CommandFactory;

use super::args::{Cli, CompletionsArgs};

pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tribunal", &mut script);
    std::io::stdout().write_all(&script).context("standard output cannot be written")?;
    Ok(ExitCode::SUCCESS)
}
