//! The attacks, as careless and as malicious authors write them.

#![expect(unsafe_code, clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "attacks")]

use std::collections::VecDeque;
use std::hint::black_box;
use std::io::Read as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use std::{env, io, mem, process, ptr, thread};

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_guest::{Case, log};

const MIB: usize = 1024 * 1024;
/// Where no memory is, of a guest that may have 64 MiB.
const NOWHERE: usize = 0xffff_fff0;
/// No function has it in a table.
const NO_FUNCTION: usize = 0x00ab_cdef;

/// What earlier evaluations would have left to this one.
static HOARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Attack {
    Abort,
    ArrayOnTheStack,
    CallOfANumber,
    ClockThatStands,
    EmptyInput,
    Environment,
    Exit,
    Grounds,
    HeapDamaged,
    Hoard,
    LockedTwice,
    LogWithoutEnd,
    Loop,
    Orders,
    OutputWithoutEnd,
    PanicOfMegabytes,
    Reason,
    Recursion,
    Sleep,
    Thread,
    VectorOfEverything,
    VectorsWithoutEnd,
    WildWrite,
}

// === impl Attack ===

impl Attack {
    /// Attacks, unless the attack is the answer.
    pub(crate) fn strike(self, case: &Case) {
        match self {
            Self::Abort => process::abort(),
            Self::ArrayOnTheStack => lay_out(),
            Self::CallOfANumber => call_a_number(),
            Self::ClockThatStands => {
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_millis(1) {}
            }
            Self::EmptyInput => assert_eq!(io::stdin().read_to_end(&mut Vec::new()).unwrap(), 0),
            Self::Environment => assert_eq!(env::vars().count() + env::args().count(), 0),
            Self::Exit => process::exit(0),
            Self::HeapDamaged => damage_the_heap(),
            Self::Hoard => hoard(case),
            Self::LockedTwice => {
                let _first = HOARD.lock().unwrap();
                let _second = HOARD.lock().unwrap();
            }
            Self::LogWithoutEnd => forever(|| log::info("again")),
            Self::Loop => forever(|| {}),
            Self::OutputWithoutEnd => forever(|| println!("again")),
            Self::PanicOfMegabytes => panic!("{}", "x".repeat(10 * MIB)),
            Self::Recursion => drop(black_box(descend(0))),
            Self::Sleep => thread::sleep(Duration::from_secs(3_600)),
            Self::Thread => thread::spawn(|| {}).join().unwrap(),
            Self::VectorOfEverything => drop(black_box(Vec::<u8>::with_capacity(usize::MAX / 2))),
            Self::VectorsWithoutEnd => forever(|| mem::forget(black_box(vec![1_u8; MIB]))),
            // Nothing is there to be damaged.
            Self::WildWrite => unsafe { ptr::write_volatile(NOWHERE as *mut u64, 1) },
            Self::Grounds | Self::Orders | Self::Reason => {}
        }
    }

    /// The reasons of its answer.
    pub(crate) fn reasons(self) -> Vec<String> {
        if matches!(self, Self::Grounds) {
            vec!["x".to_owned(); 1_000]
        } else if matches!(self, Self::Reason) {
            vec!["x".repeat(10 * MIB)]
        } else {
            Vec::new()
        }
    }

    /// What it wants to be locked.
    pub(crate) fn orders(self) -> impl Iterator<Item = String> {
        let count = if matches!(self, Self::Orders) { 10 } else { 0 };
        (0..count).map(|number| format!("00000000-0000-0000-0000-{number:012}"))
    }
}

fn forever(again: impl Fn()) {
    loop {
        again();
        black_box(());
    }
}

/// Apart from the other attacks, whose stack it would be.
#[inline(never)]
fn lay_out() {
    black_box([1_u8; MIB]);
}

#[expect(unconditional_recursion, reason = "an attack")]
fn descend(depth: u64) -> u64 {
    let here = black_box([depth; 128]);
    descend(depth + 1) + here.iter().sum::<u64>()
}

fn call_a_number() {
    // A number is no function; the table says so.
    let nothing: fn() = unsafe { mem::transmute(black_box(NO_FUNCTION)) };
    nothing();
}

fn damage_the_heap() {
    let mut texts: VecDeque<_> = (1..100).map(|length| "x".repeat(length)).collect();
    for text in &texts {
        // What the allocator notes down before each piece.
        unsafe { ptr::write_bytes(text.as_ptr().cast_mut().sub(8), 0xff, 8) };
    }
    while let Some(text) = texts.pop_front() {
        drop(black_box(text));
        black_box(vec![1_u8; 1_000]);
    }
}

fn hoard(case: &Case) {
    let mut hoard = HOARD.lock().unwrap();
    assert!(hoard.is_empty(), "{hoard:?}");
    hoard.push(case.subject.name.clone());
}
