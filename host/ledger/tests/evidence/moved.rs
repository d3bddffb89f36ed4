//! Segments that are moved away by the ledger's own means. Nothing that a start needs may go, and nothing unproven.

use std::fs;
use std::path::Path;

use tribunal_core::record::{Lifecycle, Record};
use tribunal_ledger::schema::Time;
use tribunal_ledger::{ArchiveError, Archived, Wanted, archivable, archive, check, notes, show};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::Place;

const RECORDS: usize = 100;

fn never() -> Time {
    made::at(1_000_000).into()
}

fn moved(place: &Place, to: Option<&Path>) -> Archived {
    let archived = archive(place.path(), &place.key(), never(), to).unwrap();
    assert_eq!(place.findings(), []);
    archived
}

/// A ledger of which nothing is open.
async fn settled() -> Place {
    let place = Place::with(0).await;
    let records = made::records().take(RECORDS);
    // The last decision's outcome may be cut off.
    place.append(records).await;
    let number = (0..).find(|number| ids_until(*number) > RECORDS).unwrap() - 1;
    place.append(made::outcome(number).into_iter()).await;
    place
}

fn ids_until(number: u64) -> usize {
    (0..number).map(|before| 1 + usize::from(made::outcome(before).is_some())).sum()
}

#[tokio::test]
async fn old_segments_go_to_a_place_that_is_a_ledger_of_its_own() {
    let place = settled().await;
    let (root, records) = (tempfile::tempdir().unwrap(), place.check().report.records);
    let to = root.path().join("archive");
    let would = archivable(place.path(), &place.key(), never()).unwrap();
    let archived = moved(&place, Some(&to));
    assert_eq!(archived, would);
    let (first, last) = archived.segments.unwrap();
    assert!(first == 1 && last >= 2 && !place.segment(last).exists() && place.segment(last + 1).exists());
    let report = place.check().report;
    assert_eq!((report.records, report.archived), (records, archived.records));
    let there = check(&to, &place.key(), None).unwrap();
    assert_eq!((there.findings.as_slice(), there.report.records), ([].as_slice(), archived.records));
    // With the users' keys, which do not go there, it is as readable as it was.
    let shown = show(&to, &Wanted::Decision(made::decision_id(3))).unwrap().unwrap();
    assert!(shown.panel.is_some());
    assert_eq!(shown.lacking, [""; 0]);
    assert!(!to.join("keys").exists() && !to.join("signing-key").exists());
    // That it was done is a record, and a start goes on from what is left.
    let [note] = notes(place.path()).unwrap().try_into().unwrap();
    let (ledger, recovery) = place.open();
    assert_eq!(recovery.records, records);
    ledger.append(note.record(made::at(9_000))).await.unwrap();
    note.take_away().unwrap();
    drop(ledger);
    assert_eq!(place.findings(), []);
    // Later ones join them.
    place
        .append(made::records().skip(RECORDS + 1).take(100).filter(|record| matches!(record, Record::Decided(_))))
        .await;
    fs::remove_file(place.path().join("state")).unwrap();
    assert_eq!(place.append(std::iter::empty()).await.records, place.check().report.records);
}

#[tokio::test]
async fn what_is_open_stays_with_all_that_came_after_it() {
    let place = Place::new();
    place.append(std::iter::once(made::decided(1))).await;
    place.append(made::records().skip(4).take(80)).await;
    let archived = archivable(place.path(), &place.key(), never()).unwrap();
    assert_eq!(archived.segments, None);
    assert!(archived.stays.unwrap().contains("is open"));
}

#[tokio::test]
async fn nothing_goes_that_is_young_altered_or_still_written() {
    let place = settled().await;
    let young = archivable(place.path(), &place.key(), made::at(0).into()).unwrap();
    assert_eq!(young, Archived::default());
    let all = archivable(place.path(), &place.key(), never()).unwrap();
    let last = (1..).take_while(|number| place.segment(*number).exists()).last().unwrap();
    assert_eq!(all.segments.map(|(_, to)| to), Some(last - 1));
    let text = fs::read_to_string(place.segment(2)).unwrap();
    fs::write(place.segment(2), text.replacen("2026-", "2025-", 1)).unwrap();
    let less = archivable(place.path(), &place.key(), never()).unwrap();
    assert_eq!(less.segments, Some((1, 1)));
    assert!(less.stays.unwrap().contains("ledger-000002.jsonl"));
    fs::write(place.segment(2), text).unwrap();
    fs::write(place.path().join("state"), "nonsense").unwrap();
    let error = archivable(place.path(), &place.key(), never()).unwrap_err();
    assert!(matches!(error, ArchiveError::State(_)), "{error}");
}

#[tokio::test]
async fn nothing_goes_while_the_breaker_is_tripped() {
    let place = settled().await;
    let trip = |what| Record::Lifecycle { at: made::at(1), what, detail: "too much".to_owned() };
    place.append(std::iter::once(trip(Lifecycle::BreakerTripped))).await;
    assert!(matches!(archivable(place.path(), &place.key(), never()), Err(ArchiveError::Tripped)));
    place.append(std::iter::once(trip(Lifecycle::BreakerReleased))).await;
    assert!(archivable(place.path(), &place.key(), never()).is_ok());
}

#[tokio::test]
async fn removing_without_a_place_is_for_ever_and_the_hashes_vouch_still() {
    let place = settled().await;
    let archived = moved(&place, None);
    assert!(archived.records > 10);
    assert_eq!(show(place.path(), &Wanted::Decision(made::decision_id(3))).unwrap(), None);
    assert!(notes(place.path()).unwrap().len() == 1);
}

#[tokio::test]
async fn another_archive_is_not_written_over() {
    let (place, other) = (settled().await, settled().await);
    let root = tempfile::tempdir().unwrap();
    moved(&other, Some(root.path()));
    let error = archive(place.path(), &place.key(), never(), Some(root.path())).unwrap_err();
    assert!(error.to_string().contains("archive into another directory"), "{error}");
    assert_eq!(place.findings(), [], "nothing went");
    assert!(place.segment(1).exists());
}
