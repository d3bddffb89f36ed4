//! From a record to what its policies were shown and what people wrote, and back: the case without its facts is one object
//! of the segment's pack, what people wrote another, both sealed with the user's key; the text of each fact, which is
//! nobody's in particular, is a third. It never invents what is not stored.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::Digest;
use crate::directory::Segment;
use crate::keys::{Keyring, Keys, UserKey};
use crate::object::{Content, FRAME_HEAD_BYTES, Frame, Pack, PackPiece, open, pack, seal};
use crate::reader::ReadError;
use crate::schema::{Body, Case, Decided, Erased, Fact, Line, Shown, StoredFact, StoredWords};

/// What it takes to store objects.
pub(crate) struct Storing {
    /// None: nothing is sealed, since there is no directory to keep keys in.
    pub(crate) keys: Option<Keyring>,
    /// Facts that the segment's pack has: the digest of each text, and the name of its object.
    pub(crate) facts: BTreeMap<Digest, Digest>,
}

/// What it takes to read a ledger's objects: its keys, and what the pack of the segment at hand holds.
#[derive(Debug)]
pub(crate) struct Contents {
    keys: Keys,
    index: Option<Index>,
}

/// Where each object of a pack begins, and how long it is.
#[derive(Debug)]
pub(crate) struct Index {
    segment: Segment,
    pack: Option<File>,
    places: BTreeMap<Digest, (u64, u32)>,
    /// Where the last whole frame ends, if something stands after it.
    pub(crate) torn: Option<u64>,
}

/// The names of what stands in the pack for this decision.
pub(crate) fn names(decided: &Decided) -> impl Iterator<Item = Digest> + '_ {
    let case = decided.case.iter().filter_map(|shown| match shown {
        Shown::Stored(name) => Some(*name),
        Shown::Inline(_) | Shown::Erased(_) => None,
    });
    let words = decided.request.iter().filter_map(|request| match request.words? {
        StoredWords::Stored(name) => Some(name),
        StoredWords::Erased(_) => None,
    });
    case.chain(words).chain(decided.facts.iter().map(|fact| fact.json))
}

/// Why a line cannot be filled in.
pub(crate) enum Unfit<E> {
    /// An object cannot be read.
    Unread(E),
    /// An object is not what it should be.
    Content(Digest, String),
}

/// Puts back into a line what it refers to, or that it is erased.
pub(crate) fn fill_in<E>(line: &mut Line, mut read: impl FnMut(&Digest) -> Result<Content, E>) -> Result<(), Unfit<E>> {
    let Body::Decided(decided) = &mut line.body else { return Ok(()) };
    if let Some(request) = &mut decided.request
        && let Some(StoredWords::Stored(name)) = request.words
    {
        match parsed(&name, read(&name))? {
            Some(words) => {
                request.put_words(words);
                request.words = None;
            }
            None => request.words = Some(StoredWords::Erased(Erased::Erased)),
        }
    }
    fill_in_case(decided, &mut BTreeMap::new(), read)
}

/// Puts back into a decision the case that it refers to, or that it is erased; what people wrote about the request itself
/// stays where it is. `texts` are those of facts by their objects: what is read for one decision is there for the next.
pub(crate) fn fill_in_case<E>(
    decided: &mut Decided,
    texts: &mut BTreeMap<Digest, String>,
    mut read: impl FnMut(&Digest) -> Result<Content, E>,
) -> Result<(), Unfit<E>> {
    let Some(Shown::Stored(name)) = &decided.case else { return Ok(()) };
    let Some(mut case) = parsed::<Case, E>(name, read(name))? else {
        decided.case = Some(Shown::Erased(Erased::Erased));
        return Ok(());
    };
    for StoredFact { name, json, fetched, fresh } in std::mem::take(&mut decided.facts) {
        let json = match texts.entry(json) {
            Entry::Occupied(text) => text.get().clone(),
            Entry::Vacant(place) => match read(&json).map_err(Unfit::Unread)? {
                Content::Bytes(bytes) => {
                    let text = String::from_utf8(bytes).map_err(|error| Unfit::Content(json, error.to_string()))?;
                    place.insert(text).clone()
                }
                Content::Erased => return Err(Unfit::Content(json, "it is sealed, and facts never are".to_owned())),
            },
        };
        case.facts.push(Fact { name, json, fetched, fresh });
    }
    decided.case = Some(Shown::Inline(Box::new(case)));
    Ok(())
}

/// What an object says; none, if it is erased.
fn parsed<T: DeserializeOwned, E>(name: &Digest, read: Result<Content, E>) -> Result<Option<T>, Unfit<E>> {
    match read.map_err(Unfit::Unread)? {
        Content::Bytes(bytes) => {
            // Text is checked once, and not string by string.
            let unfit = |why: String| Unfit::Content(*name, why);
            let text = str::from_utf8(&bytes).map_err(|error| unfit(error.to_string()))?;
            serde_json::from_str(text).map(Some).map_err(|error| unfit(error.to_string()))
        }
        Content::Erased => Ok(None),
    }
}

// === impl Storing ===

impl Storing {
    pub(crate) fn new(keys: Option<Keyring>) -> Self {
        Self { keys, facts: BTreeMap::new() }
    }

    /// Takes out of a decision what it refers to: the objects are appended to `frames`, their names stand in their place.
    pub(crate) fn take_out(&mut self, decided: &mut Decided, frames: &mut Vec<u8>) -> io::Result<()> {
        let words = decided.request.as_mut().and_then(crate::schema::Request::take_words);
        let case = match decided.case.take() {
            Some(Shown::Inline(case)) => Some(case),
            other @ (Some(Shown::Stored(_) | Shown::Erased(_)) | None) => {
                decided.case = other;
                None
            }
        };
        if words.is_none() && case.is_none() {
            return Ok(());
        }
        let key = self.keys.as_mut().map(|keys| keys.of(&decided.user)).transpose()?;
        if let (Some(words), Some(request)) = (words, &mut decided.request) {
            request.words = Some(StoredWords::Stored(Self::put(&words, key.as_ref(), frames)?));
        }
        if let Some(mut case) = case {
            decided.facts = self.put_facts(std::mem::take(&mut case.facts), frames)?;
            decided.case = Some(Shown::Stored(Self::put(&*case, key.as_ref(), frames)?));
        }
        Ok(())
    }

    fn put(what: &impl Serialize, key: Option<&UserKey>, frames: &mut Vec<u8>) -> io::Result<Digest> {
        let plain = pack(&serde_json::to_vec(what).map_err(io::Error::other)?)?;
        let object = key.map_or_else(|| Ok(plain.clone()), |key| seal(&plain, key))?;
        Frame::write(&object, frames)?;
        Ok(object.name)
    }

    /// Facts change less often than cases are made: in one pack each text is stored once.
    fn put_facts(&mut self, facts: Vec<Fact>, frames: &mut Vec<u8>) -> io::Result<Vec<StoredFact>> {
        let mut stored = Vec::with_capacity(facts.len());
        for Fact { name, json, fetched, fresh } in facts {
            let text = Digest::of(json.as_bytes());
            let object = match self.facts.get(&text) {
                Some(object) => *object,
                None => {
                    let object = pack(json.as_bytes())?;
                    Frame::write(&object, frames)?;
                    self.facts.insert(text, object.name);
                    object.name
                }
            };
            stored.push(StoredFact { name, json: object, fetched, fresh });
        }
        Ok(stored)
    }
}

// === impl Contents ===

impl Contents {
    pub(crate) fn of(ledger: &Path) -> Self {
        Self { keys: Keys::of(ledger), index: None }
    }

    /// Puts back into a line what it refers to, or that it is erased.
    pub(crate) fn fill_in(&mut self, segment: &Segment, line: &mut Line) -> Result<(), ReadError> {
        fill_in(line, |name| {
            let stored = self.stored(segment, name)?;
            open(&stored, &self.keys).map_err(|error| lacks(segment, name, error.to_string()))
        })
        .map_err(|unfit| match unfit {
            Unfit::Unread(error) => error,
            Unfit::Content(name, why) => lacks(segment, &name, why),
        })
    }

    /// An object as it is stored.
    pub(crate) fn stored(&mut self, segment: &Segment, name: &Digest) -> Result<Vec<u8>, ReadError> {
        let index = match &self.index {
            Some(index) if index.segment == *segment => index,
            Some(_) | None => self.index.insert(Index::of(segment)?),
        };
        index.stored(name)
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }
}

fn lacks(segment: &Segment, name: &Digest, why: String) -> ReadError {
    ReadError::Object { path: segment.pack_path(), object: *name, why }
}

// === impl Index ===

impl Index {
    /// What the pack of this segment holds; nothing, if it has none.
    pub(crate) fn of(segment: &Segment) -> Result<Self, ReadError> {
        let path: PathBuf = segment.pack_path();
        let io = |source| ReadError::Io { path: path.clone(), source };
        let mut index = Self { segment: segment.clone(), pack: None, places: BTreeMap::new(), torn: None };
        let Some(mut pack) = Pack::open(&path).map_err(io)? else { return Ok(index) };
        index.pack = Some(File::open(&path).map_err(io)?);
        let mut stored = Vec::new();
        loop {
            match pack.read(&mut stored).map_err(io)? {
                PackPiece::Object { name, offset, bytes } => {
                    index.places.insert(name, (offset.saturating_add(FRAME_HEAD_BYTES as u64), bytes));
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
        self.places.contains_key(name)
    }

    /// What is stored under this name.
    fn stored(&self, name: &Digest) -> Result<Vec<u8>, ReadError> {
        let lacks = |why: &str| lacks(&self.segment, name, why.to_owned());
        let (Some((offset, bytes)), Some(pack)) = (self.places.get(name), &self.pack) else {
            return Err(lacks("it is missing"));
        };
        let mut stored = vec![0; usize::try_from(*bytes).unwrap_or(0)];
        pack.read_exact_at(&mut stored, *offset).map_err(|error| lacks(&error.to_string()))?;
        if Digest::of(&stored) == *name { Ok(stored) } else { Err(lacks("it is not what was stored")) }
    }
}
