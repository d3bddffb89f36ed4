//! `[limits]`: every limit that can be set, with its unit in its name, and a plugin's own, which lower them. It enforces
//! none.

use toml::de::DeValue;
use tribunal_core::RoundLimits;
use tribunal_engine::{DEADLINE_GRANT_MS_MAX, LimitOverrides};

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
        let mut ms = |key, time: &mut u64, most| {
            if let Some(value) = integer(&mut section, key, 1, most, findings) {
                *time = value;
            }
        };
        ms("deadline-ms", &mut engine.deadline_ms, 60_000);
        ms("setup-deadline-ms", &mut engine.setup_deadline_ms, 60_000);
        ms("compile-cpu-secs", &mut engine.compile_cpu_secs_max, 3_600);
        ms("compile-secs", &mut engine.compile_secs_max, 3_600);
        ms("quarantine-ms", &mut engine.quarantine_ms, 86_400_000);
        ms("quarantine-ms-max", &mut engine.quarantine_ms_max, 86_400_000);
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
        sized("strikes", &mut engine.strikes_max, 1, 1_000_000, 1);
        sized("compile-memory-mib", &mut engine.compile_memory_bytes_max, 64, 65_536, MIB);
        section.finish(findings);
        limits
    }
}

/// `[[plugin]] limits`: what is lower for one plugin than for all, and the longer deadline that it may be granted.
pub(super) fn read_overrides(
    mut section: Section<'_>,
    of_all: &tribunal_engine::Limits,
    findings: &mut Findings<'_>,
) -> LimitOverrides {
    let mut ms = |key, most| own_integer(&mut section, key, 1, most, findings);
    let mut own = LimitOverrides {
        deadline_ms: ms("deadline-ms", of_all.deadline_ms),
        granted_deadline_ms: ms("granted-deadline-ms", DEADLINE_GRANT_MS_MAX),
        setup_deadline_ms: ms("setup-deadline-ms", of_all.setup_deadline_ms),
        ..LimitOverrides::default()
    };
    let mut sized = |key, size: &mut Option<usize>, least, of_all: usize, unit: usize| {
        let most = u64::try_from(of_all.checked_div(unit).unwrap_or_default()).unwrap_or(u64::MAX);
        if let Some(value) = own_integer(&mut section, key, least, most, findings) {
            *size = Some(usize::try_from(value).unwrap_or(usize::MAX).saturating_mul(unit));
        }
    };
    sized("memory-mib", &mut own.memory_bytes_max, 1, of_all.memory_bytes_max, MIB);
    sized("component-mib", &mut own.component_bytes_max, 1, of_all.component_bytes_max, MIB);
    sized("hostcall-kib", &mut own.hostcall_bytes_max, 1, of_all.hostcall_bytes_max, KIB);
    sized("settings-kib", &mut own.settings_bytes_max, 1, of_all.settings_bytes_max, KIB);
    sized("log-lines", &mut own.log_calls_max, 0, of_all.log_calls_max, 1);
    sized("log-kib", &mut own.log_bytes_max, 0, of_all.log_bytes_max, KIB);
    sized("output-kib", &mut own.output_bytes_max, 0, of_all.output_bytes_max, KIB);
    sized("table-elements", &mut own.table_elements_max, 0, of_all.table_elements_max, 1);
    sized("instances", &mut own.instances_max, 1, of_all.instances_max, 1);
    sized("memories", &mut own.memories_max, 1, of_all.memories_max, 1);
    sized("tables", &mut own.tables_max, 0, of_all.tables_max, 1);
    sized("grounds", &mut own.grounds_max, 1, of_all.grounds_max, 1);
    sized("lock-orders", &mut own.lock_orders_max, 0, of_all.lock_orders_max, 1);
    sized("concurrency", &mut own.concurrency, 1, of_all.concurrency, 1);
    sized("queue", &mut own.queue, 0, of_all.queue, 1);
    if let (Some(_), Some(_)) = (own.deadline_ms, own.granted_deadline_ms) {
        let span = section.span.clone().unwrap_or_default();
        let what = "`deadline-ms` lowers the deadline, and `granted-deadline-ms` lengthens it";
        findings.at(&span, what, "keep one of them");
    }
    section.finish(findings);
    own
}

fn own_integer(
    section: &mut Section<'_>,
    key: &'static str,
    least: u64,
    most: u64,
    findings: &mut Findings<'_>,
) -> Option<u64> {
    let help = "a plugin's own limits can only lower those of `[limits]`, but for `granted-deadline-ms`";
    integer_or(section, key, (least, most), help, findings)
}

fn integer(
    section: &mut Section<'_>,
    key: &'static str,
    least: u64,
    most: u64,
    findings: &mut Findings<'_>,
) -> Option<u64> {
    integer_or(section, key, (least, most), "choose a value in between, or leave it out for the default", findings)
}

fn integer_or(
    section: &mut Section<'_>,
    key: &'static str,
    (least, most): (u64, u64),
    help: &str,
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
        findings.at(&value.span(), what, help);
    }
    within
}
