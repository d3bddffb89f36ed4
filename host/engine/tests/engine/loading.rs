//! What does not load, and what the operator is told.

use std::collections::BTreeSet;

use tribunal_core::opinion::{Effect, FaultKind};
use tribunal_engine::testing::{Guest, assemble, component};
use tribunal_engine::{Digest, LimitOverrides, Limits, LoadProblem, Panel, PluginSpec};

use crate::{load, panel, patient, problem, problem_under};

fn spec(bytes: impl Into<Vec<u8>>) -> PluginSpec {
    PluginSpec::new("p", bytes.into())
}

#[test]
fn what_is_not_webassembly_is_told_apart() {
    for bytes in [&b""[..], b"\0as", b"\x7fELF and so on", b"\0asm\x01\0\x07\0"] {
        let (found, message) = problem(spec(bytes));
        assert_eq!(found, LoadProblem::NotWasm);
        assert_eq!(message, "plugin `p`: is not WebAssembly: give the `.wasm` file of a component");
    }
    assert_eq!(problem(spec(&b"  (component)"[..])).0, LoadProblem::Text);
}

#[test]
fn a_core_module_is_told_from_a_component() {
    let (found, message) = problem(spec(assemble("(module)")));
    assert_eq!(found, LoadProblem::CoreModule);
    assert!(message.contains("core module") && message.contains("wasm32-wasip2"), "{message}");
}

#[test]
fn a_component_of_another_world_names_what_is_missing() {
    let (found, message) = problem(spec(assemble("(component)")));
    assert_eq!(found, LoadProblem::OtherWorld { missing: vec!["describe", "configure", "review", "enforce"] });
    assert!(message.contains("another world") && message.contains("`enforce`"), "{message}");
}

#[test]
fn a_function_of_another_type_does_not_load() {
    let functions = ["describe", "configure", "review", "enforce"];
    let exports = functions.map(|name| format!("(export \"{name}\" (func $f))")).join(" ");
    let mistyped = assemble(&format!(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i \"f\"))) {exports})"
    ));
    let (found, message) = problem(spec(mistyped));
    assert!(matches!(found, LoadProblem::Link(_)), "{found:?}");
    assert!(message.contains("does not fit the contract"), "{message}");
}

#[test]
fn another_version_of_the_contract_is_named() {
    let other = assemble(r#"(component (import "tribunal:policy/types@0.9.0" (instance)))"#);
    let (found, message) = problem(spec(other));
    assert_eq!(found, LoadProblem::OtherContract { found: "0.9.0".into(), ours: "0.1.0" });
    assert!(message.contains("`0.9.0`"), "{message}");
}

#[test]
fn forbidden_imports_are_refused_by_name() {
    for (import, remedy) in [
        ("wasi:filesystem/types@0.2.3", "no files"),
        ("wasi:filesystem/preopens@0.2.0", "no files"),
        ("wasi:sockets/tcp@0.2.3", "no network"),
        ("wasi:http/outgoing-handler@0.2.0", "no network"),
        ("wasi:clocks/timezone@0.2.3", "`case.now`"),
        ("wasi:io/streams@0.3.0", "only version 0.2"),
        ("wasi:cli/run@0.2.0", "remove it"),
        ("tribunal:policy/secrets@0.1.0", "no such interface"),
        ("anything:else/at-all", "remove it"),
        ("plain", "remove it"),
    ] {
        let (found, message) = problem(spec(assemble(&format!("(component (import \"{import}\" (instance)))"))));
        assert!(matches!(&found, LoadProblem::Import { import: named, .. } if named == import), "{found:?}");
        assert!(message.starts_with(&format!("plugin `p`: imports `{import}`")), "{message}");
        assert!(message.contains(remedy), "{message}");
    }
}

#[test]
fn damaged_components_do_not_load() {
    let whole = Guest::new().build();
    for cut in [9, 40, whole.len() / 2, whole.len() - 1] {
        let (found, message) = problem(spec(&whole[..cut]));
        assert!(matches!(found, LoadProblem::Malformed(_)), "{cut}: {message}");
    }
    // A flipped byte anywhere is an error or another policy, never a panic.
    for at in (8..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        drop(Panel::load(vec![spec(damaged)], Limits::default()));
    }
}

#[test]
fn a_component_over_its_limits_is_not_even_compiled() {
    let mut large = spec(Guest::new().build());
    large.limits.component_bytes_max = Some(100);
    assert!(matches!(problem(large).0, LoadProblem::TooLarge { name: "component_bytes_max", max: 100, .. }));

    let (found, message) = problem(spec(Guest::new().memory("2000").build()));
    assert!(matches!(found, LoadProblem::TooLarge { name: "memory_bytes_max", found: 131_072_000, .. }), "{message}");

    let nested = (0..20).fold("(component)".to_owned(), |inner, _| format!("(component {inner})"));
    assert!(matches!(problem(spec(assemble(&nested))).0, LoadProblem::TooLarge { name: "nesting_max", .. }));

    let many = format!("(component {})", "(core module)".repeat(600));
    assert!(matches!(problem(spec(assemble(&many))).0, LoadProblem::TooLarge { name: "parts_max", .. }));
}

#[test]
fn proposals_that_are_switched_off_do_not_compile() {
    for field in [
        "(memory $second 1)",
        "(func $t return_call $t)",
        "(type $s (struct (field i32))) (func (result i32) (struct.get $s 0 (struct.new $s (i32.const 1))))",
        "(tag $e) (func (throw $e))",
    ] {
        let module = Guest::new().field(field).module();
        let (found, message) = problem(spec(component(&module)));
        assert!(matches!(found, LoadProblem::Compile(_)), "{message}");
    }
}

#[test]
fn the_digest_is_verified_before_anything_else() {
    let mut other = spec(&b"not wasm"[..]);
    other.digest = Some(Digest::of(b"something else"));
    let (found, message) = problem(other);
    assert!(matches!(found, LoadProblem::Digest { .. }), "{message}");

    let bytes = Guest::new().build();
    let mut same = spec(bytes.clone());
    same.digest = Some(Digest::of(&bytes));
    assert_eq!(load(same).unwrap().policies()[0].digest, Digest::of(&bytes));
}

#[test]
fn refused_settings_are_all_told() {
    let (found, message) = problem(spec(Guest::new().refuses(&["`a` is wrong", "`b`\nis too"]).build()));
    assert_eq!(found, LoadProblem::Settings(vec!["`a` is wrong".into(), "`b` is too".into()]));
    assert_eq!(message, "plugin `p`: refuses its settings: `a` is wrong; `b` is too");
}

#[test]
fn settings_are_a_json_object_of_bounded_size() {
    for bad in ["", "[]", "{", "1"] {
        let mut spec = spec(Guest::new().build());
        spec.settings = bad.into();
        assert!(matches!(problem(spec).0, LoadProblem::SettingsForm(_)));
    }
    let mut large = spec(Guest::new().build());
    large.settings = format!("{{\"a\":\"{}\"}}", "x".repeat(70_000));
    assert!(matches!(problem(large).0, LoadProblem::TooLarge { name: "settings_bytes_max", .. }));
}

#[test]
fn the_operator_grants_at_most_what_is_declared() {
    let bytes = Guest::new().effects(&[1]).build();
    let mut beyond = spec(bytes.clone());
    beyond.effects = Some(BTreeSet::from([Effect::Deny, Effect::Approve]));
    let (found, message) = problem(beyond);
    assert!(matches!(found, LoadProblem::NotDeclared { .. }));
    assert_eq!(message, "plugin `p`: is granted `approve`, which it does not declare: it declares `deny`");

    let mut less = spec(bytes.clone());
    less.effects = Some(BTreeSet::new());
    assert_eq!(load(less).unwrap().members()[0].effects, BTreeSet::new());
    assert_eq!(load(spec(bytes)).unwrap().members()[0].effects, BTreeSet::from([Effect::Deny]));
}

#[test]
fn a_description_outside_of_the_contract_does_not_load() {
    for (guest, expected) in [
        (Guest::new().named("Not A Name"), "its name `Not A Name`"),
        (Guest::new().rules(&["a", "a"]), "the rule `a` twice"),
        (Guest::new().rules(&["a\nb"]), "its rule `a b`"),
    ] {
        let (found, message) = problem(spec(guest.build()));
        assert!(matches!(found, LoadProblem::Description(_)), "{found:?}");
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_guest_that_hangs_or_traps_while_it_is_loaded_is_an_error() {
    for (guest, kind, part) in [
        (Guest::new().describe("(loop $l (br $l)) (unreachable)"), FaultKind::Deadline, "250 ms (in `describe`)"),
        (Guest::new().configure("(loop $l (br $l)) (unreachable)"), FaultKind::Deadline, "250 ms (in `configure`)"),
        (Guest::new().describe("(unreachable)"), FaultKind::Trap, "unreachable"),
        (Guest::new().effects(&[9]), FaultKind::Nonsense, "in `describe`"),
        (
            Guest::new().field("(func $s (loop $l (br $l))) (start $s)"),
            FaultKind::Deadline,
            "250 ms (in `instantiation`)",
        ),
    ] {
        let (found, message) = problem_under(Limits::default(), spec(guest.build()));
        assert!(matches!(&found, LoadProblem::Setup(fault) if fault.kind == kind), "{message}");
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn all_errors_of_a_panel_are_told_at_once() {
    let good = PluginSpec::new("good", Guest::new().build());
    let mut greedy = PluginSpec::new("greedy", Guest::new().build());
    greedy.limits = LimitOverrides { deadline_ms: Some(1_000), ..LimitOverrides::default() };
    let specs = vec![good.clone(), good, greedy, PluginSpec::new("bad", b"bad".to_vec())];
    let errors = Panel::load(specs, Limits::default()).unwrap_err();
    let messages: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "plugin `good`: another plugin has the same name: give each its own",
            "plugin `greedy`: `deadline_ms` is 1000, and the limit of all plugins is 50: an override can only lower it, \
         and not to 0",
            "plugin `bad`: is not WebAssembly: give the `.wasm` file of a component",
        ]
    );
}

#[test]
fn limits_under_which_nothing_runs_do_not_start() {
    let errors = Panel::load(Vec::new(), Limits { concurrency: 0, ..Limits::default() }).unwrap_err();
    assert_eq!(errors[0].to_string(), "policy engine: `concurrency` is 0: give it 1 to 1024");
}

#[test]
fn a_loaded_policy_shows_what_it_says_about_itself() {
    let panel = panel(&Guest::new().named("shown").rules(&["one"]));
    let info = panel.policies().remove(0);
    assert_eq!((info.name.as_str(), info.description.name.as_str()), ("guest", "shown"));
    assert_eq!(info.description.rules[0].id, "one");
    assert_eq!(info.description.version, "1.0.0");
    assert_eq!(info.limits, patient());
}
