//! One segment, read line by line. It never reads more of a line than a line may have.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use serde::de::IgnoredAny;

use super::ReadError;
use crate::LINE_BYTES_MAX;
use crate::directory::Segment;

#[derive(Debug)]
pub(super) struct OpenSegment {
    pub(super) segment: Segment,
    reader: BufReader<File>,
    /// Counted from 1; none, if reading did not begin with the first.
    line: Option<u64>,
    pub(super) offset: u64,
}

// === impl OpenSegment ===

impl OpenSegment {
    pub(super) fn open_at(segment: Segment, offset: u64) -> Result<Self, ReadError> {
        let open = || {
            let mut file = File::open(&segment.path)?;
            file.seek(SeekFrom::Start(offset))?;
            Ok(file)
        };
        match open() {
            Ok(file) => {
                let line = (offset == 0).then_some(1);
                Ok(Self { reader: BufReader::new(file), line, offset, segment })
            }
            Err(source) => Err(ReadError::Io { path: segment.path.clone(), source }),
        }
    }

    /// The next line with its line break, or what there is of it; nothing at the end.
    pub(super) fn next_bytes(&mut self) -> Result<Vec<u8>, ReadError> {
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
    pub(super) fn is_torn(&mut self, bytes: &[u8]) -> Result<bool, ReadError> {
        if bytes.last() != Some(&b'\n') {
            return Ok(true);
        }
        let at_end = self.reader.fill_buf().map(<[u8]>::is_empty).map_err(|source| self.io(source))?;
        Ok(at_end && serde_json::from_slice::<IgnoredAny>(bytes).is_err())
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.line = self.line.map(|line| line.saturating_add(1));
        self.offset = self.offset.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// The number of the line that is read next. Counted only when somebody asks, where reading began somewhere inside.
    pub(super) fn number(&self) -> u64 {
        self.line.unwrap_or_else(|| lines_before(&self.segment.path, self.offset).unwrap_or(0).saturating_add(1))
    }

    fn io(&self, source: io::Error) -> ReadError {
        ReadError::Io { path: self.segment.path.clone(), source }
    }

    pub(super) fn damage(&self, why: String) -> ReadError {
        ReadError::Damage { path: self.segment.path.clone(), line: self.number(), why }
    }
}

fn lines_before(path: &Path, offset: u64) -> io::Result<u64> {
    let mut reader = BufReader::new(File::open(path)?.take(offset));
    let mut lines = 0_u64;
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            return Ok(lines);
        }
        let (breaks, length) = (memchr::memchr_iter(b'\n', read).count(), read.len());
        lines = lines.saturating_add(u64::try_from(breaks).unwrap_or(u64::MAX));
        reader.consume(length);
    }
}
