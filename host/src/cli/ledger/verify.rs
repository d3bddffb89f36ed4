//! `tribunal ledger verify`: says whether a ledger, or the proof of one record, is what was signed. It never calls right what
//! it did not check.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tribunal_ledger::{
    BundleReport, Checkpoint, Finding, Proof, PublicKey, Report, TornEnd, Verdict, check, check_bundle, public_key,
};

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
    if let Some(bundle) = &args.bundle {
        return verify_bundle(args, bundle);
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
    Ok(conclude(&verdict.findings))
}

/// Says what was found; the exit code for it.
fn conclude(findings: &[Finding]) -> ExitCode {
    if findings.is_empty() {
        return ExitCode::SUCCESS;
    }
    let told = findings.iter().take(FINDINGS_SHOWN_MAX).map(told);
    let more = findings.len().saturating_sub(FINDINGS_SHOWN_MAX);
    let more = (more > 0).then(|| format!("and {more} more like this"));
    report::say(&told.chain(more).collect::<Vec<_>>());
    ExitCode::from(EXIT_ERROR)
}

fn verify_bundle(args: &VerifyArgs, bundle: &Path) -> anyhow::Result<ExitCode> {
    let (key, is_own) = match &args.key {
        Some(text) => (key(text)?, false),
        None => {
            let own = public_key(bundle);
            (
                own.with_context(|| format!("`{}` has no public key in it: give one with `--key`", bundle.display()))?,
                true,
            )
        }
    };
    let verdict = check_bundle(bundle, &key)?;
    let BundleReport { records, range, without_gap, vouched_for, objects, erased } = &verdict.report;
    let ok = verdict.findings.is_empty();
    if args.json {
        let report =
            json!({ "ok": ok, "key": key.to_string(), "report": verdict.report, "findings": verdict.findings });
        print(&format!("{report}\n"))?;
        return Ok(conclude(&verdict.findings));
    }
    let (first, last) = range.unwrap_or_default();
    let gap = if *without_gap { "every record from" } else { "records between" };
    let own =
        if is_own { " (it lies in the bundle: give a copy that you have from elsewhere with `--key`)" } else { "" };
    print(&format!(
        "key        {key}{own}\nrecords    {records}: {gap} {first} to {last}, of {vouched_for} that were signed for\n\
         objects    {objects}; {erased} of them are erased: nobody can read them\nverdict    {}\n",
        if ok { "all is as it was written and signed" } else { "NOT as it was written and signed" }
    ))?;
    Ok(conclude(&verdict.findings))
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
    let Report { records, archived, vouched_for, segments, objects, erased, bytes: _, torn } = &verdict.report;
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
    let erased =
        if *erased > 0 { format!("; {erased} of them are erased: nobody can read them") } else { String::new() };
    say("objects", format!("{objects} cases, words and facts, and what panels consist of{erased}"));
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
