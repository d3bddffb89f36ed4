//! `[[fact]]`: files that policies are shown, such as tickets or on-call schedules. It reads none of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::{Section, Span};
use super::problem::Findings;
use super::{duration, path, plugin};

/// How many facts there are at most.
pub const FACTS_MAX: usize = 16;
/// How old a fact may be where nothing is said.
pub const FACT_AGE_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest age that can be asked for: files are looked at every few seconds.
const AGE_MIN: Duration = Duration::from_secs(10);
/// The longest, for what changes once in a blue moon.
const AGE_MAX: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);

/// A file that policies are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What policies call it.
    pub name: String,
    /// A JSON text.
    pub file: PathBuf,
    /// How long after its last change it is fresh.
    pub max_age: Duration,
}

/// The facts of a document, by name.
pub(super) fn read_all(sections: Vec<Section<'_>>, base: &Path, findings: &mut Findings<'_>) -> Vec<Fact> {
    if let Some(extra) = sections.get(FACTS_MAX) {
        let what = format!("there are {} facts: {FACTS_MAX} is the most", sections.len());
        findings.at(&extra.span.clone().unwrap_or_default(), what, "put what belongs together into one file");
    }
    let mut names: Vec<(String, Span)> = Vec::new();
    let sections = sections.into_iter().take(FACTS_MAX);
    let mut facts: Vec<Fact> = sections.filter_map(|section| read(section, &mut names, base, findings)).collect();
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    facts
}

fn read(
    mut section: Section<'_>,
    names: &mut Vec<(String, Span)>,
    base: &Path,
    findings: &mut Findings<'_>,
) -> Option<Fact> {
    let name = plugin::read_name(&mut section, "fact", "tickets", names, findings);
    let file = section.required_string("file", "tickets.json", findings).and_then(|(text, span)| {
        let resolved = path::resolve(&text, base);
        resolved.map_err(|(what, help)| findings.at(&span, format!("`file`: {what}"), help)).ok()
    });
    let max_age = section.string("max-age", "1h", findings).and_then(|(text, span)| {
        let age = duration::age(&text, AGE_MIN, AGE_MAX);
        age.map_err(|(what, help)| findings.at(&span, format!("`max-age`: {what}"), help)).ok()
    });
    section.finish(findings);
    Some(Fact { name: name?, file: file?, max_age: max_age.unwrap_or(FACT_AGE_DEFAULT) })
}
