//! A pack with all of it in memory, for whoever wants most of what is in it. It never hands out what was not stored.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::Path;

use super::pack::FRAME_HEAD_BYTES;
use crate::digest::Digest;

/// A pack in memory: as large as its file, which is as large as a segment may be and one object more.
#[derive(Debug)]
pub(crate) struct LoadedPack {
    bytes: Vec<u8>,
    objects: BTreeMap<Digest, Range<usize>>,
}

// === impl LoadedPack ===

impl LoadedPack {
    /// What there is of the pack in this file; nothing, if there is no such file.
    pub(crate) fn load(path: &Path) -> io::Result<Self> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let (mut objects, mut from) = (BTreeMap::new(), 0_usize);
        while let Some((name, place)) = frame(&bytes, from) {
            from = place.end;
            objects.insert(name, place);
        }
        Ok(Self { bytes, objects })
    }

    /// The object of this name, as it is stored.
    pub(crate) fn stored(&self, name: &Digest) -> io::Result<&[u8]> {
        let place = self.objects.get(name).ok_or_else(|| io::Error::other("it is missing"))?;
        let stored = self.bytes.get(place.clone()).unwrap_or_default();
        if Digest::of(stored) == *name { Ok(stored) } else { Err(io::Error::other("it is not what was stored")) }
    }
}

/// The frame that begins here, if all of it is there.
fn frame(bytes: &[u8], from: usize) -> Option<(Digest, Range<usize>)> {
    let head = bytes.get(from..from.checked_add(FRAME_HEAD_BYTES)?)?;
    let (length, name) = head.split_at(4);
    let length = usize::try_from(u32::from_le_bytes(length.try_into().ok()?)).ok()?;
    let begin = from.checked_add(FRAME_HEAD_BYTES)?;
    let end = begin.checked_add(length)?;
    bytes.get(begin..end)?;
    Some((Digest::from_bytes(name)?, begin..end))
}
