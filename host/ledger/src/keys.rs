//! The keys that personal text is stored under, one for each user, in a directory of their own. Whoever destroys one has
//! erased all that it sealed, wherever copies of that lie. It never keeps a key anywhere else, and never shows one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::digest::{Digest, hex, unhex};
use crate::directory::{DIRECTORY_MODE, sync_directory};
use crate::store::SEGMENT_MODE;

/// The directory of the keys in a ledger's.
const KEYS: &str = "keys";
/// The length of a key's name in the objects that it sealed.
pub(crate) const KEY_ID_BYTES: usize = 8;
/// The length of a key.
const KEY_BYTES: usize = 32;
/// How many keys are kept in memory; beyond that they are read again.
const KNOWN_MAX: usize = 65_536;

/// What names a key in the objects that it sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyId(pub(crate) [u8; KEY_ID_BYTES]);

/// A user's key.
#[derive(Clone)]
pub(crate) struct UserKey {
    pub(crate) id: KeyId,
    pub(crate) secret: [u8; KEY_BYTES],
}

/// The keys as who writes needs them: by user, made where there is none.
pub(crate) struct Keyring {
    directory: PathBuf,
    /// The newest key of each user, by the digest of the user's name.
    ids: BTreeMap<Digest, KeyId>,
    known: BTreeMap<String, UserKey>,
}

/// The keys as who reads needs them: by their names.
#[derive(Debug)]
pub(crate) struct Keys {
    directory: PathBuf,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    files: BTreeMap<KeyId, PathBuf>,
    /// None: it is not here.
    keys: BTreeMap<KeyId, Option<UserKey>>,
}

/// The keys of one user, and their files.
pub(crate) fn of_user(ledger: &Path, user: &str) -> io::Result<Vec<(KeyId, PathBuf)>> {
    let of = Digest::of(user.as_bytes());
    let files = files(&ledger.join(KEYS))?;
    Ok(files.into_iter().filter(|(named, ..)| *named == of).map(|(_, id, path)| (id, path)).collect())
}

/// Destroys a key: what it sealed can never be read again. Whether it was there.
pub(crate) fn destroy(path: &Path) -> io::Result<bool> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // Where the file system writes in place nothing is left of it; where it does not, that is for its operator.
    file.write_all(hex(&[0; KEY_BYTES]).as_bytes())?;
    file.sync_all()?;
    fs::remove_file(path)?;
    path.parent().map_or(Ok(()), sync_directory)?;
    Ok(true)
}

/// Every key's file: the digest of its user's name, its own name, its path.
fn files(directory: &Path) -> io::Result<Vec<(Digest, KeyId, PathBuf)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        let named = entry.file_name().to_str().and_then(|name| {
            let (of, id) = name.split_once('-')?;
            Some((Digest::parse(of)?, KeyId(unhex(id)?)))
        });
        files.extend(named.map(|(of, id)| (of, id, entry.path())));
    }
    Ok(files)
}

fn path_of(directory: &Path, of: &Digest, id: KeyId) -> PathBuf {
    directory.join(format!("{of}-{}", hex(&id.0)))
}

fn read(path: &Path, id: KeyId) -> io::Result<Option<UserKey>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // All zeros: it was overwritten, and not removed yet.
    let secret = unhex(text.trim_end()).filter(|secret| *secret != [0; KEY_BYTES]);
    Ok(secret.map(|secret| UserKey { id, secret }))
}

// === impl Keyring ===

impl Keyring {
    pub(crate) fn open(ledger: &Path) -> io::Result<Self> {
        let directory = ledger.join(KEYS);
        let ids = files(&directory)?.into_iter().map(|(of, id, _)| (of, id)).collect();
        Ok(Self { directory, ids, known: BTreeMap::new() })
    }

    /// The key of this user, durable. One that was destroyed meanwhile is followed by another.
    pub(crate) fn of(&mut self, user: &str) -> io::Result<UserKey> {
        let of = Digest::of(user.as_bytes());
        if let Some(id) = self.ids.get(&of).copied() {
            let path = path_of(&self.directory, &of, id);
            // The file counts, not what is remembered of it.
            let known = self.known.get(user).filter(|_| path.exists()).cloned();
            let found = known.map_or_else(|| read(&path, id), |key| Ok(Some(key)))?;
            if let Some(key) = found {
                return Ok(self.remember(user, key));
            }
        }
        let key = self.make(&of)?;
        self.ids.insert(of, key.id);
        Ok(self.remember(user, key))
    }

    fn remember(&mut self, user: &str, key: UserKey) -> UserKey {
        if self.known.get(user).is_none_or(|known| known.id != key.id) {
            if self.known.len() >= KNOWN_MAX {
                self.known.clear();
            }
            self.known.insert(user.to_owned(), key.clone());
        }
        key
    }

    fn make(&self, of: &Digest) -> io::Result<UserKey> {
        let mut key = UserKey { id: KeyId([0; KEY_ID_BYTES]), secret: [0; KEY_BYTES] };
        getrandom::fill(&mut key.id.0).map_err(io::Error::other)?;
        getrandom::fill(&mut key.secret).map_err(io::Error::other)?;
        if !self.directory.is_dir() {
            DirBuilder::new().mode(DIRECTORY_MODE).recursive(true).create(&self.directory)?;
            self.directory.parent().map_or(Ok(()), sync_directory)?;
        }
        let aside = self.directory.join("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(SEGMENT_MODE).open(&aside)?;
        file.write_all(hex(&key.secret).as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path_of(&self.directory, of, key.id))?;
        sync_directory(&self.directory)?;
        Ok(key)
    }
}

// === impl Keys ===

impl Keys {
    pub(crate) fn of(ledger: &Path) -> Self {
        Self { directory: ledger.join(KEYS), known: Mutex::default() }
    }

    /// The key of this name; none: it was destroyed, or never was here.
    pub(crate) fn get(&self, id: KeyId) -> io::Result<Option<UserKey>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.keys.get(&id) {
            return Ok(key.clone());
        }
        if !known.files.contains_key(&id) {
            known.files = files(&self.directory)?.into_iter().map(|(_, id, path)| (id, path)).collect();
        }
        let key = known.files.get(&id).map_or(Ok(None), |path| read(path, id))?;
        if known.keys.len() >= KNOWN_MAX {
            known.keys.clear();
        }
        known.keys.insert(id, key.clone());
        Ok(key)
    }
}

/// The names of all keys of a ledger.
pub(crate) fn names(ledger: &Path) -> io::Result<BTreeSet<KeyId>> {
    Ok(files(&ledger.join(KEYS))?.into_iter().map(|(_, id, _)| id).collect())
}

impl std::fmt::Debug for UserKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("directory", &self.directory).finish_non_exhaustive()
    }
}
