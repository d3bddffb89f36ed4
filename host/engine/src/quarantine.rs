//! What becomes of a policy that fails again and again: it is not asked for a while, then tried once, and each quarantine is
//! longer than the one before. It never reads a clock, and never turns a fault into an answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tribunal_core::request::UserName;

use crate::engine::limits::Limits;

/// Users whose cases have to be among the strikes: nobody can take a policy from all others alone...
const USERS_MIN: usize = 2;
/// ... unless so many times as many strikes come from one: then it is not the case that is odd.
const STRIKES_OF_ONE_USER: usize = 4;

/// How a policy stands.
#[derive(Debug)]
pub(crate) struct Quarantine {
    strikes_max: usize,
    pause_first: Duration,
    pause_max: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is asked; so many faults in a row came last.
    Closed(Strikes),
    /// It is not asked before `until`; the next quarantine takes `next`.
    Open { until: Instant, next: Duration, strikes: usize },
    /// One evaluation is under way, and shows.
    HalfOpen { next: Duration, strikes: usize },
}

#[derive(Debug, Default)]
struct Strikes {
    count: usize,
    /// About whom; no more than [`USERS_MIN`] are kept.
    users: BTreeSet<UserName>,
}

/// Whether a policy may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Like any other.
    Open,
    /// As a trial: what comes of it decides.
    Trial,
    /// Not now; after so long it is tried again (zero: it is being tried).
    Refused {
        /// Faults in a row.
        strikes: usize,
        /// How long it takes until then.
        again_in: Duration,
    },
}

/// What an answer changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing.
    Same,
    /// It is in quarantine now, for so long.
    Began(Duration),
    /// It is out of it.
    Ended,
}

/// How it stands, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is asked; so many faults in a row came last.
    Asked { strikes: usize },
    /// It is not asked.
    Quarantined { strikes: usize, again_in: Duration },
}

// === impl Quarantine ===

impl Quarantine {
    pub(crate) fn new(limits: &Limits) -> Self {
        let pause_first = Duration::from_millis(limits.quarantine_ms);
        Self {
            strikes_max: limits.strikes_max.max(1),
            pause_first,
            pause_max: Duration::from_millis(limits.quarantine_ms_max).max(pause_first),
            state: State::Closed(Strikes::default()),
        }
    }

    /// Whether it may be asked now. Who is admitted has to say what came of it, by one of the two below.
    pub(crate) fn admit(&mut self, now: Instant) -> Admission {
        match &self.state {
            State::Closed(_) => Admission::Open,
            State::Open { until, next, strikes } if *until <= now => {
                self.state = State::HalfOpen { next: *next, strikes: *strikes };
                Admission::Trial
            }
            State::Open { until, next: _, strikes } => {
                Admission::Refused { strikes: *strikes, again_in: until.saturating_duration_since(now) }
            }
            State::HalfOpen { next: _, strikes } => Admission::Refused { strikes: *strikes, again_in: Duration::ZERO },
        }
    }

    /// It answered.
    pub(crate) fn answered(&mut self, admission: Admission) -> Turn {
        match (&mut self.state, admission) {
            (State::Closed(strikes), _) => {
                *strikes = Strikes::default();
                Turn::Same
            }
            (State::HalfOpen { .. }, Admission::Trial) => {
                self.state = State::Closed(Strikes::default());
                Turn::Ended
            }
            // An answer from before the quarantine.
            (State::HalfOpen { .. } | State::Open { .. }, _) => Turn::Same,
        }
    }

    /// It faulted, about a case of `user`.
    pub(crate) fn faulted(&mut self, admission: Admission, user: &UserName, now: Instant) -> Turn {
        match (&mut self.state, admission) {
            (State::Closed(strikes), _) => {
                strikes.count = strikes.count.saturating_add(1);
                if strikes.users.len() < USERS_MIN {
                    strikes.users.insert(user.clone());
                }
                let of_one = self.strikes_max.saturating_mul(STRIKES_OF_ONE_USER);
                let enough = if strikes.users.len() < USERS_MIN { of_one } else { self.strikes_max };
                if strikes.count < enough {
                    return Turn::Same;
                }
                let count = strikes.count;
                self.begin(now, self.pause_first, count)
            }
            (State::HalfOpen { next, strikes }, Admission::Trial) => {
                let (next, strikes) = (*next, strikes.saturating_add(1));
                self.begin(now, next, strikes)
            }
            (State::HalfOpen { .. } | State::Open { .. }, _) => Turn::Same,
        }
    }

    /// Nothing came of it: who asked went away. A trial is there for the next.
    pub(crate) fn abandoned(&mut self, admission: Admission, now: Instant) {
        if let (State::HalfOpen { next, strikes }, Admission::Trial) = (&self.state, admission) {
            self.state = State::Open { until: now, next: *next, strikes: *strikes };
        }
    }

    /// How it stands.
    pub(crate) fn standing(&self, now: Instant) -> Standing {
        match &self.state {
            State::Closed(strikes) => Standing::Asked { strikes: strikes.count },
            State::Open { until, next: _, strikes } => {
                Standing::Quarantined { strikes: *strikes, again_in: until.saturating_duration_since(now) }
            }
            State::HalfOpen { next: _, strikes } => {
                Standing::Quarantined { strikes: *strikes, again_in: Duration::ZERO }
            }
        }
    }

    fn begin(&mut self, now: Instant, pause: Duration, strikes: usize) -> Turn {
        let next = pause.saturating_mul(2).min(self.pause_max);
        self.state = State::Open { until: now + pause, next, strikes };
        Turn::Began(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_secs(5);

    fn quarantine() -> Quarantine {
        let limits = Limits { strikes_max: 3, quarantine_ms: 5_000, quarantine_ms_max: 15_000, ..Limits::default() };
        Quarantine::new(&limits)
    }

    /// Asks about this user's case, and has a fault come of it.
    fn fault(quarantine: &mut Quarantine, user: &str, now: Instant) -> Turn {
        let admission = quarantine.admit(now);
        assert!(!matches!(admission, Admission::Refused { .. }));
        quarantine.faulted(admission, &UserName::new(user), now)
    }

    fn opened(now: Instant) -> Quarantine {
        let mut quarantine = quarantine();
        assert_eq!(fault(&mut quarantine, "alice", now), Turn::Same);
        assert_eq!(fault(&mut quarantine, "bob", now), Turn::Same);
        assert_eq!(fault(&mut quarantine, "alice", now), Turn::Began(FIRST));
        quarantine
    }

    #[test]
    fn faults_in_a_row_begin_it_and_an_answer_between_them_does_not() {
        let now = Instant::now();
        let mut patient = quarantine();
        for _ in 0..100 {
            assert_eq!(fault(&mut patient, "alice", now), Turn::Same);
            assert_eq!(fault(&mut patient, "bob", now), Turn::Same);
            let admission = patient.admit(now);
            assert_eq!(patient.answered(admission), Turn::Same);
        }
        let mut opened = opened(now);
        assert_eq!(opened.admit(now), Admission::Refused { strikes: 3, again_in: FIRST });
    }

    #[test]
    fn one_users_cases_alone_begin_it_later() {
        let now = Instant::now();
        let mut quarantine = quarantine();
        let turns: Vec<_> = (0..12).map(|_| fault(&mut quarantine, "mallory", now)).collect();
        assert_eq!(turns.iter().position(|turn| *turn == Turn::Began(FIRST)), Some(11));
    }

    #[test]
    fn one_is_tried_and_each_quarantine_is_twice_as_long_up_to_a_bound() {
        let mut now = Instant::now();
        let mut quarantine = opened(now);
        for pause in [5, 10, 15, 15] {
            now += Duration::from_secs(pause);
            let admission = quarantine.admit(now);
            assert_eq!(admission, Admission::Trial);
            assert!(matches!(quarantine.admit(now), Admission::Refused { again_in: Duration::ZERO, .. }));
            let turn = quarantine.faulted(admission, &UserName::new("bob"), now);
            assert_eq!(turn, Turn::Began(Duration::from_secs((pause * 2).min(15))));
        }
        now += Duration::from_secs(15);
        let admission = quarantine.admit(now);
        assert_eq!(quarantine.answered(admission), Turn::Ended);
        assert_eq!(quarantine.standing(now), Standing::Asked { strikes: 0 });
        assert_eq!(quarantine.admit(now), Admission::Open);
    }

    #[test]
    fn a_trial_that_nobody_waits_for_is_there_for_the_next() {
        let mut now = Instant::now();
        let mut quarantine = opened(now);
        now += FIRST;
        let admission = quarantine.admit(now);
        quarantine.abandoned(admission, now);
        assert_eq!(quarantine.admit(now), Admission::Trial);
    }

    #[test]
    fn what_was_asked_before_it_changes_nothing_during_it() {
        let now = Instant::now();
        let mut quarantine = opened(now);
        assert_eq!(quarantine.answered(Admission::Open), Turn::Same);
        assert_eq!(quarantine.faulted(Admission::Open, &UserName::new("bob"), now), Turn::Same);
        assert_eq!(quarantine.admit(now), Admission::Refused { strikes: 3, again_in: FIRST });
        // Not during the trial either.
        assert_eq!(quarantine.admit(now + FIRST), Admission::Trial);
        assert_eq!(quarantine.answered(Admission::Open), Turn::Same);
        assert!(matches!(quarantine.standing(now), Standing::Quarantined { .. }));
    }
}
