//! Who holds what, as the daemon last heard of it from the cluster: a view for people. It decides nothing; the
//! controller has a view of its own, which it acts on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Listing};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{AccessRequest, RequestId, RequestState, UserName};

/// How many users [`Holdings::users`] gives at most.
pub const USERS_MAX: usize = 1_000;
/// How many requests of one user are shown at most, the oldest first.
pub const REQUESTS_MAX: usize = 1_000;

/// Requests that are pending or give access, and the locks on them. Requests are shared with the controller's view, as long
/// as both know the same.
#[derive(Clone, Debug, Default)]
pub struct Holdings {
    requests: BTreeMap<UserName, BTreeMap<RequestId, Arc<AccessRequest>>>,
    users: BTreeMap<RequestId, UserName>,
    locks: BTreeMap<LockName, Lock>,
    locks_by_request: BTreeMap<RequestId, BTreeSet<LockName>>,
    broad_locks: BTreeSet<LockName>,
}

/// How many there are of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Requests that wait for a decision.
    pub pending: usize,
    /// Requests that give access now.
    pub held: usize,
    /// Requests that would, if they were not locked.
    pub locked: usize,
    /// Approved requests of which the access starts later.
    pub later: usize,
    /// Requests that were turned into permanent access.
    pub promoted: usize,
    /// Different resources that held requests give access to, counted for each user.
    pub resources: usize,
    /// Users who hold anything.
    pub holders: usize,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It waits for a decision.
    Pending,
    /// It gives access.
    Held,
    /// It would, if it were not locked.
    Locked,
    /// Its access starts later.
    Later,
    /// It was turned into permanent access.
    Promoted,
}

/// Keeps holdings up to date with what comes from the cluster.
#[derive(Debug, Default)]
pub(super) struct Mirror {
    holdings: Arc<Holdings>,
    /// What came while a list is under way: the list may be older.
    meanwhile: Option<Vec<Event>>,
}

// === impl Mirror ===

impl Mirror {
    /// What is known now. It is shared, not copied; what comes later does not change it.
    pub(super) fn snapshot(&self) -> Arc<Holdings> {
        Arc::clone(&self.holdings)
    }

    pub(super) fn list_begins(&mut self) {
        self.meanwhile = Some(Vec::new());
    }

    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::RequestPut(_) | Event::RequestGone(_) | Event::LockPut(_) | Event::LockGone(_) => {
                if let Some(meanwhile) = &mut self.meanwhile {
                    meanwhile.push(event.clone());
                }
                Arc::make_mut(&mut self.holdings).apply(event);
            }
            Event::Tick
            | Event::WatchUp
            | Event::WatchDown(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => {}
        }
    }

    /// What a full list has, which may be older than what came meanwhile; none: it failed.
    pub(super) fn listed(&mut self, listing: Option<&Listing>) {
        let meanwhile = self.meanwhile.take().unwrap_or_default();
        if let Some(listing) = listing {
            let mut holdings = Holdings::of(listing, &self.holdings);
            meanwhile.iter().for_each(|event| holdings.apply(event));
            self.holdings = Arc::new(holdings);
        }
    }
}

// === impl Holdings ===

impl Holdings {
    /// What a full list has. What was known before and is still so is kept, as the controller keeps it.
    fn of(listing: &Listing, before: &Self) -> Self {
        let mut holdings = Self::default();
        for listed in &listing.requests {
            let known = before.requests.get(&listed.user).and_then(|requests| requests.get(&listed.id));
            holdings.put_request(known.filter(|known| *known == listed).unwrap_or(listed));
        }
        listing.locks.iter().for_each(|lock| holdings.put_lock(lock));
        holdings
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::RequestPut(request) => self.put_request(request),
            Event::RequestGone(id) => self.remove_request(id),
            Event::LockPut(lock) => self.put_lock(lock),
            Event::LockGone(name) => self.remove_lock(name),
            Event::Tick
            | Event::WatchUp
            | Event::WatchDown(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => {}
        }
    }

    fn put_request(&mut self, request: &Arc<AccessRequest>) {
        self.remove_request(&request.id);
        match request.state {
            RequestState::Pending | RequestState::Approved | RequestState::Promoted => {}
            RequestState::Denied | RequestState::Unknown => return,
        }
        self.users.insert(request.id.clone(), request.user.clone());
        self.requests.entry(request.user.clone()).or_default().insert(request.id.clone(), Arc::clone(request));
    }

    fn remove_request(&mut self, id: &RequestId) {
        let Some(user) = self.users.remove(id) else { return };
        if let Some(requests) = self.requests.get_mut(&user) {
            requests.remove(id);
            if requests.is_empty() {
                self.requests.remove(&user);
            }
        }
    }

    fn put_lock(&mut self, lock: &Lock) {
        self.remove_lock(&lock.name);
        match &lock.target.access_request {
            Some(id) => self.locks_by_request.entry(id.clone()).or_default().insert(lock.name.clone()),
            None => self.broad_locks.insert(lock.name.clone()),
        };
        self.locks.insert(lock.name.clone(), lock.clone());
    }

    fn remove_lock(&mut self, name: &LockName) {
        let Some(lock) = self.locks.remove(name) else { return };
        self.broad_locks.remove(name);
        if let Some(id) = &lock.target.access_request
            && let Some(names) = self.locks_by_request.get_mut(id)
        {
            names.remove(name);
            if names.is_empty() {
                self.locks_by_request.remove(id);
            }
        }
    }

    /// Users with any request that is pending or gives access at `now`, by name, with what they have: at most
    /// [`USERS_MAX`] of them, and how many are left out.
    #[must_use]
    pub fn users(&self, now: Timestamp) -> (Vec<(UserName, Count)>, usize) {
        let counted = self.requests.keys().map(|user| (user.clone(), self.count_of(user, now)));
        let mut users: Vec<_> = counted.filter(|(_, count)| *count != Count::default()).collect();
        let left_out = users.len().saturating_sub(USERS_MAX);
        users.truncate(USERS_MAX);
        (users, left_out)
    }

    /// The requests of a user that are pending or give access at `now`, oldest first: at most [`REQUESTS_MAX`], and how
    /// many are left out.
    #[must_use]
    pub fn requests_of(&self, user: &UserName, now: Timestamp) -> (Vec<(&AccessRequest, Stand)>, usize) {
        let requests = self.requests.get(user).into_iter().flat_map(BTreeMap::values);
        let mut stands: Vec<(&AccessRequest, _)> =
            requests.filter_map(|request| self.stand(request, now).map(|stand| (request.as_ref(), stand))).collect();
        stands.sort_by(|(a, _), (b, _)| a.age_key().cmp(&b.age_key()));
        let left_out = stands.len().saturating_sub(REQUESTS_MAX);
        stands.truncate(REQUESTS_MAX);
        (stands, left_out)
    }

    /// What all users have together at `now`.
    #[must_use]
    pub fn count(&self, now: Timestamp) -> Count {
        self.requests.keys().fold(Count::default(), |sum, user| sum.and(self.count_of(user, now)))
    }

    /// What a user has at `now`.
    #[must_use]
    pub fn count_of(&self, user: &UserName, now: Timestamp) -> Count {
        let mut count = Count::default();
        let mut resources = BTreeSet::new();
        for request in self.requests.get(user).into_iter().flat_map(BTreeMap::values) {
            match self.stand(request, now) {
                None => {}
                Some(Stand::Pending) => count.pending += 1,
                Some(Stand::Locked) => count.locked += 1,
                Some(Stand::Later) => count.later += 1,
                Some(Stand::Promoted) => count.promoted += 1,
                Some(Stand::Held) => {
                    count.held += 1;
                    resources.extend(
                        request.resources.iter().map(|resource| {
                            (&resource.cluster, &resource.kind, &resource.name, &resource.sub_resource)
                        }),
                    );
                }
            }
        }
        count.resources = resources.len();
        count.holders = usize::from(count.held > 0);
        count
    }

    /// How a request stands at `now`; none: it is over.
    fn stand(&self, request: &AccessRequest, now: Timestamp) -> Option<Stand> {
        match request.state {
            // Permanent access does not end with the request.
            RequestState::Promoted => return Some(Stand::Promoted),
            RequestState::Pending | RequestState::Approved => {}
            RequestState::Denied | RequestState::Unknown => return None,
        }
        if request.is_over(now) {
            return None;
        }
        if request.state == RequestState::Pending {
            return Some(Stand::Pending);
        }
        if !request.is_granted(now) {
            return Some(Stand::Later);
        }
        let named = self.locks_by_request.get(&request.id).into_iter().flatten();
        let locks = named.chain(&self.broad_locks).filter_map(|name| self.locks.get(name));
        Some(if request.is_locked(locks, now) { Stand::Locked } else { Stand::Held })
    }
}

// === impl Count ===

impl Count {
    fn and(self, other: Self) -> Self {
        Self {
            pending: self.pending.saturating_add(other.pending),
            held: self.held.saturating_add(other.held),
            locked: self.locked.saturating_add(other.locked),
            later: self.later.saturating_add(other.later),
            promoted: self.promoted.saturating_add(other.promoted),
            resources: self.resources.saturating_add(other.resources),
            holders: self.holders.saturating_add(other.holders),
        }
    }
}

// === impl Stand ===

impl Stand {
    /// Its name for programs and people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Held => "held",
            Self::Locked => "locked",
            Self::Later => "later",
            Self::Promoted => "promoted",
        }
    }
}
