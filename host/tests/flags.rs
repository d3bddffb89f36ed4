//! The flags of Teleport's sample watcher, from the command line to the configuration.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::process::{Command, Output};
use std::time::Duration;

use serde_json::json;
use tribunal::config::{Config, GoFlags, Plugin};

fn flags() -> GoFlags {
    GoFlags { proxy: Some("auth.example.com:3025".to_owned()), identity: Some("identity".into()), ..GoFlags::default() }
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn panel(flags: &GoFlags) -> Vec<(String, serde_json::Value)> {
    let config = Config::from_flags(flags).unwrap_or_else(|errors| panic!("{errors}"));
    config
        .plugins
        .into_iter()
        .map(|Plugin { name, settings, .. }| (name.to_string(), serde_json::Value::Object(settings)))
        .collect()
}

fn separation(patterns: &[&str]) -> (String, serde_json::Value) {
    ("separation".to_owned(), json!({ "classes": patterns, "when-compliant": "approve" }))
}

fn cap(most: u32) -> (String, serde_json::Value) {
    ("cap".to_owned(), json!({ "max-resources": most, "when-compliant": "approve" }))
}

#[test]
fn the_defaults_are_those_of_the_sample_watcher() {
    let config = Config::from_flags(&flags()).unwrap();
    assert_eq!(config.poll_interval, Duration::from_secs(30));
    assert_eq!(config.teleport.address.to_string(), "auth.example.com:3025");
    assert_eq!(panel(&flags()), [separation(&["prod", "research"]), cap(3)]);
}

#[test]
fn patterns_are_split_trimmed_and_added_up() {
    let given = ["a, b ,,", "", " c"].map(str::to_owned).to_vec();
    let flags = GoFlags { conflict_patterns: given, ..flags() };
    assert_eq!(panel(&flags), [separation(&["a", "b", "c"]), cap(3)]);
}

#[test]
fn a_rule_that_is_switched_off_is_left_out() {
    for off in ["0", "f", "F", "false", "FALSE", "False"] {
        let no_cap = GoFlags { resource_limit: some(off), ..flags() };
        assert_eq!(panel(&no_cap), [separation(&["prod", "research"])]);
        let no_separation = GoFlags { role_conflicts: some(off), ..flags() };
        assert_eq!(panel(&no_separation), [cap(3)]);
    }
    for on in ["1", "t", "T", "true", "TRUE", "True"] {
        let both = GoFlags { resource_limit: some(on), role_conflicts: some(on), ..flags() };
        assert_eq!(panel(&both).len(), 2);
    }
}

#[test]
fn patterns_do_not_matter_where_conflicts_are_switched_off() {
    let flags = GoFlags { role_conflicts: some("false"), conflict_patterns: vec!["prod".to_owned()], ..flags() };
    assert_eq!(panel(&flags), [cap(3)]);
}

#[test]
fn times_are_written_as_in_go() {
    for (text, milliseconds) in
        [("30s", 30_000), ("1m30s", 90_000), ("1h", 3_600_000), ("1.5s", 1_500), ("1000ms", 1_000)]
    {
        let flags = GoFlags { poll_interval: some(text), ..flags() };
        let config = Config::from_flags(&flags).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(config.poll_interval, Duration::from_millis(milliseconds), "{text}");
    }
}

#[test]
fn a_rehearsal_needs_no_rule() {
    let off = GoFlags { resource_limit: some("false"), role_conflicts: some("false"), dry_run: true, ..flags() };
    assert_eq!(panel(&off), []);
}

#[test]
fn each_fault_names_its_flag_and_what_to_do() {
    let cases = [
        (GoFlags { proxy: None, ..flags() }, "`-p` is missing", "write for example `-p auth.example.com:3025`"),
        (GoFlags { proxy: some(""), ..flags() }, "`-p` is missing", "write for example `-p"),
        (GoFlags { proxy: some("auth.example.com:x"), ..flags() }, "`-p`: address", "host:port"),
        (GoFlags { identity: None, ..flags() }, "`-i` is missing", "write for example `-i /opt/machine-id/identity`"),
        (GoFlags { max_resources: some("0"), ..flags() }, "`-m 0`: the limit", "`--resource-limit=false`"),
        (GoFlags { max_resources: some("-1"), ..flags() }, "`-m -1`: the limit", "`--resource-limit=false`"),
        (GoFlags { max_resources: some("x"), ..flags() }, "`-m x`: not a number", "`-m 3`"),
        (GoFlags { max_resources: some("4294967296"), ..flags() }, "`-m 4294967296`: ", "choose a smaller number"),
        (
            GoFlags { max_resources: some("0"), resource_limit: some("false"), ..flags() },
            "`-m 0`: the limit",
            "`--resource-limit=false`",
        ),
        (GoFlags { poll_interval: some("500ms"), ..flags() }, "`--poll-interval`: `500ms` is too short", "`1s`"),
        (GoFlags { poll_interval: some("-30s"), ..flags() }, "`--poll-interval`: `-30s` is too short", "`1s`"),
        (GoFlags { poll_interval: some("30"), ..flags() }, "`--poll-interval`: `30` is no length of time", "`30s`"),
        (
            GoFlags { conflict_patterns: vec!["prod".to_owned()], ..flags() },
            "`--conflict-patterns` `prod`: a conflict needs at least two patterns",
            "`--role-conflicts=false`",
        ),
        (
            GoFlags { conflict_patterns: vec![" , ".to_owned()], ..flags() },
            "`--conflict-patterns`: a conflict needs at least two patterns",
            "`--role-conflicts=false`",
        ),
        (
            GoFlags { conflict_patterns: vec!["prod,Prod,PROD".to_owned()], ..flags() },
            "`--conflict-patterns` names `Prod` twice",
            "remove one",
        ),
        (
            GoFlags { resource_limit: some("false"), role_conflicts: some("0"), ..flags() },
            "no plugin may approve: `--resource-limit` and `--role-conflicts` are both switched off",
            "`--dry-run`",
        ),
        (GoFlags { resource_limit: some("no"), ..flags() }, "`--resource-limit`: `no` is neither", "`true` or `false`"),
        (GoFlags { role_conflicts: some(""), ..flags() }, "`--role-conflicts`: `` is neither", "`true` or `false`"),
    ];
    for (flags, what, remedy) in cases {
        let errors = Config::from_flags(&flags).unwrap_err();
        assert_eq!(errors.problems().len(), 1, "{errors}");
        let said = errors.to_string();
        assert!(said.starts_with(&format!("error: {what}")), "{said}");
        assert!(said.contains(remedy), "{said}");
    }
}

#[test]
fn all_faults_are_said_at_once() {
    let flags = GoFlags {
        max_resources: some("0"),
        poll_interval: some("0s"),
        conflict_patterns: vec!["prod".to_owned()],
        resource_limit: some("maybe"),
        ..GoFlags::default()
    };
    let said: Vec<String> =
        Config::from_flags(&flags).unwrap_err().problems().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 6, "{said:?}");
}

fn tribunal(arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_tribunal")).args(arguments).env_remove("RUST_LOG").output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn missing_flags_give_the_usage_on_standard_error_and_exit_with_1() {
    let (code, stdout, stderr) = tribunal(&["run"]);
    assert_eq!((code, stdout.as_str()), (Some(1), ""));
    assert!(stderr.contains("error: `-p` is missing"), "{stderr}");
    assert!(stderr.contains("error: `-i` is missing"), "{stderr}");
    assert!(stderr.contains("Usage: tribunal run"), "{stderr}");
}

#[test]
fn go_flags_reach_the_configuration_with_one_dash_and_with_two() {
    let single = tribunal(&[
        "run",
        "-p=x:1",
        "-i",
        "identity",
        "-m",
        "-1",
        "-poll-interval=500ms",
        "-conflict-patterns",
        "prod",
        "-resource-limit=false",
        "-d",
    ]);
    let double = tribunal(&[
        "run",
        "--p",
        "x:1",
        "--i=identity",
        "--m=-1",
        "--poll-interval",
        "500ms",
        "--conflict-patterns=prod",
        "--resource-limit=false",
        "--d=true",
    ]);
    assert_eq!(single, double);
    let (code, _, stderr) = single;
    assert_eq!(code, Some(1));
    for what in ["`-m -1`: the limit", "`500ms` is too short", "a conflict needs at least two patterns"] {
        assert!(stderr.contains(what), "{stderr}");
    }
    assert!(!stderr.contains("Usage"), "{stderr}");
}

#[test]
fn patterns_that_only_the_policy_can_judge_are_refused_before_anything_is_connected() {
    for (patterns, what) in [("prod,(", "not a regular expression"), ("prod,production", "production")] {
        let folder = tempfile::tempdir().unwrap();
        let ledger = folder.path().join("ledger");
        let arguments =
            ["run", "-p", "127.0.0.1:1", "-i", "/nonexistent/identity", "--ledger-dir", ledger.to_str().unwrap()];
        let (code, _, stderr) = tribunal(&[&arguments[..], &["-conflict-patterns", patterns]].concat());
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("error: `--conflict-patterns`: plugin `separation`"), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
        assert!(stderr.contains("error: identity file `/nonexistent/identity`"), "in the same breath: {stderr}");
        assert!(!ledger.exists(), "nothing is made before everything is right");
    }
}

#[test]
fn go_flags_beside_a_configuration_are_a_wrong_usage() {
    for flag in ["-m=3", "-poll-interval=30s", "-conflict-patterns=a,b", "-resource-limit", "-role-conflicts=false"] {
        let (code, _, stderr) = tribunal(&["run", "--config", "tribunal.toml", flag]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("cannot be used with"), "{stderr}");
    }
}

#[test]
fn all_faults_of_a_file_reach_standard_error_with_their_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tribunal.toml");
    std::fs::write(&path, include_str!("config/everything-at-once.toml")).unwrap();
    for command in ["run", "check"] {
        let (code, stdout, stderr) = tribunal(&[command, "--config", path.to_str().unwrap()]);
        assert_eq!((code, stdout.as_str()), (Some(1), ""));
        assert_eq!(stderr.matches("error: ").count(), 5, "{stderr}");
        assert!(stderr.contains(&format!("{}:2:1", path.display())), "{stderr}");
        assert!(!stderr.contains('\u{1b}'), "no colour where there is no terminal: {stderr}");
    }
}

#[test]
fn check_tells_what_each_plugin_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tribunal.toml");
    std::fs::write(&path, include_str!("config/smallest.toml")).unwrap();
    let (code, stdout, stderr) = tribunal(&["check", "--config", path.to_str().unwrap(), "--json"]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["ok"], true);
    let plugin = &found["plugins"][0];
    assert_eq!(plugin["name"], "cap");
    assert!(plugin["digest"].as_str().unwrap().starts_with("sha256:"), "{stdout}");
    assert!(plugin["effects"].as_array().unwrap().contains(&json!("approve")), "{stdout}");
    assert!(!plugin["rules"].as_array().unwrap().is_empty(), "{stdout}");

    let (code, stdout, _) = tribunal(&["check", "--config", path.to_str().unwrap()]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("digest   sha256:"), "{stdout}");
}

#[test]
fn check_tells_all_that_is_wrong_with_plugins() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("not.wasm"), "hello").unwrap();
    let path = folder.path().join("tribunal.toml");
    let text = format!(
        "{}settings = {{ max-resources = 0 }}\n\n\
         [[plugin]]\nname = \"not-wasm\"\nsource = \"not.wasm\"\neffects = [\"deny\"]\n\n\
         [[plugin]]\nname = \"missing\"\nsource = \"missing.wasm\"\neffects = [\"deny\"]\n\n\
         [[plugin]]\nname = \"separation\"\nsource = \"builtin:separation\"\nsettings = {{ classes = [\"prod\", \"prod\"] }}\n",
        include_str!("config/smallest.toml"),
    );
    std::fs::write(&path, text).unwrap();
    let (code, stdout, stderr) = tribunal(&["check", "--json", "--config", path.to_str().unwrap()]);
    assert_eq!(code, Some(1), "{stderr}");
    let found: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(found["ok"], false);
    for what in ["max-resources", "is not WebAssembly", "missing.wasm", "prod"] {
        assert!(stderr.contains(what), "{what}: {stderr}");
    }
    assert_eq!(found["errors"].as_array().unwrap().len(), 4, "{stderr}");
}

#[test]
fn version_help_and_completions_are_there() {
    let (code, stdout, _) = tribunal(&["--version"]);
    assert_eq!((code, stdout), (Some(0), format!("tribunal {}\n", env!("CARGO_PKG_VERSION"))));
    let (code, stdout, _) = tribunal(&["run", "--help"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("Exit codes:"), "{stdout}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, stdout, _) = tribunal(&["completions", shell]);
        assert_eq!(code, Some(0));
        assert!(stdout.contains("conflict-patterns"), "{shell}");
    }
}

#[test]
fn a_wrong_usage_exits_with_2() {
    for arguments in [&["walk"][..], &["run", "--porxy", "x"], &["dev", "--listen", "nowhere"], &[]] {
        let (code, stdout, _) = tribunal(arguments);
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{arguments:?}");
    }
}
