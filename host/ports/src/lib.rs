//! The four seams between the core and the world: Teleport, Engine, Ledger, Clock. Traits alone: nothing is done here,
//! and there is no fifth.

mod lease;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;
use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Fresh, Listing, Resolution};
use tribunal_core::case::Case;
use tribunal_core::failure::Failure;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::opinion::{Fault, LockOrder, Opinion, Panel};
use tribunal_core::record::Record;
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};

pub use lease::{Before, Kept, Lease, LeaseWish, Taken};

/// A Teleport cluster. Every call has a deadline of its own and never blocks for longer; every failure says how to
/// react to it.
pub trait Teleport: Send + Sync + 'static {
    /// Every access request and every lock of the cluster. A list that may be partial is a failure.
    fn list(&self) -> impl Future<Output = Result<Listing, Failure>> + Send;

    /// These requests and locks as they are right now, in the order asked for, read from the server's own state. The
    /// locks are read before the requests.
    fn reread(
        &self,
        requests: Vec<RequestId>,
        locks: Vec<LockName>,
    ) -> impl Future<Output = Result<Fresh, Failure>> + Send;

    /// A user's standing roles and traits, and the labels of these resources; what may not be seen is none, which is no
    /// failure.
    fn background(
        &self,
        user: UserName,
        resources: Vec<RequestedResource>,
    ) -> impl Future<Output = Result<Background, Failure>> + Send;

    /// Creates the lock, or overwrites the one of the same name.
    fn write_lock(&self, lock: Lock) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes a lock. One that does not exist is no failure.
    fn delete_lock(&self, name: LockName) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Approves or denies a request.
    fn resolve(&self, resolution: Resolution) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Takes a lease, if it is free, or is ours already: its reply was lost, or this daemon crashed and is back.
    fn take_lease(&self, wish: LeaseWish) -> impl Future<Output = Result<Taken, Failure>> + Send;

    /// Has a lease of ours end at `lease.until`, which is later than before.
    fn keep_lease(&self, lease: Lease) -> impl Future<Output = Result<Kept, Failure>> + Send;

    /// Gives a lease of ours back. One that is gone is no failure.
    fn release_lease(&self, lease: Lease) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Follows the cluster's events for ever, reconnecting by itself: [`Event::WatchUp`] after each INIT,
    /// [`Event::WatchDown`] after each break, puts and deletes of requests and locks between. Ends when `events` is
    /// closed.
    fn watch(&self, events: mpsc::Sender<Event>) -> impl Future<Output = ()> + Send;
}

/// The panel: the loaded policies, in the order of the configuration.
pub trait Engine: Send + Sync + 'static {
    /// Asks the policy at this place of the panel about a pending request.
    fn review(
        &self,
        policy: usize,
        request: RequestId,
        case: Arc<Case>,
    ) -> impl Future<Output = Result<Opinion, Fault>> + Send;

    /// Asks the policy at this place of the panel which held requests must be locked.
    fn enforce(&self, policy: usize, case: Arc<Case>) -> impl Future<Output = Result<Vec<LockOrder>, Fault>> + Send;

    /// The panel as it is now, whatever replaces it later, and who it is, its generation aside; none: nothing ever replaces
    /// it, and it is that of the settings.
    fn pinned(&self) -> Option<(Self, Panel)>
    where
        Self: Sized,
    {
        None
    }

    /// Ends when this panel, which was pinned, is the newest no more.
    fn replaced(&self) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }
}

/// The append-only record.
pub trait Ledger: Send + Sync + 'static {
    /// Appends a record. The order is that of the calls; the future ends when the record is durable, or with the reason
    /// why it is not. One durable write may serve many records.
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static;
}

/// Time.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;

    /// Ends when it is `at` or later.
    fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send;
}
