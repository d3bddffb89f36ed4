//! The short form of `conformance`, which needs no tools: the built-in policy agrees with itself, a policy that differs is
//! caught, and whatever builds are there are compared.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

mod builds;
#[expect(dead_code, reason = "one case is only measured")]
mod cases;
#[path = "../soak/chance.rs"]
#[expect(dead_code, reason = "what else is left to chance, the soak needs")]
mod chance;
#[expect(dead_code, reason = "a test shows all differences")]
mod compare;

use std::path::Path;

use self::builds::Build;
use self::compare::{Asked, differences};

/// What is quickly compiled also by a debug build, in bytes.
const QUICK_BYTES_MAX: usize = 256 * 1024;

#[test]
fn cases_come_again_by_their_seed_and_ask_for_every_answer() {
    let (one, same, other) = (cases::questions(1, 200), cases::questions(1, 200), cases::questions(2, 200));
    assert_eq!(format!("{one:?}"), format!("{same:?}"));
    assert_ne!(format!("{one:?}"), format!("{other:?}"));
    let reference = Asked::reference().unwrap();
    let answers: String = one.iter().map(|question| reference.answers(question)).collect();
    for answer in
        ["Abstain", "Approve", "request-over-cap", "newer-fill-cap", "held-over-cap", "refuses", "not counted"]
    {
        assert!(answers.contains(answer), "no case is answered by {answer}");
    }
    assert!(!answers.contains("Fault"), "{answers}");
}

#[test]
fn a_build_that_differs_is_caught() {
    let reference = Asked::reference().unwrap();
    let separation = Build { language: "other".to_owned(), bytes: tribunal_plugins::SEPARATION.to_vec() };
    let other = Asked::of(separation).unwrap();
    assert!(!differences(&reference, &other, &cases::questions(1, 20)).is_empty());
    assert!(differences(&reference, &reference, &cases::questions(1, 20)).is_empty());
}

/// Where the tools of other languages built something, as the gate does, it is compared here, too.
#[test]
fn what_other_languages_built_agrees() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/languages");
    let (builds, missing) = builds::find(&dir).unwrap();
    println!("not built, not compared: {missing:?}");
    let (reference, questions) = (Asked::reference().unwrap(), cases::questions(3, 40));
    // Interpreters take long to compile without optimization; the program compares them.
    for build in builds.into_iter().filter(|build| build.bytes.len() < QUICK_BYTES_MAX) {
        let language = build.language.clone();
        let differences = differences(&reference, &Asked::of(build).unwrap(), &questions);
        assert!(differences.is_empty(), "{language}: {differences:?}");
    }
}
