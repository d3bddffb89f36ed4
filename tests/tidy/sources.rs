//! Rules about Rust files. It must never need an exception that does not say why.

use super::tree::{Source, files, none};

fn rust() -> Vec<Source> {
    let files = files(".rs");
    assert!(files.len() > 100, "the sources were not found");
    files
}

/// The lines of a file that only tests run, with their numbers.
fn test_lines(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let whole =
        source.path.starts_with("tests/") || source.path.contains("/tests/") || source.path.ends_with("/tests.rs");
    let mut inside = whole;
    source.text.lines().enumerate().filter_map(move |(number, line)| {
        inside |= line.trim() == "mod tests {";
        inside.then_some((number + 1, line))
    })
}

#[test]
fn every_rust_file_says_what_it_is_for() {
    let silent: Vec<_> =
        rust().into_iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path).collect();
    none(&silent, "each file opens with `//!`");
}

#[test]
fn no_module_hides_behind_the_old_name() {
    let old: Vec<_> = rust().into_iter().map(|file| file.path).filter(|path| path.ends_with("/mod.rs")).collect();
    none(&old, "`engine.rs` stands beside `engine/`");
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("XX", "X:"),
    ];
    let mut found = Vec::new();
    for file in rust() {
        for (number, line) in file.text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| line.contains(**mark)) {
                found.push(format!("{}:{}: {mark}", file.path, number + 1));
            }
        }
    }
    none(&found, "what is there works, or is not there");
}

#[test]
fn no_test_sleeps() {
    let naps = [concat!("thread::", "sleep"), concat!("time::", "sleep("), concat!("time::", "sleep;")];
    let mut found = Vec::new();
    for file in rust() {
        // Under a paused clock a sleep takes no time, nor in the sandbox, where a hostile guest tries it.
        if file.text.contains("start_paused") || file.path == "tests/hostile/rust/src/attacks.rs" {
            continue;
        }
        for (number, line) in test_lines(&file) {
            for nap in naps.iter().filter(|nap| line.contains(**nap)) {
                found.push(format!("{}:{number}: {nap}", file.path));
            }
        }
    }
    none(&found, "a test waits for the event itself, with a deadline");
}
