//! When the daemon is killed: in step with the requests that are made, so that it does not depend on how fast the machine
//! is. It never kills by itself.

use std::time::{Duration, Instant};

use crate::chance::Chance;

/// How long the daemon may take until it is at work, before it is killed all the same.
const AT_WORK_MAX: Duration = Duration::from_secs(60);
/// The longest pause between the moment at which it may be killed and the kill, in milliseconds.
const KILL_AFTER_MS_MAX: u64 = 400;

/// When the daemon is killed.
#[derive(Debug)]
pub(crate) struct Kills {
    chance: Chance,
    /// Numbers of requests; each kill waits for one of them to be made.
    after: Vec<u64>,
    done: usize,
    /// The daemon's changes on the server when it was last started.
    pub(crate) writes_at_start: u64,
    started: Instant,
    /// The moment of the next kill, once it is set.
    at: Option<Instant>,
}

// === impl Kills ===

impl Kills {
    pub(crate) fn new(seed: u64, requests: u64, kills: u64) -> Self {
        let mut chance = Chance::new(seed ^ 0x6b69);
        let after = (0..kills).map(|kill| {
            let (from, to) = (requests * kill / kills, requests * (kill + 1) / kills);
            from + chance.below(to.saturating_sub(from))
        });
        let after = after.collect();
        Self { chance, after, done: 0, writes_at_start: 0, started: Instant::now(), at: None }
    }

    pub(crate) fn are_done(&self) -> bool {
        self.done >= self.after.len()
    }

    /// Whether the daemon is to be killed now. Most kills wait until it is at work, some strike while it starts.
    pub(crate) fn is_due(&mut self, made: u64, writes: u64) -> bool {
        let Some(after) = self.after.get(self.done) else { return false };
        if made < *after {
            return false;
        }
        if let Some(at) = self.at {
            return at <= Instant::now();
        }
        let at_work = writes > self.writes_at_start || self.started.elapsed() > AT_WORK_MAX;
        let while_it_starts = self.done % 5 == 4;
        if at_work || while_it_starts {
            let pause = self.chance.below(if while_it_starts { KILL_AFTER_MS_MAX * 8 } else { KILL_AFTER_MS_MAX });
            self.at = Some(Instant::now() + Duration::from_millis(pause));
        }
        false
    }

    /// It was killed, and begins anew.
    pub(crate) fn began(&mut self, writes: u64) {
        self.done += 1;
        self.at = None;
        self.started = Instant::now();
        self.writes_at_start = writes;
    }
}
