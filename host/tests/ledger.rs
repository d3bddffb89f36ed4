//! `tribunal ledger`, as people and programs use it: words, exit codes, files. It must never need a daemon.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::{fs, io};

use serde_json::Value;
use tokio::task::JoinSet;
use tribunal_core::Timestamp;
use tribunal_core::decision::{Because, Decision, Verdict};
use tribunal_core::record::{Decided, DecisionId, Lifecycle, Outcome, Record, Step, StepResult};
use tribunal_core::request::{AccessRequest, Attributes, Decider, RequestId, RequestKind, RequestState, UserName};
use tribunal_ledger::Ledger;
use tribunal_ports::Ledger as _;

fn at(number: u64) -> Timestamp {
    Timestamp::from_millis(1_772_357_400_000 + number * 60_000)
}

fn decided(number: u64, user: &str, verdict: Verdict) -> Record {
    let request = AccessRequest {
        id: RequestId::new(format!("request-{number}")),
        revision: String::new(),
        user: UserName::new(user),
        state: RequestState::Pending,
        kind: RequestKind::ShortTerm,
        roles: vec!["node-access".to_owned()],
        resources: Vec::new(),
        reason: "deploy\u{1b}[31m".to_owned(),
        created: at(number),
        access_starts: None,
        access_expires: None,
        request_expires: None,
        decided_by: Decider::Nobody,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    };
    Record::Decided(Box::new(Decided {
        id: DecisionId::new(format!("d-{number}")),
        at: at(number),
        user: UserName::new(user),
        request: Some(request),
        decision: Some(Decision { verdict, because: Because::Silence }),
        evaluations: Vec::new(),
        enforcements: Vec::new(),
        locks: Vec::new(),
        releases: Vec::new(),
        reason: "complies".to_owned(),
        panel: None,
        case: None,
        dry_run: false,
    }))
}

/// A ledger of a start, three decisions and an outcome.
async fn ledger() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::open(root.path()).unwrap();
    let outcome = Outcome {
        decision: DecisionId::new("d-1"),
        at: at(1),
        step: Step::Approve(RequestId::new("request-1")),
        result: StepResult::Applied,
    };
    for record in [
        Record::Lifecycle { at: at(0), what: Lifecycle::Started, detail: "version 0.1.0".to_owned() },
        decided(1, "alice", Verdict::Approve),
        Record::Outcome(outcome),
        decided(2, "bob", Verdict::Leave),
        decided(3, "alice", Verdict::Leave),
    ] {
        ledger.append(record).await.unwrap();
    }
    root
}

fn tribunal(directory: &Path, words: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    command.arg("ledger").args(words.split(' ')).current_dir(directory).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn verify_says_that_all_is_well_or_which_record_is_not() {
    let root = ledger().await;
    let well = tribunal(root.path(), "verify --dir .");
    assert_eq!(well.status.code(), Some(0), "{}", err(&well));
    assert!(out(&well).contains("verdict    all is as it was written and signed"), "{}", out(&well));
    assert!(out(&well).contains("give a copy that was kept elsewhere"), "{}", out(&well));
    assert!(!out(&tribunal(root.path(), "verify --dir . --key ledger.pub")).contains("kept elsewhere"));

    let path = root.path().join("ledger-000001.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"verdict\":\"leave\"", "\"verdict\":\"deny\" ", 1)).unwrap();
    let forged = tribunal(root.path(), "verify --dir . --key ledger.pub");
    assert_eq!(forged.status.code(), Some(1));
    assert!(
        err(&forged).contains("record 4, `./ledger-000001.jsonl:4`: record 4 is not what was signed"),
        "{}",
        err(&forged)
    );
    let json: Value = serde_json::from_str(&out(&tribunal(root.path(), "verify --dir . --json"))).unwrap();
    assert_eq!((&json["ok"], &json["findings"][0]["record"]), (&Value::from(false), &Value::from(4)));
}

#[tokio::test]
async fn verify_knows_older_checkpoints_and_foreign_keys() {
    let root = ledger().await;
    fs::copy(root.path().join("checkpoint"), root.path().join("older")).unwrap();
    let (ledger, _) = Ledger::open(root.path()).unwrap();
    ledger.append(decided(9, "carol", Verdict::Leave)).await.unwrap();
    drop(ledger);
    let since = tribunal(root.path(), "verify --dir . --since older");
    assert_eq!(since.status.code(), Some(0), "{}", err(&since));

    let other = self::ledger().await;
    fs::copy(other.path().join("ledger.pub"), root.path().join("other.pub")).unwrap();
    let foreign = tribunal(root.path(), "verify --dir . --key other.pub");
    assert_eq!(foreign.status.code(), Some(1));
    assert!(err(&foreign).contains("it is not signed by"), "{}", err(&foreign));
    let nothing = tribunal(root.path(), "verify --dir nowhere");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(err(&nothing).contains("there is no public key in `nowhere`"), "{}", err(&nothing));
}

#[tokio::test]
async fn decisions_are_listed_by_what_people_ask_for() {
    let root = ledger().await;
    let ids = |words: &str| -> Vec<String> {
        let listed = tribunal(root.path(), &format!("list --dir . --json {words}"));
        assert_eq!(listed.status.code(), Some(0), "{}", err(&listed));
        let parse = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        out(&listed).lines().map(parse).collect()
    };
    assert_eq!(ids("--user alice"), ["d-1", "d-3"]);
    assert_eq!(ids("--user alice --last 1"), ["d-3"]);
    assert_eq!(ids("--verdict leave"), ["d-2", "d-3"]);
    assert_eq!(ids("--request request-2"), ["d-2"]);
    assert_eq!(ids("--since 2026-03-01T09:32:00Z --until 2026-03-01T09:33:00Z"), ["d-2"]);
    assert_eq!(ids("--plugin cap"), Vec::<String>::new());
    let table = out(&tribunal(root.path(), "list --dir ."));
    assert!(table.contains("d-1") && table.contains("node-access") && table.contains("3 decisions"), "{table}");
    let wrong = tribunal(root.path(), "list --dir . --since soon");
    assert!(err(&wrong).contains("`soon` is no time: write `2026-03-01`"), "{}", err(&wrong));
}

#[tokio::test]
async fn a_long_list_has_one_head_and_every_decision_and_may_be_left_in_the_middle() {
    let root = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::open(root.path()).unwrap().0);
    let mut appends = JoinSet::new();
    for number in 0..2_500 {
        let ledger = Arc::clone(&ledger);
        appends.spawn(async move { ledger.append(decided(number, "alice", Verdict::Leave)).await.unwrap() });
    }
    appends.join_all().await;
    drop(ledger);
    let table = out(&tribunal(root.path(), "list --dir ."));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains("decision") && lines[1..].iter().all(|line| !line.contains("verdict")), "{table}");
    assert_eq!((lines.len(), lines[2_501]), (2_502, "2500 decisions"));
    for number in 0..2_500 {
        assert!(table.contains(&format!(" d-{number} ")), "{number}");
    }
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut left = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    left.args(["ledger", "list", "--json", "--dir", "."]).current_dir(root.path()).stdout(writer);
    let left = left.output().unwrap();
    assert_eq!((left.status.code(), err(&left)), (Some(0), String::new()));
}

#[tokio::test]
async fn a_record_is_shown_without_the_control_characters_of_its_requester() {
    let root = ledger().await;
    let shown = out(&tribunal(root.path(), "show d-1 --dir ."));
    assert!(shown.contains("verdict    approve"), "{shown}");
    assert!(shown.contains("approve request-1: done"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let json: Value = serde_json::from_str(&out(&tribunal(root.path(), "show 2 --dir . --json"))).unwrap();
    assert_eq!((&json["record"]["id"], json["outcomes"].as_array().unwrap().len()), (&Value::from("d-1"), 1));
    assert!(out(&tribunal(root.path(), "show 1 --dir .")).contains("daemon     started: version 0.1.0"));
    let none = tribunal(root.path(), "show d-77 --dir .");
    assert_eq!(none.status.code(), Some(1));
    assert!(err(&none).contains("there is no record `d-77`"), "{}", err(&none));
}

#[tokio::test]
async fn a_proof_is_checked_far_from_its_ledger() {
    let root = ledger().await;
    let far = tempfile::tempdir().unwrap();
    let proof = far.path().join("d-2.tlog-proof");
    let made = tribunal(root.path(), &format!("prove d-2 --dir . --out {}", proof.display()));
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let key = fs::read_to_string(root.path().join("ledger.pub")).unwrap();
    let words = format!("verify --proof d-2.tlog-proof --key {}", key.trim());
    let proven = tribunal(far.path(), &words);
    assert_eq!(proven.status.code(), Some(0), "{}", err(&proven));
    assert!(out(&proven).contains("proven: leaf 3 of the 5 records"), "{}", out(&proven));
    assert!(out(&proven).contains(r#""id":"d-2""#), "{}", out(&proven));

    let text = fs::read_to_string(&proof).unwrap();
    fs::write(&proof, text.replacen("index 3", "index 4", 1)).unwrap();
    let forged = tribunal(far.path(), &words);
    assert_eq!(forged.status.code(), Some(1));
    assert!(
        err(&forged).contains("the record is not in the ledger that the checkpoint was signed for"),
        "{}",
        err(&forged)
    );
}

/// What `tribunal dev --once` decided, by a real daemon over a simulated cluster.
#[tokio::test]
async fn n8_a_daemons_decisions_refer_to_the_very_plugins_that_made_them() {
    let root = tempfile::tempdir().unwrap();
    let played = Command::new(env!("CARGO_BIN_EXE_tribunal"))
        .args(["dev", "--once", "--dir", "."])
        .current_dir(root.path())
        .output()
        .unwrap();
    assert_eq!(played.status.code(), Some(0), "{}", err(&played));
    let well = tribunal(root.path(), "verify --dir ledger");
    assert_eq!(well.status.code(), Some(0), "{}", err(&well));
    assert!(!out(&well).contains("not signed for yet"), "{}", out(&well));
    let listed = out(&tribunal(root.path(), "list --dir ledger --json --verdict approve"));
    let decision: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let id = decision["id"].as_str().unwrap();
    let shown: Value =
        serde_json::from_str(&out(&tribunal(root.path(), &format!("show {id} --dir ledger --json")))).unwrap();
    assert_eq!(shown["lacking"], Value::Array(Vec::new()));
    assert!(shown["record"]["case"]["requests"].is_array(), "{shown}");
    let policies = shown["panel"]["policies"].as_array().unwrap();
    let names: Vec<&str> = policies.iter().map(|policy| policy["policy"].as_str().unwrap()).collect();
    for evaluation in shown["record"]["evaluations"].as_array().unwrap() {
        assert!(names.contains(&evaluation["policy"].as_str().unwrap()), "{evaluation}");
    }
    // A plugin that is replaced afterwards is noticed, and the decisions that refer to it are named.
    let object = policies[0]["wasm"]["object"].as_str().unwrap();
    fs::copy(root.path().join("ledger/ledger.pub"), root.path().join("ledger/objects").join(object)).unwrap();
    let replaced = tribunal(root.path(), "verify --dir ledger");
    assert_eq!(replaced.status.code(), Some(1));
    assert!(err(&replaced).contains(object), "{}", err(&replaced));
}

#[tokio::test]
async fn what_is_erased_is_recorded_and_every_command_says_so() {
    let root = ledger().await;
    let id = "d-1";
    let dir = root.path();
    let before = out(&tribunal(dir, &format!("show {id} --dir .")));
    let would = tribunal(dir, "erase --user alice --dir .");
    assert!(out(&would).contains("`--yes` erases them for ever"), "{}", out(&would));
    assert_eq!(out(&tribunal(dir, &format!("show {id} --dir ."))), before, "nothing was done");
    let erased = tribunal(dir, "erase --user alice --yes --dir .");
    assert_eq!(erased.status.code(), Some(0), "{}", err(&erased));
    assert!(out(&erased).contains("recorded in the ledger"), "{}", out(&erased));
    let shown = out(&tribunal(dir, &format!("show {id} --dir .")));
    assert!(shown.contains("words      erased"), "{shown}");
    let verified = tribunal(dir, "verify --dir .");
    assert_eq!(verified.status.code(), Some(0), "{}", err(&verified));
    assert!(out(&verified).contains("are erased: nobody can read them"), "{}", out(&verified));
    let itself = out(&tribunal(dir, "report --self --dir ."));
    assert!(itself.contains("erased") && itself.contains("the personal text of user `alice`"), "{itself}");
    let exported = out(&tribunal(dir, "export --format csv --user alice --dir ."));
    assert_eq!(exported.lines().filter(|line| line.contains("erased")).count(), 2, "{exported}");
}

#[tokio::test]
async fn a_bundle_is_made_and_checked_and_a_report_and_every_export_are_written() {
    let root = ledger().await;
    let (dir, elsewhere) = (root.path(), tempfile::tempdir().unwrap());
    let (bundle, page) = (elsewhere.path().join("bundle"), elsewhere.path().join("report.html"));
    let (bundle, page) = (bundle.to_str().unwrap(), page.to_str().unwrap());
    let made = tribunal(dir, &format!("evidence --user alice --out {bundle} --dir ."));
    assert_eq!(made.status.code(), Some(0), "{}", err(&made));
    let key = dir.join("ledger.pub");
    // Without the ledger.
    let checked = tribunal(elsewhere.path(), &format!("verify --bundle {bundle} --key {}", key.display()));
    assert_eq!(checked.status.code(), Some(0), "{}", err(&checked));
    assert!(out(&checked).contains("all is as it was written and signed"), "{}", out(&checked));
    fs::write(format!("{bundle}/readable/000000000002.json"), "{}").unwrap();
    let changed = tribunal(elsewhere.path(), &format!("verify --bundle {bundle} --json"));
    assert_eq!(changed.status.code(), Some(1), "{}", out(&changed));
    assert!(err(&changed).contains("it does not say what is proven"), "{}", err(&changed));
    assert_eq!(
        tribunal(dir, &format!("evidence --user alice --out {bundle} --dir .")).status.code(),
        Some(1),
        "never over it"
    );
    let reported = tribunal(dir, &format!("report --html {page} --dir ."));
    assert_eq!(reported.status.code(), Some(0), "{}", err(&reported));
    assert!(fs::read_to_string(page).unwrap().contains("</html>"));
    let figures: Value = serde_json::from_str(&out(&tribunal(dir, "report --json --dir ."))).unwrap();
    assert_eq!((&figures["decisions"]["approved"], &figures["decisions"]["left"]), (&1.into(), &2.into()));
    for (form, lines) in [("jsonl", 3), ("csv", 4), ("ocsf", 3), ("cef", 3)] {
        let exported = tribunal(dir, &format!("export --format {form} --dir ."));
        assert_eq!((exported.status.code(), out(&exported).lines().count()), (Some(0), lines), "{form}");
    }
    let archived = tribunal(dir, "archive --before 2100-01-01 --check --dir .");
    assert!(out(&archived).contains("nothing to archive"), "{}", out(&archived));
}
