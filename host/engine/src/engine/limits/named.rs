//! The names of all limits, and which of them a fault is about. It sets no value.

use tribunal_core::opinion::{Fault, FaultKind};

use super::Limits;
use crate::{description, host, inspect};

/// A limit, and the value that it has.
pub(crate) type Named = (&'static str, u64);

/// Limits that nobody can configure: the names of constants of this crate.
pub(crate) const FIXED: [Named; 14] = [
    ("handles_max", wide(host::wasi::HANDLES_MAX)),
    ("random_bytes_max", wide(host::wasi::RANDOM_BYTES_MAX)),
    ("nesting_max", inspect::NESTING_MAX as u64),
    ("parts_max", inspect::PARTS_MAX as u64),
    ("imports_max", inspect::IMPORTS_MAX as u64),
    ("items_max", inspect::ITEMS_MAX as u64),
    ("function_bytes_max", inspect::FUNCTION_BYTES_MAX as u64),
    ("function_locals_max", inspect::FUNCTION_LOCALS_MAX as u64),
    ("rules_max", wide(description::RULES_MAX)),
    ("summary_bytes_max", wide(description::SUMMARY_BYTES_MAX)),
    ("schema_bytes_max", wide(description::SCHEMA_BYTES_MAX)),
    ("name_bytes_max", wide(crate::text::NAME_BYTES_MAX)),
    ("settings_faults_max", wide(crate::load::SETTINGS_FAULTS_MAX)),
    ("detail_bytes_max", wide(crate::fault::DETAIL_BYTES_MAX)),
];

/// Widens a constant: no `usize` of a machine that we run on is wider than 64 bits.
const fn wide(number: usize) -> u64 {
    number as u64
}

// === impl Limits ===

impl Limits {
    /// Every limit that can be configured, by the name that faults call it by.
    pub(crate) fn named(&self) -> Vec<Named> {
        let Self {
            deadline_ms,
            setup_deadline_ms,
            memory_bytes_max,
            table_elements_max,
            instances_max,
            memories_max,
            tables_max,
            stack_bytes_max,
            hostcall_bytes_max,
            log_calls_max,
            log_bytes_max,
            output_bytes_max,
            grounds_max,
            reason_bytes_max,
            lock_orders_max,
            component_bytes_max,
            settings_bytes_max,
            concurrency,
            queue,
            compile_memory_bytes_max,
            compile_cpu_secs_max,
            compile_secs_max,
            compiled_bytes_max,
            strikes_max,
            quarantine_ms,
            quarantine_ms_max,
        } = self;
        vec![
            ("deadline_ms", *deadline_ms),
            ("setup_deadline_ms", *setup_deadline_ms),
            ("memory_bytes_max", wide(*memory_bytes_max)),
            ("table_elements_max", wide(*table_elements_max)),
            ("instances_max", wide(*instances_max)),
            ("memories_max", wide(*memories_max)),
            ("tables_max", wide(*tables_max)),
            ("stack_bytes_max", wide(*stack_bytes_max)),
            ("hostcall_bytes_max", wide(*hostcall_bytes_max)),
            ("log_calls_max", wide(*log_calls_max)),
            ("log_bytes_max", wide(*log_bytes_max)),
            ("output_bytes_max", wide(*output_bytes_max)),
            ("grounds_max", wide(*grounds_max)),
            ("reason_bytes_max", wide(*reason_bytes_max)),
            ("lock_orders_max", wide(*lock_orders_max)),
            ("component_bytes_max", wide(*component_bytes_max)),
            ("settings_bytes_max", wide(*settings_bytes_max)),
            ("concurrency", wide(*concurrency)),
            ("queue", wide(*queue)),
            ("compile_memory_bytes_max", wide(*compile_memory_bytes_max)),
            ("compile_cpu_secs_max", *compile_cpu_secs_max),
            ("compile_secs_max", *compile_secs_max),
            ("compiled_bytes_max", wide(*compiled_bytes_max)),
            ("strikes_max", wide(*strikes_max)),
            ("quarantine_ms", *quarantine_ms),
            ("quarantine_ms_max", *quarantine_ms_max),
        ]
    }
}

/// The limit that a fault is about; none: it is about none. What a guest prints stands behind it in a detail.
#[must_use]
pub fn limit_of(fault: &Fault) -> Option<&'static str> {
    match fault.kind {
        FaultKind::Deadline => Some("deadline_ms"),
        FaultKind::Memory => Some("memory_bytes_max"),
        FaultKind::Limit | FaultKind::Unavailable => limit_in(&fault.detail),
        FaultKind::Trap | FaultKind::Nonsense | FaultKind::NotGranted | FaultKind::Settings => None,
    }
}

/// Whether a fault says something about the moment and the machine, and nothing about policy and case: asking once more may
/// give an answer.
#[must_use]
pub fn is_of_the_moment(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Deadline | FaultKind::Unavailable => true,
        FaultKind::Limit => limit_of(fault) == Some("queue"),
        FaultKind::Trap | FaultKind::Memory | FaultKind::Nonsense | FaultKind::NotGranted | FaultKind::Settings => {
            false
        }
    }
}

/// The limit that a sentence names first, as ours do: in brackets.
pub(crate) fn limit_in(text: &str) -> Option<&'static str> {
    let names = Limits::default().named().into_iter().chain(FIXED).map(|(name, _)| name);
    let found = names.filter_map(|name| text.find(&format!("(`{name}`)")).map(|at| (at, name)));
    found.min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::BTreeMap;

    use super::*;

    /// The page for people.
    const PAGE: &str = include_str!("../../../LIMITS.md");

    /// Name and value of each row of its tables.
    fn rows() -> BTreeMap<String, String> {
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let rows = PAGE.lines().filter(|line| line.starts_with("| `")).map(|line| {
            let mut cells = cells(line).into_iter().skip(1);
            (cells.next().unwrap().replace('`', ""), cells.next().unwrap().replace(',', ""))
        });
        rows.collect()
    }

    #[test]
    fn the_page_of_limits_says_what_holds() {
        let mut page = rows();
        for (name, value) in Limits::default().named().into_iter().chain(FIXED) {
            let said = page.remove(name).unwrap_or_else(|| format!("nothing about `{name}`"));
            let expected = if name == "concurrency" { "processors".to_owned() } else { value.to_string() };
            assert_eq!(said, expected, "{name}");
        }
        assert_eq!(page, BTreeMap::new(), "the page names what is no limit");
    }

    #[test]
    fn a_fault_says_which_limit_it_is_about() {
        let limit = |kind, detail: &str| limit_of(&Fault::new(kind, detail));
        assert_eq!(limit(FaultKind::Deadline, "exceeded its deadline of 50 ms"), Some("deadline_ms"));
        assert_eq!(limit(FaultKind::Memory, "exceeded its memory"), Some("memory_bytes_max"));
        let flood = "exceeded its limit of 100 lines of log (`log_calls_max`) (in `review`); stdout: (`grounds_max`)";
        assert_eq!(limit(FaultKind::Limit, flood), Some("log_calls_max"));
        assert_eq!(limit(FaultKind::Trap, "stdout: (`grounds_max`)"), None);
    }
}
