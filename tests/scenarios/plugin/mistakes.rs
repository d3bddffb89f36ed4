//! A mistake of an author's is told with what to change.

use tribunal::workbench::test::CaseResult;
use tribunal_engine::Limits;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, OPINION_DENY, assemble};

use super::guests::{inspected, panicking, patient, tested};

/// Why a plugin would not load here.
#[track_caller]
fn refused(bytes: &[u8], says: &[&str]) {
    let found = inspected(bytes);
    let problem = found.problem().expect("it would load");
    for part in says {
        assert!(problem.contains(part), "{problem}");
    }
    // The same for people and for programs.
    assert!(found.as_text(Default::default(), Default::default()).contains("would not load here: "));
    let json = found.as_json();
    assert_eq!((json["would_load"].as_bool(), json["problem"].as_str()), (Some(false), Some(problem.as_str())));
}

/// What a failed case says.
#[track_caller]
fn failed(result: &CaseResult, says: &[&str]) {
    let said = result.failures.join("\n");
    assert!(!result.passed(), "it passed");
    for part in says {
        assert!(said.contains(part), "{said}");
    }
}

#[test]
fn another_world_is_told_with_all_that_is_missing() {
    refused(&assemble("(component)"), &["another world", "`describe`, `configure`, `review`, `enforce`", "`policy`"]);
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    refused(&assemble(&Guest::new().module()), &["is a core module", "wasm-tools component new"]);
}

#[test]
fn one_missing_export_is_named() {
    let three = ["describe", "configure", "review"].map(|name| format!("(export \"{name}\" (func $f))")).join(" ");
    let component = format!(
        "(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m))
            (func $f (canon lift (core func $i \"f\"))) {three})"
    );
    refused(&assemble(&component), &["does not export `enforce`", "build it against the world `policy`"]);
}

#[test]
fn a_forbidden_import_is_named_with_what_to_do_instead_and_the_others_are_shown() {
    let component = assemble(
        r#"(component
            (import "wasi:sockets/tcp@0.2.3" (instance))
            (import "wasi:filesystem/types@0.2.3" (instance))
            (import "wasi:io/error@0.2.3" (instance)))"#,
    );
    refused(&component, &["`wasi:sockets/tcp@0.2.3`", "a policy has no network"]);
    let json = inspected(&component).as_json();
    let verdicts: Vec<_> =
        json["imports"].as_array().unwrap().iter().map(|import| import["allowed"].as_bool()).collect();
    assert_eq!(verdicts, [Some(false), Some(false), Some(true)]);
    assert!(json["imports"][1]["why"].as_str().unwrap().contains("a policy has no files"));
}

#[test]
fn an_invalid_schema_of_settings_is_told_with_the_place_in_it() {
    let guest = Guest::new().schema(r#"{"properties": {"limit": {"type": "nummer"}}}"#);
    refused(&guest.build(), &["settings schema", "/properties/limit/type", "`nummer` is no type", "`describe`"]);
    refused(&Guest::new().schema("[1]").build(), &["settings schema is no JSON object"]);
}

#[test]
fn a_rule_that_is_not_declared_is_named() {
    let guest = Guest::new().says(OPINION_DENY, &[("rule-c", "no")]);
    let result = tested(&guest, "asks = \"a\"\nexpect = \"deny\"", &patient());
    failed(&result, &["review of `a`", "`nonsense`", "the rule `rule-c`", "rules that `describe` declares"]);
}

#[test]
fn a_panic_shows_its_message_and_its_line() {
    let result = tested(&panicking(), "asks = \"a\"\nexpect = \"deny\"", &patient());
    failed(&result, &["`trap`", "panicked at src/lib.rs:42:9", "no such class: prod"]);
}

#[test]
fn an_endless_loop_is_told_by_its_deadline() {
    let guest = Guest::new().review("(loop $l (br $l)) (unreachable)");
    let result = tested(&guest, "asks = \"a\"\nexpect = \"deny\"", &Limits::default());
    failed(&result, &["exceeded its deadline of 50 ms", "a loop that does not end", "`granted-deadline-ms`"]);
}

#[test]
fn too_much_memory_is_told_by_its_limit() {
    let guest =
        Guest::new().review("(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) (unreachable)");
    let result = tested(&guest, "asks = \"a\"\nexpect = \"deny\"", &patient());
    failed(&result, &["exceeded its memory of 67108864 bytes", "hold less at once"]);
}

#[test]
fn a_reason_that_is_too_long_is_told_by_its_limit() {
    let guest = Guest::new().says(OPINION_APPROVE, &[("rule-a", &"x".repeat(4_097))]);
    let result = tested(&guest, "asks = \"a\"\nexpect = \"approve\"", &patient());
    failed(&result, &["4097 bytes of reason, its limit is 4096 (`reason_bytes_max`)", "shorten the reason"]);
}

#[test]
fn an_effect_that_is_not_declared_is_named() {
    let guest = Guest::new().effects(&[1]).says(OPINION_APPROVE, &[("rule-a", "yes")]);
    let result = tested(&guest, "asks = \"a\"\nexpect = \"approve\"", &patient());
    failed(&result, &["`not-granted`", "answered `approve`", "`describe` has to declare the effect"]);
}

#[test]
fn settings_that_the_policy_refuses_fail_the_case_that_has_them() {
    let guest = Guest::new().refuses(&["`limit` is missing"]);
    let result = tested(&guest, "asks = \"a\"\nexpect = \"approve\"", &patient());
    failed(&result, &["the policy refuses the settings of the suite: `limit` is missing"]);
    let found = inspected(&guest.build());
    assert!(found.would_load(), "it would, with the right settings");
    assert_eq!(found.as_json()["needs_settings"][0], "`limit` is missing");
}

#[test]
fn a_sound_plugin_shows_what_it_is() {
    let found = inspected(&Guest::new().named("office-hours").rules(&["closed"]).schema("{}").build());
    let json = found.as_json();
    assert!(found.would_load(), "{:?}", found.problem());
    assert_eq!((json["contract"].as_str(), json["world"].as_str()), (Some("0.1.0"), Some("policy")));
    assert_eq!(
        (json["policy"]["name"].as_str(), json["policy"]["rules"][0]["id"].as_str()),
        (Some("office-hours"), Some("closed"))
    );
    assert!(json["needs"]["memory_bytes"].as_u64() >= Some(131_072));
    let text = found.as_text(Default::default(), Default::default());
    assert!(text.contains("would load here") && text.contains("office-hours 1.0.0"), "{text}");
}
