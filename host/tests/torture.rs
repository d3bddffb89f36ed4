//! `tribunal torture` in a short form: every guest of the corpus once or twice, and random components. It never judges times.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::process::{Command, Output};

use serde_json::Value as Json;

fn torture(flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tribunal")).arg("torture").args(flags).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_guest_comes_to_what_it_is_declared_to_come_to_and_honest_policies_notice_nothing() {
    let output = torture(&["--rounds", "2", "--random", "30", "--untimed", "--json"]);
    let said: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!((&said["ok"], output.status.code()), (&Json::Bool(true), Some(0)), "{}", said["findings"]);
    let guests = said["guests"].as_array().unwrap();
    assert!(guests.len() >= 60, "{}", guests.len());
    for guest in guests {
        assert_eq!(guest["attacks"], guest["as_declared"], "{guest}");
        assert!(guest["attacks"].as_u64().unwrap() > 0, "{guest}");
    }
    assert_eq!((&said["panics"], &said["random"]["components"]), (&0.into(), &30.into()));
}

#[test]
fn several_strike_at_a_time_and_people_get_a_line_for_each() {
    let output = torture(&["--only", "trap-", "--rounds", "3", "--threads", "4", "--untimed"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        said.lines().filter(|line| line.starts_with("trap-") && line.contains(" 3/3 ")).count(),
        said.matches("\ntrap-").count()
    );
    assert!(said.contains("0 panics of the host") && said.ends_with("contained\n"), "{said}");
    assert!(!said.contains('\u{1b}'), "colour is for terminals");
}

#[test]
fn components_of_others_are_tried_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let tortured = |dir: &std::path::Path| {
        let dir = dir.to_str().unwrap();
        torture(&["--only", "trap-unreachable", "--rounds", "1", "--untimed", "--json", "--components", dir])
    };
    let output = tortured(dir.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("has no file that ends with `.wasm`"), "{}", text(&output.stderr));

    std::fs::write(dir.path().join("1.wasm"), tribunal_hostile::around(tribunal_hostile::STRANGER).unwrap()).unwrap();
    std::fs::write(dir.path().join("2.wasm"), "no component").unwrap();
    let output = tortured(dir.path());
    let said: Json = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!((&said["ok"], &said["random"]["components"]), (&Json::Bool(true), &2.into()), "{said}");
    // The module of the first is reached, whatever it is asked.
    assert_eq!(said["random"]["outcomes"]["trap"], 2, "{said}");
}

#[test]
fn the_guests_are_listed_with_what_they_do() {
    let said = text(&torture(&["--list"]).stdout);
    assert!(said.lines().count() >= 60, "{said}");
    let line = said.lines().find(|line| line.starts_with("loop-in-review ")).unwrap();
    assert!(line.contains(" deadline deadline_ms ") && line.ends_with("Never answers."), "{line}");
}

#[test]
fn what_is_nobodys_name_is_told() {
    let output = torture(&["--only", "no-such-guest"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no guest has `no-such-guest` in its name"));
}
