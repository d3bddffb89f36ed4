//! What a plugin is, what it wants, whether it would load here, and if not, what to change. It asks the policy nothing but what
//! it is and whether it takes no settings.

mod text;

use serde_json::{Value, json};
use tribunal_engine::{Anatomy, Description, Introduced, Kind, Limits, LoadProblem, Traces};

use super::component::{Component, workshop};
use super::schema::{Schema, SchemaProblem};

/// What was found out about a plugin.
#[derive(Debug)]
pub struct Inspection {
    label: String,
    anatomy: Anatomy,
    limits: Limits,
    /// What it says about itself, or why it cannot.
    said: Result<Said, LoadProblem>,
}

/// What a plugin says about itself.
#[derive(Debug)]
struct Said {
    description: Description,
    traces: Traces,
    /// What is wrong with its schema.
    schema: Result<Schema, SchemaProblem>,
    /// What it says to no settings at all.
    unconfigured: Result<(), LoadProblem>,
}

// === impl Inspection ===

impl Inspection {
    /// Looks at a plugin, and asks it what it is.
    #[must_use]
    pub fn of(component: Component, limits: &Limits) -> Self {
        let anatomy = Anatomy::of(&component.bytes, limits);
        let said = Introduced::new(&workshop(), component.spec(), limits.clone()).map(|introduced| Said {
            description: introduced.description().clone(),
            traces: introduced.traces().clone(),
            schema: Schema::parse(&introduced.description().settings_schema),
            unconfigured: introduced.configured("{}", None).map(|_| ()),
        });
        Self { label: component.label, anatomy, limits: limits.clone(), said }
    }

    /// Why a daemon with these limits would not load it, if it would not: what it says to its settings is another matter.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        match &self.said {
            Err(problem) => Some(problem.to_string()),
            Ok(Said { schema: Err(problem), .. }) => Some(problem.to_string()),
            Ok(Said { unconfigured: Ok(()) | Err(LoadProblem::Settings(_)), .. }) => None,
            Ok(Said { unconfigured: Err(problem), .. }) => Some(problem.to_string()),
        }
    }

    /// Whether a daemon with these limits would load it.
    #[must_use]
    pub fn would_load(&self) -> bool {
        self.problem().is_none()
    }

    /// What it needs to be told: the faults of no settings at all.
    fn needs_settings(&self) -> &[String] {
        match &self.said {
            Ok(Said { unconfigured: Err(LoadProblem::Settings(faults)), .. }) => faults,
            Ok(_) | Err(_) => &[],
        }
    }

    /// The JSON Schema of its settings.
    ///
    /// # Errors
    /// Why there is none.
    pub fn schema(&self) -> Result<Value, String> {
        let said = self.said.as_ref().map_err(|problem| format!("plugin `{}`: {problem}", self.label))?;
        let schema = &said.description.settings_schema;
        if schema.is_empty() {
            return Ok(json!({ "type": "object", "additionalProperties": false }));
        }
        serde_json::from_str(schema).map_err(|error| error.to_string())
    }

    /// All of it for programs.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let Anatomy {
            digest,
            bytes,
            kind,
            contract,
            imports,
            exports,
            missing,
            metadata,
            producers,
            needs,
            problem: _,
        } = &self.anatomy;
        let imports: Vec<_> = imports
            .iter()
            .map(|import| {
                let why = import.refused.as_ref().map(ToString::to_string);
                json!({ "name": import.name, "allowed": why.is_none(), "why": why })
            })
            .collect();
        let producers: Vec<_> = producers
            .iter()
            .map(|producer| json!({ "field": producer.field, "name": producer.name, "version": producer.version }))
            .collect();
        let metadata: serde_json::Map<String, Value> =
            metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.clone()))).collect();
        json!({
            "plugin": self.label,
            "digest": digest.to_string(),
            "bytes": bytes,
            "kind": kind_word(*kind),
            "contract": contract,
            "world": missing.is_empty().then_some("policy"),
            "imports": imports,
            "exports": exports,
            "missing": missing,
            "metadata": metadata,
            "producers": producers,
            "needs": {
                "memory_bytes": needs.memory_bytes,
                "table_elements": needs.table_elements,
                "modules": needs.modules,
                "functions": needs.functions,
                "function_bytes": needs.function_bytes,
            },
            "policy": self.said.as_ref().ok().map(said_json),
            "needs_settings": self.needs_settings(),
            "would_load": self.would_load(),
            "problem": self.problem(),
        })
    }
}

fn said_json(said: &Said) -> Value {
    let Description { name, version, summary, rules, effects, settings_schema } = &said.description;
    let rules: Vec<_> = rules.iter().map(|rule| json!({ "id": rule.id, "summary": rule.summary })).collect();
    let effects: Vec<_> = effects.iter().map(|effect| effect.as_str()).collect();
    json!({
        "name": name,
        "version": version,
        "summary": summary,
        "rules": rules,
        "effects": effects,
        "settings_schema": serde_json::from_str::<Value>(settings_schema).ok(),
        "describe": {
            "us": u64::try_from(said.traces.elapsed.as_micros()).unwrap_or(u64::MAX),
            "memory_bytes": said.traces.memory_bytes,
        },
    })
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Component => "component",
        Kind::CoreModule => "core-module",
        Kind::Text => "text",
        Kind::Other => "other",
    }
}
