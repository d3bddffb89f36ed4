//! How fast recorded decisions are made again: `cargo bench -p tribunal --bench replay`, or with a number of decisions, and a
//! directory in which the ledger is to stay. It must never be mistaken for a test: it says figures, and judges none.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a program of the developers")]

#[path = "../tests/past/kept.rs"]
mod kept;
#[path = "../tests/past/made.rs"]
mod made;
#[path = "../tests/past/native.rs"]
mod native;

use std::path::Path;
use std::time::Instant;

use mimalloc::MiMalloc;
use serde_json::Value;
use tribunal::replay::{Against, Change, Progress, replay};
use tribunal_ledger::Filter;

use kept::{decided, open, parts, write};
use made::{CAP, SEPARATION};
use native::Natives;

/// As the program has it.
#[global_allocator]
static MEMORY: MiMalloc = MiMalloc;

const DECISIONS: u64 = 1_000_000;
/// So many are made at once, on all processors.
const BATCH: u64 = 20_000;

fn make(directory: &Path, count: u64) {
    let (ledger, id) = open(directory, parts(&[("separation", SEPARATION), ("cap", CAP)]));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let panel = Natives::new().separation(SEPARATION).cap(CAP);
    let threads = std::thread::available_parallelism().unwrap().get() as u64;
    for from in (0..count).step_by(usize::try_from(BATCH).unwrap()) {
        let until = (from + BATCH).min(count);
        let share = (until - from).div_ceil(threads);
        let made = std::thread::scope(|scope| {
            let panel = &panel;
            let shares: Vec<_> = (0..threads)
                .map(|thread| {
                    let (from, until) = (from + thread * share, (from + (thread + 1) * share).min(until));
                    scope.spawn(move || (from..until).map(|number| decided(number, panel)).collect::<Vec<_>>())
                })
                .collect();
            shares.into_iter().flat_map(|share| share.join().unwrap()).collect::<Vec<_>>()
        });
        runtime.block_on(write(&ledger, &id, made.into_iter()));
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let count = arguments.first().map_or(DECISIONS, |count| count.parse().unwrap());
    // Not `/tmp`, which may be memory.
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let directory = arguments.get(1).map_or_else(|| root.path().to_owned(), Into::into);
    let began = Instant::now();
    make(&directory, count);
    println!("{count} decisions made in {:.1} s", began.elapsed().as_secs_f64());
    let threads = std::thread::available_parallelism().unwrap().get();
    let settings = vec![("cap".to_owned(), "max-resources".to_owned(), Value::from(2))];
    for (what, against) in [
        ("the same again", Against::Recorded),
        ("with a cap of 2", Against::Changed(Change { settings, ..Change::default() })),
    ] {
        let began = Instant::now();
        let report = replay(&directory, &Filter::default(), &against, threads, &Progress::default()).unwrap();
        let took = began.elapsed().as_secs_f64();
        println!(
            "{what}: {} decisions, {} made again, {} differences, {} flips, {took:.1} s on {threads} threads",
            report.decisions,
            report.remade,
            report.differences_count,
            report.flips.len()
        );
    }
}
