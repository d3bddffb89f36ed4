//! What the server at the other end lacks, as it said itself: learnt with the first call, believed for as long as the
//! connection lasts. The next one may lead to another server, or to the same one after an upgrade.
//!
//! Must never be believed of a connection over which it was not said.

use std::sync::atomic::{AtomicU64, Ordering};

use tonic::{Code, Status};

use super::resources::KINDS;
use crate::connect::Dials;

/// Methods that servers may lack, and that something older does as well.
#[derive(Debug, Default)]
pub(crate) struct Lacks {
    /// `ListAccessRequests`; before it, `GetAccessRequestsV2`.
    pub(super) request_pages: Lack,
    /// `ListLocks`; before it, `GetLocks`.
    pub(super) lock_pages: Lack,
    /// `ListSemaphores`; before it, `GetSemaphores`.
    pub(super) semaphore_pages: Lack,
    /// `GetUser` of `teleport.users.v1`; before it, that of `proto.AuthService`.
    pub(super) users: Lack,
    /// `ListUnifiedResources`; before it, `ListResources`.
    pub(super) unified_resources: Lack,
    /// `ListResources`, for each of [`KINDS`]; before it, nothing.
    pub(super) resource_kinds: [Lack; KINDS.len()],
}

/// One of them: the number of the connection over which the server said so, 0 for none.
#[derive(Debug, Default)]
pub(super) struct Lack(AtomicU64);

/// What a call that failed says of the method.
pub(super) trait Answer {
    /// The answer to the call, if that is what it failed by.
    fn status(&self) -> Option<&Status>;
}

// === impl Lack ===

impl Lack {
    /// What `first` gives; none if the server lacks the method, or said so before over this connection.
    pub(super) async fn or_older<T, E: Answer>(
        &self,
        dials: &Dials,
        first: impl Future<Output = Result<T, E>>,
    ) -> Option<Result<T, E>> {
        if self.is_known(dials) {
            return None;
        }
        let before = dials.made();
        let answer = first.await;
        let lacking = |error: &E| error.status().is_some_and(|status| status.code() == Code::Unimplemented);
        if !answer.as_ref().err().is_some_and(lacking) {
            return Some(answer);
        }
        let after = dials.made();
        // The first call over a channel makes its connection. Otherwise nobody can tell which of two answered.
        if before == after || before == 0 {
            self.0.store(after, Ordering::Relaxed);
        }
        None
    }

    fn is_known(&self, dials: &Dials) -> bool {
        let said = self.0.load(Ordering::Relaxed);
        said != 0 && said == dials.made()
    }
}

impl Answer for Status {
    fn status(&self) -> Option<&Status> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(lack: &Lack, dials: &Dials, answer: Result<u8, Status>) -> Option<Result<u8, Code>> {
        lack.or_older(dials, async { answer }).await.map(|answer| answer.map_err(|status| status.code()))
    }

    fn lacking() -> Result<u8, Status> {
        Err(Status::unimplemented("unknown method"))
    }

    #[tokio::test]
    async fn what_a_server_lacks_is_believed_for_one_connection() {
        let (lack, dials) = (Lack::default(), Dials::default());
        dials.end(true);
        assert_eq!(ask(&lack, &dials, Ok(1)).await, Some(Ok(1)));
        assert_eq!(ask(&lack, &dials, Err(Status::unavailable("x"))).await, Some(Err(Code::Unavailable)));
        assert_eq!(ask(&lack, &dials, lacking()).await, None);
        assert_eq!(ask(&lack, &dials, Ok(1)).await, None, "it is not asked again");
        dials.end(false);
        assert_eq!(ask(&lack, &dials, Ok(1)).await, None, "a connection that did not come about is none");
        dials.end(true);
        assert_eq!(ask(&lack, &dials, Ok(1)).await, Some(Ok(1)), "another connection, perhaps another server");
    }

    #[tokio::test]
    async fn what_one_of_two_connections_said_is_believed_of_neither() {
        let (lack, dials) = (Lack::default(), Dials::default());
        let first = async {
            dials.end(true);
            lacking()
        };
        assert!(lack.or_older(&dials, first).await.is_none());
        assert!(lack.is_known(&dials), "there was but one");
        dials.end(true);
        let second = async {
            dials.end(true);
            lacking()
        };
        assert!(lack.or_older(&dials, second).await.is_none());
        assert!(!lack.is_known(&dials));
    }
}
