//! One record with all that belongs to it: what became of it, what was shown, who judged. It never leaves out what is
//! damaged without saying so.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::scan::{number_of, scan};
use super::{damage, quoted};
use crate::cases::Contents;
use crate::directory::Segment;
use crate::panel;
use crate::reader::{self, ReadError};
use crate::schema::{Body, Line, Panel};
use crate::verify::each;

/// Which record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The decision of this id.
    Decision(String),
    /// The record of this number.
    Record(u64),
}

/// A record with all that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its segment.
    pub segment: PathBuf,
    /// Its line in there, counted from 1.
    pub line: u64,
    /// The record; the case of a decision stands in it.
    pub record: Line,
    /// The line as it stands in the segment, without its line break.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// What became of it.
    pub outcomes: Vec<Line>,
    /// The panel that judged, if it was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub panel: Option<Panel>,
    /// What of it is not to be had, and why.
    pub lacking: Vec<String>,
}

#[derive(Deserialize)]
struct Head {
    seq: u64,
}

struct Hit {
    segment: Segment,
    offset: u64,
    bytes: Vec<u8>,
}

/// The record, if it is in the segments that are here.
///
/// # Errors
/// When a segment cannot be read.
pub fn show(directory: &Path, wanted: &Wanted) -> Result<Option<Shown>, ReadError> {
    let hits = hits(directory, wanted)?;
    let mut record = None;
    let mut outcomes = Vec::new();
    for hit in hits {
        let line = Line::parse(&hit.bytes).map_err(|error| damage(&hit.segment, hit.offset, error.to_string()))?;
        let (is_it, belongs) = match (wanted, &line.body) {
            (Wanted::Decision(id), Body::Decided(decided)) => (decided.id == *id, false),
            (Wanted::Decision(id), Body::Outcome(outcome)) => (false, outcome.decision == *id),
            (Wanted::Decision(_), Body::Lifecycle(_)) => (false, false),
            (Wanted::Record(seq), Body::Decided(_) | Body::Outcome(_) | Body::Lifecycle(_)) => {
                (line.seq == *seq, false)
            }
        };
        if belongs {
            outcomes.push(line);
        } else if is_it && record.is_none() {
            record = Some((hit, line));
        }
    }
    let Some((hit, mut line)) = record else { return Ok(None) };
    if let (Wanted::Record(_), Body::Decided(decided)) = (wanted, &line.body) {
        return show(directory, &Wanted::Decision(decided.id.clone()));
    }
    let mut lacking = Vec::new();
    let panel = panel_of(directory, &line).unwrap_or_else(|error| {
        lacking.push(error.to_string());
        None
    });
    if let Err(error) = Contents::of(directory).fill_in(&hit.segment, &mut line) {
        lacking.push(error.to_string());
    }
    let number = number_of(&hit.segment, hit.offset)
        .map_err(|source| ReadError::Io { path: hit.segment.path.clone(), source })?;
    Ok(Some(Shown {
        segment: hit.segment.path,
        line: number,
        record: line,
        bytes: hit.bytes,
        outcomes,
        panel,
        lacking,
    }))
}

fn hits(directory: &Path, wanted: &Wanted) -> Result<Vec<Hit>, ReadError> {
    let needle = match wanted {
        Wanted::Decision(id) => quoted(id).into_bytes(),
        Wanted::Record(seq) => format!("\"seq\":{seq},").into_bytes(),
    };
    let segments = reader::segments(directory)?;
    let found = each(&segments, |segment| {
        let mut hits = Vec::new();
        scan(segment, std::slice::from_ref(&needle), |offset, bytes| {
            let is_it = match wanted {
                Wanted::Decision(_) => true,
                Wanted::Record(seq) => serde_json::from_slice::<Head>(bytes).is_ok_and(|head| head.seq == *seq),
            };
            if is_it {
                hits.push(Hit { segment: segment.clone(), offset, bytes: bytes.to_vec() });
            }
            Ok(())
        })?;
        Ok(hits)
    })?;
    Ok(found.into_iter().flatten().collect())
}

fn panel_of(directory: &Path, line: &Line) -> Result<Option<Panel>, ReadError> {
    match &line.body {
        Body::Decided(decided) => decided.panel.as_ref().map(|name| panel::panel(directory, name)).transpose(),
        Body::Outcome(_) | Body::Lifecycle(_) => Ok(None),
    }
}
