//! Points in time. Go's zero time, the year 1, means "unset" on the wire; taken at its word it would mean "long over".

use prost_types::Timestamp as Proto;
use tribunal_core::Timestamp;

/// Seconds from the Unix epoch to Go's zero time, `0001-01-01T00:00:00Z`.
const GO_ZERO_SECS: i64 = -62_135_596_800;
const NANOS_PER_MILLI: u64 = 1_000_000;
const MILLIS_PER_SEC: u64 = 1_000;

/// A point in time; none if it is absent or Go's zero time. What is before 1970 is 1970, which is as much over.
#[must_use]
pub fn timestamp(time: Option<&Proto>) -> Option<Timestamp> {
    let Proto { seconds, nanos } = *time?;
    if seconds <= GO_ZERO_SECS {
        return None;
    }
    let millis = u64::try_from(seconds).unwrap_or(0).saturating_mul(MILLIS_PER_SEC);
    let below = if seconds < 0 { 0 } else { u64::try_from(nanos).unwrap_or(0) / NANOS_PER_MILLI };
    Some(Timestamp::from_millis(millis.saturating_add(below.min(MILLIS_PER_SEC - 1))))
}

/// The first whole millisecond that is not before it. For ends of access: a lock that is to last as long as the access, and
/// ended in the same millisecond, would end before it.
#[must_use]
pub fn timestamp_not_before(time: Option<&Proto>) -> Option<Timestamp> {
    let begun = timestamp(time)?;
    let Proto { seconds, nanos } = *time?;
    let is_whole = seconds < 0 || u64::try_from(nanos).unwrap_or(0) % NANOS_PER_MILLI == 0;
    Some(if is_whole { begun } else { Timestamp::from_millis(begun.as_millis().saturating_add(1)) })
}

/// The same on the wire; the end of time stays the end of time.
#[must_use]
pub fn timestamp_to_proto(time: Timestamp) -> Proto {
    let millis = time.as_millis();
    // The last second that a protobuf timestamp can name, 9999-12-31T23:59:59Z.
    const SECONDS_MAX: i64 = 253_402_300_799;
    let seconds = i64::try_from(millis / MILLIS_PER_SEC).unwrap_or(SECONDS_MAX).min(SECONDS_MAX);
    let nanos = i32::try_from((millis % MILLIS_PER_SEC).saturating_mul(NANOS_PER_MILLI)).unwrap_or(0);
    Proto { seconds, nanos }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64, nanos: i32) -> Option<u64> {
        timestamp(Some(&Proto { seconds, nanos })).map(Timestamp::as_millis)
    }

    #[test]
    fn gos_zero_time_is_unset() {
        assert_eq!(timestamp(None), None);
        assert_eq!(at(GO_ZERO_SECS, 0), None);
        assert_eq!(at(GO_ZERO_SECS, 999_999_999), None);
        assert_eq!(at(i64::MIN, 0), None);
    }

    #[test]
    fn what_is_set_is_kept() {
        assert_eq!(at(GO_ZERO_SECS + 1, 0), Some(0));
        assert_eq!(at(-1, 999_999_999), Some(0));
        assert_eq!(at(0, 0), Some(0));
        assert_eq!(at(1, 2_999_999), Some(1_002));
        assert_eq!(at(1, -5), Some(1_000));
        assert_eq!(at(1, i32::MAX), Some(1_999));
        assert_eq!(at(i64::MAX, 0), Some(u64::MAX));
    }

    #[test]
    fn an_end_within_a_millisecond_is_at_the_end_of_it() {
        let end = |seconds, nanos| timestamp_not_before(Some(&Proto { seconds, nanos })).map(Timestamp::as_millis);
        assert_eq!(timestamp_not_before(None), None);
        assert_eq!(end(GO_ZERO_SECS, 1), None);
        assert_eq!((end(1, 0), end(1, 2_000_000), end(1, 2_000_001)), (Some(1_000), Some(1_002), Some(1_003)));
        assert_eq!((end(1, 999_999_999), end(1, -5), end(-1, 1)), (Some(2_000), Some(1_000), Some(0)));
        assert_eq!(end(i64::MAX, 1), Some(u64::MAX));
    }

    proptest! {
        #[test]
        fn a_time_survives_the_way_there_and_back(millis in 0..253_402_300_799_999_u64) {
            let time = Timestamp::from_millis(millis);
            prop_assert_eq!(timestamp(Some(&timestamp_to_proto(time))), Some(time));
        }

        #[test]
        fn order_is_kept(a in any::<(i64, i32)>(), b in any::<(i64, i32)>()) {
            let (first, second) = if a.0 <= b.0 { (a, b) } else { (b, a) };
            if let (Some(x), Some(y)) = (at(first.0, 0), at(second.0, 0)) {
                prop_assert!(x <= y);
            }
        }
    }
}
