//! The forms of a report, of results that are made up.

#![expect(clippy::indexing_slicing, reason = "tests")]

use std::path::PathBuf;
use std::time::Duration;

use super::*;

fn results() -> Vec<SuiteResult> {
    let case = |name: &str, failures: &[&str]| CaseResult {
        name: name.to_owned(),
        failures: failures.iter().map(|&failure| failure.to_owned()).collect(),
        updated: false,
        elapsed: Duration::from_micros(1_500),
        memory_bytes: 1_025,
        instructions: Some(7),
    };
    vec![SuiteResult {
        path: PathBuf::from("suite.toml"),
        plugin: "builtin:cap".to_owned(),
        plugin_file: None,
        policy: "cap 0.1.0".to_owned(),
        digest: "sha256:0123456789abcdef".to_owned(),
        cases: vec![case("it fits", &[]), case("#1 <\"&>\u{1b}[31m", &["expected `a`\nand \"b\"", "and & <more>"])],
        left_out: 2,
    }]
}

#[test]
fn people_read_what_failed_and_why() {
    let said = format!("{}{}", text(&results()[0], Styles::default()), summary(&results(), Styles::default()));
    assert_eq!(
        said,
        "suite.toml (builtin:cap, cap 0.1.0, sha256:0123456789ab…)\n  \
         ok     it fits (1.50 ms, 2 KiB, 7 instructions)\n  \
         FAILED #1 <\"&> [31m\n         expected `a` and \"b\"\n         and & <more>\n\n\
         1 passed, 1 failed, 2 left out by the filter\n"
    );
}

#[test]
fn tap_numbers_its_lines_and_keeps_directives_out() {
    let said = tap(&results());
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines,
        [
            "TAP version 14",
            "1..2",
            "ok 1 - suite.toml: it fits",
            "not ok 2 - suite.toml: \\#1 <\"&> [31m",
            "  ---",
            "  failures:",
            "    - \"expected `a`\\nand \\\"b\\\"\"",
            "    - \"and & <more>\"",
            "  ...",
        ]
    );
}

#[test]
fn junit_is_xml_whatever_the_policy_says() {
    let said = junit(&results());
    assert!(said.contains("<testsuites name=\"tribunal plugin test\" tests=\"2\" failures=\"1\">"), "{said}");
    assert!(said.contains("<testcase classname=\"suite.toml\" name=\"it fits\" time=\"0.001500\"/>"), "{said}");
    assert!(said.contains("name=\"#1 &lt;&quot;&amp;&gt; [31m\""), "{said}");
    assert!(said.contains("<failure message=\"expected `a`&#10;and &quot;b&quot;\">"), "{said}");
    let inside =
        said.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").replace("&quot;", "").replace("&#10;", "");
    assert!(!inside.contains('&') && !inside.contains('\u{1b}'), "{said}");
}

#[test]
fn programs_read_the_same() {
    let said = json(&results());
    assert_eq!(
        (said["ok"].as_bool(), said["failed"].as_u64(), said["left_out"].as_u64()),
        (Some(false), Some(1), Some(2))
    );
    assert_eq!(said["suites"][0]["cases"][0]["us"], 1_500);
}
