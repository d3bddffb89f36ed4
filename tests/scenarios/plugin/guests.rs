//! Guests that make one mistake each, and the suites that they are run by.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tribunal::workbench::test::{CaseResult, Options, run};
use tribunal::workbench::{Component, Inspection};
use tribunal_engine::Limits;
use tribunal_engine::testing::Guest;

/// Limits that an honest guest keeps on a busy machine, too.
pub(super) fn patient() -> Limits {
    Limits { deadline_ms: 30_000, setup_deadline_ms: 30_000, ..Limits::default() }
}

/// A directory with this plugin as `policy.wasm`.
pub(super) fn shop(bytes: &[u8]) -> TempDir {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("policy.wasm"), bytes).unwrap();
    dir
}

/// A suite beside the plugin.
pub(super) fn suite(dir: &TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("suite.toml");
    std::fs::write(&path, format!("plugin = \"policy.wasm\"\n{text}")).unwrap();
    path
}

/// What is found out about a plugin.
pub(super) fn inspected(bytes: &[u8]) -> Inspection {
    let dir = shop(bytes);
    let component = Component::read("policy.wasm", dir.path(), &patient()).unwrap();
    Inspection::of(component, &patient())
}

/// What comes of one case of a suite.
pub(super) fn tested(guest: &Guest, case: &str, limits: &Limits) -> CaseResult {
    let dir = shop(&guest.build());
    let path = suite(&dir, &format!("[[case]]\n{case}"));
    one(&path, limits)
}

/// What comes of a suite's only case.
pub(super) fn one(path: &Path, limits: &Limits) -> CaseResult {
    let options = Options { limits: limits.clone(), ..Options::default() };
    let mut result = run(path, &options).unwrap_or_else(|trouble| panic!("{trouble}"));
    assert_eq!(result.cases.len(), 1);
    result.cases.remove(0)
}

/// Writes to standard error what a panic of the standard library says, and traps, as it does.
pub(super) fn panicking() -> Guest {
    const MESSAGE: &str = "thread '<unnamed>' panicked at src/lib.rs:42:9:\nno such class: prod\n";
    let mut guest =
        Guest::new().import(r#"(import "wasi:cli/stderr@0.2.12" "get-stderr" (func $stderr (result i32)))"#).import(
            r#"(import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
                (func $write (param i32 i32 i32 i32)))"#,
        );
    let (at, to) = (guest.text(MESSAGE), guest.put(&[0; 16]));
    let write = format!("(call $write (call $stderr) (i32.const {at}) (i32.const {}) (i32.const {to}))", MESSAGE.len());
    guest.review(&format!("{write} (unreachable)"))
}
