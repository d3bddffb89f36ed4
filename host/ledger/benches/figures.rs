//! How fast records are written, verified and found: `cargo bench -p tribunal-ledger`, or with a number of records. It must
//! never be mistaken for a test: it says figures, and judges none.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program of the developers")]

#[path = "../tests/evidence/made.rs"]
mod made;

use std::collections::VecDeque;
use std::path::Path;
use std::time::{Duration, Instant};

use tribunal_ledger::{Filter, Ledger, check, prove, public_key, search, show};
use tribunal_ports::Ledger as _;

const RECORDS: usize = 1_000_000;
/// So many appends are under way at once; the ledger refuses more than 4096.
const AT_ONCE: usize = 2_048;
/// So many are made ahead, so that making them is not measured.
const AHEAD: usize = 50_000;
/// So many appends, one after the other, say what one costs.
const ALONE: usize = 500;

/// The processor time of this process so far, in hundredths of a second: on a busy machine it says more than the clock.
fn busy_ticks() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
    fields.filter_map(|field| field.parse::<u64>().ok()).sum()
}

fn say(what: &str, took: Duration, ticks: u64, count: usize) {
    let (clock, busy) = (took.as_secs_f64(), ticks as f64 / 100.0);
    let rate = count as f64 / clock;
    println!("{what:<40} {clock:>9.3} s {busy:>9.2} s of processors {rate:>12.0} a second");
}

async fn fill(directory: &Path, records: usize) {
    let (ledger, _) = Ledger::open(directory).unwrap();
    let panel = ledger.store(made::panel(100_000)).unwrap();
    let mut made = made::records().take(records).map(|record| made::by(&panel, record));
    let (mut busy, mut ticks) = (Duration::ZERO, 0);
    loop {
        let ahead: Vec<_> = made.by_ref().take(AHEAD).collect();
        if ahead.is_empty() {
            break;
        }
        let (began, ticks_before) = (Instant::now(), busy_ticks());
        let mut under_way = VecDeque::new();
        for record in ahead {
            under_way.push_back(ledger.append(record));
            if under_way.len() >= AT_ONCE {
                under_way.pop_front().unwrap().await.unwrap();
            }
        }
        for append in under_way {
            append.await.unwrap();
        }
        busy += began.elapsed();
        ticks += busy_ticks() - ticks_before;
    }
    say("append, many at once", busy, ticks, records);
    let (began, ticks) = (Instant::now(), busy_ticks());
    for number in 0..ALONE {
        ledger.append(made::decided(number as u64 + 4_000_000)).await.unwrap();
    }
    say("append decisions, one after the other", began.elapsed(), busy_ticks() - ticks, ALONE);
    let (began, ticks) = (Instant::now(), busy_ticks());
    drop(ledger);
    say("stop", began.elapsed(), busy_ticks() - ticks, 1);
}

fn size(directory: &Path, ending: &str) -> u64 {
    let entries = std::fs::read_dir(directory).unwrap().map(Result::unwrap);
    entries
        .filter(|entry| entry.path().extension().is_some_and(|there| there == ending))
        .map(|entry| entry.metadata().unwrap().len())
        .sum()
}

fn main() {
    let records = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(RECORDS);
    // Not `/tmp`, which may be memory: what is durable counts.
    let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let directory = root.path();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(fill(directory, records));
    let [lines, packs] = ["jsonl", "pack"].map(|ending| size(directory, ending) as f64 / 1e6);
    println!("{lines:.0} MB of lines, {packs:.0} MB of cases");

    let timed = |what: &str, count: usize, work: &dyn Fn() -> usize| {
        let (began, ticks) = (Instant::now(), busy_ticks());
        let found = work();
        say(&format!("{what} ({found})"), began.elapsed(), busy_ticks() - ticks, count);
    };
    let key = public_key(directory).unwrap();
    timed("start with the signed state", 1, &|| {
        let (_, recovery) = Ledger::open(directory).unwrap();
        usize::from(recovery.read_all.is_some())
    });
    timed("verify: findings", records, &|| check(directory, &key, None).unwrap().findings.len());
    let user = Filter { user: Some(made::user(7)), ..Filter::default() };
    timed("list --user: decisions", records, &|| search(directory, &user).unwrap().map(Result::unwrap).count());
    let id = made::decision_id(records as u64 / 4);
    timed("show ID: outcomes", 1, &|| {
        let wanted = tribunal_ledger::Wanted::Decision(id.clone());
        show(directory, &wanted).unwrap().unwrap().outcomes.len()
    });
    let shown = show(directory, &tribunal_ledger::Wanted::Record(records as u64 / 2)).unwrap().unwrap();
    timed("prove ID: bytes", 1, &|| prove(directory, &key, shown.record.seq, &shown.bytes).unwrap().to_string().len());
    std::fs::remove_file(directory.join("state")).unwrap();
    timed("start that reads everything", records, &|| {
        let (_, recovery) = Ledger::open(directory).unwrap();
        usize::from(recovery.read_all.is_some())
    });
}
