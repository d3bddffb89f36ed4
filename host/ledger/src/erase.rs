//! Erasing what is personal of a user: the key that it was sealed with is destroyed, and the objects stay where they are, so
//! that every hash still holds. It never touches a line.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::keys::{self, KeyId};
use crate::notes::Note;
use crate::object::{Pack, PackPiece, sealed_with};
use crate::reader::{self, ReadError};
use crate::schema::LifecycleEvent;
use crate::verify::each;

/// What is erased, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Erasure {
    /// Keys; none: nothing was sealed for this user, or it was erased before.
    pub keys: usize,
    /// Objects that they sealed, in the packs that are here.
    pub objects: u64,
    /// The bytes of them.
    pub bytes: u64,
}

/// What is sealed for this user.
///
/// # Errors
/// When the packs cannot be read.
pub fn sealed_for(ledger: &Path, user: &str) -> Result<Erasure, ReadError> {
    let (ids, paths) = keys_of(ledger, user)?;
    count(ledger, &ids, paths.len())
}

/// Destroys the keys of this user. A note of it waits to be recorded: see [`notes`](crate::notes).
///
/// # Errors
/// When the packs cannot be read, or a key not be destroyed.
pub fn erase(ledger: &Path, user: &str) -> Result<Erasure, ReadError> {
    let io = |source: io::Error| ReadError::Io { path: ledger.to_owned(), source };
    let (ids, paths) = keys_of(ledger, user)?;
    let erasure = count(ledger, &ids, paths.len())?;
    if !paths.is_empty() {
        let detail = format!("the personal text of user `{user}`: {} objects", erasure.objects);
        let note = Note::leave(ledger, LifecycleEvent::Erased, detail, paths, Vec::new()).map_err(io)?;
        note.carry_out().map_err(io)?;
    }
    Ok(erasure)
}

fn keys_of(ledger: &Path, user: &str) -> Result<(BTreeSet<KeyId>, Vec<PathBuf>), ReadError> {
    let keys = keys::of_user(ledger, user).map_err(|source| ReadError::Io { path: ledger.to_owned(), source })?;
    Ok(keys.into_iter().unzip())
}

fn count(ledger: &Path, ids: &BTreeSet<KeyId>, keys: usize) -> Result<Erasure, ReadError> {
    let mut erasure = Erasure { keys, ..Erasure::default() };
    if ids.is_empty() {
        return Ok(erasure);
    }
    for (objects, bytes) in each(&reader::segments(ledger)?, |segment| {
        let path = segment.pack_path();
        sealed_by(&path, ids).map_err(|source| ReadError::Io { path, source })
    })? {
        erasure.objects = erasure.objects.saturating_add(objects);
        erasure.bytes = erasure.bytes.saturating_add(bytes);
    }
    Ok(erasure)
}

fn sealed_by(pack: &Path, ids: &BTreeSet<KeyId>) -> io::Result<(u64, u64)> {
    let (mut objects, mut bytes_of, mut stored) = (0_u64, 0_u64, Vec::new());
    if let Some(mut pack) = Pack::open(pack)? {
        while let PackPiece::Object { bytes, .. } = pack.read(&mut stored)? {
            if sealed_with(&stored).is_some_and(|id| ids.contains(&id)) {
                objects = objects.saturating_add(1);
                bytes_of = bytes_of.saturating_add(u64::from(bytes));
            }
        }
    }
    Ok((objects, bytes_of))
}
