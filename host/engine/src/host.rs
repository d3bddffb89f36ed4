//! What one instance has: its meters, its log, its inert WASI. Made for one evaluation and dropped with it, so that
//! nothing passes from one case to another.

pub(crate) mod log;
pub(crate) mod meter;
pub(crate) mod wasi;

use std::sync::Arc;

use tribunal_core::case::Case;

use self::log::Log;
use self::meter::Meter;
use self::wasi::Wasi;
use crate::engine::limits::Limits;

/// The data of a store.
pub(crate) struct Host {
    pub(crate) meter: Meter,
    pub(crate) log: Log,
    pub(crate) wasi: Wasi,
}

/// Why the host itself ended a guest.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// It asked to.
    #[error("called `exit` instead of answering")]
    Exit,
    /// It exceeded a limit.
    #[error("exceeded its limit of {max} {what} (`{name}`)")]
    Limit { name: &'static str, max: u64, what: &'static str },
    /// It broke a rule of WASI.
    #[error("broke a rule of WASI: {0}")]
    Misuse(&'static str),
}

// === impl Host ===

impl Host {
    /// For one evaluation of the plugin `name`; without a case while it is being loaded.
    pub(crate) fn new(name: &Arc<str>, limits: &Limits, case: Option<&Arc<Case>>) -> Self {
        Self {
            meter: Meter::new(limits),
            log: Log::new(Arc::clone(name), limits),
            wasi: Wasi::new(limits.output_bytes_max, case.map(Arc::clone)),
        }
    }
}
