//! For the native tests of a policy: builders of cases and requests, captured log lines, and a check of the contract.
//! It must never be linked into a component.

mod cases;
mod contract;

use std::cell::RefCell;

pub use cases::{CaseBuilder, NOW_MS, RequestBuilder, case, held, node, pending, promoted, resource};
pub use contract::{faults_of_description, faults_of_opinion, faults_of_orders};

use crate::log::Level;
use crate::{Policy, settings};

/// At most this many log lines are kept for a thread; older ones are dropped.
pub const LOG_LINES_COUNT_MAX: usize = 1024;

thread_local! {
    static LINES: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// The policy with these settings (a JSON text), by the way that a component takes.
///
/// # Errors
/// All faults of the settings, each a sentence that names the key.
pub fn configure<P: Policy>(text: &str) -> Result<P, Vec<String>> {
    settings::configure(text)
}

/// What policies wrote to the log in this thread since the last call, oldest first.
#[must_use]
pub fn logs() -> Vec<(Level, String)> {
    LINES.take()
}

pub(crate) fn capture(level: Level, message: &str) {
    LINES.with_borrow_mut(|lines| {
        if lines.len() >= LOG_LINES_COUNT_MAX {
            lines.remove(0);
        }
        lines.push((level, message.to_owned()));
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log;

    #[test]
    fn log_lines_are_captured_once() {
        log::warn("careful");
        log::debug("detail");
        assert_eq!(logs(), [(Level::Warn, "careful".to_owned()), (Level::Debug, "detail".to_owned())]);
        assert_eq!(logs(), []);
    }

    #[test]
    fn captured_lines_are_bounded() {
        for n in 0..=LOG_LINES_COUNT_MAX {
            log::info(n.to_string());
        }
        let lines = logs();
        assert_eq!(lines.len(), LOG_LINES_COUNT_MAX);
        assert_eq!(lines.last().unwrap().1, LOG_LINES_COUNT_MAX.to_string());
    }
}
