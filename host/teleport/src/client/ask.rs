//! Asks what our identity may do by asking for it: for reads that cost little, and for writes that a server cannot carry
//! out and refuses for that, but only after it has looked at our rights.
//!
//! Must never ask for anything that a server could do: each write here lacks what every version of Teleport demands of it,
//! and names nothing that exists.

use tonic::{Code, Response, Status};
use tribunal_core::Timestamp;
use tribunal_core::failure::Failure;
use tribunal_proto::{proto, types, userloginstate_v1, users_v1};

use super::{Client, Connection, SEMAPHORE_KIND};
use crate::convert::timestamp;
use crate::failure::{Method, explain};
use crate::rights::Needed;

/// What can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To follow requests and locks.
    Follow,
    /// To list locks.
    ListLocks,
    /// To read one.
    ReadLock,
    /// To make and renew locks: one without name and target, which is looked at after the rights are (`UpsertLock` in
    /// `lib/auth/auth_with_roles.go`, then `LockV2.CheckAndSetDefaults` in `api/types/lock.go`).
    WriteLock,
    /// To delete locks: one without a name (`DeleteLock` in `lib/services/local/access.go`).
    DeleteLock,
    /// To set the state of requests: no state, of one that nobody made (`SetAccessRequestState` in
    /// `lib/auth/auth_with_roles.go`).
    SetState,
    /// To review requests: one that nobody made, without proposing anything (`SubmitAccessReview`, as above).
    Review,
    /// To take leases: one without kind and name (`AcquireSemaphoreRequest.Check` in `api/types/semaphore.go`).
    TakeLease,
    /// To keep them: the same.
    KeepLease,
    /// To see who holds them.
    ListLeases,
    /// To read users: one that nobody is.
    ReadUser,
    /// To read the state since users' last login: the same.
    ReadLoginState,
    /// To list roles.
    ListRoles,
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// We may.
    Granted,
    /// We may not; in the server's words.
    Refused(String),
    /// That cannot be told; says why.
    Untold(String),
}

/// Who holds a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// As it calls itself.
    pub name: String,
    /// When the lease ends, by the server's clock.
    pub until: Option<Timestamp>,
}

// === impl Ask ===

impl Ask {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Follow,
        Self::ListLocks,
        Self::ReadLock,
        Self::WriteLock,
        Self::DeleteLock,
        Self::SetState,
        Self::Review,
        Self::TakeLease,
        Self::KeepLease,
        Self::ListLeases,
        Self::ReadUser,
        Self::ReadLoginState,
        Self::ListRoles,
    ];

    /// The kinds and verbs that it is about; none: a right that is no verb. A refusal says that one of them is missing.
    #[must_use]
    pub const fn about(self) -> &'static [Needed<'static>] {
        match self {
            Self::Follow => &[("access_request", &["read"]), ("lock", &["read"])],
            Self::ListLocks => &[("lock", &["list", "read"])],
            Self::ReadLock => &[("lock", &["read"])],
            Self::WriteLock => &[("lock", &["create", "update"])],
            Self::DeleteLock => &[("lock", &["delete"])],
            Self::SetState => &[("access_request", &["update"])],
            Self::Review => &[],
            Self::TakeLease => &[("semaphore", &["create", "update"])],
            Self::KeepLease => &[("semaphore", &["update"])],
            Self::ListLeases => &[("semaphore", &["list", "read"])],
            Self::ReadUser => &[("user", &["read"])],
            Self::ReadLoginState => &[("user_login_state", &["read"])],
            Self::ListRoles => &[("role", &["list", "read"])],
        }
    }

    const fn method(self) -> Method {
        let name = match self {
            Self::Follow => "WatchEvents",
            Self::ListLocks => "ListLocks",
            Self::ReadLock => "GetLock",
            Self::WriteLock => "UpsertLock",
            Self::DeleteLock => "DeleteLock",
            Self::SetState => "SetAccessRequestState",
            Self::Review => "SubmitAccessReview",
            Self::TakeLease => "AcquireSemaphore",
            Self::KeepLease => "KeepAliveSemaphoreLease",
            Self::ListLeases => "ListSemaphores",
            Self::ReadUser => "GetUser",
            Self::ReadLoginState => "GetUserLoginState",
            Self::ListRoles => "ListRoles",
        };
        Method { name, needs: "" }
    }

    /// Whether a server that does it, rather than refusing it, did what nobody wanted.
    const fn must_be_refused(self) -> bool {
        match self {
            Self::WriteLock | Self::DeleteLock | Self::SetState | Self::Review | Self::TakeLease | Self::KeepLease => {
                true
            }
            Self::Follow
            | Self::ListLocks
            | Self::ReadLock
            | Self::ListLeases
            | Self::ReadUser
            | Self::ReadLoginState
            | Self::ListRoles => false,
        }
    }

    fn read(self, answer: Result<(), Status>) -> Result<Answer, Failure> {
        let Method { name, needs: _ } = self.method();
        let status = match answer {
            Ok(()) if self.must_be_refused() => {
                return Ok(Answer::Untold(format!("`{name}`: the server took what it should have refused")));
            }
            Ok(()) => return Ok(Answer::Granted),
            Err(status) => status,
        };
        let said = explain(self.method(), &status);
        match status.code() {
            Code::PermissionDenied => Ok(Answer::Refused(said.detail)),
            // What it looks at after the rights.
            Code::InvalidArgument | Code::NotFound => Ok(Answer::Granted),
            Code::Unimplemented => Ok(Answer::Untold(said.detail)),
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
            | Code::Unauthenticated => Err(said),
        }
    }
}

impl Client {
    /// Whether we may, as the server says when it is asked for it.
    ///
    /// # Errors
    /// If there is no connection, or an answer that says nothing about rights.
    pub async fn ask(&self, ask: Ask) -> Result<Answer, Failure> {
        let connection = self.connection();
        let answer = self.put(&connection, ask).await;
        ask.read(answer)
    }

    async fn put(&self, connection: &Connection, ask: Ask) -> Result<(), Status> {
        let mut auth = connection.auth();
        let nobody = nobody();
        match ask {
            Ask::Follow => self.follow_once(connection).await,
            Ask::ListLocks => {
                let page = proto::ListLocksRequest { page_size: 1, ..Default::default() };
                match self.call(connection, auth.list_locks(page)).await {
                    Err(status) if status.code() == Code::Unimplemented => {
                        self.done(connection, auth.get_locks(proto::GetLocksRequest::default())).await
                    }
                    listed => listed.map(drop),
                }
            }
            Ask::ReadLock => self.done(connection, auth.get_lock(proto::GetLockRequest { name: nobody })).await,
            Ask::WriteLock => self.done(connection, auth.upsert_lock(types::LockV2::default())).await,
            Ask::DeleteLock => self.done(connection, auth.delete_lock(proto::DeleteLockRequest::default())).await,
            Ask::SetState => {
                let setter = proto::RequestStateSetter { id: nobody, ..Default::default() };
                self.done(connection, auth.set_access_request_state(setter)).await
            }
            Ask::Review => {
                let review = Some(types::AccessReview::default());
                let submission = types::AccessReviewSubmission { request_id: nobody, review };
                self.done(connection, auth.submit_access_review(submission)).await
            }
            Ask::TakeLease => {
                self.done(connection, auth.acquire_semaphore(types::AcquireSemaphoreRequest::default())).await
            }
            Ask::KeepLease => {
                self.done(connection, auth.keep_alive_semaphore_lease(types::SemaphoreLease::default())).await
            }
            Ask::ListLeases => self.list_leases(connection, &nobody).await.map(drop),
            Ask::ReadUser => {
                let mut users = connection.users();
                let get = users_v1::GetUserRequest { name: nobody.clone(), ..Default::default() };
                match self.call(connection, users.get_user(get)).await {
                    Err(status) if status.code() == Code::Unimplemented => {
                        let get = proto::GetUserRequest { name: nobody, with_secrets: false };
                        self.done(connection, auth.get_user(get)).await
                    }
                    read => read.map(drop),
                }
            }
            Ask::ReadLoginState => {
                let mut login_states = connection.login_states();
                let get = userloginstate_v1::GetUserLoginStateRequest { name: nobody };
                self.done(connection, login_states.get_user_login_state(get)).await
            }
            Ask::ListRoles => {
                let page = proto::ListRolesRequest { limit: 1, ..Default::default() };
                self.done(connection, auth.list_roles(page)).await
            }
        }
    }

    /// A watch of requests and locks, up to its INIT.
    async fn follow_once(&self, connection: &Connection) -> Result<(), Status> {
        let after = self.limits().call;
        let kind = |kind: &str| types::WatchKind { kind: kind.to_owned(), ..Default::default() };
        let watch = proto::Watch { kinds: vec![kind("access_request"), kind("lock")], allow_partial_success: false };
        let mut auth = connection.auth();
        let opening = async { auth.watch_events(watch).await?.into_inner().message().await };
        match tokio::time::timeout(after, opening).await {
            Ok(Ok(Some(event))) if event.r#type() == proto::Operation::Init => Ok(()),
            Ok(Ok(_)) => Err(Status::internal("the server began without INIT")),
            Ok(Err(status)) => Err(status),
            Err(_) => Err(connection.too_late(after)),
        }
    }

    async fn done<T>(
        &self,
        connection: &Connection,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Result<(), Status> {
        self.call(connection, call).await.map(drop)
    }

    /// Who holds the lease of this name, of the leases that are not over; none: that may not be seen.
    ///
    /// # Errors
    /// If there is no connection or no answer.
    pub async fn holders(&self, name: &str, now: Timestamp) -> Result<Option<Vec<Holder>>, Failure> {
        let connection = self.connection();
        match self.list_leases(&connection, name).await {
            Ok(semaphores) => {
                let is_it = |it: &types::SemaphoreV3| it.metadata.as_ref().is_some_and(|known| known.name == name);
                let leases = semaphores.into_iter().filter(is_it).flat_map(|it| it.spec.unwrap_or_default().leases);
                let holders = leases.map(|lease| {
                    let until = timestamp(lease.expires.as_ref());
                    Holder { name: lease.holder, until }
                });
                Ok(Some(holders.filter(|holder| holder.until.is_none_or(|until| until > now)).collect()))
            }
            Err(status) if matches!(status.code(), Code::PermissionDenied | Code::Unimplemented) => Ok(None),
            Err(status) => Err(explain(Ask::ListLeases.method(), &status)),
        }
    }

    async fn list_leases(&self, connection: &Connection, name: &str) -> Result<Vec<types::SemaphoreV3>, Status> {
        let mut auth = connection.auth();
        let filter =
            types::SemaphoreFilter { semaphore_kind: SEMAPHORE_KIND.to_owned(), semaphore_name: name.to_owned() };
        let page = proto::ListSemaphoresRequest {
            page_size: super::list::PAGE_ENTRIES,
            page_token: String::new(),
            filter: Some(filter.clone()),
        };
        match self.call(connection, auth.list_semaphores(page)).await {
            Err(status) if status.code() == Code::Unimplemented => {
                self.call(connection, auth.get_semaphores(filter)).await.map(|all| all.semaphores)
            }
            listed => listed.map(|page| page.semaphores),
        }
    }
}

/// The name of something that does not exist: a random UUID, as requests have them.
pub(super) fn nobody() -> String {
    let mut bytes = [0_u8; 16];
    // Without randomness it is the nil UUID, which nothing has either.
    let _filled = getrandom::fill(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    // Version 4, variant 1 (RFC 9562).
    format!("{}-{}-4{}-8{}-{}", part(0..8), part(8..12), part(13..16), part(17..20), part(20..32))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_a_server_refuses_after_it_has_looked_at_the_rights_is_granted() {
        for ask in Ask::ALL {
            let read = |status| ask.read(Err(status));
            assert_eq!(read(Status::invalid_argument("no target")).unwrap(), Answer::Granted, "{ask:?}");
            assert_eq!(read(Status::not_found("nobody")).unwrap(), Answer::Granted, "{ask:?}");
            let refused = read(Status::permission_denied("access denied")).unwrap();
            assert!(matches!(&refused, Answer::Refused(said) if said.contains("access denied")), "{ask:?}");
            assert!(matches!(read(Status::unimplemented("old")).unwrap(), Answer::Untold(_)), "{ask:?}");
            assert!(read(Status::unavailable("away")).is_err(), "{ask:?}");
        }
    }

    #[test]
    fn what_a_server_did_though_it_should_not_is_no_right() {
        for ask in Ask::ALL {
            let told = ask.read(Ok(())).unwrap();
            assert_eq!(matches!(told, Answer::Untold(_)), ask.must_be_refused(), "{ask:?}");
            assert_eq!(told == Answer::Granted, !ask.must_be_refused(), "{ask:?}");
        }
    }

    #[test]
    fn nobody_has_the_name_of_nobody() {
        let (one, two) = (nobody(), nobody());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    }
}
