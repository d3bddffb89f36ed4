//! `week`: a week's worth of certificates in five minutes. The real daemon lives through renewals, rotations of the
//! authorities, restarts of the proxy, breaks of the stream, torn files and an identity that nobody renews for a while;
//! it ends well only if an observer on the server saw every request decided, and none twice. It must never tell the daemon
//! anything that a cluster, a proxy or tbot would not.
//!
//! All of it; a daemon that was built before is taken as it is:
//!
//! ```console
//! $ cargo build -p tribunal && cargo run -p tribunal-tests --bin week
//! ```
//!
//! A week of identities that live an hour and are renewed every 20 minutes has 504 renewals; here an identity lives 20 s
//! and is renewed every 6 s, over real connections and by the machine's clock, since TLS knows no other. The daemon polls
//! every 20 s only, so that what its stream lost would show as a long wait. `--keep` keeps the ledger and the log.
//!
//! On two cores that others used too, unoptimized, seed 1 took 301 s: 1,499 requests, of which 1,439 were resolved exactly
//! once and 60 left to people, none missed and none resolved twice; 46 identities written (7 of them never to the end) and
//! 38 taken, 20 phases of rotations (3 that went through, 2 that were taken back), 18 restarts of the proxy, 48 breaks of the
//! stream, 18 cuts of all connections, and a while without any identity that was valid. Half of the requests were resolved
//! within 72 ms, 99 % within 3.1 s, and all within 4.8 s, but for those that had to wait for tbot.

#[path = "../soak/binary.rs"]
mod binary;
#[path = "../soak/chance.rs"]
mod chance;
#[expect(dead_code, reason = "`soak` uses all of it")]
#[path = "../soak/daemon.rs"]
mod daemon;
mod doorway;
#[expect(dead_code, reason = "`soak` uses all of it")]
#[path = "../soak/evidence.rs"]
mod evidence;
mod figures;
mod health;
#[expect(dead_code, reason = "`soak` uses all of it")]
#[path = "../soak/observer.rs"]
mod observer;
mod once;
#[cfg(test)]
#[expect(dead_code, reason = "what the observer's tests make locks with")]
#[path = "../soak/people.rs"]
mod people;
#[path = "../soak/place.rs"]
mod place;
#[path = "../soak/replay.rs"]
mod replay;
mod rotation;
mod run;
#[path = "../soak/tail.rs"]
mod tail;
#[path = "../soak/tap.rs"]
mod tap;
mod tbot;
#[path = "../soak/users.rs"]
mod users;
#[path = "../soak/world.rs"]
mod world;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

/// What the week is like.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "week",
    about = "Short-lived certificates, rotations and restarts, and an observer that counts decisions"
)]
struct Args {
    /// How long requests are made
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    seconds: u64,
    /// Requests a second
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    rate: u64,
    /// How long an identity lives, in seconds
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    life: u64,
    /// How often it is renewed, in seconds
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    renew: u64,
    /// How long each phase of a rotation of the authorities lasts, in seconds: two renewals at least
    #[arg(long, default_value_t = 13, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    phase: u64,
    /// In the middle, tbot stands still until the identity is over and for so many seconds more; 0: it does not
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=100))]
    outage: u64,
    /// Of everything that is left to chance here
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The daemon; without it, the one that was built beside this program
    #[arg(long, value_name = "PATH")]
    tribunal: Option<PathBuf>,
    /// Keep the ledger and the daemon's log here; without it, in a directory that is removed if all is well
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

// === impl Args ===

impl Args {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
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
            say(&format!("week failed (seed {}): {why}", args.seed));
            ExitCode::FAILURE
        }
    }
}

/// A line for whoever waits.
#[expect(clippy::print_stderr, reason = "this is a program for people, and its report is what it is for")]
fn say(line: &str) {
    eprintln!("{line}");
}
