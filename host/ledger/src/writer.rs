//! Appending: one thread writes, many records share one durable write, and a failure fails every append until writing
//! works again. It never acknowledges a record that is not durable.

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::{error, info};
use tribunal_core::record::Record;

use crate::directory::{Directory, OpenError};
use crate::reader::ReadError;
use crate::recovery::{self, Recovery};
use crate::schema::Line;
use crate::store::{Files, Store};
use crate::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, LINE_BYTES_MAX, QUEUE_RECORDS_MAX};

/// The pause after the first failure before an append tries to write again; it doubles with each further one.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest such pause.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// A ledger that is open for appending. Dropping it waits until everything that was appended is written.
#[derive(Debug)]
pub struct Ledger {
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

/// A record on its way, and who waits for it.
#[derive(Debug)]
pub(crate) struct Job {
    record: Record,
    done: Done,
}

type Done = oneshot::Sender<Result<(), String>>;

struct Writer<S, C> {
    store: S,
    clock: C,
    next_seq: u64,
    health: Health,
}

enum Health {
    Well,
    Broken { reason: String, retry_at: Instant, pause: Duration },
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger in this directory, which is made where it is missing, reads it through, cuts off a torn last
    /// line and says what it found. Blocks; call it before anything else depends on time.
    ///
    /// # Errors
    /// When the directory cannot be used, is in use by another process, or holds a damaged ledger.
    pub fn open(directory: &Path) -> Result<(Self, Recovery), OpenError> {
        let directory = Directory::claim(directory)?;
        let (recovery, segment, next_seq) = recovery::recover(&directory)?;
        let path = segment.path.clone();
        let store = Files::open(directory, segment).map_err(|source| ReadError::Io { path, source })?;
        let ledger = Self::start(store, Instant::now, next_seq, QUEUE_RECORDS_MAX).map_err(OpenError::Thread)?;
        Ok((ledger, recovery))
    }

    /// Starts the writer over any store. The clock is for pauses after failures only.
    pub(crate) fn start(
        store: impl Store,
        clock: impl Fn() -> Instant + Send + 'static,
        next_seq: u64,
        queue_records_max: usize,
    ) -> io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(queue_records_max);
        let mut writer = Writer { store, clock, next_seq, health: Health::Well };
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&jobs))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    fn enqueue(&self, record: Record) -> oneshot::Receiver<Result<(), String>> {
        let (done, answer) = oneshot::channel();
        let refused = match self.queue.as_ref().map(|queue| queue.try_send(Job { record, done })) {
            Some(Ok(())) => None,
            Some(Err(TrySendError::Full(job))) => {
                Some((job, format!("the ledger is behind: {QUEUE_RECORDS_MAX} records wait to be written")))
            }
            Some(Err(TrySendError::Disconnected(job))) => Some((job, STOPPED.to_owned())),
            None => None, // closed: the sender is gone, and the receiver says so
        };
        if let Some((job, reason)) = refused {
            answer_to(job.done, Err(reason));
        }
        answer
    }
}

const STOPPED: &str = "the ledger's writer has stopped; restart the daemon";

impl tribunal_ports::Ledger for Ledger {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        // Here and not in the future: the order of the calls counts, not that of the first polls.
        let answer = self.enqueue(record);
        async move { answer.await.unwrap_or_else(|_| Err(STOPPED.to_owned())) }
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("Ledger writer panicked");
        }
    }
}

// === impl Writer ===

impl<S: Store, C: Fn() -> Instant> Writer<S, C> {
    fn run(&mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            match self.ready() {
                Ok(()) => self.serve(first, jobs),
                Err(reason) => answer_to(first.done, Err(reason)),
            }
        }
    }

    /// Whether writing works, as far as is known; after a pause a failed store is repaired first.
    fn ready(&mut self) -> Result<(), String> {
        let Health::Broken { reason, retry_at, .. } = &self.health else { return Ok(()) };
        if (self.clock)() < *retry_at {
            return Err(reason.clone());
        }
        self.store.repair().map_err(|error| self.break_down(&error))?;
        info!("Ledger can be written again");
        Ok(())
    }

    /// Writes a record and those that have gathered behind it.
    fn serve(&mut self, first: Job, jobs: &Receiver<Job>) {
        let mut lines = Vec::new();
        let mut waiting: Vec<Done> = Vec::new();
        let mut seq = self.next_seq;
        let mut next = Some(first);
        while let Some(Job { record, done }) = next.take() {
            match encode(seq, &record, &mut lines) {
                Ok(()) => {
                    seq = seq.saturating_add(1);
                    waiting.push(done);
                }
                Err(reason) => answer_to(done, Err(reason)),
            }
            if waiting.len() < BATCH_RECORDS_MAX && lines.len() < BATCH_BYTES_MAX {
                next = jobs.try_recv().ok();
            }
        }
        if waiting.is_empty() {
            return;
        }
        let result = self.store.commit(&lines).map_err(|error| self.break_down(&error));
        if result.is_ok() {
            self.next_seq = seq;
            self.health = Health::Well;
        }
        for done in waiting {
            answer_to(done, result.clone());
        }
    }

    /// Remembers the failure, and says what those who wait are told.
    fn break_down(&mut self, error: &io::Error) -> String {
        let reason = format!("the ledger cannot be written: {error}");
        let pause = match &self.health {
            Health::Well => RETRY_PAUSE_MIN,
            Health::Broken { pause, .. } => pause.saturating_mul(2).min(RETRY_PAUSE_MAX),
        };
        error!(%error, retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX), "Ledger cannot be written");
        self.health = Health::Broken { reason: reason.clone(), retry_at: (self.clock)() + pause, pause };
        reason
    }
}

/// Appends a record's line, or nothing.
fn encode(seq: u64, record: &Record, lines: &mut Vec<u8>) -> Result<(), String> {
    let before = lines.len();
    let result = Line::new(seq, record).write_to(lines).map_err(|error| error.to_string());
    let bytes = lines.len().saturating_sub(before);
    let result = match result {
        Ok(()) if bytes > LINE_BYTES_MAX => {
            Err(format!("the record has {bytes} bytes, and the ledger takes {LINE_BYTES_MAX}"))
        }
        Ok(()) | Err(_) => result,
    };
    if result.is_err() {
        lines.truncate(before);
    }
    result
}

/// Nobody waiting any more is nothing to do anything about.
fn answer_to(done: Done, answer: Result<(), String>) {
    let _gone: Result<(), Result<(), String>> = done.send(answer);
}
