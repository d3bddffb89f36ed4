//! The ledger on a real file system, through its public face.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use tribunal_core::Timestamp;
use tribunal_core::decision::{Because, Decision, Verdict};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::record::{Decided, DecisionId, Lifecycle, Outcome, Record, Step, StepResult};
use tribunal_core::request::{AccessRequest, Attributes, Decider, RequestId, RequestKind, RequestState, UserName};
use tribunal_ledger::{Ledger, OpenError, ReadError, Recovery, read_all};
use tribunal_ports::Ledger as _;

fn lifecycle(detail: &str) -> Record {
    Record::Lifecycle { at: Timestamp::from_millis(1), what: Lifecycle::Started, detail: detail.to_owned() }
}

fn request(id: &str) -> AccessRequest {
    AccessRequest {
        id: RequestId::new(id),
        revision: String::new(),
        user: UserName::new("alice"),
        state: RequestState::Pending,
        kind: RequestKind::ShortTerm,
        roles: vec!["dev".to_owned()],
        resources: Vec::new(),
        reason: String::new(),
        created: Timestamp::from_millis(1),
        access_starts: None,
        access_expires: None,
        request_expires: None,
        decided_by: Decider::Nobody,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    }
}

fn lock(name: &str) -> (Lock, String) {
    let lock = Lock {
        name: LockName::new(name),
        target: LockTarget::default(),
        message: String::new(),
        expires: None,
        created_by: String::new(),
    };
    (lock, "cap/over-cap".to_owned())
}

/// Decides to lock `old`, to release `older`, and this about the request `new`.
fn decided(id: &str, verdict: Verdict) -> Decided {
    Decided {
        id: DecisionId::new(id),
        at: Timestamp::from_millis(1),
        user: UserName::new("alice"),
        request: Some(request("new")),
        decision: Some(Decision { verdict, because: Because::Silence }),
        evaluations: Vec::new(),
        enforcements: Vec::new(),
        locks: vec![lock("old")],
        releases: vec![LockName::new("older")],
        reason: String::new(),
        panel: None,
        case: None,
        dry_run: false,
    }
}

fn outcome(decision: &str, step: Step, result: StepResult) -> Record {
    Record::Outcome(Outcome { decision: DecisionId::new(decision), at: Timestamp::from_millis(2), step, result })
}

async fn write(directory: &Path, records: impl IntoIterator<Item = Record>) -> Recovery {
    let (ledger, recovery) = Ledger::open(directory).unwrap();
    for record in records {
        ledger.append(record).await.unwrap();
    }
    recovery
}

fn segment(directory: &Path) -> PathBuf {
    directory.join("ledger-000001.jsonl")
}

fn records(directory: &Path) -> Vec<Record> {
    read_all(directory).unwrap().into_iter().map(|line| line.into_record().unwrap()).collect()
}

/// A ledger as it was before trees and checkpoints.
fn version_1<const N: usize>(details: [&str; N]) -> String {
    let line = |(seq, detail)| {
        format!(
            r#"{{"v":1,"seq":{seq},"at":"1970-01-01T00:00:00.001Z","kind":"lifecycle","what":"started","detail":"{detail}"}}"#
        ) + "\n"
    };
    (1..).zip(details).map(line).collect()
}

#[tokio::test]
async fn what_was_appended_is_there_after_a_restart_and_numbering_goes_on() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(write(root.path(), [lifecycle("a"), lifecycle("b")]).await, Recovery::default());
    let recovery = write(root.path(), [lifecycle("c")]).await;
    assert_eq!(recovery, Recovery { records: 2, ..Recovery::default() });
    assert_eq!(records(root.path()), [lifecycle("a"), lifecycle("b"), lifecycle("c")]);
    let seqs: Vec<u64> = read_all(root.path()).unwrap().iter().map(|line| line.seq).collect();
    assert_eq!(seqs, [1, 2, 3]);
}

#[tokio::test]
async fn a_record_is_on_disk_when_its_append_ends() {
    let root = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::open(root.path()).unwrap();
    ledger.append(lifecycle("a")).await.unwrap();
    assert_eq!(records(root.path()), [lifecycle("a")]);
}

#[tokio::test]
async fn only_steps_without_outcome_stay_open() {
    let root = tempfile::tempdir().unwrap();
    let id = |name| RequestId::new(name);
    let failed = StepResult::Failed(Failure::new(FailureClass::Retry, "deadline"));
    let rehearsal = Decided { dry_run: true, ..decided("rehearsed", Verdict::Approve) };
    write(
        root.path(),
        [
            Record::Decided(Box::new(decided("untouched", Verdict::Approve))),
            Record::Decided(Box::new(decided("half", Verdict::Deny))),
            outcome("half", Step::Lock(LockName::new("old")), StepResult::Applied),
            Record::Decided(Box::new(decided("given-up", Verdict::Approve))),
            outcome("given-up", Step::Decision, StepResult::Superseded("it was withdrawn".to_owned())),
            Record::Decided(Box::new(decided("done", Verdict::Leave))),
            outcome("done", Step::Lock(LockName::new("old")), StepResult::Applied),
            outcome("done", Step::Unlock(LockName::new("older")), failed),
            Record::Decided(Box::new(rehearsal)),
            outcome("archived", Step::Approve(id("x")), StepResult::Applied),
        ],
    )
    .await;
    let (_ledger, recovery) = Ledger::open(root.path()).unwrap();
    let open: Vec<_> = recovery.open.iter().map(|intent| (intent.decided.id.as_str(), intent.steps.clone())).collect();
    let (old, older) = (Step::Lock(LockName::new("old")), Step::Unlock(LockName::new("older")));
    assert_eq!(
        open,
        [
            ("untouched", vec![old, older.clone(), Step::Approve(id("new"))]),
            ("half", vec![older, Step::Deny(id("new"))]),
        ]
    );
    assert_eq!(recovery.open[0].decided, decided("untouched", Verdict::Approve));
}

#[tokio::test]
async fn a_torn_last_line_is_cut_off_kept_and_reported() {
    let whole_without_break = {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), [lifecycle("a"), lifecycle("b")]).await;
        let text = fs::read_to_string(segment(root.path())).unwrap();
        text.lines().last().unwrap().to_owned()
    };
    for torn in [r#"{"v":1,"se"#, "{\"v\":1,\"se\n", "\0\0\0\0\n", "\u{0}", &whole_without_break] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), [lifecycle("a")]).await;
        let before = fs::read_to_string(segment(root.path())).unwrap();
        fs::write(segment(root.path()), format!("{before}{torn}")).unwrap();

        assert_eq!(records(root.path()), [lifecycle("a")], "a reader leaves it out");
        let recovery = write(root.path(), [lifecycle("c")]).await;
        assert_eq!(recovery.records, 1);
        let cut = recovery.torn.expect("reported");
        assert_eq!(cut.bytes, u64::try_from(torn.len()).unwrap());
        assert_eq!(cut.kept, root.path().join("ledger-000001.jsonl.torn"));
        assert_eq!(fs::read_to_string(cut.kept).unwrap().trim_end_matches('\n'), torn.trim_end_matches('\n'));
        assert_eq!(records(root.path()), [lifecycle("a"), lifecycle("c")]);
    }
}

#[tokio::test]
async fn a_second_torn_line_does_not_push_out_the_first() {
    let root = tempfile::tempdir().unwrap();
    for torn in ["first", "second"] {
        fs::write(segment(root.path()), torn).unwrap();
        drop(Ledger::open(root.path()).unwrap());
    }
    assert_eq!(fs::read_to_string(root.path().join("ledger-000001.jsonl.torn")).unwrap(), "first\nsecond\n");
}

#[tokio::test]
async fn damage_before_the_end_is_an_error_that_names_file_and_line_and_changes_nothing() {
    for (change, why) in [
        ("garbage", "expected value at line 1 column 1"),
        (r#"{"v":1,"seq":2}"#, "missing field `at`"),
        (r#"{"v":5}"#, "schema version 5 is not known to this build"),
        (
            r#"{"v":2,"seq":9,"at":"2026-03-01T09:30:00.125Z","kind":"lifecycle","what":"started","detail":""}"#,
            "record 9 follows record 1",
        ),
    ] {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), [lifecycle("a"), lifecycle("b"), lifecycle("c")]).await;
        let text = fs::read_to_string(segment(root.path())).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines[1] = change;
        let damaged = format!("{}\n", lines.join("\n"));
        fs::write(segment(root.path()), &damaged).unwrap();

        let error = Ledger::open(root.path()).unwrap_err();
        assert!(matches!(&error, OpenError::Read(ReadError::Damage { line: 2, .. })), "{error:?}");
        let message = error.to_string();
        assert!(message.contains("ledger-000001.jsonl:2` is damaged: "), "{message}");
        assert!(message.contains(why), "{message}");
        assert_eq!(fs::read_to_string(segment(root.path())).unwrap(), damaged);
        assert!(read_all(root.path()).is_err());
    }
}

#[tokio::test]
async fn a_last_line_of_a_newer_version_is_not_mistaken_for_a_torn_one() {
    let root = tempfile::tempdir().unwrap();
    fs::write(segment(root.path()), "{\"v\":5,\"seq\":1}\n").unwrap();
    let error = Ledger::open(root.path()).unwrap_err().to_string();
    assert!(error.contains("schema version 5 is not known"), "{error}");
    assert_eq!(fs::read_to_string(segment(root.path())).unwrap(), "{\"v\":5,\"seq\":1}\n");
}

#[tokio::test]
async fn a_missing_segment_between_others_is_an_error_and_archived_ones_are_not() {
    let root = tempfile::tempdir().unwrap();
    let text = version_1(["a", "b", "c"]);
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    fs::write(root.path().join("ledger-000002.jsonl"), lines[1]).unwrap();
    fs::write(root.path().join("ledger-000003.jsonl"), lines[2]).unwrap();
    fs::write(segment(root.path()), lines[0]).unwrap();
    assert_eq!(read_all(root.path()).unwrap().len(), 3);

    fs::remove_file(segment(root.path())).unwrap();
    let recovery = write(root.path(), [lifecycle("d")]).await;
    assert_eq!(recovery.records, 2);
    assert_eq!(records(root.path()), [lifecycle("b"), lifecycle("c"), lifecycle("d")]);
    assert_eq!(write(root.path(), []).await.records, 3, "and so from then on");

    fs::write(segment(root.path()), lines[0]).unwrap();
    fs::remove_file(root.path().join("ledger-000002.jsonl")).unwrap();
    let error = Ledger::open(root.path()).unwrap_err().to_string();
    assert!(error.contains("ledger-000002.jsonl` is missing"), "{error}");
}

#[tokio::test]
async fn a_second_daemon_is_turned_away_until_the_first_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let first = Ledger::open(root.path()).unwrap();
    let error = Ledger::open(root.path()).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(first);
    Ledger::open(root.path()).unwrap();
}

#[test]
fn a_directory_that_cannot_be_one_is_named_with_a_remedy() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("ledger")] {
        let error = Ledger::open(&path).unwrap_err().to_string();
        assert!(error.contains(&format!("`{}`", path.display())), "{error}");
        assert!(error.ends_with("remove that, or name another directory"), "{error}");
    }
}

/// In the kernel's own file system nobody makes a directory, root neither.
#[cfg(target_os = "linux")]
#[test]
fn where_nobody_may_write_no_ledger_begins_and_that_is_said_with_a_remedy() {
    let error = Ledger::open(Path::new("/sys/ledger/of/tribunal")).unwrap_err();
    assert!(matches!(error, OpenError::Directory { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("`/sys/ledger/of/tribunal` cannot be used"), "{said}");
    assert!(said.contains("make it writable") || said.contains("mount its file system for writing"), "{said}");
}

#[tokio::test]
async fn a_ledger_deleted_under_way_fails_its_next_append() {
    let root = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::open(root.path()).unwrap();
    ledger.append(lifecycle("a")).await.unwrap();
    fs::remove_file(segment(root.path())).unwrap();
    let error = ledger.append(lifecycle("b")).await.unwrap_err();
    assert!(error.starts_with("the ledger cannot be written: "), "{error}");
    assert!(error.contains("ledger-000001.jsonl"), "{error}");
    let again = ledger.append(lifecycle("c")).await;
    // Whether the pause is over by now is not ours to say; that nothing goes lost is.
    let expected = if again.is_ok() { vec![lifecycle("a"), lifecycle("c")] } else { Vec::new() };
    assert_eq!(records(root.path()), expected);
}
