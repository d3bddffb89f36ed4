//! What the simulation holds the core to in every test run: many schedules, small scopes, stories, and mutants, each of
//! which it must catch.

#![expect(clippy::panic, reason = "tests")]

mod scenarios;

use super::schedule;

/// Schedules of an ordinary test run.
const SCHEDULES: u64 = 100_000;
const THREADS: u64 = 2;

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
