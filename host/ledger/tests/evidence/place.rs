//! A ledger in a directory of its own, and its files as they are and as somebody would like them. It must never write a
//! record itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tribunal_core::record::{Decided, Record};
use tribunal_ledger::{Finding, Ledger, Options, PublicKey, Recovery, Verdict, check, public_key};
use tribunal_ports::Ledger as _;

use crate::made;

/// Small, so that a few records make several segments.
pub(crate) const SEGMENT_BYTES: u64 = 16 * 1024;

/// The files of a directory, by their paths in it.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) struct Place {
    root: tempfile::TempDir,
}

/// The record without the panel that made it.
pub(crate) fn by_nobody(record: Record) -> Record {
    match record {
        Record::Decided(decided) => Record::Decided(Box::new(Decided { panel: None, ..*decided })),
        Record::Outcome(_) | Record::Lifecycle { .. } => record,
    }
}

// === impl Place ===

impl Place {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap() }
    }

    /// A ledger of so many records, which was closed in good order.
    pub(crate) async fn with(records: usize) -> Self {
        let place = Self::new();
        place.append(made::records().take(records)).await;
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn open(&self) -> (Ledger, Recovery) {
        let options = Options { segment_bytes_max: Some(SEGMENT_BYTES) };
        Ledger::open_with(self.path(), options).unwrap()
    }

    /// Opens it, appends, and closes it.
    pub(crate) async fn append(&self, records: impl Iterator<Item = Record>) -> Recovery {
        let (ledger, recovery) = self.open();
        let panel = ledger.store(made::panel(3_000)).unwrap();
        for record in records {
            ledger.append(made::by(&panel, record)).await.unwrap();
        }
        recovery
    }

    pub(crate) fn key(&self) -> PublicKey {
        public_key(self.path()).unwrap()
    }

    pub(crate) fn check(&self) -> Verdict {
        check(self.path(), &self.key(), None).unwrap()
    }

    /// What is wrong with it.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        self.check().findings
    }

    pub(crate) fn segment(&self, number: u32) -> PathBuf {
        self.path().join(format!("ledger-{number:06}.jsonl"))
    }

    /// All files.
    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        let mut waiting = vec![self.path().to_owned()];
        while let Some(directory) = waiting.pop() {
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    waiting.push(path);
                } else {
                    let name = path.strip_prefix(self.path()).unwrap().to_owned();
                    tree.insert(name, fs::read(&path).unwrap());
                }
            }
        }
        tree
    }

    /// Another place with these files.
    pub(crate) fn of(tree: &Tree) -> Self {
        let place = Self::new();
        for (name, bytes) in tree {
            let path = place.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        place
    }
}

/// The lines of a segment, with their line breaks.
pub(crate) fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}
