//! Follows how long the daemon's identity is still good for, so that people learn in time that it is not renewed. It never
//! hands out what is in it, and renews nothing: the client does.

pub mod wait;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;
use tracing::{error, info, warn};
use tribunal_core::Timestamp;
use tribunal_ports::Clock;
use tribunal_teleport::Held;

/// How often its end is looked at, in seconds, whether or not the file changes.
pub const LOOK_SECS: u64 = 10;
/// What is left when people should have been told, in seconds: tbot renews an hour's identity after 20 minutes.
pub const LEFT_SECS_MIN: u64 = 600;
/// When people are told, in seconds before the end. Only what is at most a quarter of its whole life counts; of lives that
/// are too short for all of them, the quarter itself does.
pub const TOLD_SECS: [u64; 5] = [7 * 24 * 3_600, 24 * 3_600, 3_600, LEFT_SECS_MIN, 60];
/// How much earlier than it was issued a certificate begins, in seconds (`lib/tlsca/ca.go`): no part of its life.
const BACKDATED_SECS: u64 = 60;

/// What was last seen of the identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The daemon's Teleport user.
    pub user: String,
    /// When its certificate begins.
    pub begins: Timestamp,
    /// When its certificate expires.
    pub expires: Timestamp,
    /// How many identities followed the first.
    pub renewals: u64,
    /// Why the file cannot be used right now; the certificate is that of before.
    pub problem: Option<String>,
}

/// The life of a client's identity.
#[derive(Debug)]
pub struct IdentityLife {
    held: watch::Receiver<Held>,
    state: Mutex<State>,
}

/// What people were told.
#[derive(Debug, Default)]
struct State {
    /// The identity that the rest is about: how many followed the first.
    of: Option<u64>,
    /// The least that was said to be left of it.
    left: Option<Duration>,
    problem: Option<String>,
}

/// What people are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// There is a new certificate.
    Fresh,
    /// It expires within this time.
    Soon(Duration),
    /// It expired.
    Expired,
    /// The file cannot be used.
    Unusable(String),
    /// The file is again what it was.
    Usable,
}

// === impl Seen ===

impl Seen {
    /// What there is to see of an identity.
    #[must_use]
    pub fn of(held: &Held) -> Self {
        let Held { identity, renewals, problem } = held;
        Self {
            user: identity.user().to_owned(),
            begins: timestamp(identity.not_before()),
            expires: timestamp(identity.not_after()),
            renewals: *renewals,
            problem: problem.clone(),
        }
    }

    /// What is left at `now`.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Duration {
        self.expires.since(now)
    }

    /// At what is left people are told; most first.
    fn thresholds(&self) -> Vec<Duration> {
        let life = self.expires.since(self.begins).saturating_sub(Duration::from_secs(BACKDATED_SECS));
        let quarter = life / 4;
        let fixed = TOLD_SECS.map(Duration::from_secs).into_iter().filter(|left| *left <= quarter);
        let fixed: Vec<Duration> = fixed.collect();
        if fixed.is_empty() { vec![quarter] } else { fixed }
    }

    /// When people are told next, after `now`; never, if it has expired.
    fn next_told(&self, now: Timestamp) -> Timestamp {
        let told = self.thresholds().into_iter().chain([Duration::ZERO]).map(|left| self.expires.before(left));
        told.filter(|at| *at > now).min().unwrap_or(Timestamp::from_millis(u64::MAX))
    }
}

// === impl IdentityLife ===

impl IdentityLife {
    /// That of whatever is held there.
    #[must_use]
    pub fn new(held: watch::Receiver<Held>) -> Self {
        Self { held, state: Mutex::default() }
    }

    /// How it stands.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen::of(&self.held.borrow())
    }

    /// Looks at it now, and says in the log what people should know.
    pub fn look(&self, now: Timestamp) {
        let seen = self.seen();
        let told = self.state().consider(&seen, now);
        told.iter().for_each(|told| say(told, &seen, now));
    }

    /// Looks at it for ever: when it changes, and now and then.
    pub async fn follow(&self, clock: &impl Clock) {
        let mut held = self.held.clone();
        loop {
            let now = clock.now();
            self.look(now);
            let next = self.seen().next_told(now).min(now.after(Duration::from_secs(LOOK_SECS)));
            let pause = clock.sleep_until(next);
            tokio::select! {
                () = pause => {}
                Ok(()) = held.changed() => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(told: &Told, seen: &Seen, now: Timestamp) {
    let Seen { user, begins: _, expires, renewals, problem: _ } = seen;
    let (expires, left_secs) = (super::report::utc(*expires), seen.left(now).as_secs());
    match told {
        Told::Fresh => info!(user, expires, left_secs, renewals, "Identity"),
        Told::Soon(_) => {
            warn!(user, expires, left_secs, "The identity expires soon; check that tbot runs and renews it")
        }
        Told::Expired => error!(
            user,
            expires,
            "The identity expired; nothing is decided until a fresh one is in its file: check that tbot runs and renews it"
        ),
        Told::Unusable(why) => warn!(why, expires, left_secs, "The identity file cannot be used; the one before is"),
        Told::Usable => info!(user, expires, left_secs, "The identity file is whole again"),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

// === impl State ===

impl State {
    /// Takes in how it stands; returns what people are to be told, each thing once.
    fn consider(&mut self, seen: &Seen, now: Timestamp) -> Vec<Told> {
        let mut told = Vec::new();
        let left = seen.left(now);
        if self.of.replace(seen.renewals) != Some(seen.renewals) {
            self.left = None;
            self.problem = None;
            told.push(Told::Fresh);
        }
        let due = seen.thresholds().into_iter().chain([Duration::ZERO]).filter(|threshold| left <= *threshold).min();
        if let Some(due) = due.filter(|due| self.left.is_none_or(|told| *due < told)) {
            self.left = Some(due);
            told.push(if due.is_zero() { Told::Expired } else { Told::Soon(due) });
        }
        if self.problem != seen.problem {
            self.problem.clone_from(&seen.problem);
            told.push(seen.problem.clone().map_or(Told::Usable, Told::Unusable));
        }
        told
    }
}

#[cfg(test)]
mod tests;
