//! Who had access, from when to when, as far as the ledger knows: what the daemon gave, and what it locked. It never counts
//! what others gave.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use tribunal_core::Timestamp;

use super::row::Request;
use crate::schema::Time;

/// A request that the daemon approved, and whose access is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Whose.
    pub user: String,
    /// The request.
    pub request: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its resources, as `/cluster/kind/name`.
    pub resources: Vec<String>,
    /// Since when.
    pub since: Time,
    /// Until when; none: that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
    /// Whether it is locked.
    pub locked: bool,
}

/// Milliseconds of access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hours {
    /// What was asked for, from the asking to the end of the access.
    pub asked_ms: u64,
    /// What was given by the daemon, until now or its end.
    pub given_ms: u64,
    /// What of it was usable: without the time that it was locked.
    pub held_ms: u64,
}

struct Access {
    user: String,
    roles: Vec<String>,
    resources: Vec<String>,
    asked: Timestamp,
    starts: Option<Timestamp>,
    ends: Option<Timestamp>,
    given: Option<Timestamp>,
    locks: BTreeMap<String, Timestamp>,
    locked_since: Option<Timestamp>,
    locked_ms: u64,
}

/// All accesses that are not over.
pub(super) struct Accesses {
    since: Option<Timestamp>,
    by_request: HashMap<String, Access>,
    request_of: HashMap<String, String>,
    over: Hours,
}

// === impl Accesses ===

impl Accesses {
    /// Time before `since` does not count.
    pub(super) fn new(since: Option<Timestamp>) -> Self {
        Self { since, by_request: HashMap::new(), request_of: HashMap::new(), over: Hours::default() }
    }

    pub(super) fn asked(&mut self, at: Timestamp, user: String, request: Request) {
        let Request { id, roles, resources, created, access_starts, access_expires } = request;
        let ends = access_expires.map(Into::into);
        let access = self.by_request.entry(id).or_insert_with(|| Access {
            user,
            roles,
            resources: resources.iter().map(|it| format!("/{}/{}/{}", it.cluster, it.kind, it.name)).collect(),
            asked: Timestamp::from(created).min(at),
            starts: access_starts.map(Into::into),
            ends: None,
            given: None,
            locks: BTreeMap::new(),
            locked_since: None,
            locked_ms: 0,
        });
        access.ends = ends.or(access.ends);
    }

    pub(super) fn given(&mut self, at: Timestamp, request: &str) {
        if let Some(access) = self.by_request.get_mut(request) {
            let begins = access.starts.map_or(at, |starts| starts.max(at));
            access.given = access.given.or(Some(begins));
        }
    }

    pub(super) fn locked(&mut self, at: Timestamp, lock: &str, request: &str) {
        if let Some(access) = self.by_request.get_mut(request) {
            access.locks.insert(lock.to_owned(), at);
            access.locked_since = access.locked_since.or(Some(at));
            self.request_of.insert(lock.to_owned(), request.to_owned());
        }
    }

    pub(super) fn unlocked(&mut self, at: Timestamp, lock: &str) {
        let Some(request) = self.request_of.remove(lock) else { return };
        let begin = self.since;
        if let Some(access) = self.by_request.get_mut(&request) {
            access.locks.remove(lock);
            if access.locks.is_empty() {
                let since = access.locked_since.take();
                access.locked_ms = access.locked_ms.saturating_add(since.map_or(0, |since| span(begin, since, at)));
            }
        }
    }

    /// Adds up what is over, and forgets it.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let (since, over) = (self.since, &mut self.over);
        self.by_request.retain(|_, access| {
            let is_over = access.ends.is_some_and(|ends| ends <= now);
            if is_over {
                over.add(access.hours(since, now));
            }
            !is_over
        });
        let by_request = &self.by_request;
        self.request_of.retain(|_, request| by_request.contains_key(request));
    }

    /// What is held at the end, by user and request, and all hours.
    pub(super) fn end(mut self, end: Timestamp) -> (Vec<Held>, Hours) {
        self.sweep(end);
        let (mut held, mut hours) = (Vec::new(), self.over);
        for (request, access) in self.by_request {
            hours.add(access.hours(self.since, end));
            let Some(given) = access.given.filter(|given| *given <= end) else { continue };
            held.push(Held {
                user: access.user,
                request,
                roles: access.roles,
                resources: access.resources,
                since: given.into(),
                until: access.ends.map(Into::into),
                locked: !access.locks.is_empty(),
            });
        }
        held.sort_by(|a, b| (&a.user, &a.request).cmp(&(&b.user, &b.request)));
        (held, hours)
    }
}

fn span(since: Option<Timestamp>, from: Timestamp, to: Timestamp) -> u64 {
    let from = since.map_or(from, |since| from.max(since));
    to.as_millis().saturating_sub(from.as_millis())
}

// === impl Access ===

impl Access {
    /// As of `now`, or its own end.
    fn hours(&self, since: Option<Timestamp>, now: Timestamp) -> Hours {
        let end = self.ends.map_or(now, |ends| ends.min(now));
        let asked_ms = span(since, self.asked, self.ends.unwrap_or(end));
        let Some(given) = self.given else { return Hours { asked_ms, ..Hours::default() } };
        let given_ms = span(since, given, end);
        let still = self.locked_since.map_or(0, |locked| span(since, locked.max(given), end));
        let held_ms = given_ms.saturating_sub(self.locked_ms.saturating_add(still));
        Hours { asked_ms, given_ms, held_ms }
    }
}

// === impl Hours ===

impl Hours {
    const fn add(&mut self, other: Self) {
        self.asked_ms = self.asked_ms.saturating_add(other.asked_ms);
        self.given_ms = self.given_ms.saturating_add(other.given_ms);
        self.held_ms = self.held_ms.saturating_add(other.held_ms);
    }
}
