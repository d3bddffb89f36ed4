//! Segments that were moved away. It must never be forgotten that they were.

use std::fs;

use tribunal_ledger::{Checkpoint, check};

use crate::made;
use crate::place::Place;

#[tokio::test]
async fn the_oldest_segments_may_be_moved_away_and_their_hashes_stay() {
    let place = Place::with(60).await;
    let (count, elsewhere) = (place.check().report.records, tempfile::tempdir().unwrap());
    for name in ["ledger-000001.jsonl", "ledger-000001.pack", "ledger-000002.jsonl", "ledger-000002.pack"] {
        fs::copy(place.path().join(name), elsewhere.path().join(name)).unwrap();
        fs::remove_file(place.path().join(name)).unwrap();
    }
    let verdict = place.check();
    assert_eq!((verdict.findings.as_slice(), verdict.report.records), ([].as_slice(), count));
    assert!(verdict.report.archived > 0);
    for state in [true, false] {
        if !state {
            fs::remove_file(place.path().join("state")).unwrap();
        }
        let recovery = place.append(std::iter::once(made::decided(100))).await;
        assert_eq!(recovery.read_all.is_none(), state);
    }
    assert_eq!(place.findings(), []);
    assert_eq!(place.check().report.records, count + 2);

    // Without their hashes they are missing.
    fs::remove_file(place.path().join("ledger-000002.leaves")).unwrap();
    assert_ne!(place.findings(), []);
}

#[tokio::test]
async fn a_gap_between_segments_is_no_archive() {
    let place = Place::with(60).await;
    fs::remove_file(place.segment(2)).unwrap();
    let findings = place.findings();
    assert_eq!(findings[0].path, place.segment(2));
    assert!(findings[0].what.contains("is missing"), "{findings:?}");
}

#[tokio::test]
async fn a_ledger_goes_on_from_its_older_checkpoints_and_from_no_others() {
    let place = Place::with(20).await;
    let note = fs::read_to_string(place.path().join("checkpoint")).unwrap();
    place.append(made::records().skip(20).take(20)).await;
    let key = place.key();
    let since = Checkpoint::open(&note, &key).unwrap();
    assert_eq!(since.size, 20);
    assert_eq!(check(place.path(), &key, Some(&since)).unwrap().findings, []);
    // Another past with the same key: the records before were others.
    let forked = Place::with(20).await;
    fs::copy(place.path().join("signing-key"), forked.path().join("signing-key")).unwrap();
    fs::copy(place.path().join("ledger.pub"), forked.path().join("ledger.pub")).unwrap();
    for name in ["checkpoint", "state", "ledger-000001.jsonl", "ledger-000001.leaves", "ledger-000001.pack"] {
        fs::remove_file(forked.path().join(name)).unwrap();
    }
    for entry in fs::read_dir(forked.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("ledger-") {
            fs::remove_file(path).unwrap();
        }
    }
    forked.append(made::records().skip(1).take(40)).await;
    assert_eq!(forked.findings(), [], "by itself nothing is wrong with it");
    let findings = check(forked.path(), &key, Some(&since)).unwrap().findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].what.contains("the first 20 records are not those"), "{findings:?}");
}
