//! For people: what failed in full, what passed in a line.

use anstyle::Style;

use super::super::{CaseResult, SuiteResult};
use super::Count;
use crate::health::plain;

/// How verdicts look.
#[derive(Clone, Copy, Debug, Default)]
pub struct Styles {
    /// What passed.
    pub good: Style,
    /// What failed.
    pub bad: Style,
}

/// A suite.
#[must_use]
pub fn text(suite: &SuiteResult, styles: Styles) -> String {
    let SuiteResult { path, plugin, policy, digest, cases, left_out: _, plugin_file: _ } = suite;
    let digest: String = digest.chars().take(19).collect();
    let mut text =
        format!("{} ({}, {}, {digest}…)\n", plain(&path.display().to_string()), plain(plugin), plain(policy));
    for case in cases {
        text.push_str(&line(case, styles));
    }
    text
}

fn line(case: &CaseResult, Styles { good, bad }: Styles) -> String {
    let name = plain(&case.name);
    if !case.passed() {
        let mut text = format!("  {bad}FAILED{bad:#} {name}\n");
        for failure in &case.failures {
            text.push_str(&format!("         {}\n", plain(failure)));
        }
        return text;
    }
    let ms = case.elapsed.as_secs_f64() * 1_000.0;
    let kib = case.memory_bytes.div_ceil(1_024);
    let counted = case.instructions.map_or_else(String::new, |ran| format!(", {ran} instructions"));
    let kept = if case.updated { ", kept as expected" } else { "" };
    format!("  {good}ok{good:#}     {name} ({ms:.2} ms, {kib} KiB{counted}{kept})\n")
}

/// All of them in a line.
#[must_use]
pub fn summary(suites: &[SuiteResult], styles: Styles) -> String {
    let Count { passed, failed, left_out, updated } = Count::of(suites);
    let style = if failed == 0 { styles.good } else { styles.bad };
    let mut parts = vec![format!("{passed} passed"), format!("{failed} failed")];
    if left_out > 0 {
        parts.push(format!("{left_out} left out by the filter"));
    }
    if updated > 0 {
        parts.push(format!("{updated} kept as expected"));
    }
    format!("\n{style}{}{style:#}\n", parts.join(", "))
}
