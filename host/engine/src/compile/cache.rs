//! Native code on disk: a private directory whose entries are named by what they were made from and for, and hashed again
//! whenever they are read. It never gives out what anybody else could have written, and an entry that is not as it should
//! be is deleted and made anew.

use std::cell::RefCell;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use data_encoding::HEXLOWER;
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::digest::Digest;
use crate::load::passing_buffer;

/// What an entry begins with; the SHA-256 of name and code follows, then the code.
const HEAD: &[u8; 16] = b"tribunal-native\n";
/// Bytes before the code.
const HEAD_BYTES: usize = 16 + 32;
/// Bytes that all entries may have together; beyond that those go that were not used for the longest time.
pub(super) const CACHE_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// Bytes that one entry may have.
const ENTRY_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// What the names of entries end with.
const ENTRY: &str = "cwasm";
/// What the names of entries that are being written end with.
const UNFINISHED: &str = "tmp";
/// An unfinished entry that is so old was left by somebody who is gone.
const UNFINISHED_FOR: Duration = Duration::from_secs(60 * 60);
/// Bits of a mode by which others than the owner may read, write or enter.
const OTHERS: u32 = 0o077;

/// A directory with entries.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
    bytes_max: u64,
}

/// The name of an entry: what was compiled, and all that the native code depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(String);

thread_local! {
    /// Where a thread that loads plugins reads one entry after the other; it goes with the thread.
    static ENTRY_READ: RefCell<Vec<u8>> = RefCell::new(passing_buffer(0));
}

/// What there is under a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<T> {
    /// What was made of the code, exactly as it was put there.
    Code(T),
    /// Nothing.
    Nothing,
    /// Something that was not put there by us, or is damaged; it is gone now.
    Unfit(String),
}

/// All that native code depends on, as a name: compiler, processor, settings, version of wasmtime.
pub(crate) fn compatibility(wasm: &Engine) -> String {
    let mut hash = Steady(Sha256::new());
    wasm.precompile_compatibility_hash().hash(&mut hash);
    HEXLOWER.encode(&hash.0.finalize())
}

/// A hasher that gives the same in every process, which the standard library's own does not promise.
struct Steady(Sha256);

impl Hasher for Steady {
    fn finish(&self) -> u64 {
        let digest: [u8; 32] = self.0.clone().finalize().into();
        digest.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
}

// === impl Key ===

impl Key {
    pub(super) fn of(component: Digest, wasm: &Engine) -> Self {
        Self(format!("{}-{}", component.hex(), compatibility(wasm)))
    }
}

// === impl Cache ===

impl Cache {
    /// The cache in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// Why it cannot be used, and what to do.
    pub(super) fn open(dir: &Path) -> Result<Self, String> {
        let cannot = |error: io::Error| format!("`{}` cannot be used: {error}", dir.display());
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot)?;
        // Not through a link: who made it could lead it elsewhere later.
        let metadata = fs::symlink_metadata(dir).map_err(cannot)?;
        if !metadata.is_dir() {
            return Err(format!("`{}` is no directory", dir.display()));
        }
        if let Some(why) = foreign(&metadata) {
            return Err(format!("`{}` {why}: make it your own with mode 0700, or name another one", dir.display()));
        }
        let cache = Self { dir: dir.to_owned(), bytes_max: CACHE_BYTES_MAX };
        cache.sweep(SystemTime::now());
        Ok(cache)
    }

    /// What there is under this key: what `take` makes of the code.
    pub(super) fn get<T>(&self, key: &Key, take: impl FnOnce(&[u8]) -> T) -> Found<T> {
        let path = self.path(key);
        let taken = ENTRY_READ.with_borrow_mut(|code| read(&path, key, code).map(|()| take(code)));
        match taken {
            Ok(taken) => {
                // So that it is known to be of use. That it cannot be said is no harm.
                let _unsaid =
                    File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
                Found::Code(taken)
            }
            Err(Unread::Nothing) => Found::Nothing,
            Err(Unread::Unfit(why)) => {
                let _gone_already = fs::remove_file(&path);
                Found::Unfit(format!("`{}` {why}", path.display()))
            }
        }
    }

    /// Puts code there. Whoever reads meanwhile sees all of it or none; of two who put the same, either may win.
    pub(super) fn put(&self, key: &Key, code: &[u8]) -> io::Result<()> {
        let unfinished = self.dir.join(format!("{}.{}.{UNFINISHED}", key.0, unique()));
        let written = write(&unfinished, key, code).and_then(|()| fs::rename(&unfinished, self.path(key)));
        if written.is_err() {
            let _never_made = fs::remove_file(&unfinished);
        }
        self.sweep(SystemTime::now());
        written
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.dir.join(format!("{}.{ENTRY}", key.0))
    }

    /// Deletes what is left over, and what is too much. What cannot be deleted stays: somebody else may be at it.
    fn sweep(&self, now: SystemTime) {
        let Ok(dir) = fs::read_dir(&self.dir) else { return };
        let mut entries = Vec::new();
        for entry in dir.flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match path.extension().and_then(std::ffi::OsStr::to_str) {
                Some(ENTRY) => entries.push((used, metadata.len(), path)),
                Some(UNFINISHED) if now.duration_since(used).is_ok_and(|age| age > UNFINISHED_FOR) => {
                    let _gone_already = fs::remove_file(path);
                }
                Some(_) | None => {}
            }
        }
        entries.sort();
        let mut bytes: u64 = entries.iter().map(|(_, bytes, _)| *bytes).sum();
        for (_, length, path) in entries {
            if bytes <= self.bytes_max {
                return;
            }
            let _gone_already = fs::remove_file(path);
            bytes = bytes.saturating_sub(length);
        }
    }
}

/// Why there is no code.
enum Unread {
    Nothing,
    Unfit(String),
}

/// Reads an entry once, into our own memory, and looks at that: what happens to the file afterwards is of no consequence.
fn read(path: &Path, key: &Key, code: &mut Vec<u8>) -> Result<(), Unread> {
    let unfit = |error: &io::Error| Unread::Unfit(format!("cannot be read: {error}"));
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Err(Unread::Unfit("is no regular file".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Unread::Nothing),
        Err(error) => return Err(unfit(&error)),
    }
    let file = File::open(path).map_err(|error| unfit(&error))?;
    let metadata = file.metadata().map_err(|error| unfit(&error))?;
    if let Some(why) = foreign(&metadata) {
        return Err(Unread::Unfit(why));
    }
    let mut head = Vec::with_capacity(HEAD_BYTES);
    code.clear();
    let head_bytes = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
    (&file).take(head_bytes).read_to_end(&mut head).map_err(|error| unfit(&error))?;
    file.take(ENTRY_BYTES_MAX).read_to_end(code).map_err(|error| unfit(&error))?;
    match head.strip_prefix(HEAD) {
        Some(hash) if hash == sum(key, code) => Ok(()),
        Some(_) => Err(Unread::Unfit("is damaged: its SHA-256 is not what it says".to_owned())),
        None => Err(Unread::Unfit("is damaged: it does not begin like native code of ours".to_owned())),
    }
}

fn write(path: &Path, key: &Key, code: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(HEAD)?;
    file.write_all(&sum(key, code))?;
    file.write_all(code)?;
    file.sync_all()
}

/// Over the name as well, so that no entry passes for another.
fn sum(key: &Key, code: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(key.0.as_bytes()).chain_update(b"\n").chain_update(code).finalize().into()
}

/// Why somebody else could have written it.
fn foreign(metadata: &Metadata) -> Option<String> {
    let us = geteuid().as_raw();
    if metadata.uid() != us {
        return Some(format!("belongs to user {}, and this is user {us}", metadata.uid()));
    }
    let mode = metadata.mode() & 0o7777;
    (mode & OTHERS != 0).then(|| format!("has mode {mode:04o}, so that others may use it"))
}

/// A name that nobody else has who writes into the same directory, on this machine or another.
fn unique() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:x}-{:016x}", std::process::id(), RandomState::new().hash_one(SystemTime::now()))
}

#[cfg(test)]
mod tests;
