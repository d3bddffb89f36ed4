//! Under which limits a guest is attacked with: those of a daemon whose configuration says nothing, and lower ones where the
//! corpus says so. It raises none but the deadline: for guests that another limit must stop, and that take their time until
//! then, and for whoever must not miss it on a machine that is busy with something else.

use tribunal_engine::{DEADLINE_GRANT_MS_MAX, LimitOverrides, Limits};
use tribunal_hostile::Guest;

/// Faults in a row before a guest is in quarantine: here, each attack is to reach its guest.
const STRIKES_MAX: usize = 1_000_000;
/// Milliseconds for `describe` and `configure` where time is not judged.
const PATIENT_SETUP_MS: u64 = 20_000;

/// The limits of one guest.
pub(super) struct Own {
    /// Its own, below those of all.
    pub(super) lowered: LimitOverrides,
    /// Other limits of all, for which it needs an engine of its own.
    pub(super) all: Option<Limits>,
}

/// The limits of all.
pub(super) fn of_all(timed: bool) -> Limits {
    let limits = Limits { strikes_max: STRIKES_MAX, ..Limits::default() };
    if timed { limits } else { Limits { setup_deadline_ms: PATIENT_SETUP_MS, ..limits } }
}

/// The limits of somebody who must not miss a deadline.
pub(super) fn patient(timed: bool) -> LimitOverrides {
    let granted = (!timed).then_some(DEADLINE_GRANT_MS_MAX);
    LimitOverrides { granted_deadline_ms: granted, ..LimitOverrides::default() }
}

/// The limits of a guest.
///
/// # Errors
/// A limit that the corpus names and nobody can lower.
pub(super) fn of(guest: &Guest, timed: bool) -> Result<Own, String> {
    let misses_deadlines = guest.fault == "deadline" || guest.crowd > 1;
    let mut lowered = if misses_deadlines { LimitOverrides::default() } else { patient(timed) };
    if misses_deadlines && !timed {
        lowered.setup_deadline_ms = Some(Limits::default().setup_deadline_ms);
    }
    let mut all = of_all(timed);
    for (name, value) in &guest.limits {
        let number = usize::try_from(*value).unwrap_or(usize::MAX);
        match name.as_str() {
            "granted_deadline_ms" => lowered.granted_deadline_ms = Some(*value),
            "setup_deadline_ms" => lowered.setup_deadline_ms = Some(*value),
            "component_bytes_max" => lowered.component_bytes_max = Some(number),
            "concurrency" => lowered.concurrency = Some(number),
            "queue" => lowered.queue = Some(number),
            "compile_cpu_secs_max" => all.compile_cpu_secs_max = *value,
            "compile_secs_max" => all.compile_secs_max = *value,
            "compile_memory_bytes_max" => all.compile_memory_bytes_max = number,
            "compiled_bytes_max" => all.compiled_bytes_max = number,
            "strikes_max" => all.strikes_max = number,
            other => return Err(format!("guest `{}`: `{other}` is no limit that a guest can have", guest.name)),
        }
    }
    let all = (all != of_all(timed)).then_some(all);
    Ok(Own { lowered, all })
}
