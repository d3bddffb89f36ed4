//! Reads a ledger from its first line to its last, with or without a daemon that is writing to it. It never changes a
//! file, and never passes over damage.

mod chunks;
mod segment;
mod whole;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use self::chunks::{Chunk, Chunks, chunks};
use self::segment::OpenSegment;
pub use self::whole::{WholeLines, read_all, read_whole};
use crate::digest::Digest;
use crate::directory::Segment;
use crate::note::NoteError;
use crate::schema::Line;
use crate::store::Place;
use crate::tree::leaf_hash;

/// Why a ledger cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// A directory or file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what was written.
    #[error(
        "`{path}:{line}` is damaged: {why}; restore the file from a backup, or move the whole directory aside to start a new ledger"
    )]
    Damage {
        /// The segment.
        path: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The newest checkpoint is not what was signed.
    #[error("`{path}` cannot be believed: {error}; restore it from a backup")]
    Checkpoint {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        error: NoteError,
    },
    /// What a record refers to is not there, or not what it was.
    #[error("`{path}` lacks object `{object}`: {why}; restore the file from a backup")]
    Object {
        /// The pack, or the file of the object.
        path: PathBuf,
        /// Its name.
        object: Digest,
        /// What is wrong with it.
        why: String,
    },
    /// A segment between two others is gone.
    #[error(
        "segment `{path}` is missing: restore it from a backup, or move the whole directory aside to start a new ledger"
    )]
    Missing {
        /// The segment that is not there.
        path: PathBuf,
    },
}

/// The lines of a ledger, in order. A torn last line, which is being written or never was acknowledged, is left out.
/// Ends after the first error.
#[derive(Debug)]
pub struct Lines {
    directory: PathBuf,
    waiting: VecDeque<Segment>,
    current: Option<OpenSegment>,
    /// The number and the leaf hash of the line before, where that is known.
    seq: Option<u64>,
    prev: Option<Digest>,
    over: bool,
}

/// What comes next in a ledger.
#[derive(Debug)]
pub(crate) enum Piece {
    Line(Box<Found>),
    /// The rest of the last segment, from this offset on, is no whole line.
    Torn {
        segment: Segment,
        offset: u64,
    },
}

/// A line, and where it stands.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) line: Line,
    pub(crate) leaf: Digest,
    pub(crate) place: Place,
    /// Its length, line break included.
    pub(crate) bytes: usize,
}

/// From where on a ledger is read.
#[derive(Debug)]
pub(crate) struct From {
    pub(crate) place: Place,
    pub(crate) seq: u64,
    pub(crate) leaf: Option<Digest>,
}

/// Reads the ledger in this directory. The first segment need not be number 1: older ones may have been archived. What
/// records refer to is not read; see [`read_whole`].
///
/// # Errors
/// When the directory cannot be read, or a segment between others is missing.
pub fn read(directory: &Path) -> Result<Lines, ReadError> {
    let segments = segments(directory)?;
    Ok(Lines {
        directory: directory.to_owned(),
        waiting: segments.into(),
        current: None,
        seq: None,
        prev: None,
        over: false,
    })
}

/// The segments that are there, without a gap.
pub(crate) fn segments(directory: &Path) -> Result<Vec<Segment>, ReadError> {
    let segments = Segment::list(directory).map_err(|source| ReadError::Io { path: directory.to_owned(), source })?;
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        let expected = segment.number.saturating_add(1);
        if next.number != expected {
            return Err(ReadError::Missing { path: Segment::new(directory, expected).path });
        }
    }
    Ok(segments)
}

/// Reads the ledger from this place on, which is between two lines.
pub(crate) fn read_from(directory: &Path, from: &From) -> Result<Lines, ReadError> {
    let mut waiting: VecDeque<Segment> = segments(directory)?.into();
    waiting.retain(|segment| segment.number >= from.place.segment);
    let current = match waiting.pop_front() {
        Some(segment) if segment.number == from.place.segment => {
            Some(OpenSegment::open_at(segment, from.place.offset)?)
        }
        Some(_) | None => {
            return Err(ReadError::Missing { path: Segment::new(directory, from.place.segment).path });
        }
    };
    Ok(Lines { directory: directory.to_owned(), waiting, current, seq: Some(from.seq), prev: from.leaf, over: false })
}

// === impl Lines ===

impl Lines {
    /// The number of the first line, if there is one; reading begins with it all the same.
    pub(crate) fn first_seq(&mut self) -> Result<Option<u64>, ReadError> {
        let Some(segment) = self.waiting.front() else { return Ok(None) };
        let bytes = OpenSegment::open_at(segment.clone(), 0)?.next_bytes()?;
        Ok(Line::parse(&bytes).ok().map(|line| line.seq))
    }

    /// Expects the first line to follow this one, of which only the hash is known any more.
    pub(crate) fn after(self, prev: Option<Digest>) -> Self {
        Self { prev, ..self }
    }

    /// What is wrong with the line that was read last.
    pub(crate) fn damage_in_last(&self, why: &str) -> ReadError {
        self.current.as_ref().map_or_else(
            || ReadError::Damage { path: self.directory.clone(), line: 0, why: why.to_owned() },
            |open| ReadError::Damage {
                path: open.segment.path.clone(),
                line: open.number().saturating_sub(1),
                why: why.to_owned(),
            },
        )
    }

    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, ReadError> {
        loop {
            let Some(open) = &mut self.current else {
                let Some(segment) = self.waiting.pop_front() else { return Ok(None) };
                self.current = Some(OpenSegment::open_at(segment, 0)?);
                continue;
            };
            let bytes = open.next_bytes()?;
            if bytes.is_empty() {
                if self.waiting.is_empty() {
                    return Ok(None);
                }
                self.current = None;
                continue;
            }
            let last_segment = self.waiting.is_empty();
            if last_segment && open.is_torn(&bytes)? {
                return Ok(Some(Piece::Torn { segment: open.segment.clone(), offset: open.offset }));
            }
            let line = Line::parse(&bytes).map_err(|error| open.damage(error.to_string()))?;
            if let Some(before) = self.seq
                && line.seq != before.saturating_add(1)
            {
                return Err(open.damage(format!("record {} follows record {before}", line.seq)));
            }
            if let (Some(expected), Some(prev)) = (self.prev, line.prev)
                && prev != expected
            {
                let why =
                    format!("record {} does not go on from the line before it: one of them was altered", line.seq);
                return Err(open.damage(why));
            }
            let leaf = leaf_hash(bytes.strip_suffix(b"\n").unwrap_or(&bytes));
            let place = Place { segment: open.segment.number, offset: open.offset };
            self.seq = Some(line.seq);
            self.prev = Some(leaf);
            open.advance(bytes.len());
            return Ok(Some(Piece::Line(Box::new(Found { line, leaf, place, bytes: bytes.len() }))));
        }
    }
}

impl Iterator for Lines {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match self.next_piece() {
            Ok(Some(Piece::Line(found))) => Some(Ok(found.line)),
            Ok(Some(Piece::Torn { .. }) | None) => {
                self.over = true;
                None
            }
            Err(error) => {
                self.over = true;
                Some(Err(error))
            }
        }
    }
}
