//! The corpus, and a few new cases for each target: small enough for every run of the tests. It must never depend on how
//! fast the machine is.

#![expect(clippy::expect_used, reason = "tests")]

use std::process::Command;

#[test]
fn neither_the_corpus_nor_what_is_close_to_it_makes_anything_panic_or_hang_or_fill_memory() {
    let directory = tempfile::tempdir().expect("a directory");
    let fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz"))
        .args(["--cases", "1000", "--seed", "1", "--failures"])
        .arg(directory.path())
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&fuzz.stderr);
    assert!(fuzz.status.success(), "{}\n{said}", fuzz.status);
    assert_eq!(said.matches(" 1000 cases").count(), 7, "{said}");
    assert!(said.ends_with("fuzz: clean\n"), "{said}");
}

#[test]
fn a_case_that_fails_is_kept_and_fails_again() {
    // The one mistake that there is on purpose: without it, nobody would know whether a failure is noticed at all.
    let directory = tempfile::tempdir().expect("a directory");
    for (what, said) in [("panic", "it panicked"), ("memory", "bytes of memory"), ("answer", "does not hold")] {
        let case = directory.path().join(what);
        std::fs::write(&case, what).expect("a file");
        let fuzz = Command::new(env!("CARGO_BIN_EXE_fuzz"))
            .args(["--target", "mistakes", "--failures"])
            .arg(directory.path())
            .arg("--replay")
            .arg(&case)
            .output()
            .expect("it starts");
        let told = String::from_utf8_lossy(&fuzz.stderr);
        assert!(!fuzz.status.success() && told.contains(said), "{what}: {told}");
    }
}
