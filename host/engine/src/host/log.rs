//! The lines that a policy writes for the operator, within a budget: what is beyond it is dropped, as the contract says, and a
//! flood of that is a fault. Never shown to a requester, never an answer.

use std::sync::Arc;

use tracing::{debug, info, warn};

use super::Stop;
use crate::bindings::policy::tribunal::policy::log::{Host, Level};
use crate::bindings::policy::tribunal::policy::types;
use crate::engine::limits::Limits;
use crate::text;

/// Lines that are dropped in one evaluation; one more is a flood.
pub(crate) const DROPPED_LINES_MAX: usize = 1_000;
/// Bytes that are dropped in one evaluation; more are a flood.
pub(crate) const DROPPED_BYTES_MAX: usize = 1024 * 1024;

/// The log of one evaluation.
pub(crate) struct Log {
    plugin: Arc<str>,
    calls_left: usize,
    calls_max: usize,
    bytes_left: usize,
    bytes_max: usize,
    dropped_lines: usize,
    dropped_bytes: usize,
    /// What was admitted, where somebody wants to see it.
    kept: Option<Vec<LogLine>>,
}

/// A line that a policy logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info` or `warn`.
    pub level: &'static str,
    /// What it says, cleaned of what moves a terminal.
    pub text: String,
}

// === impl Log ===

impl Log {
    pub(super) const fn new(plugin: Arc<str>, limits: &Limits) -> Self {
        Self {
            plugin,
            calls_left: limits.log_calls_max,
            calls_max: limits.log_calls_max,
            bytes_left: limits.log_bytes_max,
            bytes_max: limits.log_bytes_max,
            dropped_lines: 0,
            dropped_bytes: 0,
            kept: None,
        }
    }

    /// Keeps what is admitted from now on.
    pub(crate) fn keep(&mut self) {
        self.kept = Some(Vec::new());
    }

    /// What was kept, and how many lines were dropped.
    pub(crate) fn kept(&self) -> (Vec<LogLine>, usize) {
        (self.kept.clone().unwrap_or_default(), self.dropped_lines)
    }

    /// Says how much was dropped, if anything was. To be called once, at the end.
    pub(crate) fn close(&self) {
        if self.dropped_lines > 0 || self.dropped_bytes > 0 {
            warn!(
                policy.id = %self.plugin,
                lines = self.dropped_lines,
                bytes = self.dropped_bytes,
                log_calls_max = self.calls_max,
                log_bytes_max = self.bytes_max,
                "Policy logged more than its limit, the rest is dropped"
            );
        }
    }

    /// The part of `message` that the budget still has room for; or the flood that it is part of.
    fn admit(&mut self, message: &str) -> Result<Option<String>, Stop> {
        if self.calls_left == 0 || self.bytes_left == 0 {
            self.dropped_lines = self.dropped_lines.saturating_add(1);
            self.dropped_bytes = self.dropped_bytes.saturating_add(message.len());
            self.check_flood()?;
            return Ok(None);
        }
        self.calls_left -= 1;
        let line = text::clip(message, self.bytes_left);
        let beyond = message.len().saturating_sub(self.bytes_left);
        self.dropped_bytes = self.dropped_bytes.saturating_add(beyond);
        self.bytes_left = self.bytes_left.saturating_sub(message.len());
        self.check_flood()?;
        Ok(Some(line))
    }

    fn check_flood(&self) -> Result<(), Stop> {
        let max = |max: usize| u64::try_from(max).unwrap_or(u64::MAX);
        if self.dropped_lines > DROPPED_LINES_MAX {
            let what = "lines of log, and a thousand more";
            return Err(Stop::Limit { name: "log_calls_max", max: max(self.calls_max), what });
        }
        if self.dropped_bytes > DROPPED_BYTES_MAX {
            let what = "bytes of log, and a million more";
            return Err(Stop::Limit { name: "log_bytes_max", max: max(self.bytes_max), what });
        }
        Ok(())
    }
}

impl Host for Log {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let Some(line) = self.admit(&message).map_err(wasmtime::Error::new)? else { return Ok(()) };
        let plugin = &self.plugin;
        if let Some(kept) = &mut self.kept {
            kept.push(LogLine { level: word(level), text: line.clone() });
        }
        match level {
            Level::Debug => debug!(policy.id = %plugin, line, "Policy logged"),
            Level::Info => info!(policy.id = %plugin, line, "Policy logged"),
            Level::Warn => warn!(policy.id = %plugin, line, "Policy logged"),
        }
        Ok(())
    }
}

impl types::Host for Log {}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_log_of_an_evaluation_is_bounded_in_lines_and_bytes() {
        let limits = Limits { log_calls_max: 3, log_bytes_max: 10, ..Limits::default() };
        let mut log = Log::new("p".into(), &limits);
        assert_eq!(log.admit("a\nb").unwrap(), Some("a b".to_owned()));
        assert_eq!(log.admit("12345678").unwrap(), Some("1234567…".to_owned()));
        assert_eq!(log.admit("no bytes left").unwrap(), None);
        let mut log = Log::new("p".into(), &limits);
        let admitted = std::iter::repeat_with(|| log.admit("").unwrap()).take(5).flatten().count();
        assert_eq!((admitted, log.dropped_lines), (3, 2));
    }

    #[test]
    fn a_flood_is_a_fault_that_names_its_limit() {
        let limits = Limits { log_calls_max: 3, log_bytes_max: 10, ..Limits::default() };
        let mut log = Log::new("p".into(), &limits);
        let admitted = std::iter::repeat_with(|| log.admit("")).take_while(Result::is_ok).count();
        assert_eq!(admitted, 3 + DROPPED_LINES_MAX);
        assert!(log.admit("").unwrap_err().to_string().contains("(`log_calls_max`)"));
        let huge = "x".repeat(DROPPED_BYTES_MAX + 11);
        assert!(Log::new("p".into(), &limits).admit(&huge).unwrap_err().to_string().contains("(`log_bytes_max`)"));
    }
}
