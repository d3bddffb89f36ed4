//! `tribunal plugin fuzz`: shows cases for as long as it may, and prints what was found. It finds nothing itself.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use tribunal_engine::Introduced;

use super::super::EXIT_ERROR;
use super::super::args::FuzzArgs;
use super::{BAD, GOOD, limits, print, tell_if_slow};
use crate::health::plain;
use crate::workbench::fuzz::{Found, Words, fuzz as show};
use crate::workbench::{Component, Trouble, workshop};

/// The time between two signs of life.
const TELL_EVERY: Duration = Duration::from_secs(2);

pub(super) fn fuzz(args: &FuzzArgs) -> anyhow::Result<ExitCode> {
    let limits = limits(&args.limits)?;
    let settings: Map<String, Value> = serde_json::from_str(&args.settings)
        .context("`--settings` is no JSON object, such as `{\"max-resources\": 3}`")?;
    let facts = args.fact.iter().map(|fact| named(fact)).collect::<anyhow::Result<Vec<_>>>()?;
    tell_if_slow(Path::new(&args.plugin));
    let component = Component::read(&args.plugin, Path::new(""), &limits)?;
    let solo = Introduced::new(&workshop(), component.spec(), limits)
        .and_then(|introduced| introduced.configured(&args.settings, None))
        .map_err(|problem| Trouble::Plugin { plugin: component.label.clone(), problem: Box::new(problem) })?;
    let seed = match args.seed {
        Some(seed) => seed,
        // Few digits are easier to type again.
        None => getrandom::u64().context("this machine gives no randomness; choose a `--seed`")? % 1_000_000,
    };
    let (began, most) = (Instant::now(), Duration::from_secs(args.seconds));
    let mut told = began;
    let found = show(&solo, &Words::new(&settings, &facts), seed, |number, findings| {
        if told.elapsed() >= TELL_EVERY && std::io::stderr().is_terminal() {
            told = Instant::now();
            let _unheard = writeln!(std::io::stderr(), "{number} cases, {findings} findings");
        }
        number < args.cases && began.elapsed() < most
    });
    tell(args, &component, &settings, seed, &found)
}

fn tell(
    args: &FuzzArgs,
    component: &Component,
    settings: &Map<String, Value>,
    seed: u64,
    found: &Found,
) -> anyhow::Result<ExitCode> {
    // The suite may lie elsewhere than where this is typed.
    let plugin = match &component.path {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
        None => component.label.clone(),
    };
    let mut findings = Vec::new();
    for finding in &found.findings {
        let path = finding.write(&args.dir, &plugin, settings, seed)?;
        if !args.json {
            let (word, question) = (finding.wrong.as_str(), plain(&finding.question.to_string()));
            print(&format!("{BAD}{word}{BAD:#} {question}: {}\n  {}\n", plain(&finding.detail), path.display()))?;
        }
        findings.push(json!({
            "wrong": finding.wrong.as_str(),
            "question": finding.question.to_string(),
            "detail": finding.detail,
            "case": finding.number,
            "file": path.display().to_string(),
        }));
    }
    let ok = findings.is_empty();
    print(&if args.json {
        format!("{}\n", json!({ "ok": ok, "seed": seed, "cases": found.cases, "findings": findings }))
    } else {
        let style = if ok { GOOD } else { BAD };
        format!("{style}{} findings{style:#} in {} cases of seed {seed}\n", findings.len(), found.cases)
    })?;
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

/// A fact by its name.
fn named(fact: &str) -> anyhow::Result<(String, String)> {
    let parsed = fact.split_once('=').filter(|(_, json)| serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok());
    let (name, json) =
        parsed.with_context(|| format!("`{fact}` is no fact: write `NAME=JSON`, such as `freeze=true`"))?;
    Ok((name.to_owned(), json.to_owned()))
}
