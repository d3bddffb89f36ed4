//! The ledger's directory: who may write in it, and which segments it holds. It never looks into a segment.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::ReadError;

pub(crate) const DIRECTORY_MODE: u32 = 0o700;
const SEGMENT_PREFIX: &str = "ledger-";
const SEGMENT_SUFFIX: &str = ".jsonl";
const LEAVES_SUFFIX: &str = ".leaves";

/// Why a ledger cannot be opened for writing.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory is there and cannot be used, or is not there and cannot be made.
    #[error("ledger directory `{path}` cannot be used: {source}; {}", remedy(source))]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process writes to it.
    #[error(
        "ledger directory `{path}` is in use by another process; stop the other daemon, or give each its own directory"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// What is there cannot be read, or is damaged.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The key that checkpoints are signed with cannot be made, read, or is not the ledger's.
    #[error("the ledger's key `{path}` {why}")]
    Key {
        /// Its file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// The writer's thread cannot be started.
    #[error("the ledger's writer cannot be started: {0}")]
    Thread(io::Error),
}

/// The directory, locked against other writers for as long as this lives.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    locked: File,
}

/// A file of lines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    pub(crate) number: u32,
    pub(crate) path: PathBuf,
}

/// What the operator can do about an error of this kind.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    // Kinds grow with the standard library, so that no list of them stays complete.
    #[expect(clippy::wildcard_enum_match_arm, reason = "foreign, non-exhaustive enum")]
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space on its file system",
        io::ErrorKind::PermissionDenied => "make it writable for the daemon's user, mode 0700",
        io::ErrorKind::ReadOnlyFilesystem => "mount its file system for writing, or name another directory",
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "something else stands in its place: remove that, or name another directory"
        }
        io::ErrorKind::NotFound => "make the directory anew, or name another one",
        _ => "look after its file system, or name another directory",
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

// === impl Directory ===

impl Directory {
    /// Makes the directory where it is missing, and locks it.
    pub(crate) fn claim(path: &Path) -> Result<Self, OpenError> {
        let unusable = |source| OpenError::Directory { path: path.to_owned(), source };
        let locked = Self::make(path).map_err(unusable)?;
        match locked.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), locked }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    /// A handle for syncing names, beside the one that holds the lock.
    pub(crate) fn unlocked(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), locked: File::open(path)? })
    }

    fn make(path: &Path) -> io::Result<File> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
            if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
                sync_directory(parent)?;
            }
        }
        File::open(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the locked directory is still the one at its path.
    pub(crate) fn in_place(&self) -> bool {
        same_file(&self.locked, &self.path).unwrap_or(false)
    }

    /// Makes the names in it durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.locked.sync_all()
    }
}

/// Whether the open file is the one at this path, and not deleted.
pub(crate) fn same_file(file: &File, path: &Path) -> io::Result<bool> {
    let (open, there) = (file.metadata()?, fs::metadata(path)?);
    Ok(open.nlink() > 0 && open.dev() == there.dev() && open.ino() == there.ino())
}

// === impl Segment ===

impl Segment {
    /// The number of the first segment.
    pub(crate) const FIRST: u32 = 1;

    pub(crate) fn new(directory: &Path, number: u32) -> Self {
        Self { number, path: directory.join(format!("{SEGMENT_PREFIX}{number:06}{SEGMENT_SUFFIX}")) }
    }

    /// The segments of a directory, in order.
    pub(crate) fn list(directory: &Path) -> io::Result<Vec<Self>> {
        Self::list_by(directory, SEGMENT_SUFFIX)
    }

    /// The segments of a directory of which the leaves' hashes are kept, in order, whether they are still there or not.
    pub(crate) fn list_leaves(directory: &Path) -> io::Result<Vec<Self>> {
        Self::list_by(directory, LEAVES_SUFFIX)
    }

    fn list_by(directory: &Path, suffix: &str) -> io::Result<Vec<Self>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(directory)? {
            let name = entry?.file_name();
            let number = name
                .to_str()
                .and_then(|name| name.strip_prefix(SEGMENT_PREFIX))
                .and_then(|name| name.strip_suffix(suffix))
                .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok());
            segments.extend(number.map(|number| Self::new(directory, number)));
        }
        segments.sort();
        Ok(segments)
    }

    /// The objects that its records refer to.
    pub(crate) fn pack_path(&self) -> PathBuf {
        self.path.with_extension("pack")
    }

    /// The leaf hashes of its lines.
    pub(crate) fn leaves_path(&self) -> PathBuf {
        self.path.with_extension("leaves")
    }

    /// The checkpoint that was signed when it was complete.
    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.path.with_extension("checkpoint")
    }
}
