//! The way back from a guest's thread to whoever asked: nobody waits for a guest that keeps its thread past its deadline. It
//! carries one answer, and never a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tracing::debug;
use tribunal_core::opinion::{Fault, FaultKind};

use crate::engine::ticker::Watch;
use crate::fault;
use crate::session::Sandbox;

/// By how many milliseconds a deadline may be exceeded until whoever asked is told so, however the guest keeps its thread.
const LATE_MS_MAX: u64 = 5;

/// The way back to whoever asked: for the answer, or for the fault of one that is late; whichever is first.
pub(super) struct Reply<T>(Arc<Mutex<Option<Sender<T>>>>);

/// Takes an answer.
type Sender<T> = oneshot::Sender<Result<T, Fault>>;

// === impl Reply ===

impl<T: Send + 'static> Reply<T> {
    pub(super) fn new(reply: Sender<T>) -> Self {
        Self(Arc::new(Mutex::new(Some(reply))))
    }

    /// While the result lives: when the deadline is over and a guest is in something that cannot be interrupted, such as
    /// one instruction on all of its memory, nobody waits for that. Its thread comes back by itself.
    pub(super) fn by<'a>(&self, sandbox: &'a Sandbox) -> Option<Watch<'a>> {
        let deadline_ms = sandbox.limits.deadline_ms;
        let until = Instant::now() + Duration::from_millis(deadline_ms.saturating_add(LATE_MS_MAX));
        let late = Self(Arc::clone(&self.0));
        let fault = move || {
            debug!("Policy cannot be interrupted yet");
            late.give(Err(Fault::new(FaultKind::Deadline, fault::late(deadline_ms))));
        };
        // Without a thread that watches, there is no evaluation either: it says so itself.
        sandbox.ticker.watch(until, Box::new(fault)).ok()
    }

    pub(super) fn give(&self, result: Result<T, Fault>) {
        let reply = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Who asked may have gone.
        let _unheard = reply.map(|reply| reply.send(result));
    }
}
