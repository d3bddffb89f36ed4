//! Walks a TOML document key by key, so that all faults are found and each knows its place. It knows no key itself.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::problem::Findings;

/// Where something is in the text, in bytes.
pub(super) type Span = Range<usize>;
/// A value that knows its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

/// A table that is being read. Keys that nobody asks for are faults.
#[derive(Debug)]
pub(super) struct Section<'t> {
    /// What people call it, such as `[poll]`; empty for the whole document.
    name: String,
    pub(super) span: Option<Span>,
    table: DeTable<'t>,
    known: Vec<&'static str>,
    /// Something else stood in its place, which has been noted: nothing more is said about what it lacks.
    spoilt: bool,
}

/// The root of a document; faults of its syntax are noted.
pub(super) fn parse<'t>(findings: &mut Findings<'t>) -> Section<'t> {
    let (root, errors) = DeTable::parse_recoverable(findings.text);
    for error in errors {
        let message = lower_first(error.message());
        findings.syntax(error.span().as_ref(), format!("not TOML: {message}"), "see https://toml.io for the syntax");
    }
    Section::new(String::new(), None, root.into_inner())
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// The word for what a value is, with its article.
fn sort(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

/// Notes that a value is something else than was asked for.
pub(super) fn wrong_type(findings: &mut Findings<'_>, key: &str, value: &Value<'_>, wanted: &str, example: &str) {
    findings.at(
        &value.span(),
        format!("`{key}` is {}: it must be {wanted}", sort(value.get_ref())),
        format!("write for example `{key} = {example}`"),
    );
}

/// The nearest of `known`, if one is near.
pub(super) fn nearest(word: &str, known: &[&'static str]) -> Option<&'static str> {
    let word = word.to_lowercase().replace('_', "-");
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c` in backticks.
pub(super) fn listed(words: &[&str]) -> String {
    joined(words, "and")
}

/// The same with `or`.
pub(super) fn choice(words: &[&str]) -> String {
    joined(words, "or")
}

fn joined(words: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

// === impl Section ===

impl<'t> Section<'t> {
    pub(super) fn new(name: impl Into<String>, span: Option<Span>, table: DeTable<'t>) -> Self {
        Self { name: name.into(), span, table, known: Vec::new(), spoilt: false }
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The value of a key, which is hereby known.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// The table of a key; an empty one where there is none.
    pub(super) fn section(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Section<'t> {
        let name = format!("[{key}]");
        let Some(value) = self.take(key) else { return Section::new(name, None, DeTable::new()) };
        let span = value.span();
        match value.into_inner() {
            DeValue::Table(table) => Section::new(name, Some(span), table),
            other @ (DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)) => {
                findings.at(
                    &span,
                    format!("`{key}` is {}: it must be a table", sort(&other)),
                    format!("write a line `[{key}]`, and its keys below it"),
                );
                Section { spoilt: true, ..Section::new(name, Some(span), DeTable::new()) }
            }
        }
    }

    /// The tables under `[[key]]`, each with its place; nothing if something else stands there, which is then noted.
    pub(super) fn sections(&mut self, key: &'static str, findings: &mut Findings<'_>) -> Option<Vec<Section<'t>>> {
        let Some(value) = self.take(key) else { return Some(Vec::new()) };
        let span = value.span();
        let tables = match value.into_inner() {
            DeValue::Array(array) => array,
            DeValue::Table(table) => {
                findings.at(
                    &span,
                    format!("`{key}` is a table: it must be an array of tables"),
                    format!("write `[[{key}]]` with two brackets"),
                );
                DeArray::from_iter([Spanned::new(span, DeValue::Table(table))])
            }
            other @ (DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)) => {
                let what = format!("`{key}` is {}: it must be an array of tables", sort(&other));
                findings.at(&span, what, format!("write `[[{key}]]`, and its keys below it"));
                return None;
            }
        };
        let mut sections = Vec::new();
        for value in tables {
            let span = value.span();
            match value.into_inner() {
                DeValue::Table(table) => sections.push(Section::new(format!("[[{key}]]"), Some(span), table)),
                other @ (DeValue::String(_)
                | DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)) => {
                    let what = format!("`{key}` holds {}: it must hold tables", sort(&other));
                    findings.at(&span, what, format!("write `[[{key}]]`, and its keys below it"));
                }
            }
        }
        Some(sections)
    }

    /// A string, with its place.
    pub(super) fn string(
        &mut self,
        key: &'static str,
        example: &str,
        findings: &mut Findings<'_>,
    ) -> Option<(String, Span)> {
        let value = self.take(key)?;
        let DeValue::String(text) = value.get_ref() else {
            wrong_type(findings, key, &value, "a string", &format!("\"{example}\""));
            return None;
        };
        Some((text.clone().into_owned(), value.span()))
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&'static str, T)],
        findings: &mut Findings<'_>,
    ) -> Option<T> {
        let names: Vec<&'static str> = words.iter().map(|(name, _)| *name).collect();
        let (text, span) = self.string(key, names.first().copied().unwrap_or_default(), findings)?;
        let found = words.iter().find(|(name, _)| *name == text).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let help = match nearest(&text, &names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it can be {}", choice(&names)),
            };
            findings.at(&span, format!("`{key}` cannot be `{text}`"), help);
        }
        found
    }

    /// A list of strings, each with its place.
    pub(super) fn strings(
        &mut self,
        key: &'static str,
        example: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Vec<(String, Span)>> {
        let value = self.take(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            wrong_type(findings, key, &value, "an array of strings", example);
            return None;
        };
        let mut strings = Vec::new();
        for entry in array {
            match entry.get_ref() {
                DeValue::String(text) => strings.push((text.clone().into_owned(), entry.span())),
                DeValue::Integer(_)
                | DeValue::Float(_)
                | DeValue::Boolean(_)
                | DeValue::Datetime(_)
                | DeValue::Array(_)
                | DeValue::Table(_) => findings.at(
                    &entry.span(),
                    format!("`{key}` holds {}: it must hold strings", sort(entry.get_ref())),
                    format!("write for example `{key} = {example}`"),
                ),
            }
        }
        Some(strings)
    }

    /// A string that has to be there.
    pub(super) fn required_string(
        &mut self,
        key: &'static str,
        example: &str,
        findings: &mut Findings<'_>,
    ) -> Option<(String, Span)> {
        if self.table.contains_key(key) {
            return self.string(key, example, findings);
        }
        self.known.push(key);
        // A misspelt key is noted as such.
        if self.spoilt || self.table.keys().any(|given| nearest(given.get_ref(), &[key]).is_some()) {
            return None;
        }
        let what = if self.span.is_some() {
            format!("`{}` lacks `{key}`", self.name)
        } else {
            format!("`{}` and its `{key}` are missing", self.name)
        };
        findings.missing(self.span.as_ref(), what, format!("write for example `{key} = \"{example}\"`"));
        None
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, findings: &mut Findings<'_>) {
        let Self { name, span: _, table, known, spoilt: _ } = self;
        for key in table.keys() {
            let word = key.get_ref();
            let place = if name.is_empty() { String::new() } else { format!(" in `{name}`") };
            let help = match nearest(word, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", listed(&known)),
            };
            findings.at(&key.span(), format!("unknown key `{word}`{place}"), help);
        }
    }
}
