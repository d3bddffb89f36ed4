//! What happened to the daemon itself: what a reviewer of its privilege looks for. It never leaves out a kind of event.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::Period;
use super::row::{Lifecycle, Row};
use crate::reader::{self, ReadError};
use crate::schema::{LifecycleEvent, Time};
use crate::search::damage;
use crate::search::scan::scan;

/// What happened to the daemon itself, in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Itself {
    /// Each kind of event, by its name: how often.
    pub counts: BTreeMap<String, u64>,
    /// From each start to its stop.
    pub runs: Vec<Run>,
    /// Why the breaker is tripped, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tripped: Option<String>,
    /// Everything but starts and stops, oldest first.
    pub happenings: Vec<Happening>,
}

/// From a start of the daemon to its stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// When it started.
    pub started: Time,
    /// When it stopped in good order; none: it was cut off, or still runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Time>,
    /// What was said at the start.
    pub detail: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Happening {
    /// When.
    pub at: Time,
    /// What.
    pub what: LifecycleEvent,
    /// Particulars, for people.
    pub detail: String,
}

/// What the ledger in this directory says of its daemon.
///
/// # Errors
/// When it cannot be read.
pub fn itself(directory: &Path, period: &Period) -> Result<Itself, ReadError> {
    let mut itself = Itself::default();
    for segment in reader::segments(directory)? {
        scan(&segment, &[b"\"kind\":\"lifecycle\"".to_vec()], |offset, line| {
            let row = Row::parse(line).map_err(|error| damage(&segment, offset, error.to_string()))?;
            let Row::Lifecycle(Lifecycle { at, what, detail }) = row else { return Ok(()) };
            // How the breaker stands now is no matter of the time that is asked about.
            itself.follow_breaker(what, &detail);
            let within = period.since.is_none_or(|since| at >= since) && period.until.is_none_or(|until| at < until);
            if within {
                itself.take(Happening { at, what, detail });
            }
            Ok(())
        })?;
    }
    Ok(itself)
}

// === impl Itself ===

impl Itself {
    fn follow_breaker(&mut self, what: LifecycleEvent, detail: &str) {
        if what == LifecycleEvent::BreakerTripped {
            self.tripped = Some(detail.to_owned());
        } else if what == LifecycleEvent::BreakerReleased {
            self.tripped = None;
        }
    }

    fn take(&mut self, happening: Happening) {
        let Happening { at, what, detail } = happening;
        let name = tribunal_core::record::Lifecycle::from(what).as_str().to_owned();
        let count = self.counts.entry(name).or_default();
        *count = count.saturating_add(1);
        if what == LifecycleEvent::Started {
            self.runs.push(Run { started: at, stopped: None, detail });
        } else if what == LifecycleEvent::Stopped {
            if let Some(run) = self.runs.last_mut() {
                run.stopped = Some(at);
            }
        } else {
            self.happenings.push(Happening { at, what, detail });
        }
    }
}
