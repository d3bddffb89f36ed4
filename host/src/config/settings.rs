//! A plugin's settings: a TOML table as the JSON that the plugin gets, and where each of them stands. It knows no plugin.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Map, Number, Value as Json};
use toml::de::{DeTable, DeValue};

use super::document::{Span, Value};
use super::problem::{Findings, Place, Problem, Spot};

/// Where a plugin's settings stand, for faults that show only when the plugin is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// None: they come from flags.
    file: Option<PathBuf>,
    /// The table of settings, or of the plugin where it has none.
    table: Option<Spot>,
    /// By keys and numbers of entries, from the outside.
    keys: BTreeMap<Vec<String>, Spot>,
}

// === impl Places ===

impl Places {
    pub(super) fn of(table: Option<&DeTable<'_>>, span: Option<&Span>, findings: &Findings<'_>) -> Self {
        let mut keys = BTreeMap::new();
        if let Some(table) = table {
            let mut walk = Walk { text: findings.text, path: Vec::new(), keys: &mut keys };
            walk.table(table);
        }
        let table = span.map(|span| Spot::of(findings.text, span));
        Self { file: Some(findings.path.to_owned()), table, keys }
    }

    /// A fault of the setting at this path, or of the innermost of its tables that is there.
    #[must_use]
    pub fn problem(&self, path: &[String], what: impl Into<String>, help: impl Into<String>) -> Problem {
        let inner = (1..=path.len()).rev().find_map(|end| self.keys.get(path.get(..end)?));
        let spot = inner.or(self.table.as_ref()).cloned();
        let place = self.file.as_ref().map(|file| Place { path: file.clone(), spot });
        Problem { what: what.into(), help: help.into(), place }
    }

    /// The path that a policy's sentence about its settings names: its first words in backticks that are one.
    #[must_use]
    pub fn named(&self, sentence: &str) -> Vec<String> {
        let words = sentence.split('`').skip(1).step_by(2);
        let mut paths = words.map(|word| word.split(['.', '/']).map(str::to_owned).collect::<Vec<_>>());
        paths
            .find(|path| path.first().is_some_and(|first| self.keys.contains_key(std::slice::from_ref(first))))
            .unwrap_or_default()
    }
}

/// Notes where each key stands, with its value.
struct Walk<'a> {
    text: &'a str,
    path: Vec<String>,
    keys: &'a mut BTreeMap<Vec<String>, Spot>,
}

// === impl Walk ===

impl Walk<'_> {
    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            self.path.push(key.get_ref().clone().into_owned());
            self.value(key.span().start..value.span().end.max(key.span().end), value);
            self.path.pop();
        }
    }

    fn value(&mut self, span: Span, value: &Value<'_>) {
        self.keys.insert(self.path.clone(), Spot::of(self.text, &span));
        match value.get_ref() {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(array) => {
                for (index, entry) in array.iter().enumerate() {
                    self.path.push(index.to_string());
                    self.value(entry.span(), entry);
                    self.path.pop();
                }
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}

/// The JSON object of a table.
pub(super) fn object(table: &DeTable<'_>, findings: &mut Findings<'_>) -> Map<String, Json> {
    table.iter().map(|(key, value)| (key.get_ref().clone().into_owned(), json(value, findings))).collect()
}

fn json(value: &Value<'_>, findings: &mut Findings<'_>) -> Json {
    let mut cannot = |what: String, help: &str| {
        findings.at(&value.span(), what, help);
        Json::Null
    };
    match value.get_ref() {
        DeValue::String(text) => Json::String(text.clone().into_owned()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map(Json::from)
            .unwrap_or_else(|_| cannot(format!("`{integer}` is beyond 64 bits"), "choose a smaller number")),
        DeValue::Float(float) => float.as_str().parse().ok().and_then(Number::from_f64).map_or_else(
            || cannot(format!("`{}` is no number that settings can have", float.as_str()), "choose a finite number"),
            Json::Number,
        ),
        DeValue::Boolean(boolean) => Json::Bool(*boolean),
        DeValue::Datetime(date) => {
            cannot(format!("`{date}` is a date, which settings do not have"), "write it in quotes")
        }
        DeValue::Array(array) => array.iter().map(|entry| json(entry, findings)).collect(),
        DeValue::Table(table) => Json::Object(object(table, findings)),
    }
}
