//! Components that nobody wrote: policies whose functions are random code, and mutations of what is known. Equal seed, equal
//! bytes.

use crate::harness::{Parts, policy};

/// How deep random code is nested.
const DEPTH_MAX: usize = 6;
/// Statements of a function.
const STATEMENTS_MAX: usize = 12;
/// The longest component that is mutated, in bytes.
const MUTATED_BYTES_MAX: usize = 64 * 1024;
/// Changes of one component.
const CHANGES_MAX: u64 = 6;
/// Bytes that decoders count with.
const ODD_BYTES: [u8; 8] = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x0b, 0x40, 0x70];
/// Numbers at the edges of things: of memory, of signs, of the honest policy's answers.
const ODD_NUMBERS: [i64; 16] =
    [0, 1, 2, 7, 64, 1_064, 1_208, 1_232, 2_048, 65_535, 65_536, 131_064, 2_147_483_647, -2_147_483_648, -1, -8];
const UNARY: [&str; 6] = ["i32.eqz", "i32.clz", "i32.popcnt", "i32.extend8_s", "i32.load8_u", "i32.load offset=4"];
const BINARY: [&str; 14] = [
    "i32.add",
    "i32.sub",
    "i32.mul",
    "i32.div_s",
    "i32.rem_u",
    "i32.and",
    "i32.or",
    "i32.xor",
    "i32.shl",
    "i32.rotr",
    "i32.lt_s",
    "i32.ge_u",
    "i32.ne",
    "i32.shr_s",
];
/// What random code has to hand: parts of the host, a table of itself, a segment.
const SURROUNDINGS: &str = r#"
    (import "host" "log" (func $log (param i32 i32 i32)))
    (import "host" "random" (func $random (result i64)))
    (import "host" "random-bytes" (func $random-bytes (param i64 i32)))
    (import "host" "stderr" (func $stderr (result i32)))
    (import "host" "write" (func $write (param i32 i32 i32 i32)))
    (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "drop-pollable" (func $drop-pollable (param i32)))
    (type $f (func (param i32) (result i32)))
    (table $t 4 1000 funcref)
    (elem (table $t) (i32.const 0) func $one $two)
    (data $d "\00\ff\01\fe\7f\80rule-a")
    (global $g (mut i32) (i32.const 0))"#;

/// A component of this seed; every other one is a mutation of one that is known.
///
/// # Errors
/// That the harness is damaged.
pub fn random(seed: u64, known: &[&[u8]]) -> Result<Vec<u8>, String> {
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let known: Vec<&[u8]> = known.iter().copied().filter(|bytes| bytes.len() <= MUTATED_BYTES_MAX).collect();
    match known.get(chance.below(known.len())) {
        Some(bytes) if seed % 2 == 1 => Ok(mutated(bytes, &mut chance)),
        Some(_) | None => policy(Parts { fields: &code(&mut chance), ..Parts::default() }),
    }
}

/// Functions of random code in the place of a policy's.
fn code(chance: &mut Chance) -> String {
    let mut fields = SURROUNDINGS.to_owned();
    // The more of it is random, the sooner it is turned away.
    let realloc = "(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)";
    let heads = [
        ("(func $one (type $f)", 2),
        ("(func $two (type $f)", 2),
        ("(func (export \"review\") (param i32) (result i32)", 2),
        ("(func (export \"enforce\") (type $enforce)", 2),
        (realloc, 16),
        ("(func (export \"configure\") (param i32 i32) (result i32)", 32),
        ("(func (export \"describe\") (result i32) (local i32)", 32),
    ];
    for (head, of) in heads {
        if of == 2 || chance.below(of) == 0 {
            // The first parameter of `enforce` has 64 bits, and `describe` has none: random code uses a variable of its own.
            fields.push_str(&format!("{head} (local $v i32)"));
            for _ in 0..chance.below(STATEMENTS_MAX) {
                fields.push_str(&chance.statement(DEPTH_MAX));
            }
            fields.push_str(&format!("{})\n", chance.value(DEPTH_MAX)));
        }
    }
    fields
}

/// These bytes with a few changes.
fn mutated(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.next() % CHANGES_MAX {
        let at = chance.below(bytes.len());
        let until = at.saturating_add(chance.below(64)).min(bytes.len());
        match chance.below(6) {
            0 => drop(bytes.splice(at..at, [chance.byte()])),
            1 => drop(bytes.drain(at..until)),
            2 => {
                let again: Vec<u8> = bytes.get(at..until).unwrap_or_default().to_vec();
                drop(bytes.splice(at..at, again));
            }
            3 => bytes.truncate(at.max(16)),
            4 => {
                let odd = ODD_BYTES.get(chance.below(ODD_BYTES.len())).copied().unwrap_or_default();
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = odd);
            }
            _ => {
                let bit = 1_u8 << chance.below(8);
                bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
            }
        }
    }
    bytes
}

/// Numbers that their seed determines.
struct Chance(u64);

// === impl Chance ===

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn byte(&mut self) -> u8 {
        let [byte, ..] = self.next().to_le_bytes();
        byte
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.get(self.below(from.len())).copied().unwrap_or_default()
    }

    fn odd_number(&mut self) -> i64 {
        ODD_NUMBERS.get(self.below(ODD_NUMBERS.len())).copied().unwrap_or_default()
    }

    /// An expression of 32 bits.
    fn value(&mut self, depth: usize) -> String {
        if depth == 0 || self.below(5) == 0 {
            return match self.below(8) {
                0 => "(local.get $v)".to_owned(),
                1 => "(global.get $g)".to_owned(),
                2 => "(memory.size)".to_owned(),
                3 => "(table.size $t)".to_owned(),
                4 => "(global.get $approve)".to_owned(),
                5 => "(call $stderr)".to_owned(),
                _ => format!("(i32.const {})", self.odd_number()),
            };
        }
        let mut sub = || self.value(depth - 1);
        let (a, b) = (sub(), sub());
        match self.below(14) {
            0 => format!("(memory.grow {a})"),
            1 => format!("(table.grow $t (ref.null func) {a})"),
            2 => format!("(call $one {a})"),
            3 => format!("(call_indirect $t (type $f) {a} {b})"),
            4 => format!("(select {a} {b} (local.get $v))"),
            5 => format!("(i32.wrap_i64 (i64.mul (call $random) (i64.extend_i32_s {a})))"),
            6 => format!("(i32.trunc_f64_s (f64.div (f64.convert_i32_s {a}) (f64.convert_i32_u {b})))"),
            7 => format!("(call $subscribe (i64.extend_i32_u {a}))"),
            8 => format!("(block (result i32) (drop (br_if 0 {a} {b})) {a})"),
            9 | 10 => format!("({} {a})", self.pick(&UNARY)),
            _ => format!("({} {a} {b})", self.pick(&BINARY)),
        }
    }

    fn statement(&mut self, depth: usize) -> String {
        if depth == 0 {
            return "(nop)".to_owned();
        }
        let (a, b, c) = (self.value(depth / 2), self.value(depth / 2), self.value(depth / 2));
        match self.below(18) {
            0 => format!("(i32.store {a} {b})"),
            1 => format!("(i64.store16 offset=2 {a} (i64.extend_i32_s {b}))"),
            2 => format!("(memory.fill {a} {b} {c})"),
            3 => format!("(memory.copy {a} {b} {c})"),
            4 => format!("(memory.init $d {a} {b} {c})"),
            5 => "(data.drop $d)".to_owned(),
            6 => format!("(table.set $t {a} (ref.func $one))"),
            7 => format!("(table.fill $t {a} (ref.null func) {b})"),
            8 => format!("(loop {} (br_if 0 {a}))", self.statement(depth - 1)),
            9 => format!("(if {a} (then {}) (else {}))", self.statement(depth - 1), self.statement(depth - 1)),
            10 => format!("(block (br_if 0 {a}) {})", self.statement(depth - 1)),
            11 => format!("(global.set $g {a})"),
            12 => format!("(call $log {a} {b} {c})"),
            13 => format!("(call $write {a} {b} {c} (i32.const 2048))"),
            14 => format!("(call $random-bytes (i64.extend_i32_u {a}) {b})"),
            15 => format!("(call $block {a})"),
            16 => format!("(call $drop-pollable {a})"),
            _ => format!("(local.set $v {a})"),
        }
    }

    /// Evenly from 0 to `bound`, without it; 0 for 0.
    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX);
        usize::try_from(self.next().checked_rem(bound).unwrap_or_default()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn equal_seeds_give_equal_bytes_and_others_do_not() {
        let known = policy(Parts::default()).unwrap();
        let all: Vec<Vec<u8>> = (0..100).map(|seed| random(seed, &[&known]).unwrap()).collect();
        for (seed, bytes) in (0..).zip(&all) {
            assert_eq!(&random(seed, &[&known]).unwrap(), bytes);
        }
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert!(different.len() > 90, "{}", different.len());
    }

    #[test]
    fn random_code_is_valid() {
        for seed in 0..200 {
            let bytes = random(seed, &[]).unwrap();
            let valid = wasmparser::Validator::new().validate_all(&bytes).map(drop);
            assert!(valid.is_ok(), "{seed}: {valid:?}");
        }
    }
}
