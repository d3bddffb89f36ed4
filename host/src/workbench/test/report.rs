//! What came of suites, in the forms that people and programs read. It runs nothing.

mod junit;
mod tap;
mod text;

use serde_json::{Value, json};

use super::{CaseResult, SuiteResult};

pub use self::junit::junit;
pub use self::tap::tap;
pub use self::text::{Styles, summary, text};

/// How many passed, failed and were left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// As expected.
    pub passed: usize,
    /// Otherwise.
    pub failed: usize,
    /// Not run, by the filter.
    pub left_out: usize,
    /// Kept as what is expected from now on.
    pub updated: usize,
}

// === impl Count ===

impl Count {
    /// Over all suites.
    #[must_use]
    pub fn of(suites: &[SuiteResult]) -> Self {
        let mut count = Self::default();
        for suite in suites {
            count.left_out = count.left_out.saturating_add(suite.left_out);
            for case in &suite.cases {
                let of = if case.passed() { &mut count.passed } else { &mut count.failed };
                *of = of.saturating_add(1);
                count.updated = count.updated.saturating_add(usize::from(case.updated));
            }
        }
        count
    }
}

/// One JSON object.
#[must_use]
pub fn json(suites: &[SuiteResult]) -> Value {
    let Count { passed, failed, left_out, updated } = Count::of(suites);
    let suites: Vec<_> = suites
        .iter()
        .map(|suite| {
            json!({
                "file": suite.path.display().to_string(),
                "plugin": suite.plugin,
                "policy": suite.policy,
                "digest": suite.digest,
                "cases": suite.cases.iter().map(case_json).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "ok": failed == 0, "passed": passed, "failed": failed, "left_out": left_out, "updated": updated, "suites": suites,
    })
}

fn case_json(case: &CaseResult) -> Value {
    json!({
        "name": case.name,
        "passed": case.passed(),
        "failures": case.failures,
        "updated": case.updated,
        "us": u64::try_from(case.elapsed.as_micros()).unwrap_or(u64::MAX),
        "memory_bytes": case.memory_bytes,
        "instructions": case.instructions,
    })
}

#[cfg(test)]
mod tests;
