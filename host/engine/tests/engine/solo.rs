//! One policy looked at closely: the same answers as in a panel, and what they cost.

use std::path::PathBuf;

use tribunal_core::opinion::{FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, OPINION_DENY, assemble, case, pending};
use tribunal_engine::{Anatomy, Introduced, Kind, Limits, LoadProblem, PluginSpec, Solo, Traces, Workshop};

use crate::{ask, panel, patient};

fn introduced(guest: &Guest) -> Introduced {
    Introduced::new(&Workshop::here(), PluginSpec::new("guest", guest.build()), patient()).unwrap()
}

fn review(solo: &Solo) -> (Result<Opinion, tribunal_core::opinion::Fault>, Traces) {
    solo.review(&case(vec![pending("r1", 2)]), &RequestId::new("r1"))
}

#[tokio::test]
async fn it_answers_as_in_a_panel() {
    let denies = Guest::new().says(OPINION_DENY, &[("rule-a", "no")]);
    for guest in [Guest::new(), denies, Guest::new().review("(unreachable)")] {
        let solo = introduced(&guest).configured("{}", None).unwrap();
        assert_eq!(review(&solo).0, ask(&panel(&guest)).await);
    }
}

#[test]
fn a_trace_has_memory_log_and_what_a_panic_printed() {
    let mut guest = Guest::new()
        .import(r#"(import "tribunal:policy/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#)
        .field("(table 7 funcref)");
    let line = guest.text("hello");
    let guest = guest.review(&format!("(call $log (i32.const 2) (i32.const {line}) (i32.const 5)) (unreachable)"));
    let introduced = introduced(&guest);
    let (answer, traces) = review(&introduced.configured("{}", None).unwrap());
    assert_eq!(answer.unwrap_err().kind, FaultKind::Trap);
    let log: Vec<_> = traces.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert_eq!(log, [("warn", "hello")]);
    assert_eq!((traces.memory_bytes, traces.instructions), (131_072, None));
    assert!(traces.table_elements >= 7, "{traces:?}");
    assert_eq!(introduced.traces().memory_bytes, 131_072, "`describe` is measured, too");
}

/// Also where a child compiles: its native code has to count.
#[test]
fn instructions_are_counted_where_asked_and_the_same_each_time() {
    let child = Workshop::child(PathBuf::from(env!("CARGO_BIN_EXE_compile-for-tests")), Vec::new());
    let long = "(local $n i32) (loop $l (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $n) (i32.const 1000)))) (unreachable)";
    let counted = |workshop: &Workshop, guest: &Guest| {
        let spec = PluginSpec::new("guest", guest.build());
        let solo = Introduced::counting(workshop, spec, patient()).unwrap().configured("{}", None).unwrap();
        [review(&solo), review(&solo)].map(|(_, traces)| traces.instructions.unwrap())
    };
    let [here, again] = counted(&Workshop::here(), &Guest::new().review(long));
    assert_eq!([here, again], counted(&child, &Guest::new().review(long)));
    assert!(here == again && here > 4_000, "{here}, {again}");
    let [short, _] = counted(&Workshop::here(), &Guest::new());
    assert!(short < here, "{short}");
}

#[test]
fn settings_and_grants_are_tried_without_loading_anew() {
    let introduced = introduced(&Guest::new().effects(&[1]));
    assert_eq!(introduced.description().name, "guest");
    assert!(introduced.configured("{}", None).is_ok());
    assert!(matches!(introduced.configured("[]", None).unwrap_err(), LoadProblem::SettingsForm(_)));
    let beyond = [tribunal_core::opinion::Effect::Lock].into();
    assert!(matches!(introduced.configured("{}", Some(&beyond)).unwrap_err(), LoadProblem::NotDeclared { .. }));
}

#[test]
fn what_is_broken_is_seen_as_far_as_it_goes() {
    let whole = Guest::new().build();
    let seen = Anatomy::of(&whole, &Limits::default());
    assert_eq!((seen.kind, seen.contract.as_deref(), seen.problem), (Kind::Component, Some("0.1.0"), None));
    assert!(seen.missing.is_empty() && seen.needs.memory_bytes == 131_072 && seen.needs.functions >= 5);
    for cut in (0..whole.len()).step_by(61) {
        let seen = Anatomy::of(&whole[..cut], &Limits::default());
        assert!(seen.problem.is_some(), "{cut}");
    }
    let core = Anatomy::of(&assemble("(module (memory 3) (func (export \"f\")))"), &Limits::default());
    assert_eq!((core.kind, core.exports, core.needs.memory_bytes), (Kind::CoreModule, vec!["f".to_owned()], 196_608));
    assert_eq!(Anatomy::of(b"(component)", &Limits::default()).kind, Kind::Text);
    assert_eq!(Anatomy::of(b"hello", &Limits::default()).kind, Kind::Other);
}
