//! Objects that are rare and shared by many records: plugins, settings, panels. Each is a file of its own, named by its
//! digest, in the directory `objects`. It never keeps two copies of one.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{Object, pack, unpack};
use crate::digest::Digest;
use crate::directory::{DIRECTORY_MODE, sync_directory};
use crate::store::SEGMENT_MODE;

const OBJECTS: &str = "objects";

/// The directory `objects` of a ledger.
#[derive(Clone, Debug)]
pub(crate) struct Loose {
    path: PathBuf,
}

// === impl Loose ===

impl Loose {
    pub(crate) fn of(ledger: &Path) -> Self {
        Self { path: ledger.join(OBJECTS) }
    }

    pub(crate) fn path_of(&self, name: &Digest) -> PathBuf {
        self.path.join(name.to_string())
    }

    /// Stores these bytes, durably, unless they are there already.
    pub(crate) fn put(&self, bytes: &[u8]) -> io::Result<Digest> {
        let object = pack(bytes)?;
        self.keep(&object)?;
        Ok(object.name)
    }

    /// Takes over an object of another ledger.
    pub(crate) fn take_from(&self, other: &Self, name: &Digest) -> io::Result<()> {
        self.keep(&Object { name: *name, stored: other.read(name)? })
    }

    fn keep(&self, object: &Object) -> io::Result<()> {
        let Object { name, stored } = object;
        if self.read(name).is_ok() {
            return Ok(());
        }
        if !self.path.is_dir() {
            DirBuilder::new().mode(DIRECTORY_MODE).recursive(true).create(&self.path)?;
            self.path.parent().map_or(Ok(()), sync_directory)?;
        }
        let aside = self.path.join("new");
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(SEGMENT_MODE).open(&aside)?;
        file.write_all(stored)?;
        file.sync_all()?;
        fs::rename(&aside, self.path_of(name))?;
        sync_directory(&self.path)
    }

    /// The object as it is stored, if it is what its name says.
    pub(crate) fn read(&self, name: &Digest) -> io::Result<Vec<u8>> {
        let stored = fs::read(self.path_of(name))?;
        if Digest::of(&stored) == *name { Ok(stored) } else { Err(io::Error::other("it is not what was stored")) }
    }

    /// What was stored.
    pub(crate) fn get(&self, name: &Digest) -> io::Result<Vec<u8>> {
        unpack(&self.read(name)?)
    }
}
