//! Law 9: how much one round may do, so that a bad policy cannot lock everybody out before somebody looks. It counts and
//! says stop; it undoes nothing, and only an operator lets it go on.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::request::UserName;
use crate::time::Timestamp;

/// What one round, a poll interval, may do at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundLimits {
    /// Locks written, locks deleted and requests resolved.
    pub actions_max: usize,
    /// Of all subjects with requests, how many of a hundred may lose access that they hold without asking for more.
    pub locked_percent_max: usize,
    /// So many subjects may in any case.
    pub locked_subjects_min: usize,
}

/// What has been done in the round, and whether that was too much.
#[derive(Clone, Debug, Default)]
pub(crate) struct Breaker {
    began: Timestamp,
    actions: usize,
    locked: BTreeSet<UserName>,
    tripped: Option<String>,
    /// An operator let it go on: the limits do not count until a round stays within them.
    lifted: bool,
}

/// What a plan would do.
pub(crate) struct Load<'a> {
    pub(crate) actions: usize,
    /// Who would lose access that they hold, without having asked for more.
    pub(crate) locks: Option<&'a UserName>,
}

// === impl RoundLimits ===

impl Default for RoundLimits {
    fn default() -> Self {
        Self { actions_max: 10_000, locked_percent_max: 50, locked_subjects_min: 20 }
    }
}

impl RoundLimits {
    fn locked_max(&self, subjects: usize) -> usize {
        (subjects.saturating_mul(self.locked_percent_max) / 100).max(self.locked_subjects_min)
    }
}

// === impl Breaker ===

impl Breaker {
    /// One that tripped in an earlier run, for this reason, or has not.
    pub(crate) fn new(tripped: Option<String>) -> Self {
        Self { tripped, ..Self::default() }
    }

    /// Counts what a plan would do, unless that is more than a round may: then it trips, and says why.
    pub(crate) fn admit(
        &mut self,
        now: Timestamp,
        round: Duration,
        limits: &RoundLimits,
        load: &Load<'_>,
        subjects: usize,
    ) -> Result<(), String> {
        if now.since(self.began) >= round {
            self.lifted &= self.actions > limits.actions_max || self.locked.len() > limits.locked_max(subjects);
            self.begin(now);
        }
        let actions = self.actions.saturating_add(load.actions);
        let locked = self.locked.len() + usize::from(load.locks.is_some_and(|user| !self.locked.contains(user)));
        let locked_max = limits.locked_max(subjects);
        let why = if actions > limits.actions_max {
            Some(format!("one round would do more than {} things to the cluster", limits.actions_max))
        } else if locked > locked_max && load.locks.is_some() {
            Some(format!("one round would lock what more than {locked_max} of {subjects} users hold"))
        } else {
            None
        };
        match why {
            Some(why) if !self.lifted => {
                self.tripped = Some(why.clone());
                Err(why)
            }
            Some(_) | None => {
                self.actions = actions;
                self.locked.extend(load.locks.cloned());
                Ok(())
            }
        }
    }

    /// An operator lets it go on; whether it had tripped.
    pub(crate) fn release(&mut self, now: Timestamp) -> bool {
        let had_tripped = self.tripped.take().is_some();
        if had_tripped {
            self.lifted = true;
            self.begin(now);
        }
        had_tripped
    }

    fn begin(&mut self, now: Timestamp) {
        self.began = now;
        self.actions = 0;
        self.locked.clear();
    }

    /// Why nothing is enforced any more, if it tripped.
    pub(crate) fn tripped(&self) -> Option<&str> {
        self.tripped.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUND: Duration = Duration::from_secs(30);
    const LIMITS: RoundLimits = RoundLimits { actions_max: 4, locked_percent_max: 50, locked_subjects_min: 1 };

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_secs(1_000 + secs)
    }

    fn lock(breaker: &mut Breaker, secs: u64, user: &UserName) -> Result<(), String> {
        breaker.admit(at(secs), ROUND, &LIMITS, &Load { actions: 1, locks: Some(user) }, 4)
    }

    #[test]
    fn it_trips_when_a_round_does_more_than_it_may() {
        let mut breaker = Breaker::default();
        let load = Load { actions: 2, locks: None };
        assert_eq!(breaker.admit(at(0), ROUND, &LIMITS, &load, 4), Ok(()));
        assert_eq!(breaker.admit(at(29), ROUND, &LIMITS, &load, 4), Ok(()));
        assert_eq!(breaker.admit(at(30), ROUND, &LIMITS, &load, 4), Ok(()), "another round");
        assert_eq!(breaker.tripped(), None);
        assert!(breaker.admit(at(31), ROUND, &LIMITS, &Load { actions: 3, locks: None }, 4).is_err());
        assert!(breaker.tripped().is_some_and(|why| why.contains("more than 4 things")));
    }

    #[test]
    fn it_trips_when_a_round_locks_too_many_users() {
        let [a, b, c] = ["a", "b", "c"].map(UserName::new);
        let mut breaker = Breaker::default();
        assert_eq!(lock(&mut breaker, 0, &a), Ok(()));
        assert_eq!(lock(&mut breaker, 1, &a), Ok(()), "the same user counts once");
        assert_eq!(lock(&mut breaker, 2, &b), Ok(()), "two of four are half of them");
        assert!(lock(&mut breaker, 3, &c).is_err_and(|why| why.contains("more than 2 of 4 users")));
        let ask = Load { actions: 1, locks: None };
        assert_eq!(breaker.admit(at(3), ROUND, &LIMITS, &ask, 4), Ok(()), "who asks for more is not locked out");
    }

    #[test]
    fn once_released_it_heeds_its_limits_again_when_a_round_stays_within_them() {
        let users: Vec<_> = (0..6).map(|number| UserName::new(format!("u{number}"))).collect();
        let mut breaker = Breaker::new(Some("in an earlier run".to_owned()));
        assert!(breaker.release(at(0)));
        assert!(!breaker.release(at(0)), "it was released already");
        let all = |breaker: &mut Breaker, secs| users.iter().take(3).try_for_each(|user| lock(breaker, secs, user));
        assert_eq!(all(&mut breaker, 0), Ok(()), "released");
        assert_eq!(all(&mut breaker, 30), Ok(()), "the round before did not stay within the limits");
        assert_eq!(users.iter().take(1).try_for_each(|user| lock(&mut breaker, 60, user)), Ok(()));
        assert!(all(&mut breaker, 90).is_err());
    }
}
