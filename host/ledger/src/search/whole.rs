//! Decisions with what they refer to and what became of them, for whoever takes them elsewhere. It never leaves one out that
//! fits.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Deserialize;

use super::scan::scan;
use super::{Filter, Match, Matches, damage, search};
use crate::cases::Contents;
use crate::reader::{self, ReadError};
use crate::schema::{Line, Outcome, Time};
use crate::verify::each;

/// A decision with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its record; the case and people's words stand in it, if they are not erased.
    pub record: Line,
    /// What became of it, in the order in which it was recorded.
    pub outcomes: Vec<(Time, Outcome)>,
}

/// Decisions, oldest first. Ends after the first error.
#[derive(Debug)]
pub struct Decisions {
    found: Matches,
    /// The number of the last one that there was when outcomes were looked for; what came later would seem to have none.
    newest: Option<u64>,
    outcomes: HashMap<String, Vec<(Time, Outcome)>>,
    contents: Contents,
    over: bool,
}

#[derive(Deserialize)]
struct Head {
    at: Time,
    #[serde(flatten)]
    outcome: Outcome,
}

/// The decisions that fit and are there now, with all that belongs to them, which are read as they are asked for.
///
/// # Errors
/// When a segment cannot be read, or a line of it that may fit.
pub fn decisions(directory: &Path, filter: &Filter) -> Result<Decisions, ReadError> {
    let newest = search(directory, filter)?.next_back().transpose()?.map(|found| found.seq);
    // What became of a decision may stand in any segment after it.
    let ids = || search(directory, filter)?.map(|found| Ok(found?.id)).collect::<Result<HashSet<_>, ReadError>>();
    let wanted = (*filter != Filter::default()).then(ids).transpose()?;
    let is_wanted = |id: &str| wanted.as_ref().is_none_or(|wanted| wanted.contains(id));
    let outcomes = each(&reader::segments(directory)?, |segment| {
        let mut outcomes = Vec::new();
        scan(segment, &[b"\"kind\":\"outcome\"".to_vec()], |offset, line| {
            let Head { at, outcome } =
                serde_json::from_slice(line).map_err(|error| damage(segment, offset, error.to_string()))?;
            if is_wanted(&outcome.decision) {
                outcomes.push((at, outcome));
            }
            Ok(())
        })?;
        Ok(outcomes)
    })?;
    let mut of: HashMap<String, Vec<(Time, Outcome)>> = HashMap::new();
    for (at, outcome) in outcomes.into_iter().flatten() {
        of.entry(outcome.decision.clone()).or_default().push((at, outcome));
    }
    let found = search(directory, filter)?;
    Ok(Decisions { found, newest, outcomes: of, contents: Contents::of(directory), over: false })
}

// === impl Decisions ===

impl Decisions {
    fn whole(&mut self, found: &Match) -> Result<Decision, ReadError> {
        let mut record = found.parse().map_err(|error| damage(&found.segment, 0, error.to_string()))?;
        self.contents.fill_in(&found.segment, &mut record)?;
        Ok(Decision { record, outcomes: self.outcomes.remove(&found.id).unwrap_or_default() })
    }
}

impl Iterator for Decisions {
    type Item = Result<Decision, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let found = self.found.next()?;
        if found.as_ref().is_ok_and(|found| Some(found.seq) > self.newest) {
            return None;
        }
        let whole = found.and_then(|found| self.whole(&found));
        self.over = whole.is_err();
        Some(whole)
    }
}
