//! What goes into the core and what comes out of it: the whole of its contact with the world.

use std::sync::Arc;

use crate::case::{Case, Fact};
use crate::failure::Failure;
use crate::lock::{Lock, LockName};
use crate::opinion::{Fault, LockOrder, Opinion, Panel};
use crate::record::{DecisionId, Record};
use crate::request::{AccessRequest, Background, RequestId, RequestedResource, UserName};

/// Ties the reply to an action to what it was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time went by.
    Tick,
    /// The watch stream is up: its first event, INIT, arrived.
    WatchUp,
    /// The watch stream broke.
    WatchDown(String),
    /// The watch stream says that a request is now like this.
    RequestPut(Arc<AccessRequest>),
    /// The watch stream says that a request is gone.
    RequestGone(RequestId),
    /// The watch stream says that a lock is now like this.
    LockPut(Box<Lock>),
    /// The watch stream says that a lock is gone.
    LockGone(LockName),
    /// A full list came in, or failed.
    Listed(Result<Listing, Failure>),
    /// The operator's facts were read anew.
    Facts(Arc<[Fact]>),
    /// The operator releases the breaker.
    BreakerReleased,
    /// Other policies are asked from now on, or the same ones with other settings.
    PanelChanged(Panel),
    /// An action is done.
    Done(Ticket, Reply),
}

/// Everything live in the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// All access requests; shared, because there are many, and whoever remembers them need not copy them.
    pub requests: Vec<Arc<AccessRequest>>,
    /// All locks.
    pub locks: Vec<Lock>,
}

/// The answer to an action with a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// To [`Question::Review`].
    Opinion(Result<Opinion, Fault>),
    /// To [`Question::Enforce`].
    Orders(Result<Vec<LockOrder>, Fault>),
    /// To [`Action::ReadSubject`].
    Subject(Result<Background, Failure>),
    /// To [`Action::Record`]: it is durable, or why not.
    Recorded(Result<(), String>),
    /// To [`Action::Reread`]: in the order asked for; none for what does not exist.
    Reread(Result<Fresh, Failure>),
    /// To [`Action::WriteLock`], [`Action::DeleteLock`] and [`Action::Resolve`].
    Written(Result<(), Failure>),
}

/// What the server says right now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// The requests asked for.
    pub requests: Vec<Option<AccessRequest>>,
    /// The locks asked for.
    pub locks: Vec<Option<Lock>>,
}

/// Something to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// List all requests and locks; answered by [`Event::Listed`].
    List,
    /// Ask a policy of the panel.
    Ask {
        /// For the reply.
        ticket: Ticket,
        /// Of which panel: a decision asks one, from its first question to its last.
        generation: u64,
        /// Its place in the panel.
        policy: usize,
        /// What.
        question: Question,
        /// About what.
        case: Arc<Case>,
    },
    /// Read a user's standing roles and traits, and the labels of resources.
    ReadSubject {
        /// For the reply.
        ticket: Ticket,
        /// Whose.
        user: UserName,
        /// The resources that the user's requests name.
        resources: Vec<RequestedResource>,
    },
    /// Write to the ledger; with a ticket, answer when it is durable.
    Record {
        /// For the reply; none: nothing waits for it.
        ticket: Option<Ticket>,
        /// What.
        record: Box<Record>,
    },
    /// Read requests and locks by name, from the server's own state rather than from a cache.
    Reread {
        /// For the reply.
        ticket: Ticket,
        /// Which requests.
        requests: Vec<RequestId>,
        /// Which locks.
        locks: Vec<LockName>,
    },
    /// Create or renew a lock.
    WriteLock {
        /// For the reply.
        ticket: Ticket,
        /// The lock as it is to be.
        lock: Box<Lock>,
    },
    /// Delete a lock.
    DeleteLock {
        /// For the reply.
        ticket: Ticket,
        /// Which.
        name: LockName,
    },
    /// Approve or deny a request, or review it as approved or denied.
    Resolve {
        /// For the reply.
        ticket: Ticket,
        /// How.
        resolution: Box<Resolution>,
    },
}

/// Which of Teleport's two ways resolves requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveWith {
    /// `SetAccessRequestState`: decides at once, past all thresholds.
    State,
    /// `SubmitAccessReview`: one voice beside those of people; thresholds decide what it is worth.
    Review,
}

/// What a policy is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// What about this pending request?
    Review(RequestId),
    /// Which held requests must be locked now?
    Enforce,
}

/// How a request is resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// Which request.
    pub request: RequestId,
    /// By which of Teleport's two ways.
    pub with: ResolveWith,
    /// Approved, or else denied.
    pub approve: bool,
    /// Shown to the requester; at most [`crate::REASON_BYTES_MAX`] bytes. That of a review names the decision, see
    /// [`Review::decision`](crate::request::Review::decision).
    pub reason: String,
    /// The decision behind it; where the state is set, it goes into [`crate::request::DECISION_ANNOTATION`].
    pub decision: DecisionId,
    /// The rules that determined it, as `policy/rule`.
    pub rules: Vec<String>,
}
