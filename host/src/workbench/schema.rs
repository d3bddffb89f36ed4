//! JSON Schema (2020-12) of a plugin's settings: whether it is one, and what settings it does not fit, each fault with its
//! place. What the policy says of its settings counts; this finds most of it before, and where.
//!
//! It is our own, because the validators that there are bring some thirty crates along: URIs, internationalized names, big
//! numbers, ways to fetch schemas. A table of settings needs none of it. Keywords that are not checked here ([`UNCHECKED`])
//! are for the policy itself.

mod validate;

use std::fmt;

use serde_json::{Map, Value};

/// Keywords that hold one schema.
const ONE: [&str; 4] = ["additionalProperties", "items", "not", "propertyNames"];
/// Keywords that hold a list of schemas.
const LIST: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords that hold schemas by name.
const NAMED: [&str; 3] = ["properties", "$defs", "definitions"];
/// Keywords that hold a number that is not negative.
const COUNTS: [&str; 6] = ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"];
/// Keywords that hold a number.
const NUMBERS: [&str; 5] = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
/// What a value can be.
const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
/// Keywords that say something about values, and are not checked here.
pub const UNCHECKED: [&str; 14] = [
    "$dynamicRef",
    "contains",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "format",
    "if",
    "maxContains",
    "minContains",
    "pattern",
    "patternProperties",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Schemas within each other, and references one after the other.
const DEPTH_MAX: usize = 64;

/// The schema of a plugin's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// None: the plugin takes no settings.
    root: Option<Value>,
}

/// Why a text is no such schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaProblem {
    /// Where in it, as a JSON pointer.
    pub at: String,
    /// What is wrong there.
    pub why: String,
}

/// One way in which settings do not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingFault {
    /// Keys and numbers of entries, from the outside.
    pub path: Vec<String>,
    /// What is wrong.
    pub what: String,
    /// What to do; empty where that is said already.
    pub help: String,
}

// === impl Schema ===

impl Schema {
    /// The schema of a description.
    ///
    /// # Errors
    /// Where it is none.
    pub fn parse(text: &str) -> Result<Self, SchemaProblem> {
        if text.is_empty() {
            return Ok(Self { root: None });
        }
        let root: Value = serde_json::from_str(text)
            .map_err(|error| SchemaProblem { at: String::new(), why: format!("it is no JSON: {error}") })?;
        check(&root, &root, "", 0)?;
        Ok(Self { root: Some(root) })
    }

    /// Whether the plugin takes no settings.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.root.is_none()
    }

    /// The keys that it names, each in backticks.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let properties = self.root.as_ref().and_then(|root| root.get("properties")).and_then(Value::as_object);
        properties.into_iter().flat_map(Map::keys).map(|key| format!("`{key}`")).collect()
    }

    /// All that does not fit of these settings.
    #[must_use]
    pub fn faults(&self, settings: &Map<String, Value>) -> Vec<SettingFault> {
        match &self.root {
            Some(root) => validate::faults(root, settings),
            None => settings
                .keys()
                .map(|key| SettingFault {
                    path: vec![key.clone()],
                    what: format!("`{key}`: this plugin takes no settings"),
                    help: "remove it".to_owned(),
                })
                .collect(),
        }
    }
}

/// Whether `schema` is one, all the way down.
fn check(schema: &Value, root: &Value, at: &str, depth: usize) -> Result<(), SchemaProblem> {
    let problem = |key: &str, why: String| {
        let at = if key.is_empty() { at.to_owned() } else { format!("{at}/{key}") };
        Err(SchemaProblem { at, why })
    };
    if depth > DEPTH_MAX {
        return problem("", format!("it is nested more than {DEPTH_MAX} deep"));
    }
    let table = match schema {
        Value::Object(table) => table,
        Value::Bool(_) if depth > 0 => return Ok(()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            return problem("", format!("{} is no schema: write an object", shown(schema)));
        }
    };
    for (key, value) in table {
        let inner = format!("{at}/{key}");
        let deeper = depth.saturating_add(1);
        match key.as_str() {
            "type" => {
                let words = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                if let Some(wrong) = words.iter().find(|word| !word.as_str().is_some_and(|word| TYPES.contains(&word)))
                {
                    return problem(key, format!("{} is no type: there are {}", shown(wrong), quoted(&TYPES)));
                }
            }
            "enum" if !value.is_array() => return problem(key, "it must be an array of values".to_owned()),
            "required" if !value.as_array().is_some_and(|keys| keys.iter().all(Value::is_string)) => {
                return problem(key, "it must be an array of keys".to_owned());
            }
            "$ref" if value.as_str().and_then(|text| resolve(root, text)).is_none() => {
                return problem(key, format!("{} names nothing in this schema: write `#/$defs/…`", shown(value)));
            }
            "uniqueItems" if !value.is_boolean() => return problem(key, "it must be `true` or `false`".to_owned()),
            _ if COUNTS.contains(&key.as_str()) && value.as_u64().is_none() => {
                return problem(key, format!("{} is no count", shown(value)));
            }
            _ if NUMBERS.contains(&key.as_str()) && !value.is_number() => {
                return problem(key, format!("{} is no number", shown(value)));
            }
            _ if ONE.contains(&key.as_str()) => check(value, root, &inner, deeper)?,
            _ if LIST.contains(&key.as_str()) => {
                let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
                    return problem(key, "it must be an array of schemas".to_owned());
                };
                for (index, schema) in list.iter().enumerate() {
                    check(schema, root, &format!("{inner}/{index}"), deeper)?;
                }
            }
            _ if NAMED.contains(&key.as_str()) => {
                let Some(named) = value.as_object() else {
                    return problem(key, "it must be an object of schemas".to_owned());
                };
                for (name, schema) in named {
                    check(schema, root, &format!("{inner}/{name}"), deeper)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// What a `$ref` names.
fn resolve<'a>(root: &'a Value, reference: &str) -> Option<&'a Value> {
    root.pointer(reference.strip_prefix('#')?)
}

/// A value in backticks, cut where it is long.
fn shown(value: &Value) -> String {
    const CHARS_MAX: usize = 60;
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let cut: String = text.chars().take(CHARS_MAX).collect();
    let more = if cut.len() < text.len() { "…" } else { "" };
    format!("`{cut}{more}`")
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for SchemaProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, why } = self;
        let at = if at.is_empty() { "its outermost value" } else { at };
        write!(f, "its settings schema is no JSON Schema: at `{at}`: {why}; correct what `describe` returns")
    }
}

#[cfg(test)]
mod tests;
