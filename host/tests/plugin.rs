//! `tribunal plugin` as authors type it: exit codes that tell a failed test from one that could not be run, and what programs
//! read. And the suites of the policies that ship with the host.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tribunal::workbench::test::{Options, run};
use tribunal_engine::Limits;

/// Deadlines that an honest policy keeps on a busy machine, too.
const PATIENT: &str = "limits = { granted-deadline-ms = 1000 }\n";

fn plugin(dir: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    // Native code of a test's is nobody else's.
    command.env("XDG_CACHE_HOME", dir.join("cache"));
    command.arg("plugin").args(words).current_dir(dir).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn written(text: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("cap.suite.toml"), format!("plugin = \"builtin:cap\"\n{PATIENT}{text}")).unwrap();
    dir
}

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins")
}

#[test]
fn the_policies_that_ship_with_the_host_pass_their_suites() {
    let limits = Limits { deadline_ms: 30_000, setup_deadline_ms: 30_000, ..Limits::default() };
    let options = Options { limits, ..Options::default() };
    let suites = tribunal::workbench::suite::find(&[policies()]).unwrap();
    assert_eq!(suites.len(), 10, "each policy has one: {suites:?}");
    for path in suites {
        let result = run(&path, &options).unwrap();
        let failed: Vec<_> = result.cases.iter().filter(|case| !case.passed()).collect();
        assert!(failed.is_empty() && result.cases.len() >= 5, "{}: {failed:?}", path.display());
    }
}

#[test]
fn a_failed_test_is_told_from_one_that_could_not_be_run() {
    let dir = written("[[case]]\nname = \"fits\"\nasks = \"a\"\nexpect = \"approve\"\n");
    assert_eq!(plugin(dir.path(), &["test"]).status.code(), Some(0));
    let dir = written("[[case]]\nname = \"fits\"\nasks = \"a\"\nexpect = \"deny\"\n");
    let failed = plugin(dir.path(), &["test"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(out(&failed).contains("FAILED fits") && out(&failed).contains("expected `deny`, it answered approve"));
    assert!(failed.stderr.is_empty());
    for (text, says) in [
        ("[[case]]\nask = \"a\"\n", "unknown field `ask`"),
        ("[[case]]\nasks = [\"a\", \"b\"]\nexpect = \"deny\"\n", "several pending requests"),
        ("settings = 3\n", "settings"),
    ] {
        let dir = written(text);
        let not_run = plugin(dir.path(), &["test"]);
        let said = String::from_utf8(not_run.stderr.clone()).unwrap();
        assert_eq!(not_run.status.code(), Some(2), "{said}");
        assert!(said.contains("cap.suite.toml") && said.contains(says), "{said}");
    }
    let empty = TempDir::new().unwrap();
    assert_eq!(plugin(empty.path(), &["test"]).status.code(), Some(2));
    assert_eq!(plugin(dir.path(), &["test", "--plugin", "missing.wasm"]).status.code(), Some(2));
}

#[test]
fn programs_read_results_in_their_own_forms() {
    let dir = written(
        "[[case]]\nasks = \"a\"\nexpect = \"deny\"\n\n[[case]]\nname = \"other\"\nasks = \"a\"\nexpect = \"approve\"\n",
    );
    let json: serde_json::Value =
        serde_json::from_str(&out(&plugin(dir.path(), &["test", "--format", "json"]))).unwrap();
    assert_eq!((json["passed"].as_u64(), json["failed"].as_u64()), (Some(1), Some(1)));
    assert_eq!(json["suites"][0]["cases"][0]["name"], "case 1");
    let filtered = plugin(dir.path(), &["test", "--format", "tap", "--filter", "oth"]);
    assert_eq!(filtered.status.code(), Some(0));
    assert!(out(&filtered).starts_with("TAP version 14\n1..1\nok 1 - "), "{}", out(&filtered));
    assert!(out(&plugin(dir.path(), &["test", "--format", "junit"])).contains("<failure message="));
}

#[test]
fn what_is_answered_now_can_be_kept_and_is_then_expected() {
    let dir = written("[[case]]\nname = \"as before\"\nheld = [\"a\", \"b\", \"c\"]\nasks = \"d\"\n");
    let nothing = plugin(dir.path(), &["test"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(out(&nothing).contains("run with `--update`"));
    assert_eq!(plugin(dir.path(), &["test", "--update"]).status.code(), Some(0));
    assert_eq!(plugin(dir.path(), &["test"]).status.code(), Some(0));
    let golden = dir.path().join("cap.suite.golden.json");
    let kept = std::fs::read_to_string(&golden).unwrap();
    assert!(kept.contains("within-cap") && kept.contains("\"request\": \"a\""), "{kept}");
    std::fs::write(&golden, kept.replace("within-cap", "another")).unwrap();
    let changed = plugin(dir.path(), &["test"]);
    assert_eq!(changed.status.code(), Some(1));
    assert!(out(&changed).contains("review of `d`: expected"), "{}", out(&changed));
}

#[test]
fn a_plugin_is_inspected_and_its_schema_printed() {
    let dir = TempDir::new().unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&out(&plugin(dir.path(), &["inspect", "builtin:cap", "--json"]))).unwrap();
    assert_eq!((json["would_load"].as_bool(), json["policy"]["name"].as_str()), (Some(true), Some("cap")));
    let schema: serde_json::Value =
        serde_json::from_str(&out(&plugin(dir.path(), &["inspect", "builtin:cap", "--schema"]))).unwrap();
    assert!(schema["properties"]["max-resources"].is_object());
    std::fs::write(dir.path().join("broken.wasm"), &tribunal_plugins::CAP[..1_000]).unwrap();
    let broken = plugin(dir.path(), &["inspect", "broken.wasm"]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(out(&broken).contains("would not load here: is damaged"), "{}", out(&broken));
    assert_eq!(plugin(dir.path(), &["inspect", "missing.wasm"]).status.code(), Some(2));
}

#[test]
fn one_case_is_run_with_its_costs() {
    let dir = written(
        "[[case]]\nname = \"one\"\nasks = \"a\"\n\n[[case]]\nname = \"two\"\nrequests = { state = \"promoted\", resource = \"p\" }\nasks = \"a\"\n",
    );
    let words = ["run", "builtin:cap", "--case", "cap.suite.toml"];
    assert_eq!(plugin(dir.path(), &words).status.code(), Some(2), "there are two cases");
    let done = plugin(dir.path(), &[&words[..], &["--name", "two", "--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&out(&done)).unwrap();
    assert_eq!((done.status.code(), json["answered"].as_bool()), (Some(0), Some(true)));
    let review = &json["evaluations"][0];
    assert_eq!(review["question"], "review of `a`");
    assert_eq!(review["answer"]["opinion"]["is"], "approve");
    assert!(review["instructions"].as_u64() > Some(1_000) && review["memory_bytes"].as_u64() > Some(65_536));
    assert!(review["log"][0]["text"].as_str().unwrap().contains("promoted"));
    let people = out(&plugin(dir.path(), &[&words[..], &["--name", "one", "--no-instructions"]].concat()));
    assert!(people.contains("(`deadline_ms`)") && people.contains("not counted"), "{people}");
}

#[test]
fn what_is_measured_can_be_saved_and_compared() {
    let dir = TempDir::new().unwrap();
    let words =
        ["bench", "builtin:separation", "--settings", "{\"classes\":[\"prod\",\"research\"]}", "--samples", "3"];
    let more = ["--no-instructions", "--save", "before", "--json"];
    let saved = plugin(dir.path(), &[&words[..], &more].concat());
    assert_eq!(saved.status.code(), Some(0), "{saved:?}");
    let path = dir.path().join("before.bench.json");
    let mut before: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(before["rows"].as_array().unwrap().len(), 8);
    // Whatever this machine does, it is slower than nothing at all, and faster than for ever.
    for (p50_us, code) in [(0.0, 1), (1e12, 0)] {
        for row in before["rows"].as_array_mut().unwrap() {
            row["p50_us"] = p50_us.into();
        }
        std::fs::write(&path, before.to_string()).unwrap();
        let compared = plugin(dir.path(), &[&words[..], &["--no-instructions", "--compare", "before"]].concat());
        assert_eq!(compared.status.code(), Some(code), "{compared:?}");
    }
    assert_eq!(plugin(dir.path(), &[&words[..], &["--compare", "missing"]].concat()).status.code(), Some(2));
}

#[test]
fn a_policy_that_keeps_its_promises_is_found_to() {
    let dir = TempDir::new().unwrap();
    let config = "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n[limits]\ndeadline-ms = 60000\n";
    std::fs::write(dir.path().join("slow.toml"), config).unwrap();
    for (policy, settings) in [("cap", "{}"), ("separation", "{\"classes\":[\"prod\",\"research\"]}")] {
        let name = format!("builtin:{policy}");
        let fuzzed =
            plugin(dir.path(), &["fuzz", &name, "--settings", settings, "--seed", "7", "--cases", "200", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&out(&fuzzed)).unwrap();
        assert_eq!((fuzzed.status.code(), json["ok"].as_bool()), (Some(0), Some(true)), "{json}");
        assert!(json["cases"].as_u64() > Some(0));
    }
}
