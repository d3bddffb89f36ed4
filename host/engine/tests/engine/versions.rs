//! The versions of the contract: what was published stays as it is and loads, and what comes next has the number that it
//! deserves. It must never judge whether a change is a good one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tribunal_core::opinion::{Ground, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, assemble, case, component_of, contract_version, pending};
use tribunal_engine::{Digest, LoadProblem, Panel, PluginSpec};
use tribunal_ports::Engine;
use wit_parser::Resolve;

use crate::{patient, problem};

/// Every published version with the digest of its text, oldest first. To publish one, copy the contract into a folder of its
/// own and add a line here; a line that is here never changes.
const PUBLISHED: [(&str, &str); 1] = [("0.1.0", "6a04a9b82e86e82f8bc2a329c99396c893bb305b3813ce14615e774f2b6a1d3c")];

/// What a new text of the contract means for components that were built against an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Only words have changed.
    Same,
    /// All that was there still is.
    Additive,
    /// What was built against the older one need not fit any more.
    Breaking,
}

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn current() -> String {
    fs::read_to_string(wit().join("policy.wit")).unwrap()
}

fn published(version: &str) -> String {
    fs::read_to_string(wit().join(version).join("policy.wit")).unwrap()
}

/// The newest published version and its text.
fn newest() -> (&'static str, String) {
    let (version, _) = PUBLISHED.last().unwrap();
    (version, published(version))
}

/// Numbers of a version: major, minor, patch.
fn numbers(version: &str) -> [u32; 3] {
    let numbers: Vec<u32> = version.split('.').map(|number| number.parse().unwrap()).collect();
    numbers.try_into().unwrap()
}

/// Versions on one line differ by additions alone: while the major number is 0, it and the minor number; later the major
/// number.
fn is_on_the_line_of(version: &str, other: &str) -> bool {
    let (version, other) = (numbers(version), numbers(other));
    version[0] == other[0] && (version[0] > 0 || version[1] == other[1])
}

fn change(old: &str, new: &str) -> Change {
    let fits = |old: &str, new: &str| {
        let mut resolve = Resolve::default();
        // The versions are left out of the comparison, but two packages cannot have one name.
        let mut world = |version: &str, text: &str| {
            let name = format!("package tribunal:policy@{};", contract_version(text));
            let text = text.replacen(&name, &format!("package tribunal:policy@{version};"), 1);
            let package = resolve.push_str("policy.wit", &text).unwrap();
            resolve.select_world(&[package], Some("policy")).unwrap()
        };
        let (old, new) = (world("0.0.1", old), world("0.0.2", new));
        wit_component::semver_check(resolve, old, new).is_ok()
    };
    match (fits(old, new), fits(new, old)) {
        (true, true) => Change::Same,
        (true, false) => Change::Additive,
        (false, _) => Change::Breaking,
    }
}

/// Whether a text may follow another as this version.
fn may_follow(old: (&str, &str), new: (&str, &str)) -> bool {
    let is_later = numbers(new.0) > numbers(old.0);
    is_later && (!is_on_the_line_of(new.0, old.0) || change(old.1, new.1) != Change::Breaking)
}

/// The next version on the line, with a function more in `log`.
fn successor() -> String {
    let (version, text) = newest();
    let [major, minor, patch] = numbers(version);
    let next = format!("package tribunal:policy@{major}.{minor}.{};", patch + 1);
    let text = text.replacen(&format!("package tribunal:policy@{version};"), &next, 1);
    edited(
        &text,
        "    write: func(level: level, message: string);",
        "    write: func(level: level, message: string);\n    flush: func();",
    )
}

fn edited(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replacen(from, to, 1)
}

/// A guest of this version, which logs and approves.
fn guest_of(contract: &str, more: &str) -> Vec<u8> {
    let version = contract_version(contract);
    let import = format!(r#"(import "tribunal:policy/log@{version}" "write" (func $log (param i32 i32 i32)))"#);
    let mut guest = Guest::new().import(&import).import(more);
    let answer = guest.opinion(OPINION_APPROVE, &[("rule-a", "as ever")]);
    let text = guest.text("hello");
    let guest =
        guest.review(&format!("(call $log (i32.const 1) (i32.const {text}) (i32.const 5)) (i32.const {answer})"));
    component_of(contract, &guest.module())
}

#[test]
fn what_was_published_stays_as_it_was() {
    for (version, digest) in PUBLISHED {
        let text = published(version);
        assert_eq!(contract_version(&text), version);
        assert_eq!(
            Digest::of(text.as_bytes()).to_string(),
            format!("sha256:{digest}"),
            "wit/{version} was changed: publish a new version instead"
        );
    }
    let folders = fs::read_dir(wit()).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir());
    let folders: BTreeSet<String> = folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    assert_eq!(folders, PUBLISHED.map(|(version, _)| version.to_owned()).into(), "each folder has its digest above");
    for pair in PUBLISHED.windows(2) {
        let [(old, _), (new, _)] = pair else { unreachable!() };
        assert!(may_follow((old, &published(old)), (new, &published(new))), "{old} → {new}");
    }
}

#[test]
fn the_contract_is_the_newest_published_version_or_may_follow_it() {
    let (current, (version, text)) = (current(), newest());
    let own = contract_version(&current);
    if own == version {
        assert_eq!(current, text, "`wit/policy.wit` differs from `wit/{version}/policy.wit`: give it a new version");
    } else {
        let change = change(&text, &current);
        assert!(
            may_follow((version, &text), (own, &current)),
            "{change:?} from {version}: {own} is not the number for that"
        );
    }
}

#[test]
fn a_change_is_told_by_what_it_does_to_older_components() {
    let (_, text) = newest();
    for (from, to, expected) in [
        ("/// Data that the operator configured", "/// Facts that the operator configured", Change::Same),
        ("interface log {", "interface more { ask: func() -> string; }\ninterface log {", Change::Same),
        ("    import log;", "    import log;\n    import extra: func();", Change::Additive),
        ("    write: func(", "    flush: func();\n    write: func(", Change::Additive),
        ("        fresh: bool,", "        fresh: bool,\n        source: string,", Change::Breaking),
        ("enum effect { approve,", "enum effect { approve, notify,", Change::Breaking),
        ("enum level { debug, info,", "enum level { info, debug,", Change::Breaking),
        ("message: string);", "message: list<string>);", Change::Breaking),
        ("    export describe:", "    export explain: func() -> string;\n    export describe:", Change::Breaking),
        ("type timestamp = u64;", "type timestamp = s64;", Change::Breaking),
    ] {
        assert_eq!(change(&text, &edited(&text, from, to)), expected, "{to}");
    }
}

#[test]
fn a_breaking_change_needs_a_new_line_and_any_change_a_new_number() {
    let (_, text) = newest();
    let additive = edited(&text, "    write: func(", "    flush: func();\n    write: func(");
    let breaking = edited(&text, "        fresh: bool,", "        fresh: bool,\n        source: string,");
    let may = |new: &str, text_of_new: &str| may_follow(("0.1.3", &text), (new, text_of_new));
    assert!(may("0.1.4", &text) && may("0.1.4", &additive) && may("0.2.0", &additive));
    assert!(!may("0.1.3", &additive) && !may("0.1.2", &additive));
    assert!(may("0.2.0", &breaking) && may("1.0.0", &breaking) && !may("0.1.4", &breaking));
    let from_1 = |new: &str| may_follow(("1.2.3", &text), (new, &breaking));
    assert!(from_1("2.0.0") && !from_1("1.3.0"));
}

/// What is built against any version of the line answers like any other, beside the policies of today.
#[tokio::test]
async fn components_of_older_and_newer_versions_of_the_line_load_side_by_side() {
    let line = PUBLISHED.iter().filter(|(version, _)| is_on_the_line_of(version, newest().0));
    let mut contracts: Vec<String> = line.map(|(version, _)| published(version)).collect();
    contracts.push(successor());
    let mut specs: Vec<PluginSpec> = contracts
        .iter()
        .enumerate()
        .map(|(number, contract)| PluginSpec::new(format!("guest-{number}").as_str(), guest_of(contract, "")))
        .collect();
    specs.push(PluginSpec::new("cap", tribunal_plugins::CAP.to_vec()));
    let panel = Panel::load(specs, patient()).unwrap();
    assert!(contracts.len() >= 2);
    for (policy, contract) in contracts.iter().enumerate() {
        let opinion = panel.review(policy, RequestId::new("r1"), case(vec![pending("r1", 1)])).await;
        let ground = Ground { rule: "rule-a".into(), reason: "as ever".into() };
        assert_eq!(opinion, Ok(Opinion::Approve(ground)), "{}", contract_version(contract));
    }
    let opinion = panel.review(contracts.len(), RequestId::new("r1"), case(vec![pending("r1", 1)])).await;
    assert!(matches!(opinion, Ok(Opinion::Approve(_))), "{opinion:?}");
}

#[test]
fn a_component_that_needs_what_a_newer_version_added_does_not_load() {
    let contract = successor();
    let version = contract_version(&contract);
    let more = format!(r#"(import "tribunal:policy/log@{version}" "flush" (func))"#);
    let (found, message) = problem(PluginSpec::new("p", guest_of(&contract, &more)));
    assert!(matches!(found, LoadProblem::Link(_)), "{found:?}");
    assert!(message.contains("does not fit the contract") && message.contains("flush"), "{message}");
}

#[test]
fn components_of_another_line_are_refused_by_their_version() {
    for version in ["0.2.0", "1.0.0", "0.1", "0.1.", "0.1.x", "0.1.0-rc.1", "0.10.0"] {
        let text = format!(r#"(component (import "tribunal:policy/types@{version}" (instance)))"#);
        let (found, _) = problem(PluginSpec::new("p", assemble(&text)));
        assert!(matches!(&found, LoadProblem::OtherContract { found, .. } if found == version), "{version}: {found:?}");
    }
}
