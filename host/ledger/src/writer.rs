//! Appending: one thread writes, many records share one durable write, and a failure fails every append until writing
//! works again. It never acknowledges a record that is not durable.

mod gather;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::{error, info};
use tribunal_core::opinion::PanelId;
use tribunal_core::record::Record;

use self::gather::Gathered;
use crate::cases::Storing;
use crate::digest::Digest;
use crate::directory::{Directory, OpenError};
use crate::keys::Keyring;
use crate::notary::{Leaves, Notary, Notice, Office};
use crate::panel::PanelParts;
use crate::recovery::{self, Recovered, Recovery};
use crate::standing::Standing;
use crate::store::{Files, Store};
use crate::{CHECKPOINT_PAUSE_MAX, CHECKPOINT_RECORDS_MAX, QUEUE_RECORDS_MAX, key};

/// The pause after the first failure before an append tries to write again; it doubles with each further one.
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(100);
/// The longest such pause.
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);

/// A ledger that is open for appending. Dropping it waits until everything that was appended is written.
#[derive(Debug)]
pub struct Ledger {
    directory: PathBuf,
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
    standing: Standing,
    notary: Option<Office>,
    storing: Storing,
    /// What no checkpoint vouches for yet, and since when.
    uncovered: Vec<(u32, Digest)>,
    uncovered_since: Option<Instant>,
    health: Health,
}

/// What a writer begins with.
pub(crate) struct Begin {
    pub(crate) standing: Standing,
    pub(crate) notary: Option<Office>,
    /// None: nothing is sealed.
    pub(crate) keys: Option<Keyring>,
}

/// How a ledger is opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The size at which a segment is followed by the next; none: [`SEGMENT_BYTES_MAX`](crate::SEGMENT_BYTES_MAX).
    pub segment_bytes_max: Option<u64>,
}

enum Health {
    Well,
    Broken { reason: String, retry_at: Instant, pause: Duration },
}

// === impl Ledger ===

impl Ledger {
    /// Opens the ledger in this directory, which is made where it is missing, reads what it must, cuts off a torn end, has
    /// all that is there vouched for and says what it found. Blocks; call it before anything else depends on time.
    ///
    /// # Errors
    /// When the directory cannot be used, is in use by another process, holds a damaged ledger, or lacks its key.
    pub fn open(directory: &Path) -> Result<(Self, Recovery), OpenError> {
        Self::open_with(directory, Options::default())
    }

    /// [`Self::open`], with options.
    ///
    /// # Errors
    /// As of [`Self::open`].
    pub fn open_with(directory: &Path, options: Options) -> Result<(Self, Recovery), OpenError> {
        let Options { segment_bytes_max } = options;
        let directory = Directory::claim(directory)?;
        let key = key::load_or_make(&directory)?;
        let recovered = recovery::recover(&directory, &key.public())?;
        let keys = Keyring::open(directory.path())
            .map_err(|source| OpenError::Directory { path: directory.path().to_owned(), source })?;
        let Recovered { recovery, standing, segment, leaves, leaves_written: (of, written) } = recovered;
        let path = directory.path().to_owned();
        let place = path.clone();
        let files =
            Files::open(directory, segment).map_err(|source| OpenError::Directory { path: path.clone(), source })?;
        let store = match segment_bytes_max {
            Some(bytes) => files.with_segment_bytes_max(bytes),
            None => files,
        };
        let mut notary = Notary::new(&path, key, Leaves::new(path.clone(), of, written));
        let notice = Notice { standing: standing.clone(), leaves, sealed: false };
        notary.publish(notice).map_err(|source| OpenError::Directory { path, source })?;
        let notary = Some(notary.start().map_err(OpenError::Thread)?);
        let begin = Begin { standing, notary, keys: Some(keys) };
        let mut ledger = Self::start(store, Instant::now, begin, QUEUE_RECORDS_MAX).map_err(OpenError::Thread)?;
        ledger.directory = place;
        Ok((ledger, recovery))
    }

    /// Stores a panel, durably: its plugins, settings and limits, and a page that names them all. Decisions name it by the id
    /// that is given back, always the same for the same parts. Blocks.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn store(&self, panel: PanelParts) -> Result<PanelId, String> {
        let stored = panel.store(&self.directory).map_err(|error| format!("the panel cannot be stored: {error}"))?;
        Ok(PanelId::new(stored.to_string()))
    }

    /// Starts the writer over any store. The clock is for pauses only.
    pub(crate) fn start(
        store: impl Store,
        clock: impl Fn() -> Instant + Send + 'static,
        begin: Begin,
        queue_records_max: usize,
    ) -> io::Result<Self> {
        let (queue, jobs) = mpsc::sync_channel(queue_records_max);
        let Begin { standing, notary, keys } = begin;
        let mut writer = Writer {
            store,
            clock,
            standing,
            notary,
            storing: Storing::new(keys),
            uncovered: Vec::new(),
            uncovered_since: None,
            health: Health::Well,
        };
        let thread = thread::Builder::new().name("ledger".to_owned()).spawn(move || writer.run(&jobs))?;
        Ok(Self { directory: PathBuf::new(), queue: Some(queue), thread: Some(thread) })
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
        if let Some((Job { record: _, done }, reason)) = refused {
            answer_to(done, Err(reason));
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
        loop {
            let next = match self.patience() {
                None => jobs.recv().map_err(RecvTimeoutError::from),
                Some(patience) => jobs.recv_timeout(patience),
            };
            match next {
                Ok(job) => match self.ready() {
                    Ok(()) => self.serve(job, jobs),
                    Err(reason) => answer_to(job.done, Err(reason)),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let is_time = self.patience().is_some_and(|patience| patience.is_zero());
            if is_time || self.uncovered.len() >= CHECKPOINT_RECORDS_MAX {
                self.vouch();
            }
        }
        if !self.uncovered.is_empty() {
            self.vouch_at_once(false);
        }
    }

    /// How long what is uncovered may stay so; none, if nothing is.
    fn patience(&self) -> Option<Duration> {
        self.uncovered_since.map(|since| (since + CHECKPOINT_PAUSE_MAX).saturating_duration_since((self.clock)()))
    }

    fn notice(&mut self, sealed: bool) -> Box<Notice> {
        Box::new(Notice { standing: self.standing.clone(), leaves: std::mem::take(&mut self.uncovered), sealed })
    }

    /// Has what is uncovered vouched for, as soon as the notary has time.
    fn vouch(&mut self) {
        let notice = self.notice(false);
        self.uncovered_since = None;
        if let Some(notary) = &self.notary
            && let Err(refused) = notary.hand_in(notice)
        {
            self.uncovered = refused.leaves;
            self.uncovered_since = Some((self.clock)());
        }
    }

    fn vouch_at_once(&mut self, sealed: bool) {
        let notice = self.notice(sealed);
        self.uncovered_since = None;
        if let Some(notary) = &self.notary {
            notary.insist(notice);
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
    fn serve(&mut self, job: Job, jobs: &Receiver<Job>) {
        let place = match self.store.prepare() {
            Ok(place) => place,
            Err(error) => {
                let reason = self.break_down(&error);
                return answer_to(job.done, Err(reason));
            }
        };
        if place.segment != self.standing.end.segment {
            self.vouch_at_once(true);
            self.storing.facts.clear();
        }
        let Gathered { batch, waiting, records } = self.gather(job, jobs, place);
        if waiting.is_empty() {
            return;
        }
        let result = self.store.commit(&batch).map_err(|error| self.break_down(&error));
        if result.is_ok() {
            for (record, durable) in &records {
                self.standing.follow(*durable, record);
                self.uncovered.push((durable.place.segment, durable.last.leaf));
            }
            self.health = Health::Well;
        } else {
            self.storing.facts.clear();
        }
        for done in waiting {
            answer_to(done, result.clone());
        }
        if result.is_ok() && self.notary.is_some() {
            self.uncovered_since = self.uncovered_since.or_else(|| Some((self.clock)()));
        } else if self.notary.is_none() {
            self.uncovered.clear();
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

/// Nobody waiting any more is nothing to do anything about.
fn answer_to(done: Done, answer: Result<(), String>) {
    let _gone: Result<(), Result<(), String>> = done.send(answer);
}
