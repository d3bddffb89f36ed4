//! A short week, small enough for every run of the tests. It must never depend on how fast the machine is.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

#[test]
fn through_renewals_rotations_restarts_and_breaks_every_request_is_decided_exactly_once() {
    let week = Command::new(env!("CARGO_BIN_EXE_week"))
        .args(["--seconds", "32", "--rate", "3", "--renew", "4", "--phase", "7", "--outage", "0", "--seed", "1"])
        .output();
    let week = week.expect("the week starts");
    let said = String::from_utf8_lossy(&week.stderr);
    assert!(week.status.success(), "{}\n{said}", week.status);
    assert!(said.contains("week: clean"), "{said}");
}
