//! What a guest can reach: nothing but its case, and the inert remains of WASI.

use tribunal_core::opinion::{FaultKind, Opinion};
use tribunal_engine::testing::{Guest, OPINION_ABSTAIN};

use crate::{assert_fault, fault, review};

const NOW: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.12" "now" (func $now (result i64)))"#;
const WALL: &str = r#"(import "wasi:clocks/wall-clock@0.2.12" "now" (func $wall (param i32)))"#;
const SLEEP: &str = r#"(import "wasi:clocks/monotonic-clock@0.2.12" "subscribe-duration" (func $sleep (param i64) (result i32)))
       (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))"#;
const STDERR: &str = r#"(import "wasi:cli/stderr@0.2.12" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))"#;
const LOG: &str = r#"(import "tribunal:policy/log@0.1.0" "write" (func $log (param i32 i32 i32)))"#;
const RANDOM: &str = r#"(import "wasi:random/random@0.2.12" "get-random-u64" (func $random (result i64)))"#;

/// A guest that abstains if `condition` is true and traps if it is not.
fn checks(imports: &str, condition: &str) -> Guest {
    let mut guest = Guest::new().import(imports);
    let abstain = guest.opinion(OPINION_ABSTAIN, &[]);
    guest.review(&format!("(if (i32.eqz {condition}) (then (unreachable))) (i32.const {abstain})"))
}

#[tokio::test]
async fn time_stands_at_the_cases_now() {
    let guest = checks(NOW, "(i64.eq (call $now) (i64.const 1735689600000000000))");
    assert_eq!(review(&guest).await, Ok(Opinion::Abstain));
    let guest = checks(
        WALL,
        "(block (result i32) (call $wall (i32.const 32)) (i64.eq (i64.load (i32.const 32)) (i64.const 1735689600)))",
    );
    assert_eq!(review(&guest).await, Ok(Opinion::Abstain));
}

#[tokio::test]
async fn sleeping_holds_no_thread() {
    // A year of sleep, within the deadline of 50 ms.
    let guest =
        checks(SLEEP, "(block (result i32) (call $block (call $sleep (i64.const 31536000000000000))) (i32.const 1))");
    assert_eq!(review(&guest).await, Ok(Opinion::Abstain));
}

#[tokio::test]
async fn handles_without_end_are_a_limit() {
    let guest = Guest::new().import(SLEEP).review("(loop $l (drop (call $sleep (i64.const 1))) (br $l)) (unreachable)");
    assert_fault(&fault(&guest).await, FaultKind::Limit, "1024 open handles");
}

#[tokio::test]
async fn randomness_is_the_same_for_the_same_case() {
    // Denies with the number as its reason's only text would need digits; trapping at its address tells as much.
    let guest = Guest::new()
        .import(RANDOM)
        .field("(global $seen (mut i64) (i64.const 0))")
        .review("(i32.load (i32.or (i32.wrap_i64 (call $random)) (i32.const 0x80000000)))");
    let (one, other) = (fault(&guest).await, fault(&guest).await);
    assert_eq!(one, other);
    let mut guest = Guest::new().import(RANDOM);
    let reason = guest.text("????????????????");
    let answer = guest.opinion(1, &[("rule-a", "")]);
    let bits = |shift: u32| {
        format!(
            "(i32.store8 (i32.const {at}) (i32.add (i32.const 97) (i32.wrap_i64
                (i64.and (i64.shr_u (local.get $n) (i64.const {by})) (i64.const 15)))))",
            at = reason + shift,
            by = 4 * shift,
        )
    };
    let body = (0..16).map(bits).collect::<String>();
    let guest = guest.review(&format!(
        "(local $n i64) (local.set $n (call $random)) {body}
         (i32.store (i32.const {at}) (i32.const {reason})) (i32.store (i32.const {len}) (i32.const 16)) (i32.const {answer})",
        at = answer + 12,
        len = answer + 16,
    ));
    let first = review(&guest).await.unwrap();
    assert_eq!(review(&guest).await.unwrap(), first);
    assert_ne!(first.grounds()[0].reason, "aaaaaaaaaaaaaaaa");
}

#[tokio::test]
async fn a_panics_message_reaches_its_author() {
    let mut guest = Guest::new().import(STDERR);
    let text = "panicked at src/lib.rs:1:1:\nindex out of bounds";
    let at = guest.text(text);
    let guest = guest.review(&format!(
        "(call $write (call $stderr) (i32.const {at}) (i32.const {}) (i32.const 32)) (unreachable)",
        text.len()
    ));
    let found = fault(&guest).await;
    assert_fault(&found, FaultKind::Trap, "stderr: panicked at src/lib.rs:1:1: index out of bounds");
}

#[tokio::test]
async fn output_without_end_is_bounded() {
    let guest = Guest::new().import(STDERR).review(
        "(local $n i32)
         (loop $l
            (call $write (call $stderr) (i32.const 0) (i32.const 4096) (i32.const 32))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $n) (i32.const 10))))
         (unreachable)",
    );
    let found = fault(&guest).await;
    assert_eq!(found.kind, FaultKind::Trap, "{found:?}");
    assert!(found.detail.len() < 10_000, "{} bytes", found.detail.len());
}

#[tokio::test]
async fn exit_is_a_trap() {
    let guest = Guest::new()
        .import(r#"(import "wasi:cli/exit@0.2.12" "exit" (func $exit (param i32)))"#)
        .review("(call $exit (i32.const 0)) (unreachable)");
    assert_fault(&fault(&guest).await, FaultKind::Trap, "called `exit` instead of answering");
}

#[tokio::test]
async fn a_log_flood_changes_no_answer() {
    let guest = checks(
        LOG,
        "(block (result i32)
            (global.set $n (i32.const 0))
            (loop $l
                (call $log (i32.const 2) (i32.const 1024) (i32.const 100))
                (global.set $n (i32.add (global.get $n) (i32.const 1)))
                (br_if $l (i32.lt_u (global.get $n) (i32.const 1000))))
            (i32.const 1))",
    )
    .field("(global $n (mut i32) (i32.const 0))");
    assert_eq!(review(&guest).await, Ok(Opinion::Abstain));
}

#[tokio::test]
async fn a_huge_log_line_is_a_limit() {
    let guest = Guest::new()
        .memory("100")
        .import(LOG)
        .review("(call $log (i32.const 0) (i32.const 65536) (i32.const 5000000)) (unreachable)");
    assert_fault(&fault(&guest).await, FaultKind::Limit, "hostcall_bytes_max");
}
