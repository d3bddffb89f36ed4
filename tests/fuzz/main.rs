//! `fuzz`: hostile bytes for whatever reads the bytes of others: the identity file, a proxy's answers, WebSocket frames,
//! SSH, protobuf messages, the configuration. It must never need more than a seed to come to the same finding again.
//!
//! ```console
//! $ cargo run --release -p tribunal-tests --bin fuzz -- --target identity --minutes 10 --seed 1
//! ```
//!
//! Every case must end: without a panic, within a time, within a multiple of its own length of memory, and with answers
//! that hold. Whatever does not is written to a file, and `--replay FILE` runs it again. Cases are mutations of the corpus
//! (`tests/fuzz/corpus`), which `cargo test` replays; a case that leads to a new answer joins it for the run, and with
//! `--keep` for good.
//!
//! Built with counters on the edges of its code, it follows new edges as well, as libFuzzer does. No other toolchain is
//! needed:
//!
//! ```console
//! $ RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
//!     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Ccodegen-units=1" CARGO_PROFILE_RELEASE_LTO=off \
//!     cargo run --release --target x86_64-unknown-linux-gnu -p tribunal-tests --bin fuzz -- --minutes 10
//! ```

#[path = "../soak/chance.rs"]
mod chance;
mod corpus;
mod coverage;
mod engine;
mod guard;
mod memory;
mod mutate;
mod targets;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::builder::{PossibleValue, PossibleValuesParser};

use self::engine::{Plan, Report};
use self::targets::{MISTAKES, NAMES, Target};

#[global_allocator]
static MEMORY: memory::Counting = memory::Counting;

/// What is tried, and for how long.
#[derive(Clone, Debug, Parser)]
#[command(name = "fuzz", about = "Hostile bytes for whatever reads the bytes of others")]
struct Args {
    /// What reads them; without it, one after the other
    #[arg(long, value_parser = names())]
    target: Option<String>,
    /// How long, for each target
    #[arg(long, conflicts_with = "cases", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    minutes: Option<u64>,
    /// How many cases after the corpus, for each target
    #[arg(long)]
    cases: Option<u64>,
    /// Of everything that is left to chance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the corpus is
    #[arg(long, value_name = "DIR", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus"))]
    corpus: PathBuf,
    /// Make the corpus of as few and as short cases as lead wherever this run came
    #[arg(long)]
    keep: bool,
    /// Run this one case alone
    #[arg(long, value_name = "FILE", requires = "target")]
    replay: Option<PathBuf>,
    /// Where a case is written that fails
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir())]
    failures: PathBuf,
}

fn names() -> PossibleValuesParser {
    let tried = NAMES.into_iter().map(PossibleValue::new);
    tried.chain([PossibleValue::new(MISTAKES).hide(true)]).into()
}

fn main() -> ExitCode {
    let args = Args::parse();
    for name in args.target.as_deref().map_or(NAMES.to_vec(), |name| vec![name]) {
        match fuzz(&args, name) {
            Ok(report) => say(&report.to_string()),
            Err(why) => {
                say(&format!("fuzz failed: {name} (seed {}): {why}", args.seed));
                return ExitCode::FAILURE;
            }
        }
    }
    say("fuzz: clean");
    ExitCode::SUCCESS
}

fn fuzz(args: &Args, name: &str) -> Result<Report, String> {
    let target = Target::named(name)?;
    let plan = Plan {
        seed: args.seed,
        cases: args.cases.unwrap_or(if args.minutes.is_some() { u64::MAX } else { 0 }),
        time: args.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60))),
        failures: args.failures.clone(),
    };
    if let Some(path) = &args.replay {
        return engine::replay(target, path, &plan);
    }
    let corpus = corpus::load(&args.corpus.join(name))?;
    let (report, found) = engine::run(target, corpus, &plan)?;
    if args.keep {
        let few = engine::distil(Target::named(name)?, found, &plan)?;
        corpus::store(&args.corpus.join(name), &few)?;
    }
    Ok(report)
}

/// A line for whoever waits.
#[expect(clippy::print_stderr, reason = "this is a program for people, and its report is what it is for")]
fn say(line: &str) {
    eprintln!("{line}");
}
