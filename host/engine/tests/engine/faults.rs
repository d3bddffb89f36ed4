//! Each misbehaviour of a guest, and the fault that it is.

use std::collections::BTreeSet;

use tribunal_core::opinion::{Effect, FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, OPINION_DENY, Order, case, held, pending};
use tribunal_engine::{LimitOverrides, Limits, Panel, PluginSpec};
use tribunal_ports::Engine;

use crate::{ask, assert_fault, fault, load, panel, patient, review, strict};

#[tokio::test]
async fn an_endless_loop_misses_its_deadline() {
    let guest = Guest::new().review("(loop $l (br $l)) (unreachable)");
    let found = ask(&strict(&guest)).await.unwrap_err();
    // Not where: how far it came is a matter of the moment, and another detail would be another decision.
    assert_eq!((found.kind, found.detail.as_str()), (FaultKind::Deadline, "exceeded its deadline of 50 ms"));
}

#[tokio::test]
async fn one_deadline_covers_the_settings_and_the_answer() {
    // Loops in `configure` once it has been asked for the settings at load: then its memory is not fresh any more, so
    // the guest tells the two apart by the clock, which stands at the epoch while it is loaded.
    let guest = Guest::new()
        .import(r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))"#)
        .configure("(if (i64.gt_u (call $now) (i64.const 1)) (then (loop $l (br $l)))) (i32.const 0)");
    let found = ask(&strict(&guest)).await.unwrap_err();
    assert_fault(&found, FaultKind::Deadline, "exceeded its deadline of 50 ms");
}

#[tokio::test]
async fn a_plugins_own_deadline_is_the_one_named() {
    let mut spec = PluginSpec::new("p", Guest::new().review("(loop $l (br $l)) (unreachable)").build());
    spec.limits = LimitOverrides { deadline_ms: Some(5), ..LimitOverrides::default() };
    let found = ask(&load(spec).unwrap()).await.unwrap_err();
    assert_fault(&found, FaultKind::Deadline, "exceeded its deadline of 5 ms");
}

#[tokio::test]
async fn a_memory_bomb_is_told_by_its_limit_even_as_a_panic() {
    let bomb =
        Guest::new().review("(loop $l (br_if $l (i32.ne (i32.const -1) (memory.grow (i32.const 16))))) (unreachable)");
    assert_fault(&fault(&bomb).await, FaultKind::Memory, "exceeded its memory of 67108864 bytes: asked for");
}

#[tokio::test]
async fn a_refused_growth_that_a_guest_survives_is_no_fault() {
    let mut careful = Guest::new();
    let abstain = careful.opinion(0, &[]);
    let careful = careful.review(&format!("(drop (memory.grow (i32.const 60000))) (i32.const {abstain})"));
    assert_eq!(review(&careful).await, Ok(Opinion::Abstain));
}

#[tokio::test]
async fn a_table_bomb_is_a_limit() {
    let bomb = Guest::new().field("(table $t 1 funcref)").review(
        "(loop $l (br_if $l (i32.ne (i32.const -1) (table.grow $t (ref.null func) (i32.const 10000))))) (unreachable)",
    );
    assert_fault(&fault(&bomb).await, FaultKind::Limit, "100000 table elements");
}

#[tokio::test]
async fn a_trap_names_what_happened_and_where() {
    let trap = Guest::new().field("(func $deep (unreachable))").review("(call $deep) (unreachable)");
    let found = fault(&trap).await;
    assert_fault(&found, FaultKind::Trap, "wasm `unreachable` instruction executed (in `review`)");
    assert_fault(&found, FaultKind::Trap, "`deep`");
    let bounds = Guest::new().review("(i32.load (i32.const -8))");
    assert_fault(&fault(&bounds).await, FaultKind::Trap, "out of bounds memory access");
}

#[tokio::test]
async fn a_stack_overflow_is_a_limit() {
    let deep = Guest::new().field("(func $f (param i64) (call $f (local.get 0)) (drop (i64.const 1)))");
    let found = fault(&deep.review("(call $f (i64.const 1)) (i32.const 0)")).await;
    assert_fault(&found, FaultKind::Limit, "exceeded its limit of 524288 bytes of stack (`stack_bytes_max`)");
}

#[tokio::test]
async fn an_undeclared_rule_is_nonsense() {
    let found = fault(&Guest::new().says(OPINION_DENY, &[("rule-a", "fine"), ("rule-c", "not fine")])).await;
    assert_fault(&found, FaultKind::Nonsense, "the rule `rule-c`, which its description does not declare");
}

#[tokio::test]
async fn a_denial_without_grounds_is_nonsense() {
    assert_fault(&fault(&Guest::new().says(OPINION_DENY, &[])).await, FaultKind::Nonsense, "denied without a ground");
}

#[tokio::test]
async fn answers_are_bounded() {
    let many = vec![("rule-a", "x"); 65];
    let found = fault(&Guest::new().says(OPINION_DENY, &many)).await;
    assert_fault(&found, FaultKind::Limit, "answered 65 grounds, its limit is 64 (`grounds_max`)");
    let long = "x".repeat(4_097);
    let found = fault(&Guest::new().says(OPINION_APPROVE, &[("rule-a", &long)])).await;
    assert_fault(&found, FaultKind::Limit, "answered 4097 bytes of reason, its limit is 4096 (`reason_bytes_max`)");
}

#[tokio::test]
async fn a_huge_answer_is_a_limit() {
    // Deny with a list of a million grounds, all of them the same memory of zeros.
    let mut huge = Guest::new().memory("300");
    let answer = [2_u32, 65_536, 1_000_000, 0, 0].map(u32::to_le_bytes).concat();
    let address = huge.put(&answer);
    let found = fault(&huge.review(&format!("(i32.const {address})"))).await;
    assert_fault(&found, FaultKind::Limit, "exceeded its limit of 2097152 bytes in one call (`hostcall_bytes_max`)");
}

#[tokio::test]
async fn an_answer_that_is_no_value_is_nonsense() {
    let mut guest = Guest::new();
    let bad_discriminant = guest.put(&[9, 0, 0, 0]);
    let bad_pointer = guest.put(&[2_u32, u32::MAX - 7, 1].map(u32::to_le_bytes).concat());
    let text = guest.put(&[0xff, 0xfe]);
    let bad_text = guest.put(&[1_u32, text, 2, text, 2].map(u32::to_le_bytes).concat());
    for address in [bad_discriminant, bad_pointer, bad_text, u32::MAX - 3] {
        let found = fault(&guest.clone().review(&format!("(i32.const {address})"))).await;
        assert_fault(&found, FaultKind::Nonsense, "in `review`");
    }
}

#[tokio::test]
async fn text_of_a_policy_cannot_break_lines_or_move_a_cursor() {
    let opinion =
        review(&Guest::new().says(OPINION_APPROVE, &[("rule-a", "one\ntwo\u{1b}[2J\u{202e}")])).await.unwrap();
    assert_eq!(opinion.grounds()[0].reason, "one two [2J ");
}

#[tokio::test]
async fn an_effect_that_is_not_granted_is_a_fault() {
    let mut spec = PluginSpec::new("p", Guest::new().says(OPINION_APPROVE, &[("rule-a", "yes")]).build());
    spec.effects = Some(BTreeSet::from([Effect::Deny]));
    let panel = load(spec).unwrap();
    assert_fault(&ask(&panel).await.unwrap_err(), FaultKind::NotGranted, "`approve`");

    let order = Order { request: "h1", rule: "rule-a", reason: "no", until: None };
    let mut spec = PluginSpec::new("p", Guest::new().orders(&[order]).build());
    spec.effects = Some(BTreeSet::from([Effect::Deny]));
    let found = load(spec).unwrap().enforce(0, case(vec![held("h1", 1)])).await.unwrap_err();
    assert_fault(&found, FaultKind::NotGranted, "lock");
}

#[tokio::test]
async fn an_order_is_about_an_approved_request_of_the_case_and_once() {
    let order = |request| Order { request, rule: "rule-a", reason: "no", until: None };
    let until = |until| Order { until: Some(until), ..order("h1") };
    let now = case(Vec::new()).now.as_millis();
    for (orders, expected) in [
        (vec![order("h9")], "`h9`, which is no approved request of the case"),
        (vec![order("p1")], "`p1`, which is no approved request of the case"),
        (vec![order("h1"), order("h1")], "two locks on `h1`"),
        (vec![until(now - 1)], "ends before now"),
        (vec![Order { rule: "rule-x", ..order("h1") }], "the rule `rule-x`"),
    ] {
        let panel = panel(&Guest::new().orders(&orders));
        let found = panel.enforce(0, case(vec![held("h1", 1), pending("p1", 1)])).await.unwrap_err();
        assert_fault(&found, FaultKind::Nonsense, expected);
    }
}

#[tokio::test]
async fn too_many_orders_are_a_limit() {
    let ids: Vec<_> = (0..1_001).map(|number| format!("h{number}")).collect();
    let orders: Vec<_> = ids.iter().map(|id| Order { request: id, rule: "rule-a", reason: "", until: None }).collect();
    let held = ids.iter().map(|id| held(id, 0)).collect();
    let found = panel(&Guest::new().orders(&orders)).enforce(0, case(held)).await.unwrap_err();
    assert_fault(&found, FaultKind::Limit, "answered 1001 lock orders, its limit is 1000 (`lock_orders_max`)");
}

#[tokio::test]
async fn settings_refused_later_than_at_load_are_a_fault() {
    let mut guest =
        Guest::new().import(r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))"#);
    let good = guest.put(&[0; 12]);
    let bad = guest.put(&[1_u32, 0, 0].map(u32::to_le_bytes).concat());
    let body = format!(
        "(if (result i32) (i64.gt_u (call $now) (i64.const 1)) (then (i32.const {bad})) (else (i32.const {good})))"
    );
    assert_fault(&fault(&guest.configure(&body)).await, FaultKind::Settings, "refused the settings");
}

#[tokio::test]
async fn a_lying_realloc_is_a_fault() {
    // Good while it is loaded, where only the settings (`{}`) are stored; then everything goes to the same place, beyond
    // the end of memory.
    let lying = Guest::new().realloc(
        "(if (result i32) (i32.le_u (local.get 3) (i32.const 2)) (then (i32.const 65536)) (else (i32.const -16)))",
    );
    let found = fault(&lying).await;
    assert!(matches!(found.kind, FaultKind::Nonsense | FaultKind::Trap), "{found:?}");
}

#[tokio::test]
async fn a_policy_that_is_not_there_is_unavailable() {
    let panel = panel(&Guest::new());
    let found = panel.review(7, RequestId::new("r1"), case(Vec::new())).await.unwrap_err();
    assert_fault(&found, FaultKind::Unavailable, "no policy number 7");
}

#[tokio::test]
async fn what_is_logged_beyond_the_budget_is_dropped_and_a_flood_is_a_limit() {
    let logging = |lines: u32| {
        let mut guest =
            Guest::new().import(r#"(import "tribunal:policy/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#);
        let abstain = guest.opinion(0, &[]);
        guest.review(&format!(
            "(local $n i32)
             (loop $l
                (call $log (i32.const 0) (i32.const 0) (i32.const 0))
                (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {lines}))))
             (i32.const {abstain})"
        ))
    };
    assert_eq!(review(&logging(1_100)).await, Ok(Opinion::Abstain));
    let found = fault(&logging(1_102)).await;
    assert_fault(
        &found,
        FaultKind::Limit,
        "exceeded its limit of 100 lines of log, and a thousand more (`log_calls_max`)",
    );
}

#[tokio::test]
async fn too_many_parts_of_an_instance_are_named() {
    // With an import that takes text there are three core instances, and a table that ties them together.
    let guest =
        Guest::new().import(r#"(import "tribunal:policy/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#).build();
    let own = |limits| PluginSpec { limits, ..PluginSpec::new("p", guest.clone()) };
    let all = |limits: Limits| (PluginSpec::new("p", guest.clone()), limits);
    let cases = [
        ((own(LimitOverrides { instances_max: Some(1), ..Default::default() }), patient()), "(`instances_max`)"),
        ((own(LimitOverrides { tables_max: Some(0), ..Default::default() }), patient()), "(`tables_max`)"),
        (all(Limits { instances_max: 1, ..patient() }), "(`instances_max`)"),
    ];
    for ((spec, limits), expected) in cases {
        let error = Panel::load(vec![spec], limits).unwrap_err().remove(0).to_string();
        assert!(error.contains(expected), "{error}");
    }
}
