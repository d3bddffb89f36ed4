//! A short measurement, small enough for every run of the tests: whether each request is decided once is tested here, how
//! fast is not. It must never depend on how fast the machine is.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::process::Command;

#[test]
fn with_and_without_a_round_trip_every_request_is_decided_exactly_once() {
    let latency = Command::new(env!("CARGO_BIN_EXE_latency"))
        .args(["--requests", "40", "--warm-up", "5", "--rate", "20", "--round-trip-ms", "0,5", "--json"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&latency.stderr);
    assert!(latency.status.success(), "{}\n{said}", latency.status);
    let runs: serde_json::Value = serde_json::from_slice(&latency.stdout).expect("JSON");
    for (run, round_trip_ms) in [(&runs[0], 5.0_f64 * 0.0), (&runs[1], 5.0)] {
        assert_eq!((&run["asked"], &run["decided"]), (&45.into(), &45.into()), "{run}");
        assert_eq!((&run["missed"], &run["more_than_once"], &run["wrong"]), (&0.into(), &0.into(), &0.into()), "{run}");
        // What is injected is there: no answer is faster than the way.
        assert!(run["ping"]["p50_ms"].as_f64().is_some_and(|p50| p50 >= round_trip_ms), "{run}");
        assert!(run["verdict"]["p50_ms"].as_f64().is_some_and(|p50| p50 >= round_trip_ms * 2.0), "{run}");
    }
}
