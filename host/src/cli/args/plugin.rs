//! The words of `tribunal plugin`: what authors of policies type. Each command has its own file below, or its args here.

mod bench;
mod fuzz;
mod inspect;
mod new;
mod run;
mod test;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use self::bench::BenchArgs;
pub use self::fuzz::FuzzArgs;
pub use self::inspect::InspectArgs;
pub use self::new::{BuildArgs, NewArgs};
pub use self::run::RunPluginArgs;
pub use self::test::{TestArgs, TestFormat};

/// `tribunal plugin`.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct PluginArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: PluginAction,
}

/// What to do with a plugin.
#[derive(Debug, Subcommand)]
pub enum PluginAction {
    /// Write a project to begin with: a policy that works, its tests, and the SDK of its language
    New(NewArgs),
    /// Build a project with the tools of its language, and look at what came out as a daemon would
    #[command(after_help = new::BUILD_NOTES)]
    Build(BuildArgs),
    /// Say what a plugin is, what it wants, and whether it would load here
    #[command(after_help = EXIT_CODES)]
    Inspect(InspectArgs),
    /// Run suites of cases, and say where a policy answers otherwise than expected
    #[command(after_help = EXIT_CODES)]
    Test(TestArgs),
    /// Ask a policy about one case, and show answer, log and cost against the limits
    #[command(after_help = EXIT_CODES)]
    Run(RunPluginArgs),
    /// Measure how long a policy takes over cases of growing size
    #[command(after_help = EXIT_CODES)]
    Bench(BenchArgs),
    /// Show a policy cases that nobody thought of, and keep the smallest that it cannot answer
    ///
    /// Finds faults, answers that differ from one time to the next, and requests that are approved although they would have
    /// to be locked at once.
    #[command(after_help = EXIT_CODES)]
    Fuzz(FuzzArgs),
}

/// Under which limits a plugin is run.
#[derive(Clone, Debug, Default, Args)]
pub struct LimitsArgs {
    /// Use the limits of this configuration [default: the limits of a daemon without one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// What the help pages of these commands end with.
pub(super) const EXIT_CODES: &str = "\
A plugin is the `.wasm` file of a component, or `builtin:cap`, `builtin:separation`.

Exit codes:
  0  all is well: it would load; every test passed; it answered; nothing was found
  1  it is not: it would not load; a test failed; it faulted; it got slower; something was found
  2  it could not be run, or the command line is not understood; standard error says why";
