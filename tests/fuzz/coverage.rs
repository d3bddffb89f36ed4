//! Which edges of the code a case took, if the program was built with counters on them (LLVM's SanitizerCoverage). Without
//! them it must never be in the way.
#![expect(unsafe_code, reason = "the counters belong to the compiler, which tells where they are by pointers")]

use std::slice;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

static FIRST: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Called by instrumented code before `main`, once for each object file, always with all counters of the program.
// SAFETY: the name and the signature are those that instrumented code calls; nobody else defines it.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(first: *mut u8, end: *mut u8) {
    FIRST.store(first, Ordering::Relaxed);
    COUNT.store((end as usize).saturating_sub(first as usize), Ordering::Relaxed);
}

/// What was seen of the counters so far: for each, the classes of how often it was passed in one case.
#[derive(Debug, Default)]
pub(crate) struct Edges {
    seen: Vec<u8>,
}

/// How many counters there are.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Relaxed)
}

fn counters<'a>() -> &'a mut [u8] {
    let first = FIRST.load(Ordering::Relaxed);
    if first.is_null() {
        return &mut [];
    }
    // SAFETY: the compiler's range, which lives as long as the program. Other threads of it may count meanwhile, which
    // costs nothing but a count.
    unsafe { slice::from_raw_parts_mut(first, count()) }
}

/// Whether the case since [`begin`] took all of these edges.
pub(crate) fn took(edges: &[usize]) -> bool {
    edges.iter().all(|edge| counters().get(*edge).is_some_and(|count| *count != 0))
}

/// Sets all counters to zero.
pub(crate) fn begin() {
    counters().fill(0);
}

// === impl Edges ===

impl Edges {
    /// Adds what the case since [`begin`] took; whether anything of it is new.
    pub(crate) fn add(&mut self) -> bool {
        self.seen.resize(count(), 0);
        let mut new = false;
        // Most counters are zero: eight at a time are passed over.
        for (seen, now) in self.seen.chunks_mut(8).zip(counters().chunks(8)) {
            if now.iter().all(|count| *count == 0) {
                continue;
            }
            for (seen, now) in seen.iter_mut().zip(now) {
                let class = class(*now);
                new |= class & !*seen != 0;
                *seen |= class;
            }
        }
        new
    }

    /// The edges that the case since [`begin`] took and none before it, however often. Adds nothing.
    pub(crate) fn first_taken(&self) -> Vec<usize> {
        let seen = |place: usize| self.seen.get(place).is_some_and(|seen| *seen != 0);
        let taken = counters().iter().enumerate().filter(|(_, count)| **count != 0);
        taken.map(|(place, _)| place).filter(|place| !seen(*place)).collect()
    }

    /// How many were taken at all.
    pub(crate) fn taken(&self) -> usize {
        self.seen.iter().filter(|seen| **seen != 0).count()
    }
}

/// A bit for how often: once, twice, …, very often.
fn class(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128..=255 => 128,
    }
}
