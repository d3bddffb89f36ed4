//! What a daemon finds in the ledger when it starts: intents without outcome, and a line that a crash tore. It throws
//! nothing away: what it cuts off is kept beside.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use tribunal_core::record::{Decided, Record, Step};

use crate::directory::{Directory, Segment};
use crate::reader::{self, Piece, ReadError};
use crate::schema::{Body, Lifecycle, LifecycleEvent, Line};
use crate::store::SEGMENT_MODE;

/// What was found when the ledger was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many records are there.
    pub records: u64,
    /// Decisions with planned steps of which nothing is known, oldest first. They stay open until each step, or
    /// [`Step::Decision`], has an outcome.
    pub open: Vec<OpenIntent>,
    /// Why the breaker tripped, if nobody has released it since.
    pub tripped: Option<String>,
    /// The torn last line, if there was one.
    pub torn: Option<Torn>,
}

/// A decision some of whose planned steps have no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// The decision.
    pub decided: Decided,
    /// The steps without outcome, in the order in which they are done.
    pub steps: Vec<Step>,
}

/// A last line that was not written to its end, and so was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The segment that it was cut from.
    pub segment: PathBuf,
    /// The file that it was appended to.
    pub kept: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// Reads everything, cuts off a torn last line.
pub(crate) fn recover(directory: &Directory) -> Result<(Recovery, Segment, u64), ReadError> {
    let mut lines = reader::read(directory.path())?;
    let mut recovery = Recovery::default();
    let mut open = Intents::default();
    while let Some(piece) = lines.next_piece()? {
        match piece {
            Piece::Line(line) => {
                recovery.records = recovery.records.saturating_add(1);
                if let Body::Lifecycle(Lifecycle { what, detail }) = &line.body {
                    match what {
                        LifecycleEvent::BreakerTripped => recovery.tripped = Some(detail.clone()),
                        LifecycleEvent::BreakerReleased => recovery.tripped = None,
                        LifecycleEvent::Started
                        | LifecycleEvent::Stopped
                        | LifecycleEvent::ViewIncomplete
                        | LifecycleEvent::ViewComplete
                        | LifecycleEvent::Alarm
                        | LifecycleEvent::StandbyBegan
                        | LifecycleEvent::Leading => {}
                    }
                }
                open.follow(line).map_err(|why| lines.damage_in_last(why))?;
            }
            Piece::Torn { segment, offset } => {
                let torn = cut(directory, &segment, offset)
                    .map_err(|source| ReadError::Io { path: segment.path.clone(), source })?;
                recovery.torn = Some(torn);
                break;
            }
        }
    }
    recovery.open = open.by_seq.into_values().collect();
    let last = Segment::list(directory.path())
        .map_err(|source| ReadError::Io { path: directory.path().to_owned(), source })?
        .pop()
        .unwrap_or_else(|| Segment::new(directory.path(), Segment::FIRST));
    Ok((recovery, last, lines.last_seq().unwrap_or(0).saturating_add(1)))
}

/// Moves what follows `offset` to a file beside.
fn cut(directory: &Directory, segment: &Segment, offset: u64) -> io::Result<Torn> {
    let mut name = segment.path.clone().into_os_string();
    name.push(".torn");
    let kept = PathBuf::from(name);
    let mut from = File::options().read(true).write(true).open(&segment.path)?;
    from.seek(SeekFrom::Start(offset))?;
    let mut tail = Vec::new();
    from.read_to_end(&mut tail)?;
    let bytes = u64::try_from(tail.len()).unwrap_or(u64::MAX);
    if tail.last() != Some(&b'\n') {
        tail.push(b'\n'); // so that the next torn line does not join this one
    }
    let mut to = OpenOptions::new().append(true).create(true).mode(SEGMENT_MODE).open(&kept)?;
    to.write_all(&tail)?;
    to.sync_all()?;
    directory.sync()?;
    // Only now: until here a crash loses nothing.
    from.set_len(offset)?;
    from.sync_all()?;
    Ok(Torn { segment: segment.path.clone(), kept, bytes })
}

/// Decisions whose steps are not all accounted for.
#[derive(Default)]
struct Intents {
    by_seq: BTreeMap<u64, OpenIntent>,
    seq_of: BTreeMap<String, u64>,
}

// === impl Intents ===

impl Intents {
    fn follow(&mut self, line: Line) -> Result<(), String> {
        let seq = line.seq;
        match &line.body {
            Body::Decided(_) => {}
            Body::Outcome(outcome) => {
                let step = Step::from(outcome.step.clone());
                self.close(&outcome.decision, &step);
                return Ok(());
            }
            Body::Lifecycle(_) => return Ok(()),
        }
        let Record::Decided(decided) = line.into_record().map_err(|error| error.to_string())? else { return Ok(()) };
        let steps = decided.steps();
        if !steps.is_empty() {
            self.seq_of.insert(decided.id.as_str().to_owned(), seq);
            self.by_seq.insert(seq, OpenIntent { decided: *decided, steps });
        }
        Ok(())
    }

    fn close(&mut self, decision: &str, step: &Step) {
        let Some(&seq) = self.seq_of.get(decision) else { return };
        let Some(intent) = self.by_seq.get_mut(&seq) else { return };
        match step {
            Step::Decision => intent.steps.clear(),
            Step::Lock(_) | Step::Unlock(_) | Step::Approve(_) | Step::Deny(_) => {
                intent.steps.retain(|planned| planned != step);
            }
        }
        if intent.steps.is_empty() {
            self.by_seq.remove(&seq);
            self.seq_of.remove(decision);
        }
    }
}
