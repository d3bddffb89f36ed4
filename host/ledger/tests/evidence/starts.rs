//! What a start reads, and what it believes. It must never believe a state that nobody signed.

use std::fs;

use tribunal_core::record::Record;
use tribunal_ledger::{Ledger, OpenError, ReadError, read_all};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::{Place, by_nobody};

/// So many records leave nothing open.
const WHOLE: usize = 19;

#[tokio::test]
async fn a_start_reads_only_what_the_signed_state_does_not_vouch_for() {
    let place = Place::with(60).await;
    assert!(place.segment(3).exists(), "there are several segments");
    // A start that read it would stop here.
    let first = fs::read(place.segment(1)).unwrap();
    fs::write(place.segment(1), b"nonsense\n".repeat(first.len() / 9)).unwrap();
    let recovery = place.append(std::iter::once(made::decided(60))).await;
    assert_eq!((recovery.records, recovery.read_all), (60, None));
    fs::write(place.segment(1), first).unwrap();
    assert_eq!(place.findings(), []);
    assert_eq!(place.check().report.vouched_for, 61);
}

#[tokio::test]
async fn without_a_state_that_fits_everything_is_read_and_that_is_said() {
    let place = Place::with(60).await;
    let state = fs::read_to_string(place.path().join("state")).unwrap();
    let older = Place::with(20).await;
    let other = fs::read_to_string(older.path().join("state")).unwrap();
    let cases = [
        (None, "No such file"),
        (Some(String::new()), "not a signed note"),
        (Some(state.replacen("\"segment\":", "\"segment\":1", 1)), "signature of"),
        (Some(other), "not signed by"),
    ];
    for (text, why) in cases {
        match text {
            Some(text) => fs::write(place.path().join("state"), text).unwrap(),
            None => fs::remove_file(place.path().join("state")).unwrap(),
        }
        let recovery = place.append(std::iter::empty()).await;
        assert_eq!(recovery.records, 60);
        let said = recovery.read_all.unwrap();
        assert!(said.contains(why), "{said}");
        assert_eq!(place.findings(), []);
    }
    assert_eq!(place.append(std::iter::empty()).await.read_all, None, "the state is right again");
}

#[tokio::test]
async fn a_state_of_before_a_crash_is_as_good_as_its_tail_is_whole() {
    let place = Place::with(WHOLE).await;
    let state = fs::read(place.path().join("state")).unwrap();
    place.append(made::records().skip(WHOLE).take(WHOLE)).await;
    fs::write(place.path().join("state"), state).unwrap();
    let recovery = place.append(std::iter::empty()).await;
    assert_eq!((recovery.records, recovery.read_all, recovery.open.len()), (38, None, 0));
    assert_eq!(place.findings(), []);
}

#[tokio::test]
async fn what_is_open_is_known_from_the_state_as_from_the_lines() {
    let place = Place::with(WHOLE).await;
    place.append([made::decided(1_001), made::decided(1_003)].into_iter()).await;
    let fast = place.append(std::iter::empty()).await;
    fs::remove_file(place.path().join("state")).unwrap();
    let slow = place.append(std::iter::empty()).await;
    assert_eq!((fast.read_all.is_none(), slow.read_all.is_some()), (true, true));
    assert_eq!(fast.open, slow.open);
    let record = |decided| by_nobody(Record::Decided(Box::new(decided)));
    let opened: Vec<Record> = fast.open.into_iter().map(|intent| record(intent.decided)).collect();
    assert_eq!(opened, [made::decided(1_001), made::decided(1_003)], "with their cases");
}

#[tokio::test]
async fn a_ledger_of_before_there_were_trees_is_taken_over_whole() {
    let place = Place::new();
    let old: String = (1..=5)
        .map(|seq| {
            format!(r#"{{"v":1,"seq":{seq},"at":"2026-03-01T09:00:00.000Z","kind":"lifecycle","what":"started","detail":""}}"#)
                + "\n"
        })
        .collect();
    fs::write(place.segment(1), &old).unwrap();
    let recovery = place.append(made::records().take(3)).await;
    assert_eq!((recovery.records, recovery.read_all), (5, None));
    let text = fs::read_to_string(place.segment(1)).unwrap();
    assert!(text.starts_with(&old), "not a byte is changed");
    let report = place.check();
    assert_eq!((report.findings.len(), report.report.vouched_for), (0, 8));
    let versions: Vec<u32> = read_all(place.path()).unwrap().iter().map(|line| line.v).collect();
    assert_eq!(versions, [1, 1, 1, 1, 1, 4, 4, 4]);
    fs::write(place.segment(1), text.replacen("\"detail\":\"\"", "\"detail\":\"x\"", 1)).unwrap();
    assert_eq!(place.findings()[0].line, Some(1), "what was taken over is vouched for");
}

#[tokio::test]
async fn cases_and_facts_are_stored_beside_the_lines_and_come_back_as_they_were() {
    let place = Place::with(40).await;
    let records: Vec<Record> =
        read_all(place.path()).unwrap().into_iter().map(|line| by_nobody(line.into_record().unwrap())).collect();
    assert_eq!(records, made::records().take(40).collect::<Vec<_>>());
    let text = fs::read_to_string(place.segment(1)).unwrap();
    assert!(!text.contains("on-call\",\"json\":\"{"), "the text of a fact is not in the line");
    assert!(!text.contains("\"subject\""), "nor is the case");
}

#[tokio::test]
async fn a_ledger_that_is_shorter_than_what_was_signed_does_not_start() {
    let place = Place::with(60).await;
    let last = (1..).take_while(|number| place.segment(*number).exists()).last().unwrap();
    fs::remove_file(place.segment(last)).unwrap();
    let error = Ledger::open(place.path()).unwrap_err();
    assert!(matches!(error, OpenError::Read(ReadError::Damage { .. })), "{error:?}");
    assert!(error.to_string().contains("was signed for 60 records"), "{error}");
}

#[tokio::test]
async fn an_altered_record_that_a_start_reads_does_not_let_it_start() {
    let place = Place::with(60).await;
    fs::remove_file(place.path().join("state")).unwrap();
    let text = fs::read_to_string(place.segment(1)).unwrap();
    fs::write(place.segment(1), text.replacen("\"user-0\"", "\"user-9\"", 1)).unwrap();
    let error = Ledger::open(place.path()).unwrap_err().to_string();
    assert!(error.contains("ledger-000001.jsonl:2"), "the one after it does not fit: {error}");
    assert!(error.contains("one of them was altered"), "{error}");
}

#[tokio::test]
async fn the_key_is_the_owners_alone_and_is_never_made_twice() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::with(3).await;
    let path = place.path().join("signing-key");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&path).unwrap();
    let other = Place::with(1).await;
    fs::copy(other.path().join("signing-key"), &path).unwrap();
    let error = Ledger::open(place.path()).unwrap_err().to_string();
    assert!(error.contains("is not the one of"), "{error}");
    fs::remove_file(&path).unwrap();
    let error = Ledger::open(place.path()).unwrap_err().to_string();
    assert!(error.contains("is missing, and the ledger was signed with it"), "{error}");
    fs::write(&path, secret).unwrap();
    place.append(std::iter::empty()).await;
}

#[tokio::test]
async fn a_record_is_vouched_for_soon_without_a_stop() {
    let place = Place::new();
    let (ledger, _) = place.open();
    ledger.append(made::decided(1)).await.unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while place.check().report.vouched_for < 1 {
        assert!(std::time::Instant::now() < until, "nobody vouches for it");
        tokio::task::yield_now().await;
    }
    drop(ledger);
}
