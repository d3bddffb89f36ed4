//! The leaves' hashes beside each segment, 32 bytes a line: what remains of a segment that was archived, and what tells
//! which line was altered. It never holds more than lines that are durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::digest::{DIGEST_BYTES, Digest};
use crate::directory::Segment;
use crate::store::SEGMENT_MODE;

/// The newest segment's leaves, and those that are not written yet.
#[derive(Debug)]
pub(crate) struct Leaves {
    directory: PathBuf,
    segment: u32,
    /// How many of the segment's leaves are on the disk.
    written: u64,
    waiting: Vec<(u32, Digest)>,
}

/// The leaves of a segment; none, if there is no such file.
pub(crate) fn read_leaves(segment: &Segment) -> io::Result<Option<Vec<Digest>>> {
    let mut bytes = Vec::new();
    match File::open(segment.leaves_path()) {
        Ok(mut file) => file.read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some(bytes.chunks_exact(DIGEST_BYTES).filter_map(Digest::from_bytes).collect()))
}

// === impl Leaves ===

impl Leaves {
    /// Goes on after so many leaves of this segment.
    pub(crate) const fn new(directory: PathBuf, segment: u32, written: u64) -> Self {
        Self { directory, segment, written, waiting: Vec::new() }
    }

    pub(crate) fn push(&mut self, leaves: Vec<(u32, Digest)>) {
        self.waiting.extend(leaves);
    }

    /// Writes what waits. After a failure it waits still.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        while let Some(&(segment, _)) = self.waiting.first() {
            let here = self.waiting.iter().take_while(|(of, _)| *of == segment).count();
            let bytes: Vec<u8> = self.waiting.iter().take(here).flat_map(|(_, leaf)| *leaf.as_bytes()).collect();
            let written = if segment == self.segment { self.written } else { 0 };
            self.append(segment, written, &bytes)?;
            self.segment = segment;
            self.written = written.saturating_add(u64::try_from(here).unwrap_or(u64::MAX));
            self.waiting.drain(..here);
        }
        Ok(())
    }

    fn append(&self, segment: u32, written: u64, bytes: &[u8]) -> io::Result<()> {
        let path = Segment::new(&self.directory, segment).leaves_path();
        let mut file = OpenOptions::new().write(true).create(true).truncate(false).mode(SEGMENT_MODE).open(&path)?;
        let end = written.saturating_mul(DIGEST_BYTES as u64);
        if file.metadata()?.len() != end {
            file.set_len(end)?; // what an earlier run wrote and no state vouches for, or half of what failed
        }
        file.seek(SeekFrom::Start(end))?;
        file.write_all(bytes)?;
        file.sync_data()
    }
}

/// How many leaves are on the disk for this segment.
pub(crate) fn count(segment: &Segment) -> u64 {
    fs::metadata(segment.leaves_path()).map_or(0, |metadata| metadata.len() / DIGEST_BYTES as u64)
}
