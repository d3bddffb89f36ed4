//! What records refer to: cases, facts, plugins, settings. Each is stored compressed and named by the SHA-256 of the stored
//! bytes, so that checking one takes neither unpacking nor a key. It never overwrites a stored object.
//!
//! Stored are: the byte 0x02; the length of what is in it, four bytes, little-endian; an
//! [LZ4 block](https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md). Objects of lines before version 4 are zlib
//! streams (RFC 1950), whose first byte ends in 8.

mod loaded;
mod loose;
mod pack;
mod sealed;
#[cfg(test)]
mod tests;

use std::io;

use lz4_flex::block::{compress_into, decompress_into, get_maximum_output_size};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;

pub(crate) use self::loaded::LoadedPack;
pub(crate) use self::loose::Loose;
pub(crate) use self::pack::{FRAME_HEAD_BYTES, Frame, Pack, PackPiece};
pub(crate) use self::sealed::{Content, ObjectKey, key_of, open, open_with, seal, sealed_with};
use crate::OBJECT_BYTES_MAX;
use crate::digest::Digest;

/// What an object begins with that is an LZ4 block.
const LZ4: u8 = 2;
/// That byte, and the length of what is in the block.
const HEAD_BYTES: usize = 5;
/// No byte of an LZ4 block stands for more: what says otherwise is none, and gets no memory.
const LZ4_GAIN_MAX: usize = 255;

/// Bytes as they are stored, and their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: Digest,
    pub(crate) stored: Vec<u8>,
}

/// The object of these bytes: always the same for the same bytes.
pub(crate) fn pack(bytes: &[u8]) -> io::Result<Object> {
    let length = u32::try_from(bytes.len()).ok().filter(|_| bytes.len() <= OBJECT_BYTES_MAX).ok_or_else(|| {
        io::Error::other(format!("{} bytes are more than the {OBJECT_BYTES_MAX} of an object", bytes.len()))
    })?;
    let mut stored = vec![0; HEAD_BYTES.saturating_add(get_maximum_output_size(bytes.len()))];
    let (head, block) = stored.split_at_mut(HEAD_BYTES);
    let [a, b, c, d] = length.to_le_bytes();
    head.copy_from_slice(&[LZ4, a, b, c, d]);
    let written = compress_into(bytes, block).map_err(io::Error::other)?;
    stored.truncate(HEAD_BYTES.saturating_add(written));
    Ok(Object { name: Digest::of(&stored), stored })
}

/// What was stored.
pub(crate) fn unpack(stored: &[u8]) -> io::Result<Vec<u8>> {
    let refused = |why: String| io::Error::other(format!("an object cannot be unpacked: {why}"));
    let Some((&[LZ4, a, b, c, d], block)) = stored.split_first_chunk::<HEAD_BYTES>() else {
        return decompress_to_vec_zlib_with_limit(stored, OBJECT_BYTES_MAX).map_err(|error| refused(error.to_string()));
    };
    let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > OBJECT_BYTES_MAX || length > block.len().saturating_mul(LZ4_GAIN_MAX) {
        return Err(refused(format!("{length} bytes cannot be in a block of {}", block.len())));
    }
    let mut bytes = vec![0; length];
    match decompress_into(block, &mut bytes) {
        Ok(written) if written == length => Ok(bytes),
        Ok(written) => Err(refused(format!("it has {written} bytes, and not the {length} that it says"))),
        Err(error) => Err(refused(error.to_string())),
    }
}
