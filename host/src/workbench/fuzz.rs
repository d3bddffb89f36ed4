//! Shows a policy cases that nobody thought of, and keeps the smallest that it cannot answer: a fault, two answers to one
//! question, a promise that it breaks. Equal seeds give equal cases; it waits for nothing and reads no clock.

mod chance;
mod make;
mod shrink;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tribunal_core::case::Case;
use tribunal_core::opinion::{FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::Solo;

use self::chance::Chance;
pub use self::make::Words;
use super::Trouble;
use super::ask::{Answer, Question, pending};
use super::case::short;

/// Findings that are kept; each is of a kind of its own.
pub const FINDINGS_MAX: usize = 16;

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// It is a fault. What the description does not declare, and orders for requests that are not there, are faults.
    Fault(FaultKind),
    /// The same question was answered in two ways.
    Differs,
    /// A request is approved that would have to be locked at once.
    Contradicts,
}

/// A case that a policy cannot answer.
#[derive(Clone, Debug)]
pub struct Finding {
    /// What is wrong.
    pub wrong: Wrong,
    /// With which question.
    pub question: Question,
    /// In words.
    pub detail: String,
    /// The case, as small as it was got.
    pub case: Case,
    /// The number of the case that it was found in.
    pub number: u64,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Cases that were shown.
    pub cases: u64,
    /// What was found, each kind once.
    pub findings: Vec<Finding>,
}

// === impl Wrong ===

impl Wrong {
    /// One word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fault(kind) => kind.as_str(),
            Self::Differs => "differs",
            Self::Contradicts => "contradicts",
        }
    }
}

/// Shows the policy cases of a seed, from the first on, for as long as `go_on` says of the number of the next.
#[must_use]
pub fn fuzz(solo: &Solo, words: &Words, seed: u64, mut go_on: impl FnMut(u64, usize) -> bool) -> Found {
    let mut found = Found::default();
    let mut known: BTreeSet<(Wrong, u8)> = BTreeSet::new();
    while found.findings.len() < FINDINGS_MAX && go_on(found.cases, found.findings.len()) {
        let number = found.cases;
        found.cases = found.cases.saturating_add(1);
        let case = make::case(&mut Chance::new(seed, number), words);
        let Some((wrong, question, _)) = look(solo, &case) else { continue };
        if !known.insert((wrong, sort(&question))) {
            continue;
        }
        let kept = found.findings.len();
        let case = shrink::shrink(case, |smaller| {
            // When the time is over, it is as small as it was got: what is slow shrinks slowly.
            go_on(number, kept)
                && look(solo, smaller).is_some_and(|(same, asked, _)| same == wrong && sort(&asked) == sort(&question))
        });
        if let Some((wrong, question, detail)) = look(solo, &case) {
            found.findings.push(Finding { wrong, question, detail, case, number });
        }
    }
    found
}

/// The first thing that is wrong with a policy's answers about a case.
fn look(solo: &Solo, case: &Case) -> Option<(Wrong, Question, String)> {
    let case = Arc::new(case.clone());
    for question in Question::all(&case) {
        let (answer, _) = question.ask(solo, &case);
        let (again, _) = question.ask(solo, &case);
        if let Some(fault) = answer.fault() {
            // A deadline may be missed because the machine is busy: once more, and it is the policy's.
            if answer.is_of_the_moment() && again.fault().is_none() {
                continue;
            }
            return Some((Wrong::Fault(fault.kind), question, fault.detail.clone()));
        }
        if answer.differs_from(&again) {
            return Some((Wrong::Differs, question, format!("{answer}; then {again}")));
        }
        if let (Question::Review(id), Answer::Opinion(Ok(Opinion::Approve(_)))) = (&question, &answer)
            && let Some(order) = own_lock(solo, &case, id)
        {
            let detail = format!("it answers {answer}, and would lock that very request: {order}");
            return Some((Wrong::Contradicts, question, detail));
        }
    }
    None
}

/// What the policy would say to a lock on the request that it approves.
fn own_lock(solo: &Solo, case: &Arc<Case>, id: &RequestId) -> Option<String> {
    let (Answer::Orders(Ok(orders)), _) = Question::EnforceIf(id.clone()).ask(solo, case) else { return None };
    orders
        .into_iter()
        .find(|order| order.request == *id)
        .map(|order| format!("{}: {}", order.ground.rule, order.ground.reason))
}

/// Questions of one sort fail for one reason, most of the time.
const fn sort(question: &Question) -> u8 {
    match question {
        Question::Review(_) => 0,
        Question::Enforce => 1,
        Question::EnforceIf(_) => 2,
    }
}

// === impl Finding ===

impl Finding {
    /// A suite of this case alone, which passes once the policy is mended.
    ///
    /// # Errors
    /// That it cannot be written in TOML.
    pub fn as_suite(&self, plugin: &str, settings: &Map<String, Value>, seed: u64) -> Result<String, String> {
        let mut case = short(&self.case);
        let name = format!("{} in {}", self.wrong.as_str(), self.question);
        case.insert("name".to_owned(), name.into());
        let pending = pending(&self.case);
        match &self.question {
            Question::Review(id) if pending.len() > 1 => drop(case.insert("request".to_owned(), id.as_str().into())),
            Question::Review(_) | Question::Enforce | Question::EnforceIf(_) => {}
        }
        let expect = match self.wrong {
            Wrong::Fault(_) | Wrong::Differs => json!({}),
            Wrong::Contradicts => json!({ "opinion": ["abstain", "deny", "escalate"] }),
        };
        case.insert("expect".to_owned(), expect);
        let suite = json!({ "plugin": plugin, "settings": settings, "case": [case] });
        let text = toml::to_string(&suite).map_err(|error| error.to_string())?;
        let detail = crate::health::plain(&self.detail);
        Ok(format!("# Found by `tribunal plugin fuzz --seed {seed}`, case {}: {detail}\n{text}", self.number))
    }

    /// Writes that suite into a directory.
    ///
    /// # Errors
    /// That it cannot be written.
    pub fn write(
        &self,
        dir: &Path,
        plugin: &str,
        settings: &Map<String, Value>,
        seed: u64,
    ) -> Result<PathBuf, Trouble> {
        let path = dir.join(format!("fuzz-{}-{seed}-{}.suite.toml", self.wrong.as_str(), self.number));
        let text = self.as_suite(plugin, settings, seed).map_err(|why| Trouble::unwritten(&path, &why))?;
        std::fs::write(&path, text).map_err(|error| Trouble::unwritten(&path, &error))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests;
