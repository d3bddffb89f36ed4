//! Objects that each record has of its own: the pack beside a segment, one frame after the other: length (four bytes,
//! little-endian), digest, stored bytes. It never finds a record's object by its place, only by its digest.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use super::Object;
use crate::OBJECT_BYTES_MAX;
use crate::digest::{DIGEST_BYTES, Digest};

/// What stands before the stored bytes of a frame.
pub(crate) const FRAME_HEAD_BYTES: usize = 4 + DIGEST_BYTES;
const BUFFER_BYTES: usize = 256 * 1024;

/// A frame, appended to bytes that are about to be written.
pub(crate) struct Frame;

/// A pack, from its first frame to its last.
#[derive(Debug)]
pub(crate) struct Pack {
    reader: BufReader<File>,
    offset: u64,
}

/// What comes next in a pack.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PackPiece {
    /// An object, named as its frame says; its bytes were read, or passed over.
    Object {
        name: Digest,
        offset: u64,
        bytes: u32,
    },
    /// No whole frame: a crash, or damage.
    Torn {
        offset: u64,
    },
    End,
}

// === impl Frame ===

impl Frame {
    pub(crate) fn write(object: &Object, out: &mut Vec<u8>) -> io::Result<()> {
        let bytes = u32::try_from(object.stored.len()).map_err(|_| io::Error::other("an object is too long"))?;
        out.extend_from_slice(&bytes.to_le_bytes());
        out.extend_from_slice(object.name.as_bytes());
        out.extend_from_slice(&object.stored);
        Ok(())
    }
}

// === impl Pack ===

impl Pack {
    /// Opens a pack; none, if there is no such file.
    pub(crate) fn open(path: &Path) -> io::Result<Option<Self>> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self { reader: BufReader::with_capacity(BUFFER_BYTES, file), offset: 0 })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads the next frame; its stored bytes replace what is in `into`.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>) -> io::Result<PackPiece> {
        let mut head = [0; FRAME_HEAD_BYTES];
        let got = read_up_to(&mut self.reader, &mut head)?;
        if got == 0 {
            return Ok(PackPiece::End);
        }
        let torn = PackPiece::Torn { offset: self.offset };
        let (length, name) = head.split_at(4);
        let (Ok(length), Some(name)) = (<[u8; 4]>::try_from(length), Digest::from_bytes(name)) else { return Ok(torn) };
        let bytes = u32::from_le_bytes(length);
        let length = usize::try_from(bytes).unwrap_or(usize::MAX);
        if got < FRAME_HEAD_BYTES || length > OBJECT_BYTES_MAX {
            return Ok(torn);
        }
        into.resize(length, 0);
        if read_up_to(&mut self.reader, into)? < length {
            return Ok(torn);
        }
        let offset = self.offset;
        self.offset = offset.saturating_add(FRAME_HEAD_BYTES as u64).saturating_add(u64::from(bytes));
        Ok(PackPiece::Object { name, offset, bytes })
    }
}

fn read_up_to(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut got = 0;
    while let Some(rest) = into.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(more) => got = got.saturating_add(more),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
