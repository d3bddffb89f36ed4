//! How the build finds a missing compiler target, with programs that only answer.
//! It must never touch the toolchain of this machine.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "../build/guests.rs"]
#[expect(dead_code, reason = "the nested build itself is used by the build script")]
mod guests;

use std::cell::RefCell;
use std::path::Path;

use guests::{Run, ensure_target};

/// Answers for rustc and rustup, and what was asked for.
struct Answers<'a> {
    libdir: &'a Path,
    /// What `rustup target add` does.
    add: &'a dyn Fn() -> Result<String, String>,
    asked: RefCell<Vec<String>>,
}

impl Run for Answers<'_> {
    fn run(&self, program: &str, arguments: &[&str]) -> Result<String, String> {
        self.asked.borrow_mut().push(format!("{program} {}", arguments.join(" ")));
        match program {
            "rustc" => Ok(format!("{}\n", self.libdir.display())),
            "rustup" => (self.add)(),
            other => Err(format!("{other}: not found\n")),
        }
    }
}

const ASKS_RUSTC: &str = "rustc --print target-libdir --target wasm32-wasip2";

#[test]
fn a_target_that_is_there_is_left_alone() {
    let libdir = tempfile::tempdir().unwrap();
    let answers = Answers { libdir: libdir.path(), add: &|| Err(String::new()), asked: RefCell::default() };
    assert_eq!(ensure_target(&answers, "rustc", Some("1.95.0")), Ok(None));
    assert_eq!(answers.asked.take(), [ASKS_RUSTC]);
}

#[test]
fn a_missing_target_is_added_and_told_in_one_line() {
    let root = tempfile::tempdir().unwrap();
    let libdir = root.path().join("lib");
    let add = || std::fs::create_dir(&libdir).map(|()| String::new()).map_err(|error| error.to_string());
    let answers = Answers { libdir: &libdir, add: &add, asked: RefCell::default() };
    let line = ensure_target(&answers, "rustc", Some("1.95.0")).unwrap().unwrap();
    assert_eq!(
        line,
        "the target wasm32-wasip2 was missing: added it with `rustup target add wasm32-wasip2 --toolchain 1.95.0`"
    );
    assert_eq!(answers.asked.take(), [ASKS_RUSTC, "rustup target add wasm32-wasip2 --toolchain 1.95.0", ASKS_RUSTC]);
}

#[test]
fn where_it_cannot_be_added_the_error_gives_the_command() {
    let root = tempfile::tempdir().unwrap();
    let libdir = root.path().join("lib");
    let fail = || Err("error: could not download\n".to_owned());
    let answers = Answers { libdir: &libdir, add: &fail, asked: RefCell::default() };
    assert_eq!(
        ensure_target(&answers, "rustc", None).unwrap_err(),
        "the compiler cannot build policies: its target wasm32-wasip2 is missing and could not be added: \
         error: could not download; run `rustup target add wasm32-wasip2`, then build again"
    );
}

#[test]
fn a_target_added_to_another_toolchain_is_an_error() {
    let root = tempfile::tempdir().unwrap();
    let libdir = root.path().join("lib");
    let answers = Answers { libdir: &libdir, add: &|| Ok(String::new()), asked: RefCell::default() };
    let error = ensure_target(&answers, "rustc", Some("1.95.0")).unwrap_err();
    assert!(error.contains("another toolchain") && error.contains("--toolchain 1.95.0"), "{error}");
}

#[test]
fn a_compiler_that_does_not_answer_is_named() {
    let answers = Answers { libdir: Path::new(""), add: &|| Ok(String::new()), asked: RefCell::default() };
    assert_eq!(
        ensure_target(&answers, "no-rustc", None).unwrap_err(),
        "cannot ask the compiler `no-rustc` for its targets: no-rustc: not found"
    );
}
