//! `tribunal ledger verify`: says whether a ledger, or the proof of one record, is what was signed. It never calls right what
//! it did not check.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tribunal_ledger::{Checkpoint, Finding, Proof, PublicKey, Report, TornEnd, Verdict, check, public_key};

use super::super::args::VerifyArgs;
use super::super::{EXIT_ERROR, report};
use super::{directory, key, print, read_small};
use crate::health::plain;

/// More findings than this are counted only.
const FINDINGS_SHOWN_MAX: usize = 20;
/// The longest proof: a record, twice as long as base64, and a path.
const PROOF_BYTES_MAX: u64 = 64 * 1024 * 1024;

pub(super) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    if let Some(proof) = &args.proof {
        return verify_proof(args, proof);
    }
    let directory = directory(&args.place)?;
    let (key, is_own) = match &args.key {
        Some(text) => (key(text)?, false),
        None => {
            let key = public_key(&directory).with_context(|| {
                format!(
                    "there is no public key in `{}`, which a daemon makes when it starts; give one with `--key`",
                    directory.display()
                )
            })?;
            (key, true)
        }
    };
    let since = args.since.as_deref().map(|since| older(since, &key)).transpose()?;
    let verdict = check(&directory, &key, since.as_ref())?;
    let text = if args.json { as_json(&verdict, &key, since.as_ref()) } else { as_text(&verdict, &key, is_own) };
    print(&text)?;
    if verdict.findings.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let told = verdict.findings.iter().take(FINDINGS_SHOWN_MAX).map(told);
    let more = verdict.findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
    let more = (more > 0).then(|| format!("and {more} more like this"));
    report::say(&told.chain(more).collect::<Vec<_>>());
    Ok(ExitCode::from(EXIT_ERROR))
}

fn older(path: &Path, key: &PublicKey) -> anyhow::Result<Checkpoint> {
    Checkpoint::open(&read_small(path)?, key).with_context(|| format!("`{}` is not to be believed", path.display()))
}

fn verify_proof(args: &VerifyArgs, path: &Path) -> anyhow::Result<ExitCode> {
    let key = key(args.key.as_deref().context("a proof is checked with a key: give one with `--key`")?)?;
    let cannot = || format!("`{}` cannot be used", path.display());
    let length = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= PROOF_BYTES_MAX, "`{}` is too long: {length} bytes", path.display());
    let proof = Proof::parse(&std::fs::read_to_string(path).with_context(cannot)?).with_context(cannot)?;
    let proven = proof.check(&key).with_context(cannot)?;
    let record = String::from_utf8_lossy(&proven.record);
    let checkpoint = &proven.checkpoint;
    print(&if args.json {
        let record: serde_json::Value = serde_json::from_str(&record).context("the record is not JSON")?;
        format!(
            "{}\n",
            json!({ "ok": true, "origin": checkpoint.origin, "leaf": proven.index, "records": checkpoint.size, "record": record })
        )
    } else {
        let (origin, size) = (plain(&checkpoint.origin), checkpoint.size);
        format!("proven: leaf {} of the {size} records that `{origin}` signed for\n{record}\n", proven.index)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn told(finding: &Finding) -> String {
    let Finding { record, path, line, what } = finding;
    let place = line.map_or_else(|| format!("`{}`", path.display()), |line| format!("`{}:{line}`", path.display()));
    let record = record.map_or_else(String::new, |record| format!("record {record}, "));
    format!("{record}{place}: {}", plain(what))
}

fn as_json(verdict: &Verdict, key: &PublicKey, since: Option<&Checkpoint>) -> String {
    let since = since.map(|since| since.size);
    let Verdict { report, findings } = verdict;
    let ok = findings.is_empty();
    format!("{}\n", json!({ "ok": ok, "key": key.to_string(), "since": since, "report": report, "findings": findings }))
}

fn as_text(verdict: &Verdict, key: &PublicKey, is_own: bool) -> String {
    let Report { records, archived, vouched_for, segments, objects, bytes: _, torn } = &verdict.report;
    let mut text = String::new();
    let mut say = |name: &str, what: String| text.push_str(&format!("{name:<10} {what}\n"));
    say("key", key.to_string());
    if is_own {
        say("", "(it lies in the ledger: give a copy that was kept elsewhere with `--key`)".to_owned());
    }
    let archived = if *archived > 0 { format!(", {archived} more are archived") } else { String::new() };
    let here = records.saturating_sub(verdict.report.archived);
    say("records", format!("{here} in {segments} segments{archived}"));
    let behind = records.saturating_sub(*vouched_for);
    let behind = if behind > 0 { format!("; {behind} newer ones are not signed for yet") } else { String::new() };
    say("signed", format!("{vouched_for}{behind}"));
    say("objects", format!("{objects} cases and facts, and what panels consist of"));
    if let Some(TornEnd { path, offset, bytes }) = torn {
        let place = path.display();
        say(
            "end",
            format!(
                "{bytes} bytes of `{place}` from byte {offset} on are no whole record: a crash left them, or one is being written; nobody was told that it was"
            ),
        );
    }
    say(
        "verdict",
        if verdict.findings.is_empty() {
            "all is as it was written and signed"
        } else {
            "NOT as it was written and signed"
        }
        .to_owned(),
    );
    text
}
