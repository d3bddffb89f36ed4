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

/// Whom many changes concern.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Concerned {
    pub(crate) everybody: bool,
    /// If it is not everybody.
    pub(crate) users: BTreeSet<UserName>,
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

    /// Takes in a request as it is now. Another revision of what it was concerns nobody: it is what our own write made it.
    pub(crate) fn put_request(&mut self, request: impl Into<Arc<AccessRequest>>) -> Concerns {
        let request = request.into();
        if let Some(known) = self.requests.get_mut(&request.id)
            && (Arc::ptr_eq(known, &request) || known.looks_like(&request))
        {
            *known = request;
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

    /// Takes in a full list: what is not in it is gone. Of what was learnt `lately` the list may be older. Only what is new
    /// in it concerns anybody.
    pub(crate) fn replace<'a>(
        &mut self,
        listing: Listing,
        lately: impl Iterator<Item = (&'a Object, Learnt)>,
    ) -> Concerned {
        let lately: BTreeMap<&Object, Learnt> = lately.collect();
        let mut concerned = Concerned::default();
        let mut gone: BTreeSet<RequestId> = self.requests.keys().cloned().collect();
        for request in listing.requests {
            gone.remove(&request.id);
            if !self.knows_better(&request, &lately) {
                concerned.add(self.put_request(request));
            }
        }
        // What is not in the view would be forgotten by plans, too; so what was learnt lately and the list lacks stays, though
        // it may be gone, until the next one.
        gone.retain(|id| !lately.contains_key(&Object::Request(id.clone())));
        gone.iter().for_each(|id| concerned.add(self.remove_request(id)));

        // Without the stream the list is believed: locks are read once more before anything stands on them.
        let is_streamed =
            |name: &LockName| lately.get(&Object::Lock(name.clone())).is_some_and(|learnt| learnt.streamed);
        let mut gone: BTreeSet<LockName> = self.locks.keys().cloned().collect();
        for lock in listing.locks {
            gone.remove(&lock.name);
            if !is_streamed(&lock.name) {
                concerned.add(self.put_lock(lock));
            }
        }
        gone.retain(|name| !is_streamed(name));
        gone.iter().for_each(|name| concerned.add(self.remove_lock(name)));
        concerned
    }

    /// Whether what was learnt of a request lately is not older than this list.
    fn knows_better(&self, listed: &AccessRequest, lately: &BTreeMap<&Object, Learnt>) -> bool {
        let Some(learnt) = lately.get(&Object::Request(listed.id.clone())) else {
            return false;
        };
        // That it is gone is known for good.
        self.request(&listed.id).is_none_or(|known| learnt.streamed || is_ahead(known, listed))
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

// === impl Concerned ===

impl Concerned {
    fn add(&mut self, concerns: Concerns) {
        match concerns {
            Concerns::Nobody => {}
            Concerns::User(user) => drop(self.users.insert(user)),
            Concerns::Everybody => self.everybody = true,
        }
    }
}

#[cfg(test)]
mod tests;
