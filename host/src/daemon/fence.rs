//! Until when the daemon may act: what stands between a decision and the cluster once another daemon may lead. It must
//! never be opened by anything but a lease that was kept.

use std::time::Duration;

use tokio::sync::watch;
use tribunal_core::Timestamp;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_ports::Clock;

/// How long before a lease ends its holder stops: longer than a call to Teleport may take, so that what was on its way
/// has ended when another may lead; the rest is for clocks that differ.
pub const MARGIN: Duration = Duration::from_secs(15);

/// The end of the lease as it was kept last; none: nothing has to be kept, since nobody else is heeded.
#[derive(Clone, Debug)]
pub(super) struct Fence(Option<watch::Receiver<Timestamp>>);

// === impl Fence ===

impl Fence {
    /// Nobody else is heeded.
    pub(super) const fn alone() -> Self {
        Self(None)
    }

    pub(super) const fn by(lease_ends: watch::Receiver<Timestamp>) -> Self {
        Self(Some(lease_ends))
    }

    /// Whether anything may leave at `now`.
    pub(super) fn is_open(&self, now: Timestamp) -> bool {
        self.0.as_ref().is_none_or(|ends| now < ends.borrow().before(MARGIN))
    }

    /// Makes a call that changes the cluster, unless it is too late: the process may have slept since it was decided.
    pub(super) async fn pass<C: Clock>(
        &self,
        clock: &C,
        call: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        if self.is_open(clock.now()) {
            return call.await;
        }
        Err(Failure::new(FailureClass::Retry, "not sent: the lease is over, and another daemon may lead"))
    }
}
