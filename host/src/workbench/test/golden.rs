//! What a policy answered once, beside the suite: expected of cases that say nothing else. It is written on demand only.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tribunal_ledger::schema;

use super::super::Trouble;
use super::super::ask::Answer;
use super::super::syntax;
use super::Asked;

/// What the name of such a file ends with, in place of the suite's ending.
const ENDING: &str = "golden.json";

/// Answers by case, and in it by question.
#[derive(Debug)]
pub(super) struct Goldens {
    path: PathBuf,
    answers: BTreeMap<String, BTreeMap<String, Value>>,
    changed: bool,
}

// === impl Goldens ===

impl Goldens {
    /// Those of a suite; none, if it has none.
    pub(super) fn read(suite: &Path) -> Result<Self, Trouble> {
        let path = suite.with_extension(ENDING);
        let answers = if path.exists() {
            let (text, syntax) = syntax::read(&path)?;
            syntax.parse(&text).map_err(|why| Trouble::form(&path, why))?
        } else {
            BTreeMap::new()
        };
        Ok(Self { path, answers, changed: false })
    }

    /// Keeps what was answered.
    pub(super) fn put(&mut self, name: &str, asked: &[Asked]) {
        let answers = answers(asked);
        if self.answers.get(name) != Some(&answers) {
            self.answers.insert(name.to_owned(), answers);
            self.changed = true;
        }
    }

    /// Where the answers are others than those that were kept.
    pub(super) fn failures(&self, name: &str, asked: &[Asked]) -> Vec<String> {
        let Some(kept) = self.answers.get(name) else {
            return vec![
                "nothing is expected of it: write `expect`, or run with `--update` to keep what is answered now"
                    .to_owned(),
            ];
        };
        let mut failures = Vec::new();
        for (question, answer) in &answers(asked) {
            match kept.get(question) {
                Some(kept) if kept == answer => {}
                Some(kept) => failures.push(format!("{question}: expected {kept}, it answered {answer}")),
                None => failures
                    .push(format!("{question}: expected no such question; run with `--update` if that is right")),
            }
        }
        failures
    }

    /// Writes them, without those of cases that are no more.
    pub(super) fn write<'a>(mut self, cases: impl Iterator<Item = &'a str>) -> Result<(), Trouble> {
        let cases: BTreeSet<&str> = cases.collect();
        let before = self.answers.len();
        self.answers.retain(|name, _| cases.contains(name.as_str()));
        if !self.changed && self.answers.len() == before {
            return Ok(());
        }
        let text =
            serde_json::to_string_pretty(&self.answers).map_err(|error| Trouble::unwritten(&self.path, &error))?;
        std::fs::write(&self.path, format!("{text}\n")).map_err(|error| Trouble::unwritten(&self.path, &error))
    }
}

/// The answers as the ledger would have them; of a fault its kind alone, since details name addresses in the guest.
fn answers(asked: &[Asked]) -> BTreeMap<String, Value> {
    let value = |asked: &Asked| {
        let answer = match &asked.answer {
            Answer::Opinion(Ok(opinion)) => serde_json::to_value(schema::Opinion::from(opinion)),
            Answer::Orders(Ok(orders)) => {
                serde_json::to_value(orders.iter().map(schema::LockOrder::from).collect::<Vec<_>>())
            }
            Answer::Opinion(Err(fault)) | Answer::Orders(Err(fault)) => {
                return serde_json::json!({ "fault": fault.kind.as_str() });
            }
        };
        answer.unwrap_or_default()
    };
    asked.iter().map(|asked| (asked.question.to_string(), value(asked))).collect()
}
