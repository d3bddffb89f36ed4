//! What an operator does to a ledger's files, which a daemon may be writing to: first a note of it is left, durably, then it
//! is done, then whoever writes the ledger records it and takes the note away. A crash in between leaves the note, and with
//! it the duty. It never touches a file outside of the ledger.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use tribunal_core::Timestamp;
use tribunal_core::record::Record;

use crate::digest::hex;
use crate::directory::{DIRECTORY_MODE, Directory, sync_directory};
use crate::key::replace;
use crate::keys;
use crate::schema::LifecycleEvent;

/// The directory of the notes in a ledger's.
const NOTES: &str = "notes";
const ENDING: &str = "json";

/// What is to be done, or was done, and is to be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    ledger: PathBuf,
    path: PathBuf,
    text: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Text {
    what: LifecycleEvent,
    detail: String,
    /// Keys to destroy, by their paths in the ledger.
    #[serde(default)]
    destroy: Vec<PathBuf>,
    /// Other files to remove.
    #[serde(default)]
    remove: Vec<PathBuf>,
}

/// The notes that wait to be recorded.
///
/// # Errors
/// When one cannot be read, or is none.
pub fn notes(ledger: &Path) -> io::Result<Vec<Note>> {
    let entries = match fs::read_dir(ledger.join(NOTES)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    let mut paths: Vec<_> =
        paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == ENDING)).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = serde_json::from_slice(&fs::read(&path)?)?;
        Ok(Note { ledger: ledger.to_owned(), path, text })
    };
    paths.into_iter().map(read).collect()
}

// === impl Note ===

impl Note {
    /// Leaves a note that these files are to go.
    pub(crate) fn leave(
        ledger: &Path,
        what: LifecycleEvent,
        detail: String,
        destroy: Vec<PathBuf>,
        remove: Vec<PathBuf>,
    ) -> io::Result<Self> {
        let directory = ledger.join(NOTES);
        if !directory.is_dir() {
            DirBuilder::new().mode(DIRECTORY_MODE).recursive(true).create(&directory)?;
            sync_directory(ledger)?;
        }
        let mut name = [0; 8];
        getrandom::fill(&mut name).map_err(io::Error::other)?;
        let inside = |path: PathBuf| path.strip_prefix(ledger).map(Path::to_owned).unwrap_or(path);
        let text = Text {
            what,
            detail,
            destroy: destroy.into_iter().map(inside).collect(),
            remove: remove.into_iter().map(inside).collect(),
        };
        let path = directory.join(hex(&name)).with_extension(ENDING);
        replace(&Directory::unlocked(&directory)?, &path, &serde_json::to_vec(&text)?, true)?;
        Ok(Self { ledger: ledger.to_owned(), path, text })
    }

    /// Does what it says, as far as that is not done yet.
    ///
    /// # Errors
    /// When a file cannot be removed, or is none of the ledger's.
    pub fn carry_out(&self) -> io::Result<()> {
        for path in &self.text.destroy {
            keys::destroy(&self.inside(path)?)?;
        }
        for path in &self.text.remove {
            match fs::remove_file(self.inside(path)?) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        sync_directory(&self.ledger)
    }

    /// What it says, for people.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.text.detail
    }

    /// The record of it.
    #[must_use]
    pub fn record(&self, at: Timestamp) -> Record {
        Record::Lifecycle { at, what: self.text.what.into(), detail: self.text.detail.clone() }
    }

    /// It is recorded.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub fn take_away(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        self.path.parent().map_or(Ok(()), sync_directory)
    }

    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        if path.components().all(|part| matches!(part, Component::Normal(_))) {
            Ok(self.ledger.join(path))
        } else {
            Err(io::Error::other(format!("`{}` is no file of the ledger", path.display())))
        }
    }
}
