//! What is personal, and what remains when its key is gone. It must never be found anywhere in clear.

use std::fs;

use tribunal_core::record::Record;
use tribunal_ledger::schema::{Body, Decided, Shown, StoredWords};
use tribunal_ledger::{Erasure, Filter, Ledger, Wanted, decisions, erase, notes, read_all, sealed_for, show};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::{Place, by_nobody};

const RECORDS: usize = 40;

fn decided(place: &Place, number: u64) -> Decided {
    let shown = show(place.path(), &Wanted::Decision(made::decision_id(number))).unwrap().unwrap();
    assert_eq!(shown.lacking, [""; 0]);
    let Body::Decided(decided) = shown.record.body else { panic!("no decision") };
    *decided
}

/// Whether these bytes stand anywhere in the ledger's files, as they are.
fn is_in_clear(place: &Place, text: &str) -> bool {
    place.tree().values().any(|bytes| bytes.windows(text.len()).any(|there| there == text.as_bytes()))
}

#[tokio::test]
async fn what_people_wrote_is_in_no_file_in_clear_and_comes_back_where_it_is_read() {
    let place = Place::with(RECORDS).await;
    assert!(is_in_clear(&place, &made::request_id(7)));
    assert!(!is_in_clear(&place, "deploy 7"));
    assert_eq!(decided(&place, 7).request.unwrap().reason, "deploy 7");
    let lines: Vec<Record> =
        read_all(place.path()).unwrap().into_iter().map(|line| by_nobody(line.into_record().unwrap())).collect();
    assert_eq!(lines, made::records().take(RECORDS).collect::<Vec<_>>());
}

#[tokio::test]
async fn erasing_a_user_leaves_every_hash_right_and_everybody_elses_text_readable() {
    let place = Place::with(RECORDS).await;
    let before = sealed_for(place.path(), &made::user(7)).unwrap();
    assert_eq!((before.keys, before.objects), (1, 2), "a case and words");
    assert_eq!(erase(place.path(), &made::user(7)).unwrap(), before);
    let verdict = place.check();
    assert_eq!((verdict.findings.as_slice(), verdict.report.erased), ([].as_slice(), 2));
    let gone = decided(&place, 7);
    assert!(matches!(gone.case, Some(Shown::Erased(_))), "{:?}", gone.case);
    let request = gone.request.unwrap();
    assert!(matches!(request.words, Some(StoredWords::Erased(_))));
    assert_eq!((request.reason.as_str(), request.id), ("", made::request_id(7)));
    assert!(serde_json::to_string(&decided(&place, 7)).unwrap().contains(r#""case":"erased""#));
    assert_eq!(decided(&place, 8).request.unwrap().reason, "deploy 8");
    // Who reads all of it is told so, and not stopped.
    assert_eq!(read_all(place.path()).unwrap().len(), RECORDS);
    let all = decisions(place.path(), &Filter::default()).unwrap().map(Result::unwrap).count();
    assert!(all > 20);
    assert_eq!(erase(place.path(), &made::user(7)).unwrap(), Erasure::default(), "there is nothing left to erase");
}

#[tokio::test]
async fn that_it_was_erased_is_a_record_and_who_comes_back_has_another_key() {
    let place = Place::with(RECORDS).await;
    let (ledger, _) = place.open();
    // A daemon that knows the key already does not use it any more.
    ledger.append(made::decided(1_007)).await.unwrap();
    erase(place.path(), &made::user(7)).unwrap();
    let [note] = notes(place.path()).unwrap().try_into().unwrap();
    ledger.append(note.record(made::at(2_000))).await.unwrap();
    note.take_away().unwrap();
    assert!(notes(place.path()).unwrap().is_empty());
    ledger.append(made::decided(2_007)).await.unwrap();
    drop(ledger);
    assert_eq!(place.findings(), []);
    assert!(matches!(decided(&place, 1_007).case, Some(Shown::Erased(_))));
    assert_eq!(decided(&place, 2_007).request.unwrap().reason, "deploy 2007");
    let told = read_all(place.path()).unwrap().into_iter().rev().find_map(|line| match line.body {
        Body::Lifecycle(lifecycle) => Some(lifecycle.detail),
        Body::Decided(_) | Body::Outcome(_) => None,
    });
    assert_eq!(told.unwrap(), "the personal text of user `user-7`: 4 objects");
}

#[tokio::test]
async fn a_note_of_before_a_crash_is_carried_out_after_it() {
    let place = Place::with(RECORDS).await;
    let keys = place.path().join("keys");
    let kept: Vec<_> = fs::read_dir(&keys).unwrap().map(|entry| entry.unwrap().path()).collect();
    let bytes: Vec<_> = kept.iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    erase(place.path(), &made::user(7)).unwrap();
    // As if the process had died between the note and the deed.
    for (path, bytes) in bytes {
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(place.check().report.erased, 0);
    notes(place.path()).unwrap()[0].carry_out().unwrap();
    assert_eq!(place.check().report.erased, 2);
    assert_eq!(decided(&place, 8).request.unwrap().reason, "deploy 8");
}

#[tokio::test]
async fn a_start_needs_no_key_for_what_is_open() {
    let place = Place::with(0).await;
    let (ledger, _) = place.open();
    ledger.append(made::decided(7)).await.unwrap();
    drop(ledger);
    erase(place.path(), &made::user(7)).unwrap();
    for state in [true, false] {
        if !state {
            fs::remove_file(place.path().join("state")).unwrap();
        }
        let (ledger, recovery) = Ledger::open(place.path()).unwrap();
        assert_eq!(recovery.open.len(), 1);
        assert_eq!(recovery.open[0].decided.case, None);
        drop(ledger);
    }
}
