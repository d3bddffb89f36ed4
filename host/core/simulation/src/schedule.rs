//! One random schedule from one seed: people, time, bad luck, crashes; then calm, in which everything has to settle. The
//! same seed makes the same schedule, byte for byte; steps can be left out, which is how a failing one is made short.

mod chance;
mod people;

use std::fmt;
use std::time::Duration;

use tribunal_core::action::{Action, Event};
use tribunal_core::controller::HumanApproved;
use tribunal_core::failure::FailureClass;
use tribunal_core::request::UserName;
use tribunal_core::scope::{Exempt, Exemption};
use tribunal_core::{RoundLimits, Timestamp};

use chance::Rng;

use super::driver::{Call, Driver, Luck, POLL};
use super::invariants::Wrong;
use super::model::CACHE_LAG;
use super::policies::Policy;

/// Random steps of a whole schedule.
pub const STEPS: u64 = 64;
/// The first steps at most add a request each; the one after them begins to follow the cluster.
const ASKED_FIRST: u64 = 5;
/// Calls that move on in one step, one less at most.
const BURST: usize = 12;
/// Steps of a rush, one less at most.
const RUSH: usize = 40;
/// What it may take at most to come to rest in a calm poll interval.
const CALM_STEPS_MAX: u32 = 3_000;
/// Calm poll intervals until everything must be settled.
const CALM_POLLS: u32 = 2;
const USERS: [&str; 2] = ["hoarder", "switcher"];

/// How bad a schedule is.
struct Weather {
    faults: usize,
    people: usize,
    crashes: usize,
    breaks: usize,
    /// Whether policies change under way.
    changes: bool,
}

/// A schedule that broke a law, or came to no rest.
#[derive(Debug)]
pub struct Failed {
    /// The seed that it came from.
    pub seed: u64,
    /// What is wrong.
    pub wrong: Wrong,
    /// The steps without which it would not fail, of [`STEPS`].
    pub steps: Vec<u64>,
    /// What happened, line by line.
    pub story: Vec<String>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, wrong, steps, story } = self;
        write!(f, "seed {seed}: {wrong}\nin {} of {STEPS} steps:\n{}", steps.len(), story.join("\n"))
    }
}

/// Runs the schedule of a seed; one that fails is made as short as leaving out steps can make it.
pub fn check(seed: u64) -> Result<(), Box<Failed>> {
    let all: Vec<u64> = (0..STEPS).collect();
    if run(seed, &all, false).0.is_ok() {
        return Ok(());
    }
    let steps = shortest(all, |steps| run(seed, steps, false).0.is_err());
    let (result, story) = run(seed, &steps, true);
    let wrong = result.err().unwrap_or_else(|| "it fails only when nobody looks".to_owned());
    Err(Box::new(Failed { seed, wrong, steps, story }))
}

/// Whether the schedule of a seed fails.
pub fn breaks(seed: u64) -> bool {
    run(seed, &(0..STEPS).collect::<Vec<_>>(), false).0.is_err()
}

/// The story of a seed, whether it ends well or not.
pub fn story(seed: u64) -> Vec<String> {
    run(seed, &(0..STEPS).collect::<Vec<_>>(), true).1
}

/// Leaves out ever smaller runs of steps for as long as it still fails (Zeller, Hildebrandt: Simplifying and Isolating
/// Failure-Inducing Input, 2002).
fn shortest(mut steps: Vec<u64>, fails: impl Fn(&[u64]) -> bool) -> Vec<u64> {
    let mut run = steps.len();
    while run > 0 {
        let mut from = 0;
        while from < steps.len() {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + run).min(steps.len()));
            if fails(&fewer) { steps = fewer } else { from += run }
        }
        run /= 2;
    }
    steps
}

fn run(seed: u64, steps: &[u64], telling: bool) -> (Result<(), Wrong>, Vec<String>) {
    let mut rng = Rng(seed);
    let people = if rng.percent(60) { HumanApproved::Exempt } else { HumanApproved::Enforce };
    let panel = some_panel(&mut rng);
    let changes = rng.percent(20);
    let weather = match rng.below(5) {
        0 => Weather { faults: 0, people: 0, crashes: 0, breaks: 0, changes },
        1 => Weather { faults: 12, people: 0, crashes: 2, breaks: 2, changes },
        2 => Weather { faults: 0, people: 25, crashes: 0, breaks: 0, changes },
        3 => Weather { faults: 2, people: 15, crashes: 4, breaks: 4, changes },
        _ => Weather { faults: 6, people: 20, crashes: 1, breaks: 2, changes },
    };
    let mut driver = Driver::new(panel, people);
    if rng.percent(10) {
        let until = driver.world.now.after(Duration::from_secs(60 + rng.next() % 600));
        let on = Exempt::User(UserName::new(USERS[0]));
        driver.settings.exemptions.push(Exemption { on, until, reason: "an incident".to_owned() });
    }
    if rng.percent(10) {
        driver.settings.round = RoundLimits { actions_max: 5, locked_percent_max: 50, locked_subjects_min: 0 };
    }
    // Every fourth reviews instead of setting states; in half of these one approval is not enough.
    let reviews = (seed % 4 == 3).then_some(1 + usize::from(seed % 8 == 7));
    if let Some(approvals_needed) = reviews {
        driver.review_with(approvals_needed);
    }
    driver.restart();
    let mut schedule = Schedule { driver, rng, weather, made: 0, reviews };
    schedule.driver.telling = telling;
    let calm = &schedule.weather;
    schedule.driver.calm = calm.faults + calm.people + calm.crashes + calm.breaks == 0;
    let result = schedule.go(seed, steps);
    let story = std::mem::take(&mut schedule.driver.story);
    (result, story)
}

fn some_panel(rng: &mut Rng) -> Vec<Policy> {
    let mut panel = vec![Policy::Separation, Policy::Cap];
    match rng.below(5) {
        0 => panel.insert(0, Policy::Moody),
        1 => panel.push(Policy::Shadow),
        2 => panel.reverse(),
        _ => {}
    }
    panel
}

struct Schedule {
    driver: Driver,
    rng: Rng,
    weather: Weather,
    made: u32,
    /// Reviews resolve, so many approvals; then people review, too.
    reviews: Option<usize>,
}

// === impl Schedule ===

impl Schedule {
    fn go(&mut self, seed: u64, steps: &[u64]) -> Result<(), Wrong> {
        self.driver.deliver(Event::Tick)?;
        let end = self.rng.percent(20);
        for step in steps {
            self.rng = Rng::of_step(seed, *step);
            match *step {
                0..ASKED_FIRST => self.perhaps_ask(),
                ASKED_FIRST => self.begin()?,
                _ => self.step()?,
            }
            self.driver.publish();
        }
        self.calm()?;
        if end { self.end_of_all_access() } else { Ok(()) }
    }

    fn perhaps_ask(&mut self) {
        if self.rng.percent(50) {
            self.ask_for_access();
        }
    }

    fn begin(&mut self) -> Result<(), Wrong> {
        if self.rng.percent(80) {
            self.driver.watch_up()?;
        }
        if self.rng.percent(60) {
            // Something is held before the weather sets in.
            self.driver.drain(CALM_STEPS_MAX)?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Wrong> {
        let Weather { faults, people, crashes, breaks, changes } = self.weather;
        if self.driver.tripped && self.rng.percent(10) {
            return self.driver.deliver(Event::BreakerReleased);
        }
        if self.rng.percent(crashes) {
            return self.crash();
        }
        if self.rng.percent(breaks) {
            return if self.driver.watching { self.driver.watch_down() } else { self.driver.watch_up() };
        }
        if self.rng.percent(people) {
            return self.person();
        }
        if changes && self.rng.percent(5) {
            let panel = some_panel(&mut self.rng);
            return self.driver.change_panel(panel);
        }
        match self.rng.below(20) {
            0 | 1 => {
                self.ask_for_access();
                Ok(())
            }
            2..=4 => self.time(),
            5 if faults > 0 => {
                self.driver.ledger_works = self.rng.percent(85);
                Ok(())
            }
            5..=7 => self.news(),
            8 => self.rush(),
            _ => {
                for _ in 0..self.rng.below(BURST) {
                    self.call(faults)?;
                }
                Ok(())
            }
        }
    }

    fn crash(&mut self) -> Result<(), Wrong> {
        let rng = &mut self.rng;
        self.driver.crash(|| rng.percent(50))?;
        self.driver.publish();
        // A process takes longer to start than a cache to catch up.
        let later = CACHE_LAG + Duration::from_millis(1) + Duration::from_secs(self.rng.next() % 60);
        self.driver.wait(self.driver.world.now.after(later))?;
        self.driver.world.catch_up();
        self.driver.deliver(Event::Tick)
    }

    fn time(&mut self) -> Result<(), Wrong> {
        let now = self.driver.world.now;
        let idle = self.driver.calls.is_empty() && self.driver.stream.is_empty();
        let until = match self.driver.poll_timeout() {
            Some(at) if idle => at,
            // Time stands still for nobody, but calls have deadlines.
            Some(_) | None => now.after(Duration::from_millis(1 + self.rng.next() % 2_000)),
        };
        self.driver.wait(until)?;
        if self.rng.percent(10) {
            self.driver.world.sweep();
        }
        Ok(())
    }

    /// Much happens right before a list, which is served from a cache that does not know of it.
    fn rush(&mut self) -> Result<(), Wrong> {
        if !self.driver.calls.is_empty() || !self.driver.stream.is_empty() {
            return self.news();
        }
        let list_at = self.driver.poll_timeout().unwrap_or(self.driver.world.now);
        self.driver.wait(list_at.before(CACHE_LAG / 4).max(self.driver.world.now))?;
        self.ask_for_access();
        self.driver.publish();
        for _ in 0..self.rng.below(RUSH) {
            self.news()?;
            for _ in 0..self.rng.below(3) {
                self.call(self.weather.faults)?;
            }
        }
        self.driver.wait(list_at.max(self.driver.world.now))?;
        let is_list = |call: &Call| matches!(call, Call::Sent(Action::List));
        if let Some(at) = self.driver.calls.iter().position(is_list) {
            self.driver.advance(at, Luck::Good, |versions| versions - 1)?;
            self.driver.advance(at, Luck::Good, |_| 0)?;
        }
        self.ask_for_access();
        Ok(())
    }

    fn news(&mut self) -> Result<(), Wrong> {
        let keys: Vec<_> = self.driver.stream.keys().cloned().collect();
        if keys.is_empty() {
            return self.call(self.weather.faults);
        }
        let key = self.rng.pick(&keys).clone();
        let again = self.rng.percent(10);
        self.driver.stream_next(&key, again)
    }

    fn call(&mut self, faults: usize) -> Result<(), Wrong> {
        if self.driver.calls.is_empty() {
            return Ok(());
        }
        let at = self.rng.below(self.driver.calls.len());
        let unlucky = matches!(self.driver.calls[at], Call::Sent(_)) && self.rng.percent(faults);
        let luck = match (unlucky, self.rng.below(6)) {
            (false, _) => Luck::Good,
            (true, 0) => Luck::Fails(FailureClass::Alarm),
            (true, 1) => Luck::Fails(FailureClass::Settle),
            (true, 2 | 3) => Luck::Fails(FailureClass::Retry),
            (true, _) => Luck::LostReply,
        };
        let rng = &mut self.rng;
        self.driver.advance(at, luck, |versions| if rng.percent(50) { 0 } else { rng.below(versions) })
    }

    /// Nothing goes wrong any more, nobody does anything.
    fn calm(&mut self) -> Result<(), Wrong> {
        self.driver.tell(|| "-- calm --".to_owned());
        self.driver.ledger_works = true;
        if !self.driver.watching {
            self.driver.watch_up()?;
        }
        // What the server refused is not tried again before.
        let refused = 2 << self.driver.refusals.min(6);
        self.wait_polls(if self.driver.refusals == 0 { CALM_POLLS } else { CALM_POLLS + refused })?;
        self.settle()?;
        if self.driver.is_blind() || self.driver.in_flight() > 0 {
            return Err("is blind or busy though nothing is wrong".to_owned());
        }
        self.driver.settled()?;
        let lines = self.driver.ledger.len();
        if !self.driver.something_ends_within(POLL * 2) {
            self.wait_polls(2)?;
            if self.driver.ledger.len() > lines {
                let more: Vec<_> =
                    self.driver.ledger[lines..].iter().map(|it| super::driver::words::line(it)).collect();
                return Err(format!("does something though nothing happens: {more:?}"));
            }
        }
        Ok(())
    }

    /// Comes to rest; an operator releases the breaker as often as it trips.
    fn settle(&mut self) -> Result<(), Wrong> {
        self.driver.drain(CALM_STEPS_MAX)?;
        if self.driver.tripped {
            self.driver.deliver(Event::BreakerReleased)?;
            self.driver.drain(CALM_STEPS_MAX)?;
        }
        if self.driver.tripped { Err("trips right after it was released".to_owned()) } else { Ok(()) }
    }

    fn wait_polls(&mut self, polls: u32) -> Result<(), Wrong> {
        let until = self.driver.world.now.after(POLL * polls);
        while self.driver.world.now < until {
            self.settle()?;
            let next = self.driver.poll_timeout().map_or(until, |at| at.min(until));
            self.driver.wait(next)?;
        }
        Ok(())
    }

    /// Everything ends and is swept away: then nothing is remembered.
    fn end_of_all_access(&mut self) -> Result<(), Wrong> {
        self.driver.tell(|| "-- the end --".to_owned());
        self.driver.calm = false;
        let end = self.driver.world.requests().filter_map(|it| it.access_expires.max(it.request_expires)).max();
        let end = end.unwrap_or(self.driver.world.now).max(self.driver.world.now);
        self.jump(end.after(POLL))?;
        self.driver.world.sweep();
        self.driver.publish();
        self.wait_polls(3)?;
        self.driver.drain(CALM_STEPS_MAX)?;
        let remembered = self.driver.remembered();
        for empty in ["subjects: {}", "tickets: {}", "due: {}", "queue: []", "requests: {}", "in_flight: 0"] {
            if !remembered.contains(empty) {
                return Err(format!("{empty} is not so in the end: {remembered}"));
            }
        }
        Ok(())
    }

    /// A long time, in which the daemon works as always.
    fn jump(&mut self, until: Timestamp) -> Result<(), Wrong> {
        while self.driver.world.now < until {
            self.driver.drain(CALM_STEPS_MAX)?;
            let hour = self.driver.world.now.after(Duration::from_secs(3_600)).min(until);
            self.driver.wait(hour.min(self.driver.poll_timeout().unwrap_or(hour).max(hour)))?;
        }
        Ok(())
    }
}
