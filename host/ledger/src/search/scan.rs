//! Lines of a segment that have all of some words in them, found without parsing any. It never looks at a last line that has
//! no line break yet.

use std::fs::File;
use std::io::Read;

use memchr::memmem::Finder;
use memchr::{memchr, memrchr};

use crate::LINE_BYTES_MAX;
use crate::directory::Segment;
use crate::reader::ReadError;

/// Read at once; a longer line makes it grow.
const BUFFER_BYTES: usize = 1024 * 1024;

/// Hands each line that has all of these words to `take`, with the byte that it begins at.
pub(crate) fn scan(
    segment: &Segment,
    needles: &[Vec<u8>],
    mut take: impl FnMut(u64, &[u8]) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let io = |source| ReadError::Io { path: segment.path.clone(), source };
    let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
    let mut file = File::open(&segment.path).map_err(io)?;
    let mut buffer = vec![0; BUFFER_BYTES];
    let (mut filled, mut offset) = (0, 0_u64);
    loop {
        let room = buffer.get_mut(filled..).unwrap_or_default();
        let read = file.read(room).map_err(io)?;
        filled = filled.saturating_add(read);
        let bytes = buffer.get(..filled).unwrap_or_default();
        let Some(end) = memrchr(b'\n', bytes).map(|end| end.saturating_add(1)) else {
            if read == 0 || filled > LINE_BYTES_MAX {
                return Ok(());
            }
            if filled == buffer.len() {
                buffer.resize(buffer.len().saturating_mul(2), 0);
            }
            continue;
        };
        let lines = bytes.get(..end).unwrap_or_default();
        for (at, line) in hits(lines, &finders) {
            take(offset.saturating_add(at as u64), line)?;
        }
        offset = offset.saturating_add(end as u64);
        buffer.copy_within(end..filled, 0);
        filled = filled.saturating_sub(end);
        if read == 0 {
            return Ok(());
        }
    }
}

/// Where each line that has all of the words begins, and the line.
fn hits<'a>(lines: &'a [u8], finders: &'a [Finder<'a>]) -> impl Iterator<Item = (usize, &'a [u8])> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let (rarest, others) = finders.split_first()?;
        loop {
            let rest = lines.get(from..)?;
            let at = from.saturating_add(rarest.find(rest)?);
            let begin = memrchr(b'\n', lines.get(..at)?).map_or(0, |before| before.saturating_add(1));
            let end = memchr(b'\n', lines.get(at..)?).map_or(lines.len(), |more| at.saturating_add(more));
            from = end.saturating_add(1);
            let line = lines.get(begin..end)?;
            if others.iter().all(|finder| finder.find(line).is_some()) {
                return Some((begin, line));
            }
        }
    })
}

/// The number of the line that begins at this byte, counted from 1.
pub(super) fn number_of(segment: &Segment, offset: u64) -> std::io::Result<u64> {
    let mut before = File::open(&segment.path)?.take(offset);
    let (mut buffer, mut lines) = (vec![0; BUFFER_BYTES], 1_u64);
    loop {
        let read = before.read(&mut buffer)?;
        if read == 0 {
            return Ok(lines);
        }
        let here = memchr::memchr_iter(b'\n', buffer.get(..read).unwrap_or_default()).count();
        lines = lines.saturating_add(here as u64);
    }
}
