//! Whether a ledger is what was written and signed: recomputes every hash, offline, with nothing but the public key. It
//! never changes a file, and never takes the ledger's word for anything.

mod heads;
mod light;
mod locate;
mod panels;
mod segment;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use serde::Serialize;

use self::segment::Checked;
pub(crate) use self::segment::Examined;
use crate::BATCH_RECORDS_MAX;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::directory::Segment;
use crate::key;
use crate::keys;
use crate::notary::{CHECKPOINT, read_leaves};
use crate::note::PublicKey;
use crate::reader::{self, ReadError};
use crate::tree::Frontier;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What was looked at.
    pub report: Report,
    /// What is wrong, the first bad record first; empty, if nothing is.
    pub findings: Vec<Finding>,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Records, archived ones included.
    pub records: u64,
    /// Records of which the hash alone is here.
    pub archived: u64,
    /// Records that the newest checkpoint vouches for.
    pub vouched_for: u64,
    /// Segments that were read.
    pub segments: usize,
    /// Objects that records refer to, and that were checked.
    pub objects: u64,
    /// Of them those that nobody can read any more: their users' keys were destroyed, or are not here.
    pub erased: u64,
    /// Bytes that were read.
    pub bytes: u64,
    /// An end that a crash tore, or that is being written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub torn: Option<TornEnd>,
}

/// Something that is not as it was written and signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The number of the record, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// The file.
    pub path: PathBuf,
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// What is wrong with it.
    pub what: String,
}

/// The end of the last segment, which was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TornEnd {
    /// The segment.
    pub path: PathBuf,
    /// From this byte on.
    pub offset: u64,
    /// So many bytes.
    pub bytes: u64,
}

/// All that was read.
pub(crate) struct Ledger {
    /// The number of the first leaf's record.
    pub(crate) first_seq: u64,
    /// Of archived segments, then of those that were read.
    pub(crate) leaves: Vec<Digest>,
    pub(crate) archived: u64,
    archived_segments: Vec<(Segment, u64)>,
    checked: Vec<Checked>,
    /// Objects whose keys are gone.
    erased: u64,
}

/// The public key that lies in the ledger's directory. Who takes it from there believes whoever can write there.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn public_key(directory: &Path) -> io::Result<PublicKey> {
    PublicKey::parse(&fs::read_to_string(key::public_path(directory))?).map_err(io::Error::other)
}

/// Checks the ledger in this directory: every line, every object, every checkpoint; and that it goes on from the older
/// checkpoint `since`, if one is given.
///
/// # Errors
/// When a file cannot be read, as opposed to being wrong.
pub fn check(directory: &Path, key: &PublicKey, since: Option<&Checkpoint>) -> Result<Verdict, ReadError> {
    // Before the records: what is written meanwhile is then merely not vouched for yet.
    let newest = heads::newest(directory, key)?;
    let notes = heads::sealed_notes(directory)?;
    let ledger = match read_ledger(directory) {
        Ok(ledger) => ledger,
        Err(ReadError::Missing { path }) => {
            let what = "this segment is missing, and those before and after it are there".to_owned();
            return Ok(Verdict {
                report: Report::default(),
                findings: vec![Finding { record: None, path, line: None, what }],
            });
        }
        Err(error) => return Err(error),
    };
    let mut report = ledger.report();
    let mut findings = Vec::new();
    let mut heads: Vec<(PathBuf, Checkpoint)> = Vec::new();
    match newest {
        Ok(newest) => heads.push((directory.join(CHECKPOINT), newest)),
        Err(finding) => findings.push(finding),
    }
    report.vouched_for = heads.first().map_or(0, |(_, newest)| newest.size);
    heads.extend(since.map(|since| (PathBuf::from("--since"), since.clone())));
    heads::sealed(&ledger, key, &notes, &mut heads, &mut findings);

    let vouched_for = report.vouched_for;
    let torn = ledger.torn(vouched_for);
    let bad = locate::first_bad(&ledger, &heads, directory, vouched_for)?;
    findings.extend(panels::check(directory, ledger.panels(), &ledger));
    findings.extend(bad);
    findings.sort_by_key(|finding| finding.record.unwrap_or(u64::MAX));
    findings.dedup();
    report.torn = torn;
    Ok(Verdict { report, findings })
}

/// Reads and checks all segments, on as many threads as there are cores.
pub(crate) fn read_ledger(directory: &Path) -> Result<Ledger, ReadError> {
    let io = |source| ReadError::Io { path: directory.to_owned(), source };
    let segments = reader::segments(directory)?;
    let first = segments.first().map_or(u32::MAX, |segment| segment.number);
    let (mut leaves, mut archived_segments) = (Vec::new(), Vec::new());
    for segment in Segment::list_leaves(directory).map_err(io)? {
        if segment.number < first {
            let here = read_leaves(&segment).map_err(io)?.unwrap_or_default();
            archived_segments.push((segment, here.len() as u64));
            leaves.extend(here);
        }
    }
    let archived = leaves.len() as u64;
    let checked = each(&segments, segment::check)?;
    // After the objects: a key is there before what it seals.
    let keys = keys::names(directory).map_err(io)?;
    // A ledger begins with record 1, unless older segments went before their hashes were kept.
    let begin =
        archived_segments.iter().map(|(segment, _)| segment).chain(&segments).map(|segment| segment.number).min();
    let first_here = checked.iter().find_map(|checked| checked.first_seq);
    let first_seq = match begin {
        Some(Segment::FIRST) | None => 1,
        Some(_) => first_here.map_or(1, |seq| seq.saturating_sub(archived).max(1)),
    };
    leaves.extend(checked.iter().flat_map(|checked| checked.leaves.iter().copied()));
    let sealed = checked.iter().flat_map(|checked| &checked.sealed);
    let erased = sealed.filter(|(key, _)| !keys.contains(key)).map(|(_, count)| count).sum();
    Ok(Ledger { first_seq, leaves, archived, archived_segments, checked, erased })
}

/// The leaves as they are kept beside the segments; nobody vouches for them.
pub(crate) fn kept_leaves(directory: &Path) -> Result<Vec<Digest>, ReadError> {
    let io = |source| ReadError::Io { path: directory.to_owned(), source };
    let mut kept = Vec::new();
    for segment in Segment::list_leaves(directory).map_err(io)? {
        kept.extend(read_leaves(&segment).map_err(io)?.unwrap_or_default());
    }
    Ok(kept)
}

/// The number of the record whose leaf is the first that is kept, where that is certain.
pub(crate) fn first_seq_kept(directory: &Path) -> Result<Option<u64>, ReadError> {
    let io = |source| ReadError::Io { path: directory.to_owned(), source };
    let first = Segment::list_leaves(directory).map_err(io)?.into_iter().next();
    Ok(first.filter(|first| first.number == Segment::FIRST).map(|_| 1))
}

/// Does the same with each segment, on as many threads as there are cores; the results are in the order of the segments.
pub(crate) fn each<T: Send>(
    segments: &[Segment],
    work: impl Fn(&Segment) -> Result<T, ReadError> + Sync,
) -> Result<Vec<T>, ReadError> {
    let threads = thread::available_parallelism().map_or(1, std::num::NonZero::get).min(segments.len());
    let queue = Mutex::new(segments.iter().enumerate());
    let done = Mutex::new(BTreeMap::new());
    let run = || {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.next());
            let Some((place, segment)) = next else { return };
            let result = work(segment);
            if let Ok(mut done) = done.lock() {
                done.insert(place, result);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads {
            // Where no thread is to be had, this one does it all.
            let _running = thread::Builder::new().spawn_scoped(scope, run);
        }
        run();
    });
    let done = done.into_inner().unwrap_or_default();
    if done.len() == segments.len() {
        done.into_values().collect()
    } else {
        let path = segments.first().map(|segment| segment.path.clone()).unwrap_or_default();
        Err(ReadError::Io { path, source: io::Error::other("a thread that read it panicked") })
    }
}

// === impl Ledger ===

impl Ledger {
    fn report(&self) -> Report {
        Report {
            records: self.leaves.len() as u64,
            archived: self.archived,
            segments: self.checked.len(),
            objects: self.checked.iter().map(|checked| checked.objects).sum(),
            erased: self.erased,
            bytes: self.checked.iter().map(|checked| checked.bytes).sum(),
            ..Report::default()
        }
    }

    /// The head over the first `size` leaves; none, if there are fewer.
    fn heads_at(&self, mut sizes: Vec<u64>) -> BTreeMap<u64, Digest> {
        sizes.sort_unstable();
        let (mut frontier, mut heads) = (Frontier::default(), BTreeMap::new());
        let mut leaves = self.leaves.iter();
        for size in sizes {
            while frontier.size() < size {
                let Some(leaf) = leaves.next() else { return heads };
                frontier.push(*leaf);
            }
            heads.insert(size, frontier.root());
        }
        heads
    }

    /// The segment and the line of the leaf at this index, if the segment was read.
    fn place_of(&self, index: u64) -> Option<(&Checked, u64)> {
        let mut index = index.checked_sub(self.archived)?;
        for checked in &self.checked {
            match index.checked_sub(checked.lines()) {
                Some(rest) => index = rest,
                None => return Some((checked, index.saturating_add(1))),
            }
        }
        None
    }

    /// Panels, and the first record that refers to each.
    fn panels(&self) -> BTreeMap<Digest, u64> {
        let mut panels = BTreeMap::new();
        let mut index = self.archived;
        for checked in &self.checked {
            for (panel, line) in &checked.panels {
                panels.entry(*panel).or_insert_with(|| index.saturating_add(line.saturating_sub(1)));
            }
            index = index.saturating_add(checked.lines());
        }
        panels
    }

    /// The end that nobody vouches for and that is not whole.
    fn torn(&self, vouched_for: u64) -> Option<TornEnd> {
        let last = self.checked.last()?;
        if (self.leaves.len() as u64) < vouched_for {
            return None;
        }
        let offset = last.torn?;
        Some(TornEnd { path: last.segment.path.clone(), offset, bytes: last.bytes_of_lines.saturating_sub(offset) })
    }

    /// Whether what a record lacks may be what a crash left behind: the objects of one durable write.
    fn may_be_torn(&self, index: u64, vouched_for: u64) -> bool {
        let behind = (self.leaves.len() as u64).saturating_sub(index);
        index >= vouched_for && behind <= BATCH_RECORDS_MAX as u64
    }
}
