//! `latency`: how long a request waits for its verdict. The real daemon, with its panel in Wasm, its ledger on a disk and
//! mTLS, in front of a simulated cluster on the same machine; users ask at a steady rate whether or not the daemon keeps
//! up. It must never count from anything later than when a request was meant to be made.
//!
//! ```console
//! $ cargo build --release -p tribunal && cargo run --release -p tribunal-tests --bin latency
//! ```
//!
//! Each round trip of `--round-trip-ms` is a run of its own: a relay between daemon and server holds back what it passes
//! on, half of it each way, for calls and for the stream of events alike. So that figures of different machines and times
//! can be compared, each run measures bare round trips as well (a `Ping` through the same relay, over the same TLS), and
//! tells latencies as multiples of them. The aim is a p99 below 20 ms and five round trips, at 200 requests a second.
//!
//! The verdict is counted when the server has it. Every request is to be decided exactly once; whatever was not is an
//! error. `--json` tells all of it for programs.

#[path = "../soak/binary.rs"]
mod binary;
#[path = "../soak/chance.rs"]
#[expect(dead_code, reason = "what else is left to chance, the soak needs")]
mod chance;
mod cluster;
mod daemon;
mod figures;
mod observe;
mod ping;
mod relay;
mod run;
mod users;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::figures::Report;

/// What is measured.
#[derive(Clone, Debug, Parser)]
#[command(name = "latency", about = "How long a request waits for its verdict")]
struct Args {
    /// Requests of a run that count
    #[arg(long, default_value_t = 12_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    requests: u64,
    /// Requests before those, which do not count
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    warm_up: u64,
    /// Requests a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// Requests come at even distances, not by chance (as a Poisson process)
    #[arg(long)]
    even: bool,
    /// The round trips that are injected, in milliseconds; each is a run
    #[arg(long, value_delimiter = ',', default_value = "0,5", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    round_trip_ms: Vec<u64>,
    /// How often the daemon lists everything, in seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    poll_s: u64,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For programs
    #[arg(long)]
    json: bool,
    /// The daemon; without it, the one that was built beside this program
    #[arg(long, value_name = "PATH")]
    tribunal: Option<PathBuf>,
    /// Keep the daemon's files here: configuration, ledger, log
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

// === impl Args ===

impl Args {
    fn round_trips(&self) -> impl Iterator<Item = Duration> {
        self.round_trip_ms.iter().map(|ms| Duration::from_millis(*ms))
    }
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people, whose figures are what it is for")]
fn main() -> ExitCode {
    let args = Args::parse();
    let seen = match observe::Reads::start() {
        Ok(seen) => seen,
        Err(why) => {
            eprintln!("latency failed: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut reports: Vec<Report> = Vec::new();
    for round_trip in args.round_trips() {
        match run::run(&args, round_trip, &seen) {
            Ok(report) => reports.push(report),
            Err(why) => {
                eprintln!("latency failed: {why}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", if args.json { figures::json(&reports) } else { figures::table(&reports) });
    if reports.iter().all(Report::is_clean) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
