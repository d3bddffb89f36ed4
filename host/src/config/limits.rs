//! `[limits]`: every limit that can be set, with its unit in its name. It enforces none.

use toml::de::DeValue;
use tribunal_core::RoundLimits;

use super::document::{Section, wrong_type};
use super::problem::Findings;

const KIB: usize = 1024;
const MIB: usize = 1024 * 1024;

/// How many subjects are judged at once where nothing else is said.
pub const SUBJECTS_IN_FLIGHT_DEFAULT: usize = 64;

/// Limits of the daemon and of its plugins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many subjects are judged at once.
    pub subjects_in_flight_max: usize,
    /// What one round may do before the breaker trips.
    pub round: RoundLimits,
    /// What each plugin is held to.
    pub engine: tribunal_engine::Limits,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            subjects_in_flight_max: SUBJECTS_IN_FLIGHT_DEFAULT,
            round: RoundLimits::default(),
            engine: tribunal_engine::Limits::default(),
        }
    }
}

impl Limits {
    pub(super) fn read(mut section: Section<'_>, findings: &mut Findings<'_>) -> Self {
        let mut limits = Self::default();
        let Self { subjects_in_flight_max, round, engine } = &mut limits;
        let mut ms = |key, milliseconds: &mut u64, most| {
            if let Some(value) = integer(&mut section, key, 1, most, findings) {
                *milliseconds = value;
            }
        };
        ms("deadline-ms", &mut engine.deadline_ms, 60_000);
        ms("setup-deadline-ms", &mut engine.setup_deadline_ms, 60_000);
        let mut sized = |key, size: &mut usize, least, most, unit: usize| {
            if let Some(value) = integer(&mut section, key, least, most, findings) {
                *size = usize::try_from(value).unwrap_or(usize::MAX).saturating_mul(unit);
            }
        };
        sized("subjects-in-flight", subjects_in_flight_max, 1, 100_000, 1);
        sized("actions-per-round", &mut round.actions_max, 1, 10_000_000, 1);
        sized("locked-percent-per-round", &mut round.locked_percent_max, 0, 100, 1);
        sized("locked-subjects-per-round", &mut round.locked_subjects_min, 0, 10_000_000, 1);
        sized("memory-mib", &mut engine.memory_bytes_max, 1, 4_096, MIB);
        sized("component-mib", &mut engine.component_bytes_max, 1, 1_024, MIB);
        sized("stack-kib", &mut engine.stack_bytes_max, 64, 8_192, KIB);
        sized("hostcall-kib", &mut engine.hostcall_bytes_max, 1, 1_048_576, KIB);
        sized("settings-kib", &mut engine.settings_bytes_max, 1, 1_024, KIB);
        sized("log-lines", &mut engine.log_calls_max, 0, 100_000, 1);
        sized("log-kib", &mut engine.log_bytes_max, 0, 1_024, KIB);
        sized("output-kib", &mut engine.output_bytes_max, 0, 1_024, KIB);
        sized("table-elements", &mut engine.table_elements_max, 0, 10_000_000, 1);
        sized("instances", &mut engine.instances_max, 1, 1_000, 1);
        sized("memories", &mut engine.memories_max, 1, 100, 1);
        sized("tables", &mut engine.tables_max, 1, 1_000, 1);
        sized("grounds", &mut engine.grounds_max, 1, 1_000, 1);
        sized("lock-orders", &mut engine.lock_orders_max, 1, 100_000, 1);
        sized("concurrency", &mut engine.concurrency, 1, 1_024, 1);
        sized("queue", &mut engine.queue, 0, 1_000_000, 1);
        section.finish(findings);
        limits
    }
}

fn integer(
    section: &mut Section<'_>,
    key: &'static str,
    least: u64,
    most: u64,
    findings: &mut Findings<'_>,
) -> Option<u64> {
    let value = section.take(key)?;
    let DeValue::Integer(integer) = value.get_ref() else {
        wrong_type(findings, key, &value, "an integer", &least.max(10).to_string());
        return None;
    };
    let number = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
    let within = number.filter(|number| (least..=most).contains(number));
    if within.is_none() {
        let what = format!("`{key}` is {integer}: it must be from {least} to {most}");
        findings.at(&value.span(), what, "choose a value in between, or leave it out for the default");
    }
    within
}
