//! What a policy is shown: all that is known about one subject at one time. Built by the controller, never by a policy.

use std::sync::Arc;

use crate::lock::LockName;
use crate::opinion::LockOrder;
use crate::request::{AccessRequest, Decider, RequestId, RequestState, Subject};
use crate::time::Timestamp;

/// A lock in force on a request, as a policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseLock {
    /// Its name.
    pub name: LockName,
    /// Its message.
    pub message: String,
    /// Whether an earlier policy of the panel orders it in this round.
    pub ours: bool,
    /// When it ends; none: when it is deleted.
    pub expires: Option<Timestamp>,
}

/// A request as a policy sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRequest {
    /// The request; its annotations under `tribunal/` are the host's.
    pub request: AccessRequest,
    /// Locks in force on it, by name.
    pub locks: Vec<CaseLock>,
}

/// Data that the operator configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// A JSON text.
    pub json: String,
    /// When its source last said so.
    pub fetched: Timestamp,
    /// Whether it is young enough for the operator.
    pub fresh: bool,
}

/// All that is known about one subject at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The only clock of a policy.
    pub now: Timestamp,
    /// The name of the root cluster.
    pub cluster: String,
    /// Whose requests these are.
    pub subject: Subject,
    /// Live requests, oldest first, equal ages by id; shared by the cases that differ in others of them.
    pub requests: Vec<Arc<CaseRequest>>,
    /// Facts, by name.
    pub facts: Arc<[Fact]>,
}

// === impl Case ===

impl Case {
    /// The request with this id.
    #[must_use]
    pub fn find(&self, id: &RequestId) -> Option<&CaseRequest> {
        self.requests.iter().map(|entry| &**entry).find(|entry| entry.request.id == *id)
    }

    fn find_mut(&mut self, id: &RequestId) -> Option<&mut CaseRequest> {
        self.requests.iter_mut().find(|entry| entry.request.id == *id).map(Arc::make_mut)
    }

    /// This case as it would be if this request were approved: what policies are shown when they are asked which locks
    /// its approval needs.
    #[must_use]
    pub fn as_if_held(&self, id: &RequestId) -> Self {
        let mut case = self.clone();
        if let Some(entry) = case.find_mut(id) {
            entry.request.state = RequestState::Approved;
            entry.request.decided_by = Decider::Tribunal;
        }
        case
    }

    /// This case with these orders shown as locks in force: what a later policy of the panel sees.
    #[must_use]
    pub fn with_orders<'a>(&self, orders: impl IntoIterator<Item = &'a LockOrder>) -> Self {
        let mut case = self.clone();
        for LockOrder { request, ground, until } in orders {
            if let Some(entry) = case.find_mut(request) {
                entry.locks.push(CaseLock {
                    name: LockName::of(request),
                    message: ground.reason.clone(),
                    ours: true,
                    expires: until.or(entry.request.access_expires),
                });
                entry.locks.sort_by(|a, b| a.name.cmp(&b.name));
            }
        }
        case
    }
}
