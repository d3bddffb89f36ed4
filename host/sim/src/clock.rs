//! The simulated cluster's time: a moment, a length, and a clock that is either the machine's or moved by a test. It never sleeps and
//! never reads the machine's clock unless it was made with [`SimClock::real`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// Go's zero `time.Time` (0001-01-01T00:00:00Z) in seconds since the Unix epoch: how Teleport sends "not set" in a field that cannot be absent.
pub const GO_ZERO_TIME_SECONDS: i64 = -62_135_596_800;

/// A moment: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    /// From milliseconds since the Unix epoch.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// This moment and `ms` milliseconds; saturates.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this moment; negative when `earlier` is later.
    #[must_use]
    pub const fn since_ms(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// As protobuf sends it.
    #[must_use]
    pub fn to_proto(self) -> prost_types::Timestamp {
        let nanos = self.0.rem_euclid(1000).saturating_mul(1_000_000);
        prost_types::Timestamp { seconds: self.0.div_euclid(1000), nanos: i32::try_from(nanos).unwrap_or(0) }
    }

    /// From protobuf; absent and Go's zero time both mean "not set".
    #[must_use]
    pub fn from_proto(timestamp: Option<&prost_types::Timestamp>) -> Option<Self> {
        let timestamp = timestamp?;
        (timestamp.seconds > GO_ZERO_TIME_SECONDS).then(|| {
            Self(timestamp.seconds.saturating_mul(1000).saturating_add(i64::from(timestamp.nanos) / 1_000_000))
        })
    }
}

/// What Go sends for a `time.Time` that nobody set, in a field that is not nullable.
#[must_use]
pub const fn go_zero_time() -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: GO_ZERO_TIME_SECONDS, nanos: 0 }
}

/// Where the server takes its time from. Clones share the same time.
#[derive(Clone, Debug)]
pub struct SimClock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real,
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    now: Mutex<Moment>,
    changed: watch::Sender<Moment>,
}

impl SimClock {
    /// The machine's clock.
    #[must_use]
    pub const fn real() -> Self {
        Self(Source::Real)
    }

    /// A clock that stands still until [`SimClock::advance`] or [`SimClock::set`] moves it. TLS certificates are always judged by the machine's
    /// clock, whatever this one says.
    #[must_use]
    pub fn manual(start: Moment) -> Self {
        let (changed, _) = watch::channel(start);
        Self(Source::Manual(Arc::new(Manual { now: Mutex::new(start), changed })))
    }

    /// A manual clock that starts at the machine's present time.
    #[must_use]
    pub fn manual_from_now() -> Self {
        Self::manual(machine_now())
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Moment {
        match &self.0 {
            Source::Real => machine_now(),
            Source::Manual(manual) => *manual.now.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// Moves a manual clock forward; no effect on the real one.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.set(self.now().plus_ms(ms));
    }

    /// Sets a manual clock; no effect on the real one.
    pub fn set(&self, to: Moment) {
        match &self.0 {
            Source::Real => {}
            Source::Manual(manual) => {
                *manual.now.lock().unwrap_or_else(PoisonError::into_inner) = to;
                manual.changed.send_replace(to);
            }
        }
    }

    /// For whoever must act when a manual clock is moved; `None` for the real clock.
    pub(crate) fn subscribe(&self) -> Option<watch::Receiver<Moment>> {
        match &self.0 {
            Source::Real => None,
            Source::Manual(manual) => Some(manual.changed.subscribe()),
        }
    }
}

/// The machine's clock, for certificates, which the TLS library judges by it.
pub(crate) fn machine_now() -> Moment {
    let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    };
    Moment(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_survives_protobuf_also_before_1970() {
        for ms in [0, 1, 999, 1000, 1_700_000_000_123, -1, -1000, -1001] {
            let moment = Moment::from_unix_ms(ms);
            assert_eq!(Moment::from_proto(Some(&moment.to_proto())), Some(moment), "{ms}");
        }
    }

    #[test]
    fn gos_zero_time_and_absence_mean_not_set() {
        assert_eq!(Moment::from_proto(None), None);
        assert_eq!(Moment::from_proto(Some(&go_zero_time())), None);
    }

    #[test]
    fn a_manual_clock_moves_only_by_hand_and_clones_share_it() {
        let clock = SimClock::manual(Moment::from_unix_ms(5));
        let clone = clock.clone();
        clone.advance(Duration::from_millis(7));
        assert_eq!(clock.now(), Moment::from_unix_ms(12));
    }
}
