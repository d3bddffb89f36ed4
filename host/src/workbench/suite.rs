//! Suites: a plugin, its settings and cases with what is expected of it, in a file. They are read here, and run next door.

mod expand;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};
use tribunal_core::opinion::Effect;
use tribunal_engine::LimitOverrides;

use super::Trouble;
use super::case::{self, CaseForm, FactsForm, Flex, Shared, SubjectForm, When};
use super::syntax;

/// The most cases in a suite, those of its matrices counted.
pub const CASES_MAX: usize = 100_000;
/// What the files of suites are called, or end with, before `.toml`, `.yaml`, `.yml` or `.json`.
pub const SUITE_NAME: &str = "suite";
/// Directories that hold no suites of one's own.
const SKIPPED: [&str; 2] = ["target", "node_modules"];
/// How deep directories are searched.
const DEPTH_MAX: usize = 16;
const MIB: usize = 1024 * 1024;

/// A suite as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct SuiteForm {
    plugin: Option<String>,
    settings: Map<String, Value>,
    effects: Option<Vec<EffectWord>>,
    limits: LimitsForm,
    now: Option<When>,
    cluster: Option<String>,
    subject: Option<Flex<SubjectForm>>,
    facts: Option<FactsForm>,
    #[serde(alias = "cases")]
    case: Vec<CaseForm>,
}

/// The plugin's own limits, as `[[plugin]] limits` of a configuration has them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct LimitsForm {
    deadline_ms: Option<u64>,
    granted_deadline_ms: Option<u64>,
    memory_mib: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct EffectWord(Effect);

/// A suite, with every case that it comes to.
#[derive(Debug)]
pub struct Suite {
    /// Its file.
    pub path: PathBuf,
    /// The plugin, as it is named: `builtin:cap`, or a file beside the suite.
    pub plugin: Option<String>,
    /// What every case is configured with.
    pub settings: Map<String, Value>,
    /// What the policy is granted; none: all that it declares.
    pub effects: Option<std::collections::BTreeSet<Effect>>,
    /// Its own limits.
    pub limits: LimitOverrides,
    /// What its cases have in common.
    pub shared: Shared,
    /// Its cases, by name.
    pub cases: Vec<(String, CaseForm)>,
}

// === impl Suite ===

impl Suite {
    /// Reads a suite, or a file with one case, which is a suite of one.
    ///
    /// # Errors
    /// That it cannot be read, or what is wrong in it.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        let (text, syntax) = syntax::read(path)?;
        let wrong = |why: String| Trouble::form(path, why);
        let is_one_case = is_one_case(&text, syntax);
        let form = if is_one_case {
            SuiteForm { case: vec![case::form_of(&text, syntax).map_err(wrong)?], ..SuiteForm::default() }
        } else {
            syntax.parse::<SuiteForm>(&text).map_err(wrong)?
        };
        let SuiteForm { plugin, settings, effects, limits, now, cluster, subject, facts, case } = form;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let cases = expand::all(case).map_err(wrong)?;
        let LimitsForm { deadline_ms, granted_deadline_ms, memory_mib } = limits;
        let memory_bytes_max = memory_mib.map(|mib| mib.saturating_mul(MIB));
        Ok(Self {
            path: path.to_owned(),
            plugin,
            settings,
            effects: effects.map(|words| words.into_iter().map(|word| word.0).collect()),
            limits: LimitOverrides { deadline_ms, granted_deadline_ms, memory_bytes_max, ..LimitOverrides::default() },
            shared: Shared { now, cluster, subject, facts, base },
            cases,
        })
    }

    /// The settings of a case: those of the suite, and over them its own.
    #[must_use]
    pub fn settings_of(&self, case: &CaseForm) -> String {
        let mut settings = self.settings.clone();
        for (key, value) in case.settings.iter().flatten() {
            settings.insert(key.clone(), value.clone());
        }
        Value::Object(settings).to_string()
    }

    /// What the plugin's file is relative to.
    #[must_use]
    pub fn base(&self) -> &Path {
        &self.shared.base
    }
}

/// Every suite that these paths name: files as they are, directories with all suites below them.
///
/// # Errors
/// That a path is not there, or that there is no suite.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, 0, &mut found)?;
        } else {
            found.push(path.clone());
        }
    }
    if found.is_empty() {
        return Err(Trouble::Other(format!(
            "there is no suite: name a file, or call it `{SUITE_NAME}.toml` or `NAME.{SUITE_NAME}.toml`"
        )));
    }
    Ok(found)
}

fn walk(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Trouble> {
    let entries = std::fs::read_dir(directory).map_err(|error| Trouble::unread(directory, &error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() {
            if depth < DEPTH_MAX && !name.starts_with('.') && !SKIPPED.contains(&name) && !path.is_symlink() {
                walk(&path, depth.saturating_add(1), found)?;
            }
        } else if is_suite(&path) {
            found.push(path);
        }
    }
    Ok(())
}

/// Whether a file is a suite by its name.
fn is_suite(path: &Path) -> bool {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    syntax::Syntax::of(path).is_some() && stem.rsplit('.').next() == Some(SUITE_NAME)
}

/// Whether it holds one case, rather than a list of them.
fn is_one_case(text: &str, syntax: syntax::Syntax) -> bool {
    /// Whatever keys there are.
    type Keys = std::collections::BTreeMap<String, serde::de::IgnoredAny>;
    const OF_SUITES: [&str; 3] = ["case", "cases", "plugin"];
    syntax.parse::<Keys>(text).is_ok_and(|keys| !OF_SUITES.iter().any(|key| keys.contains_key(*key)))
}

impl<'de> Deserialize<'de> for EffectWord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = || Effect::ALL.map(|effect| format!("`{}`", effect.as_str())).join(", ");
        Effect::parse(&word)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom(format_args!("`{word}` is no effect: there are {}", known())))
    }
}

#[cfg(test)]
mod tests;
