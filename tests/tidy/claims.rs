//! `CLAIMS.md` says for each promise and each hole of Teleport's sample watcher which test holds us to it. It must never
//! count a promise as kept without a test that exists.

use std::collections::BTreeMap;

use super::tree::{file, none, root};

/// How a promise that is not kept yet is marked; the reason follows.
const NOT_YET: &str = "not yet: ";

/// All ids, in the order of the page.
fn ids() -> Vec<String> {
    let series = |letter: char, numbers: std::ops::RangeInclusive<u32>| {
        numbers.map(move |number| format!("{letter}{number}")).collect::<Vec<_>>()
    };
    // Two of the holes have parts of their own.
    let parts = |id: String| match id.as_str() {
        "H7" => vec!["H7a".to_owned(), "H7b".to_owned(), "H7c".to_owned()],
        "H10" => vec!["H10a".to_owned(), "H10b".to_owned()],
        _ => vec![id],
    };
    // 15 was never given.
    let holes = series('H', 1..=48).into_iter().filter(|id| id != "H15").flat_map(parts);
    series('C', 1..=13).into_iter().chain(series('K', 1..=14)).chain(series('N', 1..=8)).chain(holes).collect()
}

/// The rows of the tables: id, and what holds it.
fn rows() -> Vec<(String, String)> {
    let page = file("tests/CLAIMS.md");
    let cells = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    cells
        .map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.len() == 3 && cells[0] != "id" && !cells[0].starts_with("--"))
        .map(|cells| (cells[0].to_owned(), cells[2].to_owned()))
        .collect()
}

/// The tests that a cell names: `path::test`.
fn tests(cell: &str) -> Vec<(&str, &str)> {
    cell.split('`').skip(1).step_by(2).filter_map(|name| name.split_once("::")).collect()
}

#[test]
fn every_promise_and_every_hole_has_its_row() {
    let rows: Vec<String> = rows().into_iter().map(|(id, _)| id).collect();
    assert_eq!(rows, ids());
}

#[test]
fn every_row_names_a_test_or_says_why_not() {
    let mut found = Vec::new();
    for (id, cell) in rows() {
        let excused = cell.find(NOT_YET).is_some_and(|at| cell.len() > at + NOT_YET.len() + 10);
        if tests(&cell).is_empty() && !excused {
            found.push(format!("{id}: {cell}"));
        }
    }
    none(&found, "a row names tests, or says `not yet: ` and why");
}

#[test]
fn every_named_test_exists() {
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut missing = Vec::new();
    for (id, cell) in rows() {
        for (path, test) in tests(&cell) {
            let text = texts
                .entry(path.to_owned())
                .or_insert_with(|| std::fs::read_to_string(root().join(path)).unwrap_or_default());
            // An attribute that makes it a test stands right above.
            let is_test = text.match_indices(&format!("fn {test}(")).any(|(at, _)| {
                let before = text.get(..at).unwrap_or_default().trim_end().trim_end_matches("async").trim_end();
                let above = before.lines().rev().take(3).collect::<Vec<_>>().join("\n");
                above.contains("test]") || above.contains("test(") || in_proptest(text, at)
            });
            if !is_test {
                missing.push(format!("{id}: `{path}::{test}`"));
            }
        }
    }
    none(&missing, "every named test exists");
}

fn in_proptest(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.contains("proptest! {"))
}
