//! `tribunal plugin bench`: prints what was measured, and what got slower. It measures nothing itself.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::super::EXIT_ERROR;
use super::super::args::BenchArgs;
use super::{BAD, GOOD, limits, print, tell_if_slow};
use crate::workbench::bench::{Row, Slower, THRESHOLD_PERCENT_DEFAULT, What, measure, read, slower, write};

pub(super) fn bench(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let limits = limits(&args.limits)?;
    let file = |name: &str| args.dir.join(format!("{name}.bench.json"));
    // What cannot be compared is told before anything takes time.
    let before = args.compare.as_deref().map(|name| read(&file(name))).transpose()?;
    let what = What {
        plugin: &args.plugin,
        settings: &args.settings,
        samples: args.samples,
        time: Duration::from_secs(args.seconds),
        instructions: !args.no_instructions,
        limits: &limits,
    };
    tell_if_slow(Path::new(&args.plugin));
    let mut shown = Ok(());
    if !args.json {
        print(&format!(
            "{:>9}  {:<8} {:>8} {:>10} {:>10} {:>10} {:>6} {:>7} {:>13}\n",
            "resources", "question", "samples", "p50 us", "p95 us", "p99 us", "late", "KiB", "instructions"
        ))?;
    }
    let measured = measure(&what, |row| {
        progress(row);
        if !args.json && shown.is_ok() {
            shown = print(&line(row));
        }
    })?;
    shown?;
    let threshold = args.threshold.unwrap_or(THRESHOLD_PERCENT_DEFAULT);
    let found = before.as_ref().map(|before| slower(before, &measured, threshold));
    if let Some(name) = &args.save {
        write(&file(name), &measured)?;
    }
    let slower = found.as_deref().unwrap_or_default();
    if args.json {
        let slower: Vec<_> = slower
            .iter()
            .map(|Slower { resources, question, before_us, now_us }| {
                json!({ "resources": resources, "question": question, "before_us": before_us, "now_us": now_us })
            })
            .collect();
        print(&format!("{}\n", json!({ "ok": slower.is_empty(), "measured": measured, "slower": slower })))?;
    } else {
        for Slower { resources, question, before_us, now_us } in slower {
            let more = (now_us / before_us - 1.0) * 100.0;
            print(&format!(
                "{BAD}slower{BAD:#} {question} of {resources} resources: {before_us:.1} us before, {now_us:.1} us now, \
                 {more:.0} % more (`--threshold` is {threshold})\n"
            ))?;
        }
        if found.is_some() && slower.is_empty() {
            print(&format!("{GOOD}no slower{GOOD:#} than before, within {threshold} %\n"))?;
        }
    }
    Ok(if slower.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

fn line(row: &Row) -> String {
    let Row { resources, question, samples, p50_us, p95_us, p99_us, late, memory_bytes, instructions } = row;
    let instructions = instructions.map_or_else(|| "not counted".to_owned(), |ran| ran.to_string());
    let kib = memory_bytes.div_ceil(1_024);
    format!(
        "{resources:>9}  {question:<8} {samples:>8} {p50_us:>10.1} {p95_us:>10.1} {p99_us:>10.1} {late:>6} {kib:>7} {instructions:>13}\n"
    )
}

/// Says what is done, where somebody watches and the rows themselves do not say it.
fn progress(row: &Row) {
    if std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
        let _unheard = writeln!(std::io::stderr(), "{} of {} resources", row.question, row.resources);
    }
}
