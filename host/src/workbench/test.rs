//! Runs suites: asks the policy about every case, twice, and says where it answers otherwise than expected. A case that fails
//! is a result; what keeps a suite from running at all is trouble.

mod compare;
mod golden;
pub mod report;
pub mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tribunal_core::case::Case;
use tribunal_core::request::RequestId;
use tribunal_engine::{Introduced, Limits, LoadProblem, Solo, Traces};

use self::golden::Goldens;
use super::ask::{Answer, Question, pending};
use super::case::{CaseForm, Expect};
use super::suite::Suite;
use super::{Component, Trouble, workshop};

/// How suites are run.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Instead of the plugin that each suite names.
    pub plugin: Option<String>,
    /// A text that stands in the name of each case that is run; none: all are.
    pub filter: Option<String>,
    /// Keep what is answered now where nothing else is expected.
    pub update: bool,
    /// The limits of a daemon.
    pub limits: Limits,
}

/// What came of a suite.
#[derive(Clone, Debug)]
pub struct SuiteResult {
    /// Its file.
    pub path: PathBuf,
    /// Its plugin, as it is named.
    pub plugin: String,
    /// The file of the plugin, if it has one.
    pub plugin_file: Option<PathBuf>,
    /// Name and version that the policy gives itself.
    pub policy: String,
    /// The SHA-256 of the plugin.
    pub digest: String,
    /// Its cases, in the order of the file.
    pub cases: Vec<CaseResult>,
    /// How many the filter left out.
    pub left_out: usize,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// What was otherwise than expected; nothing: it passed.
    pub failures: Vec<String>,
    /// Whether what it answered was kept as what is expected from now on.
    pub updated: bool,
    /// The longest evaluation.
    pub elapsed: Duration,
    /// The most memory of an evaluation, in bytes.
    pub memory_bytes: usize,
    /// The most instructions of an evaluation, where they were counted.
    pub instructions: Option<u64>,
}

/// A question with its answer.
#[derive(Debug)]
struct Asked {
    question: Question,
    answer: Answer,
    traces: Traces,
}

// === impl CaseResult ===

impl CaseResult {
    /// Whether all was as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs a suite.
///
/// # Errors
/// Why it cannot be run, which says nothing about its cases.
pub fn run(path: &Path, options: &Options) -> Result<SuiteResult, Trouble> {
    let suite = Suite::read(path)?;
    let (source, base) = match (&options.plugin, &suite.plugin) {
        (Some(plugin), _) => (plugin, Path::new("")),
        (None, Some(plugin)) => (plugin, suite.base()),
        (None, None) => {
            return Err(Trouble::form(
                path,
                "it names no plugin: write `plugin = \"policy.wasm\"`, or give `--plugin`",
            ));
        }
    };
    let component = Component::read(source, base, &options.limits)?;
    let is_chosen = |name: &str| options.filter.as_deref().is_none_or(|filter| name.contains(filter));
    let chosen: Vec<&(String, CaseForm)> = suite.cases.iter().filter(|(name, _)| is_chosen(name)).collect();
    let counts = |form: &CaseForm| form.expect.as_ref().is_some_and(|expect| expect.0.max_instructions.is_some());
    let bench = Bench::new(&suite, &component, options, chosen.iter().any(|(_, form)| counts(form)))?;

    let mut goldens = Goldens::read(path)?;
    let mut cases = Vec::new();
    for (name, form) in &chosen {
        cases.push(bench.case(&suite, name, form, &mut goldens, options.update)?);
    }
    if options.update {
        goldens.write(suite.cases.iter().map(|(name, _)| name.as_str()))?;
    }
    let description = bench.plain.description();
    Ok(SuiteResult {
        path: path.to_owned(),
        plugin: component.label.clone(),
        plugin_file: component.path.clone(),
        policy: format!("{} {}", description.name, description.version),
        digest: tribunal_engine::Digest::of(&component.bytes).to_string(),
        left_out: suite.cases.len().saturating_sub(cases.len()),
        cases,
    })
}

/// A suite's plugin, ready to be configured for each case.
struct Bench {
    plain: Introduced,
    /// The same, where instructions are counted.
    counting: Option<Introduced>,
}

// === impl Bench ===

impl Bench {
    fn new(suite: &Suite, component: &Component, options: &Options, counts: bool) -> Result<Self, Trouble> {
        let trouble = |problem| Trouble::Plugin { plugin: component.label.clone(), problem: Box::new(problem) };
        let spec = || {
            let mut spec = component.spec();
            spec.limits = suite.limits.clone();
            spec
        };
        let workshop = workshop();
        let plain = Introduced::new(&workshop, spec(), options.limits.clone()).map_err(trouble)?;
        let counting = counts.then(|| Introduced::counting(&workshop, spec(), options.limits.clone()));
        Ok(Self { plain, counting: counting.transpose().map_err(trouble)? })
    }

    fn case(
        &self,
        suite: &Suite,
        name: &str,
        form: &CaseForm,
        goldens: &mut Goldens,
        update: bool,
    ) -> Result<CaseResult, Trouble> {
        let wrong = |why: String| Trouble::form(&suite.path, format!("case `{name}`: {why}"));
        let case = Arc::new(form.build(&suite.shared).map_err(wrong)?);
        let settings = suite.settings_of(form);
        let failed = |why: String| CaseResult {
            name: name.to_owned(),
            failures: vec![why],
            updated: false,
            elapsed: Duration::ZERO,
            memory_bytes: 0,
            instructions: None,
        };
        let solo = match self.plain.configured(&settings, suite.effects.as_ref()) {
            Ok(solo) => solo,
            Err(LoadProblem::Settings(faults)) => return Ok(failed(refusal(form, &faults))),
            Err(problem) => return Err(wrong(problem.to_string())),
        };
        let expect = form.expect.as_ref().map(|expect| &expect.0);
        let questions = questions(&case, form.request.as_deref(), expect).map_err(wrong)?;
        let mut failures = Vec::new();
        let mut asked: Vec<Asked> = questions
            .into_iter()
            .map(|question| {
                let (answer, traces) = question.ask(&solo, &case);
                let (again, _) = question.ask(&solo, &case);
                if answer.differs_from(&again) {
                    failures.push(format!("{question}: answered twice, it differs: {answer}; then {again}"));
                }
                Asked { question, answer, traces }
            })
            .collect();
        self.count(suite, &settings, &case, &mut asked)?;
        let mut updated = false;
        match expect {
            Some(expect) => failures.extend(compare::failures(expect, &asked, &case)),
            None if update => {
                goldens.put(name, &asked);
                updated = true;
            }
            None => failures.extend(goldens.failures(name, &asked)),
        }
        Ok(CaseResult {
            name: name.to_owned(),
            failures,
            updated,
            elapsed: asked.iter().map(|asked| asked.traces.elapsed).max().unwrap_or_default(),
            memory_bytes: asked.iter().map(|asked| asked.traces.memory_bytes).max().unwrap_or_default(),
            instructions: asked.iter().filter_map(|asked| asked.traces.instructions).max(),
        })
    }

    /// Asks once more where instructions are counted.
    fn count(&self, suite: &Suite, settings: &str, case: &Arc<Case>, asked: &mut [Asked]) -> Result<(), Trouble> {
        let Some(counting) = &self.counting else { return Ok(()) };
        let solo: Solo = counting
            .configured(settings, suite.effects.as_ref())
            .map_err(|problem| Trouble::form(&suite.path, problem.to_string()))?;
        for asked in asked {
            asked.traces.instructions = asked.question.ask(&solo, case).1.instructions;
        }
        Ok(())
    }
}

/// What a case says whose settings the policy refuses.
fn refusal(form: &CaseForm, faults: &[String]) -> String {
    let where_ = if form.settings.is_some() { "the settings of this case" } else { "the settings of the suite" };
    format!("the policy refuses {where_}: {}", faults.join("; "))
}

/// What has to be asked to know whether it is as expected.
fn questions(case: &Case, named: Option<&str>, expect: Option<&Expect>) -> Result<Vec<Question>, String> {
    let pending = pending(case);
    if let Some(named) = named
        && !pending.iter().any(|id| id.as_str() == named)
    {
        return Err(format!("`request = \"{named}\"` names no pending request of it"));
    }
    let Some(expect) = expect else { return Ok(Question::all(case)) };
    let the_one = || match (named, &pending[..]) {
        (Some(named), _) => Ok(RequestId::new(named)),
        (None, [only]) => Ok(only.clone()),
        (None, []) => Err("it has no pending request to expect anything about: write `asks = …`".to_owned()),
        (None, [_, ..]) => {
            Err("it has several pending requests: name one with `request = …`, or write `opinions`".to_owned())
        }
    };
    let mut questions = Vec::new();
    match expect.opined() {
        // Where nothing is pending, the fault is expected of what is asked about held requests.
        Some(form) if pending.is_empty() && form.fault.is_some() => questions.push(Question::Enforce),
        Some(_) => questions.push(Question::Review(the_one()?)),
        None => {}
    }
    for id in expect.opinions.keys() {
        if !pending.iter().any(|pending| pending.as_str() == id) {
            return Err(format!("`opinions` names `{id}`, which is no pending request of it"));
        }
        questions.push(Question::Review(RequestId::new(id)));
    }
    if expect.locks.is_some() {
        questions.push(Question::Enforce);
    }
    if expect.locks_if_approved.is_some() {
        questions.push(Question::EnforceIf(the_one()?));
    }
    if questions.is_empty() {
        // Limits and log alone: of whatever there is to ask.
        return Ok(Question::all(case));
    }
    questions.sort();
    questions.dedup();
    Ok(questions)
}
