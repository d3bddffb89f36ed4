//! `tribunal replay`: makes recorded decisions again and says what is, or would have been, otherwise. It changes nothing.

mod text;

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

use super::args::ReplayArgs;
use super::ledger::{directory_of, list, print};
use super::{EXIT_ERROR, progress, report};
use crate::assembly;
use crate::config::{Config, Overrides};
use crate::replay::{self, Against, Change, Flip, Other, Progress, Report, Substitute};

/// Differences and forbidden flips that are told one by one.
const TOLD_MAX: usize = 20;

pub(super) async fn replay(args: ReplayArgs) -> anyhow::Result<ExitCode> {
    let threads = match args.threads {
        Some(threads) => usize::from(threads),
        None => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
    };
    let directory = directory_of(args.dir.as_deref(), args.config.as_deref())?;
    let filter = list::filter(&args.filter, Timestamp::now())?;
    let against = match &args.config {
        Some(config) => Against::Other(Box::new(other(config, threads).await?)),
        None => match change(&args)? {
            change if change == Change::default() => Against::Recorded,
            change => Against::Changed(change),
        },
    };
    let forbidden = args.forbid.clone();
    let is_exact = matches!(against, Against::Recorded);
    anyhow::ensure!(
        !is_exact || forbidden.is_empty(),
        "nothing can turn where nothing is changed; say what to hold the decisions against: `--config`, `--set`, `--with` or `--shadow`"
    );
    let working = tokio::task::spawn_blocking(move || {
        let progress = Progress::default();
        let so_far = || {
            let (part, decisions) = progress.so_far();
            (part, format!("{decisions} decisions"))
        };
        progress::during(so_far, || replay::replay(&directory, &filter, &against, threads, &progress))
    });
    let report = working.await.context("a bug; please report it")??;
    let turned: Vec<&Flip> =
        report.flips.iter().filter(|flip| forbidden.iter().any(|forbidden| forbidden.is(flip))).collect();
    print(&if args.json { as_json(&report, &turned)? } else { text::page(&report, is_exact) })?;
    let told = complaints(&report, &turned);
    report::say(&told);
    Ok(if told.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

/// The panel of another configuration.
async fn other(path: &Path, threads: usize) -> anyhow::Result<Other> {
    let config = Config::load(path, &Overrides { dry_run: true, ..Overrides::default() })?;
    let panel = Box::pin(assembly::load_for_crew(&config, threads)).await;
    let panel = panel.map_err(|errors| anyhow::anyhow!(errors.join("\n")))?;
    Ok(Other { panel, protected_roles: config.protected_roles, scope: config.scope })
}

fn change(args: &ReplayArgs) -> anyhow::Result<Change> {
    let settings = args.settings.iter().map(|text| setting(text)).collect::<anyhow::Result<_>>()?;
    let plugins = args.components.iter().map(|text| component(text)).collect::<anyhow::Result<_>>()?;
    Ok(Change { shadows_count: args.shadow, settings, plugins })
}

/// A setting: what is no JSON is taken for a word.
fn setting(text: &str) -> anyhow::Result<(String, String, Value)> {
    let parts = text.split_once('=').and_then(|(name, value)| Some((name.split_once('.')?, value)));
    let ((plugin, key), value) =
        parts.with_context(|| format!("`{text}` is no setting: write it as in `cap.max-resources=2`"))?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((plugin.to_owned(), key.to_owned(), value))
}

fn component(text: &str) -> anyhow::Result<Substitute> {
    let (plugin, path) =
        text.split_once('=').with_context(|| format!("`{text}` is no component: write it as in `cap=cap.wasm`"))?;
    let bytes = std::fs::read(path).with_context(|| format!("`{path}` cannot be read"))?;
    Ok(Substitute { plugin: plugin.to_owned(), bytes: Arc::from(bytes) })
}

fn as_json(report: &Report, forbidden: &[&Flip]) -> anyhow::Result<String> {
    let mut said = serde_json::to_value(report)?;
    if let Some(said) = said.as_object_mut() {
        said.insert("ok".to_owned(), Value::from(report.is_sound() && forbidden.is_empty()));
        said.insert("forbidden".to_owned(), Value::from(forbidden.len()));
    }
    Ok(format!("{said}\n"))
}

/// What ends the command with an error.
fn complaints(report: &Report, forbidden: &[&Flip]) -> Vec<String> {
    let differences = report.differences.iter().map(|difference| {
        let record = difference.seq.map_or_else(String::new, |seq| format!("record {seq}: "));
        format!("{record}{}", difference.what)
    });
    let flips = forbidden.iter().map(|flip| {
        let because = flip.because().join(", ");
        format!(
            "record {}: request `{}` of `{}` turns {}, by {because}",
            flip.seq,
            flip.request,
            flip.user,
            flip.turn()
        )
    });
    let all: Vec<String> = differences.chain(flips).collect();
    let more = all.len().saturating_sub(TOLD_MAX);
    let more = (more > 0).then(|| format!("and {more} more like this; `--json` has all of them"));
    all.into_iter().take(TOLD_MAX).chain(more).map(|text| crate::health::plain(&text)).collect()
}
