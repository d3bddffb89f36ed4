//! Follows the identity file, so that people learn in time that it is not renewed. It never hands out what is in it, and
//! renews nothing.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::{error, info, warn};
use tribunal_core::Timestamp;
use tribunal_ports::Clock;
use tribunal_teleport::{Identity, InvalidIdentity};

/// How often the file is looked at, in seconds.
pub const LOOK_SECS: u64 = 60;
/// People are told when less than this is left, in seconds: tbot renews an hour's identity after 20 minutes. Of a shorter
/// life it is a quarter.
pub const LEFT_SECS_MIN: u64 = 600;

/// What was last seen of the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The daemon's Teleport user.
    pub user: String,
    /// When its certificate expires.
    pub expires: Timestamp,
    /// Why the file cannot be used right now; the certificate is that of before.
    pub problem: Option<String>,
}

/// An identity file, and what was seen of it.
#[derive(Debug)]
pub struct IdentityFile {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: Option<Seen>,
    /// What was left of the certificate's life when it was seen first.
    life: Duration,
    told: Option<Told>,
}

/// What people are told of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    /// There is a new certificate.
    Fresh,
    /// It expires soon.
    Soon,
    /// It expired.
    Expired,
    /// The file cannot be used.
    Unusable(String),
}

/// What reading the file gave.
enum Read {
    /// Of this user, until then.
    Good(String, Timestamp),
    /// Expired then.
    Expired(Timestamp, String),
    /// Cannot be used.
    Bad(String),
}

// === impl IdentityFile ===

impl IdentityFile {
    /// The file at this path, which is not looked at yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// What was last seen of it.
    #[must_use]
    pub fn seen(&self) -> Option<Seen> {
        self.state().seen.clone()
    }

    /// Looks at it now, and says in the log what people should know.
    pub async fn look(&self, now: Timestamp) {
        let read = match Identity::load(&self.path).await {
            Ok(identity) => Read::Good(identity.user().to_owned(), timestamp(identity.not_after())),
            Err(error) => {
                let why = error.to_string();
                if let InvalidIdentity::Expired { not_after } = error.problem {
                    Read::Expired(timestamp(not_after), why)
                } else {
                    Read::Bad(why)
                }
            }
        };
        let mut state = self.state();
        if let Some(told) = state.consider(read, now) {
            say(&told, state.seen.as_ref(), now);
        }
    }

    /// Looks at it for ever.
    pub async fn follow(&self, clock: &impl Clock) {
        loop {
            clock.sleep_until(clock.now().after(Duration::from_secs(LOOK_SECS))).await;
            self.look(clock.now()).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn say(told: &Told, seen: Option<&Seen>, now: Timestamp) {
    let user = seen.map_or("", |seen| seen.user.as_str());
    let expires = seen.map_or_else(String::new, |seen| super::report::utc(seen.expires));
    let left_secs = seen.map_or(0, |seen| seen.expires.since(now).as_secs());
    match told {
        Told::Fresh => info!(user, expires, left_secs, "Identity"),
        Told::Soon => warn!(user, expires, left_secs, "The identity expires soon; check that tbot runs and renews it"),
        Told::Expired => error!(user, expires, "The identity expired; check that tbot runs and renews it"),
        Told::Unusable(why) => warn!(%why, expires, left_secs, "The identity file cannot be used; the one before is"),
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since_epoch = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}

// === impl State ===

impl State {
    /// Takes in what was read; returns what people are to be told, each thing once.
    fn consider(&mut self, read: Read, now: Timestamp) -> Option<Told> {
        let before = self.seen.take();
        let seen = match read {
            Read::Good(user, expires) => Some(Seen { user, expires, problem: None }),
            Read::Expired(expires, why) => {
                let user = before.as_ref().map_or_else(String::new, |before| before.user.clone());
                Some(Seen { user, expires, problem: Some(why) })
            }
            Read::Bad(why) => match &before {
                Some(before) => Some(Seen { problem: Some(why), ..before.clone() }),
                None => return self.tell(Told::Unusable(why)),
            },
        };
        let fresh = seen.as_ref().map(|seen| seen.expires) != before.map(|before| before.expires);
        self.seen = seen;
        let seen = self.seen.as_ref()?;
        let left = seen.expires.since(now);
        if fresh {
            self.life = left;
        }
        let soon = Duration::from_secs(LEFT_SECS_MIN).min(self.life / 4);
        let told = match &seen.problem {
            _ if left.is_zero() => Told::Expired,
            Some(why) => Told::Unusable(why.clone()),
            None if left < soon => Told::Soon,
            None if fresh => Told::Fresh,
            // A file that was unusable for a while is good again.
            None => return self.told.take_if(|told| matches!(told, Told::Unusable(_))).map(|_| Told::Fresh),
        };
        if fresh {
            self.told = None;
        }
        self.tell(told)
    }

    fn tell(&mut self, told: Told) -> Option<Told> {
        if self.told.as_ref() == Some(&told) {
            return None;
        }
        self.told = Some(told.clone());
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600;

    fn good(expires: u64) -> Read {
        Read::Good("bot-tribunal".to_owned(), Timestamp::from_secs(expires))
    }

    fn bad() -> Read {
        Read::Bad("does not exist".to_owned())
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn what_is_renewed_in_time_is_told_once_for_each_certificate() {
        let mut state = State::default();
        assert_eq!(state.consider(good(HOUR), at(0)), Some(Told::Fresh));
        assert_eq!(state.consider(good(HOUR), at(60)), None);
        assert_eq!(state.consider(good(2 * HOUR), at(1_200)), Some(Told::Fresh));
        assert_eq!(state.consider(good(2 * HOUR), at(1_260)), None);
    }

    #[test]
    fn what_is_not_renewed_is_told_before_and_when_it_expires() {
        let mut state = State::default();
        assert_eq!(state.consider(good(HOUR), at(0)), Some(Told::Fresh));
        assert_eq!(state.consider(good(HOUR), at(HOUR - LEFT_SECS_MIN)), None);
        assert_eq!(state.consider(good(HOUR), at(HOUR - LEFT_SECS_MIN + 1)), Some(Told::Soon));
        assert_eq!(state.consider(good(HOUR), at(HOUR - 1)), None);
        let expired = || Read::Expired(at(HOUR), "expired".to_owned());
        assert_eq!(state.consider(expired(), at(HOUR)), Some(Told::Expired));
        assert_eq!(state.consider(expired(), at(HOUR + 60)), None);
        assert_eq!(state.seen.as_ref().map(|seen| seen.user.as_str()), Some("bot-tribunal"));
        assert_eq!(state.consider(good(3 * HOUR), at(2 * HOUR)), Some(Told::Fresh), "by itself");
    }

    #[test]
    fn short_lives_are_not_always_nearly_over() {
        let mut state = State::default();
        assert_eq!(state.consider(good(20), at(0)), Some(Told::Fresh));
        assert_eq!(state.consider(good(26), at(6)), Some(Told::Fresh));
        assert_eq!(state.consider(good(26), at(22)), Some(Told::Soon));
    }

    #[test]
    fn a_file_that_is_gone_for_a_while_is_told_and_the_certificate_of_before_counts() {
        let mut state = State::default();
        assert_eq!(state.consider(bad(), at(0)), Some(Told::Unusable("does not exist".to_owned())));
        assert_eq!(state.consider(bad(), at(1)), None);
        assert_eq!(state.consider(good(HOUR), at(2)), Some(Told::Fresh));
        assert_eq!(state.consider(bad(), at(3)), Some(Told::Unusable("does not exist".to_owned())));
        assert_eq!(state.seen.as_ref().map(|seen| seen.expires), Some(at(HOUR)));
        assert_eq!(state.consider(good(HOUR), at(4)), Some(Told::Fresh));
        assert_eq!(state.consider(good(HOUR), at(5)), None);
        assert_eq!(state.consider(bad(), at(HOUR)), Some(Told::Expired));
    }
}
