//! The command line: which words mean what, and what the process says at its end. It decides nothing about requests.

pub mod args;
mod around;
mod check;
mod compile;
mod completions;
mod counterexample;
mod dev;
mod doctor;
mod explain;
mod go_flags;
mod ledger;
mod plugin;
mod progress;
mod replay;
mod report;
mod role;
mod run;
mod status;
mod torture;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::args::{Cli, Command};

/// How long the process stays for what was begun and is not waited for any more.
const LINGER: Duration = Duration::from_secs(1);
/// Exit code: all is well, or the daemon was asked to stop and did.
pub const EXIT_OK: u8 = 0;
/// Exit code: configuration, identity or connection are not right, or a check failed; standard error says what to do.
pub const EXIT_ERROR: u8 = 1;
/// Exit code: the command line is not understood (clap's own).
pub const EXIT_USAGE: u8 = 2;
/// Exit code of `tribunal status`: it cannot be told whether the daemon is ready.
pub const EXIT_UNKNOWN: u8 = 2;
/// Exit code of `tribunal plugin`: it could not be run, which says nothing about the policy.
pub const EXIT_NOT_RUN: u8 = 2;
/// Exit code of `tribunal dev --once`: the scenario did not end as expected.
pub const EXIT_UNEXPECTED: u8 = 3;

/// Runs the command that these arguments name, the program's own name first.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Before anything else of this process exists: its limits are to hold for all of it.
    if let Some(code) = compile::asked(&arguments) {
        return code;
    }
    crate::assembly::this_is_tribunal();
    let cli = match Cli::try_parse_from(go_flags::rewrite(arguments)) {
        Ok(cli) => cli,
        Err(error) => {
            let printed = error.print();
            let code = if printed.is_ok() { error.exit_code() } else { i32::from(EXIT_USAGE) };
            return ExitCode::from(u8::try_from(code).unwrap_or(EXIT_USAGE));
        }
    };
    let outcome =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(anyhow::Error::from).and_then(
            |runtime| {
                let outcome = runtime.block_on(dispatch(cli.command));
                // What hangs in the file system, or in the resolver, must not keep the process.
                runtime.shutdown_timeout(LINGER);
                outcome
            },
        );
    outcome.unwrap_or_else(|error| {
        report::error(&error);
        ExitCode::from(EXIT_ERROR)
    })
}

async fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    // Each future is as large as its command's largest state; boxed, only the one that runs is paid for.
    match command {
        Command::Run(args) => Box::pin(run::run(*args)).await,
        Command::Dev(args) => Box::pin(dev::dev(*args)).await,
        Command::Check(args) => Box::pin(check::check(args)).await,
        Command::Doctor(args) => Box::pin(doctor::doctor(args)).await,
        Command::Role(args) => Box::pin(role::role(args)).await,
        Command::Status(args) => Box::pin(status::status(args)).await,
        Command::Plugin(args) => Box::pin(plugin::plugin(*args)).await,
        Command::Torture(args) => Box::pin(torture::torture(args)).await,
        Command::Replay(args) => Box::pin(replay::replay(args)).await,
        Command::Explain(args) => Box::pin(explain::explain(args)).await,
        Command::Counterexample(args) => Box::pin(counterexample::counterexample(args)).await,
        Command::Ledger(args) => Box::pin(ledger::ledger(args)).await,
        Command::Report(args) => ledger::report(&args),
        Command::Completions(args) => completions::completions(&args),
    }
}
