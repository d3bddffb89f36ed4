//! Asks for a page of a list again when it failed in passing, so that one call in many does not cost the whole list.
//!
//! Must never answer with anything but the server's own answer to this very page, nor ask again where the list itself may
//! have changed.

use std::time::Duration;

use tonic::{Code, Response, Status};
use tracing::debug;
use tribunal_core::failure::FailureClass;

use super::lacks::Answer;
use super::{Client, Connection};
use crate::failure::{Method, explain, is_unconnected};
use crate::watch::{jittered, random};

/// How often a page of a full list is asked for, at most.
pub(super) const PAGE_TRIES_MAX: u32 = 3;
/// How often what belongs to no full list is asked for: whoever reads by name looks at the failure first.
pub(super) const READ_TRIES_MAX: u32 = 1;
/// The longest pause before the second try, in milliseconds; doubled before each further one.
const PAGE_PAUSE_MILLIS: u64 = 50;

impl Client {
    /// The answer to `ask`, which may be asked `tries` times. The list's own deadline is for the caller to keep.
    ///
    /// # Errors
    /// The last failure, as the server said it.
    pub(super) async fn page<T, F>(
        &self,
        connection: &Connection,
        method: Method,
        tries: u32,
        ask: impl Fn() -> F,
    ) -> Result<T, Status>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        self.again(method, tries, || self.call(connection, ask())).await
    }

    /// What `ask` gives, which may be asked `tries` times.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn again<T, E: Answer, F>(&self, method: Method, tries: u32, ask: impl Fn() -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let mut tried: u32 = 1;
        loop {
            let failed = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            let Some(status) = failed.status().filter(|status| tried < tries && passes(method, status)) else {
                return Err(failed);
            };
            debug!(%status, method = method.name, tried, "A page of a list failed; it is asked for again");
            tokio::time::sleep(pause(tried, random())).await;
            tried = tried.saturating_add(1);
        }
    }
}

/// Whether the same page may well be there a moment later.
fn passes(method: Method, status: &Status) -> bool {
    // Who says either of these says that what the page hangs on is not what it was: the list begins anew.
    let changed = matches!(status.code(), Code::FailedPrecondition | Code::Aborted);
    // Whoever connects has tried every way already.
    !changed && !is_unconnected(status) && explain(method, status).class == FailureClass::Retry
}

/// The pause after so many tries.
fn pause(tried: u32, random: u32) -> Duration {
    let doublings = tried.saturating_sub(1).min(PAGE_TRIES_MAX);
    jittered(Duration::from_millis(PAGE_PAUSE_MILLIS).saturating_mul(1 << doublings), random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: Method = Method { name: "ListLocks", needs: "lock: list, read" };

    #[test]
    fn only_what_says_nothing_of_the_list_is_asked_for_again() {
        use Code::{
            Aborted, AlreadyExists, Cancelled, DataLoss, DeadlineExceeded, FailedPrecondition, Internal,
            InvalidArgument, NotFound, OutOfRange, PermissionDenied, ResourceExhausted, Unauthenticated, Unavailable,
            Unimplemented, Unknown,
        };
        for code in [Unavailable, DeadlineExceeded, ResourceExhausted, Unknown, Internal, Cancelled] {
            assert!(passes(METHOD, &Status::new(code, "x")), "{code:?}");
        }
        let stays = [
            FailedPrecondition,
            Aborted,
            NotFound,
            InvalidArgument,
            AlreadyExists,
            PermissionDenied,
            Unauthenticated,
            Unimplemented,
            OutOfRange,
            DataLoss,
        ];
        for code in stays {
            assert!(!passes(METHOD, &Status::new(code, "x")), "{code:?}");
        }
        assert!(!passes(METHOD, &Status::unknown("received fatal alert: CertificateExpired")), "a refused identity");
    }

    #[test]
    fn pauses_of_all_tries_together_are_short() {
        let longest: Duration = (1..PAGE_TRIES_MAX).map(|tried| pause(tried, u32::MAX)).sum();
        let shortest: Duration = (1..PAGE_TRIES_MAX).map(|tried| pause(tried, 0)).sum();
        assert_eq!((shortest.as_millis(), longest.as_millis()), (75, 150));
    }
}
