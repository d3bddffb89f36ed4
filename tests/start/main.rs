//! `start`: how long the daemon takes to be ready, and what it has in memory when it has nothing to do. The real program as a
//! process of its own, with many different plugins whose native code is in its cache. It must never measure what a process
//! that was there before had done.
//!
//! ```console
//! $ cargo build --release -p tribunal && cargo run --release -p tribunal-tests --bin start
//! ```
//!
//! The plugins are the reference policy `cap` with something added to each that makes it another component. Four figures come
//! of it. `check`: a whole process that reads a configuration, loads its plugins and says what it found, from its start to its
//! end. `loaded` and `ready`: a daemon in front of a simulated cluster, until its plugins are loaded and until it says itself
//! that it is ready, which takes a connection and a full list. `memory`: what a daemon with fewer plugins has resident a while
//! after it was ready.

#[path = "../soak/binary.rs"]
mod binary;
mod measure;
mod plugins;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use self::measure::Figures;

/// What is measured.
#[derive(Clone, Debug, Parser)]
#[command(name = "start", about = "How long the daemon takes to be ready, and what it has in memory")]
struct Args {
    /// Plugins whose loading is measured
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=256))]
    plugins: u64,
    /// Plugins of the daemon whose memory is measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=256))]
    idle_plugins: u64,
    /// Starts of each kind; the first of them does not count
    #[arg(long, default_value_t = 21, value_parser = clap::value_parser!(u64).range(2..=10_000))]
    starts: u64,
    /// Seconds from when a daemon is ready to when its memory is looked at
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=3_600))]
    idle_secs: u64,
    /// For programs
    #[arg(long)]
    json: bool,
    /// The daemon; without it, the one that was built beside this program
    #[arg(long, value_name = "PATH")]
    tribunal: Option<PathBuf>,
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people, whose figures are what it is for")]
fn main() -> ExitCode {
    let args = Args::parse();
    match measure::measure(&args) {
        Ok(figures) => {
            println!("{}", if args.json { figures.json() } else { table(&args, &figures) });
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("start failed: {why}");
            ExitCode::FAILURE
        }
    }
}

/// For people.
fn table(args: &Args, figures: &Figures) -> String {
    let Args { plugins, idle_plugins, idle_secs, .. } = args;
    let mut lines =
        vec![format!("{plugins} cached plugins, ms from the start of the process       best    median     worst")];
    for (what, took) in [
        ("`tribunal check`, to its end", &figures.check),
        ("`tribunal run`, plugins loaded", &figures.loaded),
        ("`tribunal run`, ready", &figures.ready),
    ] {
        let [best, median, worst] = took.quantiles().map(|took| took.as_secs_f64() * 1_000.0);
        lines.push(format!("  {what:<48}{best:>10.1}{median:>10.1}{worst:>10.1}"));
    }
    lines.push(format!("{idle_plugins} plugins, {idle_secs} s after it was ready: {}", figures.memory));
    lines.join("\n")
}
