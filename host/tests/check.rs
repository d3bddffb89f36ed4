//! `tribunal check` on plugins that are none: each is told apart, with what to do, and the process ends with an error.

#![expect(clippy::unwrap_used, reason = "tests")]

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
