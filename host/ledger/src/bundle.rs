//! Evidence for somebody else: some records with their proofs, and all that they refer to, in a directory that is complete
//! in itself and can be checked offline with the public key. It never has a record in it that no checkpoint vouches for, nor
//! opens what belongs to other records.
//!
//! | | |
//! |---|---|
//! | `README.md`, `bundle.json` | for people: what this is, what was asked for |
//! | `ledger.pub`, `checkpoint` | the public key, and what it signed |
//! | `records/SEQ.proof` | each record with its proof |
//! | `objects/NAME` | what records refer to, as it is stored |
//! | `keys.json` | the own key of each sealed object, where it is not erased |
//! | `readable/SEQ.json` | each record with what it refers to, in clear |
//! | `plugins/SHA256`, `settings/SHA256` | what the panels consist of, in clear |

mod check;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::check::{BundleReport, BundleVerdict, check_bundle};
pub use self::write::{Bundled, bundle};
use crate::digest::Digest;
use crate::object::{Content, ObjectKey, open_with, sealed_with, unpack};
use crate::proof::ProofError;
use crate::reader::ReadError;
use crate::schema::Time;

const README: &str = "README.md";
const ABOUT: &str = "bundle.json";
const PUBLIC_KEY: &str = "ledger.pub";
const CHECKPOINT: &str = "checkpoint";
const OBJECT_KEYS: &str = "keys.json";
const RECORDS: &str = "records";
const OBJECTS: &str = "objects";
const READABLE: &str = "readable";
const PLUGINS: &str = "plugins";
const SETTINGS: &str = "settings";
/// The ending of a proof's file.
const PROOF: &str = "proof";
/// The version of a bundle's form.
const BUNDLE_VERSION: u32 = 1;
/// The most records of a bundle, each of which has two files of its own in it.
pub const BUNDLE_RECORDS_MAX: usize = 100_000;
/// The longest file of a bundle that is read.
const FILE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Which records a bundle is to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Question {
    /// Decisions about this user's requests, and what became of them.
    pub user: Option<String>,
    /// Decisions about this request, or locking it, and what became of them.
    pub request: Option<String>,
    /// Not before. With a time alone every record is wanted, of all kinds.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
}

/// Why a bundle cannot be made, or read.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A record cannot be proven.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A file of the bundle cannot be written or read.
    #[error("`{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Nothing fits the question.
    #[error("no record fits; `tribunal ledger list` says which there are")]
    Nothing,
    /// Too much does.
    #[error("{count} records fit, and a bundle has at most {max}: ask for less time")]
    TooMany {
        /// So many fit.
        count: usize,
        /// So many may, [`BUNDLE_RECORDS_MAX`].
        max: usize,
    },
}

/// What a bundle says of itself; nothing vouches for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    v: u32,
    ledger: String,
    made: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Time>,
    records: usize,
}

/// The objects of a bundle, and the keys of those that are sealed.
#[derive(Default)]
struct Opened {
    stored: BTreeMap<Digest, Vec<u8>>,
    keys: BTreeMap<Digest, ObjectKey>,
}

// === impl Opened ===

impl Opened {
    fn open(&self, name: &Digest) -> io::Result<Content> {
        let stored = self.stored.get(name).ok_or(io::ErrorKind::NotFound)?;
        match (sealed_with(stored), self.keys.get(name)) {
            (None, _) => unpack(stored).map(Content::Bytes),
            (Some(_), Some(key)) => open_with(stored, key).map(Content::Bytes),
            (Some(_), None) => Ok(Content::Erased),
        }
    }
}

fn record_path(bundle: &Path, seq: u64) -> PathBuf {
    bundle.join(RECORDS).join(format!("{seq:012}")).with_extension(PROOF)
}

fn readable_path(bundle: &Path, seq: u64) -> PathBuf {
    bundle.join(READABLE).join(format!("{seq:012}.json"))
}

fn at<'a>(path: &'a Path) -> impl Fn(io::Error) -> BundleError + 'a {
    move |source| BundleError::File { path: path.to_owned(), source }
}
