//! Compares the server's clock with ours by what passes through the client anyway.
//!
//! Must never make a call of its own, nor take a time for the server's that somebody else may have chosen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};
use tribunal_core::Timestamp;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::AccessRequest;
use tribunal_proto::types;

use crate::convert;
use crate::skew::{Apart, Bounds, Skew};

/// Locks of ours that were written and not read since; of more than these the oldest are forgotten.
const WRITTEN_LOCKS_MAX: usize = 1_024;

/// Compares clocks. Without a clock of ours it does nothing.
#[derive(Default)]
pub(crate) struct Timing {
    now: Option<Box<dyn Fn() -> Timestamp + Send + Sync>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bounds: Bounds,
    written: BTreeMap<LockName, Written>,
    /// People were told that the clocks are apart.
    told: bool,
}

/// A lock as we wrote it. Its message names a decision, so that no other write of it is the same.
#[derive(Debug)]
struct Written {
    sent: Timestamp,
    message: String,
    expires: Option<Timestamp>,
}

// === impl Timing ===

impl Timing {
    pub(crate) fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { now: Some(Box::new(now)), state: Mutex::default() }
    }

    /// What is known now.
    pub(crate) fn skew(&self) -> Skew {
        self.now().map_or_else(Skew::default, |now| self.state().bounds.skew(now))
    }

    /// Our time before a call.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.now.as_ref().map(|now| now())
    }

    /// These requests came in. The server sets when they were created (`lib/auth/auth.go`, `CreateAccessRequestV2`).
    pub(crate) fn saw<'a>(&self, requests: impl IntoIterator<Item = &'a AccessRequest>) {
        let Some(now) = self.now() else { return };
        if let Some(newest) = requests.into_iter().map(|request| request.created).max() {
            let mut state = self.state();
            state.bounds.seen(newest, now);
            state.tell(now);
        }
    }

    /// The server took this lock, which was sent at `sent` and leaves open when it was created.
    pub(crate) fn wrote(&self, lock: &Lock, sent: Option<Timestamp>) {
        let Some(sent) = sent else { return };
        let mut state = self.state();
        let written = Written { sent, message: lock.message.clone(), expires: lock.expires };
        state.written.insert(lock.name.clone(), written);
        if state.written.len() > WRITTEN_LOCKS_MAX {
            let oldest = state.written.iter().min_by_key(|(_, written)| written.sent).map(|(name, _)| name.clone());
            oldest.and_then(|name| state.written.remove(&name));
        }
    }

    /// This lock was read, and `made` is when it was created, as the server says.
    pub(crate) fn read(&self, lock: &Lock, made: Option<Timestamp>) {
        let (Some(now), Some(made)) = (self.now(), made) else { return };
        let mut state = self.state();
        // One that somebody else wrote since keeps what they said, which need not be the server's time.
        let Some(Written { sent, message, expires }) = state.written.remove(&lock.name) else { return };
        if message == lock.message && expires == lock.expires {
            state.bounds.answered(made, sent, now);
            state.tell(now);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When a lock was created, as the server says.
pub(crate) fn created_at(lock: &types::LockV2) -> Option<Timestamp> {
    convert::timestamp(lock.spec.as_ref()?.created_at.as_ref())
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timing").field("state", &self.state).finish_non_exhaustive()
    }
}

// === impl State ===

impl State {
    /// Says once that the clocks are apart, and once that they need not be any more.
    fn tell(&mut self, now: Timestamp) {
        match self.news(now) {
            None => {}
            Some(Some(apart)) => warn!(%apart, "The clocks of this machine and of the Auth server differ"),
            Some(None) => info!("The clocks of this machine and of the Auth server need not differ any more"),
        }
    }

    /// What people were not told yet.
    fn news(&mut self, now: Timestamp) -> Option<Option<Apart>> {
        let apart = self.bounds.skew(now).apart();
        let told = std::mem::replace(&mut self.told, apart.is_some());
        (told != apart.is_some()).then_some(apart)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    use tribunal_core::lock::LockTarget;
    use tribunal_core::request::RequestId;

    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    fn timing() -> (Timing, Arc<AtomicU64>) {
        let secs = Arc::new(AtomicU64::new(NOW));
        let clock = Arc::clone(&secs);
        (Timing::new(move || at(clock.load(Ordering::Relaxed))), secs)
    }

    fn lock(message: &str) -> Lock {
        Lock {
            name: LockName::new("tribunal-r"),
            target: LockTarget::access_request(RequestId::new("r")),
            message: message.to_owned(),
            expires: Some(at(NOW + 3_600)),
            created_by: String::new(),
        }
    }

    #[test]
    fn people_are_told_once_that_the_clocks_are_apart_and_once_that_they_are_not() {
        let mut state = State::default();
        state.bounds.seen(at(NOW + 10), at(NOW));
        assert_eq!(state.news(at(NOW)), Some(Some(Apart::Behind(Duration::from_secs(10)))));
        state.bounds.seen(at(NOW + 20), at(NOW));
        assert_eq!(state.news(at(NOW)), None);
        state.bounds.answered(at(NOW + 1), at(NOW + 1), at(NOW + 1));
        assert_eq!(state.news(at(NOW + 1)), Some(None));
        assert_eq!(state.news(at(NOW + 1)), None);
    }

    #[test]
    fn a_lock_that_we_wrote_and_read_back_tells_both_bounds() {
        let (timing, secs) = timing();
        timing.wrote(&lock("decision 1"), timing.now());
        secs.store(NOW + 1, Ordering::Relaxed);
        timing.read(&lock("decision 1"), Some(at(NOW - 99)));
        assert_eq!(timing.skew(), Skew { at_least_ms: Some(-100_000), at_most_ms: Some(-98_999) });
    }

    #[test]
    fn a_lock_that_is_not_the_one_we_wrote_tells_nothing() {
        let (timing, _secs) = timing();
        timing.read(&lock("decision 1"), Some(at(NOW - 99)));
        timing.wrote(&lock("decision 2"), timing.now());
        timing.read(&lock("decision 1"), Some(at(NOW - 99)));
        assert_eq!(timing.skew(), Skew::default());
        timing.wrote(&lock("decision 3"), timing.now());
        timing.read(&lock("decision 3"), None);
        assert_eq!(timing.skew(), Skew::default(), "a server that does not say when");
    }

    #[test]
    fn locks_that_are_never_read_back_take_no_room_for_ever() {
        let (timing, secs) = timing();
        for number in 0..WRITTEN_LOCKS_MAX + 10 {
            secs.fetch_add(1, Ordering::Relaxed);
            let name = LockName::new(format!("tribunal-{number}"));
            timing.wrote(&Lock { name, ..lock("m") }, timing.now());
        }
        let state = timing.state();
        assert_eq!(state.written.len(), WRITTEN_LOCKS_MAX);
        assert!(!state.written.contains_key(&LockName::new("tribunal-0")));
    }

    #[test]
    fn without_a_clock_nothing_is_measured() {
        let timing = Timing::default();
        timing.wrote(&lock("m"), timing.now());
        timing.read(&lock("m"), Some(at(NOW)));
        assert_eq!(timing.skew(), Skew::default());
        assert!(timing.state().written.is_empty());
    }
}
