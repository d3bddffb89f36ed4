//! Measures the server's clock by asking to keep a lease that nobody has: the server first says whether it would be over,
//! and only then that it is not there (`KeepAliveSemaphoreLease` in `lib/services/local/presence.go`).
//!
//! Must never name a lease that exists.

use std::time::Duration;

use tonic::Code;
use tribunal_core::Timestamp;
use tribunal_core::failure::Failure;
use tribunal_proto::types;

use super::ask::nobody;
use super::{Client, SEMAPHORE_KIND};
use crate::convert::timestamp_to_proto;
use crate::failure::{Method, explain};
use crate::skew::Skew;

/// How often the server is asked at most. Each answer halves what is left, or widens it tenfold while it has no end.
pub const CLOCK_ASKS_MAX: usize = 24;
/// How close to each other the bounds shall be, in milliseconds.
pub const CLOCK_MILLIS_WANTED: i64 = 500;
/// The first question, and the first one the other way, in milliseconds from our own time.
const FIRST_MILLIS: i64 = 1_000;
/// Questions are not further from our own time than this, in milliseconds: ten years.
const FAR_MILLIS_MAX: i64 = 10 * 365 * 24 * 60 * 60 * 1_000;

const KEEP_ALIVE: Method = Method { name: "KeepAliveSemaphoreLease", needs: "semaphore: update" };

/// What is known of the server's clock minus ours, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Between {
    least: Option<i64>,
    most: Option<i64>,
}

impl Client {
    /// How far the server's clock is from the one that `now` tells; none if we may not keep leases, or the server has none.
    ///
    /// # Errors
    /// If there is no connection or no answer.
    pub async fn measure_clock(&self, now: impl Fn() -> Timestamp + Send + Sync) -> Result<Option<Skew>, Failure> {
        let connection = self.connection();
        let mut between = Between::default();
        for _ in 0..CLOCK_ASKS_MAX {
            let Some(ahead) = between.next() else { break };
            let mut auth = connection.auth();
            let sent = now();
            let lease = types::SemaphoreLease {
                semaphore_kind: SEMAPHORE_KIND.to_owned(),
                semaphore_name: nobody(),
                lease_id: nobody(),
                expires: Some(timestamp_to_proto(moved(sent, ahead))),
            };
            let answer = self.call(&connection, auth.keep_alive_semaphore_lease(lease)).await;
            let took = i64::try_from(now().since(sent).as_millis()).unwrap_or(i64::MAX);
            match answer.map_err(|status| (status.code(), status)) {
                Err((Code::NotFound, _)) => between.most = Some(ahead),
                // The server's answer is of some time between `sent` and now.
                Err((Code::InvalidArgument, _)) => between.least = Some(ahead.saturating_sub(took)),
                Err((Code::PermissionDenied | Code::Unimplemented, _)) | Ok(()) => return Ok(None),
                Err((_, status)) => return Err(explain(KEEP_ALIVE, &status)),
            }
        }
        Ok(Some(Skew { at_least_ms: between.least, at_most_ms: between.most }))
    }
}

// === impl Between ===

impl Between {
    /// How far ahead of our own time the next question is to be; none: this is close enough, or too far.
    fn next(self) -> Option<i64> {
        let wider = |bound: i64, way: i64| {
            let next = if bound.signum() == way { bound.saturating_mul(10) } else { way * FIRST_MILLIS };
            (next.abs() <= FAR_MILLIS_MAX).then_some(next)
        };
        match (self.least, self.most) {
            (None, None) => Some(FIRST_MILLIS),
            (None, Some(most)) => wider(most, -1),
            (Some(least), None) => wider(least.max(FIRST_MILLIS), 1),
            (Some(least), Some(most)) => {
                let apart = most.saturating_sub(least);
                (apart > CLOCK_MILLIS_WANTED).then(|| least.saturating_add(apart / 2))
            }
        }
    }
}

/// A time of ours, so many milliseconds later or earlier.
fn moved(time: Timestamp, by_ms: i64) -> Timestamp {
    let by = Duration::from_millis(by_ms.unsigned_abs());
    let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
    let now = time.as_millis();
    Timestamp::from_millis(if by_ms < 0 { now.saturating_sub(ms) } else { now.saturating_add(ms) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the truth is, the bounds hold it, and come close to each other with the questions that there are.
        #[test]
        fn the_truth_is_found_with_few_questions(truth in -31_536_000_000_i64..31_536_000_000, took in 0_i64..200) {
            let mut between = Between::default();
            let mut asked = 0;
            while let Some(ahead) = between.next() {
                asked += 1;
                prop_assert!(asked <= CLOCK_ASKS_MAX * 2);
                if truth < ahead {
                    between.most = Some(ahead);
                } else {
                    between.least = Some(ahead - took);
                }
                prop_assert!(between.least.is_none_or(|least| least <= truth));
                prop_assert!(between.most.is_none_or(|most| most >= truth));
            }
            prop_assert!(between.least.is_some() && between.most.is_some());
        }
    }

    #[test]
    fn clocks_that_agree_take_three_questions_or_four() {
        let mut between = Between::default();
        let mut asked = 0;
        while let Some(ahead) = between.next() {
            asked += 1;
            if 0 < ahead { between.most = Some(ahead) } else { between.least = Some(ahead - 1) }
        }
        assert!(asked <= 5, "{asked}");
        assert!(between.least.is_some_and(|least| least >= -600) && between.most.is_some_and(|most| most <= 600));
    }
}
