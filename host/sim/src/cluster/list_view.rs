//! What lists of requests and locks are served from: like Auth's cache it may trail the backend. It must never be asked about a single object.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::history::{Change, Entry};
use super::{StoredLock, StoredRequest, id_of};

/// A copy that may be some changes behind.
#[derive(Debug)]
pub(super) struct ListView {
    requests: BTreeMap<String, StoredRequest>,
    locks: BTreeMap<String, StoredLock>,
    waiting: VecDeque<Arc<Entry>>,
    lag: usize,
}

impl ListView {
    pub(super) const fn new(lag: usize) -> Self {
        Self { requests: BTreeMap::new(), locks: BTreeMap::new(), waiting: VecDeque::new(), lag }
    }

    pub(super) const fn requests(&self) -> &BTreeMap<String, StoredRequest> {
        &self.requests
    }

    pub(super) const fn locks(&self) -> &BTreeMap<String, StoredLock> {
        &self.locks
    }

    pub(super) fn set_lag(&mut self, lag: usize) {
        self.lag = lag;
        self.catch_up();
    }

    pub(super) fn push(&mut self, entry: &Arc<Entry>) {
        match entry.change {
            Change::RequestPut(_) | Change::RequestDeleted(_) | Change::LockPut(_) | Change::LockDeleted(_) => {
                self.waiting.push_back(Arc::clone(entry));
                self.catch_up();
            }
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => {}
        }
    }

    fn catch_up(&mut self) {
        while self.waiting.len() > self.lag {
            let Some(entry) = self.waiting.pop_front() else { return };
            self.apply(&entry.change);
        }
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::RequestPut(request) => {
                self.requests.insert(id_of(request).to_owned(), Arc::clone(request));
            }
            Change::RequestDeleted(id) => {
                self.requests.remove(id);
            }
            Change::LockPut(lock) => {
                let name = lock.metadata.as_ref().map(|metadata| metadata.name.clone()).unwrap_or_default();
                self.locks.insert(name, Arc::clone(lock));
            }
            Change::LockDeleted(name) => {
                self.locks.remove(name);
            }
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => {}
        }
    }
}
