//! Runs schedules by the million and says what it found.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use clap::Parser;
use tribunal_simulation::schedule::{self, Failed};
use tribunal_simulation::search;

/// Runs random schedules of the core against a model of Teleport, and checks the laws after every step.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// How many schedules.
    #[arg(long, default_value_t = 1_000_000)]
    schedules: u64,
    /// The seed of the first one; the others follow.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Search small scopes completely instead, with up to so many events and one crash.
    #[arg(long, value_name = "EVENTS", value_parser = clap::value_parser!(u32).range(..=i64::from(search::EVENTS_MAX)))]
    exhaustive: Option<u32>,
    /// How many at once; as many as there are processors unless said.
    #[arg(long)]
    threads: Option<usize>,
}

/// Schedules between two lines of progress.
const PROGRESS_SCHEDULES: u64 = 100_000;

fn main() -> ExitCode {
    let args = Args::parse();
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let begun = Instant::now();
    if let Some(events) = args.exhaustive {
        return exhaust(events, begun);
    }
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let failed: Mutex<Option<Box<Failed>>> = Mutex::new(None);
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= args.schedules || failed.lock().unwrap_or_else(PoisonError::into_inner).is_some() {
                return;
            }
            if let Err(wrong) = schedule::check(args.first_seed.wrapping_add(number)) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(wrong);
            }
            let done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if done.is_multiple_of(PROGRESS_SCHEDULES) {
                println!("{done} schedules in {:.0} s", begun.elapsed().as_secs_f64());
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    if let Some(failed) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        println!("{failed}");
        return ExitCode::FAILURE;
    }
    let last = args.first_seed.wrapping_add(args.schedules.saturating_sub(1));
    let secs = begun.elapsed().as_secs_f64();
    println!("seeds {} to {last}: no law broken in {} schedules, {secs:.0} s", args.first_seed, args.schedules);
    ExitCode::SUCCESS
}

fn exhaust(events: u32, begun: Instant) -> ExitCode {
    let searched = std::thread::scope(|scope| {
        let threads = search::SCOPES.map(|it| {
            let told = move |states| {
                println!("scope `{}`: {states} states in {:.0} s", it.name(), begun.elapsed().as_secs_f64())
            };
            (it.name(), scope.spawn(move || it.search(events, told)))
        });
        threads.map(|(name, thread)| (name, thread.join()))
    });
    for (name, found) in searched {
        match found {
            Ok(Ok(found)) => println!("scope `{name}`: {} states, {} of them at rest", found.states, found.at_rest),
            Ok(Err(broken)) => {
                println!("scope `{name}`: {broken}");
                return ExitCode::FAILURE;
            }
            Err(_panicked) => return ExitCode::FAILURE,
        }
    }
    println!(
        "no law broken in any order of up to {events} events and one crash, {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}
