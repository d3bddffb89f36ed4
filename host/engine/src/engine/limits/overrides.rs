//! The limits of one plugin: they lower those of all, and none raises one, except for a longer deadline that the operator
//! grants by its own name.

use std::fmt;

use super::Limits;

/// The longest deadline that one plugin may be granted, in milliseconds: what interpreters of other languages need.
pub const DEADLINE_GRANT_MS_MAX: u64 = 1_000;

/// Limits of one plugin. They can only lower those of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    /// See [`Limits::deadline_ms`].
    pub deadline_ms: Option<u64>,
    /// A longer deadline than that of all, at most [`DEADLINE_GRANT_MS_MAX`]; not beside `deadline_ms`.
    pub granted_deadline_ms: Option<u64>,
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
    /// See [`Limits::output_bytes_max`].
    pub output_bytes_max: Option<usize>,
    /// See [`Limits::grounds_max`].
    pub grounds_max: Option<usize>,
    /// See [`Limits::reason_bytes_max`].
    pub reason_bytes_max: Option<usize>,
    /// See [`Limits::lock_orders_max`].
    pub lock_orders_max: Option<usize>,
    /// See [`Limits::component_bytes_max`].
    pub component_bytes_max: Option<usize>,
    /// See [`Limits::settings_bytes_max`].
    pub settings_bytes_max: Option<usize>,
    /// See [`Limits::concurrency`].
    pub concurrency: Option<usize>,
    /// See [`Limits::queue`].
    pub queue: Option<usize>,
}

/// An override that does not lower.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RaisedLimit {
    /// It is higher than what holds for all, or nothing at all.
    #[error(
        "`{name}` is {asked}, and the limit of all plugins is {limit}: an override can only lower it, and not to 0"
    )]
    Higher {
        /// The limit.
        name: &'static str,
        /// What the override says.
        asked: u64,
        /// What holds for all.
        limit: u64,
    },
    /// A deadline is granted that is none, or longer than may be granted.
    #[error(
        "`granted_deadline_ms` is {asked}: grant a deadline of 1 to {DEADLINE_GRANT_MS_MAX} ms, or lower it with \
         `deadline_ms`, but not both"
    )]
    Grant {
        /// What is granted.
        asked: u64,
    },
}

impl Limits {
    /// These limits with a plugin's own.
    pub(crate) fn lowered(&self, overrides: &LimitOverrides) -> Result<Self, Vec<RaisedLimit>> {
        let LimitOverrides {
            deadline_ms,
            granted_deadline_ms,
            setup_deadline_ms,
            memory_bytes_max,
            table_elements_max,
            instances_max,
            memories_max,
            tables_max,
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
        } = overrides;
        let mut limits = self.clone();
        let raised: Vec<_> = [
            lower("deadline_ms", &mut limits.deadline_ms, *deadline_ms, 1),
            grant(&mut limits.deadline_ms, *granted_deadline_ms, deadline_ms.is_some()),
            lower("setup_deadline_ms", &mut limits.setup_deadline_ms, *setup_deadline_ms, 1),
            lower("memory_bytes_max", &mut limits.memory_bytes_max, *memory_bytes_max, 1),
            lower("table_elements_max", &mut limits.table_elements_max, *table_elements_max, 0),
            lower("instances_max", &mut limits.instances_max, *instances_max, 1),
            lower("memories_max", &mut limits.memories_max, *memories_max, 1),
            lower("tables_max", &mut limits.tables_max, *tables_max, 0),
            lower("hostcall_bytes_max", &mut limits.hostcall_bytes_max, *hostcall_bytes_max, 1),
            lower("log_calls_max", &mut limits.log_calls_max, *log_calls_max, 0),
            lower("log_bytes_max", &mut limits.log_bytes_max, *log_bytes_max, 0),
            lower("output_bytes_max", &mut limits.output_bytes_max, *output_bytes_max, 0),
            lower("grounds_max", &mut limits.grounds_max, *grounds_max, 1),
            lower("reason_bytes_max", &mut limits.reason_bytes_max, *reason_bytes_max, 1),
            lower("lock_orders_max", &mut limits.lock_orders_max, *lock_orders_max, 0),
            lower("component_bytes_max", &mut limits.component_bytes_max, *component_bytes_max, 1),
            lower("settings_bytes_max", &mut limits.settings_bytes_max, *settings_bytes_max, 1),
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
    Some(RaisedLimit::Higher { name, asked: number(asked), limit: number(*limit) })
}

/// Grants a longer deadline; one that is shorter than that of all changes nothing.
fn grant(deadline_ms: &mut u64, granted: Option<u64>, lowered: bool) -> Option<RaisedLimit> {
    let asked = granted?;
    if lowered || asked == 0 || asked > DEADLINE_GRANT_MS_MAX {
        return Some(RaisedLimit::Grant { asked });
    }
    *deadline_ms = asked.max(*deadline_ms);
    None
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
                RaisedLimit::Higher { name: "deadline_ms", asked: 51, limit: 50 },
                RaisedLimit::Higher { name: "memory_bytes_max", asked: 0, limit: 64 * 1024 * 1024 },
            ])
        );
    }

    #[test]
    fn a_longer_deadline_is_granted_by_its_own_name_up_to_a_second() {
        let limits = Limits::default();
        let grant =
            |granted| limits.lowered(&LimitOverrides { granted_deadline_ms: Some(granted), ..Default::default() });
        assert_eq!(grant(1_000), Ok(Limits { deadline_ms: 1_000, ..limits.clone() }));
        assert_eq!(grant(20), Ok(limits.clone()), "a grant takes nothing away");
        assert_eq!(grant(1_001), Err(vec![RaisedLimit::Grant { asked: 1_001 }]));
        assert_eq!(grant(0), Err(vec![RaisedLimit::Grant { asked: 0 }]));
        let both = LimitOverrides { deadline_ms: Some(5), granted_deadline_ms: Some(100), ..Default::default() };
        assert_eq!(limits.lowered(&both), Err(vec![RaisedLimit::Grant { asked: 100 }]));
    }
}
