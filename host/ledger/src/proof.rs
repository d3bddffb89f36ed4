//! That one record is in a ledger, in a file that anybody can check without the ledger (<https://c2sp.org/tlog-proof>; the
//! record itself is the extra data). It never proves what no checkpoint vouches for.

use std::fmt;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::notary::CHECKPOINT;
use crate::note::{NoteError, PublicKey};
use crate::reader::ReadError;
use crate::tree::{Tree, leaf_hash, root, root_of_inclusion};
use crate::verify;

/// The first line of a proof.
const HEAD: &str = "c2sp.org/tlog-proof@v1";

/// A proof, as its file says; nothing of it is believed before [`Proof::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    index: u64,
    path: Vec<Digest>,
    record: Vec<u8>,
    checkpoint: String,
}

/// A record that is in a ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The line, without its line break.
    pub record: Vec<u8>,
    /// Which leaf it is, counted from 0.
    pub index: u64,
    /// Who vouches for it.
    pub checkpoint: Checkpoint,
}

/// Why a record cannot be proven, or a proof not be believed.
#[derive(Debug, Error)]
pub enum ProofError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// No checkpoint vouches for the record yet.
    #[error("no checkpoint vouches for record {0} yet; a running daemon signs one within a second: try again")]
    NotYet(u64),
    /// There is no such record here.
    #[error("record {0} is not in the segments that are here; it may have been archived")]
    NotHere(u64),
    /// The ledger is not what its checkpoint was signed for.
    #[error("the ledger is not what its checkpoint was signed for; `tribunal ledger verify` says what is wrong")]
    Altered,
    /// The file is no proof.
    #[error("it is no proof: {0}")]
    Form(&'static str),
    /// The checkpoint in it is not to be believed.
    #[error("the checkpoint in it cannot be believed: {0}")]
    Checkpoint(#[from] NoteError),
    /// The hashes do not lead from the record to the head.
    #[error("the record is not in the ledger that the checkpoint was signed for")]
    Wrong,
}

/// Proves records of one ledger, as its newest checkpoint vouches for them.
pub(crate) struct Prover {
    first_seq: u64,
    tree: Tree,
    /// The checkpoint as it is signed.
    pub(crate) note: String,
    pub(crate) checkpoint: Checkpoint,
}

/// Proves that the record of this number is in the ledger of this directory.
///
/// # Errors
/// When the ledger cannot be read, is damaged, or nothing vouches for the record.
pub fn prove(directory: &Path, key: &PublicKey, seq: u64, record: &[u8]) -> Result<Proof, ProofError> {
    Prover::open(directory, key)?.prove(seq, record)
}

/// The leaves that the checkpoint was signed for, and the number of the first one's record: as they were kept, if those make
/// the signed head, else hashed anew from the lines.
fn leaves(directory: &Path, checkpoint: &Checkpoint) -> Result<(u64, Vec<Digest>), ProofError> {
    let size = usize::try_from(checkpoint.size).unwrap_or(usize::MAX);
    let fits = |leaves: &Vec<Digest>| leaves.len() == size && root(leaves) == checkpoint.root;
    let mut kept = verify::kept_leaves(directory)?;
    kept.truncate(size);
    if let Some(first_seq) = verify::first_seq_kept(directory)?.filter(|_| fits(&kept)) {
        return Ok((first_seq, kept));
    }
    let ledger = verify::read_ledger(directory)?;
    let mut leaves = ledger.leaves;
    leaves.truncate(size);
    if fits(&leaves) { Ok((ledger.first_seq, leaves)) } else { Err(ProofError::Altered) }
}

// === impl Prover ===

impl Prover {
    pub(crate) fn open(directory: &Path, key: &PublicKey) -> Result<Self, ProofError> {
        let path = directory.join(CHECKPOINT);
        let note = fs::read_to_string(&path).map_err(|source| ReadError::Io { path, source })?;
        let checkpoint = Checkpoint::open(&note, key)?;
        let (first_seq, leaves) = leaves(directory, &checkpoint)?;
        Ok(Self { first_seq, tree: Tree::over(leaves), note, checkpoint })
    }

    pub(crate) fn prove(&self, seq: u64, record: &[u8]) -> Result<Proof, ProofError> {
        let index = seq.checked_sub(self.first_seq).ok_or(ProofError::NotHere(seq))?;
        if index >= self.checkpoint.size {
            return Err(ProofError::NotYet(seq));
        }
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if self.tree.leaf(at) != Some(&leaf_hash(record)) {
            return Err(ProofError::Altered);
        }
        let path = self.tree.inclusion(at).ok_or(ProofError::Altered)?;
        Ok(Proof { index, path, record: record.to_vec(), checkpoint: self.note.clone() })
    }
}

// === impl Proof ===

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let (proof, checkpoint) = text.split_once("\n\n").ok_or(ProofError::Form("it has no empty line"))?;
        let mut lines = proof.lines();
        if lines.next() != Some(HEAD) {
            return Err(ProofError::Form("its first line is not that of a proof"));
        }
        let record = lines.next().and_then(|line| line.strip_prefix("extra "));
        let record = record.and_then(|record| STANDARD.decode(record).ok());
        let record =
            record.ok_or(ProofError::Form("it lacks the record: its second line is not `extra` and base64"))?;
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.filter(|index| *index == "0" || !index.starts_with(['0', '+']));
        let index = index.and_then(|index| index.parse().ok());
        let index = index.ok_or(ProofError::Form("its third line is not `index` and a number"))?;
        let hash = |line: &str| STANDARD.decode(line).ok().and_then(|bytes| Digest::from_bytes(&bytes));
        let path: Option<Vec<Digest>> = lines.map(hash).collect();
        let path = path.ok_or(ProofError::Form("a line of its path is not a hash"))?;
        Ok(Self { index, path, record, checkpoint: checkpoint.to_owned() })
    }

    /// The checkpoint that it stands on, as it is signed.
    pub(crate) fn checkpoint_note(&self) -> &str {
        &self.checkpoint
    }

    /// The record, if this key vouches for a ledger that it is in.
    ///
    /// # Errors
    /// When it does not.
    pub fn check(&self, key: &PublicKey) -> Result<Proven, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, key)?;
        let leaf = leaf_hash(&self.record);
        if root_of_inclusion(leaf, self.index, checkpoint.size, &self.path) == Some(checkpoint.root) {
            Ok(Proven { record: self.record.clone(), index: self.index, checkpoint })
        } else {
            Err(ProofError::Wrong)
        }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, path, record, checkpoint } = self;
        writeln!(f, "{HEAD}\nextra {}\nindex {index}", STANDARD.encode(record))?;
        for hash in path {
            writeln!(f, "{}", STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{checkpoint}")
    }
}
