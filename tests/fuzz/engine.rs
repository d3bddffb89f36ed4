//! Runs cases and judges them: those of the corpus, then mutations of whatever led to something new. It must never let a
//! case pass that panicked, took too much, or was answered wrongly.

use std::collections::BTreeSet;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::corpus::hash;
use crate::coverage::{self, Edges};
use crate::guard::{Guard, written};
use crate::memory;
use crate::mutate::mutate;
use crate::targets::Target;

/// How many cases the corpus of a run may grow to.
const CORPUS_CASES_MAX: usize = 20_000;
/// What is kept for good of a target: so many cases, each so short, each cut down by so many tries.
const KEPT_CASES_MAX: usize = 150;
const KEPT_BYTES_MAX: usize = 16 * 1024;
const CUTS_MAX: usize = 400;
/// How much of an answer counts, in characters.
const ANSWER_CHARS_MAX: usize = 100;
/// How many kinds of answer are told apart.
const ANSWERS_MAX: usize = 1_000;
/// How often the time is looked at, in cases.
const LOOK_CASES: u64 = 64;
/// What is left behind by a thousand cases in bytes, at most: more is a leak. What is made once and kept is not.
const LEFT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is tried.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// Cases after the corpus.
    pub(crate) cases: u64,
    pub(crate) time: Option<Duration>,
    /// Where a case is written that fails.
    pub(crate) failures: PathBuf,
}

/// What was tried, and what it took.
#[derive(Debug, Default)]
pub(crate) struct Report {
    target: &'static str,
    seed: u64,
    replayed: usize,
    cases: u64,
    seconds: f64,
    answers: usize,
    edges: usize,
    edges_all: usize,
    corpus: usize,
    /// The most that one case held, and how long that case was, in bytes.
    most: (usize, usize),
    /// The longest that one case took.
    longest: Duration,
    left: usize,
}

/// Runs cases and remembers what was seen.
struct Judge<'a> {
    target: Target,
    plan: &'a Plan,
    guard: Guard,
    edges: Edges,
    /// Hashes of the answers, without numbers and quotations.
    answers: BTreeSet<u64>,
    report: Report,
}

/// The corpus, then new cases until the plan is done; also gives what led to something new.
pub(crate) fn run(target: Target, corpus: Vec<Vec<u8>>, plan: &Plan) -> Result<(Report, Vec<Vec<u8>>), String> {
    let mut judge = Judge::new(target, plan);
    let mut found = judge.target.seeds();
    found.extend(corpus);
    for case in &found {
        judge.judge(case)?;
    }
    judge.report.replayed = found.len();
    let (begun, held) = (Instant::now(), memory::held());
    let mut chance = Chance::new(plan.seed);
    let mut case = Vec::new();
    while judge.report.cases < plan.cases {
        let late = || plan.time.is_some_and(|time| begun.elapsed() >= time);
        if judge.report.cases.is_multiple_of(LOOK_CASES) && late() {
            break;
        }
        mutate(&mut chance, &judge.target, &found, &mut case);
        judge.report.cases += 1;
        if judge.judge(&case)? && found.len() < CORPUS_CASES_MAX {
            found.push(case.clone());
        }
    }
    drop(case);
    let kept: usize = found.iter().map(Vec::len).sum();
    judge.report.left = memory::held().saturating_sub(held).saturating_sub(kept);
    judge.report.seconds = begun.elapsed().as_secs_f64();
    judge.report.corpus = found.len();
    if judge.report.left > LEFT_BYTES_MAX {
        return Err(format!("all cases together left {} bytes of memory behind", judge.report.left));
    }
    Ok((judge.told(), found))
}

/// One case alone.
pub(crate) fn replay(target: Target, path: &Path, plan: &Plan) -> Result<Report, String> {
    let case = std::fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    let mut judge = Judge::new(target, plan);
    judge.judge(&case)?;
    judge.report.replayed = 1;
    Ok(judge.told())
}

/// Few of these cases that take each edge that any of them takes, cut down as far as they still do. Without counters on
/// edges: one for each kind of answer.
pub(crate) fn distil(target: Target, mut cases: Vec<Vec<u8>>, plan: &Plan) -> Result<Vec<Vec<u8>>, String> {
    cases.retain(|case| case.len() <= KEPT_BYTES_MAX);
    cases.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let mut judge = Judge::new(target, plan);
    let mut few = Vec::new();
    for case in cases {
        if few.len() >= KEPT_CASES_MAX {
            break;
        }
        if coverage::count() == 0 {
            if judge.judge(&case)? {
                few.push(case);
            }
            continue;
        }
        judge.run(&case)?;
        let edges = judge.edges.first_taken();
        if !edges.is_empty() {
            let case = judge.cut(case, &edges)?;
            judge.judge(&case)?;
            few.push(case);
        }
    }
    Ok(few)
}

// === impl Judge ===

impl<'a> Judge<'a> {
    fn new(target: Target, plan: &'a Plan) -> Self {
        let report = Report { target: target.name, seed: plan.seed, ..Report::default() };
        let guard = Guard::start(target.name, plan.failures.clone());
        Self { target, plan, guard, edges: Edges::default(), answers: BTreeSet::new(), report }
    }

    /// The case with as little as still takes these edges.
    fn cut(&mut self, mut case: Vec<u8>, edges: &[usize]) -> Result<Vec<u8>, String> {
        let mut piece = case.len() / 2;
        let mut tries = 0;
        while piece > 0 && tries < CUTS_MAX {
            let mut at = 0;
            while at < case.len() && tries < CUTS_MAX {
                let mut less = case.clone();
                less.drain(at..case.len().min(at + piece));
                self.run(&less)?;
                if coverage::took(edges) {
                    case = less;
                } else {
                    at += piece;
                }
                tries += 1;
            }
            piece /= 2;
        }
        Ok(case)
    }

    /// Whether the case led to something new.
    fn judge(&mut self, case: &[u8]) -> Result<bool, String> {
        let answer = self.run(case)?;
        let new_edge = self.edges.add();
        let new_answer = self.answers.len() < ANSWERS_MAX && self.answers.insert(hash(class(&answer).as_bytes()));
        Ok(new_answer || new_edge)
    }

    /// Runs a case; its answer, if nothing is wrong with it.
    fn run(&mut self, case: &[u8]) -> Result<String, String> {
        self.guard.begin(case);
        coverage::begin();
        memory::begin();
        let (before, begun) = (memory::held(), Instant::now());
        let ran = quietly(|| self.target.run(case));
        let (took, held) = (begun.elapsed(), memory::most().saturating_sub(before));
        self.guard.end();
        let failed = |wrong: &str| Err(written(self.target.name, case, &self.plan.failures, wrong));
        let answer = match ran {
            Ok(Ok(answer)) => answer,
            Ok(Err(wrong)) => return failed(&format!("its answer does not hold: {wrong}")),
            Err(panicked) => return failed(&format!("it panicked: {panicked}")),
        };
        let held_max = self.target.held_bytes_max(case.len());
        if held > held_max {
            return failed(&format!("{} bytes took {held} bytes of memory, of {held_max}", case.len()));
        }
        if held > self.report.most.0 {
            self.report.most = (held, case.len());
        }
        self.report.longest = self.report.longest.max(took);
        Ok(answer)
    }

    fn told(self) -> Report {
        let (answers, edges) = (self.answers.len(), self.edges.taken());
        Report { answers, edges, edges_all: coverage::count(), ..self.report }
    }
}

/// An answer without what differs from case to case: numbers, what is quoted, and the end of a long one.
fn class(answer: &str) -> String {
    let mut quoted = None;
    let plain = answer.chars().filter(|letter| {
        let was = quoted;
        match was {
            None if matches!(letter, '`' | '"') => quoted = Some(*letter),
            Some(mark) if mark == *letter => quoted = None,
            Some(_) | None => {}
        }
        was.is_none() && letter.is_ascii() && !letter.is_ascii_digit()
    });
    plain.take(ANSWER_CHARS_MAX).collect()
}

static SAID: Mutex<String> = Mutex::new(String::new());

/// Runs it; a panic is an error that says where, and nothing else is printed. One in a task of the case counts as well,
/// though its runtime caught it.
fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    let said = || SAID.lock().unwrap_or_else(PoisonError::into_inner);
    said().clear();
    panic::set_hook(Box::new(|panicked| {
        *SAID.lock().unwrap_or_else(PoisonError::into_inner) = panicked.to_string();
    }));
    let ran = panic::catch_unwind(AssertUnwindSafe(run));
    let _ours = panic::take_hook();
    let panicked = std::mem::take(&mut *said());
    if panicked.is_empty() { ran.map_err(|_| "without a word".to_owned()) } else { Err(panicked) }
}

// === impl Report ===

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, seed, replayed, cases, seconds, answers, edges, edges_all, corpus, most, longest, left } =
            self;
        let rate = if *seconds > 0.0 { *cases as f64 / seconds } else { 0.0 };
        write!(
            f,
            "{target}: seed {seed}: corpus of {replayed} replayed, {cases} cases in {seconds:.0} s ({rate:.0} a second), {corpus} of \
             interest; {answers} kinds of answer; at most {} bytes held by a case of {} bytes, {left} left behind; longest {:.1} ms",
            most.0,
            most.1,
            longest.as_secs_f64() * 1000.0
        )?;
        if *edges_all > 0 {
            write!(f, "; {edges} of {edges_all} edges")?;
        }
        Ok(())
    }
}
