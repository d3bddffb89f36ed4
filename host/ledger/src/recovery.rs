//! What a daemon finds in the ledger when it starts: where it stands, intents without outcome, and a line that a crash
//! tore. It throws nothing away: what it cuts off is kept beside.

mod cut;

use std::fs;
use std::path::PathBuf;

use tribunal_core::record::{Decided, Record, Step};

use crate::cases::{self, Contents, Index};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::directory::{Directory, Segment};
use crate::notary::{self, CHECKPOINT, STATE, read_leaves};
use crate::note::PublicKey;
use crate::reader::{self, Found, Lines, Piece, ReadError};
use crate::schema::{Body, Line};
use crate::standing::{Durable, Intent, Last, Standing};
use crate::store::Place;

/// What was found when the ledger was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// How many records it has, archived ones included.
    pub records: u64,
    /// Decisions with planned steps of which nothing is known, oldest first. They stay open until each step, or
    /// [`Step::Decision`], has an outcome.
    pub open: Vec<OpenIntent>,
    /// Why the breaker tripped, if nobody has released it since.
    pub tripped: Option<String>,
    /// The torn end, if there was one.
    pub torn: Option<Torn>,
    /// Why every record had to be read, if that was so.
    pub read_all: Option<String>,
}

/// A decision some of whose planned steps have no outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIntent {
    /// The decision.
    pub decided: Decided,
    /// The steps without outcome, in the order in which they are done.
    pub steps: Vec<Step>,
}

/// An end that was not written whole, and so was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The segment that it was cut from.
    pub segment: PathBuf,
    /// The file that it was appended to.
    pub kept: PathBuf,
    /// Its length.
    pub bytes: u64,
}

/// A ledger that is ready to be written.
pub(crate) struct Recovered {
    pub(crate) recovery: Recovery,
    pub(crate) standing: Standing,
    pub(crate) segment: Segment,
    /// The leaves that are not on the disk yet, and how many of the first one's segment are.
    pub(crate) leaves: Vec<(u32, Digest)>,
    pub(crate) leaves_written: (u32, u64),
}

/// Reads what must be read: the end after the signed state, or everything.
pub(crate) fn recover(directory: &Directory, key: &PublicKey) -> Result<Recovered, ReadError> {
    let signed = signed(directory, key)?;
    let (start, read_all) = match vouched_for(directory, key) {
        Ok(standing) => (Some(standing), None),
        // Where nothing was signed yet, nobody wonders.
        Err(why) => (None, signed.is_some().then_some(why)),
    };
    let mut reading = match start {
        Some(standing) => Reading::after(directory, standing)?,
        None => Reading::from_the_first(directory)?,
    };
    let torn = reading.run(directory, signed.as_ref())?;
    let Reading { lines: _, standing, leaves, leaves_written, index: _ } = reading;
    let segment = Segment::new(directory.path(), standing.end.segment);
    let mut contents = Contents::of(directory.path());
    let open = standing.intents.clone().into_open().map(|intent| open_intent(directory, intent, &mut contents));
    let open = open.collect::<Result<_, _>>()?;
    let recovery = Recovery {
        records: standing.frontier.size(),
        open,
        tripped: standing.intents.tripped.clone(),
        torn: torn.or(cut::pack(directory, &segment)?),
        read_all,
    };
    Ok(Recovered { recovery, standing, segment, leaves, leaves_written })
}

/// The newest checkpoint, if there is one.
fn signed(directory: &Directory, key: &PublicKey) -> Result<Option<Checkpoint>, ReadError> {
    let path = directory.path().join(CHECKPOINT);
    match fs::read_to_string(&path) {
        Ok(note) => Checkpoint::open(&note, key).map(Some).map_err(|error| ReadError::Checkpoint { path, error }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ReadError::Io { path, source }),
    }
}

/// Where the ledger stood when the state was signed, if the files are still as they were then, or why not.
fn vouched_for(directory: &Directory, key: &PublicKey) -> Result<Standing, String> {
    let note = fs::read_to_string(directory.path().join(STATE)).map_err(|error| format!("`{STATE}`: {error}"))?;
    let standing = Standing::open(&note, key).map_err(|error| format!("`{STATE}`: {error}"))?;
    let segment = Segment::new(directory.path(), standing.end.segment);
    let changed = || format!("`{}` is not as it was when `{STATE}` was signed", segment.path.display());
    let Some(Last { leaf, bytes }) = standing.last.filter(|last| last.bytes > 0) else {
        // No line of its own: everything is no more than what follows.
        return if standing.end.offset == 0 { Ok(standing) } else { Err(changed()) };
    };
    let offset = standing.end.offset.checked_sub(bytes).ok_or_else(changed)?;
    let place = Place { segment: standing.end.segment, offset };
    match cut::line_at(directory, Durable { place, last: Last { leaf, bytes } }) {
        Ok(_) => Ok(standing),
        Err(_) => Err(changed()),
    }
}

/// An open decision, read anew.
fn open_intent(directory: &Directory, intent: Intent, contents: &mut Contents) -> Result<OpenIntent, ReadError> {
    let Intent { decision, durable, steps } = intent;
    let segment = Segment::new(directory.path(), durable.place.segment);
    let bytes = cut::line_at(directory, durable)?;
    let gone = |why: String| ReadError::Damage { path: segment.path.clone(), line: 0, why };
    let mut line = Line::parse(&bytes).map_err(|error| gone(error.to_string()))?;
    // Settling it takes no case: that one is gone is for who verifies.
    let _lacking: Result<(), ReadError> = contents.fill_in(&segment, &mut line);
    match line.into_record().map_err(|error| gone(error.to_string()))? {
        Record::Decided(decided) => Ok(OpenIntent { decided: *decided, steps }),
        Record::Outcome(_) | Record::Lifecycle { .. } => {
            Err(gone(format!("decision `{decision}` is not where it was")))
        }
    }
}

/// Reading a ledger, and how far it has come.
struct Reading {
    lines: Lines,
    standing: Standing,
    leaves: Vec<(u32, Digest)>,
    leaves_written: (u32, u64),
    /// The pack of the segment that is being read.
    index: Option<(u32, Index)>,
}

// === impl Reading ===

impl Reading {
    fn after(directory: &Directory, standing: Standing) -> Result<Self, ReadError> {
        let from = reader::From {
            place: standing.end,
            seq: standing.next_seq().saturating_sub(1),
            leaf: standing.last.map(|last| last.leaf),
        };
        let segment = Segment::new(directory.path(), standing.end.segment);
        let lines = reader::read_from(directory.path(), &from)?;
        let needed = standing.segment_lines();
        // They are derived: where they are missing they are made anew.
        let (leaves, written) = if notary::count(&segment) >= needed {
            (Vec::new(), needed)
        } else {
            let here = cut::leaves_of(&segment, standing.end.offset)?;
            (here.into_iter().map(|leaf| (segment.number, leaf)).collect(), 0)
        };
        Ok(Self { lines, leaves, leaves_written: (segment.number, written), standing, index: None })
    }

    fn from_the_first(directory: &Directory) -> Result<Self, ReadError> {
        let io = |source| ReadError::Io { path: directory.path().to_owned(), source };
        let segments = reader::segments(directory.path())?;
        let first = segments.first().map_or(Segment::FIRST, |segment| segment.number);
        let mut lines = reader::read(directory.path())?;
        let first_seq = lines.first_seq()?;
        let mut archived = Vec::new();
        for segment in Segment::list_leaves(directory.path()).map_err(io)? {
            if segment.number < first {
                archived.extend(read_leaves(&segment).map_err(io)?.unwrap_or_default());
            }
        }
        let gone = u64::try_from(archived.len()).unwrap_or(u64::MAX);
        let begin = first_seq.unwrap_or(1).saturating_sub(gone).max(1);
        let mut standing = Standing::new(begin, Place { segment: first, offset: 0 });
        for leaf in archived {
            standing.follow_archived(leaf);
        }
        let lines = lines.after(standing.last.map(|last| last.leaf));
        Ok(Self { lines, standing, leaves: Vec::new(), leaves_written: (first, 0), index: None })
    }

    /// Reads to the end; cuts off what is torn.
    fn run(&mut self, directory: &Directory, signed: Option<&Checkpoint>) -> Result<Option<Torn>, ReadError> {
        self.compare(signed)?;
        loop {
            match self.lines.next_piece()? {
                None => break,
                Some(Piece::Line(found)) => {
                    let uncovered = signed.is_none_or(|signed| self.standing.frontier.size() >= signed.size);
                    if uncovered && !self.is_whole(directory, &found)? {
                        return self.cut(directory, found.place).map(Some);
                    }
                    self.follow(*found)?;
                    self.compare(signed)?;
                }
                Some(Piece::Torn { segment, offset }) => {
                    self.is_all(signed)?;
                    return self.cut(directory, Place { segment: segment.number, offset }).map(Some);
                }
            }
        }
        self.is_all(signed)?;
        Ok(None)
    }

    fn follow(&mut self, found: Found) -> Result<(), ReadError> {
        let Found { line, leaf, place, bytes } = found;
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let record = line.into_record().map_err(|error| self.lines.damage_in_last(&error.to_string()))?;
        self.standing.follow(Durable { place, last: Last { leaf, bytes } }, &record);
        self.leaves.push((place.segment, leaf));
        Ok(())
    }

    /// At the size of the signed checkpoint the head must be the one that was signed.
    fn compare(&self, signed: Option<&Checkpoint>) -> Result<(), ReadError> {
        match signed {
            Some(signed)
                if signed.size == self.standing.frontier.size() && signed.root != self.standing.frontier.root() =>
            {
                let size = signed.size;
                let why = format!(
                    "the {size} records up to it are not those that the checkpoint was signed for; `tribunal ledger verify` says which"
                );
                Err(self.lines.damage_in_last(&why))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn is_all(&self, signed: Option<&Checkpoint>) -> Result<(), ReadError> {
        let here = self.standing.frontier.size();
        match signed {
            Some(signed) if signed.size > here => {
                let why = format!("the checkpoint was signed for {} records, and there are {here}", signed.size);
                Err(self.lines.damage_in_last(&why))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether what a record refers to is there: line and objects become durable at the same time, in either order.
    fn is_whole(&mut self, directory: &Directory, found: &Found) -> Result<bool, ReadError> {
        let Body::Decided(decided) = &found.line.body else { return Ok(true) };
        let mut names = cases::names(decided).peekable();
        if names.peek().is_none() {
            return Ok(true);
        }
        let number = found.place.segment;
        let index = match &self.index {
            Some((of, index)) if *of == number => index,
            Some(_) | None => {
                let index = Index::of(&Segment::new(directory.path(), number))?;
                &self.index.insert((number, index)).1
            }
        };
        Ok(names.all(|name| index.has(&name)))
    }

    /// Cuts off what was never acknowledged.
    fn cut(&mut self, directory: &Directory, place: Place) -> Result<Torn, ReadError> {
        let segment = Segment::new(directory.path(), place.segment);
        cut::lines(directory, &segment, place.offset, &self.lines)
    }
}
