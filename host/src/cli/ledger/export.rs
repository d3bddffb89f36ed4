//! `tribunal ledger export`: decisions in the forms of other systems. It never leaves out a decision that fits, nor lets what
//! somebody wrote become more than text in the other system.

mod cef;
mod csv;
mod ocsf;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use tribunal_ledger::schema::{Body, Decided, FailureClass, Line, Outcome, Step, StepResult, Time, Verdict};
use tribunal_ledger::{Decision, decisions};

use super::super::args::{ExportArgs, ExportForm};
use super::list::filter;
use super::{directory, unless_closed};

/// Who made it, in forms that ask for that.
const PRODUCT: &str = "tribunal";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A decision as every form needs it.
struct Event<'a> {
    seq: u64,
    at: Time,
    decided: &'a Decided,
    outcomes: &'a [(Time, Outcome)],
}

/// A decision as a line of JSON.
#[derive(Serialize)]
struct Whole<'a> {
    record: &'a Line,
    outcomes: Vec<Done<'a>>,
}

/// What became of a step of it.
#[derive(Serialize)]
struct Done<'a> {
    at: Time,
    step: &'a Step,
    result: &'a StepResult,
}

/// What became of a decision, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    /// Nothing was to be done.
    Nothing,
    /// The operator rehearses.
    Rehearsed,
    /// All of it is in force.
    Done,
    /// Some of it failed.
    Failed,
    /// The world had changed, and it was judged anew.
    Superseded,
    /// That is not recorded yet.
    Open,
}

pub(super) fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    if let Some(out) = &args.out {
        anyhow::ensure!(!out.exists(), "`{}` exists already; name a file to be made", out.display());
    }
    let found = decisions(&directory, &filter(&args.filter, Timestamp::now())?)?;
    match &args.out {
        Some(out) => write_file(args.format, found, out)?,
        None => unless_closed(write(args.format, found, &mut BufWriter::new(io::stdout().lock())))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Makes a file that is there when all of it is, and not before. Others cannot read it: people's words stand in it.
fn write_file<E: std::error::Error + Send + Sync + 'static>(
    form: ExportForm,
    found: impl Iterator<Item = Result<Decision, E>>,
    out: &Path,
) -> anyhow::Result<()> {
    let cannot = || format!("`{}` cannot be written", out.display());
    let directory = out.parent().filter(|parent| *parent != Path::new("")).unwrap_or(Path::new("."));
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".");
    let unfinished = tempfile::Builder::new().prefix(&name).suffix(".unfinished").tempfile_in(directory);
    let unfinished = unfinished.with_context(cannot)?;
    write(form, found, &mut BufWriter::new(unfinished.as_file())).with_context(cannot)?;
    unfinished.as_file().sync_all().with_context(cannot)?;
    unfinished.persist_noclobber(out).map_err(|error| error.error).with_context(cannot)?;
    Ok(())
}

fn write<E: std::error::Error + Send + Sync + 'static>(
    form: ExportForm,
    found: impl Iterator<Item = Result<Decision, E>>,
    to: &mut impl Write,
) -> anyhow::Result<()> {
    if form == ExportForm::Csv {
        to.write_all(csv::head().as_bytes())?;
    }
    for decision in found {
        let Decision { record, outcomes } = decision?;
        let Body::Decided(decided) = &record.body else { continue };
        let event = Event { seq: record.seq, at: record.at, decided, outcomes: &outcomes };
        let text = match form {
            ExportForm::Jsonl => serde_json::to_string(&Whole::of(&record, &outcomes))? + "\n",
            ExportForm::Csv => csv::row(&event),
            ExportForm::Ocsf => format!("{}\n", ocsf::event(&event)),
            ExportForm::Cef => cef::event(&event),
        };
        to.write_all(text.as_bytes())?;
    }
    to.flush()?;
    Ok(())
}

// === impl Whole ===

impl<'a> Whole<'a> {
    fn of(record: &'a Line, outcomes: &'a [(Time, Outcome)]) -> Self {
        let done = |(at, outcome): &'a (Time, Outcome)| Done { at: *at, step: &outcome.step, result: &outcome.result };
        Self { record, outcomes: outcomes.iter().map(done).collect() }
    }
}

// === impl Event ===

impl Event<'_> {
    /// What was decided, in a word.
    fn verdict(&self) -> &'static str {
        self.decided.verdict.map_or("enforce", super::list::word)
    }

    fn rules(&self) -> Vec<&str> {
        let determined = self.decided.determined_by.iter().flat_map(|by| &by.rules);
        let mut rules: Vec<&str> =
            determined.chain(self.decided.locks.iter().map(|lock| &lock.rule)).map(String::as_str).collect();
        rules.dedup();
        rules
    }

    /// What the requester wrote; none, if that is erased.
    fn words(&self) -> Option<&str> {
        let request = self.decided.request.as_ref()?;
        request.words.is_none().then_some(request.reason.as_str())
    }

    fn resources(&self) -> Vec<String> {
        let resources = self.decided.request.iter().flat_map(|request| &request.resources);
        resources.map(|it| format!("/{}/{}/{}", it.cluster, it.kind, it.name)).collect()
    }

    fn became(&self) -> Became {
        if self.decided.dry_run {
            return Became::Rehearsed;
        }
        let resolves = matches!(self.decided.verdict, Some(Verdict::Approve | Verdict::Deny));
        let planned = self.decided.locks.len() + self.decided.releases.len() + usize::from(resolves);
        let mut done = 0_usize;
        for (_, outcome) in self.outcomes {
            match &outcome.result {
                StepResult::Applied | StepResult::Reviewed { .. } => done = done.saturating_add(1),
                StepResult::Failed { .. } => return Became::Failed,
                StepResult::Superseded { .. } => return Became::Superseded,
            }
        }
        match (planned, done) {
            (0, _) => Became::Nothing,
            (planned, done) if done >= planned => Became::Done,
            (_, _) => Became::Open,
        }
    }

    /// Why a step was not done, if one was not.
    fn trouble(&self) -> Option<String> {
        self.outcomes.iter().find_map(|(_, outcome)| match &outcome.result {
            StepResult::Applied | StepResult::Reviewed { .. } => None,
            StepResult::Failed { class, detail } => {
                Some(format!("{}, {}: {detail}", step(&outcome.step), class_word(*class)))
            }
            StepResult::Superseded { why } => Some(format!("{}: {why}", step(&outcome.step))),
        })
    }
}

// === impl Became ===

impl Became {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing-to-do",
            Self::Rehearsed => "dry-run",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Superseded => "superseded",
            Self::Open => "open",
        }
    }
}

const fn step(step: &Step) -> &'static str {
    match step {
        Step::Lock(_) => "lock",
        Step::Unlock(_) => "unlock",
        Step::Approve(_) => "approve",
        Step::Deny(_) => "deny",
        Step::Decision => "decision",
    }
}

const fn class_word(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Retry => "retry",
        FailureClass::Settle => "settle",
        FailureClass::Alarm => "alarm",
    }
}
