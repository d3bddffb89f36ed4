//! `soak`: the real daemon, killed again and again, in front of a simulated cluster full of users, people and faults;
//! ends well only if an independent observer saw nothing forbidden and nothing unexplained. It must never tell the daemon
//! anything that a cluster would not.
//!
//! All of it; a daemon that was built before is taken as it is:
//!
//! ```console
//! $ cargo build -p tribunal && cargo run -p tribunal-tests --bin soak -- --seed 1
//! ```
//!
//! Its last words are the figures: requests, kills, what was injected, and what was found, which has to be nothing. On two
//! cores that others used too, unoptimized, seed 1 took 461 s: 2,000 users with 20,000 requests, up to 2,361 of them at
//! one time (12 pages of a list), 20 SIGKILLs, 21,766 errors, 576 lost replies; 14,796 approvals, 2,297 denials, 10,137
//! locks and 1,845 releases, each explained by the ledger; 0 violations, 0 unexplained changes, 0 open intents. `--keep`
//! keeps the ledger and the log. The daemon's own timing is not left to the seed, so that figures differ a little from run
//! to run.

mod binary;
mod chance;
mod daemon;
mod end;
mod evidence;
mod figures;
mod kills;
mod observer;
mod people;
mod place;
mod replay;
mod run;
mod tail;
mod tap;
mod users;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// What the soak is like.
#[derive(Clone, Debug, Parser)]
#[command(name = "soak", about = "A simulated cluster, faults, kills, and an observer that looks for forbidden states")]
struct Args {
    /// Users who make requests
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    subjects: u64,
    /// Requests that they make together
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    requests: u64,
    /// How often the daemon is killed and started again
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=1_000))]
    kills: u64,
    /// Of everything that is left to chance here; what the daemon's own timing does is not
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// It has failed when it takes longer than this
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: u64,
    /// The daemon; without it, the one that was built beside this program
    #[arg(long, value_name = "PATH")]
    tribunal: Option<PathBuf>,
    /// Keep the ledger and the daemon's log here; without it, in a directory that is removed if all is well
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

// === impl Args ===

impl Args {
    fn time_max(&self) -> Duration {
        Duration::from_secs(self.minutes.saturating_mul(60))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    match Box::pin(run::run(&args)).await {
        Ok(report) => {
            say(&report.to_string());
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            say(&format!("soak failed (seed {}): {why}", args.seed));
            ExitCode::FAILURE
        }
    }
}

/// A line for whoever waits.
#[expect(clippy::print_stderr, reason = "this is a program for people, and its report is what it is for")]
fn say(line: &str) {
    eprintln!("{line}");
}
