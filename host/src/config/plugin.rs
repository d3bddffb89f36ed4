//! `[[plugin]]`: the panel. It never reads a component.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Map;
use toml::de::DeValue;
use tribunal_core::opinion::{Effect, Mode, PolicyName};
use tribunal_engine::Digest;
use tribunal_plugins::{BUILTINS, Builtin};

use super::document::{Section, Span, listed, nearest, wrong_type};
use super::problem::Findings;
use super::settings::Places;
use super::{BUILTIN_PREFIX, PLUGINS_MAX, Plugin, Source, limits, path, settings};

/// The longest name of a plugin, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The panel of a document; a fault if none of its plugins may approve, unless that is all right.
pub(super) fn read_all(
    sections: Vec<Section<'_>>,
    needs_approver: bool,
    base: &Path,
    limits: &tribunal_engine::Limits,
    findings: &mut Findings<'_>,
) -> Vec<Plugin> {
    if let Some(extra) = sections.get(PLUGINS_MAX) {
        let what = format!("there are {} plugins: {PLUGINS_MAX} is the most", sections.len());
        findings.at(&extra.span.clone().unwrap_or_default(), what, "remove some");
    }
    let count = sections.len();
    let mut names: Vec<(String, Span)> = Vec::new();
    let mut plugins = Vec::new();
    for section in sections.into_iter().take(PLUGINS_MAX) {
        plugins.extend(read(section, &mut names, base, limits, findings));
    }
    if count == 0 {
        if needs_approver {
            findings.missing(
                None,
                "no plugin may approve: there is no `[[plugin]]` at all",
                "add one, such as `[[plugin]]` with `name = \"cap\"` and `source = \"builtin:cap\"`",
            );
        }
    } else if needs_approver && plugins.len() == count && !plugins.iter().any(Plugin::may_approve) {
        findings.missing(
            None,
            "no plugin may approve: every one is in shadow mode, or is not granted `approve`",
            "grant `approve` to one that enforces, or rehearse with `--dry-run`",
        );
    }
    plugins
}

fn read(
    mut section: Section<'_>,
    names: &mut Vec<(String, Span)>,
    base: &Path,
    limits: &tribunal_engine::Limits,
    findings: &mut Findings<'_>,
) -> Option<Plugin> {
    let origin = section.span.as_ref().map_or_else(
        || findings.path.display().to_string(),
        |span| format!("{}:{}", findings.path.display(), findings.line(span.start)),
    );
    let name = read_name(&mut section, "plugin", "cap", names, findings).map(PolicyName::new);
    let source = read_source(&mut section, base, findings);
    let digest = section.string("digest", "sha256:…", findings).map(|(text, span)| {
        let parsed = Digest::parse(&text);
        if let Err(error) = &parsed {
            findings.at(&span, error.to_string(), "`sha256sum FILE` prints the digits");
        }
        parsed.ok()
    });
    let modes = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
    let mode = section.word("mode", &modes, findings).unwrap_or(Mode::Enforce);
    let effects = read_effects(&mut section, source.as_ref(), findings);
    let own = section.section("limits", findings);
    let limits = limits::read_overrides(own, limits, findings);
    let mut places = Places::of(None, section.span.as_ref(), findings);
    let settings = match section.take("settings") {
        None => Map::new(),
        Some(value) => match value.get_ref() {
            DeValue::Table(table) => {
                places = Places::of(Some(table), Some(&value.span()), findings);
                settings::object(table, findings)
            }
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => {
                wrong_type(findings, "settings", &value, "a table", "{ max-resources = 3 }");
                Map::new()
            }
        },
    };
    section.finish(findings);
    Some(Plugin {
        name: name?,
        source: source?,
        digest: digest.flatten(),
        mode,
        effects: effects?,
        limits,
        settings,
        origin,
        places,
    })
}

/// The name of a `what`, of which there is one of each name.
pub(super) fn read_name(
    section: &mut Section<'_>,
    what: &str,
    example: &str,
    names: &mut Vec<(String, Span)>,
    findings: &mut Findings<'_>,
) -> Option<String> {
    let (name, span) = section.required_string("name", example, findings)?;
    if let Some(why) = no_name(&name) {
        findings.at(&span, format!("`{name}` is no name for a {what}: {why}"), "write lower case words joined by `-`");
        return None;
    }
    if let Some((_, first)) = names.iter().find(|(known, _)| *known == name) {
        let line = findings.line(first.start);
        findings.at(&span, format!("the name `{name}` is taken by the {what} of line {line}"), "choose another name");
        return None;
    }
    names.push((name.clone(), span));
    Some(name)
}

fn no_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > NAME_BYTES_MAX {
        return Some("it is longer than 64 bytes");
    }
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (!name.split('-').all(word)).then_some("it has other characters than `a` to `z`, `0` to `9` and single `-`")
}

/// Where the component comes from.
fn read_source(section: &mut Section<'_>, base: &Path, findings: &mut Findings<'_>) -> Option<Source> {
    let (source, span) = section.required_string("source", "builtin:cap", findings)?;
    let Some(name) = source.strip_prefix(BUILTIN_PREFIX) else {
        return match path::resolve(&source, base) {
            Ok(path) => Some(Source::File(path)),
            Err((what, help)) => {
                findings.at(&span, format!("`source`: {what}"), help);
                None
            }
        };
    };
    let found = builtin(name).map(Source::Builtin);
    if found.is_none() {
        let names: Vec<&'static str> = BUILTINS.iter().map(|builtin| builtin.name).collect();
        let help = match nearest(name, &names) {
            Some(near) => format!("did you mean `{BUILTIN_PREFIX}{near}`?"),
            None => format!("there are {}", listed(&names)),
        };
        findings.at(&span, format!("no policy `{name}` ships with the host"), help);
    }
    found
}

/// The policy of this name that ships with the host.
pub(super) fn builtin(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// What is granted; none inside: all that it declares.
fn read_effects(
    section: &mut Section<'_>,
    source: Option<&Source>,
    findings: &mut Findings<'_>,
) -> Option<Option<BTreeSet<Effect>>> {
    const KEY: &str = "effects";
    const EXAMPLE: &str = "[\"deny\"]";
    if !section.has(KEY) {
        return match source {
            Some(Source::Builtin(_)) | None => {
                section.take(KEY);
                Some(None)
            }
            Some(Source::File(_)) => {
                section.take(KEY);
                findings.missing(
                    section.span.as_ref(),
                    "this plugin is granted no `effects`: a component from a file may do only what you say",
                    format!("write for example `{KEY} = {EXAMPLE}`; there are {}", listed(&effect_names())),
                );
                None
            }
        };
    }
    let mut effects = BTreeSet::new();
    let words = section.strings(KEY, EXAMPLE, findings)?;
    let mut faultless = true;
    for (word, span) in &words {
        match Effect::parse(word) {
            Some(effect) => {
                if !effects.insert(effect) {
                    findings.at(span, format!("`{KEY}` names `{word}` twice"), "remove one");
                    faultless = false;
                }
            }
            None => {
                let help = match nearest(word, &effect_names()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("there are {}", listed(&effect_names())),
                };
                findings.at(span, format!("there is no effect `{word}`"), help);
                faultless = false;
            }
        }
    }
    faultless.then_some(Some(effects))
}

fn effect_names() -> Vec<&'static str> {
    Effect::ALL.iter().map(|effect| effect.as_str()).collect()
}
