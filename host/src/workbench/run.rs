//! One policy and one case: every question that the daemon would ask, with the answer and what it cost against the limits.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tribunal_engine::{Introduced, Limits, PolicyInfo, Solo, Traces};
use tribunal_ledger::schema;

use super::advice::advice;
use super::ask::{Answer, Question};
use super::suite::Suite;
use super::{Component, Trouble, workshop};

/// A question with its answer and its cost.
#[derive(Debug)]
pub struct Evaluated {
    /// What was asked.
    pub question: Question,
    /// What was answered.
    pub answer: Answer,
    /// What it cost and left behind.
    pub traces: Traces,
}

/// What came of a run.
#[derive(Debug)]
pub struct Run {
    /// The policy.
    pub policy: PolicyInfo,
    /// The name of the case.
    pub case: String,
    /// What it was asked.
    pub evaluations: Vec<Evaluated>,
}

/// What is run.
#[derive(Clone, Debug)]
pub struct What<'a> {
    /// `builtin:cap`, or a file.
    pub plugin: &'a str,
    /// A file with a case, or a suite.
    pub case: &'a Path,
    /// Which case of it.
    pub name: Option<&'a str>,
    /// A JSON object over the settings of the suite.
    pub settings: Option<&'a str>,
    /// Whether instructions are counted.
    pub instructions: bool,
    /// The limits of a daemon.
    pub limits: &'a Limits,
}

/// Asks.
///
/// # Errors
/// Why it cannot be asked.
pub fn run(what: &What<'_>) -> Result<Run, Trouble> {
    let mut suite = Suite::read(what.case)?;
    if let Some(settings) = what.settings {
        let own: Map<String, Value> = serde_json::from_str(settings)
            .map_err(|error| Trouble::Other(format!("`--settings` is no JSON object: {error}")))?;
        suite.settings.extend(own);
    }
    let (name, form) = chosen(&suite, what.name)?;
    let wrong = |why: String| Trouble::form(what.case, format!("case `{name}`: {why}"));
    let case = Arc::new(form.build(&suite.shared).map_err(wrong)?);
    let settings = suite.settings_of(form);

    let component = Component::read(what.plugin, Path::new(""), what.limits)?;
    let trouble = |problem| Trouble::Plugin { plugin: component.label.clone(), problem: Box::new(problem) };
    let workshop = workshop();
    let configured = |introduced: Introduced| introduced.configured(&settings, suite.effects.as_ref());
    let mut spec = component.spec();
    spec.limits = suite.limits.clone();
    let solo = Introduced::new(&workshop, spec.clone(), what.limits.clone()).and_then(configured).map_err(trouble)?;
    let counting: Option<Solo> = if what.instructions {
        Introduced::counting(&workshop, spec, what.limits.clone()).and_then(configured).ok()
    } else {
        None
    };
    let evaluations = Question::all(&case).into_iter().map(|question| {
        let (answer, mut traces) = question.ask(&solo, &case);
        if let Some(counting) = &counting {
            traces.instructions = question.ask(counting, &case).1.instructions;
        }
        Evaluated { question, answer, traces }
    });
    Ok(Run { policy: solo.info(), case: name.clone(), evaluations: evaluations.collect() })
}

/// The case of that name, or the only one.
fn chosen<'s>(suite: &'s Suite, name: Option<&str>) -> Result<&'s (String, super::case::CaseForm), Trouble> {
    let names = || suite.cases.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match (name, &suite.cases[..]) {
        (None, [only]) => Ok(only),
        (None, []) => Err(Trouble::form(&suite.path, "it has no case")),
        (None, [_, ..]) => {
            Err(Trouble::form(&suite.path, format!("choose one of its cases with `--name`: {}", names())))
        }
        (Some(name), cases) => cases
            .iter()
            .find(|(known, _)| known == name)
            .ok_or_else(|| Trouble::form(&suite.path, format!("it has no case `{name}`: there are {}", names()))),
    }
}

// === impl Run ===

impl Run {
    /// Whether every question was answered.
    #[must_use]
    pub fn answered(&self) -> bool {
        self.evaluations.iter().all(|evaluated| evaluated.answer.fault().is_none())
    }

    /// All of it for programs.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let evaluations: Vec<_> = self.evaluations.iter().map(Evaluated::as_json).collect();
        json!({
            "policy": self.policy.description.name,
            "version": self.policy.description.version,
            "digest": self.policy.digest.to_string(),
            "case": self.case,
            "answered": self.answered(),
            "evaluations": evaluations,
        })
    }

    /// All of it for people.
    #[must_use]
    pub fn as_text(&self, styles: super::test::report::Styles) -> String {
        let PolicyInfo { description, digest, limits, .. } = &self.policy;
        let mut text = format!("{} {}, {digest}, case `{}`\n", description.name, description.version, self.case);
        for evaluated in &self.evaluations {
            text.push_str(&evaluated.as_text(limits, styles));
        }
        text
    }
}

// === impl Evaluated ===

impl Evaluated {
    fn as_json(&self) -> Value {
        let answer = match &self.answer {
            Answer::Opinion(Ok(opinion)) => json!({ "opinion": schema::Opinion::from(opinion) }),
            Answer::Orders(Ok(orders)) => {
                json!({ "orders": orders.iter().map(schema::LockOrder::from).collect::<Vec<_>>() })
            }
            Answer::Opinion(Err(fault)) | Answer::Orders(Err(fault)) => json!({ "fault": schema::Fault::from(fault) }),
        };
        let Traces { elapsed, memory_bytes, table_elements, instructions, log, log_dropped, stdout, stderr } =
            &self.traces;
        let log: Vec<_> = log.iter().map(|line| json!({ "level": line.level, "text": line.text })).collect();
        json!({
            "question": self.question.to_string(),
            "answer": answer,
            "us": u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            "memory_bytes": memory_bytes,
            "table_elements": table_elements,
            "instructions": instructions,
            "output_bytes": self.answer.bytes(),
            "log": log,
            "log_dropped": log_dropped,
            "stdout": stdout,
            "stderr": stderr,
        })
    }

    fn as_text(&self, limits: &Limits, styles: super::test::report::Styles) -> String {
        use crate::health::plain;
        let Traces { elapsed, memory_bytes, table_elements, instructions, log, log_dropped, stdout, stderr } =
            &self.traces;
        let mut text = format!("\n{}\n", plain(&self.question.to_string()));
        let mut say = |name: &str, what: &str| text.push_str(&format!("  {name:<13} {}\n", plain(what)));
        let is_fault = self.answer.fault().is_some();
        let style = if is_fault { styles.bad } else { styles.good };
        say(
            "time",
            &format!(
                "{:.3} ms by this host's clock; the limit is {} ms (`deadline_ms`)",
                elapsed.as_secs_f64() * 1_000.0,
                limits.deadline_ms
            ),
        );
        say("memory", &format!("{memory_bytes} bytes; the limit is {} (`memory_bytes_max`)", limits.memory_bytes_max));
        say(
            "tables",
            &format!("{table_elements} elements; the limit is {} (`table_elements_max`)", limits.table_elements_max),
        );
        say(
            "instructions",
            &match instructions {
                Some(ran) => format!("{ran}, the same on every machine"),
                None => "not counted".to_owned(),
            },
        );
        say(
            "output",
            &format!(
                "{} bytes of text; the limit is {} for the whole answer (`hostcall_bytes_max`), {} for a reason \
             (`reason_bytes_max`)",
                self.answer.bytes(),
                limits.hostcall_bytes_max,
                limits.reason_bytes_max
            ),
        );
        say(
            "log",
            &format!(
                "{} lines, {log_dropped} dropped; the limit is {} (`log_calls_max`)",
                log.len(),
                limits.log_calls_max
            ),
        );
        for line in log {
            say("", &format!("{}: {}", line.level, line.text));
        }
        for (name, output) in [("stdout", stdout), ("stderr", stderr)] {
            for (index, line) in output.lines().enumerate() {
                say(if index == 0 { name } else { "" }, line);
            }
        }
        let mut answer = self.answer.to_string();
        if let (Some(fault), false) = (self.answer.fault(), stderr.is_empty()) {
            // What it printed stands above, line by line.
            let detail = fault.detail.split("; stderr: ").next().unwrap_or_default();
            answer = format!("fault `{}`: {detail}", fault.kind.as_str());
        }
        text.push_str(&format!("  {:<13} {style}{}{style:#}\n", "answer", plain(&answer)));
        if let Some(fault) = self.answer.fault() {
            text.push_str(&format!("  {:<13} {}\n", "to do", advice(fault)));
        }
        text
    }
}
