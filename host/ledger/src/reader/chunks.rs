//! A ledger in pieces that many threads work on at once: whole lines, and the cases that belong to them. It checks neither
//! numbers nor hashes of lines, which is for `verify`; what a line refers to it never takes for anything else.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ReadError, segments};
use crate::LINE_BYTES_MAX;
use crate::cases::{self, Unfit};
use crate::digest::Digest;
use crate::directory::Segment;
use crate::keys::Keys;
use crate::object::{LoadedPack, open};
use crate::schema::{Body, Line};
use crate::search::{Filter, Sieve};

/// A piece is at least so long, unless a segment ends; a line is never torn apart.
const CHUNK_BYTES: u64 = 512 * 1024;

/// A ledger, to be taken piece by piece; any thread may take the next.
#[derive(Debug)]
pub struct Chunks {
    rest: Mutex<Rest>,
    keys: Arc<Keys>,
    bytes: u64,
}

#[derive(Debug)]
struct Rest {
    waiting: VecDeque<Segment>,
    open: Option<Open>,
}

/// The segment at hand.
#[derive(Debug)]
struct Open {
    segment: Segment,
    pack: Arc<LoadedPack>,
    reader: BufReader<File>,
    /// Lines before what is read next.
    lines: u64,
}

/// A piece of a ledger.
#[derive(Debug)]
pub struct Chunk {
    segment: Segment,
    pack: Arc<LoadedPack>,
    keys: Arc<Keys>,
    /// Whole lines.
    bytes: Vec<u8>,
    /// Lines of the segment before them.
    before: u64,
}

/// What is left of the ledger in this directory, which is all of it.
///
/// # Errors
/// When the directory cannot be read, or a segment between others is missing.
pub fn chunks(directory: &Path) -> Result<Chunks, ReadError> {
    let waiting: VecDeque<Segment> = segments(directory)?.into();
    let length = |segment: &Segment| std::fs::metadata(&segment.path).map_or(0, |metadata| metadata.len());
    let bytes = waiting.iter().map(length).fold(0, u64::saturating_add);
    Ok(Chunks { rest: Mutex::new(Rest { waiting, open: None }), keys: Arc::new(Keys::of(directory)), bytes })
}

// === impl Chunks ===

impl Chunks {
    /// The length of all lines, when they were looked at first.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next piece; none, when there is no more. A last line that has no line break yet is left out.
    ///
    /// # Errors
    /// When a segment or its pack cannot be read, or a line is too long.
    pub fn next(&self) -> Result<Option<Chunk>, ReadError> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let is_last = rest.waiting.is_empty();
            if let Some(open) = &mut rest.open {
                if let Some(chunk) = open.next(is_last, &self.keys)? {
                    return Ok(Some(chunk));
                }
                rest.open = None;
            }
            let Some(segment) = rest.waiting.pop_front() else { return Ok(None) };
            rest.open = Some(Open::begin(segment)?);
        }
    }
}

// === impl Open ===

impl Open {
    fn begin(segment: Segment) -> Result<Self, ReadError> {
        let file = File::open(&segment.path).map_err(|source| ReadError::Io { path: segment.path.clone(), source })?;
        let pack = LoadedPack::load(&segment.pack_path())
            .map_err(|source| ReadError::Io { path: segment.pack_path(), source })?;
        Ok(Self { segment, pack: Arc::new(pack), reader: BufReader::new(file), lines: 0 })
    }

    fn next(&mut self, is_last: bool, keys: &Arc<Keys>) -> Result<Option<Chunk>, ReadError> {
        let io = |source| ReadError::Io { path: self.segment.path.clone(), source };
        let damage = |line: u64, why: String| ReadError::Damage { path: self.segment.path.clone(), line, why };
        let mut bytes = Vec::new();
        (&mut self.reader).take(CHUNK_BYTES).read_to_end(&mut bytes).map_err(io)?;
        // One byte more than a line may have, to tell one that is too long from one that just fits.
        let more = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        if bytes.last().is_some_and(|last| *last != b'\n') {
            let read = (&mut self.reader).take(more).read_until(b'\n', &mut bytes).map_err(io)?;
            if read > LINE_BYTES_MAX {
                return Err(damage(self.lines, format!("it is longer than {LINE_BYTES_MAX} bytes")));
            }
        }
        let end = memchr::memrchr(b'\n', &bytes).map_or(0, |end| end.saturating_add(1));
        if end < bytes.len() && !is_last {
            return Err(damage(self.lines, "its last line has no end".to_owned()));
        }
        bytes.truncate(end);
        if bytes.is_empty() {
            return Ok(None);
        }
        let before = self.lines;
        let lines = memchr::memchr_iter(b'\n', &bytes).count();
        self.lines = before.saturating_add(u64::try_from(lines).unwrap_or(u64::MAX));
        let (segment, pack, keys) = (self.segment.clone(), Arc::clone(&self.pack), Arc::clone(keys));
        Ok(Some(Chunk { segment, pack, keys, bytes, before }))
    }
}

// === impl Chunk ===

impl Chunk {
    /// Its length.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    /// Hands over each decision that fits, with the bytes of its line; its case stands in it, where it refers to one, and what
    /// people wrote stands in the case alone. What cannot be read is handed over as an error, and the next one follows.
    pub fn decisions(&self, filter: &Filter, mut take: impl FnMut(&[u8], Result<Line, ReadError>)) {
        let sieve = Sieve::new(filter);
        let mut texts = BTreeMap::new();
        for (number, line) in (1_u64..).zip(self.bytes.split(|byte| *byte == b'\n')) {
            let damage = |why: String| ReadError::Damage {
                path: self.segment.path.clone(),
                line: self.before.saturating_add(number),
                why,
            };
            match sieve.passes(line) {
                Ok(false) => {}
                Ok(true) => take(
                    line,
                    Line::parse(line)
                        .map_err(|error| damage(error.to_string()))
                        .and_then(|line| self.with_case(line, &mut texts)),
                ),
                Err(error) => take(line, Err(damage(error.to_string()))),
            }
        }
    }

    fn with_case(&self, mut line: Line, texts: &mut BTreeMap<Digest, String>) -> Result<Line, ReadError> {
        let lacks =
            |object: &_, why: String| ReadError::Object { path: self.segment.pack_path(), object: *object, why };
        if let Body::Decided(decided) = &mut line.body {
            cases::fill_in_case(decided, texts, |object| {
                self.pack.stored(object).and_then(|stored| open(stored, &self.keys)).map_err(|error| (*object, error))
            })
            .map_err(|unfit| match unfit {
                Unfit::Unread((object, error)) => lacks(&object, error.to_string()),
                Unfit::Content(object, why) => lacks(&object, why),
            })?;
        }
        Ok(line)
    }
}
