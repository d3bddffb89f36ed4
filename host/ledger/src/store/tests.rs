//! Segment files as they grow, fail and are repaired, on a real disk. It must never look at records.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;

fn open(path: &Path) -> Files {
    let directory = Directory::claim(path).unwrap();
    let segment = Segment::new(path, Segment::FIRST);
    Files::open(directory, segment).unwrap()
}

fn content(path: &Path, number: u32) -> String {
    fs::read_to_string(Segment::new(path, number).path).unwrap()
}

#[test]
fn directory_and_segments_are_the_owners_alone() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("state/tribunal/ledger");
    drop(open(&path));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join("ledger-000001.jsonl")), 0o600);
}

#[test]
fn a_full_segment_is_followed_by_the_next() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path()).with_segment_bytes_max(4);
    for line in ["one\n", "two\n", "three\n"] {
        files.commit(line.as_bytes()).unwrap();
    }
    assert_eq!(content(root.path(), 1), "one\n");
    assert_eq!(content(root.path(), 2), "two\n");
    assert_eq!(content(root.path(), 3), "three\n");
}

#[test]
fn repairing_removes_what_a_failed_write_left() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(b"one\n").unwrap();
    files.file.write_all(b"tw").unwrap();
    files.repair().unwrap();
    files.commit(b"three\n").unwrap();
    assert_eq!(content(root.path(), 1), "one\nthree\n");
}

#[test]
fn a_segment_deleted_under_way_is_noticed_and_put_back() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(b"one\n").unwrap();
    fs::remove_file(root.path().join("ledger-000001.jsonl")).unwrap();
    let error = files.commit(b"two\n").unwrap_err().to_string();
    assert!(error.contains("ledger-000001.jsonl"), "{error}");
    files.repair().unwrap();
    files.commit(b"three\n").unwrap();
    assert_eq!(content(root.path(), 1), "one\nthree\n");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_deleted_under_way_is_made_anew_with_its_segment() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("ledger");
    let mut files = open(&path);
    files.commit(b"one\n").unwrap();
    fs::remove_dir_all(&path).unwrap();
    files.commit(b"two\n").unwrap_err();
    files.repair().unwrap();
    files.commit(b"three\n").unwrap();
    assert_eq!(content(&path, 1), "one\nthree\n");
    assert!(matches!(Directory::claim(&path), Err(OpenError::InUse { .. })), "the new directory is locked, too");
}

#[test]
fn a_segment_replaced_under_way_is_neither_written_nor_overwritten() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(b"one\n").unwrap();
    let path = root.path().join("ledger-000001.jsonl");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "forged\n").unwrap();
    for error in [files.commit(b"two\n").unwrap_err(), files.repair().unwrap_err()] {
        assert!(error.to_string().contains("it was replaced by another file"), "{error}");
    }
    assert_eq!(content(root.path(), 1), "forged\n");
}
