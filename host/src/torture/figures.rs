//! What many attacks by one guest came to, in numbers. Pure.

use std::time::Duration;

use serde::Serialize;

/// Things that went otherwise than declared of which the words are kept.
const TOLD_MAX: usize = 3;

/// What many attacks came to.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Attacks.
    pub attacks: u64,
    /// Those that came to what is declared.
    pub expected: u64,
    /// What others came to, the first few of them.
    pub unexpected: Vec<String>,
    /// Time until control was back, in microseconds.
    pub returned_us: Vec<u32>,
    /// Time until the next honest decision was there, in microseconds.
    pub honest_us: Vec<u32>,
    /// The most by which an attack made the process grow, in bytes.
    pub growth_bytes: u64,
    /// The longest that it took to shrink again, in microseconds.
    pub back_us: u32,
}

/// Of a number of times, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of them are at most this.
    pub p50: f64,
    /// All but one of a hundred.
    pub p99: f64,
    /// All of them.
    pub max: f64,
}

// === impl Figures ===

impl Figures {
    /// Counts an attack; `wrong` is what it came to if that is not what is declared.
    pub(super) fn attack(&mut self, wrong: Option<String>) {
        self.attacks += 1;
        match wrong {
            None => self.expected += 1,
            Some(wrong) if self.unexpected.len() < TOLD_MAX => self.unexpected.push(wrong),
            Some(_) => {}
        }
    }
}

// === impl Percentiles ===

impl Percentiles {
    /// Of these microseconds.
    pub(super) fn of(mut micros: Vec<u32>) -> Self {
        micros.sort_unstable();
        let of = |percent: usize| {
            // The least that so many of a hundred do not exceed.
            let rank = micros.len().saturating_mul(percent).div_ceil(100).saturating_sub(1);
            f64::from(micros.get(rank).copied().unwrap_or_default()) / 1_000.0
        };
        Self { p50: of(50), p99: of(99), max: of(100) }
    }
}

/// In microseconds; no time that is measured here is longer than an hour.
pub(super) fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let of = Percentiles::of((1..=200).rev().map(|number| number * 1_000).collect());
        assert_eq!(of, Percentiles { p50: 100.0, p99: 198.0, max: 200.0 });
        assert_eq!(Percentiles::of(vec![7_000]), Percentiles { p50: 7.0, p99: 7.0, max: 7.0 });
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn of_what_went_wrong_the_first_few_are_told_and_all_counted() {
        let mut figures = Figures::default();
        figures.attack(None);
        for number in 0..10 {
            figures.attack(Some(number.to_string()));
        }
        assert_eq!((figures.attacks, figures.expected), (11, 1));
        assert_eq!(figures.unexpected, ["0", "1", "2"]);
    }
}
