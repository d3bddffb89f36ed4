//! The lines that a policy writes for the operator, within a budget; never shown to a requester, never an answer.

use std::sync::Arc;

use tracing::{debug, info, warn};

use crate::bindings::policy::tribunal::policy::log::{Host, Level};
use crate::bindings::policy::tribunal::policy::types;
use crate::engine::limits::Limits;
use crate::text;

/// The log of one evaluation.
pub(crate) struct Log {
    plugin: Arc<str>,
    calls_left: usize,
    bytes_left: usize,
    dropped: u64,
}

// === impl Log ===

impl Log {
    pub(super) const fn new(plugin: Arc<str>, limits: &Limits) -> Self {
        Self { plugin, calls_left: limits.log_calls_max, bytes_left: limits.log_bytes_max, dropped: 0 }
    }

    /// Says how much was dropped, if anything was. To be called once, at the end.
    pub(crate) fn close(&self) {
        if self.dropped > 0 {
            warn!(policy.id = %self.plugin, lines = self.dropped, "Policy logged more than its limit, the rest is dropped");
        }
    }

    /// The part of `message` that the budget still has room for.
    fn admit(&mut self, message: &str) -> Option<String> {
        if self.calls_left == 0 || self.bytes_left == 0 {
            self.dropped = self.dropped.saturating_add(1);
            return None;
        }
        self.calls_left -= 1;
        let line = text::clip(message, self.bytes_left);
        self.bytes_left = self.bytes_left.saturating_sub(message.len());
        Some(line)
    }
}

impl Host for Log {
    fn write(&mut self, level: Level, message: String) {
        let Some(line) = self.admit(&message) else { return };
        let plugin = &self.plugin;
        match level {
            Level::Debug => debug!(policy.id = %plugin, line, "Policy logged"),
            Level::Info => info!(policy.id = %plugin, line, "Policy logged"),
            Level::Warn => warn!(policy.id = %plugin, line, "Policy logged"),
        }
    }
}

impl types::Host for Log {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_of_an_evaluation_is_bounded_in_lines_and_bytes() {
        let limits = Limits { log_calls_max: 3, log_bytes_max: 10, ..Limits::default() };
        let mut log = Log::new("p".into(), &limits);
        assert_eq!(log.admit("a\nb"), Some("a b".to_owned()));
        assert_eq!(log.admit("12345678"), Some("1234567…".to_owned()));
        assert_eq!(log.admit("no bytes left"), None);
        let mut log = Log::new("p".into(), &limits);
        let admitted = std::iter::repeat_with(|| log.admit("")).take(5).flatten().count();
        assert_eq!((admitted, log.dropped), (3, 2));
    }
}
