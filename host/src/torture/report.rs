//! What all attacks came to, as programs read it. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value as Json, json};
use tribunal_engine::Limits;
use tribunal_hostile::{Guest, Strike};

use super::figures::{Figures, Percentiles};
use super::judge;
use super::outcome::Outcome;
use super::run::Options;

/// What went wrong with random components is told so often.
const TOLD_MAX: usize = 10;

/// What all attacks came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What was run.
    pub conditions: Conditions,
    /// In the order of when they strike, and of their names.
    pub guests: Vec<GuestReport>,
    /// Components that nobody knows; none: there were none.
    pub unknown: Option<Unknown>,
    /// Resident memory after the first round, in bytes.
    pub resident_first: Option<u64>,
    /// The same after the first tenth of the rounds, which warms up.
    pub resident_warm: Option<u64>,
    /// The same at the end.
    pub resident_after: Option<u64>,
    /// Open files after the warm-up.
    pub files_warm: Option<usize>,
    /// The same at the end.
    pub files_after: Option<usize>,
    /// Panics of the host, also such as it caught.
    pub panics: u64,
}

/// What was run.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Rounds.
    pub rounds: u32,
    /// Attacks at a time.
    pub threads: usize,
    /// Of everything left to chance.
    pub seed: u64,
    /// Whether all processors were busy with something else.
    pub load: bool,
    /// Whether times are judged.
    pub timed: bool,
}

/// What one guest came to.
#[derive(Clone, Debug)]
pub struct GuestReport {
    /// Its name.
    pub name: String,
    /// What it does.
    pub about: String,
    /// When it strikes.
    pub strikes: Strike,
    /// What it must come to.
    pub fault: String,
    /// The limit that has to stop it.
    pub limit: Option<String>,
    /// Whether it has one deadline for all that is measured.
    pub is_one_evaluation: bool,
    /// What was measured.
    pub figures: Figures,
}

/// What components came to that nobody knows.
#[derive(Clone, Debug, Default)]
pub struct Unknown {
    /// How many there were.
    pub components: u64,
    /// How often what came of them.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// The first few things that should not be.
    pub wrong: Vec<String>,
    /// The longest that one took, with its loading.
    pub longest: Duration,
}

// === impl Conditions ===

impl Conditions {
    pub(super) const fn of(options: &Options) -> Self {
        let Options { rounds, threads, seed, random: _, components: _, load, timed, only: _ } = options;
        Self { rounds: *rounds, threads: *threads, seed: *seed, load: *load, timed: *timed }
    }
}

// === impl Unknown ===

impl Unknown {
    pub(super) fn count(&mut self, name: &str, outcomes: &[Outcome], honest: bool, took: Duration) {
        self.components += 1;
        self.longest = self.longest.max(took);
        for outcome in outcomes {
            *self.outcomes.entry(outcome.fault).or_default() += 1;
            if outcome.is_unfit() {
                self.wrong(format!("{name}: text with control characters: {:?}", outcome.detail));
            }
        }
        if !honest {
            self.wrong(format!("{name}: afterwards an honest policy answered otherwise than before"));
        }
    }

    fn wrong(&mut self, words: String) {
        if self.wrong.len() < TOLD_MAX {
            self.wrong.push(words);
        }
    }
}

// === impl GuestReport ===

impl GuestReport {
    pub(super) fn of(guest: Guest, figures: Figures) -> Self {
        let is_one_evaluation = guest.strikes != Strike::Load && guest.crowd == 1 && guest.times == 1;
        let Guest { name, about, strikes, fault, limit, .. } = guest;
        Self { name, about, strikes, fault, limit, is_one_evaluation, figures }
    }

    /// What it must come to.
    pub(super) fn declared(&self) -> String {
        self.limit.as_ref().map_or_else(|| self.fault.clone(), |limit| format!("{} {limit}", self.fault))
    }

    fn json(&self) -> Json {
        let Figures { attacks, expected, unexpected, growth_bytes, back_us, returned_us, honest_us } = &self.figures;
        json!({
            "name": self.name,
            "strikes": self.strikes.as_str(),
            "fault": self.fault,
            "limit": self.limit,
            "attacks": attacks,
            "as_declared": expected,
            "otherwise": unexpected,
            "returned_ms": Percentiles::of(returned_us.clone()),
            "next_honest_ms": Percentiles::of(honest_us.clone()),
            "growth_bytes": growth_bytes,
            "back_ms": back_us / 1_000,
        })
    }
}

// === impl Report ===

impl Report {
    /// What is not as it has to be; empty: all is well.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        judge::findings(self)
    }

    /// The deadline of an evaluation, in milliseconds.
    pub(super) fn deadline_ms(&self) -> u64 {
        Limits::default().deadline_ms
    }

    /// Time until control was back, over all evaluations that miss their deadline.
    #[must_use]
    pub fn returned(&self) -> Percentiles {
        let loops = self.guests.iter().filter(|guest| guest.fault == "deadline" && guest.is_one_evaluation);
        Percentiles::of(loops.flat_map(|guest| guest.figures.returned_us.iter().copied()).collect())
    }

    /// Time until the next honest decision, over all attacks.
    #[must_use]
    pub fn honest(&self) -> Percentiles {
        Percentiles::of(self.guests.iter().flat_map(|guest| guest.figures.honest_us.iter().copied()).collect())
    }

    /// By how much any attack made the process grow at most, in bytes, and which.
    #[must_use]
    pub fn growth(&self) -> (u64, &str) {
        let largest = self.guests.iter().max_by_key(|guest| guest.figures.growth_bytes);
        largest.map_or((0, ""), |guest| (guest.figures.growth_bytes, guest.name.as_str()))
    }

    /// Bytes by which the process grew after the warm-up.
    #[must_use]
    pub fn left_bytes(&self) -> Option<u64> {
        let (before, after) = self.resident_warm.zip(self.resident_after)?;
        Some(after.saturating_sub(before))
    }

    /// Files that were opened after the warm-up and still are.
    #[must_use]
    pub fn left_files(&self) -> Option<usize> {
        let (before, after) = self.files_warm.zip(self.files_after)?;
        Some(after.saturating_sub(before))
    }

    pub(super) fn attacks(&self) -> u64 {
        self.guests.iter().map(|guest| guest.figures.attacks).sum()
    }

    pub(super) fn back_ms(&self) -> u32 {
        self.guests.iter().map(|guest| guest.figures.back_us).max().unwrap_or_default() / 1_000
    }

    /// One JSON object.
    #[must_use]
    pub fn as_json(&self) -> String {
        let Conditions { rounds, threads, seed, load, timed } = &self.conditions;
        let findings = self.findings();
        let unknown = self.unknown.as_ref().map(|unknown| {
            json!({
                "components": unknown.components,
                "outcomes": unknown.outcomes,
                "longest_ms": u64::try_from(unknown.longest.as_millis()).unwrap_or(u64::MAX),
            })
        });
        json!({
            "ok": findings.is_empty(),
            "findings": findings,
            "rounds": rounds,
            "threads": threads,
            "seed": seed,
            "load": load,
            "timed": timed,
            "attacks": self.attacks(),
            "returned_ms": self.returned(),
            "next_honest_ms": self.honest(),
            "growth_bytes": self.growth().0,
            "back_ms": self.back_ms(),
            "resident_bytes": {
                "after_first_round": self.resident_first,
                "after_warm_up": self.resident_warm,
                "at_end": self.resident_after,
            },
            "open_files": { "after_warm_up": self.files_warm, "at_end": self.files_after },
            "panics": self.panics,
            "random": unknown,
            "guests": self.guests.iter().map(GuestReport::json).collect::<Vec<_>>(),
        })
        .to_string()
    }
}
