//! What records refer to: cases, facts, plugins, settings. Each is stored compressed (zlib) and named by the SHA-256 of the
//! stored bytes, so that checking one takes neither unpacking nor a key. It never overwrites a stored object.

mod loaded;
mod loose;
mod pack;
mod sealed;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::io;

use miniz_oxide::deflate::core::{CompressorOxide, create_comp_flags_from_zip_params};
use miniz_oxide::deflate::stream::deflate;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use miniz_oxide::{MZError, MZFlush, MZStatus};

pub(crate) use self::loaded::LoadedPack;
pub(crate) use self::loose::Loose;
pub(crate) use self::pack::{FRAME_HEAD_BYTES, Frame, Pack, PackPiece};
pub(crate) use self::sealed::{Content, OBJECT_KEY_BYTES, ObjectKey, key_of, open, open_with, seal, sealed_with};
use crate::OBJECT_BYTES_MAX;
use crate::digest::Digest;

/// Fast rather than small: a case is compressed while somebody waits for its decision.
const LEVEL: i32 = 1;
/// zlib's largest window, with a head and a checksum.
const WINDOW_BITS: i32 = 15;

/// So many times as long as what is stored of it a case usually is.
const USUAL_GAIN: usize = 4;

thread_local! {
    /// Its tables are larger than most objects, and are used again.
    static INFLATER: RefCell<Box<DecompressorOxide>> = RefCell::default();
}

/// Bytes as they are stored, and their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) name: Digest,
    pub(crate) stored: Vec<u8>,
}

/// Makes objects; its memory is used again.
pub(crate) struct Packer {
    compressor: Box<CompressorOxide>,
}

// === impl Packer ===

impl Packer {
    pub(crate) fn new() -> Self {
        let flags = create_comp_flags_from_zip_params(LEVEL, WINDOW_BITS, 0);
        Self { compressor: Box::new(CompressorOxide::new(flags)) }
    }

    /// The object of these bytes: always the same for the same bytes.
    pub(crate) fn pack(&mut self, bytes: &[u8]) -> io::Result<Object> {
        if bytes.len() > OBJECT_BYTES_MAX {
            return Err(io::Error::other(format!(
                "{} bytes are more than the {OBJECT_BYTES_MAX} of an object",
                bytes.len()
            )));
        }
        self.compressor.reset();
        let mut stored = vec![0; bytes.len() / 2 + 64];
        let (mut read, mut written) = (0_usize, 0_usize);
        loop {
            let input = bytes.get(read..).unwrap_or_default();
            let output = stored.get_mut(written..).unwrap_or_default();
            let result = deflate(&mut self.compressor, input, output, MZFlush::Finish);
            read = read.saturating_add(result.bytes_consumed);
            written = written.saturating_add(result.bytes_written);
            match result.status {
                Ok(MZStatus::StreamEnd) => break,
                Ok(MZStatus::Ok) | Err(MZError::Buf) => stored.resize(stored.len().saturating_mul(2), 0),
                Ok(MZStatus::NeedDict) | Err(_) => return Err(io::Error::other("an object cannot be compressed")),
            }
        }
        stored.truncate(written);
        Ok(Object { name: Digest::of(&stored), stored })
    }
}

/// What was stored.
pub(crate) fn unpack(stored: &[u8]) -> io::Result<Vec<u8>> {
    INFLATER
        .with_borrow_mut(|inflater| inflate(inflater, stored))
        .map_err(|status| io::Error::other(format!("an object cannot be unpacked: {status:?}")))
}

fn inflate(inflater: &mut DecompressorOxide, stored: &[u8]) -> Result<Vec<u8>, TINFLStatus> {
    let flags = TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    inflater.init();
    let mut bytes = vec![0; stored.len().saturating_mul(USUAL_GAIN).min(OBJECT_BYTES_MAX)];
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let input = stored.get(read..).unwrap_or_default();
        let (status, consumed, made) = decompress(inflater, input, &mut bytes, written, flags);
        read = read.saturating_add(consumed);
        written = written.saturating_add(made);
        if status == TINFLStatus::Done {
            bytes.truncate(written);
            return Ok(bytes);
        }
        if status != TINFLStatus::HasMoreOutput || bytes.len() == OBJECT_BYTES_MAX {
            return Err(status);
        }
        bytes.resize(bytes.len().saturating_mul(2).min(OBJECT_BYTES_MAX), 0);
    }
}
