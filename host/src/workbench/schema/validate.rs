//! Holds settings against a schema that was found sound. It follows references, and never further than a fixed depth.

use std::cell::Cell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{DEPTH_MAX, SettingFault, quoted, resolve, shown};

/// Schemas that are held against values in all: a hostile schema refers to itself twice, and each of those twice again.
const STEPS_MAX: usize = 100_000;
/// Faults that are told of one plugin's settings.
const FAULTS_MAX: usize = 64;

/// All that does not fit.
pub(super) fn faults(root: &Value, settings: &Map<String, Value>) -> Vec<SettingFault> {
    let steps = Cell::new(STEPS_MAX);
    let mut walk = Walk { root, steps: &steps, path: Vec::new(), depth: 0, found: Vec::new() };
    walk.value(root, &Value::Object(settings.clone()));
    walk.found
}

/// Whether a number is within a limit.
type Holds = fn(f64, f64) -> bool;

struct Walk<'a> {
    root: &'a Value,
    /// How many are left.
    steps: &'a Cell<usize>,
    path: Vec<String>,
    depth: usize,
    found: Vec<SettingFault>,
}

// === impl Walk ===

impl<'a> Walk<'a> {
    fn fault(&mut self, what: String, help: String) {
        if self.found.len() < FAULTS_MAX {
            self.found.push(SettingFault { path: self.path.clone(), what, help });
        }
    }

    /// What people call this place.
    fn name(&self) -> String {
        if self.path.is_empty() { "the table".to_owned() } else { format!("`{}`", self.path.join(".")) }
    }

    /// The same walk from here, with nothing found yet.
    fn apart(&self, schema: &'a Value, value: &Value) -> Vec<SettingFault> {
        let Self { root, steps, depth, .. } = *self;
        let mut walk = Walk { root, steps, path: self.path.clone(), depth, found: Vec::new() };
        walk.value(schema, value);
        walk.found
    }

    fn value(&mut self, schema: &'a Value, value: &Value) {
        if self.depth >= DEPTH_MAX || self.steps.get() == 0 {
            return;
        }
        self.steps.set(self.steps.get().saturating_sub(1));
        self.depth = self.depth.saturating_add(1);
        match schema {
            Value::Object(table) => self.keywords(table, value),
            Value::Bool(false) => {
                let what = format!("{} must not be there", self.name());
                self.fault(what, "remove it".to_owned());
            }
            Value::Bool(true) | Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {}
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn keywords(&mut self, schema: &'a Map<String, Value>, value: &Value) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|text| resolve(self.root, text)) {
            self.value(target, value);
        }
        if let Some(types) = schema.get("type") {
            let words = types.as_array().map_or(std::slice::from_ref(types), Vec::as_slice);
            let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
            if !words.iter().any(|word| is_of(value, word)) {
                let wanted: Vec<_> = words.iter().map(|word| article(word)).collect();
                let what = format!("{} is {}: it must be {}", self.name(), sort(value), wanted.join(" or "));
                // Whatever else is wrong with it follows from that.
                return self.fault(what, String::new());
            }
        }
        self.choices(schema, value);
        match value {
            Value::Object(table) => self.table(schema, table),
            Value::Array(list) => self.list(schema, list),
            Value::String(text) => self.size(schema, text.chars().count(), "Length", "characters"),
            Value::Number(number) => self.number(schema, number.as_f64().unwrap_or_default()),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn choices(&mut self, schema: &'a Map<String, Value>, value: &Value) {
        let single = schema.get("const").map(std::slice::from_ref);
        if let Some(choices) = single.or_else(|| schema.get("enum").and_then(Value::as_array).map(Vec::as_slice))
            && !choices.contains(value)
        {
            let choices: Vec<&Value> = choices.iter().collect();
            self.no_choice(value, &choices);
        }
        for schema in list_of(schema, "allOf") {
            self.value(schema, value);
        }
        if let Some(not) = schema.get("not")
            && self.apart(not, value).is_empty()
        {
            self.fault(format!("{} is {}, which it must not be", self.name(), shown(value)), String::new());
        }
        for key in ["anyOf", "oneOf"] {
            let branches = list_of(schema, key);
            if branches.is_empty() {
                continue;
            }
            let tried: Vec<Vec<SettingFault>> = branches.iter().map(|branch| self.apart(branch, value)).collect();
            let fitting = tried.iter().filter(|faults| faults.is_empty()).count();
            if fitting == 0 {
                self.no_branch(branches, &tried, value);
            } else if fitting > 1 && key == "oneOf" {
                self.fault(format!("{} fits more than one of what it can be", self.name()), String::new());
            }
        }
    }

    /// Nothing of `anyOf` or `oneOf` fits: words to choose from where they are words, else what the nearest lacks.
    fn no_branch(&mut self, branches: &'a [Value], tried: &[Vec<SettingFault>], value: &Value) {
        let choices = branches.iter().map(|branch| branch.get("const"));
        if let Some(choices) = choices.collect::<Option<Vec<_>>>() {
            return self.no_choice(value, &choices);
        }
        let depth = |faults: &Vec<SettingFault>| faults.iter().map(|fault| fault.path.len()).max().unwrap_or_default();
        let here = self.path.len();
        match tried.iter().filter(|faults| depth(faults) > here).max_by_key(|faults| depth(faults)) {
            Some(nearest) => self.found.extend(nearest.iter().cloned()),
            None => {
                let what = format!("{} is {}, which is nothing that it can be", self.name(), shown(value));
                let help = tried.iter().flatten().next().map(|fault| fault.what.clone()).unwrap_or_default();
                self.fault(what, help);
            }
        }
    }

    fn no_choice(&mut self, value: &Value, choices: &[&Value]) {
        let words: Vec<String> = choices.iter().map(|choice| shown(choice)).collect();
        let what = format!("{} is {}: it must be {}", self.name(), shown(value), one_of(&words));
        let near = value.as_str().and_then(|given| nearest(given, choices.iter().filter_map(|choice| choice.as_str())));
        self.fault(what, near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default());
    }

    fn table(&mut self, schema: &'a Map<String, Value>, table: &Map<String, Value>) {
        let properties = schema.get("properties").and_then(Value::as_object);
        let required = list_of(schema, "required").iter().filter_map(Value::as_str);
        for key in required.filter(|key| !table.contains_key(*key)) {
            let place = if self.path.is_empty() { String::new() } else { format!(" in {}", self.name()) };
            self.fault(format!("`{key}` is missing{place}"), format!("write `{key} = …`"));
        }
        self.size(schema, table.len(), "Properties", "keys");
        let beyond = schema.get("additionalProperties");
        let patterned = schema.contains_key("patternProperties");
        for (key, value) in table {
            self.path.push(key.clone());
            match (properties.and_then(|properties| properties.get(key)), beyond) {
                (Some(schema), _) => self.value(schema, value),
                (None, Some(Value::Bool(false))) if !patterned => {
                    let known = || properties.into_iter().flat_map(Map::keys).map(String::as_str);
                    let help = match nearest(key, known()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("there are {}", quoted(&known().collect::<Vec<_>>())),
                    };
                    self.fault(format!("{} is no key of these settings", self.name()), help);
                }
                (None, Some(schema)) if !patterned => self.value(schema, value),
                (None, Some(_) | None) => {}
            }
            self.path.pop();
        }
    }

    fn list(&mut self, schema: &'a Map<String, Value>, list: &[Value]) {
        self.size(schema, list.len(), "Items", "entries");
        let first = list_of(schema, "prefixItems");
        let rest = schema.get("items");
        for (index, value) in list.iter().enumerate() {
            let Some(schema) = first.get(index).or(rest) else { continue };
            self.path.push(index.to_string());
            self.value(schema, value);
            self.path.pop();
        }
        let unique: BTreeSet<String> = list.iter().map(Value::to_string).collect();
        if schema.get("uniqueItems") == Some(&Value::Bool(true)) && unique.len() < list.len() {
            self.fault(format!("{} holds something twice", self.name()), "remove one".to_owned());
        }
    }

    fn size(&mut self, schema: &Map<String, Value>, size: usize, of: &str, what: &str) {
        let limit = |which: &str| schema.get(&format!("{which}{of}")).and_then(Value::as_u64);
        let found = u64::try_from(size).unwrap_or(u64::MAX);
        if let Some(least) = limit("min").filter(|least| found < *least) {
            self.fault(format!("{} has {found} {what}: it must have at least {least}", self.name()), String::new());
        }
        if let Some(most) = limit("max").filter(|most| found > *most) {
            self.fault(format!("{} has {found} {what}: it must have at most {most}", self.name()), String::new());
        }
    }

    fn number(&mut self, schema: &Map<String, Value>, number: f64) {
        let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
        let rules: [(&str, &str, Holds); 4] = [
            ("minimum", "at least", |number, limit| number >= limit),
            ("maximum", "at most", |number, limit| number <= limit),
            ("exclusiveMinimum", "more than", |number, limit| number > limit),
            ("exclusiveMaximum", "less than", |number, limit| number < limit),
        ];
        for (key, words, holds) in rules {
            if let Some(limit) = limit(key).filter(|limit| !holds(number, *limit)) {
                self.fault(format!("{} is {number}: it must be {words} {limit}", self.name()), String::new());
            }
        }
        if let Some(step) = limit("multipleOf").filter(|step| *step > 0.0 && (number / step).fract() != 0.0) {
            self.fault(format!("{} is {number}: it must be a multiple of {step}", self.name()), String::new());
        }
    }
}

fn list_of<'a>(schema: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn is_of(value: &Value, word: &str) -> bool {
    match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        _ => value.is_null(),
    }
}

/// A type as a configuration calls it.
fn article(word: &str) -> &'static str {
    match word {
        "object" => "a table",
        "array" => "an array",
        "string" => "a string",
        "integer" => "an integer",
        "number" => "a number",
        "boolean" => "`true` or `false`",
        _ => "nothing",
    }
}

fn sort(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "a table",
        Value::Array(_) => "an array",
        Value::String(_) => "a string",
        Value::Number(number) if number.is_f64() => "a float",
        Value::Number(_) => "an integer",
        Value::Bool(_) => "a boolean",
        Value::Null => "nothing",
    }
}

fn one_of(words: &[String]) -> String {
    match words.split_last() {
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => "nothing".to_owned(),
    }
}

/// The nearest of `known`, if one is near.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate));
    near.filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1)).min().map(|(_, candidate)| candidate)
}
