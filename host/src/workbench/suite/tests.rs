//! Suites as they are written, and what they come to.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::super::case::Opined;
use super::*;

fn read(name: &str, text: &str) -> Result<Suite, String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    Suite::read(&path).map_err(|trouble| trouble.to_string())
}

fn names(suite: &Suite) -> Vec<&str> {
    suite.cases.iter().map(|(name, _)| name.as_str()).collect()
}

const MATRIX: &str = r#"
plugin = "p.wasm"
settings = { a = 1, b = 1 }

[[case]]
name = "m"
held = "h"
matrix.settings = { one = { b = 2 }, two = {} }
matrix.asks = { big = { roles = ["x", "y"] }, small = "s" }
expects = { "big/*" = "deny", "*/*" = "abstain", "big/two" = { opinion = "approve" } }
"#;

#[test]
fn a_matrix_is_a_case_for_each_combination_and_the_closest_expectation_holds() {
    let suite = read("suite.toml", MATRIX).unwrap();
    assert_eq!(names(&suite), ["m [big/one]", "m [big/two]", "m [small/one]", "m [small/two]"]);
    let opinions: Vec<Opined> =
        suite.cases.iter().map(|(_, form)| form.expect.as_ref().unwrap().0.opinion.0[0]).collect();
    assert_eq!(opinions, [Opined::Deny, Opined::Approve, Opined::Abstain, Opined::Abstain]);
    let first = &suite.cases[0].1;
    let case = first.build(&suite.shared).unwrap();
    assert_eq!(case.requests.iter().map(|entry| entry.request.id.as_str()).collect::<Vec<_>>(), ["h", "ask-1"]);
    assert_eq!(suite.settings_of(first), r#"{"a":1,"b":2}"#);
}

#[test]
fn what_a_matrix_leaves_open_or_says_in_vain_is_told() {
    let changed = |from: &str, to: &str| read("suite.toml", &MATRIX.replace(from, to)).unwrap_err();
    for (from, to, says) in [
        ("\"*/*\" = \"abstain\", ", "", "nothing is expected of `small/one`"),
        ("\"big/two\"", "\"huge/two\"", "`expects.\"huge/two\"` is no combination"),
        ("matrix.asks", "matrix.answers", "a matrix cannot vary `answers`"),
        ("small = \"s\"", "small = 3", "`matrix.asks.small`"),
        ("held = \"h\"", "expect = \"deny\"", "both `expect` and `expects`"),
        ("matrix.settings = { one = { b = 2 }, two = {} }", "matrix.settings = {}", "0 combinations"),
    ] {
        let why = changed(from, to);
        assert!(why.contains("case `m`") && why.contains(says), "{why}");
    }
}

#[test]
fn one_case_is_a_suite_of_one_in_any_syntax() {
    for (name, text) in [("a.toml", "asks = \"x\""), ("a.yaml", "asks: x"), ("a.json", "{\"asks\": \"x\"}")] {
        let suite = read(name, text).unwrap();
        assert_eq!((names(&suite), suite.plugin.as_deref()), (vec!["case 1"], None));
    }
    let yaml = "plugin: builtin:cap\neffects: [deny]\nlimits: {memory-mib: 2}\ncases:\n  - name: a\n    asks: x\n    expect: deny\n";
    let suite = read("suite.yaml", yaml).unwrap();
    assert_eq!(suite.effects, Some([Effect::Deny].into()));
    assert_eq!(suite.limits.memory_bytes_max, Some(2 * 1024 * 1024));
}

#[test]
fn mistakes_of_a_suite_name_its_file() {
    for (name, text, says) in [
        ("suite.toml", "plugin = \"p\"\neffects = [\"aprove\"]", "`aprove` is no effect"),
        ("suite.toml", "plugin = \"p\"\n[[case]]\nname = \"a\"\n[[case]]\nname = \"a\"", "two cases are called `a`"),
        ("suite.toml", "plugin = \"p\"\n[[case]]\nexpect = \"maybe\"", "`maybe` is not one of `abstain`"),
        ("suite.toml", "plugin = \"p\"\n[[case]]\nexpects = { a = \"deny\" }", "`expects` goes with a `matrix`"),
        ("suite.toml", "plugin = \"p\"\n[[case]]\nexpect = { fault = \"crash\" }", "`crash` is no fault"),
        ("suite.txt", "", "its name ends with none of"),
    ] {
        let why = read(name, text).unwrap_err();
        assert!(why.contains(name) && why.contains(says), "{why}");
    }
}

#[test]
fn suites_are_found_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    for path in ["suite.toml", "a/cap.suite.yaml", "a/case.toml", "target/suite.toml", ".git/suite.toml", "a/suite.txt"]
    {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let found = find(&[dir.path().to_owned()]).unwrap();
    let found: Vec<_> = found.iter().map(|path| path.strip_prefix(dir.path()).unwrap().display().to_string()).collect();
    assert_eq!(found, ["a/cap.suite.yaml", "suite.toml"]);
    assert!(find(&[dir.path().join(".git/objects")]).is_ok_and(|named| named.len() == 1), "what is named is taken");
    assert!(find(&[tempfile::tempdir().unwrap().path().to_owned()]).is_err());
}
