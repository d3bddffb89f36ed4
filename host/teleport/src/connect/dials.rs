//! Counts the connections behind a channel, so that what was learnt over one is not believed of the next, and knows as
//! whom the newest was made.
//!
//! Must never say that a connection stands: only that it came about.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::identity::Identity;

/// The connections of one channel.
#[derive(Debug, Default)]
pub(crate) struct Dials {
    under_way: AtomicBool,
    made: AtomicU64,
    identity: Mutex<Option<Arc<Identity>>>,
}

// === impl Dials ===

impl Dials {
    /// One is being made.
    pub(crate) fn begin(&self) {
        self.under_way.store(true, Ordering::Relaxed);
    }

    /// It came about, or did not.
    pub(crate) fn end(&self, made: bool) {
        self.under_way.store(false, Ordering::Relaxed);
        if made {
            self.made.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The one under way came about as this one.
    pub(crate) fn made_as(&self, identity: Arc<Identity>) {
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    /// As whom the newest was made; none: there was none yet.
    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether one is being made just now.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way.load(Ordering::Relaxed)
    }

    /// How many came about so far, which is the number of the newest.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }
}
