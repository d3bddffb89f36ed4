//! A port, with all that passes it seen. It changes no call and no answer.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tribunal_core::action::{Event, Fresh, Listing, Resolution};
use tribunal_core::case::Case;
use tribunal_core::failure::Failure;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::opinion::{Fault, LockOrder, Member, Opinion, Panel};
use tribunal_core::record::Record;
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};
use tribunal_ports::{Engine, Kept, Lease, LeaseWish, Ledger, Taken, Teleport};

use super::Signs;

/// Events on their way through; whoever has more waits in turn.
const EVENTS_MAX: usize = 64;

/// A port that is watched over.
#[derive(Debug)]
pub struct Shown<P> {
    port: Arc<P>,
    signs: Arc<Signs>,
    /// Of a panel that was pinned; none: those of the settings.
    members: Option<Vec<Member>>,
}

// === impl Shown ===

impl<P> Shown<P> {
    pub(super) fn new(port: Arc<P>, signs: &Arc<Signs>) -> Self {
        Self { port, signs: Arc::clone(signs), members: None }
    }

    async fn call<T>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let answer = call.await;
        self.signs.metrics.called(name, answer.as_ref().err(), begun.elapsed());
        answer
    }

    async fn ask<T>(
        &self,
        seat: usize,
        question: &'static str,
        call: impl Future<Output = Result<T, Fault>> + Send,
    ) -> Result<T, Fault> {
        let begun = Instant::now();
        let answer = call.await;
        let members = self.members.as_deref().unwrap_or(&self.signs.about.panel);
        self.signs.metrics.asked(members, seat, question, answer.as_ref().err(), begun.elapsed());
        answer
    }
}

impl<T: Teleport> Teleport for Shown<T> {
    async fn list(&self) -> Result<Listing, Failure> {
        let (began, begun) = (self.signs.now(), Instant::now());
        self.signs.list_begins();
        let listed = self.port.list().await;
        self.signs.listed(listed.as_ref().ok());
        self.signs.list_ended(self.signs.now().since(began), begun.elapsed(), listed.is_ok());
        listed
    }

    async fn reread(&self, requests: Vec<RequestId>, locks: Vec<LockName>) -> Result<Fresh, Failure> {
        let fresh = self.call("reread", self.port.reread(requests, locks)).await;
        self.signs.turned();
        fresh
    }

    async fn background(&self, user: UserName, resources: Vec<RequestedResource>) -> Result<Background, Failure> {
        self.call("background", self.port.background(user, resources)).await
    }

    async fn write_lock(&self, lock: Lock) -> Result<(), Failure> {
        self.call("write-lock", self.port.write_lock(lock)).await
    }

    async fn delete_lock(&self, name: LockName) -> Result<(), Failure> {
        self.call("delete-lock", self.port.delete_lock(name)).await
    }

    async fn resolve(&self, resolution: Resolution) -> Result<(), Failure> {
        self.call("resolve", self.port.resolve(resolution)).await
    }

    async fn take_lease(&self, wish: LeaseWish) -> Result<Taken, Failure> {
        self.signs.stands_by();
        let taken = self.call("take-lease", self.port.take_lease(wish)).await;
        self.signs.turned();
        taken
    }

    async fn keep_lease(&self, lease: Lease) -> Result<Kept, Failure> {
        self.call("keep-lease", self.port.keep_lease(lease)).await
    }

    async fn release_lease(&self, lease: Lease) -> Result<(), Failure> {
        self.call("release-lease", self.port.release_lease(lease)).await
    }

    async fn watch(&self, events: mpsc::Sender<Event>) {
        let (seen, mut incoming) = mpsc::channel(EVENTS_MAX);
        let pass_on = async {
            while let Some(event) = incoming.recv().await {
                self.signs.sees(&event);
                if events.send(event).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = self.port.watch(seen) => {}
            () = pass_on => {}
            () = events.closed() => {}
        }
    }
}

impl<E: Engine> Engine for Shown<E> {
    async fn review(&self, policy: usize, request: RequestId, case: Arc<Case>) -> Result<Opinion, Fault> {
        self.ask(policy, "review", self.port.review(policy, request, case)).await
    }

    async fn enforce(&self, policy: usize, case: Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        self.ask(policy, "enforce", self.port.enforce(policy, case)).await
    }

    fn pinned(&self) -> Option<(Self, Panel)> {
        let (port, panel) = self.port.pinned()?;
        self.signs.seated(&panel.members);
        let shown = Self { port: Arc::new(port), signs: Arc::clone(&self.signs), members: Some(panel.members.clone()) };
        Some((shown, panel))
    }

    async fn replaced(&self) {
        self.port.replaced().await;
    }
}

impl<L: Ledger> Ledger for Shown<L> {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        self.signs.recorded(&record);
        let signs = Arc::clone(&self.signs);
        let begun = Instant::now();
        // The order of records is that of these calls.
        let durable = self.port.append(record);
        async move {
            let appended = durable.await;
            signs.metrics.append_took(begun.elapsed());
            signs.appended(&appended);
            appended
        }
    }
}
