//! The handle for embedding: acting on the cluster without a client, observing every change, injecting faults. It obeys the cluster's rules
//! unless a method says otherwise.

use std::sync::Arc;

use tonic::Status;
use tribunal_proto::proto::RequestStateSetter;
use tribunal_proto::types::{
    AccessRequestSpecV3, AccessRequestV3, AccessReview, AccessReviewSubmission, LockV2, Metadata, RequestState,
};
use uuid::Uuid;

use super::certificates::{Certificates, IssueOptions};
use super::shared::Shared;
use crate::clock::{Moment, SimClock};
use crate::cluster::{Caller, Cluster, Entry, Refusal, StoredLock, StoredRequest, resource_id};
use crate::faults::Faults;
use crate::pki::PkiError;
use crate::pki::identity_file::Identity;
use crate::pki::rotation::RotationPhase;
use crate::scenario::Span;

/// A running cluster, for whoever shares its process.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    certificates: Arc<Certificates>,
}

/// What a user asks for.
#[derive(Clone, Debug, Default)]
pub struct RequestSpec {
    /// Who asks.
    pub user: String,
    /// Roles.
    pub roles: Vec<String>,
    /// Resources, as `/cluster/kind/name`.
    pub resources: Vec<String>,
    /// Why.
    pub reason: String,
    /// How long the access shall last; as long as the roles allow when absent, and never longer.
    pub lasts: Option<Span>,
    /// How long from now it shall start; at once when absent.
    pub starts_in: Option<Span>,
}

/// All requests and locks at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When, by the server's clock.
    pub now: Moment,
    /// The newest change that it contains.
    pub sequence: u64,
    /// By id.
    pub requests: Vec<StoredRequest>,
    /// By name.
    pub locks: Vec<StoredLock>,
}

impl Handle {
    pub(super) const fn new(shared: Arc<Shared>, certificates: Arc<Certificates>) -> Self {
        Self { shared, certificates }
    }

    /// The cluster's authorities, for what stands beside the Auth server.
    pub(crate) fn certificates(&self) -> Arc<Certificates> {
        Arc::clone(&self.certificates)
    }

    /// Acts on the cluster at the server's present time; watchers are told what changed.
    pub fn with<R>(&self, act: impl FnOnce(&mut Cluster, Moment) -> R) -> R {
        self.shared.with(act)
    }

    /// Changes the faults in force.
    pub fn faults<R>(&self, act: impl FnOnce(&mut Faults) -> R) -> R {
        self.shared.with_faults(act)
    }

    /// The clock that the server was given.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        &self.shared.clock
    }

    /// The server's present time: its clock and its skew.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.with(|_, now| now)
    }

    /// Creates a request as its user would.
    ///
    /// # Errors
    /// As `CreateAccessRequestV2` refuses it.
    pub fn create_request(&self, wish: &RequestSpec) -> Result<AccessRequestV3, Refusal> {
        self.with(|cluster, now| {
            let roles = cluster.users().get(&wish.user).map(|user| user.effective_roles().to_vec()).unwrap_or_default();
            let caller = Caller { roles, ..Caller::person(&wish.user, &[]) };
            let lasts = wish.lasts.map(|lasts| now.plus_ms(lasts.ms()).to_proto());
            let spec = AccessRequestSpecV3 {
                user: wish.user.clone(),
                roles: wish.roles.clone(),
                requested_resource_ids: wish.resources.iter().filter_map(|text| resource_id::parse(text)).collect(),
                state: RequestState::Pending.into(),
                request_reason: wish.reason.clone(),
                max_duration: lasts,
                assume_start_time: wish.starts_in.map(|starts_in| now.plus_ms(starts_in.ms()).to_proto()),
                ..AccessRequestSpecV3::default()
            };
            // Any name that is a UUID does: the server replaces it.
            let metadata = Metadata { name: Uuid::nil().to_string(), ..Metadata::default() };
            let request = AccessRequestV3 { metadata: Some(metadata), spec: Some(spec), ..AccessRequestV3::default() };
            cluster.create_request(&caller, now, request)
        })
    }

    /// Approves a request as this user, who needs the right to.
    ///
    /// # Errors
    /// As `SetAccessRequestState` refuses it.
    pub fn approve_as(&self, user: &str, id: &str, reason: &str) -> Result<(), Refusal> {
        self.resolve_as(user, id, RequestState::Approved, reason)
    }

    /// Denies a request as this user, who needs the right to.
    ///
    /// # Errors
    /// As `SetAccessRequestState` refuses it.
    pub fn deny_as(&self, user: &str, id: &str, reason: &str) -> Result<(), Refusal> {
        self.resolve_as(user, id, RequestState::Denied, reason)
    }

    /// Reviews a request as this user, who needs the right to: approves it, or else denies it.
    ///
    /// # Errors
    /// As `SubmitAccessReview` refuses it.
    pub fn review_as(&self, user: &str, id: &str, approve: bool, reason: &str) -> Result<AccessRequestV3, Refusal> {
        self.with(|cluster, now| {
            let proposed = if approve { RequestState::Approved } else { RequestState::Denied };
            let review =
                AccessReview { proposed_state: proposed.into(), reason: reason.to_owned(), ..AccessReview::default() };
            let submission = AccessReviewSubmission { request_id: id.to_owned(), review: Some(review) };
            cluster.submit_review(&caller_of(cluster, user), now, submission)
        })
    }

    fn resolve_as(&self, user: &str, id: &str, state: RequestState, reason: &str) -> Result<(), Refusal> {
        self.with(|cluster, now| {
            let caller = caller_of(cluster, user);
            let update = RequestStateSetter {
                id: id.to_owned(),
                state: state.into(),
                reason: reason.to_owned(),
                ..RequestStateSetter::default()
            };
            cluster.set_request_state(&caller, now, update)
        })
    }

    /// Creates or replaces a lock as this user, who needs the right to.
    ///
    /// # Errors
    /// As `UpsertLock` refuses it.
    pub fn upsert_lock_as(&self, user: &str, lock: LockV2) -> Result<(), Refusal> {
        self.with(|cluster, now| cluster.upsert_lock(&caller_of(cluster, user), now, lock))
    }

    /// Deletes a lock as this user, who needs the right to.
    ///
    /// # Errors
    /// As `DeleteLock` refuses it.
    pub fn delete_lock_as(&self, user: &str, name: &str) -> Result<(), Refusal> {
        self.with(|cluster, now| cluster.delete_lock(&caller_of(cluster, user), now, name))
    }

    /// Everything there is, from the backend.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.with(|cluster, now| Snapshot {
            now,
            sequence: cluster.history().last_sequence(),
            requests: cluster.requests().values().cloned().collect(),
            locks: cluster.locks().values().cloned().collect(),
        })
    }

    /// Every change after this number (0 for all), oldest first.
    #[must_use]
    pub fn history_since(&self, sequence: u64) -> Vec<Arc<Entry>> {
        self.with(|cluster, _| cluster.history().since(sequence).cloned().collect())
    }

    /// Every change since the server started, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<Arc<Entry>> {
        self.history_since(0)
    }

    /// Waits until the cluster has changed after this number; gives the number of the newest change.
    pub async fn changed_since(&self, sequence: u64) -> u64 {
        let mut changed = self.shared.subscribe();
        match changed.wait_for(|last| *last > sequence).await {
            Ok(last) => *last,
            // The sender lives as long as this handle.
            Err(_) => sequence,
        }
    }

    /// Waits until `look` finds something in the cluster; looks now and after every change. Put a deadline around it.
    pub async fn wait_until<T>(&self, mut look: impl FnMut(&Cluster, Moment) -> Option<T>) -> T {
        loop {
            let (found, sequence) = self.with(|cluster, now| (look(cluster, now), cluster.history().last_sequence()));
            if let Some(found) = found {
                return found;
            }
            self.changed_since(sequence).await;
        }
    }

    /// Open watch streams.
    #[must_use]
    pub fn watchers(&self) -> usize {
        self.shared.with_watchers(|_, watchers, _| watchers.len())
    }

    /// Breaks all open watch streams; connections stay.
    pub fn drop_watches(&self) {
        self.shared.close_watchers(&Status::unavailable("watcher closed: injected fault"));
    }

    /// Cuts all connections, as when the server dies; new ones are accepted.
    pub fn cut_connections(&self) {
        self.shared.close_watchers(&Status::unavailable("connection cut: injected fault"));
        self.certificates.cut_connections();
    }

    /// Removes what is over now, without waiting for the next sweep.
    pub fn sweep(&self) -> usize {
        self.with(Cluster::sweep)
    }

    /// A new identity; see [`IssueOptions`].
    ///
    /// # Errors
    /// When the certificate cannot be made.
    pub fn issue(&self, options: &IssueOptions) -> Result<Identity, PkiError> {
        self.certificates.issue(options)
    }

    /// The next phase of a rotation of the cluster's authorities. Connections that there are stay, as with Teleport.
    ///
    /// # Errors
    /// When the phases do not follow each other, or a certificate cannot be made.
    pub fn rotate_authorities(&self, to: RotationPhase) -> Result<(), PkiError> {
        self.certificates.rotate(to)
    }

    /// The phase that a rotation of the authorities is in.
    #[must_use]
    pub fn rotation_phase(&self) -> RotationPhase {
        self.certificates.phase()
    }

    pub(super) fn stop(&self) {
        self.shared.stop.cancel();
        self.cut_connections();
    }
}

/// The user with the roles that their certificate would carry.
fn caller_of(cluster: &Cluster, user: &str) -> Caller {
    let known = cluster.users().get(user);
    Caller {
        roles: known.map(|known| known.effective_roles().to_vec()).unwrap_or_default(),
        bot: known.is_some_and(|known| known.bot),
        ..Caller::person(user, &[])
    }
}
