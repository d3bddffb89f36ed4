//! Memory that is handed out from one end to the other, and taken back from its end alone: an instance ends with its answer,
//! and its memory with it. It must never hand out a byte that somebody has.

/// Addresses, of which those before `next` are somebody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    next: usize,
    end: usize,
}

// === impl Stretch ===

impl Stretch {
    pub(super) const fn new(begin: usize, end: usize) -> Self {
        Self { next: begin, end }
    }

    /// The address of a block that nobody has; none, if there is no room for it. `align` is a power of two.
    pub(super) fn take(&mut self, size: usize, align: usize) -> Option<usize> {
        let begin = self.next.checked_next_multiple_of(align)?;
        self.next = begin.checked_add(size).filter(|next| *next <= self.end)?;
        Some(begin)
    }

    /// Takes a block back, if it was the last.
    pub(super) fn give_back(&mut self, block: usize, size: usize) {
        if self.is_last(block, size) {
            self.next = block;
        }
    }

    /// Whether a block has room for `new` bytes where it is, which it then has: one that shrinks has, and so may the last.
    pub(super) fn resize(&mut self, block: usize, old: usize, new: usize) -> bool {
        if !self.is_last(block, old) {
            return new <= old;
        }
        let next = block.checked_add(new).filter(|next| *next <= self.end);
        self.next = next.unwrap_or(self.next);
        next.is_some()
    }

    /// More addresses: beside those that are left, or, where something lies between, in their place.
    pub(super) fn extend(&mut self, begin: usize, end: usize) {
        let next = if begin == self.end { self.next } else { begin };
        *self = Self { next, end };
    }

    fn is_last(&self, block: usize, size: usize) -> bool {
        block.checked_add(size) == Some(self.next)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::indexing_slicing, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let mut stretch = Stretch::new(16, 32);
        assert_eq!(stretch.take(17, 1), None);
        assert_eq!(stretch.take(usize::MAX, 8), None);
        assert_eq!(stretch.take(16, 8), Some(16));
        assert_eq!(stretch.take(1, 1), None);
        assert_eq!(stretch.take(0, 1), Some(32));
    }

    #[test]
    fn the_last_block_is_taken_back_and_resized_where_it_is() {
        let mut stretch = Stretch::new(0, 64);
        let (first, last) = (stretch.take(8, 8).unwrap(), stretch.take(8, 8).unwrap());
        assert!(!stretch.resize(first, 8, 16));
        assert!(stretch.resize(last, 8, 56));
        assert!(!stretch.resize(last, 56, 57));
        stretch.give_back(first, 8);
        assert_eq!(stretch.take(1, 1), None);
        stretch.give_back(last, 56);
        assert_eq!(stretch.take(56, 8), Some(last));
    }

    #[test]
    fn new_addresses_are_beside_the_old_ones_or_in_their_place() {
        let mut beside = Stretch::new(0, 8);
        beside.extend(8, 16);
        assert_eq!(beside.take(16, 8), Some(0));
        let mut apart = Stretch::new(0, 8);
        apart.extend(16, 32);
        assert_eq!(apart.take(16, 8), Some(16));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(usize, u32),
        GiveBack(usize),
        Resize(usize, usize),
        Extend(usize, usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..40_usize, 0..5_u32).prop_map(|(size, shift)| Step::Take(size, shift)),
            any::<usize>().prop_map(Step::GiveBack),
            (any::<usize>(), 0..60_usize).prop_map(|(which, size)| Step::Resize(which, size)),
            (0..3_usize, 1..200_usize).prop_map(|(gap, size)| Step::Extend(gap, size)),
        ]
    }

    proptest! {
        #[test]
        fn no_two_blocks_share_a_byte(steps in proptest::collection::vec(step(), 0..60)) {
            let (mut stretch, mut end) = (Stretch::new(64, 256), 256_usize);
            let mut blocks: Vec<(usize, usize)> = Vec::new();
            for step in steps {
                match step {
                    Step::Take(size, shift) => {
                        if let Some(block) = stretch.take(size, 1 << shift) {
                            prop_assert_eq!(block % (1 << shift), 0);
                            blocks.push((block, size));
                        }
                    }
                    Step::GiveBack(which) if !blocks.is_empty() => {
                        let (block, size) = blocks.swap_remove(which % blocks.len());
                        stretch.give_back(block, size);
                    }
                    Step::Resize(which, new) if !blocks.is_empty() => {
                        let at = which % blocks.len();
                        let (block, old) = blocks[at];
                        if stretch.resize(block, old, new) {
                            blocks[at] = (block, new);
                        }
                    }
                    Step::Extend(gap, size) => {
                        stretch.extend(end + gap, end + gap + size);
                        end += gap + size;
                    }
                    Step::GiveBack(_) | Step::Resize(..) => {}
                }
                let mut sorted: Vec<_> = blocks.iter().filter(|(_, size)| *size > 0).copied().collect();
                sorted.sort_unstable();
                for pair in sorted.windows(2) {
                    prop_assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{:?}", sorted);
                }
                prop_assert!(sorted.iter().all(|(block, size)| *block >= 64 && block + size <= end));
            }
        }
    }
}
