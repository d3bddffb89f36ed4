//! Seeded chance for users, people and kills. It never depends on the time or on the machine.

/// A stream of numbers that its seed determines: a 64-bit linear congruence, of which the upper bits are used.
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

// === impl Chance ===

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Self(seed ^ 0x5851_f42d_4c95_7f2d);
        // Seeds that are close to each other begin far apart.
        for _ in 0..4 {
            chance.below(2);
        }
        chance
    }

    /// Evenly from 0 to `bound`, without it; 0 for 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 >> 32) ^ (self.0 >> 13);
        mixed.checked_rem(bound).unwrap_or(0)
    }

    /// Evenly from `least` to `most`, both included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these; none if there are none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let count = u64::try_from(from.len()).unwrap_or(u64::MAX);
        from.get(usize::try_from(self.below(count)).unwrap_or(0))
    }
}
