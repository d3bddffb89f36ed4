//! What an instance can see of others: nothing. A guest looks at all that it has and could have, memory to its very limit,
//! tables, globals, segments, time and chance, in turn with guests that leave canaries everywhere, answer, trap or are ended.

use std::sync::Arc;

use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::opinion::{Fault, FaultKind, Opinion};
use tribunal_core::request::{RequestId, UserName};
use tribunal_engine::testing::{Guest, case, pending};
use tribunal_engine::{Limits, Panel, PluginSpec};
use tribunal_ports::Engine;

/// What is left behind, in memory eight bytes of it at a time.
const CANARY: &str = "CANARY!!";
/// Where the guest puts what it found, in letters.
const LETTERS: usize = 32;
/// Memory that an instance may have: all of it is looked at.
const MEMORY_BYTES: usize = 16 * 1024 * 1024;
/// Plugins that share the sandbox: more than it has slots for memories.
const PLUGINS: usize = 3;

const HOST: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))
    (import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))
    (import "wasi:random/insecure@0.2.12" "get-insecure-random-u64" (func $insecure (result i64)))
    (import "wasi:cli/stderr@0.2.12" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "tribunal:policy/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;

/// Everything that an instance has besides memory, and what looks at it or leaves canaries in it.
const FIELDS: &str = r#"
    (global $seen (mut i32) (i32.const 0))
    (global $hash (mut i64) (i64.const 0xcbf29ce484222325))
    (global $small (mut i32) (i32.const 7))
    (global $large (mut i64) (i64.const 7))
    (global $float (mut f64) (f64.const 7))
    (global $wide (mut v128) (v128.const i64x2 7 7))
    (global $function (mut funcref) (ref.null func))
    (table $t 1000 20000 funcref)
    (data $passive "\07\07\07\07\07\07\07\07")
    (elem $functions func $mix)
    (func $mix (param i64)
        (global.set $hash (i64.mul (i64.xor (global.get $hash) (local.get 0)) (i64.const 0x100000001b3))))

    ;; Looks at each byte from $at to $end, and for canaries that begin at any of them.
    (func $look (param $at i32) (param $end i32)
        (loop $l
            (call $mix (i64.load8_u (local.get $at)))
            (if (i64.eq (i64.load (local.get $at)) (i64.const {canary})) (then (global.set $seen (i32.const 1))))
            (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1)))
                (i32.sub (local.get $end) (i32.const 7))))))
    ;; Looks at words that should be zero.
    (func $look-for-anything (param $at i32) (param $end i32)
        (loop $l
            (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then (global.set $seen (i32.const 2))))
            (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (local.get $end)))))
    (func $look-around
        (local $at i32) (local $size i32)
        (local.set $size (i32.mul (memory.size) (i32.const 65536)))
        (call $look (i32.const 0) (local.get $size))
        (loop $l
            (local.set $size (i32.mul (memory.size) (i32.const 65536)))
            (if (i32.ne (i32.const -1) (memory.grow (i32.const 1))) (then
                (call $look-for-anything (local.get $size) (i32.mul (memory.size) (i32.const 65536)))
                (br $l))))
        (call $mix (i64.extend_i32_u (memory.size)))
        (call $mix (i64.extend_i32_u (global.get $small)))
        (call $mix (global.get $large))
        (call $mix (i64.reinterpret_f64 (global.get $float)))
        (call $mix (i64x2.extract_lane 0 (global.get $wide)))
        (call $mix (i64.extend_i32_u (ref.is_null (global.get $function))))
        (call $mix (i64.extend_i32_u (table.size $t)))
        (loop $l
            (if (i32.eqz (ref.is_null (table.get $t (local.get $at)))) (then (global.set $seen (i32.const 3))))
            (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (table.size $t))))
        ;; Both trap where the segment was dropped.
        (memory.init $passive (i32.const 32) (i32.const 0) (i32.const 8))
        (call $mix (i64.load (i32.const 32)))
        (table.init $t $functions (i32.const 0) (i32.const 0) (i32.const 1)))
    (func $look-at-time-and-chance
        (global.set $hash (i64.const 0xcbf29ce484222325))
        (call $mix (call $now))
        (call $mix (call $random))
        (call $mix (call $insecure)))

    ;; Leaves canaries in all memory from here on, and wherever else.
    (func $leave (param $at i32)
        (drop (memory.grow (i32.sub (i32.const 256) (memory.size))))
        (loop $l
            (i64.store (local.get $at) (i64.const {canary}))
            (br_if $l (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8)))
                (i32.mul (memory.size) (i32.const 65536)))))
        (drop (table.grow $t (ref.func $mix) (i32.const 5000)))
        (table.fill $t (i32.const 0) (ref.func $mix) (table.size $t))
        (global.set $small (i32.const 1))
        (global.set $large (i64.const {canary}))
        (global.set $float (f64.const 1))
        (global.set $wide (v128.const i64x2 {canary} {canary}))
        (global.set $function (ref.func $mix))
        (data.drop $passive)
        (elem.drop $functions)
        (drop (call $random))
        (call $log (i32.const 0) (i32.const 65536) (i32.const 8))
        (call $write (call $stderr) (i32.const 65536) (i32.const 8) (i32.const 32)))

    (func $letters (param $at i32) (local $n i32)
        (loop $l
            (i32.store8 (i32.add (local.get $at) (local.get $n)) (i32.add (i32.const 97)
                (i32.wrap_i64 (i64.and (i64.const 15)
                    (i64.shr_u (global.get $hash) (i64.extend_i32_u (i32.mul (i32.const 4) (local.get $n))))))))
            (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 16)))))"#;

/// The guest. It does what the first letter of the subject's name says: `a`nswers after it left canaries, `t`raps, `l`oops, or
/// looks around. Then it approves with a hash of what it saw; or escalates, if there was a canary.
fn guest(number: usize) -> Vec<u8> {
    let canary = u64::from_le_bytes(CANARY.as_bytes().try_into().unwrap()).to_string();
    let mut guest = Guest::new().named(&format!("guest-{number}")).memory("4 256").import(HOST);
    let found = guest.text(&"?".repeat(LETTERS));
    let (fine, seen) = (guest.opinion(1, &[("rule-a", "")]), guest.opinion(3, &[("rule-b", "seen")]));
    let first = "(i32.load8_u (i32.load offset=16 (local.get 0)))";
    let is = |letter: u8| format!("(i32.eq {first} (i32.const {letter}))");
    let body = format!(
        "(if {answers} (then (call $leave (i32.const 131072)) (return (i32.const {fine}))))
         (if {traps} (then (call $leave (i32.const 0)) (unreachable)))
         (if {loops} (then (call $leave (i32.const 0)) (loop $l (br $l))))
         (call $look-around) (call $letters (i32.const {found}))
         (call $look-at-time-and-chance) (call $letters (i32.const {chance}))
         (i32.store (i32.const {at}) (i32.const {found})) (i32.store (i32.const {len}) (i32.const {LETTERS}))
         (select (i32.const {seen}) (i32.const {fine}) (global.get $seen))",
        answers = is(b'a'),
        traps = is(b't'),
        loops = is(b'l'),
        chance = found + 16,
        at = fine + 12,
        len = fine + 16,
    );
    guest.field(&FIELDS.replace("{canary}", &canary)).review(&body).build()
}

/// A panel of guests that has slots for fewer of them than there are.
fn crowded(memories_max: usize) -> Panel {
    let limits = Limits {
        concurrency: 1,
        memories_max,
        memory_bytes_max: MEMORY_BYTES,
        deadline_ms: 3_000,
        setup_deadline_ms: 30_000,
        ..Limits::default()
    };
    let specs = (0..PLUGINS).map(|number| PluginSpec::new(format!("p{number}"), guest(number))).collect();
    Panel::load(specs, limits).unwrap()
}

/// A case of this user, with this reason in a request.
fn case_of(user: &str, reason: &str) -> Arc<Case> {
    let mut case = Case::clone(&case(vec![pending("r1", 2)]));
    case.subject.name = UserName::new(user);
    let CaseRequest { request, .. } = Arc::make_mut(&mut case.requests[0]);
    request.user = UserName::new(user);
    reason.clone_into(&mut request.reason);
    Arc::new(case)
}

async fn ask(panel: &Panel, plugin: usize, case: Arc<Case>) -> Result<Opinion, Fault> {
    panel.review(plugin, RequestId::new("r1"), case).await
}

/// What the guest sees in its own case, in letters.
async fn look(panel: &Panel, plugin: usize, user: &str) -> String {
    match ask(panel, plugin, case_of(user, "a reason")).await {
        Ok(Opinion::Approve(ground)) => ground.reason,
        other => panic!("plugin {plugin} saw something: {other:?}"),
    }
}

async fn nothing_is_seen(memories_max: usize) {
    let mut before = Vec::new();
    for plugin in 0..PLUGINS {
        // Nobody was there before.
        before.push(look(&crowded(memories_max), plugin, "viewer").await);
    }
    let panel = crowded(memories_max);
    for (letter, expected, times) in
        [("a", None, 3), ("t", Some(FaultKind::Trap), 3), ("l", Some(FaultKind::Deadline), 1)]
    {
        for _ in 0..times {
            for plugin in 0..PLUGINS {
                let user = format!("{letter} {CANARY}");
                let answer = ask(&panel, plugin, case_of(&user, &CANARY.repeat(100))).await;
                assert_eq!(answer.err().map(|fault| fault.kind), expected);
                // Whichever slots it left its canaries in, one of these gets them.
                for (viewer, before) in before.iter().enumerate() {
                    assert_eq!(&look(&panel, viewer, "viewer").await, before);
                }
            }
        }
    }
    // It would have seen one: there is one in this case.
    let there = ask(&panel, 0, case_of("viewer", &format!("odd {CANARY}"))).await;
    assert!(matches!(there, Ok(Opinion::Escalate(_))), "{there:?}");
}

#[tokio::test]
async fn nothing_of_others_is_ever_visible() {
    nothing_is_seen(1).await;
}

#[tokio::test]
async fn nothing_of_others_is_ever_visible_without_a_pool_either() {
    // So many memories have no room in any address space: each instance gets memory of its own.
    nothing_is_seen(100_000).await;
}

#[tokio::test]
async fn time_and_chance_are_functions_of_the_case_alone() {
    let panel = crowded(1);
    let chance = async |plugin, user| look(&panel, plugin, user).await.split_off(LETTERS / 2);
    let first = chance(0, "viewer").await;
    for plugin in 0..PLUGINS {
        // It draws numbers, too; and whose they are is nobody's business.
        let _opinion = ask(&panel, plugin, case_of("a", CANARY)).await.unwrap();
        assert_eq!(chance(plugin, "viewer").await, first);
    }
    assert_ne!(chance(0, "viewer2").await, first);
}

/// One that a guest took and did not give back would be missed by somebody else.
#[tokio::test]
async fn whatever_end_an_evaluation_came_to_its_places_are_free_again() {
    let panel = crowded(1);
    for letter in ["a", "t", "l"] {
        for round in 0..2 {
            let _end = ask(&panel, round, case_of(letter, CANARY)).await;
            // As many at a time as there are places.
            let (one, other) = tokio::join!(
                ask(&panel, 0, case_of("viewer", "a reason")),
                ask(&panel, 1, case_of("viewer", "a reason"))
            );
            assert!(one.is_ok() && other.is_ok(), "after {letter}: {one:?} {other:?}");
        }
    }
}
