//! Where a ledger stands: how many lines it has, the tree's edge over them, and what they leave open. It follows what is
//! durable and nothing else.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tribunal_core::record::{Lifecycle, Record, Step};

use crate::OPEN_INTENTS_MAX;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::note::{NoteError, PublicKey, SecretKey};
use crate::schema;
use crate::store::Place;
use crate::tree::Frontier;

/// The version of the state file's form.
const STATE_VERSION: u32 = 1;

/// Where a ledger stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// The number of the record that is the tree's first leaf.
    pub(crate) first_seq: u64,
    pub(crate) frontier: Frontier,
    /// Behind the last line.
    pub(crate) end: Place,
    /// The number of the first record of the segment at the end.
    pub(crate) segment_first_seq: u64,
    pub(crate) last: Option<Last>,
    pub(crate) intents: Intents,
}

/// The last line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Last {
    pub(crate) leaf: Digest,
    /// Its length, line break included.
    pub(crate) bytes: u64,
}

/// A line that has just become durable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Durable {
    pub(crate) place: Place,
    pub(crate) last: Last,
}

/// What is open: decisions whose steps are not all accounted for, and a breaker that tripped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intents {
    by_seq: BTreeMap<u64, Intent>,
    seq_of: BTreeMap<String, u64>,
    pub(crate) tripped: Option<String>,
}

/// A decision that is open, and where its line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Intent {
    pub(crate) decision: String,
    pub(crate) durable: Durable,
    pub(crate) steps: Vec<Step>,
}

/// The state file's text below the head of the tree.
#[derive(Serialize, Deserialize)]
struct State {
    v: u32,
    first_seq: u64,
    segment: u32,
    offset: u64,
    segment_first_seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Last>,
    frontier: Vec<Digest>,
    open: Vec<StateIntent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tripped: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct StateIntent {
    seq: u64,
    decision: String,
    segment: u32,
    offset: u64,
    line: Last,
    steps: Vec<schema::Step>,
}

impl PartialEq for Durable {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place && self.last == other.last
    }
}

impl Eq for Durable {}

// === impl Standing ===

impl Standing {
    /// A ledger without lines, which begins with this number.
    pub(crate) fn new(first_seq: u64, end: Place) -> Self {
        Self {
            first_seq,
            frontier: Frontier::default(),
            end,
            segment_first_seq: first_seq,
            last: None,
            intents: Intents::default(),
        }
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.first_seq.saturating_add(self.frontier.size())
    }

    /// How many lines the segment at the end has.
    pub(crate) fn segment_lines(&self) -> u64 {
        self.next_seq().saturating_sub(self.segment_first_seq)
    }

    /// Takes in the line of this record.
    pub(crate) fn follow(&mut self, durable: Durable, record: &Record) {
        let seq = self.next_seq();
        let Durable { place, last } = durable;
        if place.segment != self.end.segment {
            self.segment_first_seq = seq;
        }
        self.frontier.push(last.leaf);
        self.end = Place { segment: place.segment, offset: place.offset.saturating_add(last.bytes) };
        self.last = Some(last);
        self.intents.follow(seq, durable, record);
    }

    /// Takes in a line of an archived segment.
    pub(crate) fn follow_archived(&mut self, leaf: Digest) {
        self.frontier.push(leaf);
        self.last = Some(Last { leaf, bytes: 0 });
        self.segment_first_seq = self.next_seq();
    }

    pub(crate) fn checkpoint(&self, origin: &str) -> Checkpoint {
        Checkpoint { origin: origin.to_owned(), size: self.frontier.size(), root: self.frontier.root() }
    }

    /// The signed state; none, if too much is open.
    pub(crate) fn sign(&self, key: &SecretKey) -> Option<String> {
        if self.intents.by_seq.len() > OPEN_INTENTS_MAX {
            return None;
        }
        let state = State {
            v: STATE_VERSION,
            first_seq: self.first_seq,
            segment: self.end.segment,
            offset: self.end.offset,
            segment_first_seq: self.segment_first_seq,
            last: self.last,
            frontier: self.frontier.heads().to_vec(),
            open: self.intents.by_seq.iter().map(|(seq, intent)| intent.to_state(*seq)).collect(),
            tripped: self.intents.tripped.clone(),
        };
        let head = self.checkpoint(&origin_of_state(key.public().name()));
        let json = serde_json::to_string(&state).ok()?;
        Some(key.sign(&format!("{head}{json}\n")))
    }

    /// Reads a signed state, and checks all that can be checked without the ledger.
    pub(crate) fn open(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let (head, json) = Checkpoint::parse_head(key.open(note)?)?;
        if head.origin != origin_of_state(key.name()) {
            return Err(NoteError::Form("it is not the state of this ledger"));
        }
        let state: State =
            serde_json::from_str(json).map_err(|_| NoteError::Form("its text is not that of a state"))?;
        if state.v != STATE_VERSION {
            return Err(NoteError::Form("it is of another version"));
        }
        let frontier = Frontier::new(head.size, state.frontier).filter(|frontier| frontier.root() == head.root);
        let frontier = frontier.ok_or(NoteError::Form("its hashes do not make its head"))?;
        let mut intents = Intents { tripped: state.tripped, ..Intents::default() };
        for intent in state.open {
            intents.seq_of.insert(intent.decision.clone(), intent.seq);
            intents.by_seq.insert(intent.seq, Intent::from(intent));
        }
        Ok(Self {
            first_seq: state.first_seq,
            frontier,
            end: Place { segment: state.segment, offset: state.offset },
            segment_first_seq: state.segment_first_seq,
            last: state.last,
            intents,
        })
    }
}

fn origin_of_state(name: &str) -> String {
    format!("{name}/state")
}

// === impl Intents ===

impl Intents {
    /// Decisions that are open, oldest first.
    pub(crate) fn into_open(self) -> impl Iterator<Item = Intent> {
        self.by_seq.into_values()
    }

    /// The oldest segment that a decision is open in.
    pub(crate) fn first_segment(&self) -> Option<u32> {
        self.by_seq.values().map(|intent| intent.durable.place.segment).min()
    }

    fn follow(&mut self, seq: u64, durable: Durable, record: &Record) {
        match record {
            Record::Decided(decided) => {
                let steps = decided.steps();
                if !steps.is_empty() {
                    let decision = decided.id.as_str().to_owned();
                    self.seq_of.insert(decision.clone(), seq);
                    self.by_seq.insert(seq, Intent { decision, durable, steps });
                }
            }
            Record::Outcome(outcome) => self.close(outcome.decision.as_str(), &outcome.step),
            Record::Lifecycle { at: _, what, detail } => match what {
                Lifecycle::BreakerTripped => self.tripped = Some(detail.clone()),
                Lifecycle::BreakerReleased => self.tripped = None,
                Lifecycle::Started
                | Lifecycle::Stopped
                | Lifecycle::ViewIncomplete
                | Lifecycle::ViewComplete
                | Lifecycle::Alarm
                | Lifecycle::StandbyBegan
                | Lifecycle::Leading
                | Lifecycle::PanelChanged
                | Lifecycle::PanelRefused
                | Lifecycle::ConfigurationRead
                | Lifecycle::IdentityChanged
                | Lifecycle::Quarantined
                | Lifecycle::QuarantineEnded
                | Lifecycle::Overridden
                | Lifecycle::Erased
                | Lifecycle::Archived => {}
            },
        }
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

// === impl Intent ===

impl Intent {
    fn to_state(&self, seq: u64) -> StateIntent {
        let Self { decision, durable: Durable { place, last }, steps } = self;
        StateIntent {
            seq,
            decision: decision.clone(),
            segment: place.segment,
            offset: place.offset,
            line: *last,
            steps: steps.iter().map(schema::Step::from).collect(),
        }
    }
}

impl From<StateIntent> for Intent {
    fn from(it: StateIntent) -> Self {
        let StateIntent { seq: _, decision, segment, offset, line, steps } = it;
        let durable = Durable { place: Place { segment, offset }, last: line };
        Self { decision, durable, steps: steps.into_iter().map(Into::into).collect() }
    }
}
