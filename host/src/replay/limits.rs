//! Limits between a panel's page in the ledger and the engine. It must never leave out one that an answer may depend on;
//! of deadlines it keeps none, since time is no part of a decision.

use std::collections::BTreeMap;

use tribunal_engine::{LimitOverrides, Limits};
use tribunal_ledger::schema::PanelPolicy;

/// What a panel's policies may have together.
pub(super) fn of_all(policies: &[PanelPolicy]) -> Limits {
    let most = |name: &str, default: usize| {
        let sizes = policies.iter().filter_map(|policy| size(&policy.limits, name));
        sizes.max().unwrap_or(default)
    };
    let limits = Limits::default();
    Limits {
        memory_bytes_max: most("memory_bytes_max", limits.memory_bytes_max),
        table_elements_max: most("table_elements_max", limits.table_elements_max),
        instances_max: most("instances_max", limits.instances_max),
        memories_max: most("memories_max", limits.memories_max),
        tables_max: most("tables_max", limits.tables_max),
        stack_bytes_max: most("stack_bytes_max", limits.stack_bytes_max),
        hostcall_bytes_max: most("hostcall_bytes_max", limits.hostcall_bytes_max),
        log_calls_max: most("log_calls_max", limits.log_calls_max),
        log_bytes_max: most("log_bytes_max", limits.log_bytes_max),
        grounds_max: most("grounds_max", limits.grounds_max),
        reason_bytes_max: most("reason_bytes_max", limits.reason_bytes_max),
        lock_orders_max: most("lock_orders_max", limits.lock_orders_max),
        ..limits
    }
}

/// What one of them may have alone.
pub(super) fn of_one(policy: &PanelPolicy) -> LimitOverrides {
    let own = |name: &str| size(&policy.limits, name);
    LimitOverrides {
        memory_bytes_max: own("memory_bytes_max"),
        table_elements_max: own("table_elements_max"),
        instances_max: own("instances_max"),
        memories_max: own("memories_max"),
        tables_max: own("tables_max"),
        hostcall_bytes_max: own("hostcall_bytes_max"),
        log_calls_max: own("log_calls_max"),
        log_bytes_max: own("log_bytes_max"),
        grounds_max: own("grounds_max"),
        reason_bytes_max: own("reason_bytes_max"),
        lock_orders_max: own("lock_orders_max"),
        ..LimitOverrides::default()
    }
}

fn size(limits: &BTreeMap<String, u64>, name: &str) -> Option<usize> {
    limits.get(name).map(|size| usize::try_from(*size).unwrap_or(usize::MAX))
}
