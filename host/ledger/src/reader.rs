//! Reads a ledger from its first line to its last, with or without a daemon that is writing to it. It never changes a
//! file, and never passes over damage.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use thiserror::Error;

use crate::LINE_BYTES_MAX;
use crate::directory::Segment;
use crate::schema::Line;

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
    waiting: VecDeque<Segment>,
    current: Option<OpenSegment>,
    seq: Option<u64>,
    over: bool,
}

/// What comes next in a ledger.
#[derive(Debug)]
pub(crate) enum Piece {
    Line(Line),
    /// The rest of the last segment, from this offset on, is no whole line.
    Torn {
        segment: Segment,
        offset: u64,
    },
}

#[derive(Debug)]
struct OpenSegment {
    segment: Segment,
    reader: BufReader<File>,
    line: u64,
    offset: u64,
}

/// Reads the ledger in this directory. The first segment need not be number 1: older ones may have been archived.
///
/// # Errors
/// When the directory cannot be read, or a segment between others is missing.
pub fn read(directory: &Path) -> Result<Lines, ReadError> {
    let segments = Segment::list(directory).map_err(|source| ReadError::Io { path: directory.to_owned(), source })?;
    for (segment, next) in segments.iter().zip(segments.iter().skip(1)) {
        let expected = segment.number.saturating_add(1);
        if next.number != expected {
            return Err(ReadError::Missing { path: Segment::new(directory, expected).path });
        }
    }
    Ok(Lines { waiting: segments.into(), current: None, seq: None, over: false })
}

/// All lines of the ledger in this directory.
///
/// # Errors
/// The first error of [`read`] or of [`Lines`].
pub fn read_all(directory: &Path) -> Result<Vec<Line>, ReadError> {
    read(directory)?.collect()
}

// === impl Lines ===

impl Lines {
    /// The number of the last line read.
    pub(crate) fn last_seq(&self) -> Option<u64> {
        self.seq
    }

    /// The error for a line that has been read, and turned out not to make sense.
    pub(crate) fn damage_in_last(&self, why: String) -> ReadError {
        let (path, line) = self
            .current
            .as_ref()
            .map_or_else(|| (PathBuf::new(), 0), |open| (open.segment.path.clone(), open.line.saturating_sub(1)));
        ReadError::Damage { path, line, why }
    }

    pub(crate) fn next_piece(&mut self) -> Result<Option<Piece>, ReadError> {
        loop {
            let Some(open) = &mut self.current else {
                let Some(segment) = self.waiting.pop_front() else { return Ok(None) };
                self.current = Some(OpenSegment::open(segment)?);
                continue;
            };
            let bytes = open.next_bytes()?;
            if bytes.is_empty() {
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
            self.seq = Some(line.seq);
            open.advance(bytes.len());
            return Ok(Some(Piece::Line(line)));
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
            Ok(Some(Piece::Line(line))) => Some(Ok(line)),
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

// === impl OpenSegment ===

impl OpenSegment {
    fn open(segment: Segment) -> Result<Self, ReadError> {
        let file = File::open(&segment.path).map_err(|source| ReadError::Io { path: segment.path.clone(), source })?;
        Ok(Self { segment, reader: BufReader::new(file), line: 1, offset: 0 })
    }

    /// The next line with its line break, or what there is of it; nothing at the end.
    fn next_bytes(&mut self) -> Result<Vec<u8>, ReadError> {
        let mut bytes = Vec::new();
        // One byte more than allowed, to tell a line that is too long from one that just fits.
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        (&mut self.reader).take(limit).read_until(b'\n', &mut bytes).map_err(|source| self.io(source))?;
        if bytes.len() > LINE_BYTES_MAX {
            return Err(self.damage(format!("it is longer than {LINE_BYTES_MAX} bytes")));
        }
        Ok(bytes)
    }

    /// Whether these bytes, which have just been read, are a last line that was not written to its end.
    fn is_torn(&mut self, bytes: &[u8]) -> Result<bool, ReadError> {
        if bytes.last() != Some(&b'\n') {
            return Ok(true);
        }
        let at_end = self.reader.fill_buf().map(<[u8]>::is_empty).map_err(|source| self.io(source))?;
        Ok(at_end && serde_json::from_slice::<IgnoredAny>(bytes).is_err())
    }

    fn advance(&mut self, bytes: usize) {
        self.line = self.line.saturating_add(1);
        self.offset = self.offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io { path: self.segment.path.clone(), source }
    }

    fn damage(&self, why: String) -> ReadError {
        ReadError::Damage { path: self.segment.path.clone(), line: self.line, why }
    }
}
