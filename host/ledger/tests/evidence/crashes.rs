//! What crashes leave: ends that nobody vouches for, cut anywhere. It must never be taken for tampering, nor the other way
//! round.

use std::fs;

use tribunal_ledger::{Ledger, check};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::{Place, Tree};

/// A ledger as a crash finds it: 12 records are vouched for, 4 more are durable.
async fn interrupted() -> Tree {
    let place = Place::with(12).await;
    let vouched: Vec<(std::path::PathBuf, Vec<u8>)> = ["checkpoint", "state"]
        .map(|name| (place.path().join(name), fs::read(place.path().join(name)).unwrap()))
        .into();
    let leaves = fs::read(place.path().join("ledger-000001.leaves")).unwrap();
    place.append(made::records().skip(12).take(4)).await;
    // What the notary does is not awaited by anybody.
    for (path, bytes) in vouched {
        fs::write(path, bytes).unwrap();
    }
    fs::write(place.path().join("ledger-000001.leaves"), leaves).unwrap();
    place.tree()
}

#[tokio::test]
async fn an_end_that_is_torn_anywhere_is_told_from_tampering_and_recovered() {
    let tree = interrupted().await;
    let segment = std::path::PathBuf::from("ledger-000001.jsonl");
    let bytes = &tree[&segment];
    let breaks: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    let signed = breaks[11];
    for cut in (signed..bytes.len()).step_by(97).chain([signed, bytes.len() - 1]) {
        let mut torn = tree.clone();
        torn.insert(segment.clone(), bytes[..cut].to_vec());
        let place = Place::of(&torn);
        let verdict = place.check();
        assert_eq!(verdict.findings, [], "cut at {cut}");
        let whole = breaks.iter().filter(|end| **end <= cut).count();
        assert_eq!(verdict.report.records, u64::try_from(whole).unwrap());
        assert_eq!(verdict.report.torn.is_some(), !breaks.contains(&cut), "cut at {cut}");
        let (ledger, recovery) = Ledger::open(place.path()).unwrap();
        assert_eq!(recovery.records, verdict.report.records);
        ledger.append(made::decided(99)).await.unwrap();
        drop(ledger);
        assert_eq!(place.findings(), [], "cut at {cut}, and gone on");
    }
    // One byte less, and something that was signed is gone.
    for cut in [signed - 1, signed - 100, breaks[10], 0] {
        let mut truncated = tree.clone();
        truncated.insert(segment.clone(), bytes[..cut].to_vec());
        let place = Place::of(&truncated);
        assert_ne!(place.findings(), [], "cut at {cut}");
        Ledger::open(place.path()).unwrap_err();
    }
}

#[tokio::test]
async fn a_pack_that_is_torn_takes_the_records_that_nobody_was_told_of_with_it() {
    let tree = interrupted().await;
    let pack = std::path::PathBuf::from("ledger-000001.pack");
    let whole = Place::of(&tree);
    assert_eq!(whole.check().report.records, 16);
    let bytes = tree[&pack].clone();
    for less in [1, 40, 300] {
        let mut torn = tree.clone();
        torn.insert(pack.clone(), bytes[..bytes.len() - less].to_vec());
        let place = Place::of(&torn);
        assert_eq!(place.findings(), [], "{less} bytes less");
        let (ledger, recovery) = Ledger::open(place.path()).unwrap();
        assert!((12..16).contains(&recovery.records), "{}", recovery.records);
        let kept = recovery.torn.unwrap();
        assert!(kept.kept.exists() && kept.bytes > 0);
        ledger.append(made::decided(99)).await.unwrap();
        drop(ledger);
        assert_eq!(place.findings(), []);
    }
}

#[tokio::test]
async fn what_nobody_vouches_for_yet_holds_together_all_the_same() {
    let tree = interrupted().await;
    let segment = std::path::PathBuf::from("ledger-000001.jsonl");
    let lines = crate::place::lines(&tree[&segment]);
    let key = Place::of(&tree).key();
    for line in 12..15 {
        let mut forged = lines.clone();
        let text = String::from_utf8(forged[line].clone()).unwrap();
        forged[line] = text.replacen("2026-", "2025-", 1).into_bytes();
        let mut altered = tree.clone();
        altered.insert(segment.clone(), forged.concat());
        let place = Place::of(&altered);
        let findings = check(place.path(), &key, None).unwrap().findings;
        assert_eq!(findings[0].line, Some(u64::try_from(line + 1).unwrap()), "{findings:?}");
        let error = Ledger::open(place.path()).unwrap_err().to_string();
        assert!(error.contains("does not go on from the line before it"), "{error}");
    }
}
