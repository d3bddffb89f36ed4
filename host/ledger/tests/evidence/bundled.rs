//! Bundles of evidence: what is in them, and that nothing of them can be changed unnoticed. They must never need the ledger.

use std::fs;
use std::path::{Path, PathBuf};

use tribunal_ledger::{BundleError, BundleVerdict, ProofError, Question, bundle, check_bundle, erase};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::Place;

const RECORDS: usize = 60;

fn of_user(number: u64) -> Question {
    Question { user: Some(made::user(number)), ..Question::default() }
}

/// A bundle, beside the ledger that it is from.
fn made_of(place: &Place, question: &Question) -> (tempfile::TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    let to = root.path().join("bundle");
    bundle(place.path(), &place.key(), question, &to, made::at(5_000)).unwrap();
    (root, to)
}

fn checked(place: &Place, bundle: &Path) -> BundleVerdict {
    check_bundle(bundle, &place.key()).unwrap()
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(self::files(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_bundle_proves_its_records_and_says_what_is_in_it_without_the_ledger() {
    let place = Place::with(RECORDS).await;
    let (_root, of_seven) = made_of(&place, &of_user(7));
    let (_root, of_request) = made_of(&place, &Question { request: Some(made::request_id(9)), ..Question::default() });
    let time = Question { since: Some(made::at(3).into()), until: Some(made::at(9).into()), ..Question::default() };
    let (_root, of_time) = made_of(&place, &time);
    let key = place.key();
    let count = place.check().report.records;
    drop(place);
    let verdict = check_bundle(&of_seven, &key).unwrap();
    assert_eq!(verdict.findings, []);
    assert_eq!((verdict.report.records, verdict.report.erased, verdict.report.vouched_for), (2, 0, count));
    let readable = fs::read_to_string(files(&of_seven.join("readable"))[0].clone()).unwrap();
    assert!(readable.contains("deploy 7") && readable.contains("\"case\": {"), "{readable}");
    assert!(!fs::read_to_string(of_seven.join("bundle.json")).unwrap().contains("deploy"));
    assert_eq!(check_bundle(&of_request, &key).unwrap().report.records, 2);
    let report = check_bundle(&of_time, &key).unwrap().report;
    assert!(report.without_gap && report.records > 10, "{report:?}");
}

#[tokio::test]
async fn whatever_is_changed_in_a_bundle_is_found() {
    let place = Place::with(RECORDS).await;
    let (_root, bundle) = made_of(&place, &of_user(7));
    for path in files(&bundle) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        // Nothing vouches for these, and the check does not read them.
        if ["README.md", "bundle.json", "ledger.pub"].contains(&name.as_str()) {
            continue;
        }
        let whole = fs::read(&path).unwrap();
        for at in [0, whole.len() / 2, whole.len() - 2] {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            let found = check_bundle(&bundle, &place.key());
            assert!(found.map_or(true, |verdict| !verdict.findings.is_empty()), "{name}, byte {at}");
        }
        fs::remove_file(&path).unwrap();
        let found = check_bundle(&bundle, &place.key());
        // Of records it says which there are; that one is missing shows where all of a time are in it.
        let records_left = found.as_ref().is_ok_and(|verdict| verdict.report.records > 0);
        let is_record = path.starts_with(bundle.join("records"));
        assert!(
            (is_record && records_left) || found.map_or(true, |verdict| !verdict.findings.is_empty()),
            "{name} removed"
        );
        fs::write(&path, whole).unwrap();
    }
    fs::write(bundle.join("readable/000000000099.json"), "{}").unwrap();
    let findings = checked(&place, &bundle).findings;
    assert_eq!(findings.len(), 1);
    assert!(findings[0].what.contains("nothing that is proven refers to it"), "{findings:?}");
}

#[tokio::test]
async fn another_ledgers_key_vouches_for_nothing() {
    let place = Place::with(RECORDS).await;
    let (_root, bundle) = made_of(&place, &of_user(7));
    let other = Place::with(1).await;
    assert!(!check_bundle(&bundle, &other.key()).unwrap().findings.is_empty());
}

#[tokio::test]
async fn what_was_erased_is_so_in_a_bundle_and_the_bundle_opens_nobody_elses_text() {
    let place = Place::with(RECORDS).await;
    erase(place.path(), &made::user(7)).unwrap();
    let (_root, of_seven) = made_of(&place, &of_user(7));
    let verdict = checked(&place, &of_seven);
    assert_eq!((verdict.findings.as_slice(), verdict.report.erased), ([].as_slice(), 2));
    let readable = fs::read_to_string(files(&of_seven.join("readable"))[0].clone()).unwrap();
    assert!(readable.contains("\"case\": \"erased\"") && !readable.contains("deploy"), "{readable}");
    // The keys in a bundle are those of its objects alone, not those of users.
    let (_root, of_eight) = made_of(&place, &of_user(8));
    let keys = fs::read_to_string(of_eight.join("keys.json")).unwrap();
    for entry in fs::read_dir(place.path().join("keys")).unwrap() {
        let key = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!keys.contains(&key));
    }
}

#[tokio::test]
async fn nothing_is_bundled_that_nobody_asked_for_or_nobody_vouches_for() {
    let place = Place::with(RECORDS).await;
    let root = tempfile::tempdir().unwrap();
    let make = |question: &Question, name: &str| {
        bundle(place.path(), &place.key(), question, &root.path().join(name), made::at(1)).unwrap_err()
    };
    assert!(matches!(make(&of_user(999), "a"), BundleError::Nothing));
    let (ledger, _) = place.open();
    drop(ledger.append(made::decided(1_007)));
    let checkpoint = fs::read(place.path().join("checkpoint")).unwrap();
    drop(ledger);
    fs::write(place.path().join("checkpoint"), checkpoint).unwrap();
    let error = make(&of_user(7), "b");
    assert!(matches!(error, BundleError::Proof(ProofError::NotYet(_))), "{error}");
    assert!(matches!(make(&of_user(7), "b"), BundleError::File { .. }), "never over what is there");
}
