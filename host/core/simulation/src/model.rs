//! A model of Teleport: requests, locks and the rules by which they change. It never fails by itself; what goes wrong on
//! the way is the schedule's.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Fresh, Listing, Resolution};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{
    AccessRequest, Attributes, Decider, RequestId, RequestKind, RequestState, RequestedResource, Review, UserName,
};

/// The daemon's own user.
pub(crate) const OWN_USER: &str = "bot-tribunal";
/// How long the cache that lists are served from may trail.
pub(crate) const CACHE_LAG: Duration = Duration::from_secs(5);

/// The cluster.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) requests: BTreeMap<RequestId, Arc<AccessRequest>>,
    pub(crate) locks: BTreeMap<LockName, Arc<Lock>>,
    /// What watchers are still to be told.
    pub(crate) news: Vec<Event>,
    /// What was there before, and until when.
    history: VecDeque<(Timestamp, Past)>,
    revision: u64,
    /// Counts changes and reads, so that "before" and "after" can be told.
    clock: u64,
    /// When a person last changed, and when the daemon last read.
    pub(crate) changed: BTreeMap<String, u64>,
    pub(crate) reread: BTreeMap<String, u64>,
    /// Requests that give access because a person (or time, on a person's word) made it so, and that the daemon did
    /// not read since.
    pub(crate) by_people: BTreeSet<RequestId>,
    /// How many approving reviews approve; 0 is 1.
    pub(crate) approvals_needed: usize,
}

type Past = (BTreeMap<RequestId, Arc<AccessRequest>>, BTreeMap<LockName, Arc<Lock>>);

// === impl World ===

impl World {
    pub(crate) fn own_user() -> UserName {
        UserName::new(OWN_USER)
    }

    /// A pending request of `user`.
    pub(crate) fn request(&self, id: &str, user: &str, role: &str, resources: &[&str]) -> AccessRequest {
        AccessRequest {
            id: RequestId::new(id),
            revision: String::new(),
            user: UserName::new(user),
            state: RequestState::Pending,
            kind: RequestKind::ShortTerm,
            roles: vec![role.to_owned()],
            resources: resources.iter().map(|name| node(name)).collect(),
            reason: String::new(),
            created: self.now,
            access_starts: None,
            access_expires: Some(self.now.after(Duration::from_secs(8 * 3_600))),
            request_expires: Some(self.now.after(Duration::from_secs(4 * 3_600))),
            decided_by: Decider::Nobody,
            decision: None,
            resolve_reason: String::new(),
            reviews: Vec::new(),
            suggested_reviewers: Vec::new(),
            annotations: Attributes::new(),
        }
    }

    pub(crate) fn put_request(&mut self, mut request: AccessRequest) {
        self.remember();
        self.revision += 1;
        request.revision = self.revision.to_string();
        self.news.push(Event::RequestPut(Arc::new(request.clone())));
        self.requests.insert(request.id.clone(), Arc::new(request));
    }

    pub(crate) fn drop_request(&mut self, id: &RequestId) {
        self.remember();
        if self.requests.remove(id).is_some() {
            self.news.push(Event::RequestGone(id.clone()));
        }
    }

    pub(crate) fn put_lock(&mut self, lock: Lock) {
        self.remember();
        self.news.push(Event::LockPut(Box::new(lock.clone())));
        self.locks.insert(lock.name.clone(), Arc::new(lock));
    }

    pub(crate) fn drop_lock(&mut self, name: &LockName) {
        self.remember();
        if self.locks.remove(name).is_some() {
            self.news.push(Event::LockGone(name.clone()));
        }
    }

    /// `SetAccessRequestState`: a denial is final, everything else can be overwritten.
    pub(crate) fn set_state(
        &mut self,
        id: &RequestId,
        approve: bool,
        ours: Option<&Resolution>,
    ) -> Result<(), Failure> {
        let settle = |detail: &str| Failure::new(FailureClass::Settle, detail);
        let Some(mut request) = self.requests.get(id).map(|it| AccessRequest::clone(it)) else {
            return Err(settle("access request not found"));
        };
        if request.state == RequestState::Denied && approve {
            return Err(settle("cannot set request-state (already denied)"));
        }
        request.state = if approve { RequestState::Approved } else { RequestState::Denied };
        request.decided_by = if ours.is_some() { Decider::Tribunal } else { Decider::Person };
        request.decision = ours.map(|resolution| resolution.decision.as_str().to_owned());
        request.resolve_reason = ours.map(|resolution| resolution.reason.clone()).unwrap_or_default();
        if approve {
            request.request_expires = request.access_expires;
        }
        self.put_request(request);
        Ok(())
    }

    /// Every request there is.
    pub(crate) fn requests(&self) -> impl Iterator<Item = &AccessRequest> {
        self.requests.values().map(AsRef::as_ref)
    }

    /// Every lock there is.
    pub(crate) fn locks(&self) -> impl Iterator<Item = &Lock> {
        self.locks.values().map(AsRef::as_ref)
    }

    /// `SubmitAccessReview`: one review of each, while the request is pending; one denial denies, and as many approvals
    /// approve as are needed.
    pub(crate) fn review(&mut self, id: &RequestId, author: &str, approve: bool, reason: &str) -> Result<(), Failure> {
        let settle = |detail: &str| Failure::new(FailureClass::Settle, detail);
        let Some(mut request) = self.requests.get(id).map(|it| AccessRequest::clone(it)) else {
            return Err(settle("access request not found"));
        };
        if request.reviews.iter().any(|review| review.author.as_str() == author) {
            return Err(settle("has already reviewed this request"));
        }
        if request.state != RequestState::Pending {
            return Err(settle("the access request has already been resolved"));
        }
        let state = if approve { RequestState::Approved } else { RequestState::Denied };
        let (author, reason) = (UserName::new(author), reason.to_owned());
        request.reviews.push(Review { author, state, reason: reason.clone(), created: self.now });
        let voices: Vec<_> = request.reviews.iter().filter(|review| review.state == state).collect();
        if !approve || voices.len() >= self.approvals_needed.max(1) {
            let by_people = voices.iter().any(|review| review.author.as_str() != OWN_USER);
            request.state = state;
            request.decided_by = if by_people { Decider::Person } else { Decider::Tribunal };
            request.resolve_reason = reason;
            request.request_expires = request.access_expires;
        }
        self.put_request(request);
        Ok(())
    }

    /// Whether a pending request has our approving review, so that people may complete it at any time.
    pub(crate) fn has_our_yes(request: &AccessRequest) -> bool {
        let yes = |it: &Review| it.author.as_str() == OWN_USER && it.state == RequestState::Approved;
        request.state == RequestState::Pending && request.reviews.iter().any(yes)
    }

    /// All that what comes next depends on, as text.
    pub(crate) fn write_state(&self, to: &mut impl fmt::Write) -> fmt::Result {
        let Self { now, requests, locks, news, by_people, .. } = self;
        let unread: Vec<_> = self.changed.keys().filter(|what| self.changed_since_read(what)).collect();
        write!(to, "{now:?} {requests:?} {locks:?} {news:?} {by_people:?} {unread:?}")
    }

    /// Everything, as the backend has it.
    pub(crate) fn listing(&self) -> Listing {
        listing(&self.requests, &self.locks)
    }

    /// Everything, as a cache may have it that trails by the choice of `pick`.
    pub(crate) fn cached(&self, pick: impl FnOnce(usize) -> usize) -> Listing {
        let recent = self.history.iter().rev().take_while(|(until, _)| until.after(CACHE_LAG) >= self.now).count();
        match pick(recent + 1) {
            0 => self.listing(),
            back => {
                let (requests, locks) = &self.history[self.history.len() - back].1;
                listing(requests, locks)
            }
        }
    }

    /// From here on no list is older than now.
    pub(crate) fn catch_up(&mut self) {
        self.history.clear();
    }

    /// Reads by id, from the backend.
    pub(crate) fn read(&mut self, requests: &[RequestId], locks: &[LockName]) -> Fresh {
        self.clock += 1;
        for id in requests {
            self.reread.insert(id.as_str().to_owned(), self.clock);
            self.by_people.remove(id);
        }
        for name in locks {
            self.reread.insert(name.as_str().to_owned(), self.clock);
        }
        Fresh {
            requests: requests.iter().map(|id| self.requests.get(id).map(|it| AccessRequest::clone(it))).collect(),
            locks: locks.iter().map(|name| self.locks.get(name).map(|it| Lock::clone(it))).collect(),
        }
    }

    /// What a person does, with everything that follows from it for who has access.
    pub(crate) fn by_person(&mut self, what: &str, act: impl FnOnce(&mut Self)) {
        let (before, locked_before) = (self.usable(), self.covered());
        act(self);
        self.clock += 1;
        self.changed.insert(what.to_owned(), self.clock);
        let (after, locked_after) = (self.usable(), self.covered());
        self.by_people.extend(after.difference(&before).cloned());
        self.by_people.extend(locked_before.difference(&locked_after).map(|(id, _)| id.clone()));
    }

    /// A person's review. Unlike what else people do it is foreseen where it completes what our review began: then
    /// nothing is excused.
    pub(crate) fn reviewed_by_person(&mut self, id: &RequestId, author: &str, approve: bool) -> Result<(), Failure> {
        if self.requests.get(id).is_some_and(|it| Self::has_our_yes(it)) {
            let done = self.review(id, author, approve, "a person's words");
            self.clock += 1;
            self.changed.insert(id.as_str().to_owned(), self.clock);
            return done;
        }
        let mut done = Ok(());
        self.by_person(id.as_str(), |world| done = world.review(id, author, approve, "a person's words"));
        done
    }

    /// Whether a person changed this since the daemon last read it.
    pub(crate) fn changed_since_read(&self, what: &str) -> bool {
        self.changed.get(what) > self.reread.get(what)
    }

    /// Requests that give access right now.
    pub(crate) fn usable(&self) -> BTreeSet<RequestId> {
        let usable = self.requests().filter(|it| it.is_granted(self.now) && !self.is_locked(it));
        usable.map(|it| it.id.clone()).collect()
    }

    /// Which lock takes away the access of which request.
    fn covered(&self) -> BTreeSet<(RequestId, LockName)> {
        let locks = self.locks().filter(|lock| lock.in_force(self.now));
        let pairs = locks.flat_map(|lock| self.requests().map(move |it| (it, lock)));
        let on = pairs.filter(|(it, lock)| lock.covers(it));
        on.map(|(it, lock)| (it.id.clone(), lock.name.clone())).collect()
    }

    pub(crate) fn is_locked(&self, request: &AccessRequest) -> bool {
        request.is_locked(self.locks(), self.now)
    }

    /// The server removes what is over.
    pub(crate) fn sweep(&mut self) {
        let over: Vec<_> = self.requests().filter(|it| it.is_over(self.now)).map(|it| it.id.clone()).collect();
        over.iter().for_each(|id| self.drop_request(id));
        let over: Vec<_> = self.locks().filter(|it| !it.in_force(self.now)).map(|it| it.name.clone()).collect();
        over.iter().for_each(|name| self.drop_lock(name));
    }

    fn remember(&mut self) {
        self.history.push_back((self.now, (self.requests.clone(), self.locks.clone())));
        if self.history.len() > 4 {
            self.history.pop_front();
        }
    }
}

fn listing(requests: &BTreeMap<RequestId, Arc<AccessRequest>>, locks: &BTreeMap<LockName, Arc<Lock>>) -> Listing {
    Listing {
        requests: requests.values().cloned().collect(),
        locks: locks.values().map(|it| Lock::clone(it)).collect(),
    }
}

/// A node as a requested resource.
pub(crate) fn node(name: &str) -> RequestedResource {
    RequestedResource {
        cluster: "c".to_owned(),
        kind: "node".to_owned(),
        name: name.to_owned(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    }
}
