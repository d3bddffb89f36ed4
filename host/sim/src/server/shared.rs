//! The one lock around the cluster, its watchers and its faults. No await happens under it.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::Stop;
use super::watchers::Watchers;
use crate::clock::{Moment, SimClock};
use crate::cluster::{Change, Cluster};
use crate::faults::Faults;
use crate::scenario::Scenario;

/// What all calls share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) clock: SimClock,
    pub(super) stop: Stop,
    /// Cancelled and replaced to cut all connections.
    state: Mutex<State>,
    /// The number of the newest change.
    changed: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    cluster: Cluster,
    watchers: Watchers,
    faults: Faults,
}

impl Shared {
    pub(super) fn new(scenario: &Scenario, clock: SimClock) -> Self {
        let faults = Faults::new(&scenario.faults);
        let now = clock.now().plus_ms(faults.clock_skew_ms());
        let mut cluster = Cluster::new(scenario, now);
        // Nobody watches yet.
        cluster.take_outbox();
        let (changed, _) = watch::channel(cluster.history().last_sequence());
        Self {
            clock,
            stop: Stop::new(),
            state: Mutex::new(State { cluster, watchers: Watchers::default(), faults }),
            changed,
        }
    }

    /// Acts on the cluster at the server's present time, tells watchers what changed, and wakes observers.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut Cluster, Moment) -> R) -> R {
        self.with_watchers(|cluster, _, now| act(cluster, now))
    }

    /// The same, for whoever adds or removes watchers.
    pub(super) fn with_watchers<R>(&self, act: impl FnOnce(&mut Cluster, &mut Watchers, Moment) -> R) -> R {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { cluster, watchers, faults } = &mut *state;
        let now = self.clock.now().plus_ms(faults.clock_skew_ms());
        let result = act(cluster, watchers, now);
        let entries = cluster.take_outbox();
        for entry in &entries {
            watchers.tell(&entry.change);
        }
        if !entries.is_empty() {
            if entries.iter().any(|entry| matches!(entry.change, Change::LockPut(_))) {
                watchers.close_locked(cluster, now);
            }
            self.changed.send_replace(cluster.history().last_sequence());
        }
        result
    }

    pub(super) fn with_faults<R>(&self, act: impl FnOnce(&mut Faults) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner).faults)
    }

    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(super) fn close_watchers(self: &Arc<Self>, status: &tonic::Status) {
        self.with_watchers(|_, watchers, _| watchers.close_all(status));
    }
}
