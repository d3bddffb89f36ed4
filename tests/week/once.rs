//! How often each request was decided, and how long it waited, by the server's own history. It asks nobody else.

use std::collections::BTreeMap;

use tribunal_proto::types::RequestState;
use tribunal_sim::{Change, Handle, Moment};

use crate::replay;

/// What became of every request that ever was.
#[derive(Debug, Default)]
pub(crate) struct Once {
    sequence: u64,
    requests: BTreeMap<String, Fate>,
}

#[derive(Debug)]
struct Fate {
    made: Moment,
    /// When it left its pending state, each time.
    resolved: Vec<Moment>,
    pending: bool,
}

// === impl Once ===

impl Once {
    /// Takes in all that happened since the last call.
    pub(crate) fn follow(&mut self, server: &Handle) {
        for entry in server.history_since(self.sequence) {
            self.sequence = entry.sequence;
            let Change::RequestPut(request) = &entry.change else { continue };
            let pending = replay::state(request) == RequestState::Pending;
            let fate = self.requests.entry(replay::id(request).to_owned());
            let fate = fate.or_insert_with(|| Fate { made: entry.at, resolved: Vec::new(), pending: true });
            // A write of the same state again would be a second decision, too.
            if !pending {
                fate.resolved.push(entry.at);
            }
            fate.pending = pending;
        }
    }

    pub(crate) fn made(&self) -> usize {
        self.requests.len()
    }

    /// Requests that were resolved so often.
    pub(crate) fn resolved(&self, times: usize) -> usize {
        self.requests.values().filter(|fate| fate.resolved.len() == times).count()
    }

    /// Requests that nobody has resolved.
    pub(crate) fn pending(&self) -> impl Iterator<Item = &String> {
        self.requests.iter().filter(|(_, fate)| fate.pending).map(|(id, _)| id)
    }

    /// Requests that were resolved more than once.
    pub(crate) fn twice(&self) -> Vec<String> {
        self.requests.iter().filter(|(_, fate)| fate.resolved.len() > 1).map(|(id, _)| id.clone()).collect()
    }

    /// How long requests waited until they were resolved, in milliseconds, shortest first; without those that waited at some
    /// time between these.
    pub(crate) fn waits_ms(&self, without: Option<(Moment, Moment)>) -> Vec<i64> {
        let wait = |fate: &Fate| {
            let resolved = *fate.resolved.first()?;
            let is_out = without.is_some_and(|(from, to)| fate.made < to && from < resolved);
            (!is_out).then(|| resolved.since_ms(fate.made))
        };
        let mut waits: Vec<i64> = self.requests.values().filter_map(wait).collect();
        waits.sort_unstable();
        waits
    }
}
