//! One segment and its pack: hashes every line and every object, and follows what refers to what. It never stops at the
//! first thing that is wrong, so that the leaves stay in step with the lines.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use serde::de::IgnoredAny;

use super::light::Light;
use crate::LINE_BYTES_MAX;
use crate::digest::Digest;
use crate::directory::Segment;
use crate::keys::KeyId;
use crate::object::{Pack, PackPiece, sealed_with};
use crate::reader::ReadError;
use crate::schema::{KNOWN_VERSIONS, Time};
use crate::tree::leaf_hash;

const BUFFER_BYTES: usize = 1024 * 1024;

/// What a segment holds.
pub(super) struct Checked {
    pub(super) segment: Segment,
    pub(super) leaves: Vec<Digest>,
    /// The number of the first record, by the first line that can be read.
    pub(super) first_seq: Option<u64>,
    /// What the first line says stood before it.
    pub(super) first_prev: Option<Digest>,
    /// Numbers that do not follow on the one before: line, number.
    pub(super) steps: Vec<(u64, u64)>,
    /// Lines that do not follow on the hash of the one before, the first few.
    pub(super) breaks: Vec<u64>,
    /// Lines that are no lines of a ledger, the first few, and why.
    pub(super) unreadable: Vec<(u64, String)>,
    /// Lines that lack an object, the first few, and what is wrong with it.
    pub(super) lacking: Vec<(u64, String)>,
    /// Panels, and the first line that refers to each.
    pub(super) panels: HashMap<Digest, u64>,
    /// Where the last line begins, if it is not whole.
    pub(super) torn: Option<u64>,
    pub(super) objects: u64,
    /// How many of them each key sealed.
    pub(super) sealed: BTreeMap<KeyId, u64>,
    /// Of the segment and its pack.
    pub(super) bytes: u64,
    pub(super) bytes_of_lines: u64,
}

/// So many faults of a kind are enough for one segment.
const FAULTS_MAX: usize = 16;

/// A segment as whoever is to let go of it has to know it.
pub(crate) struct Examined {
    pub(crate) leaves: Vec<Digest>,
    /// That its decisions refer to.
    pub(crate) panels: BTreeSet<Digest>,
    /// Of the segment and its pack.
    pub(crate) bytes: u64,
    /// What is wrong with it first, if anything is.
    pub(crate) fault: Option<String>,
    /// When its last record was made.
    pub(crate) last: Option<Time>,
}

/// Reads a segment and its pack.
pub(super) fn check(segment: &Segment) -> Result<Checked, ReadError> {
    let io = |source| ReadError::Io { path: segment.path.clone(), source };
    let mut checked = Checked::new(segment.clone());
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, File::open(&segment.path).map_err(io)?);
    let (mut line, mut wanted, mut seq) = (Vec::new(), Vec::new(), None);
    loop {
        line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        (&mut reader).take(limit).read_until(b'\n', &mut line).map_err(io)?;
        if line.is_empty() {
            break;
        }
        let at_end = reader.fill_buf().map_err(io)?.is_empty();
        checked.take(&line, at_end, &mut seq, &mut wanted);
    }
    checked.bytes = checked.bytes_of_lines;
    // After the lines: a line is never written before its objects.
    checked.look_up(&wanted).map_err(|source| ReadError::Io { path: segment.pack_path(), source })?;
    Ok(checked)
}

// === impl Examined ===

impl Examined {
    pub(crate) fn of(segment: &Segment) -> Result<Self, ReadError> {
        #[derive(serde::Deserialize)]
        struct Head {
            at: Time,
        }
        let checked = check(segment)?;
        let mut last = None;
        crate::search::scan::scan(segment, &[b"\"at\":".to_vec()], |_, line| {
            last = serde_json::from_slice(line).ok().map(|Head { at }| at).max(last);
            Ok(())
        })?;
        let mut faults: Vec<(u64, String)> = [checked.unreadable, checked.lacking].concat();
        faults.extend(checked.steps.iter().map(|(line, seq)| (*line, format!("record {seq} is out of place"))));
        faults.extend(checked.breaks.iter().map(|line| (*line, "it does not go on from the one before".to_owned())));
        faults.extend(checked.torn.map(|_| (u64::MAX, "its last line is not whole".to_owned())));
        faults.sort();
        let fault = faults.into_iter().next().map(|(line, what)| format!("line {line}: {what}"));
        let panels = checked.panels.into_keys().collect();
        Ok(Self { leaves: checked.leaves, panels, bytes: checked.bytes, fault, last })
    }
}

// === impl Checked ===

impl Checked {
    fn new(segment: Segment) -> Self {
        Self {
            segment,
            leaves: Vec::new(),
            first_seq: None,
            first_prev: None,
            steps: Vec::new(),
            breaks: Vec::new(),
            unreadable: Vec::new(),
            lacking: Vec::new(),
            panels: HashMap::new(),
            torn: None,
            objects: 0,
            sealed: BTreeMap::new(),
            bytes: 0,
            bytes_of_lines: 0,
        }
    }

    pub(super) fn lines(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn take(&mut self, bytes: &[u8], at_end: bool, seq: &mut Option<u64>, wanted: &mut Vec<(Digest, u64)>) {
        let begin = self.bytes_of_lines;
        self.bytes_of_lines = begin.saturating_add(bytes.len() as u64);
        let whole = bytes.strip_suffix(b"\n");
        let parsed = serde_json::from_slice::<Light>(bytes);
        if at_end && (whole.is_none() || serde_json::from_slice::<IgnoredAny>(bytes).is_err()) {
            self.torn = Some(begin); // by a crash, if nobody vouches for it
            return;
        }
        let leaf = leaf_hash(whole.unwrap_or(bytes));
        let before = self.leaves.last().copied();
        let first = self.leaves.is_empty();
        self.leaves.push(leaf);
        let number = self.lines();
        let light = match parsed {
            Ok(light) if KNOWN_VERSIONS.contains(&light.v) => light,
            Ok(light) => {
                return push(&mut self.unreadable, (number, format!("schema version {} is not known", light.v)));
            }
            Err(error) => return push(&mut self.unreadable, (number, error.to_string())),
        };
        if first {
            self.first_prev = light.prev;
        }
        self.first_seq = self.first_seq.or_else(|| light.seq.checked_sub(number.saturating_sub(1)));
        if seq.is_some_and(|seq: u64| light.seq != seq.saturating_add(1)) {
            push(&mut self.steps, (number, light.seq));
        }
        *seq = Some(light.seq);
        if let (Some(prev), Some(before)) = (light.prev, before)
            && prev != before
        {
            push(&mut self.breaks, number);
        }
        if let Some(panel) = light.panel {
            self.panels.entry(panel).or_insert(number);
        }
        wanted.extend(light.case.0.map(|case| (case, number)));
        wanted.extend(light.facts.iter().map(|fact| (fact.json, number)));
        wanted.extend(light.request.and_then(|request| request.words).map(|words| (words, number)));
    }

    fn look_up(&mut self, wanted: &[(Digest, u64)]) -> std::io::Result<()> {
        let mut there: HashMap<Digest, bool> = HashMap::new();
        if let Some(mut pack) = Pack::open(&self.segment.pack_path())? {
            let mut stored = Vec::new();
            while let PackPiece::Object { name, .. } = pack.read(&mut stored)? {
                self.objects = self.objects.saturating_add(1);
                self.bytes = self.bytes.saturating_add(stored.len() as u64);
                if let Some(key) = sealed_with(&stored) {
                    let count = self.sealed.entry(key).or_default();
                    *count = count.saturating_add(1);
                }
                let right = Digest::of(&stored) == name;
                let known = there.entry(name).or_insert(right);
                *known |= right;
            }
        }
        for (name, line) in wanted {
            match there.get(name) {
                Some(true) => {}
                Some(false) => push(&mut self.lacking, (*line, format!("object `{name}` is not what was stored"))),
                None => push(&mut self.lacking, (*line, format!("object `{name}` is missing"))),
            }
        }
        self.lacking.sort_by_key(|(line, _)| *line);
        Ok(())
    }
}

fn push<T>(faults: &mut Vec<T>, fault: T) {
    if faults.len() < FAULTS_MAX {
        faults.push(fault);
    }
}
