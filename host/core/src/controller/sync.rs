//! How the view is kept true: full lists as ground truth, the watch stream between them, and law 8: whether the view
//! may be incomplete. It knows nothing about what is in the view.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::action::Event;
use crate::failure::Failure;
use crate::lock::LockName;
use crate::request::RequestId;
use crate::time::Timestamp;

/// The first pause before a failed list is tried again; doubles up to [`LIST_RETRY_MAX`].
const LIST_RETRY_MIN: Duration = Duration::from_millis(500);
/// The longest pause before a failed list is tried again.
const LIST_RETRY_MAX: Duration = Duration::from_secs(15);
/// A list may trail what was written by this long: Teleport serves lists from a cache. Generous; usually it is far less.
const LIST_LAG_MAX: Duration = Duration::from_secs(10);
/// A view without a live watch is too old after this many poll intervals.
const STALE_INTERVALS: u32 = 2;

/// Where synchronization stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sync {
    watching: bool,
    /// The watch is up, and a full list was begun after its INIT: nothing was missed.
    caught_up: bool,
    watch_broke: Option<String>,
    listing: Option<Listing>,
    next_list: Option<Timestamp>,
    last_full: Option<Timestamp>,
    last_failure: Option<Failure>,
    failures: u32,
    /// What we learnt of so lately by other ways that a list may be older.
    lately: BTreeMap<Object, Learnt>,
}

/// What is kept true.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Object {
    Request(RequestId),
    Lock(LockName),
}

/// That an object is known better than by the last list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Learnt {
    at: Timestamp,
    /// The watch has been up ever since: whatever is newer than what is known comes through it.
    pub(crate) streamed: bool,
}

#[derive(Clone, Debug)]
struct Listing {
    begun: Timestamp,
    /// Something happened that makes another list necessary right after this one.
    again: bool,
}

// === impl Sync ===

impl Sync {
    /// After INIT everything is listed: what happened before it is not in the stream.
    pub(crate) fn watch_up(&mut self, now: Timestamp) {
        self.watching = true;
        self.caught_up = false;
        self.watch_broke = None;
        match &mut self.listing {
            Some(listing) => listing.again = true,
            None => self.next_list = Some(now),
        }
    }

    pub(crate) fn watch_down(&mut self, why: String) {
        self.watching = false;
        self.caught_up = false;
        self.watch_broke = Some(why);
        self.lately.values_mut().for_each(|learnt| learnt.streamed = false);
    }

    /// Keeps in mind that what is known of an object may be newer than lists for a while: the watch told it, or we
    /// changed it ourselves.
    pub(crate) fn learn(&mut self, now: Timestamp, object: Object) {
        self.lately.insert(object, Learnt { at: now, streamed: self.watching });
    }

    /// Of what lists need not know how it is.
    pub(crate) fn lately(&self) -> impl Iterator<Item = (&Object, Learnt)> {
        self.lately.iter().map(|(object, learnt)| (object, *learnt))
    }

    /// Whether a list is to be begun now.
    pub(crate) fn begin_list(&mut self, now: Timestamp) -> bool {
        let due = self.listing.is_none() && self.next_list.is_none_or(|at| at <= now);
        if due {
            self.listing = Some(Listing { begun: now, again: false });
            self.lately.retain(|_, learnt| now <= learnt.at.after(LIST_LAG_MAX) && !mutant!(BelieveStaleLists));
        }
        due
    }

    /// A list came in, and is to be taken in but for what is known [lately](Self::lately). False if nobody asked for it.
    pub(crate) fn listed(&mut self, now: Timestamp, poll_interval: Duration) -> bool {
        let Some(listing) = self.listing.take() else {
            return false;
        };
        self.caught_up = self.watching && !listing.again;
        self.last_full = Some(listing.begun);
        self.last_failure = None;
        self.failures = 0;
        self.next_list = Some(if listing.again { now } else { listing.begun.after(poll_interval).max(now) });
        true
    }

    pub(crate) fn list_failed(&mut self, now: Timestamp, failure: Failure) {
        self.listing = None;
        let pause = LIST_RETRY_MIN.saturating_mul(1 << self.failures.min(8)).min(LIST_RETRY_MAX);
        self.failures = self.failures.saturating_add(1);
        self.last_failure = Some(failure);
        self.next_list = Some(now.after(pause));
    }

    pub(crate) fn next_list(&self) -> Option<Timestamp> {
        match self.listing {
            Some(_) => None,
            None => self.next_list,
        }
    }

    pub(crate) fn last_full_list(&self) -> Option<Timestamp> {
        self.last_full
    }

    /// Whether the newest list failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.last_failure.is_some()
    }

    /// Law 8: why the view may be incomplete, if it may.
    pub(crate) fn blind(&self, now: Timestamp, poll_interval: Duration) -> Option<String> {
        if let Some(failure) = &self.last_failure {
            return Some(format!("the full list failed: {failure}"));
        }
        let Some(last_full) = self.last_full else {
            return Some("nothing was listed yet".to_owned());
        };
        if !self.caught_up && now.since(last_full) > poll_interval.saturating_mul(STALE_INTERVALS) {
            let age = now.since(last_full).as_secs();
            if self.watching {
                return Some(format!(
                    "nothing was listed since the watch stream is up again: the last list is {age} s old"
                ));
            }
            let why = self.watch_broke.as_deref().unwrap_or("not up yet");
            return Some(format!("the watch stream is down ({why}) and the last full list is {age} s old"));
        }
        None
    }

    /// When the view becomes too old, if nothing happens until then.
    pub(crate) fn blind_from(&self, poll_interval: Duration) -> Option<Timestamp> {
        let last_full = self.last_full.filter(|_| !self.caught_up && self.last_failure.is_none())?;
        Some(last_full.after(poll_interval.saturating_mul(STALE_INTERVALS)).after(Duration::from_millis(1)))
    }
}

// === impl Object ===

impl Object {
    /// What an event of the watch is about.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::RequestPut(request) => Some(Self::Request(request.id.clone())),
            Event::RequestGone(id) => Some(Self::Request(id.clone())),
            Event::LockPut(lock) => Some(Self::Lock(lock.name.clone())),
            Event::LockGone(name) => Some(Self::Lock(name.clone())),
            Event::Tick
            | Event::WatchUp
            | Event::WatchDown(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => None,
        }
    }
}

#[cfg(test)]
mod tests;
