//! The core against a model of Teleport: whole schedules from seeds, and scenarios told as text.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod driver;
mod invariants;
mod model;
mod policies;
mod scenarios;
mod schedule;

/// Schedules of an ordinary test run.
const SCHEDULES: u64 = 20_000;
/// Set this to run more, or others.
const SCHEDULES_VARIABLE: &str = "TRIBUNAL_SCHEDULES";
const THREADS: u64 = 2;

#[test]
fn no_schedule_breaks_a_law() {
    let schedules = schedules();
    let failed = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || (thread..schedules).step_by(2).find(|seed| schedule::run(*seed, false).0.is_err()))
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).min()
    });
    if let Some(seed) = failed {
        let (result, story) = schedule::run(seed, true);
        panic!("seed {seed}: {}\n{}", result.unwrap_err(), story.join("\n"));
    }
}

#[test]
fn the_same_seed_makes_the_same_story() {
    for seed in 0..100 {
        let (_, story) = schedule::run(seed, true);
        assert!(!story.is_empty());
        assert_eq!(story, schedule::run(seed, true).1, "seed {seed}");
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is not the core's business")]
fn schedules() -> u64 {
    std::env::var(SCHEDULES_VARIABLE).map_or(SCHEDULES, |number| number.parse().expect("a number of schedules"))
}
