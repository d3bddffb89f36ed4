//! A short soak, small enough for every run of the tests. It must never depend on how fast the machine is.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

#[test]
fn under_faults_and_kills_nothing_forbidden_and_nothing_unexplained_happens() {
    let soak = Command::new(env!("CARGO_BIN_EXE_soak"))
        .args(["--subjects", "60", "--requests", "200", "--kills", "3", "--seed", "1", "--minutes", "10"])
        .output();
    let soak = soak.expect("the soak starts");
    let said = String::from_utf8_lossy(&soak.stderr);
    assert!(soak.status.success(), "{}\n{said}", soak.status);
    assert!(said.contains("soak: clean"), "{said}");
}
