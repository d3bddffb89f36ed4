//! Recorded decisions made again, from nothing but the ledger: by the very plugins that made them, whose answers must be
//! the same to the byte, or by others, whose answers say what would have been. It never writes anything, and what time has
//! decided it does not judge.
//!
//! A decision is made again on the case that its policies were shown. What would have come differently of it later, such as
//! a request that would not be held any more, is not part of that.

mod again;
mod flip;
mod limits;
mod panels;
mod tally;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;
use tribunal_core::scope::Scope;
use tribunal_engine::{Hand, Panel, crew};
use tribunal_ledger::{Chunks, Filter, ReadError, chunks};

pub use self::flip::{Fate, Flip, Forbidden};
pub use self::panels::{Change, Substitute, recorded_panel};
pub use self::tally::{Difference, Report, Turns};

use self::panels::{Panels, Seated};
use self::tally::Tally;

/// What decisions are held against.
#[derive(Debug)]
pub enum Against {
    /// The recorded panel of each, as it was: every answer must be the same, byte for byte.
    Recorded,
    /// The recorded panel of each, with a change.
    Changed(Change),
    /// Another panel.
    Other(Box<Other>),
}

/// Another panel, with what goes before it.
#[derive(Debug)]
pub struct Other {
    /// It has room for as many threads as ask it: [`tribunal_engine::Limits::for_crew`].
    pub panel: Panel,
    /// Roles that are never given by us.
    pub protected_roles: BTreeSet<String>,
    /// Which requests are left alone.
    pub scope: Scope,
}

/// Why decisions cannot be made again at all.
#[derive(Debug, Error)]
pub enum ReplayError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There are no threads to do it.
    #[error("no threads can be started: {0}; end something else, or raise the limit of processes")]
    Threads(#[from] io::Error),
}

/// How far it has come.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    total: AtomicU64,
    decisions: AtomicU64,
    over: AtomicBool,
}

/// Makes all decisions again that fit the filter, on so many threads.
///
/// # Errors
/// When the ledger cannot be read, or no threads are to be had. What is wrong with single decisions is in the report.
pub fn replay(
    directory: &Path,
    filter: &Filter,
    against: &Against,
    threads: usize,
    progress: &Progress,
) -> Result<Report, ReplayError> {
    let chunks = chunks(directory)?;
    progress.total.store(chunks.bytes(), Ordering::Relaxed);
    let other = match against {
        Against::Other(other) => Some(Seated::other(other)),
        Against::Recorded | Against::Changed(_) => None,
    };
    let change = match against {
        Against::Changed(change) => Some(change),
        Against::Recorded | Against::Other(_) => None,
    };
    let panels = Panels::new(directory, change, threads);
    let work = Work { chunks, filter, against, panels, other, progress };
    let tallies = crew(threads, |hand| work.done_by(hand));
    progress.over.store(true, Ordering::Relaxed);
    let mut whole = Tally::default();
    for tally in tallies? {
        whole.add(tally?);
    }
    Ok(whole.report())
}

/// What all threads share.
struct Work<'a> {
    chunks: Chunks,
    filter: &'a Filter,
    against: &'a Against,
    panels: Panels<'a>,
    other: Option<Seated<'a>>,
    progress: &'a Progress,
}

// === impl Work ===

impl Work<'_> {
    /// One thread's share.
    fn done_by(&self, hand: &Hand) -> Result<Tally, ReadError> {
        let mut tally = Tally::default();
        while let Some(chunk) = self.chunks.next()? {
            let before = tally.decisions;
            chunk.decisions(self.filter, |bytes, line| {
                tally.decisions += 1;
                match line {
                    Ok(line) => tally.take(again::remake(self, hand, bytes, line)),
                    Err(error) => tally.unreadable(error.to_string()),
                }
            });
            self.progress.bytes.fetch_add(chunk.bytes(), Ordering::Relaxed);
            self.progress.decisions.fetch_add(tally.decisions - before, Ordering::Relaxed);
        }
        Ok(tally)
    }
}

// === impl Progress ===

impl Progress {
    /// Which part of it is done, of 1, and how many decisions that are.
    #[must_use]
    pub fn so_far(&self) -> (f64, u64) {
        let (bytes, total) = (self.bytes.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        #[expect(clippy::cast_precision_loss, reason = "for a bar on a screen")]
        let part = if total == 0 { 0.0 } else { (bytes as f64 / total as f64).min(1.0) };
        (part, self.decisions.load(Ordering::Relaxed))
    }

    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
