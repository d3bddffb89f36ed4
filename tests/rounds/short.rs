//! A short measurement, small enough for every run of the tests: what each round does is tested here, what it costs is not. It
//! must never depend on how fast the machine is.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::process::Command;

use serde_json::{Value, json};

/// What a round did of these.
fn counts<const N: usize>(run: &Value, round: usize, names: [&str; N]) -> [f64; N] {
    names.map(|name| run["rounds"][round][name].as_f64().expect("a number"))
}

#[test]
fn an_unchanged_round_evaluates_nobody_and_a_changed_one_only_whom_it_concerns() {
    let rounds = Command::new(env!("CARGO_BIN_EXE_rounds"))
        .args(["--live", "200", "--latency-ms", "0,5", "--burst", "20", "--json"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&rounds.stderr);
    assert!(rounds.status.success(), "{}\n{said}", rounds.status);
    let runs: Value = serde_json::from_slice(&rounds.stdout).expect("JSON");
    for run in runs.as_array().expect("a list") {
        assert_eq!((&run["live"], &run["users"]), (&json!(200), &json!(20)), "{run}");
        let [first, unchanged, changed, burst] = [0, 1, 2, 3];
        // Of each user one waits: two policies review it, say what to lock for it, and say what to lock once it is held.
        assert_eq!(
            counts(run, first, ["users_read", "approvals", "locks", "evaluations"]),
            [20.0, 20.0, 0.0, 120.0],
            "{run}"
        );
        let all = ["evaluations", "users_read", "rereads", "approvals", "locks", "records"];
        assert_eq!(counts(run, unchanged, all), [0.0; 6], "{run}");
        assert_eq!(counts(run, changed, ["evaluations", "approvals", "locks"]), [12.0, 2.0, 0.0], "{run}");
        // Each of twenty costs its user an older one.
        assert_eq!(counts(run, burst, ["approvals", "locks"]), [20.0, 20.0], "{run}");
        for round in [first, unchanged, changed, burst] {
            assert_eq!(counts(run, round, ["failures"]), [0.0], "{run}");
        }
    }
}
