//! What the simulation holds the core to in every test run: many schedules, small scopes, stories, and mutants, each of
//! which it must catch.

#![expect(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod scenarios;

use crate::mutants::Mutant;
use crate::simulation::{schedule, search};

/// Schedules of an ordinary test run.
const SCHEDULES: u64 = 100_000;
const THREADS: u64 = 2;
/// Events of an ordinary test run; the program searches deeper.
const EVENTS: u32 = 3;
/// States that a scope has at least at that depth.
const STATES_MIN: usize = 10_000;
/// Schedules within which each mutant has to be caught.
const MUTANT_SCHEDULES: u64 = 1_000;
/// Schedules beyond the ordinary ones that once showed a mistake, of the core or of the model.
const TELLING: [u64; 7] = [278_759, 1_217_179, 1_337_856, 8_126_655, 50_023_709, 50_132_991, 50_138_323];

#[test]
fn no_schedule_breaks_a_law() {
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || (thread..SCHEDULES).step_by(2).find_map(|seed| schedule::check(seed).err()))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).min_by_key(|failed| failed.seed)
    });
    if let Some(failed) = failed {
        panic!("{failed}");
    }
}

#[test]
fn what_broke_a_law_once_does_not_do_so_again() {
    for seed in TELLING {
        if let Err(failed) = schedule::check(seed) {
            panic!("{failed}");
        }
    }
}

#[test]
fn the_same_seed_makes_the_same_story() {
    for seed in 0..100 {
        let story = schedule::story(seed);
        assert!(!story.is_empty());
        assert_eq!(story, schedule::story(seed), "seed {seed}");
    }
}

#[test]
fn no_order_of_a_few_events_and_a_crash_breaks_a_law() {
    let found = std::thread::scope(|threads| {
        let threads = search::SCOPES.map(|scope| (scope.name(), threads.spawn(move || scope.search(EVENTS, |_| ()))));
        threads.map(|(name, thread)| (name, thread.join().unwrap()))
    });
    for (name, found) in found {
        let found = found.unwrap_or_else(|broken| panic!("scope `{name}`: {broken}"));
        assert!(found.states >= STATES_MIN && found.at_rest > 0, "too few to be all: {found:?}");
    }
}

#[test]
fn every_mutant_is_caught() {
    let missed: Vec<_> = Mutant::ALL.into_iter().filter(|mutant| caught(*mutant).is_none()).collect();
    assert!(missed.is_empty(), "{missed:?} break no law within {MUTANT_SCHEDULES} schedules");
}

/// The first seed that shows a mutant.
fn caught(mutant: Mutant) -> Option<u64> {
    mutant.during(|| (0..MUTANT_SCHEDULES).find(|seed| schedule::breaks(*seed)))
}
