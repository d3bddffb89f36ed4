//! Reads and cuts the ends of files at a start. It never cuts off more than one durable write can have left, and keeps what
//! it cuts.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::Torn;
use crate::cases::Index;
use crate::digest::Digest;
use crate::directory::{Directory, Segment};
use crate::reader::{Lines, ReadError};
use crate::standing::Durable;
use crate::store::SEGMENT_MODE;
use crate::tree::leaf_hash;
use crate::{BATCH_RECORDS_MAX, LINE_BYTES_MAX};

/// The line that was durable here, if it is still the same.
pub(super) fn line_at(directory: &Directory, durable: Durable) -> Result<Vec<u8>, ReadError> {
    let segment = Segment::new(directory.path(), durable.place.segment);
    let bytes = read_at(&segment.path, durable.place.offset, durable.last.bytes)
        .map_err(|source| ReadError::Io { path: segment.path.clone(), source })?;
    match bytes.strip_suffix(b"\n") {
        Some(line) if leaf_hash(line) == durable.last.leaf => Ok(bytes),
        Some(_) | None => {
            let why = format!("the line at byte {} is not the one that was written", durable.place.offset);
            Err(ReadError::Damage { path: segment.path, line: 0, why })
        }
    }
}

fn read_at(path: &Path, offset: u64, bytes: u64) -> io::Result<Vec<u8>> {
    if bytes > u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(io::Error::other("the line is longer than one may be"));
    }
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut read = Vec::new();
    file.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

/// The leaves of the lines up to this offset.
pub(super) fn leaves_of(segment: &Segment, until: u64) -> Result<Vec<Digest>, ReadError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(&segment.path)?.take(until).read_to_end(&mut bytes)?;
        let mut from = 0;
        let line = |end: usize| {
            let line = bytes.get(from..end).unwrap_or_default();
            from = end.saturating_add(1);
            leaf_hash(line)
        };
        Ok(memchr::memchr_iter(b'\n', &bytes).map(line).collect())
    };
    read().map_err(|source| ReadError::Io { path: segment.path.clone(), source })
}

/// Cuts off the lines from this offset on, if they may be those of one durable write that did not end.
pub(super) fn lines(directory: &Directory, segment: &Segment, offset: u64, at: &Lines) -> Result<Torn, ReadError> {
    let io = |source| ReadError::Io { path: segment.path.clone(), source };
    let mut tail = Vec::new();
    let mut file = File::open(&segment.path).map_err(io)?;
    file.seek(SeekFrom::Start(offset)).map_err(io)?;
    file.read_to_end(&mut tail).map_err(io)?;
    let is_last = !Segment::new(directory.path(), segment.number.saturating_add(1)).path.exists();
    if !is_last || memchr::memchr_iter(b'\n', &tail).count() > BATCH_RECORDS_MAX {
        return Err(at.damage_in_last("what it refers to is missing from the pack beside the segment"));
    }
    cut(directory, &segment.path, offset, tail, true).map_err(io)
}

/// Cuts off what follows the last whole frame of a segment's pack.
pub(super) fn pack(directory: &Directory, segment: &Segment) -> Result<Option<Torn>, ReadError> {
    let Some(offset) = Index::of(segment)?.torn else { return Ok(None) };
    let path = segment.pack_path();
    let cut_off = || {
        let mut tail = Vec::new();
        let mut file = File::open(&path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut tail)?;
        cut(directory, &path, offset, tail, false)
    };
    cut_off().map(Some).map_err(|source| ReadError::Io { path: path.clone(), source })
}

/// Moves what follows `offset` to a file beside.
fn cut(directory: &Directory, path: &Path, offset: u64, mut tail: Vec<u8>, is_text: bool) -> io::Result<Torn> {
    let mut name = path.to_owned().into_os_string();
    name.push(".torn");
    let kept = PathBuf::from(name);
    let bytes = u64::try_from(tail.len()).unwrap_or(u64::MAX);
    if is_text && tail.last() != Some(&b'\n') {
        tail.push(b'\n'); // so that the next torn line does not join this one
    }
    let mut to = OpenOptions::new().append(true).create(true).mode(SEGMENT_MODE).open(&kept)?;
    to.write_all(&tail)?;
    to.sync_all()?;
    directory.sync()?;
    // Only now: until here a crash loses nothing.
    let from = File::options().write(true).open(path)?;
    from.set_len(offset)?;
    from.sync_all()?;
    Ok(Torn { segment: path.to_owned(), kept, bytes })
}
