//! Which record is the first that is wrong. The leaves' hashes tell it, where they make the head that was signed; where they
//! do not, the lines tell what does not fit together. It never calls a ledger right that the signed heads do not fit.

use std::path::{Path, PathBuf};

use super::{Finding, Ledger, kept_leaves};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::notary::read_leaves;
use crate::reader::ReadError;
use crate::tree::root;

/// All that is wrong with the records, the first one first.
pub(super) fn first_bad(
    ledger: &Ledger,
    heads: &[(PathBuf, Checkpoint)],
    directory: &Path,
    vouched_for: u64,
) -> Result<Vec<Finding>, ReadError> {
    let wrong = wrong_heads(ledger, heads);
    let (mut findings, lacking) = by_lines(ledger, vouched_for);
    // The smallest head that is wrong bounds what is.
    if let Some((path, head)) = wrong.iter().min_by_key(|(_, head)| head.size) {
        let signed = signed_leaves(heads, directory)?;
        match signed.and_then(|signed| first_difference(ledger, &signed, &findings)) {
            // It is exact, and what lines say of each other after it is but its consequence.
            Some(difference) => findings = vec![difference],
            None if findings.is_empty() && lacking.is_empty() => findings.push(unfit(ledger, path, head)),
            None => {}
        }
    }
    findings.extend(lacking);
    findings.sort_by_key(|finding| finding.record.unwrap_or(u64::MAX));
    findings.dedup_by_key(|finding| finding.record);
    findings.extend(leaves_files(ledger)?);
    Ok(findings)
}

/// Heads that the records do not make.
fn wrong_heads<'a>(ledger: &Ledger, heads: &'a [(PathBuf, Checkpoint)]) -> Vec<&'a (PathBuf, Checkpoint)> {
    let ours = ledger.heads_at(heads.iter().map(|(_, head)| head.size).collect());
    heads.iter().filter(|(_, head)| ours.get(&head.size) != Some(&head.root)).collect()
}

/// The leaves that one of the heads was signed for, as they were kept beside the segments.
fn signed_leaves(heads: &[(PathBuf, Checkpoint)], directory: &Path) -> Result<Option<Vec<Digest>>, ReadError> {
    let mut kept = kept_leaves(directory)?;
    let mut fits: Vec<usize> = heads
        .iter()
        .filter_map(|(_, head)| {
            let size = usize::try_from(head.size).ok()?;
            (root(kept.get(..size)?) == head.root).then_some(size)
        })
        .collect();
    fits.sort_unstable();
    Ok(fits.pop().map(|size| {
        kept.truncate(size);
        kept
    }))
}

/// The first record that is not the one whose hash was signed.
fn first_difference(ledger: &Ledger, signed: &[Digest], said: &[Finding]) -> Option<Finding> {
    let differs = |(ours, signed): (&Digest, &Digest)| ours != signed;
    let here = ledger.leaves.iter().zip(signed).position(differs);
    let index = here.or_else(|| (ledger.leaves.len() < signed.len()).then_some(ledger.leaves.len()))?;
    let index = u64::try_from(index).ok()?;
    let record = ledger.first_seq.saturating_add(index);
    let Some((checked, line)) = ledger.place_of(index) else {
        let last = ledger.checked.last();
        let path = last.map(|checked| checked.segment.path.clone()).unwrap_or_default();
        let line = last.map(|checked| checked.lines().saturating_add(1));
        let what = format!("record {record} is missing: the checkpoint was signed for more than there is");
        return Some(Finding { record: Some(record), path, line, what });
    };
    let own = said.iter().find(|finding| finding.record == Some(record)).map(|finding| format!(": {}", finding.what));
    let moved = usize::try_from(index)
        .ok()
        .and_then(|at| ledger.leaves.get(at))
        .and_then(|leaf| signed.iter().position(|signed| signed == leaf))
        .and_then(|place| u64::try_from(place).ok())
        .map(|place| ledger.first_seq.saturating_add(place));
    let what = match moved {
        Some(other) => format!("record {other} stands where record {record} was"),
        None => {
            format!("record {record} is not what was signed: it was altered or replaced{}", own.unwrap_or_default())
        }
    };
    Some(Finding { record: Some(record), path: checked.segment.path.clone(), line: Some(line), what })
}

fn unfit(ledger: &Ledger, path: &Path, head: &Checkpoint) -> Finding {
    let (size, here) = (head.size, ledger.leaves.len());
    let what = if u64::try_from(here).unwrap_or(u64::MAX) < size {
        format!("it was signed for {size} records, and there are {here}")
    } else {
        format!("the first {size} records are not those that it was signed for")
    };
    Finding { record: None, path: path.to_owned(), line: None, what }
}

/// What the lines say of themselves and of each other, and what they lack.
fn by_lines(ledger: &Ledger, vouched_for: u64) -> (Vec<Finding>, Vec<Finding>) {
    let (mut findings, mut lacking) = (Vec::new(), Vec::new());
    let mut index = ledger.archived;
    let mut before = ledger.leaves.get(..usize::try_from(index).unwrap_or(0)).and_then(<[Digest]>::last).copied();
    let mut seq_before = (index > 0).then(|| ledger.first_seq.saturating_add(index).saturating_sub(1));
    let count = ledger.checked.len();
    for (place, checked) in ledger.checked.iter().enumerate() {
        let begin = ledger.first_seq.saturating_add(index).saturating_sub(1);
        let finding = |line: u64, what: String| {
            let record = Some(begin.saturating_add(line));
            Finding { record, path: checked.segment.path.clone(), line: Some(line), what }
        };
        let mut say = |line: u64, what: String| findings.push(finding(line, what));
        for (line, why) in &checked.unreadable {
            say(*line, format!("it is not a line of a ledger: {why}"));
        }
        if let (Some(before), Some(seq)) = (seq_before, checked.first_seq)
            && seq != before.saturating_add(1)
        {
            say(1, format!("record {seq} follows record {before}"));
        }
        for (line, seq) in &checked.steps {
            say(*line, format!("record {seq} stands here: one is missing, doubled or out of place"));
        }
        if let (Some(before), Some(prev)) = (before, checked.first_prev)
            && prev != before
        {
            say(1, "it does not go on from the record before it: one of the two was altered".to_owned());
        }
        // Where a number is missing, that says more than the hash that does not fit either.
        let moved = |line: &u64| checked.steps.iter().any(|(step, _)| step == line);
        let breaks: Vec<u64> = checked.breaks.iter().copied().filter(|line| !moved(line)).collect();
        for line in culprits(&breaks) {
            say(line, "it is not the record that the one after it goes on from: it was altered".to_owned());
        }
        let torn_inside =
            checked.torn.is_some() && (place.saturating_add(1) < count || (ledger.leaves.len() as u64) < vouched_for);
        if torn_inside {
            say(checked.lines().saturating_add(1), "the line is cut off, and it was signed".to_owned());
        }
        let is_there = |line: u64| !ledger.may_be_torn(index.saturating_add(line.saturating_sub(1)), vouched_for);
        let missed = checked.lacking.iter().filter(|(line, _)| is_there(*line));
        lacking.extend(missed.map(|(line, why)| finding(*line, why.clone())));
        index = index.saturating_add(checked.lines());
        before = checked.leaves.last().copied().or(before);
        seq_before = Some(ledger.first_seq.saturating_add(index).saturating_sub(1)).filter(|_| index > 0);
    }
    (findings, lacking)
}

/// A line that was altered fits neither the one after it nor, if that hash is what was altered, the one before.
fn culprits(breaks: &[u64]) -> Vec<u64> {
    let mut culprits = Vec::new();
    let mut rest = breaks;
    while let Some((first, more)) = rest.split_first() {
        let both = more.first() == Some(&first.saturating_add(1));
        culprits.push(if both { *first } else { first.saturating_sub(1).max(1) });
        rest = if both { more.split_first().map_or(more, |(_, rest)| rest) } else { more };
    }
    culprits
}

/// Leaves files that do not say what the segments hold.
fn leaves_files(ledger: &Ledger) -> Result<Vec<Finding>, ReadError> {
    let mut findings = Vec::new();
    for checked in &ledger.checked {
        let path = checked.segment.leaves_path();
        let kept = read_leaves(&checked.segment).map_err(|source| ReadError::Io { path: path.clone(), source })?;
        let differs = |kept: Vec<Digest>| kept.iter().zip(&checked.leaves).position(|(kept, ours)| kept != ours);
        if let Some(line) = kept.and_then(differs) {
            let what = format!("it does not hold the hash of line {} of its segment", line.saturating_add(1));
            findings.push(Finding { record: None, path, line: None, what });
        }
    }
    Ok(findings)
}
