//! Compiling in a process of its own, the cache of what it made, and the bombs that it is for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tribunal_core::opinion::{Effect, FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, case, pending};
use tribunal_engine::{Health, Limits, LoadError, LoadProblem, Panel, PluginSpec, Workshop};
use tribunal_ports::Engine;

use crate::{ask, assert_fault, patient};

/// How long a bomb may hold anybody up: what it is given here, and the time of a machine that is busy with other tests.
const REFUSED_WITHIN: Duration = Duration::from_secs(60);

fn workshop() -> Workshop {
    Workshop::child(PathBuf::from(env!("CARGO_BIN_EXE_compile-for-tests")), Vec::new())
}

fn load(workshop: &Workshop, component: &[u8], limits: Limits) -> Result<Panel, LoadError> {
    Panel::load_in(workshop, vec![PluginSpec::new("p", component.to_vec())], limits)
        .map_err(|mut errors| errors.remove(0))
}

/// Limits under which a bomb is found out soon.
fn short() -> Limits {
    Limits { compile_cpu_secs_max: 2, compile_secs_max: 300, compile_memory_bytes_max: 512 * 1024 * 1024, ..patient() }
}

/// Why this does not load, and that it is said in time.
fn refused(component: &[u8], limits: Limits) -> LoadProblem {
    let begun = Instant::now();
    let error = load(&workshop(), component, limits).unwrap_err();
    assert!(begun.elapsed() < REFUSED_WITHIN, "{error} after {:?}", begun.elapsed());
    error.problem
}

#[tokio::test]
async fn what_a_child_compiled_answers_like_what_was_compiled_here() {
    let panel = load(&workshop(), &Guest::new().build(), patient()).unwrap();
    assert_eq!(ask(&panel).await, Ok(Opinion::Abstain));
}

#[test]
fn what_cannot_be_compiled_is_told_in_the_compilers_words() {
    let found = refused(&Guest::new().field("(func $t return_call $t)").build(), patient());
    assert!(matches!(&found, LoadProblem::Compile(why) if why.contains("tail call")), "{found:?}");
}

#[test]
fn a_program_that_is_no_compiler_is_found_out() {
    for (program, arguments, expected) in [
        ("/bin/true", vec![], "ended with exit status: 0"),
        ("/bin/cat", vec!["/dev/null".into(), "--".into()], "ended with exit status: 1"),
        ("/does/not/exist", vec![], "cannot be started"),
    ] {
        let other = Workshop::child(PathBuf::from(program), arguments);
        let error = load(&other, &Guest::new().build(), patient()).unwrap_err();
        assert!(matches!(error.problem, LoadProblem::Compiler(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

// === the bombs ===

/// One function of nested loops whose variables all live everywhere: the time to give them registers grows with the
/// square of its length.
fn bomb_of_time() -> Vec<u8> {
    let locals = 2_000;
    let blocks = 3_000;
    let mut body = String::new();
    for block in 0..blocks {
        let (a, b) = (block % locals, (block * 7 + 1) % locals);
        body.push_str(&format!(
            "(loop $l{block} (local.set {a} (i64.add (local.get {b}) (local.get {a})))
             (br_if $l{block} (i64.eqz (local.get {a}))))"
        ));
    }
    let function =
        format!("(func $bomb (export \"bomb\") (local {}) (loop $all {body} (br $all)))", "i64 ".repeat(locals));
    Guest::new().field(&function).build()
}

#[test]
fn a_bomb_of_time_is_ended_by_its_processor_time() {
    let found = refused(&bomb_of_time(), short());
    assert!(matches!(found, LoadProblem::Exceeded { name: "compile_cpu_secs_max", max: 2, .. }), "{found:?}");
}

#[test]
fn a_bomb_that_takes_its_time_is_ended_by_the_clock() {
    let limits = Limits { compile_secs_max: 1, compile_cpu_secs_max: 60, ..short() };
    let found = refused(&bomb_of_time(), limits);
    assert!(matches!(found, LoadProblem::Exceeded { name: "compile_secs_max", max: 1, .. }), "{found:?}");
}

#[test]
fn a_bomb_of_memory_is_ended_by_its_memory() {
    // Large functions whose every instruction has an effect, so that none can be left out.
    let body = "(i64.store (i32.const 8) (i64.add (i64.load (i32.const 16)) (i64.load (i32.const 24))))".repeat(40_000);
    let functions: String = (0..2).map(|number| format!("(func (export \"f{number}\") {body})")).collect();
    let limits = Limits { compile_memory_bytes_max: 192 * 1024 * 1024, compile_cpu_secs_max: 60, ..short() };
    let found = refused(&Guest::new().field(&functions).build(), limits);
    assert!(matches!(found, LoadProblem::Exceeded { name: "compile_memory_bytes_max", .. }), "{found:?}");
}

#[test]
fn a_bomb_of_structure_is_refused_before_anything_is_compiled() {
    let nothing = Workshop::child(PathBuf::from("/does/not/exist"), Vec::new());
    let huge = format!("(func {})", "(drop (i64.const 1))".repeat(400_000));
    let wide = format!("(func (local {}))", "i64 ".repeat(10_001));
    for (field, limit) in [(huge, "function_bytes_max"), (wide, "function_locals_max")] {
        let error = load(&nothing, &Guest::new().field(&field).build(), patient()).unwrap_err();
        assert!(matches!(error.problem, LoadProblem::TooLarge { name, .. } if name == limit), "{error}");
    }
}

// === the cache ===

fn entries(dir: &Path) -> Vec<PathBuf> {
    fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// A workshop that can only take from its cache.
fn only_cached(dir: &Path) -> Workshop {
    Workshop::child(PathBuf::from("/does/not/exist"), Vec::new()).with_cache(dir.to_owned())
}

#[tokio::test]
async fn a_component_is_compiled_once() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("compiled");
    let component = Guest::new().build();
    drop(load(&workshop().with_cache(dir.clone()), &component, patient()).unwrap());
    assert_eq!(entries(&dir).len(), 1);
    let panel = load(&only_cached(&dir), &component, patient()).unwrap();
    assert_eq!(ask(&panel).await, Ok(Opinion::Abstain));
    // Another component is another entry.
    let other = Guest::new().named("other").build();
    assert!(matches!(load(&only_cached(&dir), &other, patient()).unwrap_err().problem, LoadProblem::Compiler(_)));
}

#[tokio::test]
async fn a_damaged_entry_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("compiled");
    let component = Guest::new().build();
    let workshop = || workshop().with_cache(dir.clone());
    drop(load(&workshop(), &component, patient()).unwrap());
    let entry = entries(&dir).remove(0);
    let whole = fs::read(&entry).unwrap();
    for damaged in [&whole[..whole.len() / 2], b"", b"tribunal-native\n"] {
        fs::write(&entry, damaged).unwrap();
        assert!(load(&only_cached(&dir), &component, patient()).is_err());
        let panel = load(&workshop(), &component, patient()).unwrap();
        assert_eq!(ask(&panel).await, Ok(Opinion::Abstain));
        assert_eq!(fs::read(&entry).unwrap().len(), whole.len());
    }
}

#[test]
fn hosts_that_share_a_cache_race_for_it_without_harm() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("compiled");
    let component = Guest::new().build();
    std::thread::scope(|scope| {
        // Each workshop has a compiling process of its own, and each puts what it made into the same directory.
        let racers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| load(&workshop().with_cache(dir.clone()), &component, patient()).map(drop)))
            .collect();
        for racer in racers {
            assert_eq!(racer.join().unwrap(), Ok(()));
        }
    });
    assert_eq!(entries(&dir).len(), 1);
    assert!(load(&only_cached(&dir), &component, patient()).is_ok());
}

#[tokio::test]
async fn without_a_place_for_a_cache_it_works_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let panel = load(&workshop().with_cache(file), &Guest::new().build(), patient()).unwrap();
    assert_eq!(ask(&panel).await, Ok(Opinion::Abstain));
}

// === plugins that do not load ===

#[tokio::test]
async fn a_plugin_that_does_not_load_is_a_seat_that_faults_beside_others_that_answer() {
    let good = PluginSpec::new("good", Guest::new().build());
    let bad = PluginSpec::new("bad", b"bad".to_vec());
    let gone = PluginSpec { unread: Some("its file is gone".to_owned()), ..PluginSpec::new("gone", Vec::new()) };
    let mut meek = PluginSpec::new("meek", b"bad".to_vec());
    meek.effects = Some(BTreeSet::from([Effect::Deny]));
    let (panel, errors) = Panel::assemble(&Workshop::here(), vec![bad, good, gone, meek], patient(), None).unwrap();
    assert_eq!(errors.len(), 3, "{errors:?}");
    let members = panel.members();
    assert_eq!(members[0].effects, Effect::ALL.into(), "it might object to anything");
    assert_eq!(members[3].effects, BTreeSet::from([Effect::Deny]));
    let review = |policy| panel.review(policy, RequestId::new("r1"), case(vec![pending("r1", 2)]));
    assert_fault(&review(0).await.unwrap_err(), FaultKind::Unavailable, "is not loaded: is not WebAssembly");
    assert_eq!(review(1).await, Ok(Opinion::Abstain));
    assert_fault(&review(2).await.unwrap_err(), FaultKind::Unavailable, "is not loaded: its file is gone");
    assert!(matches!(&panel.health()[0].health, Health::Vacant(_)));
    assert_eq!(panel.health()[1].health, Health::Asked { strikes: 0 });
}
