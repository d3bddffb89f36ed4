//! How the view is kept true: full lists as ground truth, the watch stream between them, and law 8: whether the view
//! may be incomplete. It knows nothing about what is in the view.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::action::Event;
use crate::failure::Failure;
use crate::request::{AccessRequest, RequestId};
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
    /// Watch events that came while a list is under way: the list may be older than they are.
    listing: Option<Listing>,
    next_list: Option<Timestamp>,
    last_full: Option<Timestamp>,
    last_failure: Option<Failure>,
    failures: u32,
    /// What we resolved ourselves and a list may not know yet, with the time of it.
    resolved: BTreeMap<RequestId, (Timestamp, AccessRequest)>,
}

#[derive(Clone, Debug)]
struct Listing {
    begun: Timestamp,
    meanwhile: Vec<Event>,
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
    }

    /// Keeps a watch event in mind that comes while a list is under way.
    pub(crate) fn remember(&mut self, event: &Event) {
        if let Event::RequestGone(id) = event {
            self.resolved.remove(id);
        }
        if let Some(listing) = &mut self.listing {
            listing.meanwhile.push(event.clone());
        }
    }

    /// Whether a list is to be begun now.
    pub(crate) fn begin_list(&mut self, now: Timestamp) -> bool {
        let due = self.listing.is_none() && self.next_list.is_none_or(|at| at <= now);
        if due {
            self.listing = Some(Listing { begun: now, meanwhile: Vec::new(), again: false });
        }
        due
    }

    /// Keeps in mind that we resolved a request: a list may be older than that.
    pub(crate) fn remember_resolved(&mut self, now: Timestamp, request: AccessRequest) {
        if !mutant!(BelieveStaleLists) {
            self.resolved.insert(request.id.clone(), (now, request));
        }
    }

    /// What we resolved ourselves so lately that lists need not know it.
    pub(crate) fn resolved_lately(&self) -> impl Iterator<Item = &AccessRequest> {
        self.resolved.values().map(|(_, request)| request)
    }

    /// A list came in; returns what happened since it was begun. None if nobody asked for it.
    pub(crate) fn listed(&mut self, now: Timestamp, poll_interval: Duration) -> Option<Vec<Event>> {
        let listing = self.listing.take()?;
        self.caught_up = self.watching && !listing.again;
        self.resolved.retain(|_, (at, _)| listing.begun <= at.after(LIST_LAG_MAX));
        self.last_full = Some(listing.begun);
        self.last_failure = None;
        self.failures = 0;
        self.next_list = Some(if listing.again { now } else { listing.begun.after(poll_interval).max(now) });
        Some(listing.meanwhile)
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

#[cfg(test)]
mod tests;
