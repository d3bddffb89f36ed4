//! Every command, flag and word of the command line: the one source for parsing, help and completions. It runs nothing.

mod dev;
mod run;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use self::dev::{DevAction, DevArgs, DirArgs, RequestArgs, ResolveArgs, ShowArgs};
pub use self::run::{LogArgs, RunArgs};

/// What every help page ends with.
const EXIT_CODES: &str = "\
Exit codes:
  0  all is well, or the daemon was asked to stop and did
  1  configuration, identity or connection are not right, or a check failed; standard error says what to do
  2  the command line is not understood
  3  `tribunal dev --once`: the scenario did not end as expected";

/// A WebAssembly policy host for Teleport just-in-time access
///
/// Follows the access requests of a Teleport cluster, asks a panel of sandboxed policies about each of them, approves,
/// denies and locks, and keeps evidence of every decision.
#[derive(Debug, Parser)]
#[command(name = "tribunal", version, after_help = EXIT_CODES, propagate_version = false)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a cluster's access requests and decide them
    Run(Box<RunArgs>),
    /// Try it out: a simulated cluster, the daemon and a scenario in one process
    Dev(Box<DevArgs>),
    /// Check a configuration: load it and all of its plugins, and say what was found
    Check(CheckArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
}

/// `tribunal check`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct CheckArgs {
    /// The configuration to check
    #[arg(long, value_name = "FILE", default_value = "tribunal.toml")]
    pub config: PathBuf,
    /// Allow a panel in which no plugin may approve, as `tribunal run --dry-run` does
    #[arg(long)]
    pub dry_run: bool,
    /// Print what was found as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tribunal completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    pub shell: clap_complete::Shell,
}
