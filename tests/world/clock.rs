//! The time of a world: the daemon's and the server's at once. A manual clock stands still until a test moves it; the
//! real one is for tests whose pauses are short. Nothing here waits on its own account.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tribunal_core::Timestamp;
use tribunal_ports::Clock;
use tribunal_sim::SimClock;

/// One time for both sides.
#[derive(Debug)]
pub(crate) struct WorldClock {
    sim: SimClock,
    /// Tells sleepers that a manual clock was moved; none: time passes by itself.
    moved: Option<watch::Sender<Timestamp>>,
    /// How far the daemon's clock is ahead of the server's, in milliseconds.
    daemon_ahead_ms: u64,
}

// === impl WorldClock ===

impl WorldClock {
    pub(crate) fn manual(daemon_ahead: Duration) -> Self {
        let sim = SimClock::manual_from_now();
        let daemon_ahead_ms = u64::try_from(daemon_ahead.as_millis()).unwrap();
        let clock = Self { sim, moved: None, daemon_ahead_ms };
        let (moved, _) = watch::channel(clock.now());
        Self { moved: Some(moved), ..clock }
    }

    pub(crate) fn real() -> Self {
        Self { sim: SimClock::real(), moved: None, daemon_ahead_ms: 0 }
    }

    /// The server's side.
    pub(crate) fn sim(&self) -> SimClock {
        self.sim.clone()
    }

    pub(crate) fn is_manual(&self) -> bool {
        self.moved.is_some()
    }

    /// Moves a manual clock, on both sides.
    pub(crate) fn advance(&self, by: Duration) {
        let moved = self.moved.as_ref().expect("only a manual clock is moved by hand");
        self.sim.advance(by);
        moved.send_replace(self.now());
    }
}

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        let server = u64::try_from(self.sim.now().unix_ms()).unwrap();
        Timestamp::from_millis(server + self.daemon_ahead_ms)
    }

    async fn sleep_until(&self, at: Timestamp) {
        match &self.moved {
            // The sender lives as long as the clock.
            Some(moved) => drop(moved.subscribe().wait_for(|now| *now >= at).await),
            None => tokio::time::sleep_until(Instant::now() + at.since(self.now())).await,
        }
    }
}
