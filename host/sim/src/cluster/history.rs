//! Every change of state with its time, for observers that check what nobody else can see. It only remembers; nothing in the cluster reads it.

use std::collections::VecDeque;
use std::sync::Arc;

use tribunal_proto::types;

use super::{StoredLock, StoredRequest};
use crate::clock::Moment;
use crate::scenario::{RoleDef, UserDef};

/// Older changes are forgotten.
pub const HISTORY_ENTRIES_MAX: usize = 1 << 18;

/// What changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// A request was created or changed.
    RequestPut(StoredRequest),
    /// The request with this id is gone.
    RequestDeleted(String),
    /// A lock was created or changed.
    LockPut(StoredLock),
    /// The lock with this name is gone.
    LockDeleted(String),
    /// Plugin data of a request were written.
    PluginDataPut(Arc<types::PluginDataV3>),
    /// A semaphore was created or changed.
    SemaphorePut(Arc<types::SemaphoreV3>),
    /// The semaphore of this kind and name is gone.
    SemaphoreDeleted(String, String),
    /// A user was created or changed.
    UserPut(Arc<UserDef>),
    /// The user with this name is gone.
    UserDeleted(String),
    /// A role was created or changed.
    RolePut(Arc<RoleDef>),
}

/// A change, when, and by whom.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Counts from 1 without gaps.
    pub sequence: u64,
    /// By the server's clock.
    pub at: Moment,
    /// The user, or `system`.
    pub by: String,
    /// What.
    pub change: Change,
}

/// The last [`HISTORY_ENTRIES_MAX`] changes.
#[derive(Debug, Default)]
pub struct History {
    entries: VecDeque<Arc<Entry>>,
    last: u64,
}

impl History {
    /// The number of the newest change; 0 when there was none.
    #[must_use]
    pub const fn last_sequence(&self) -> u64 {
        self.last
    }

    /// Changes after the one with this number, oldest first.
    pub fn since(&self, sequence: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let first = self.entries.front().map_or(0, |entry| entry.sequence);
        let skip = usize::try_from(sequence.saturating_add(1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.entries.iter().skip(skip)
    }

    pub(super) fn push(&mut self, at: Moment, by: &str, change: Change) -> Arc<Entry> {
        self.last += 1;
        if self.entries.len() >= HISTORY_ENTRIES_MAX {
            self.entries.pop_front();
        }
        let entry = Arc::new(Entry { sequence: self.last, at, by: by.to_owned(), change });
        self.entries.push_back(Arc::clone(&entry));
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_gives_what_came_after() {
        let mut history = History::default();
        for name in ["a", "b", "c"] {
            history.push(Moment::default(), "me", Change::LockDeleted(name.to_owned()));
        }
        let after: Vec<u64> = history.since(1).map(|entry| entry.sequence).collect();
        assert_eq!(after, [2, 3]);
        assert_eq!(history.since(0).count(), 3);
        assert_eq!(history.since(99).count(), 0);
    }
}
