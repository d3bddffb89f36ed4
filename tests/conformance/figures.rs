//! What each language costs. It judges nothing.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tribunal_core::case::Case;
use tribunal_engine::{Introduced, Limits, PluginSpec, Workshop};

use crate::Build;
use crate::cases;

/// Evaluations that are measured, after a tenth as many that are not.
const EVALUATIONS: usize = 500;
/// Milliseconds of a deadline, here where it is measured.
const PATIENCE_MS: u64 = 30_000;

/// A table with a line for each build, in the form of Markdown.
pub(crate) fn table(builds: &[Build]) -> Result<String, String> {
    let mut text =
        "| Language | Component, KB | Compiled in | Fresh evaluation, p50 | p99 | Memory, KiB |\n".to_owned();
    text.push_str("|---|---|---|---|---|---|\n");
    let builtin = Build { language: "built-in (Rust)".to_owned(), bytes: tribunal_plugins::CAP.to_vec() };
    let case = cases::typical();
    for build in std::iter::once(&builtin).chain(builds) {
        let line = line(build, &case).map_err(|error| format!("{}: {error}", build.language))?;
        let _infallible = writeln!(text, "{line}");
    }
    text.push_str("\nOne pending request of three resources beside three that are held; configured and asked in a fresh instance.\n");
    Ok(text)
}

fn line(build: &Build, case: &Arc<Case>) -> Result<String, String> {
    let limits = Limits { deadline_ms: PATIENCE_MS, setup_deadline_ms: PATIENCE_MS, ..Limits::default() };
    let began = Instant::now();
    let introduced = Introduced::new(&Workshop::here(), PluginSpec::new("cap", build.bytes.clone()), limits);
    let solo =
        introduced.and_then(|introduced| introduced.configured("{}", None)).map_err(|error| error.to_string())?;
    let compiled = began.elapsed();
    let asked = case.requests.last().ok_or("the case has no request")?.request.id.clone();
    let (mut took, mut memory) = (Vec::with_capacity(EVALUATIONS), 0);
    for number in 0..EVALUATIONS + EVALUATIONS / 10 {
        let (answer, traces) = solo.review(case, &asked);
        let _opinion = answer.map_err(|fault| format!("{fault:?}"))?;
        if number >= EVALUATIONS / 10 {
            took.push(traces.elapsed);
            memory = memory.max(traces.memory_bytes);
        }
    }
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    let (name, bytes) = (&build.language, build.bytes.len().div_ceil(1_000));
    let (half, most) = (micros(at(50)), micros(at(99)));
    Ok(format!(
        "| {name} | {bytes} | {} ms | {half} µs | {most} µs | {} |",
        compiled.as_millis(),
        memory.div_ceil(1_024)
    ))
}

fn micros(time: Duration) -> u128 {
    time.as_micros()
}
