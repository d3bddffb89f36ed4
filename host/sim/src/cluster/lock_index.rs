//! Finds the locks that could concern somebody without looking at all of them: by access request, and the rest. It holds names, not locks.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_proto::types::LockV2;

/// Names of stored locks by what they target.
#[derive(Debug, Default)]
pub(super) struct LockIndex {
    by_request: BTreeMap<String, BTreeSet<String>>,
    others: BTreeSet<String>,
}

impl LockIndex {
    pub(super) fn insert(&mut self, name: &str, lock: &LockV2) {
        match request_of(lock) {
            Some(request) => {
                self.by_request.entry(request.to_owned()).or_default().insert(name.to_owned());
            }
            None => {
                self.others.insert(name.to_owned());
            }
        }
    }

    pub(super) fn remove(&mut self, name: &str, lock: &LockV2) {
        if let Some(request) = request_of(lock) {
            if let Some(names) = self.by_request.get_mut(request) {
                names.remove(name);
                if names.is_empty() {
                    self.by_request.remove(request);
                }
            }
        } else {
            self.others.remove(name);
        }
    }

    /// Locks that name this request.
    pub(super) fn on_request<'a>(&'a self, request: &str) -> impl Iterator<Item = &'a String> {
        self.by_request.get(request).into_iter().flatten()
    }

    /// Locks that name no request.
    pub(super) fn others(&self) -> impl Iterator<Item = &String> {
        self.others.iter()
    }
}

fn request_of(lock: &LockV2) -> Option<&str> {
    let target = lock.spec.as_ref()?.target.as_ref()?;
    (!target.access_request.is_empty()).then_some(target.access_request.as_str())
}
