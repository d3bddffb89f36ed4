//! Decisions in the forms of other systems, whatever is in them. They must never become more there than text.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use tribunal_ledger::schema::Line;

use super::*;

const HOSTILE: &str = "=cmd|' /C calc'!A0\",\r\nCEF:0|x|y=z \\ | é\u{2028}";

/// A decision in which everything that others may choose is this text.
fn line(text: &str, verdict: &str) -> Line {
    let request = json!({
        "id": text, "revision": "", "user": text, "state": "PENDING", "term": "short-term", "roles": [text, "r"],
        "resources": [{ "cluster": "c", "kind": "node", "name": text, "sub_resource": "" }], "reason": text,
        "created": "2026-03-01T09:29:59.000Z", "decided_by": "nobody", "reviews": [], "suggested_reviewers": [],
        "annotations": {}
    });
    let grounds = json!([{ "policy": "cap", "rule": text, "reason": text }]);
    let line = json!({
        "v": 4, "seq": 7, "at": "2026-03-01T09:30:00.125Z", "kind": "decided", "id": text, "user": text, "cluster": text,
        "dry_run": false, "verdict": verdict, "determined_by": { "rules": [text], "by": "grounds", "grounds": grounds },
        "reason": text, "request": request, "evaluations": [], "enforcements": [], "locks": [], "releases": []
    });
    Line::parse(line.to_string().as_bytes()).unwrap()
}

fn applied(text: &str) -> Vec<(Time, Outcome)> {
    let step = Step::Approve(text.to_owned());
    let outcome = Outcome { decision: text.to_owned(), step, result: StepResult::Applied };
    vec![(Time::from(tribunal_core::Timestamp::from_millis(1)), outcome)]
}

fn in_form(form: ExportForm, line: Line, outcomes: Vec<(Time, Outcome)>) -> String {
    let mut written = Vec::new();
    let decision = Ok::<_, io::Error>(Decision { record: line, outcomes });
    write(form, std::iter::once(decision), &mut written).unwrap();
    String::from_utf8(written).unwrap()
}

/// The rows and cells of RFC 4180.
fn parsed(csv: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut letters = csv.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => cell.push(letters.next().unwrap()),
            ('"', _) => quoted = !quoted,
            (',', false) => row.push(std::mem::take(&mut cell)),
            ('\r', false) => {}
            ('\n', false) => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            (letter, _) => cell.push(letter),
        }
    }
    rows
}

/// The head and the extension of CEF, unescaped.
fn read_cef(event: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut head, mut part, mut letters) = (Vec::new(), String::new(), event.trim_end_matches('\n').chars());
    while head.len() < 7 {
        match letters.next().unwrap() {
            '\\' => part.push(letters.next().unwrap()),
            '|' => head.push(std::mem::take(&mut part)),
            letter => part.push(letter),
        }
    }
    let (mut plain, mut places) = (Vec::new(), Vec::new());
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next().unwrap() {
                'n' => plain.push('\n'),
                other => plain.push(other),
            },
            '=' => {
                places.push(plain.len());
                plain.push('=');
            }
            letter => plain.push(letter),
        }
    }
    let mut fields = Vec::new();
    let mut end = plain.len();
    for place in places.into_iter().rev() {
        let begin = plain[..place].iter().rposition(|letter| *letter == ' ').map_or(0, |blank| blank + 1);
        fields.push((plain[begin..place].iter().collect(), plain[place + 1..end].iter().collect()));
        end = begin.saturating_sub(1);
    }
    (head, fields)
}

fn names(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_file_is_there_when_all_of_it_is_and_not_before() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("decisions.csv");
    let decision = || Ok(Decision { record: line("a", "deny"), outcomes: Vec::new() });
    let seen = |wanted: fn(&str) -> bool| assert!(matches!(names(place.path()).as_slice(), [name] if wanted(name)));

    let broken = [decision(), Err(io::Error::other("of the segment"))].into_iter();
    let broken = broken.inspect(|_| seen(|name| name.starts_with("decisions.csv.") && name.ends_with(".unfinished")));
    let error = format!("{:#}", write_file(ExportForm::Csv, broken, &out).unwrap_err());
    assert!(error.contains("decisions.csv` cannot be written") && error.contains("of the segment"), "{error}");
    assert!(names(place.path()).is_empty(), "{:?}", names(place.path()));

    write_file(ExportForm::Csv, std::iter::once(decision()), &out).unwrap();
    seen(|name| name == "decisions.csv");
    assert_eq!(fs::read_to_string(&out).unwrap(), in_form(ExportForm::Csv, line("a", "deny"), Vec::new()));
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);

    // Somebody else was faster, or it stood there.
    fs::write(&out, "theirs").unwrap();
    let error = format!("{:#}", write_file(ExportForm::Csv, std::iter::once(decision()), &out).unwrap_err());
    assert!(error.contains("File exists"), "{error}");
    assert_eq!((names(place.path()).len(), fs::read_to_string(&out).unwrap()), (1, "theirs".to_owned()));
}

#[test]
fn a_cell_is_never_a_formula_and_keeps_its_text() {
    for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "\n=1", "＝1"] {
        let cell = csv::cell(text);
        assert!(cell.trim_start_matches('"').starts_with('\''), "{text:?}: {cell:?}");
    }
    assert_eq!(csv::cell("plain"), "plain");
    assert_eq!(csv::cell("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
}

#[test]
fn csv_has_one_row_for_each_decision_whatever_is_in_it() {
    let rows = parsed(&in_form(ExportForm::Csv, line(HOSTILE, "approve"), applied(HOSTILE)));
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].len(), rows[1].len());
    let cell = |name: &str| rows[1][rows[0].iter().position(|there| there == name).unwrap()].clone();
    assert_eq!(cell("user"), format!("'{HOSTILE}"));
    assert_eq!((cell("verdict"), cell("became")), ("approve".to_owned(), "done".to_owned()));
}

#[test]
fn cef_is_one_line_whose_fields_are_those_that_were_written() {
    let event = in_form(ExportForm::Cef, line(HOSTILE, "deny"), Vec::new());
    assert_eq!(event.lines().count(), 1, "{event}");
    let (head, fields) = read_cef(&event);
    assert_eq!(head[0], "CEF:0");
    assert_eq!((head[1].as_str(), head[5].as_str()), ("tribunal", "Access request denied"));
    let get = |name: &str| fields.iter().find(|(there, _)| there == name).map(|(_, value)| value.as_str());
    assert_eq!(get("act"), Some("deny"));
    assert_eq!(get("outcome"), Some("open"));
    assert_eq!(get("rt"), Some("1772357400125"));
    assert!(get("suser").unwrap().contains("CEF:0|x|y=z \\ |"));
    assert_eq!(get("cs4Label"), None, "a label without a value says nothing");
}

#[test]
fn ocsf_has_what_its_class_requires_and_nothing_else_at_the_top() {
    let known = [
        "activity_id",
        "activity_name",
        "category_name",
        "category_uid",
        "class_name",
        "class_uid",
        "message",
        "metadata",
        "privileges",
        "resources",
        "severity",
        "severity_id",
        "status",
        "status_detail",
        "status_id",
        "time",
        "type_name",
        "type_uid",
        "unmapped",
        "user",
    ];
    for (verdict, outcomes, activity, status) in
        [("approve", applied("x"), 1, 1), ("deny", Vec::new(), 1, 0), ("leave", Vec::new(), 99, 99)]
    {
        let event: Value = serde_json::from_str(&in_form(ExportForm::Ocsf, line(HOSTILE, verdict), outcomes)).unwrap();
        for name in event.as_object().unwrap().keys() {
            assert!(known.contains(&name.as_str()), "{name}");
        }
        assert_eq!(event["class_uid"], 3005);
        assert_eq!(event["type_uid"], 300_500 + activity, "the class times a hundred, and the activity");
        assert_eq!((&event["activity_id"], &event["status_id"]), (&json!(activity), &json!(status)), "{verdict}");
        assert_eq!(event["category_uid"], 3);
        assert_eq!(event["time"], 1_772_357_400_125_u64);
        assert_eq!(event["metadata"]["version"], "1.5.0");
        assert_eq!(event["metadata"]["correlation_uid"], HOSTILE);
        assert!(event["metadata"]["product"]["name"].is_string());
        assert_eq!(event["user"]["name"], HOSTILE);
        assert_eq!(event["resources"][0]["type"], "node");
    }
}

#[test]
fn jsonl_is_the_record_itself() {
    let line = line(HOSTILE, "approve");
    let text = in_form(ExportForm::Jsonl, line.clone(), applied(HOSTILE));
    assert_eq!(text.lines().count(), 1);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["record"], serde_json::to_value(&line).unwrap());
    assert_eq!(value["outcomes"][0]["result"]["is"], "applied");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_breaks_out_of_its_field(text in "\\PC{0,12}[=|\\\\,\"\r\n ]{0,4}\\PC{0,6}") {
        let rows = parsed(&in_form(ExportForm::Csv, line(&text, "deny"), Vec::new()));
        prop_assert_eq!((rows.len(), rows[1].len()), (2, rows[0].len()));
        let event = in_form(ExportForm::Cef, line(&text, "deny"), Vec::new());
        prop_assert_eq!(event.matches('\n').count(), 1);
        let (_, fields) = read_cef(&event);
        let names: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
        let known = ["rt", "externalId", "act", "outcome", "suser", "reason", "cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "cn1", "msg"];
        for name in &names {
            let bare = name.strip_suffix("Label").unwrap_or(name);
            prop_assert!(known.contains(&bare), "{} in {}", name, event);
        }
    }
}
