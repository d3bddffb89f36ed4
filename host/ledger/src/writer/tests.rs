//! The writer over a store that fails on command. It must never touch a file.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use tribunal_core::Timestamp;
use tribunal_core::record::Lifecycle;
use tribunal_ports::Ledger as _;

use super::*;
use crate::schema::{Body, Line};
use crate::store::{Batch, Place};
use crate::{BATCH_RECORDS_MAX, LINE_BYTES_MAX};

/// What a store is made to do, and what it has.
#[derive(Default)]
struct State {
    commits: Vec<Vec<Line>>,
    repairs: u32,
    fail_commit: Option<io::ErrorKind>,
    fail_repair: Option<io::ErrorKind>,
}

/// A store in memory. Where there is a gate, each commit says that it began and waits for leave.
#[derive(Clone, Default)]
struct Fake {
    state: Arc<Mutex<State>>,
    gate: Option<Arc<Gate>>,
}

struct Gate {
    began: SyncSender<()>,
    leave: Mutex<Receiver<()>>,
}

impl Store for Fake {
    fn prepare(&mut self) -> io::Result<Place> {
        Ok(START)
    }

    fn commit(&mut self, batch: &Batch) -> io::Result<()> {
        if let Some(gate) = &self.gate {
            gate.began.send(()).unwrap();
            gate.leave.lock().unwrap().recv().unwrap();
        }
        let mut state = self.state.lock().unwrap();
        if let Some(kind) = state.fail_commit {
            return Err(kind.into());
        }
        let lines = batch.lines.split_inclusive(|byte| *byte == b'\n').map(|line| Line::parse(line).unwrap()).collect();
        state.commits.push(lines);
        Ok(())
    }

    fn repair(&mut self) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.repairs += 1;
        state.fail_repair.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

const START: Place = Place { segment: 1, offset: 0 };

/// A ledger over this store that goes on with this number.
fn start(store: impl Store, clock: impl Fn() -> Instant + Send + 'static, next_seq: u64, queue: usize) -> Ledger {
    let begin = Begin { standing: Standing::new(next_seq, START), notary: None, keys: None };
    Ledger::start(store, clock, begin, queue).unwrap()
}

fn record(number: u64) -> Record {
    Record::Lifecycle { at: Timestamp::from_millis(number), what: Lifecycle::Started, detail: number.to_string() }
}

/// A clock that a test moves.
fn clock() -> (Arc<Mutex<Instant>>, impl Fn() -> Instant + Send + 'static) {
    let now = Arc::new(Mutex::new(Instant::now()));
    let read = Arc::clone(&now);
    (now, move || *read.lock().unwrap())
}

fn gated() -> (Fake, Receiver<()>, SyncSender<()>) {
    let (began, has_begun) = mpsc::sync_channel(64);
    let (give, leave) = mpsc::sync_channel(64);
    let gate = Gate { began, leave: Mutex::new(leave) };
    (Fake { gate: Some(Arc::new(gate)), ..Fake::default() }, has_begun, give)
}

#[tokio::test]
async fn records_keep_the_order_of_the_calls_whatever_the_order_of_the_polls() {
    let fake = Fake::default();
    let ledger = start(fake.clone(), Instant::now, 5, QUEUE_RECORDS_MAX);
    let appends: Vec<_> = (0..100).map(|number| ledger.append(record(number))).collect();
    for append in appends.into_iter().rev() {
        append.await.unwrap();
    }
    let state = fake.state.lock().unwrap();
    let lines: Vec<_> = state.commits.iter().flatten().collect();
    let seqs: Vec<u64> = lines.iter().map(|line| line.seq).collect();
    assert_eq!(seqs, (5..105).collect::<Vec<_>>());
    let details: Vec<_> = lines
        .iter()
        .map(|line| match &line.body {
            Body::Lifecycle(lifecycle) => lifecycle.detail.clone(),
            Body::Decided(_) | Body::Outcome(_) => String::new(),
        })
        .collect();
    assert_eq!(details, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_durable_write_serves_all_that_gathered_meanwhile() {
    let (fake, has_begun, give) = gated();
    let ledger = start(fake.clone(), Instant::now, 1, QUEUE_RECORDS_MAX);
    let first = ledger.append(record(0));
    has_begun.recv().unwrap();
    let rest: Vec<_> = (1..=500).map(|number| ledger.append(record(number))).collect();
    give.send(()).unwrap();
    give.send(()).unwrap();
    first.await.unwrap();
    for append in rest {
        append.await.unwrap();
    }
    let sizes: Vec<_> = fake.state.lock().unwrap().commits.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 500]);
}

#[tokio::test]
async fn a_durable_write_serves_no_more_than_its_limit() {
    let (fake, has_begun, give) = gated();
    let ledger = start(fake.clone(), Instant::now, 1, QUEUE_RECORDS_MAX);
    let first = ledger.append(record(0));
    has_begun.recv().unwrap();
    let rest: Vec<_> = (0..=BATCH_RECORDS_MAX).map(|_| ledger.append(record(0))).collect();
    (0..3).for_each(|_| give.send(()).unwrap());
    first.await.unwrap();
    for append in rest {
        append.await.unwrap();
    }
    let sizes: Vec<_> = fake.state.lock().unwrap().commits.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, BATCH_RECORDS_MAX, 1]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_loses_nothing_that_it_took() {
    let (fake, has_begun, give) = gated();
    let ledger = start(fake.clone(), Instant::now, 1, 2);
    let first = ledger.append(record(0));
    has_begun.recv().unwrap();
    let taken = [ledger.append(record(1)), ledger.append(record(2))];
    let refused = ledger.append(record(3)).await.unwrap_err();
    assert!(refused.starts_with("the ledger is behind"), "{refused}");
    give.send(()).unwrap();
    give.send(()).unwrap();
    first.await.unwrap();
    for append in taken {
        append.await.unwrap();
    }
    assert_eq!(fake.state.lock().unwrap().commits.iter().flatten().count(), 3);
}

#[tokio::test]
async fn a_full_disk_fails_every_append_until_there_is_room_again() {
    let fake = Fake::default();
    let (now, clock) = clock();
    let ledger = start(fake.clone(), clock, 1, QUEUE_RECORDS_MAX);
    ledger.append(record(0)).await.unwrap();

    fake.state.lock().unwrap().fail_commit = Some(io::ErrorKind::StorageFull);
    let error = ledger.append(record(1)).await.unwrap_err();
    assert!(error.starts_with("the ledger cannot be written: "), "{error}");

    // There is room again, but the pause is not over: the store is left alone.
    fake.state.lock().unwrap().fail_commit = None;
    assert_eq!(ledger.append(record(2)).await.unwrap_err(), error);
    assert_eq!(fake.state.lock().unwrap().repairs, 0);

    *now.lock().unwrap() += RETRY_PAUSE_MIN;
    ledger.append(record(3)).await.unwrap();
    let state = fake.state.lock().unwrap();
    assert_eq!(state.repairs, 1);
    let seqs: Vec<u64> = state.commits.iter().flatten().map(|line| line.seq).collect();
    assert_eq!(seqs, [1, 2], "failed records leave no gap");
}

#[tokio::test]
async fn pauses_grow_to_their_limit_while_nothing_works() {
    let fake = Fake::default();
    let (now, clock) = clock();
    let ledger = start(fake.clone(), clock, 1, QUEUE_RECORDS_MAX);
    fake.state.lock().unwrap().fail_commit = Some(io::ErrorKind::StorageFull);
    fake.state.lock().unwrap().fail_repair = Some(io::ErrorKind::StorageFull);
    ledger.append(record(0)).await.unwrap_err();
    let mut failed_at = *now.lock().unwrap();
    let mut pause = RETRY_PAUSE_MIN;
    for repairs in 1..=10 {
        *now.lock().unwrap() = failed_at + pause - Duration::from_millis(1);
        ledger.append(record(0)).await.unwrap_err();
        assert_eq!(fake.state.lock().unwrap().repairs, repairs - 1, "tried before the pause was over");
        failed_at += pause;
        *now.lock().unwrap() = failed_at;
        ledger.append(record(0)).await.unwrap_err();
        assert_eq!(fake.state.lock().unwrap().repairs, repairs);
        pause = (pause * 2).min(RETRY_PAUSE_MAX);
    }
    assert_eq!(pause, RETRY_PAUSE_MAX);
}

#[tokio::test]
async fn a_record_too_long_is_refused_alone() {
    let fake = Fake::default();
    let ledger = start(fake.clone(), Instant::now, 1, QUEUE_RECORDS_MAX);
    let long =
        Record::Lifecycle { at: Timestamp::from_millis(0), what: Lifecycle::Alarm, detail: "x".repeat(LINE_BYTES_MAX) };
    let error = ledger.append(long).await.unwrap_err();
    assert!(error.contains("the ledger takes 16777216"), "{error}");
    ledger.append(record(0)).await.unwrap();
    let state = fake.state.lock().unwrap();
    let seqs: Vec<u64> = state.commits.iter().flatten().map(|line| line.seq).collect();
    assert_eq!(seqs, [1]);
}

#[test]
fn dropping_the_ledger_waits_for_what_was_appended() {
    let fake = Fake::default();
    let ledger = start(fake.clone(), Instant::now, 1, QUEUE_RECORDS_MAX);
    for number in 0..50 {
        drop(ledger.append(record(number)));
    }
    drop(ledger);
    assert_eq!(fake.state.lock().unwrap().commits.iter().flatten().count(), 50);
}
