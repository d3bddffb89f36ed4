//! The signed heads of a ledger: that of the newest checkpoint, and those of its complete segments. It never believes one that
//! the key does not vouch for.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Finding, Ledger};
use crate::checkpoint::Checkpoint;
use crate::directory::Segment;
use crate::notary::CHECKPOINT;
use crate::note::PublicKey;
use crate::reader::ReadError;

pub(super) fn newest(directory: &Path, key: &PublicKey) -> Result<Result<Checkpoint, Finding>, ReadError> {
    let path = directory.join(CHECKPOINT);
    let finding = |what: String| Finding { record: None, path: path.clone(), line: None, what };
    match fs::read(&path) {
        Ok(note) => Ok(open(&note, key).map_err(finding)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok(Err(finding("there is no checkpoint: nothing vouches for these records".to_owned())))
        }
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

fn open(note: &[u8], key: &PublicKey) -> Result<Checkpoint, String> {
    let text = std::str::from_utf8(note).map_err(|_| "it is not text".to_owned())?;
    Checkpoint::open(text, key).map_err(|error| error.to_string())
}

/// The checkpoints of segments that are complete, by their files. Segments of before there were checkpoints have none.
pub(super) fn sealed_notes(directory: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, ReadError> {
    let io = |source| ReadError::Io { path: directory.to_owned(), source };
    let mut segments = Segment::list(directory).map_err(io)?;
    segments.extend(Segment::list_leaves(directory).map_err(io)?);
    let mut notes = BTreeMap::new();
    for path in segments.iter().map(Segment::checkpoint_path) {
        match fs::read(&path) {
            Ok(note) => drop(notes.insert(path, note)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(ReadError::Io { path, source }),
        }
    }
    Ok(notes)
}

/// The heads of these checkpoints, each of which is to stand for the end of its segment.
pub(super) fn sealed(
    ledger: &Ledger,
    key: &PublicKey,
    notes: &BTreeMap<PathBuf, Vec<u8>>,
    heads: &mut Vec<(PathBuf, Checkpoint)>,
    findings: &mut Vec<Finding>,
) {
    let mut until = 0_u64;
    let archived = ledger.archived_segments.iter().map(|(segment, lines)| (segment, *lines));
    let present = ledger.checked.iter().map(|checked| (&checked.segment, checked.lines()));
    for (segment, lines) in archived.chain(present) {
        until = until.saturating_add(lines);
        let path = segment.checkpoint_path();
        let Some(note) = notes.get(&path) else { continue };
        let finding = |what: String| Finding { record: None, path: path.clone(), line: None, what };
        match open(note, key) {
            Ok(checkpoint) => {
                if checkpoint.size != until {
                    let size = checkpoint.size;
                    let what = format!("it was signed for {size} records, and its segment ends with record {until}");
                    findings.push(finding(what));
                }
                heads.push((path, checkpoint));
            }
            Err(what) => findings.push(finding(what)),
        }
    }
}
