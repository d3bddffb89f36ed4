//! `[scope]` and `[[exemption]]`: which requests the daemon is for, and what it leaves alone for a time. It matches
//! nothing itself.

use toml::de::DeValue;
use tribunal_core::Timestamp;
use tribunal_core::request::{RequestId, UserName};
use tribunal_core::scope::{Exempt, Exemption, Pattern, Scope, Selector};

use super::document::{Section, Span, wrong_type};
use super::problem::Findings;

/// How many exemptions there are at most.
const EXEMPTIONS_MAX: usize = 1_000;
/// How many patterns a list has at most.
const PATTERNS_MAX: usize = 1_000;
const UNTIL_EXAMPLE: &str = "2030-01-31T18:00:00Z";

pub(super) fn read(mut section: Section<'_>, findings: &mut Findings<'_>) -> Scope {
    let scope = Scope {
        users: Selector {
            include: patterns(&mut section, "users", findings),
            exclude: patterns(&mut section, "not-users", findings),
        },
        roles: Selector {
            include: patterns(&mut section, "roles", findings),
            exclude: patterns(&mut section, "not-roles", findings),
        },
    };
    section.finish(findings);
    scope
}

fn patterns(section: &mut Section<'_>, key: &'static str, findings: &mut Findings<'_>) -> Vec<Pattern> {
    let Some(texts) = section.strings(key, "[\"team-a-*\"]", findings) else { return Vec::new() };
    if let (Some((_, span)), true) = (texts.last(), texts.len() > PATTERNS_MAX) {
        findings.at(span, format!("`{key}` has more than {PATTERNS_MAX} patterns"), "use `*` to name many at once");
    }
    let mut patterns = Vec::new();
    for (text, span) in texts {
        if text.is_empty() {
            findings.at(&span, format!("`{key}` holds an empty pattern"), "name somebody, use `*`, or remove it");
        }
        patterns.push(Pattern::new(text));
    }
    patterns
}

pub(super) fn read_exemptions(sections: Vec<Section<'_>>, findings: &mut Findings<'_>) -> Vec<Exemption> {
    if let (Some(Some(span)), true) = (sections.last().map(|last| &last.span), sections.len() > EXEMPTIONS_MAX) {
        findings.at(span, format!("there are more than {EXEMPTIONS_MAX} exemptions"), "remove those that are over");
    }
    sections.into_iter().filter_map(|section| exemption(section, findings)).collect()
}

fn exemption(mut section: Section<'_>, findings: &mut Findings<'_>) -> Option<Exemption> {
    let request = section.string("request", "0195a5f0-0000-7000-8000-000000000000", findings);
    let user = section.string("user", "alice", findings);
    let span = section.span.clone().unwrap_or_default();
    let on = match (request, user) {
        (Some((request, span)), None) => {
            let request = named("request", "give the id of a request", request, &span, findings);
            request.map(RequestId::new).map(Exempt::Request)
        }
        (None, Some((user, span))) => {
            let user = named("user", "give the name of a user", user, &span, findings);
            user.map(UserName::new).map(Exempt::User)
        }
        (Some(_), Some((_, span))) => {
            findings.at(&span, "an exemption names both a `request` and a `user`", "write two exemptions");
            None
        }
        (None, None) => {
            findings.at(&span, "an exemption names nobody", "add `request = \"ID\"` or `user = \"NAME\"`");
            None
        }
    };
    let until = until(&mut section, &span, findings);
    let reason = section.required_string("reason", "incident 4711", findings);
    let help = "say why, for whoever reads the record";
    let reason = reason.and_then(|(reason, span)| named("reason", help, reason, &span, findings));
    section.finish(findings);
    Some(Exemption { on: on?, until: until?, reason: reason? })
}

fn named(key: &str, help: &str, text: String, span: &Span, findings: &mut Findings<'_>) -> Option<String> {
    if text.trim().is_empty() {
        findings.at(span, format!("`{key}` is empty"), help);
        return None;
    }
    Some(text)
}

/// A point in time with its offset, as TOML's own date or in quotes.
fn until(section: &mut Section<'_>, here: &Span, findings: &mut Findings<'_>) -> Option<Timestamp> {
    let Some(value) = section.take("until") else {
        findings.at(here, "an exemption has no end", format!("add `until = {UNTIL_EXAMPLE}`"));
        return None;
    };
    let text = match value.get_ref() {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
            wrong_type(findings, "until", &value, "a date with a time and an offset", UNTIL_EXAMPLE);
            return None;
        }
    };
    let parsed = text.parse::<jiff::Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    if parsed.is_none() {
        let what = format!("`until` cannot be `{text}`: it must be a date with a time and an offset");
        findings.at(&value.span(), what, format!("write for example `until = {UNTIL_EXAMPLE}`"));
    }
    parsed.map(Timestamp::from_millis)
}
