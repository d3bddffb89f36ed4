//! `rounds`: what whole rounds of the daemon cost, by how much there is in the cluster. The real daemon, with its panel in Wasm,
//! its ledger on a disk and mTLS, in front of a simulated cluster on the same machine. It must never count what the daemon did
//! otherwise than from outside: by its metrics, by what the server holds, and by what the system says of its process.
//!
//! ```console
//! $ cargo build --release -p tribunal && cargo run --release -p tribunal-tests --bin rounds
//! ```
//!
//! Each of `--live` with each of `--latency-ms` (what the server waits before it answers) is a run of its own, with four
//! rounds: the first one, from the start of the process; one in which nothing has changed; one in which one in a hundred
//! requests is gone, and a new one is there in its place; and one that follows a burst of new requests. A user has ten
//! requests: nine that the daemon approved in an earlier run, and one that waits for it. The cap is ten, so that each request
//! of the burst costs its user an older one: a lock before the approval.
//!
//! Rounds are brought about by breaking the stream of events, after which the daemon lists everything. A round is over when
//! nothing is pending and no user is judged or waits; its time is counted from when its list was begun (that of the burst:
//! from when it was made). Of that time it says what the list took; of the processor's, what policies took, what the ledger
//! did, and what everything else did: lists, calls, the controller. Whether cost grows as the cluster does shows in the time
//! for each thousand requests, and `--json` tells all of it for programs.

#[path = "../soak/binary.rs"]
mod binary;
mod cluster;
mod daemon;
mod figures;
mod metrics;
mod run;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use self::figures::Report;

/// What is measured.
#[derive(Clone, Debug, Parser)]
#[command(name = "rounds", about = "What whole rounds of the daemon cost")]
struct Args {
    /// Live requests, ten of each user; each number is a run
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000", value_parser = clap::value_parser!(u64).range(10..=190_000))]
    live: Vec<u64>,
    /// What the server waits before it answers, in milliseconds; each is a run
    #[arg(long, value_delimiter = ',', default_value = "0,5", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    latency_ms: Vec<u64>,
    /// New requests of the burst
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    burst: u64,
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

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people, whose figures are what it is for")]
fn main() -> ExitCode {
    let args = Args::parse();
    let mut reports: Vec<Report> = Vec::new();
    for latency_ms in &args.latency_ms {
        for live in &args.live {
            match run::run(&args, *live, Duration::from_millis(*latency_ms)) {
                Ok(report) => {
                    if !args.json {
                        println!("{}", figures::table(&report));
                    }
                    reports.push(report);
                }
                Err(why) => {
                    eprintln!("rounds failed with {live} requests and {latency_ms} ms: {why}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    println!("{}", if args.json { figures::json(&reports) } else { figures::growth(&reports) });
    ExitCode::SUCCESS
}
