//! A few starts, in every run of the tests: that plugins come from the cache and the daemon gets ready is tested here, how fast
//! is not. It must never depend on how fast the machine is.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::process::Command;

use serde_json::Value;

#[test]
fn a_start_with_cached_plugins_is_measured_to_its_end() {
    let start = Command::new(env!("CARGO_BIN_EXE_start"))
        .args(["--plugins", "3", "--idle-plugins", "2", "--starts", "2", "--idle-secs", "0", "--json"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&start.stderr);
    assert!(start.status.success(), "{}\n{said}", start.status);
    let figures: Value = serde_json::from_slice(&start.stdout).expect("JSON");
    let ms = |name: &str| figures[name]["median"].as_f64().expect("a number");
    assert!(0.0 < ms("check_ms") && 0.0 < ms("loaded_ms") && ms("loaded_ms") <= ms("ready_ms"), "{figures}");
    let mib = |name: &str| figures["memory_mib"][name].as_f64().expect("a number");
    assert!(mib("all") >= mib("anonymous").max(mib("files")) && mib("anonymous") > 0.0, "{figures}");
}
