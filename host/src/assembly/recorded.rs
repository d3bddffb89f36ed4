//! What the ledger keeps of a panel, so that each decision can be made again: plugins, settings and limits, byte for byte.
//! It never hands over bytes that are not those that were loaded.

use std::collections::BTreeMap;

use tribunal_engine::{Digest, Limits, Panel, PolicyInfo};
use tribunal_ledger::{PanelParts, PolicyParts};

use super::plugins::spec;
use crate::config::Config;

/// The parts of a panel that was loaded from this configuration. Reads the plugins again; blocks.
pub(super) fn parts(config: &Config, panel: &Panel) -> Result<PanelParts, String> {
    let members = panel.members();
    let policies = panel.policies().into_iter().map(|info| {
        let PolicyInfo { name, digest, description, settings, limits } = info;
        let plugin = config.plugins.iter().find(|plugin| plugin.name == name);
        let wasm = plugin.map(|plugin| spec(plugin, limits.component_bytes_max).bytes).unwrap_or_default();
        let member = members.iter().find(|member| member.name == name).cloned();
        match member {
            Some(member) if Digest::of(&wasm) == digest => {
                Ok(PolicyParts { member, version: description.version, wasm, settings, limits: named(&limits) })
            }
            Some(_) | None => Err(format!("plugin `{name}` has changed since it was loaded; load it again")),
        }
    });
    let policies = policies.collect::<Result<_, String>>()?;
    Ok(PanelParts { host: env!("CARGO_PKG_VERSION").to_owned(), policies })
}

/// Those limits that an answer may depend on.
fn named(limits: &Limits) -> BTreeMap<String, u64> {
    let sizes = [
        ("memory_bytes_max", limits.memory_bytes_max),
        ("table_elements_max", limits.table_elements_max),
        ("instances_max", limits.instances_max),
        ("memories_max", limits.memories_max),
        ("tables_max", limits.tables_max),
        ("stack_bytes_max", limits.stack_bytes_max),
        ("hostcall_bytes_max", limits.hostcall_bytes_max),
        ("log_calls_max", limits.log_calls_max),
        ("log_bytes_max", limits.log_bytes_max),
        ("grounds_max", limits.grounds_max),
        ("reason_bytes_max", limits.reason_bytes_max),
        ("lock_orders_max", limits.lock_orders_max),
    ];
    let sizes = sizes.into_iter().map(|(name, size)| (name.to_owned(), u64::try_from(size).unwrap_or(u64::MAX)));
    sizes.chain([("deadline_ms".to_owned(), limits.deadline_ms)]).collect()
}
