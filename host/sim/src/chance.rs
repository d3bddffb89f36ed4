//! Seeded pseudo-randomness (SplitMix64), so that a run can be repeated. Never for secrets.

/// A stream of numbers that its seed determines.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True with this probability.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        let unit = f64::from(u32::try_from(self.next_u64() >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0);
        unit < probability
    }

    /// Evenly from 0 to `max`, both included.
    pub(crate) const fn up_to(&mut self, max: u64) -> u64 {
        match max.checked_add(1) {
            Some(count) => self.next_u64() % count,
            None => self.next_u64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut one, mut two) = (Chance::new(3), Chance::new(3));
        assert!((0..100).all(|_| one.next_u64() == two.next_u64()));
    }

    #[test]
    fn never_and_always_mean_it() {
        let mut chance = Chance::new(9);
        assert!((0..1000).all(|_| !chance.happens(0.0) && chance.happens(1.0)));
        let half = (0..10_000).filter(|_| chance.happens(0.5)).count();
        assert!((4500..5500).contains(&half), "{half}");
    }
}
