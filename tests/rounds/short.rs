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
        assert_eq!(counts(run, first, ["users_read", "approvals", "locks"]), [20.0, 20.0, 0.0], "{run}");
        // Of each user one waits: two policies review it, say what to lock for it, and say what to lock once it is held; and
        // that once more, if the stream was faster than the reply.
        let [evaluations] = counts(run, first, ["evaluations"]);
        assert!((120.0..=200.0).contains(&evaluations), "{run}");
        let all = ["evaluations", "users_read", "rereads", "approvals", "locks", "records"];
        assert_eq!(counts(run, unchanged, all), [0.0; 6], "{run}");
        // Two of twenty users.
        assert_eq!(counts(run, changed, ["approvals", "locks"]), [2.0, 0.0], "{run}");
        let [evaluations] = counts(run, changed, ["evaluations"]);
        assert!((12.0..=20.0).contains(&evaluations), "{run}");
        // Each of twenty costs its user an older one.
        assert_eq!(counts(run, burst, ["approvals", "locks"]), [20.0, 20.0], "{run}");
        for round in [first, unchanged, changed, burst] {
            assert_eq!(counts(run, round, ["failures"]), [0.0], "{run}");
        }
    }
}
