//! What loads a panel and connects to nobody. `tribunal check` on plugins that are none: each is told apart, with what to do,
//! and the process ends with an error. `tribunal role` on panels as they are: it prints what is written in `role/`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What `check` says on standard error of a configuration whose only plugin has these bytes; it must fail.
fn refused(bytes: Option<&[u8]>) -> String {
    let dir = TempDir::new().unwrap();
    if let Some(bytes) = bytes {
        std::fs::write(dir.path().join("policy.wasm"), bytes).unwrap();
    }
    let config = dir.path().join("tribunal.toml");
    let text = "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\n\
                [[plugin]]\nname = \"p\"\nsource = \"policy.wasm\"\neffects = [\"approve\"]\n";
    std::fs::write(&config, text).unwrap();
    let check =
        Command::new(env!("CARGO_BIN_EXE_tribunal")).arg("check").arg("--config").arg(&config).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    assert!(check.stdout.is_empty(), "{check:?}");
    String::from_utf8(check.stderr).unwrap()
}

#[test]
fn what_is_no_policy_is_refused_with_what_to_do() {
    const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
    const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
    let cut = tribunal_plugins::CAP.get(..1_000);
    let cases: [(Option<&[u8]>, &str); 5] = [
        (Some(b"hello"), "is not WebAssembly: give the `.wasm` file of a component"),
        (Some(CORE_MODULE), "is a core module, not a component: build for `wasm32-wasip2`"),
        (Some(EMPTY_COMPONENT), "is a component of another world: it does not export `describe`"),
        (cut, "is damaged: "),
        (None, "cannot be read: "),
    ];
    for (bytes, says) in cases {
        let error = refused(bytes);
        assert!(error.contains("tribunal.toml:5: plugin `p`: ") && error.contains(says), "{says}\n{error}");
    }
}

/// What `tribunal role` prints with these words, and its exit code, where `tribunal.toml` is that of a case.
fn role(case: &str, words: &[&str]) -> (Option<i32>, String) {
    let dir = TempDir::new().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/role");
    std::fs::copy(cases.join(format!("{case}.toml")), dir.path().join("tribunal.toml")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    // Native code of a test's is nobody else's.
    command.env("XDG_CACHE_HOME", dir.path());
    let printed = command.arg("role").args(words).current_dir(dir.path()).output().unwrap();
    (printed.status.code(), String::from_utf8(printed.stdout).unwrap())
}

#[test]
fn the_role_of_a_panel_as_it_is_loaded_is_the_one_that_is_written_down() {
    for case in ["state", "review"] {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/role");
        let written = std::fs::read_to_string(cases.join(format!("{case}.yaml"))).unwrap();
        assert_eq!(role(case, &[]), (Some(0), written), "{case}");
    }
}

#[test]
fn a_role_is_printed_in_parts_for_another_way_and_for_programs() {
    let (code, json) = role("small", &["--resolve-with", "review", "--name", "watcher", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(json["review"]["roles"], serde_json::json!(["*"]));
    let verbs = |rule: &serde_json::Value| format!("{}: {}", rule["resource"], rule["verbs"]);
    let rules: Vec<String> = json["rules"].as_array().unwrap().iter().map(verbs).collect();
    assert_eq!(rules, [r#""access_request": ["list","read"]"#, r#""lock": ["list","read"]"#]);
    let cluster = json["cluster"].as_str().unwrap();
    assert!(cluster.contains("name: watcher\n") && !cluster.contains("proxy_server"), "{cluster}");
    let (code, tbot) = role("small", &["--only", "tbot"]);
    assert_eq!((code, tbot.starts_with("# For `tbot start")), (Some(0), true), "{tbot}");
    let (code, _) = role("small", &["--config", "missing.toml"]);
    assert_eq!(code, Some(1));
    let (code, _) = role("small", &["--name", "a b"]);
    assert_eq!(code, Some(2));
}

/// What `check` says of a configuration of `cap` with these settings: its exit code and its errors.
fn with_settings(settings: &str) -> (Option<i32>, String) {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("tribunal.toml");
    let text = format!(
        "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\n\
         [[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n\n[plugin.settings]\n{settings}\n"
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    command.env("XDG_CACHE_HOME", dir.path());
    let check = command.arg("check").arg("--config").arg(&config).output().unwrap();
    (check.status.code(), String::from_utf8(check.stderr).unwrap())
}

#[test]
fn a_fault_of_a_plugins_settings_is_told_with_its_line_and_only_once() {
    assert_eq!(with_settings("max-resources = 3").0, Some(0));
    for (settings, line, says) in [
        (
            "unit = \"roles\"\nmax-resources = 0",
            "tribunal.toml:11: plugin `cap`: ",
            "`max-resources` is 0: it must be at least 1",
        ),
        ("max-resource = 3", "tribunal.toml:10: plugin `cap`: ", "unknown key"),
        ("\n\nunit = \"node\"", "tribunal.toml:12: plugin `cap`: ", "unknown variant `node`"),
    ] {
        let (code, said) = with_settings(settings);
        assert_eq!(code, Some(1), "{settings}");
        assert!(said.contains(line) && said.contains(says), "{settings}\n{said}");
        assert_eq!(said.matches("error:").count(), 1, "{said}");
    }
}
