//! Every limit of the sandbox, with its name, unit and default; nothing here measures anything. `host/engine/LIMITS.md`
//! is the same for people, and a test compares the two.

pub(crate) mod named;
mod overrides;

use std::num::NonZeroUsize;
use std::thread;

pub use self::overrides::{DEADLINE_GRANT_MS_MAX, LimitOverrides, RaisedLimit};

/// What a worker's stack has beyond what guests may use: the host's own frames.
const HOST_STACK_BYTES: usize = 2 * 1024 * 1024;
/// The most threads that anybody may configure.
const CONCURRENCY_CEILING: usize = 1_024;
/// The most stack that guests may be given, in bytes.
const STACK_BYTES_CEILING: usize = 64 * 1024 * 1024;
/// The stack of a thread of a crew, which may be asked to run guests under any limits; what is not used costs nothing.
pub(crate) const CREW_STACK_BYTES: usize = STACK_BYTES_CEILING + HOST_STACK_BYTES;
/// The most elements, instances, memories or tables that anybody may configure.
const COUNT_CEILING: u64 = 1_000_000;
/// The largest memory that 32-bit Wasm can have.
const MEMORY_BYTES_CEILING: usize = 4 * 1024 * 1024 * 1024;

/// The most address space that a compiling process may be given, in bytes.
const COMPILE_MEMORY_BYTES_CEILING: u64 = 64 * 1024 * 1024 * 1024;
/// The longest that it may be given, in seconds.
const COMPILE_SECS_CEILING: u64 = 3_600;
/// The longest quarantine, in milliseconds.
const QUARANTINE_MS_CEILING: u64 = 24 * 60 * 60 * 1_000;

/// What a guest has time for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// To say what it is, and to take its settings: when it is loaded.
    Setup,
    /// To answer.
    Answer,
}

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
    /// Evaluations of one plugin that wait; one more is a fault.
    pub queue: usize,
    /// Bytes of address space of the process that compiles a component.
    pub compile_memory_bytes_max: usize,
    /// Seconds of processor time of that process, over all of its threads.
    pub compile_cpu_secs_max: u64,
    /// Seconds that it may take by the clock.
    pub compile_secs_max: u64,
    /// Bytes of native code that it may answer with.
    pub compiled_bytes_max: usize,
    /// Faults in a row that put a plugin into quarantine.
    pub strikes_max: usize,
    /// Milliseconds of the first quarantine; each that follows is twice as long.
    pub quarantine_ms: u64,
    /// Milliseconds of the longest.
    pub quarantine_ms_max: u64,
}

// === impl Deadline ===

impl Deadline {
    /// In milliseconds.
    pub(crate) const fn ms(self, limits: &Limits) -> u64 {
        match self {
            Self::Setup => limits.setup_deadline_ms,
            Self::Answer => limits.deadline_ms,
        }
    }
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
            compile_memory_bytes_max: 1024 * 1024 * 1024,
            compile_cpu_secs_max: 60,
            compile_secs_max: 120,
            compiled_bytes_max: 512 * 1024 * 1024,
            strikes_max: 5,
            quarantine_ms: 5_000,
            quarantine_ms_max: 300_000,
        }
    }
}

impl Limits {
    /// The longest deadline that anybody may configure, in milliseconds.
    pub(crate) const DEADLINE_MS_CEILING: u64 = 60_000;

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
            ("deadline_ms", self.deadline_ms, Self::DEADLINE_MS_CEILING),
            ("setup_deadline_ms", self.setup_deadline_ms, Self::DEADLINE_MS_CEILING),
            ("memory_bytes_max", wide(self.memory_bytes_max), wide(MEMORY_BYTES_CEILING)),
            ("table_elements_max", wide(self.table_elements_max), COUNT_CEILING),
            ("instances_max", wide(self.instances_max), COUNT_CEILING),
            ("memories_max", wide(self.memories_max), COUNT_CEILING),
            ("tables_max", wide(self.tables_max), COUNT_CEILING),
            ("stack_bytes_max", wide(self.stack_bytes_max), wide(STACK_BYTES_CEILING)),
            ("hostcall_bytes_max", wide(self.hostcall_bytes_max), wide(MEMORY_BYTES_CEILING)),
            ("concurrency", wide(self.concurrency), wide(CONCURRENCY_CEILING)),
            ("compile_memory_bytes_max", wide(self.compile_memory_bytes_max), COMPILE_MEMORY_BYTES_CEILING),
            ("compile_cpu_secs_max", self.compile_cpu_secs_max, COMPILE_SECS_CEILING),
            ("compile_secs_max", self.compile_secs_max, COMPILE_SECS_CEILING),
            ("strikes_max", wide(self.strikes_max), COUNT_CEILING),
            ("quarantine_ms", self.quarantine_ms, QUARANTINE_MS_CEILING),
            ("quarantine_ms_max", self.quarantine_ms_max, QUARANTINE_MS_CEILING),
        ];
        for (name, value, ceiling) in ranges {
            if value == 0 || value > ceiling {
                return Err(format!("`{name}` is {value}: give it 1 to {ceiling}"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_under_which_nothing_runs_are_refused() {
        assert_eq!(Limits::default().check(), Ok(()));
        let none = Limits { deadline_ms: 0, ..Limits::default() };
        assert_eq!(none.check(), Err("`deadline_ms` is 0: give it 1 to 60000".to_owned()));
        let endless = Limits { deadline_ms: u64::MAX, ..Limits::default() };
        assert!(endless.check().is_err());
    }
}
