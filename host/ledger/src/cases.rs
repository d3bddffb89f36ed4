//! From a record to the case that its policies were shown, and back: the case without its facts is one object of the
//! segment's pack, the text of each fact another. It never invents what is not stored.

use std::collections::BTreeMap;
use std::io;

use crate::digest::Digest;
use crate::directory::Segment;
use crate::object::{Frame, Object, Pack, PackPiece, Packer, unpack};
use crate::reader::ReadError;
use crate::schema::{Body, Case, Decided, Fact, Line, Shown, StoredFact};

/// Where each object of a pack begins.
#[derive(Debug)]
pub(crate) struct Index {
    segment: Segment,
    offsets: BTreeMap<Digest, u64>,
    /// Where the last whole frame ends, if something stands after it.
    pub(crate) torn: Option<u64>,
}

/// Takes the case out of a decision: its objects are appended to `frames`, their names stand in its place.
pub(crate) fn take_out(
    decided: &mut Decided,
    packer: &mut Packer,
    known: &mut BTreeMap<Digest, Digest>,
    frames: &mut Vec<u8>,
) -> io::Result<()> {
    let Some(Shown::Inline(mut case)) = decided.case.take() else { return Ok(()) };
    let before = frames.len();
    let stored = store(&mut case, packer, known, frames);
    match stored {
        Ok((facts, name)) => {
            decided.facts = facts;
            decided.case = Some(Shown::Stored(name));
            Ok(())
        }
        Err(error) => {
            frames.truncate(before);
            Err(error)
        }
    }
}

/// Facts change less often than cases are made: in one pack each text is stored once. `known` says which are, by the
/// digest of the text itself.
fn store(
    case: &mut Case,
    packer: &mut Packer,
    known: &mut BTreeMap<Digest, Digest>,
    frames: &mut Vec<u8>,
) -> io::Result<(Vec<StoredFact>, Digest)> {
    let mut facts = Vec::new();
    for Fact { name, json, fetched, fresh } in std::mem::take(&mut case.facts) {
        let text = Digest::of(json.as_bytes());
        let stored = match known.get(&text) {
            Some(stored) => *stored,
            None => {
                let object = packer.pack(json.as_bytes())?;
                Frame::write(&object, frames)?;
                known.insert(text, object.name);
                object.name
            }
        };
        facts.push(StoredFact { name, json: stored, fetched, fresh });
    }
    let object: Object = packer.pack(&serde_json::to_vec(case).map_err(io::Error::other)?)?;
    Frame::write(&object, frames)?;
    Ok((facts, object.name))
}

/// The names of what stands in the pack for this decision.
pub(crate) fn names(decided: &Decided) -> impl Iterator<Item = Digest> + '_ {
    let case = decided.case.iter().filter_map(|shown| match shown {
        Shown::Stored(name) => Some(*name),
        Shown::Inline(_) => None,
    });
    case.chain(decided.facts.iter().map(|fact| fact.json))
}

/// Puts the case of a line back into it, if it has one that is stored.
pub(crate) fn fill_in(segment: &Segment, index: &mut Option<Index>, line: &mut Line) -> Result<(), ReadError> {
    if !refers(line) {
        return Ok(());
    }
    let index = match index {
        Some(index) if index.segment == *segment => index,
        other => other.insert(Index::of(segment)?),
    };
    put_back(line, |object| index.get(object), |object, why| index.lacks(object, why))
}

/// Whether a line has a case that is stored.
fn refers(line: &Line) -> bool {
    match &line.body {
        Body::Decided(decided) => matches!(decided.case, Some(Shown::Stored(_))),
        Body::Outcome(_) | Body::Lifecycle(_) => false,
    }
}

/// Puts the case of a line back into it, if it has one that is stored; `get` gives what is stored, `lacks` says that it is
/// not what it should be.
pub(crate) fn put_back(
    line: &mut Line,
    get: impl Fn(&Digest) -> Result<Vec<u8>, ReadError>,
    lacks: impl Fn(&Digest, String) -> ReadError,
) -> Result<(), ReadError> {
    let Body::Decided(decided) = &mut line.body else { return Ok(()) };
    let Some(Shown::Stored(name)) = &decided.case else { return Ok(()) };
    let mut case: Case = serde_json::from_slice(&get(name)?).map_err(|error| lacks(name, error.to_string()))?;
    for StoredFact { name, json, fetched, fresh } in std::mem::take(&mut decided.facts) {
        let text = String::from_utf8(get(&json)?).map_err(|error| lacks(&json, error.to_string()))?;
        case.facts.push(Fact { name, json: text, fetched, fresh });
    }
    decided.case = Some(Shown::Inline(Box::new(case)));
    Ok(())
}

// === impl Index ===

impl Index {
    /// What the pack of this segment holds; nothing, if it has none.
    pub(crate) fn of(segment: &Segment) -> Result<Self, ReadError> {
        let io = |source| ReadError::Io { path: segment.pack_path(), source };
        let mut index = Self { segment: segment.clone(), offsets: BTreeMap::new(), torn: None };
        let Some(mut pack) = Pack::open(&segment.pack_path()).map_err(io)? else { return Ok(index) };
        let mut stored = Vec::new();
        loop {
            match pack.read(&mut stored).map_err(io)? {
                PackPiece::Object { name, offset, bytes: _ } => {
                    index.offsets.insert(name, offset);
                }
                PackPiece::Torn { offset } => {
                    index.torn = Some(offset);
                    return Ok(index);
                }
                PackPiece::End => return Ok(index),
            }
        }
    }

    pub(crate) fn has(&self, name: &Digest) -> bool {
        self.offsets.contains_key(name)
    }

    /// What was stored under this name.
    pub(crate) fn get(&self, name: &Digest) -> Result<Vec<u8>, ReadError> {
        let offset = *self.offsets.get(name).ok_or_else(|| self.lacks(name, "it is missing".to_owned()))?;
        let path = self.segment.pack_path();
        let read = || {
            let mut pack = Pack::open(&path)?.ok_or(io::ErrorKind::NotFound)?;
            pack.seek(offset)?;
            let mut stored = Vec::new();
            pack.read(&mut stored)?;
            if Digest::of(&stored) == *name {
                unpack(&stored)
            } else {
                Err(io::Error::other("it is not what was stored"))
            }
        };
        read().map_err(|error| self.lacks(name, error.to_string()))
    }

    fn lacks(&self, object: &Digest, why: String) -> ReadError {
        ReadError::Object { path: self.segment.pack_path(), object: *object, why }
    }
}
