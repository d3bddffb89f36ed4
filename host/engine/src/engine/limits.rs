//! Every limit of the sandbox, with its name, unit and default; nothing here measures anything.

use std::fmt;
use std::num::NonZeroUsize;
use std::thread;

/// What a worker's stack has beyond what guests may use: the host's own frames.
const HOST_STACK_BYTES: usize = 2 * 1024 * 1024;
/// The longest deadline that anybody may configure, in milliseconds.
const DEADLINE_MS_CEILING: u64 = 60_000;
/// The most threads that anybody may configure.
const CONCURRENCY_CEILING: usize = 1_024;
/// The most stack that guests may be given, in bytes.
const STACK_BYTES_CEILING: usize = 64 * 1024 * 1024;
/// The most elements, instances, memories or tables that anybody may configure.
const COUNT_CEILING: u64 = 1_000_000;
/// The largest memory that 32-bit Wasm can have.
const MEMORY_BYTES_CEILING: usize = 4 * 1024 * 1024 * 1024;

/// The limits of every plugin. [`LimitOverrides`] lower them for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds for one evaluation: instantiation, `configure` and `review` or `enforce` together.
    pub deadline_ms: u64,
    /// Milliseconds for each of `describe` and `configure` when a plugin is loaded, with their instantiation.
    pub setup_deadline_ms: u64,
    /// Bytes of linear memory, summed over all memories of an instance.
    pub memory_bytes_max: usize,
    /// Elements, summed over all tables of an instance.
    pub table_elements_max: usize,
    /// Core instances in an instance.
    pub instances_max: usize,
    /// Linear memories in an instance.
    pub memories_max: usize,
    /// Tables in an instance.
    pub tables_max: usize,
    /// Bytes of stack that Wasm code may use.
    pub stack_bytes_max: usize,
    /// Bytes that one call may hand to the host: an answer, or the arguments of an import.
    pub hostcall_bytes_max: usize,
    /// Lines of log for one evaluation; more are dropped.
    pub log_calls_max: usize,
    /// Bytes of log for one evaluation; more are dropped.
    pub log_bytes_max: usize,
    /// Last bytes of each of standard output and standard error that are kept.
    pub output_bytes_max: usize,
    /// Grounds of a denial.
    pub grounds_max: usize,
    /// Bytes of a ground's reason.
    pub reason_bytes_max: usize,
    /// Lock orders in an answer.
    pub lock_orders_max: usize,
    /// Bytes of a component.
    pub component_bytes_max: usize,
    /// Bytes of a plugin's settings as JSON.
    pub settings_bytes_max: usize,
    /// Evaluations of one plugin that run at a time.
    pub concurrency: usize,
    /// Evaluations of one plugin that wait; who comes later waits for a place in the queue.
    pub queue: usize,
}

/// Limits of one plugin. They can only lower those of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// See [`Limits::deadline_ms`].
    pub deadline_ms: Option<u64>,
    /// See [`Limits::setup_deadline_ms`].
    pub setup_deadline_ms: Option<u64>,
    /// See [`Limits::memory_bytes_max`].
    pub memory_bytes_max: Option<usize>,
    /// See [`Limits::table_elements_max`].
    pub table_elements_max: Option<usize>,
    /// See [`Limits::instances_max`].
    pub instances_max: Option<usize>,
    /// See [`Limits::memories_max`].
    pub memories_max: Option<usize>,
    /// See [`Limits::tables_max`].
    pub tables_max: Option<usize>,
    /// See [`Limits::hostcall_bytes_max`].
    pub hostcall_bytes_max: Option<usize>,
    /// See [`Limits::log_calls_max`].
    pub log_calls_max: Option<usize>,
    /// See [`Limits::log_bytes_max`].
    pub log_bytes_max: Option<usize>,
    /// See [`Limits::grounds_max`].
    pub grounds_max: Option<usize>,
    /// See [`Limits::lock_orders_max`].
    pub lock_orders_max: Option<usize>,
    /// See [`Limits::component_bytes_max`].
    pub component_bytes_max: Option<usize>,
    /// See [`Limits::concurrency`].
    pub concurrency: Option<usize>,
    /// See [`Limits::queue`].
    pub queue: Option<usize>,
}

/// An override that does not lower.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is {asked}, and the limit of all plugins is {limit}: an override can only lower it, and not to 0")]
pub struct RaisedLimit {
    /// The limit.
    pub name: &'static str,
    /// What the override says.
    pub asked: u64,
    /// What holds for all.
    pub limit: u64,
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_ms: 50,
            setup_deadline_ms: 250,
            memory_bytes_max: 64 * 1024 * 1024,
            table_elements_max: 100_000,
            instances_max: 64,
            memories_max: 8,
            tables_max: 64,
            stack_bytes_max: 512 * 1024,
            hostcall_bytes_max: 2 * 1024 * 1024,
            log_calls_max: 100,
            log_bytes_max: 16 * 1024,
            output_bytes_max: 4 * 1024,
            grounds_max: 64,
            reason_bytes_max: tribunal_core::REASON_BYTES_MAX,
            lock_orders_max: 1_000,
            component_bytes_max: 32 * 1024 * 1024,
            settings_bytes_max: 64 * 1024,
            concurrency: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            queue: 1_024,
        }
    }
}

impl Limits {
    /// Threads: one more than a single plugin may have, so that none ever has them all.
    pub(crate) const fn workers(&self) -> usize {
        self.concurrency.saturating_add(1)
    }

    /// The stack of each of them, in bytes.
    pub(crate) const fn worker_stack_bytes(&self) -> usize {
        self.stack_bytes_max.saturating_add(HOST_STACK_BYTES)
    }

    /// Refuses limits with which nothing could run.
    pub(crate) fn check(&self) -> Result<(), String> {
        let wide = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let ranges = [
            ("deadline_ms", self.deadline_ms, DEADLINE_MS_CEILING),
            ("setup_deadline_ms", self.setup_deadline_ms, DEADLINE_MS_CEILING),
            ("memory_bytes_max", wide(self.memory_bytes_max), wide(MEMORY_BYTES_CEILING)),
            ("table_elements_max", wide(self.table_elements_max), COUNT_CEILING),
            ("instances_max", wide(self.instances_max), COUNT_CEILING),
            ("memories_max", wide(self.memories_max), COUNT_CEILING),
            ("tables_max", wide(self.tables_max), COUNT_CEILING),
            ("stack_bytes_max", wide(self.stack_bytes_max), wide(STACK_BYTES_CEILING)),
            ("hostcall_bytes_max", wide(self.hostcall_bytes_max), wide(MEMORY_BYTES_CEILING)),
            ("concurrency", wide(self.concurrency), wide(CONCURRENCY_CEILING)),
        ];
        for (name, value, ceiling) in ranges {
            if value == 0 || value > ceiling {
                return Err(format!("`{name}` is {value}: give it 1 to {ceiling}"));
            }
        }
        Ok(())
    }

    /// These limits with a plugin's own.
    pub(crate) fn lowered(&self, overrides: &LimitOverrides) -> Result<Self, Vec<RaisedLimit>> {
        let LimitOverrides {
            deadline_ms,
            setup_deadline_ms,
            memory_bytes_max,
            table_elements_max,
            instances_max,
            memories_max,
            tables_max,
            hostcall_bytes_max,
            log_calls_max,
            log_bytes_max,
            grounds_max,
            lock_orders_max,
            component_bytes_max,
            concurrency,
            queue,
        } = overrides;
        let mut limits = self.clone();
        let raised: Vec<_> = [
            lower("deadline_ms", &mut limits.deadline_ms, *deadline_ms, 1),
            lower("setup_deadline_ms", &mut limits.setup_deadline_ms, *setup_deadline_ms, 1),
            lower("memory_bytes_max", &mut limits.memory_bytes_max, *memory_bytes_max, 1),
            lower("table_elements_max", &mut limits.table_elements_max, *table_elements_max, 0),
            lower("instances_max", &mut limits.instances_max, *instances_max, 1),
            lower("memories_max", &mut limits.memories_max, *memories_max, 1),
            lower("tables_max", &mut limits.tables_max, *tables_max, 0),
            lower("hostcall_bytes_max", &mut limits.hostcall_bytes_max, *hostcall_bytes_max, 1),
            lower("log_calls_max", &mut limits.log_calls_max, *log_calls_max, 0),
            lower("log_bytes_max", &mut limits.log_bytes_max, *log_bytes_max, 0),
            lower("grounds_max", &mut limits.grounds_max, *grounds_max, 1),
            lower("lock_orders_max", &mut limits.lock_orders_max, *lock_orders_max, 0),
            lower("component_bytes_max", &mut limits.component_bytes_max, *component_bytes_max, 1),
            lower("concurrency", &mut limits.concurrency, *concurrency, 1),
            lower("queue", &mut limits.queue, *queue, 0),
        ]
        .into_iter()
        .flatten()
        .collect();
        if raised.is_empty() { Ok(limits) } else { Err(raised) }
    }
}

/// Lowers `limit`, or says why that is no lowering.
fn lower<T>(name: &'static str, limit: &mut T, asked: Option<T>, least: u8) -> Option<RaisedLimit>
where
    T: Copy + Ord + From<u8> + fmt::Display,
    u64: TryFrom<T>,
{
    let asked = asked?;
    if asked <= *limit && asked >= T::from(least) {
        *limit = asked;
        return None;
    }
    let number = |value: T| u64::try_from(value).unwrap_or(u64::MAX);
    Some(RaisedLimit { name, asked: number(asked), limit: number(*limit) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_override_lowers_and_never_raises() {
        let limits = Limits::default();
        let lower = LimitOverrides { deadline_ms: Some(10), log_calls_max: Some(0), ..LimitOverrides::default() };
        assert_eq!(limits.lowered(&lower), Ok(Limits { deadline_ms: 10, log_calls_max: 0, ..limits.clone() }));
        let raise = LimitOverrides { deadline_ms: Some(51), memory_bytes_max: Some(0), ..LimitOverrides::default() };
        assert_eq!(
            limits.lowered(&raise),
            Err(vec![
                RaisedLimit { name: "deadline_ms", asked: 51, limit: 50 },
                RaisedLimit { name: "memory_bytes_max", asked: 0, limit: 64 * 1024 * 1024 },
            ])
        );
    }

    #[test]
    fn limits_under_which_nothing_runs_are_refused() {
        assert_eq!(Limits::default().check(), Ok(()));
        let none = Limits { deadline_ms: 0, ..Limits::default() };
        assert_eq!(none.check(), Err("`deadline_ms` is 0: give it 1 to 60000".to_owned()));
        let endless = Limits { deadline_ms: u64::MAX, ..Limits::default() };
        assert!(endless.check().is_err());
    }
}
