//! Moving old segments out of a ledger: they are checked first, copied to a place that is a ledger of its own, and only then go;
//! their hashes stay. It never lets go of what a start still needs, nor of what no checkpoint vouches for.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use thiserror::Error;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::directory::{DIRECTORY_MODE, Segment, sync_directory};
use crate::key;
use crate::notary::{CHECKPOINT, STATE, read_leaves};
use crate::note::PublicKey;
use crate::notes::Note;
use crate::object::Loose;
use crate::panel;
use crate::reader::{self, ReadError};
use crate::schema::{LifecycleEvent, Time};
use crate::standing::Standing;
use crate::tree::Frontier;
use crate::verify::Examined;

/// What was moved away, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Archived {
    /// The numbers of the first segment and the last; none: there is nothing to move.
    pub segments: Option<(u32, u32)>,
    /// Their records.
    pub records: u64,
    /// The bytes of their lines and packs.
    pub bytes: u64,
    /// Why the segment after them stays; none: it is too young, or the one that is written.
    pub stays: Option<String>,
}

/// Why segments cannot be moved away.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no signed state that says what a start needs.
    #[error("the ledger's `state` cannot be believed: {0}; start the daemon once, which signs it anew")]
    State(String),
    /// The breaker is tripped, and what it tripped for may be in an old segment.
    #[error("the breaker is tripped: release it first, or the next start may not know that it is")]
    Tripped,
    /// A file cannot be copied or removed.
    #[error("`{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A segment that may go.
struct Old {
    segment: Segment,
    leaves: Vec<Digest>,
    panels: BTreeSet<Digest>,
    bytes: u64,
}

/// The segments that are complete and all of whose records are from before this time.
///
/// # Errors
/// When the ledger cannot be read, or has no state that is to be believed.
pub fn archivable(ledger: &Path, key: &PublicKey, before: Time) -> Result<Archived, ArchiveError> {
    let (old, stays) = old(ledger, key, before)?;
    Ok(told(&old, stays))
}

/// Moves those segments away: to the directory `to`, or, without one, for ever. A note of it waits to be recorded: see
/// [`notes`](crate::notes).
///
/// # Errors
/// As of [`archivable`], and when a file cannot be copied or removed.
pub fn archive(ledger: &Path, key: &PublicKey, before: Time, to: Option<&Path>) -> Result<Archived, ArchiveError> {
    let (old, stays) = old(ledger, key, before)?;
    let archived = told(&old, stays);
    let Some((first, last)) = archived.segments else { return Ok(archived) };
    if let Some(to) = to {
        copy(ledger, &old, to)?;
    }
    let place = to.map_or_else(|| "removed".to_owned(), |to| format!("moved to `{}`", to.display()));
    let detail = format!("segments {first} to {last}, {} records from before {before}: {place}", archived.records);
    let files = old.iter().flat_map(|old| [old.segment.path.clone(), old.segment.pack_path()]).collect();
    let note = Note::leave(ledger, LifecycleEvent::Archived, detail, Vec::new(), files).map_err(at(ledger))?;
    note.carry_out().map_err(at(ledger))?;
    Ok(archived)
}

fn told(old: &[Old], stays: Option<String>) -> Archived {
    let number = |old: Option<&Old>| old.map(|old| old.segment.number);
    Archived {
        segments: number(old.first()).zip(number(old.last())),
        records: old.iter().map(|old| old.leaves.len() as u64).sum(),
        bytes: old.iter().map(|old| old.bytes).sum(),
        stays,
    }
}

/// The oldest segments that may go, and why the next one may not, unless it is merely young.
fn old(ledger: &Path, key: &PublicKey, before: Time) -> Result<(Vec<Old>, Option<String>), ArchiveError> {
    let standing = standing(ledger, key)?;
    if standing.intents.tripped.is_some() {
        return Err(ArchiveError::Tripped);
    }
    let needed = standing.intents.first_segment();
    let mut frontier = Frontier::default();
    let segments = reader::segments(ledger)?;
    let first = segments.first().map_or(u32::MAX, |segment| segment.number);
    for segment in Segment::list_leaves(ledger).map_err(at(ledger))? {
        if segment.number < first {
            let leaves = read_leaves(&segment).map_err(at(&segment.leaves_path()))?.unwrap_or_default();
            leaves.into_iter().for_each(|leaf| frontier.push(leaf));
        }
    }
    let mut old = Vec::new();
    for segment in segments {
        if segment.number >= standing.end.segment {
            return Ok((old, None));
        }
        if needed.is_some_and(|needed| segment.number >= needed) {
            let why = "a decision in it is open: nothing is recorded of what became of it".to_owned();
            return Ok((old, Some(why)));
        }
        let examined = Examined::of(&segment)?;
        if examined.last.is_none_or(|last| last >= before) {
            return Ok((old, None));
        }
        let Examined { leaves, panels, bytes, fault, last: _ } = examined;
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        if let Some(why) = fault.or_else(|| unsigned(&segment, key, &frontier, &leaves)) {
            let path = segment.path.display();
            return Ok((old, Some(format!("`{path}`: {why}; `tribunal ledger verify` says more"))));
        }
        old.push(Old { segment, leaves, panels, bytes });
    }
    Ok((old, None))
}

fn standing(ledger: &Path, key: &PublicKey) -> Result<Standing, ArchiveError> {
    let note = fs::read_to_string(ledger.join(STATE)).map_err(|error| ArchiveError::State(error.to_string()))?;
    Standing::open(&note, key).map_err(|error| ArchiveError::State(error.to_string()))
}

/// Why its own checkpoint does not vouch for a segment, if it does not.
fn unsigned(segment: &Segment, key: &PublicKey, frontier: &Frontier, leaves: &[Digest]) -> Option<String> {
    let note = match fs::read_to_string(segment.checkpoint_path()) {
        Ok(note) => note,
        Err(error) => return Some(format!("it has no checkpoint of its own: {error}")),
    };
    match Checkpoint::open(&note, key) {
        Ok(checkpoint) if checkpoint.size != frontier.size() || checkpoint.root != frontier.root() => {
            return Some("its checkpoint was signed for something else".to_owned());
        }
        Ok(_) => {}
        Err(error) => return Some(format!("its checkpoint cannot be believed: {error}")),
    }
    match read_leaves(segment) {
        Ok(Some(kept)) if kept == leaves => None,
        Ok(_) => Some("its hashes are not those that are kept beside it".to_owned()),
        Err(error) => Some(format!("its hashes cannot be read: {error}")),
    }
}

/// Copies segments to a place that is, with all that is there already, a ledger that can be verified.
fn copy(ledger: &Path, old: &[Old], to: &Path) -> Result<(), ArchiveError> {
    let loose = Loose::of(ledger);
    let objects = Loose::of(to);
    if !to.is_dir() {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(to).map_err(at(to))?;
    }
    let public = key::public_path(to);
    if !public.exists() {
        copy_file(&key::public_path(ledger), &public)?;
    }
    // Of the segments before them the hashes are enough for the tree to go on.
    for segment in Segment::list_leaves(ledger).map_err(at(ledger))? {
        let gone = Segment::new(to, segment.number);
        let is_older = old.first().is_some_and(|first| segment.number < first.segment.number);
        if is_older && !gone.leaves_path().exists() {
            copy_file(&segment.leaves_path(), &gone.leaves_path())?;
        }
    }
    for Old { segment, leaves, panels, .. } in old {
        let there = Segment::new(to, segment.number);
        for (from, to) in [
            (segment.pack_path(), there.pack_path()),
            (segment.leaves_path(), there.leaves_path()),
            (segment.checkpoint_path(), there.checkpoint_path()),
            (segment.path.clone(), there.path.clone()),
        ] {
            if from.exists() {
                copy_file(&from, &to)?;
            }
        }
        for name in panels {
            let page = panel::panel(ledger, name)?;
            let parts = page.policies.iter().flat_map(|policy| [policy.wasm.object, policy.settings.object]);
            for object in parts.chain([*name]) {
                objects.take_from(&loose, &object).map_err(at(&objects.path_of(&object)))?;
            }
        }
        // What is about to be the only copy is read once more.
        let examined = Examined::of(&there)?;
        if examined.leaves != *leaves || examined.fault.is_some() {
            return Err(at(&there.path)(io::Error::other("it was not copied as it was")));
        }
    }
    let Some(last) = old.last() else { return Ok(()) };
    copy_over(&last.segment.checkpoint_path(), &to.join(CHECKPOINT))?;
    sync_directory(to).map_err(at(to))
}

fn copy_file(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    if to.exists() {
        let same = fs::read(from).and_then(|ours| Ok(ours == fs::read(to)?)).map_err(at(to))?;
        // Of an attempt that was cut off.
        return if same {
            Ok(())
        } else {
            Err(at(to)(io::Error::other("something else stands in its place; archive into another directory")))
        };
    }
    copy_over(from, to)
}

fn copy_over(from: &Path, to: &Path) -> Result<(), ArchiveError> {
    let mut aside = to.to_owned().into_os_string();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    fs::copy(from, &aside).map_err(at(&aside))?;
    File::open(&aside).and_then(|file| file.sync_all()).map_err(at(&aside))?;
    fs::rename(&aside, to).map_err(at(to))
}

fn at(path: &Path) -> impl Fn(io::Error) -> ArchiveError + '_ {
    move |source| ArchiveError::File { path: path.to_owned(), source }
}
