//! Segment files as they grow, fail and are repaired, on a real disk. It must never look at records.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use std::fs;

use super::*;

fn open(path: &Path) -> Files {
    let directory = Directory::claim(path).unwrap();
    let segment = Segment::new(path, Segment::FIRST);
    Files::open(directory, segment).unwrap()
}

fn lines(text: &str) -> Batch {
    Batch { lines: text.as_bytes().to_vec(), frames: Vec::new() }
}

fn both_of(text: &str, frames: &str) -> Batch {
    Batch { frames: frames.as_bytes().to_vec(), ..lines(text) }
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
        files.prepare().unwrap();
        files.commit(&lines(line)).unwrap();
    }
    assert_eq!(content(root.path(), 1), "one\n");
    assert_eq!(content(root.path(), 2), "two\n");
    assert_eq!(content(root.path(), 3), "three\n");
}

#[test]
fn repairing_removes_what_a_failed_write_left() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(&lines("one\n")).unwrap();
    files.lines.write(b"tw").unwrap();
    files.repair().unwrap();
    files.commit(&lines("three\n")).unwrap();
    assert_eq!(content(root.path(), 1), "one\nthree\n");
}

#[test]
fn a_segment_deleted_under_way_is_noticed_and_put_back() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(&lines("one\n")).unwrap();
    fs::remove_file(root.path().join("ledger-000001.jsonl")).unwrap();
    let error = files.commit(&lines("two\n")).unwrap_err().to_string();
    assert!(error.contains("ledger-000001.jsonl"), "{error}");
    files.repair().unwrap();
    files.commit(&lines("three\n")).unwrap();
    assert_eq!(content(root.path(), 1), "one\nthree\n");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn a_directory_deleted_under_way_is_made_anew_with_its_segment() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("ledger");
    let mut files = open(&path);
    files.commit(&lines("one\n")).unwrap();
    fs::remove_dir_all(&path).unwrap();
    files.commit(&lines("two\n")).unwrap_err();
    files.repair().unwrap();
    files.commit(&lines("three\n")).unwrap();
    assert_eq!(content(&path, 1), "one\nthree\n");
    assert!(matches!(Directory::claim(&path), Err(OpenError::InUse { .. })), "the new directory is locked, too");
}

#[test]
fn a_segment_replaced_under_way_is_neither_written_nor_overwritten() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    files.commit(&lines("one\n")).unwrap();
    let path = root.path().join("ledger-000001.jsonl");
    fs::remove_file(&path).unwrap();
    fs::write(&path, "forged\n").unwrap();
    for error in [files.commit(&lines("two\n")).unwrap_err(), files.repair().unwrap_err()] {
        assert!(error.to_string().contains("it was replaced by another file"), "{error}");
    }
    assert_eq!(content(root.path(), 1), "forged\n");
}

#[test]
fn a_pack_is_made_with_its_first_frame_and_repaired_like_its_segment() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path());
    let pack = root.path().join("ledger-000001.pack");
    files.commit(&lines("one\n")).unwrap();
    assert!(!pack.exists());
    files.commit(&both_of("two\n", "2")).unwrap();
    fs::remove_file(&pack).unwrap();
    let error = files.commit(&both_of("three\n", "3")).unwrap_err().to_string();
    assert!(error.contains("ledger-000001"), "{error}");
    files.repair().unwrap();
    files.commit(&both_of("four\n", "4")).unwrap();
    assert_eq!(content(root.path(), 1), "one\ntwo\nfour\n");
    assert_eq!(fs::read_to_string(&pack).unwrap(), "24");
}

#[test]
fn a_full_pack_ends_its_segment() {
    let root = tempfile::tempdir().unwrap();
    let mut files = open(root.path()).with_segment_bytes_max(4);
    files.commit(&both_of("1\n", "many bytes")).unwrap();
    assert_eq!(files.prepare().unwrap(), Place { segment: 2, offset: 0 });
    files.commit(&lines("2\n")).unwrap();
    assert_eq!((content(root.path(), 1), content(root.path(), 2)), ("1\n".to_owned(), "2\n".to_owned()));
}
