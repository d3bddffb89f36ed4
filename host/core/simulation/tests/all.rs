//! What the simulation holds the core to in every test run: many schedules, small scopes, stories, and mutants, each of
//! which it must catch.

#![expect(clippy::panic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

mod scenarios;

use crate::mutants::Mutant;
use crate::simulation::schedule;

/// Schedules of an ordinary test run.
const SCHEDULES: u64 = 100_000;
const THREADS: u64 = 2;
/// Schedules within which each mutant has to be caught.
const MUTANT_SCHEDULES: u64 = 1_000;

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
fn the_same_seed_makes_the_same_story() {
    for seed in 0..100 {
        let story = schedule::story(seed);
        assert!(!story.is_empty());
        assert_eq!(story, schedule::story(seed), "seed {seed}");
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
