//! The Teleport port with gates: a test can hold a call right before it goes out, or right after the server did it, and
//! act or crash in between. It changes no call and no answer.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::watch;
use tribunal_core::action::{Event, Fresh, Listing, Resolution};
use tribunal_core::failure::Failure;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};
use tribunal_ports::{Kept, Lease, LeaseWish, Taken, Teleport};
use tribunal_teleport::Client;

/// A place where calls can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    BeforeReread,
    BeforeWriteLock,
    AfterWriteLock,
    BeforeResolve,
    AfterResolve,
    BeforeList,
}

/// What is held, and whether somebody stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Hold {
    place: Option<Place>,
    reached: bool,
}

/// Holds calls of one world, over all runs of its daemon.
#[derive(Debug)]
pub(crate) struct Gate {
    hold: watch::Sender<Hold>,
    /// How often a lease was asked for, or asked to be kept, and the answer came.
    leases: watch::Sender<u64>,
}

/// A client behind a gate.
#[derive(Debug)]
pub(crate) struct Gated {
    pub(crate) client: Client,
    pub(crate) gate: Arc<Gate>,
}

// === impl Gate ===

impl Gate {
    pub(crate) fn new() -> Self {
        Self { hold: watch::Sender::new(Hold::default()), leases: watch::Sender::new(0) }
    }

    /// From now on calls stop at this place.
    pub(crate) fn close(&self, place: Place) {
        self.hold.send_replace(Hold { place: Some(place), reached: false });
    }

    /// Ends when a call stands at the closed gate. Put a deadline around it.
    pub(crate) async fn reached(&self) {
        self.hold.subscribe().wait_for(|hold| hold.reached).await.unwrap();
    }

    /// Lets all calls go on.
    pub(crate) fn open(&self) {
        self.hold.send_replace(Hold::default());
    }

    /// Counts the answers about leases.
    pub(crate) fn leases(&self) -> watch::Receiver<u64> {
        self.leases.subscribe()
    }

    fn answered_about_lease(&self) {
        self.leases.send_modify(|count| *count += 1);
    }

    async fn pass(&self, place: Place) {
        self.hold.send_if_modified(|hold| {
            let arrived = hold.place == Some(place) && !hold.reached;
            hold.reached |= arrived;
            arrived
        });
        self.hold.subscribe().wait_for(|hold| hold.place != Some(place)).await.unwrap();
    }
}

// === impl Gated ===

impl Teleport for Gated {
    async fn list(&self) -> Result<Listing, Failure> {
        self.gate.pass(Place::BeforeList).await;
        self.client.list().await
    }

    async fn reread(&self, requests: Vec<RequestId>, locks: Vec<LockName>) -> Result<Fresh, Failure> {
        self.gate.pass(Place::BeforeReread).await;
        self.client.reread(requests, locks).await
    }

    async fn background(&self, user: UserName, resources: Vec<RequestedResource>) -> Result<Background, Failure> {
        self.client.background(user, resources).await
    }

    async fn write_lock(&self, lock: Lock) -> Result<(), Failure> {
        self.gate.pass(Place::BeforeWriteLock).await;
        let written = self.client.write_lock(lock).await;
        self.gate.pass(Place::AfterWriteLock).await;
        written
    }

    async fn delete_lock(&self, name: LockName) -> Result<(), Failure> {
        self.client.delete_lock(name).await
    }

    async fn resolve(&self, resolution: Resolution) -> Result<(), Failure> {
        self.gate.pass(Place::BeforeResolve).await;
        let resolved = self.client.resolve(resolution).await;
        self.gate.pass(Place::AfterResolve).await;
        resolved
    }

    async fn take_lease(&self, wish: LeaseWish) -> Result<Taken, Failure> {
        let taken = self.client.take_lease(wish).await;
        self.gate.answered_about_lease();
        taken
    }

    async fn keep_lease(&self, lease: Lease) -> Result<Kept, Failure> {
        let kept = self.client.keep_lease(lease).await;
        self.gate.answered_about_lease();
        kept
    }

    async fn release_lease(&self, lease: Lease) -> Result<(), Failure> {
        self.client.release_lease(lease).await
    }

    async fn watch(&self, events: mpsc::Sender<Event>) {
        Teleport::watch(&self.client, events).await;
    }
}
