//! The Test Anything Protocol, version 14: a line a case, and a block of what failed.

use super::super::SuiteResult;
use crate::health::plain;

/// All suites as one stream.
#[must_use]
pub fn tap(suites: &[SuiteResult]) -> String {
    let count: usize = suites.iter().map(|suite| suite.cases.len()).fold(0, usize::saturating_add);
    let mut text = format!("TAP version 14\n1..{count}\n");
    let cases = suites.iter().flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)));
    for (number, (suite, case)) in (1_u64..).zip(cases) {
        let word = if case.passed() { "ok" } else { "not ok" };
        let name = format!("{}: {}", suite.path.display(), case.name);
        // A `#` begins a directive.
        let name = plain(&name).replace('\\', "\\\\").replace('#', "\\#");
        text.push_str(&format!("{word} {number} - {name}\n"));
        if !case.passed() {
            text.push_str("  ---\n  failures:\n");
            for failure in &case.failures {
                // JSON's strings are YAML's.
                text.push_str(&format!("    - {}\n", serde_json::Value::from(failure.as_str())));
            }
            text.push_str("  ...\n");
        }
    }
    text
}
