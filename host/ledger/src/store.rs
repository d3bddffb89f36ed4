//! Durable bytes: the one place that writes segments and the packs beside them. It knows nothing of records.

mod appending;
#[cfg(test)]
mod tests;

use std::io;
use std::thread;

use self::appending::Appending;
use crate::SEGMENT_BYTES_MAX;
use crate::directory::{Directory, OpenError, Segment, remedy};

pub(crate) const SEGMENT_MODE: u32 = 0o600;

/// What is written at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Whole lines.
    pub(crate) lines: Vec<u8>,
    /// Whole frames, for what the lines refer to.
    pub(crate) frames: Vec<u8>,
}

/// A place in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) segment: u32,
    pub(crate) offset: u64,
}

/// Where lines go. After an error nothing is written until [`Store::repair`] succeeds.
pub(crate) trait Store: Send + 'static {
    /// Where the next batch goes: the end of a segment that is not full.
    fn prepare(&mut self) -> io::Result<Place>;

    /// Writes a batch after what is there, durably.
    fn commit(&mut self, batch: &Batch) -> io::Result<()>;

    /// Makes it usable again, holding exactly the batches of all commits that succeeded.
    fn repair(&mut self) -> io::Result<()>;
}

/// Segments and packs in a locked directory.
#[derive(Debug)]
pub(crate) struct Files {
    directory: Directory,
    segment: Segment,
    lines: Appending,
    /// Made with its first frame.
    frames: Option<Appending>,
    segment_bytes_max: u64,
}

// === impl Files ===

impl Files {
    /// Goes on at the end of this segment, which is made where it is missing.
    pub(crate) fn open(directory: Directory, segment: Segment) -> io::Result<Self> {
        let lines = Appending::open(&segment.path)?;
        let pack = segment.pack_path();
        let frames = if pack.exists() { Some(Appending::open(&pack)?) } else { None };
        directory.sync()?;
        Ok(Self { directory, segment, lines, frames, segment_bytes_max: SEGMENT_BYTES_MAX })
    }

    pub(crate) fn with_segment_bytes_max(self, segment_bytes_max: u64) -> Self {
        Self { segment_bytes_max, ..self }
    }

    fn is_full(&self) -> bool {
        let frames = self.frames.as_ref().map_or(0, Appending::durable_bytes);
        self.lines.durable_bytes().max(frames) >= self.segment_bytes_max
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let segment = Segment::new(self.directory.path(), self.segment.number.saturating_add(1));
        let lines = Appending::open(&segment.path)?;
        self.directory.sync()?;
        (self.segment, self.lines, self.frames) = (segment, lines, None);
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        if batch.frames.is_empty() {
            self.lines.write(&batch.lines)?;
            self.lines.sync()?;
            self.lines.settle();
            return Ok(());
        }
        if self.frames.is_none() {
            self.frames = Some(Appending::open(&self.segment.pack_path())?);
            self.directory.sync()?;
        }
        let (lines, Some(frames)) = (&mut self.lines, &mut self.frames) else { return Ok(()) };
        frames.write(&batch.frames)?;
        lines.write(&batch.lines)?;
        both(|| frames.sync(), || lines.sync())?;
        // INVARIANT: only now, or lines would stay of which somebody was told that they were not written.
        frames.settle();
        lines.settle();
        Ok(())
    }

    fn restore(&mut self) -> io::Result<()> {
        if !self.directory.in_place() {
            self.directory = Directory::claim(self.directory.path()).map_err(|error| match error {
                OpenError::Directory { source, .. } | OpenError::Thread(source) => source,
                OpenError::InUse { .. } | OpenError::Read(_) | OpenError::Key { .. } => io::Error::other(error),
            })?;
        }
        self.lines.restore(&self.directory)?;
        self.frames.as_mut().map_or(Ok(()), |frames| frames.restore(&self.directory))
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("`{}`: {error}; {}", self.segment.path.display(), remedy(error)))
    }
}

/// Does two things at once: a disk that is told to keep two files takes hardly longer than for one.
fn both(one: impl FnOnce() -> io::Result<()> + Send, other: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    thread::scope(|scope| {
        let begun = thread::Builder::new().name("ledger-sync".to_owned()).spawn_scoped(scope, one);
        let second = other();
        let first = match begun {
            Ok(running) => running.join().unwrap_or_else(|_| Err(io::Error::other("a thread of the ledger panicked"))),
            Err(error) => Err(error),
        };
        first.and(second)
    })
}

impl Store for Files {
    fn prepare(&mut self) -> io::Result<Place> {
        if self.is_full() {
            self.next_segment().map_err(|error| self.explain(&error))?;
        }
        Ok(Place { segment: self.segment.number, offset: self.lines.durable_bytes() })
    }

    fn commit(&mut self, batch: &Batch) -> io::Result<()> {
        self.write(batch).map_err(|error| self.explain(&error))
    }

    fn repair(&mut self) -> io::Result<()> {
        self.restore().map_err(|error| self.explain(&error))
    }
}
