//! Finds records: words of the question are looked for in the bytes of a segment first, and only lines that have them are
//! parsed. It never answers from an index that could say something else than the lines.

pub(crate) mod scan;
mod show;
mod whole;

use std::collections::VecDeque;
use std::path::Path;

use memchr::memmem::Finder;
use serde::Deserialize;

use self::scan::{number_of, scan};
pub use self::show::{Shown, Wanted, show};
pub use self::whole::{Decision, Decisions, decisions};
use crate::directory::Segment;
use crate::reader::{self, ReadError};
use crate::schema::{Line, Time, Verdict};
use crate::verify::each;

/// How many segments are searched before anything of them is handed over: so much of what fits is in memory at a time, however
/// long the ledger is.
const SEGMENTS_AT_ONCE: usize = 4;

/// Which decisions are wanted: all that is set must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose requests they are about.
    pub user: Option<String>,
    /// The id of the request that was judged, or of one that is locked or released.
    pub request: Option<String>,
    /// A rule that determined it, or wants a lock: `policy/rule`, or the rule alone.
    pub rule: Option<String>,
    /// A plugin that took part in what determined it, or wants a lock.
    pub plugin: Option<String>,
    /// The verdict.
    pub verdict: Option<Verdict>,
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
}

/// A decision that fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The number of its record.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Its id.
    pub id: String,
    /// Whose requests it is about.
    pub user: String,
    /// The verdict; none when only held requests were looked at.
    pub verdict: Option<Verdict>,
    /// What determined it, as `policy/rule`.
    pub rules: Vec<String>,
    /// The request that was judged.
    pub request: Option<String>,
    /// The roles that it asks for.
    pub roles: Vec<String>,
    /// How many locks it writes and deletes.
    pub locks: (usize, usize),
    /// Nothing of it is done.
    pub dry_run: bool,
    /// The line, without its line break.
    pub line: Vec<u8>,
    pub(crate) segment: Segment,
}

/// As much of a decision as a question is about.
#[derive(Deserialize)]
struct Row {
    seq: u64,
    at: Time,
    kind: String,
    id: Option<String>,
    user: Option<String>,
    verdict: Option<Verdict>,
    determined_by: Option<RowRules>,
    request: Option<RowRequest>,
    #[serde(default)]
    locks: Vec<RowLock>,
    #[serde(default)]
    releases: Vec<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
struct RowRules {
    rules: Vec<String>,
}

#[derive(Deserialize)]
struct RowRequest {
    id: String,
    roles: Vec<String>,
}

#[derive(Deserialize)]
struct RowLock {
    name: String,
    rule: String,
    target: RowTarget,
}

#[derive(Deserialize)]
struct RowTarget {
    access_request: Option<String>,
}

/// Decisions that fit, oldest first; from the other end, newest first. It holds a few segments' worth of them and no more.
/// Ends after the first error.
#[derive(Debug)]
pub struct Matches {
    filter: Filter,
    /// Not searched yet.
    segments: VecDeque<Segment>,
    /// What was found at either end, and not handed over yet.
    oldest: VecDeque<Match>,
    newest: VecDeque<Match>,
}

/// The decisions that fit, which are read as they are asked for.
///
/// # Errors
/// When the directory cannot be read, or a segment between others is missing. Each match may be an error, too: a segment that
/// cannot be read, or a line of it that may fit.
pub fn search(directory: &Path, filter: &Filter) -> Result<Matches, ReadError> {
    let segments = reader::segments(directory)?.into();
    Ok(Matches { filter: filter.clone(), segments, oldest: VecDeque::new(), newest: VecDeque::new() })
}

pub(crate) fn damage(segment: &Segment, offset: u64, why: String) -> ReadError {
    ReadError::Damage { path: segment.path.clone(), line: number_of(segment, offset).unwrap_or(0), why }
}

/// A JSON text as it stands in a line.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A filter, ready to be held against many lines.
pub(crate) struct Sieve<'a> {
    filter: &'a Filter,
    finders: Vec<Finder<'static>>,
}

// === impl Matches ===

impl Matches {
    fn look_into(&mut self, segments: &[Segment]) -> Result<VecDeque<Match>, ReadError> {
        let found = each(segments, |segment| self.filter.matches(segment));
        if found.is_err() {
            (self.segments, self.oldest, self.newest) = Default::default();
        }
        Ok(found?.into_iter().flatten().collect())
    }
}

impl Iterator for Matches {
    type Item = Result<Match, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.oldest.is_empty() && !self.segments.is_empty() {
            let end = SEGMENTS_AT_ONCE.min(self.segments.len());
            let segments: Vec<Segment> = self.segments.drain(..end).collect();
            match self.look_into(&segments) {
                Ok(found) => self.oldest = found,
                Err(error) => return Some(Err(error)),
            }
        }
        self.oldest.pop_front().or_else(|| self.newest.pop_front()).map(Ok)
    }
}

impl DoubleEndedIterator for Matches {
    fn next_back(&mut self) -> Option<Self::Item> {
        while self.newest.is_empty() && !self.segments.is_empty() {
            let begin = self.segments.len().saturating_sub(SEGMENTS_AT_ONCE);
            let segments: Vec<Segment> = self.segments.drain(begin..).collect();
            match self.look_into(&segments) {
                Ok(found) => self.newest = found,
                Err(error) => return Some(Err(error)),
            }
        }
        self.newest.pop_back().or_else(|| self.oldest.pop_back()).map(Ok)
    }
}

// === impl Sieve ===

impl<'a> Sieve<'a> {
    pub(crate) fn new(filter: &'a Filter) -> Self {
        let finders = filter.needles().iter().map(|needle| Finder::new(needle).into_owned()).collect();
        Self { filter, finders }
    }

    /// Whether this line is a decision that fits.
    pub(crate) fn passes(&self, line: &[u8]) -> Result<bool, serde_json::Error> {
        if !self.finders.iter().all(|finder| finder.find(line).is_some()) {
            return Ok(false);
        }
        if *self.filter == Filter::default() {
            return Ok(true);
        }
        serde_json::from_slice(line).map(|row| self.filter.fits(&row))
    }
}

// === impl Filter ===

impl Filter {
    fn matches(&self, segment: &Segment) -> Result<Vec<Match>, ReadError> {
        let mut matches = Vec::new();
        scan(segment, &self.needles(), |offset, line| {
            let row: Row = serde_json::from_slice(line).map_err(|error| damage(segment, offset, error.to_string()))?;
            if self.fits(&row) {
                matches.extend(Match::of(row, line, segment));
            }
            Ok(())
        })?;
        Ok(matches)
    }

    /// What every line that fits has in it, the rarest first.
    fn needles(&self) -> Vec<Vec<u8>> {
        let mut needles: Vec<String> = Vec::new();
        let inner = |text: &str| quoted(text).trim_matches('"').to_owned();
        needles.extend(self.request.as_deref().map(inner));
        needles.extend(self.user.as_deref().map(|user| format!("\"user\":{}", quoted(user))));
        needles.extend(self.rule.as_deref().map(inner));
        needles.extend(self.plugin.as_deref().map(inner));
        let verdict = self.verdict.and_then(|verdict| serde_json::to_string(&verdict).ok());
        needles.extend(verdict.map(|verdict| format!("\"verdict\":{verdict}")));
        needles.push("\"kind\":\"decided\"".to_owned());
        needles.into_iter().map(String::into_bytes).collect()
    }

    fn fits(&self, row: &Row) -> bool {
        let is = |wanted: &Option<String>, there: &Option<String>| wanted.is_none() || wanted == there;
        row.kind == "decided"
            && is(&self.user, &row.user)
            && self.verdict.is_none_or(|verdict| row.verdict == Some(verdict))
            && self.since.is_none_or(|since| row.at >= since)
            && self.until.is_none_or(|until| row.at < until)
            && self.request.as_ref().is_none_or(|request| row.touches(request))
            && self.rule.as_ref().is_none_or(|rule| {
                row.rules().any(|there| there == rule || there.split_once('/').is_some_and(|(_, bare)| bare == rule))
            })
            && self.plugin.as_ref().is_none_or(|plugin| {
                row.rules().any(|there| there.split_once('/').is_some_and(|(policy, _)| policy == plugin))
            })
    }
}

// === impl Row ===

impl Row {
    fn rules(&self) -> impl Iterator<Item = &String> {
        let determined = self.determined_by.iter().flat_map(|by| &by.rules);
        determined.chain(self.locks.iter().map(|lock| &lock.rule))
    }

    fn touches(&self, request: &str) -> bool {
        let locks =
            |lock: &RowLock| lock.target.access_request.as_deref() == Some(request) || lock.name.ends_with(request);
        self.request.as_ref().is_some_and(|judged| judged.id == request)
            || self.locks.iter().any(locks)
            || self.releases.iter().any(|name| name.ends_with(request))
    }
}

// === impl Match ===

impl Match {
    fn of(row: Row, line: &[u8], segment: &Segment) -> Option<Self> {
        let Row { seq, at, kind: _, id, user, verdict, determined_by, request, locks, releases, dry_run } = row;
        let (request, roles) = request.map_or((None, Vec::new()), |request| (Some(request.id), request.roles));
        Some(Self {
            seq,
            at,
            id: id?,
            user: user?,
            verdict,
            rules: determined_by.map(|by| by.rules).unwrap_or_default(),
            request,
            roles,
            locks: (locks.len(), releases.len()),
            dry_run,
            line: line.to_vec(),
            segment: segment.clone(),
        })
    }

    /// The whole line.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(&self) -> Result<Line, crate::schema::InvalidLine> {
        Line::parse(&self.line)
    }
}
