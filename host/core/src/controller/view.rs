//! What is known of the cluster: requests and locks, indexed by user. It only remembers; it draws no conclusions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::sync::{Learnt, Object};
use crate::action::Listing;
use crate::lock::{Lock, LockName};
use crate::request::{AccessRequest, RequestId, RequestState, UserName};
use crate::time::Timestamp;

/// What is known of the cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    requests: BTreeMap<RequestId, Arc<AccessRequest>>,
    by_user: BTreeMap<UserName, BTreeSet<RequestId>>,
    locks: BTreeMap<LockName, Lock>,
    locks_by_request: BTreeMap<RequestId, BTreeSet<LockName>>,
    /// Locks that name no request: on users and roles.
    broad_locks: BTreeSet<LockName>,
}

/// Whom a change concerns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Concerns {
    Nobody,
    User(UserName),
    Everybody,
}

// === impl View ===

impl View {
    pub(crate) fn request(&self, id: &RequestId) -> Option<&Arc<AccessRequest>> {
        self.requests.get(id)
    }

    pub(crate) fn lock(&self, name: &LockName) -> Option<&Lock> {
        self.locks.get(name)
    }

    /// Users who have any request.
    pub(crate) fn users(&self) -> impl Iterator<Item = &UserName> {
        self.by_user.keys()
    }

    /// How many users have any request.
    pub(crate) fn users_count(&self) -> usize {
        self.by_user.len()
    }

    pub(crate) fn has_requests(&self, user: &UserName) -> bool {
        self.by_user.contains_key(user)
    }

    /// The requests of a user, oldest first, equal ages by id.
    pub(crate) fn requests_of(&self, user: &UserName) -> Vec<&Arc<AccessRequest>> {
        let ids = self.by_user.get(user).into_iter().flatten();
        let mut requests: Vec<_> = ids.filter_map(|id| self.requests.get(id)).collect();
        requests.sort_by(|a, b| a.age_key().cmp(&b.age_key()));
        requests
    }

    /// The locks in force that take away the access of a request, by name.
    pub(crate) fn locks_on<'a>(&'a self, request: &'a AccessRequest, now: Timestamp) -> impl Iterator<Item = &'a Lock> {
        let named = self.locks_by_request.get(&request.id).into_iter().flatten();
        let names: BTreeSet<&LockName> = named.chain(&self.broad_locks).collect();
        names
            .into_iter()
            .filter_map(|name| self.locks.get(name))
            .filter(move |lock| lock.in_force(now) && lock.covers(request))
    }

    /// When the next of a user's requests or locks starts or ends by itself, or will in `lead`, after `now`.
    pub(crate) fn next_change(&self, user: &UserName, now: Timestamp, lead: std::time::Duration) -> Option<Timestamp> {
        let mut next: Option<Timestamp> = None;
        let mut consider = |at: Option<Timestamp>| {
            if let Some(at) = at.filter(|at| *at > now) {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        };
        let early = |at: Timestamp| at.before(lead);
        for request in self.requests_of(user) {
            consider(request.access_expires);
            consider(request.request_expires);
            if let Some(start) = request.access_starts {
                consider(Some(early(start)));
            }
            let named = self.locks_by_request.get(&request.id).into_iter().flatten();
            for end in named.filter_map(|name| self.locks.get(name)).filter_map(|lock| lock.expires) {
                consider(Some(end));
                consider(Some(early(end)));
            }
        }
        for lock in self.broad_locks.iter().filter_map(|name| self.locks.get(name)) {
            if lock.target.user.as_ref().is_none_or(|on| on == user) {
                consider(lock.expires);
                consider(lock.expires.map(early));
            }
        }
        next
    }

    /// Takes in a request as it is now.
    pub(crate) fn put_request(&mut self, request: impl Into<Arc<AccessRequest>>) -> Concerns {
        let request = request.into();
        if self.requests.get(&request.id) == Some(&request) {
            return Concerns::Nobody;
        }
        let before = self.remove_request(&request.id);
        let user = request.user.clone();
        self.by_user.entry(user.clone()).or_default().insert(request.id.clone());
        self.requests.insert(request.id.clone(), request);
        before.and(Concerns::User(user))
    }

    /// Forgets a request.
    pub(crate) fn remove_request(&mut self, id: &RequestId) -> Concerns {
        let Some(request) = self.requests.remove(id) else {
            return Concerns::Nobody;
        };
        if let Some(ids) = self.by_user.get_mut(&request.user) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_user.remove(&request.user);
            }
        }
        Concerns::User(request.user.clone())
    }

    /// Takes in a lock as it is now.
    pub(crate) fn put_lock(&mut self, lock: Lock) -> Concerns {
        if self.locks.get(&lock.name) == Some(&lock) {
            return Concerns::Nobody;
        }
        let before = self.remove_lock(&lock.name);
        let concerns = self.concerned_by(&lock);
        match &lock.target.access_request {
            Some(id) => self.locks_by_request.entry(id.clone()).or_default().insert(lock.name.clone()),
            None => self.broad_locks.insert(lock.name.clone()),
        };
        self.locks.insert(lock.name.clone(), lock);
        before.and(concerns)
    }

    /// Forgets a lock.
    pub(crate) fn remove_lock(&mut self, name: &LockName) -> Concerns {
        let Some(lock) = self.locks.remove(name) else {
            return Concerns::Nobody;
        };
        match &lock.target.access_request {
            Some(id) => {
                if let Some(names) = self.locks_by_request.get_mut(id) {
                    names.remove(name);
                    if names.is_empty() {
                        self.locks_by_request.remove(id);
                    }
                }
            }
            None => {
                self.broad_locks.remove(name);
            }
        }
        self.concerned_by(&lock)
    }

    /// Takes in a full list: what is not in it is gone. Of what was learnt `lately` the list may be older.
    pub(crate) fn replace<'a>(&mut self, listing: Listing, lately: impl Iterator<Item = (&'a Object, Learnt)>) {
        let before = std::mem::take(self);
        for request in listing.requests {
            self.put_request(request);
        }
        for lock in listing.locks {
            self.put_lock(lock);
        }
        for (object, learnt) in lately {
            match object {
                Object::Request(id) => self.keep_request(id, before.request(id), learnt),
                // Without the stream the list is believed: locks are read once more before anything stands on them.
                Object::Lock(name) if learnt.streamed => {
                    match before.lock(name) {
                        Some(known) => self.put_lock(known.clone()),
                        None => self.remove_lock(name),
                    };
                }
                Object::Lock(_) => {}
            }
        }
    }

    /// Keeps what was known of a request, unless the list knows better. What is not in the view would be forgotten by
    /// plans, too; so what a list lacks stays, though it may be gone, until the next one.
    fn keep_request(&mut self, id: &RequestId, known: Option<&Arc<AccessRequest>>, learnt: Learnt) {
        match (known, self.request(id)) {
            (Some(known), Some(listed)) if !learnt.streamed && !is_ahead(known, listed) => Concerns::Nobody,
            (Some(known), _) => self.put_request(Arc::clone(known)),
            (None, _) => self.remove_request(id),
        };
    }

    fn concerned_by(&self, lock: &Lock) -> Concerns {
        match (&lock.target.access_request, &lock.target.user) {
            (Some(id), _) => match self.requests.get(id) {
                Some(request) => Concerns::User(request.user.clone()),
                None => Concerns::Nobody,
            },
            (None, Some(user)) => Concerns::User(user.clone()),
            (None, None) => Concerns::Everybody,
        }
    }
}

/// Whether a request was resolved, or reviewed, after it was as `listed`.
fn is_ahead(known: &AccessRequest, listed: &AccessRequest) -> bool {
    let more_reviews = || known.reviews.iter().any(|review| listed.review_by(&review.author).is_none());
    listed.state == RequestState::Pending && (known.state != RequestState::Pending || more_reviews())
}

// === impl Concerns ===

impl Concerns {
    /// Whom two changes together concern.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nobody, other) | (other, Self::Nobody) => other,
            (Self::User(a), Self::User(b)) if a == b => Self::User(a),
            (Self::User(_) | Self::Everybody, Self::User(_) | Self::Everybody) => Self::Everybody,
        }
    }
}

#[cfg(test)]
mod tests;
