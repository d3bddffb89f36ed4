//! How far the Auth server's clock is from ours, told from times that the server made: its API has no call for the time.
//!
//! Must never read a clock itself.

use std::fmt;
use std::time::Duration;

use tribunal_core::Timestamp;

/// How far the clocks must be apart for people to be told, in milliseconds.
pub const TOLD_MILLIS_MIN: u64 = 2_000;
/// How long a bound counts, in seconds. Clocks drift, and are put right.
pub const BOUND_SECS_MAX: u64 = 3_600;
/// What is lost where times are cut off at milliseconds.
const CUT_MILLIS: i64 = 1;

/// What is known of the server's clock minus ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skew {
    /// It is at least this, in milliseconds; none: not known.
    pub at_least_ms: Option<i64>,
    /// It is at most this, in milliseconds; none: not known.
    pub at_most_ms: Option<i64>,
}

/// Which way our clock is wrong, if the server's is right, and by how much at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apart {
    /// Ours is behind.
    Behind(Duration),
    /// Ours is ahead.
    Ahead(Duration),
}

/// Collects bounds. Each may be of another Auth server of the cluster, so that they need not agree.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    least: Option<Bound>,
    most: Option<Bound>,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    ms: i64,
    /// By our clock.
    learnt: Timestamp,
}

// === impl Skew ===

impl Skew {
    /// Whether the clocks are certainly apart, by more than [`TOLD_MILLIS_MIN`].
    #[must_use]
    pub fn apart(self) -> Option<Apart> {
        let told = i64::try_from(TOLD_MILLIS_MIN).unwrap_or(i64::MAX);
        let length = |ms: i64| Duration::from_millis(ms.unsigned_abs());
        match self {
            Self { at_least_ms: Some(ms), .. } if ms > told => Some(Apart::Behind(length(ms))),
            Self { at_most_ms: Some(ms), .. } if ms < -told => Some(Apart::Ahead(length(ms))),
            Self { .. } => None,
        }
    }
}

// === impl Apart ===

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (by, way) = match self {
            Self::Behind(by) => (by, "behind"),
            Self::Ahead(by) => (by, "ahead of"),
        };
        let secs = by.as_secs();
        write!(f, "this machine's clock is at least {secs} s {way} the Auth server's; have both set by NTP")
    }
}

// === impl Bounds ===

impl Bounds {
    /// The server made `made` at some time before `now`, by our clock.
    pub fn seen(&mut self, made: Timestamp, now: Timestamp) {
        let least = Bound { ms: between(now, made), learnt: now };
        if self.least.and_then(|before| before.fresh(now)).is_none_or(|before| before.ms <= least.ms) {
            self.least = Some(least);
            // Both cannot be so any more: a clock was set, or another server answers. The news counts.
            self.most = self.most.filter(|most| most.ms >= least.ms);
        }
    }

    /// The server made `made` when it did what we asked for at `sent`, by our clock, where it is `now` now.
    pub fn answered(&mut self, made: Timestamp, sent: Timestamp, now: Timestamp) {
        self.seen(made, now);
        let most = Bound { ms: between(sent, made).saturating_add(CUT_MILLIS), learnt: now };
        if self.most.and_then(|before| before.fresh(now)).is_none_or(|before| before.ms >= most.ms) {
            self.most = Some(most);
            self.least = self.least.filter(|least| least.ms <= most.ms);
        }
    }

    /// What is known at `now`, by our clock.
    #[must_use]
    pub fn skew(&self, now: Timestamp) -> Skew {
        let ms = |bound: Option<Bound>| bound.and_then(|bound| bound.fresh(now)).map(|bound| bound.ms);
        Skew { at_least_ms: ms(self.least), at_most_ms: ms(self.most) }
    }
}

// === impl Bound ===

impl Bound {
    /// This bound, if it still counts. One that was learnt later than now is of before our clock was set back.
    fn fresh(self, now: Timestamp) -> Option<Self> {
        let fresh = self.learnt <= now && now.since(self.learnt) <= Duration::from_secs(BOUND_SECS_MAX);
        fresh.then_some(self)
    }
}

/// From `from` to `to`, in milliseconds.
fn between(from: Timestamp, to: Timestamp) -> i64 {
    let ms = i128::from(to.as_millis()) - i128::from(from.as_millis());
    i64::try_from(ms).unwrap_or(if ms < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn nothing_seen_nothing_known() {
        assert_eq!(Bounds::default().skew(at(NOW)), Skew::default());
        assert_eq!(Skew::default().apart(), None);
    }

    #[test]
    fn what_was_made_in_our_future_shows_that_we_are_behind() {
        let mut bounds = Bounds::default();
        bounds.seen(at(NOW + 600_000), at(NOW));
        let apart = bounds.skew(at(NOW)).apart().map(|apart| apart.to_string());
        let said = "this machine's clock is at least 600 s behind the Auth server's; have both set by NTP";
        assert_eq!(apart.as_deref(), Some(said));
    }

    #[test]
    fn what_was_made_before_we_asked_for_it_shows_that_we_are_ahead() {
        let mut bounds = Bounds::default();
        bounds.answered(at(NOW - 600_000), at(NOW), at(NOW + 20));
        assert_eq!(bounds.skew(at(NOW)), Skew::default(), "our clock was set back since");
        let skew = bounds.skew(at(NOW + 20));
        assert_eq!(skew, Skew { at_least_ms: Some(-600_020), at_most_ms: Some(-599_999) });
        let said = "this machine's clock is at least 599 s ahead of the Auth server's; have both set by NTP";
        assert_eq!(skew.apart().map(|apart| apart.to_string()).as_deref(), Some(said));
    }

    #[test]
    fn old_objects_say_nothing_about_our_clock() {
        let mut bounds = Bounds::default();
        bounds.seen(at(0), at(NOW));
        bounds.seen(at(NOW - 86_400_000), at(NOW));
        assert_eq!(bounds.skew(at(NOW)), Skew { at_least_ms: Some(-86_400_000), at_most_ms: None });
        assert_eq!(bounds.skew(at(NOW)).apart(), None);
    }

    #[test]
    fn people_are_told_only_beyond_the_limit() {
        let told = i64::try_from(TOLD_MILLIS_MIN).unwrap_or_default();
        for (ms, apart) in [(0, false), (told, false), (told + 1, true)] {
            assert_eq!(Skew { at_least_ms: Some(ms), at_most_ms: None }.apart().is_some(), apart, "{ms}");
            assert_eq!(Skew { at_least_ms: None, at_most_ms: Some(-ms) }.apart().is_some(), apart, "-{ms}");
            assert_eq!(Skew { at_least_ms: Some(-ms), at_most_ms: Some(ms) }.apart(), None);
        }
    }

    #[test]
    fn a_tight_bound_counts_for_an_hour_and_then_a_looser_one_does() {
        let hour = BOUND_SECS_MAX * 1_000;
        let mut bounds = Bounds::default();
        bounds.seen(at(NOW), at(NOW));
        bounds.seen(at(NOW - 5), at(NOW + hour));
        assert_eq!(bounds.skew(at(NOW + hour)).at_least_ms, Some(0));
        assert_eq!(bounds.skew(at(NOW + hour + 1)).at_least_ms, None);
        bounds.seen(at(NOW), at(NOW + hour + 1));
        assert_eq!(bounds.skew(at(NOW + hour + 1)).at_least_ms, Some(-3_600_001));
    }

    #[test]
    fn when_bounds_contradict_each_other_the_news_counts() {
        let mut bounds = Bounds::default();
        bounds.seen(at(NOW + 600_000), at(NOW));
        // Our clock is put right.
        bounds.answered(at(NOW + 601_000), at(NOW + 601_000), at(NOW + 601_010));
        let skew = bounds.skew(at(NOW + 601_010));
        assert_eq!(skew, Skew { at_least_ms: None, at_most_ms: Some(1) });
        bounds.seen(at(NOW + 602_000), at(NOW + 602_003));
        assert_eq!(bounds.skew(at(NOW + 602_003)), Skew { at_least_ms: Some(-3), at_most_ms: Some(1) });
        assert_eq!(skew.apart(), None);
    }

    proptest! {
        /// Whatever the truth is, and however long things take, the bounds hold it.
        #[test]
        fn the_truth_is_between_the_bounds(
            ahead in -1_000_000_000_i64..1_000_000_000,
            steps in proptest::collection::vec((0..60_000_u64, 0..5_000_u64, 0..5_000_u64, any::<bool>()), 1..40),
        ) {
            let server = |local: u64| at(local.saturating_add_signed(ahead));
            let mut bounds = Bounds::default();
            let mut local = NOW;
            for (pause, there, back, ours) in steps {
                let sent = local + pause;
                let made = server(sent + there);
                local = sent + there + back;
                if ours {
                    bounds.answered(made, at(sent), at(local));
                } else {
                    bounds.seen(made, at(local));
                }
                let Skew { at_least_ms, at_most_ms } = bounds.skew(at(local));
                prop_assert!(at_least_ms.is_some_and(|least| least <= ahead));
                prop_assert!(at_most_ms.is_none_or(|most| most >= ahead));
            }
        }

        #[test]
        fn no_times_are_too_odd(made: u64, sent: u64, now: u64) {
            let mut bounds = Bounds::default();
            bounds.answered(at(made), at(sent), at(now));
            bounds.seen(at(sent), at(made));
            let _any = bounds.skew(at(now)).apart().map(|apart| apart.to_string());
        }
    }
}
