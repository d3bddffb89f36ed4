//! The settings of a configuration, held against the schema that each plugin gives of them, with the line of each fault. What
//! the policy itself says of them counts, and is told elsewhere.

use tribunal_engine::Introduced;

use super::schema::{Schema, SettingFault};
use crate::assembly;
use crate::config::{Config, Plugin, Problem};

/// What does not fit, plugin by plugin; nothing of plugins that cannot be asked, whatever the reason. Blocks.
#[must_use]
pub fn against_schemas(config: &Config) -> Vec<Problem> {
    let workshop = assembly::workshop(&config.cache);
    let limits = &config.limits.engine;
    let mut problems = Vec::new();
    for plugin in &config.plugins {
        let spec = assembly::spec(plugin, limits.component_bytes_max);
        let Ok(introduced) = Introduced::new(&workshop, spec, limits.clone()) else { continue };
        match Schema::parse(&introduced.description().settings_schema) {
            Ok(schema) => {
                problems.extend(schema.faults(&plugin.settings).iter().map(|fault| problem(plugin, fault)));
            }
            Err(problem) => {
                let what = format!("plugin `{}`: {problem}", plugin.name);
                problems.push(plugin.places.problem(&[], what, "its settings are held against nothing but itself"));
            }
        }
    }
    problems
}

fn problem(plugin: &Plugin, fault: &SettingFault) -> Problem {
    let SettingFault { path, what, help } = fault;
    let mut problem = plugin.places.problem(path, format!("plugin `{}`: {what}", plugin.name), help);
    if problem.place.is_none() {
        problem.what = format!("{}: {}", plugin.origin, problem.what);
    }
    problem
}
