//! What is left open is closed through failures that pass, and left alone where they do not. Nothing here waits.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Listing, Resolution};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::record::StepResult;
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};
use tribunal_ports::{Kept, Lease, LeaseWish, Taken};

use super::*;

/// A cluster of which the first so many reads fail in this way, and in which nothing is.
struct Failing {
    reads_left: AtomicU32,
    class: FailureClass,
}

/// Remembers what it was given.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

/// Jumps to whenever somebody waits for.
struct Jumping(AtomicU64);

fn unexpected() -> Failure {
    Failure::new(FailureClass::Alarm, "only reads are expected here")
}

impl Teleport for Failing {
    async fn list(&self) -> Result<Listing, Failure> {
        Err(unexpected())
    }

    async fn reread(&self, requests: Vec<RequestId>, locks: Vec<LockName>) -> Result<Fresh, Failure> {
        let fails =
            self.reads_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        if fails {
            return Err(Failure::new(self.class, "not now"));
        }
        Ok(Fresh { requests: vec![None; requests.len()], locks: vec![None; locks.len()] })
    }

    async fn background(&self, _user: UserName, _resources: Vec<RequestedResource>) -> Result<Background, Failure> {
        Err(unexpected())
    }

    async fn write_lock(&self, _lock: Lock) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn delete_lock(&self, _name: LockName) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn resolve(&self, _resolution: Resolution) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn take_lease(&self, _wish: LeaseWish) -> Result<Taken, Failure> {
        Err(unexpected())
    }

    async fn keep_lease(&self, _lease: Lease) -> Result<Kept, Failure> {
        Err(unexpected())
    }

    async fn release_lease(&self, _lease: Lease) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn watch(&self, _events: mpsc::Sender<Event>) {}
}

impl Ledger for Memory {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        self.0.lock().unwrap().push(record);
        std::future::ready(Ok(()))
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.store(at.as_millis(), Ordering::SeqCst);
    }
}

/// Two decisions are open, and the first so many reads fail: what became of the closing, the steps that were closed, and
/// the time that it took in milliseconds.
async fn closed_after(failures: u32, class: FailureClass) -> (Result<(), Failure>, Vec<Step>, u64) {
    let ports = Ports {
        teleport: Arc::new(Failing { reads_left: AtomicU32::new(failures), class }),
        engine: Arc::new(()),
        ledger: Arc::new(Memory::default()),
        clock: Arc::new(Jumping(AtomicU64::new(0))),
    };
    let open = ["r1", "r2"].map(|id| (DecisionId::new(format!("d-{id}")), vec![Step::Approve(RequestId::new(id))]));
    let closed = close(&ports, open.into()).await;
    let records = std::mem::take(&mut *ports.ledger.0.lock().unwrap());
    let steps = records.into_iter().filter_map(|record| match record {
        Record::Outcome(Outcome { step, result: StepResult::Superseded(_), .. }) => Some(step),
        Record::Outcome(_) | Record::Decided(_) | Record::Lifecycle { .. } => None,
    });
    (closed, steps.collect(), ports.clock.now().as_millis())
}

fn both() -> Vec<Step> {
    ["r1", "r2"].map(|id| Step::Approve(RequestId::new(id))).into()
}

#[tokio::test]
async fn reads_that_fail_for_a_while_leave_nothing_open() {
    for failures in 0..TRIES_MAX {
        let (closed, steps, _) = closed_after(failures, FailureClass::Retry).await;
        assert_eq!((closed, steps), (Ok(()), both()), "{failures}");
    }
}

#[tokio::test]
async fn a_cluster_that_cannot_be_read_holds_the_start_up_for_a_bounded_time() {
    let (closed, steps, took_ms) = closed_after(u32::MAX, FailureClass::Retry).await;
    assert_eq!((closed.is_err(), steps), (true, Vec::new()));
    assert!(took_ms < 30_000, "{took_ms} ms");
}

#[tokio::test]
async fn a_failure_that_a_person_must_mend_is_not_waited_out() {
    let (closed, steps, took_ms) = closed_after(1, FailureClass::Alarm).await;
    assert_eq!((closed.is_err(), steps, took_ms), (true, Vec::new(), 0));
}
