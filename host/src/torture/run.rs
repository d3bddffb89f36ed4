//! Runs the attacks, round after round, on as many threads as asked for, and measures around each. It never judges what it
//! measures.

use std::fs;
use std::hint;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tribunal_engine::Workshop;
use tribunal_hostile::Guest;

use super::arena::Arena;
use super::figures::{Figures, micros};
use super::judge::{BACK_MS_MAX, GROWTH_BEYOND_CAP_BYTES_MAX};
use super::process;
use super::report::{Conditions, GuestReport, Report, Unknown};

/// How long is waited for memory and files to go back, in multiples of how long it may take.
const BACK_PATIENCE: u32 = 5;
/// How often is looked whether it did.
const LOOK: Duration = Duration::from_millis(1);

/// A tenth of the rounds, at least the first, warms up: then this process holds what it keeps on purpose, such as slots of the
/// engine's pool, and what the allocator holds back for each thread. That has bounds; whoever leaks grows on.
const WARM_UP_PART: u32 = 10;

/// What is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often each guest strikes.
    pub rounds: u32,
    /// How many strike at a time.
    pub threads: usize,
    /// Of the order of the attacks, and of random components.
    pub seed: u64,
    /// Random components after the rounds.
    pub random: u32,
    /// Files with components that somebody else made, tried like those.
    pub components: Vec<PathBuf>,
    /// Whether all processors are kept busy with something else meanwhile.
    pub load: bool,
    /// Whether times are judged; if not, nobody who is not to miss a deadline has one that a busy machine could miss.
    pub timed: bool,
    /// Only guests of whose names this is a part.
    pub only: Option<String>,
}

/// Places where components are compiled: one that remembers what it compiled, and one that does not.
pub struct Workshops {
    /// For guests, which come again and again.
    pub remembering: Arc<Workshop>,
    /// For random components, which come once.
    pub forgetful: Arc<Workshop>,
}

/// Runs all of it; `tell` hears of each round. Blocks; `handle` is of the runtime that it waits with.
///
/// # Errors
/// That it could not begin: that the engine does not start, or that the corpus is damaged.
pub fn run(
    options: &Options,
    workshops: Workshops,
    handle: &Handle,
    tell: impl Fn(String) + Sync,
) -> Result<Report, String> {
    let mut guests = tribunal_hostile::corpus()?;
    if let Some(part) = &options.only {
        guests.retain(|guest| guest.name.contains(part.as_str()));
        if guests.is_empty() {
            return Err(format!("no guest has `{part}` in its name: see `--list`"));
        }
    }
    process::count_panics();
    tell(format!("loading {} guests", guests.len()));
    let Workshops { remembering, forgetful } = workshops;
    let arena = handle.block_on(Arena::open(remembering, &guests, options.timed))?;
    let figures = guests.iter().map(|_| Mutex::default()).collect();
    let bench = Bench { options, arena, guests, figures, handle, tell };
    let mut report = Report { conditions: Conditions::of(options), ..Report::default() };
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        if options.load {
            for _ in 0..thread::available_parallelism().map_or(1, NonZeroUsize::get) {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        hint::spin_loop();
                    }
                });
            }
        }
        let ran = bench.rounds(&mut report).and_then(|()| bench.unknown(&forgetful, &mut report));
        stop.store(true, Ordering::Relaxed);
        ran
    })?;
    // What ran last is still taken down by threads of the engine.
    wait_until(Instant::now(), || process::open_files() <= report.files_warm);
    (report.resident_after, report.files_after) = (process::resident(), process::open_files());
    report.panics = process::panics();
    for (guest, figures) in bench.guests.into_iter().zip(bench.figures) {
        let figures = figures.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.guests.push(GuestReport::of(guest, figures));
    }
    Ok(report)
}

/// Looks again and again until it is so, from `begun` on for as long as there is patience.
fn wait_until(begun: Instant, is_so: impl Fn() -> bool) {
    let patience = Duration::from_millis(BACK_MS_MAX) * BACK_PATIENCE;
    while !is_so() && begun.elapsed() <= patience {
        thread::park_timeout(LOOK);
    }
}

/// All that a run works with.
struct Bench<'a, F> {
    options: &'a Options,
    arena: Arena,
    guests: Vec<Guest>,
    /// What each of the guests came to so far.
    figures: Vec<Mutex<Figures>>,
    handle: &'a Handle,
    tell: F,
}

// === impl Bench ===

impl<F: Fn(String) + Sync> Bench<'_, F> {
    fn rounds(&self, report: &mut Report) -> Result<(), String> {
        let mut order = Order::new(self.options.seed);
        let warm_up = (self.options.rounds / WARM_UP_PART).max(1);
        for round in 0..self.options.rounds {
            let number = round.saturating_add(1);
            (self.tell)(format!("round {number} of {}", self.options.rounds));
            let turns = self.guests.iter().zip(&self.figures);
            let mut turns: Vec<_> =
                turns.filter(|(guest, _)| guest.rounds_max.is_none_or(|most| round < most)).collect();
            order.shuffle(&mut turns);
            self.round(&turns)?;
            if number == 1 {
                report.resident_first = process::resident();
            }
            if number == warm_up {
                (report.resident_warm, report.files_warm) = (process::resident(), process::open_files());
            }
        }
        Ok(())
    }

    /// One attack by each of these, on as many threads as asked for.
    fn round(&self, turns: &[(&Guest, &Mutex<Figures>)]) -> Result<(), String> {
        let next = AtomicUsize::new(0);
        let wrong = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..self.options.threads {
                scope.spawn(|| {
                    while let Some((guest, figures)) = turns.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(error) = self.handle.block_on(self.strike(guest, figures)) {
                            *wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        }
                    }
                });
            }
        });
        wrong.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }

    /// One attack, and an honest decision right after it.
    async fn strike(&self, guest: &Guest, figures: &Mutex<Figures>) -> Result<(), String> {
        let before = process::resident();
        let sees_peaks = process::forget_peak();
        let begun = Instant::now();
        let outcome = self.arena.attack(guest).await?;
        let returned = begun.elapsed();
        let honest = self.arena.is_honest_as_before().await;
        let answered = begun.elapsed().saturating_sub(returned);
        let peak = if sees_peaks { process::peak() } else { process::resident() };
        let back = before.map_or(Duration::ZERO, |before| self.back(before, begun + returned));

        let wrong = if !outcome.is_expected(guest) {
            Some(outcome.told())
        } else if outcome.is_unfit() {
            Some(format!("text with control characters: {:?}", outcome.detail))
        } else if !honest {
            Some("afterwards an honest policy answered otherwise than before".to_owned())
        } else {
            None
        };
        let growth = before.zip(peak).map_or(0, |(before, peak)| peak.saturating_sub(before));
        let mut figures = figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures.attack(wrong);
        figures.returned_us.push(micros(returned));
        figures.honest_us.push(micros(answered));
        figures.growth_bytes = figures.growth_bytes.max(growth);
        figures.back_us = figures.back_us.max(micros(back));
        Ok(())
    }

    /// How long it took, from when control was back, until the process was about as large as before. Beside other attacks,
    /// nobody knows whose memory it is, and nothing is waited for.
    fn back(&self, before: u64, returned: Instant) -> Duration {
        let most = before.saturating_add(GROWTH_BEYOND_CAP_BYTES_MAX);
        let is_back = || self.options.threads > 1 || process::resident().is_none_or(|now| now <= most);
        wait_until(returned, is_back);
        if self.options.threads > 1 { Duration::ZERO } else { returned.elapsed() }
    }

    /// Components that nobody knows, one after the other.
    fn unknown(&self, workshop: &Workshop, report: &mut Report) -> Result<(), String> {
        let Options { random, seed, components, .. } = self.options;
        let known: Vec<&[u8]> = self.guests.iter().map(|guest| guest.component.as_slice()).collect();
        let made = (0..*random).map(|number| {
            let seed = seed.wrapping_add(u64::from(number));
            tribunal_hostile::random(seed, &known).map(|bytes| (format!("random component {seed}"), bytes))
        });
        let found = components.iter().map(|path| {
            let read = fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()));
            read.map(|bytes| (format!("component `{}`", path.display()), bytes))
        });
        let count = usize::try_from(*random).unwrap_or(usize::MAX).saturating_add(components.len());
        for (number, component) in (0_usize..).zip(made.chain(found)) {
            if number % 100 == 0 {
                (self.tell)(format!("unknown component {} of {count}", number.saturating_add(1)));
            }
            let (name, component) = component?;
            let begun = Instant::now();
            let outcomes = self.handle.block_on(self.arena.try_unknown(workshop, component));
            let took = begun.elapsed();
            let honest = self.handle.block_on(self.arena.is_honest_as_before());
            report.unknown.get_or_insert_with(Unknown::default).count(&name, &outcomes, honest, took);
        }
        Ok(())
    }
}

/// The order of attacks, another one each round.
struct Order(u64);

// === impl Order ===

impl Order {
    const fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from((self.0 >> 33) % bound).unwrap_or_default()
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last.saturating_add(1));
            items.swap(last, other);
        }
    }
}
