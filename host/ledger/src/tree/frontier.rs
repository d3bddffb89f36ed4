//! The right edge of a Merkle tree: all that it takes to add a leaf and to know the head. It never grows beyond one hash
//! for each bit of the tree's size.

use super::node_hash;
use crate::digest::Digest;

/// The heads of the complete subtrees that a tree consists of, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Frontier {
    size: u64,
    heads: Vec<Digest>,
}

// === impl Frontier ===

impl Frontier {
    /// The frontier of a tree of this size with these heads; none, if a tree of this size has another number of them.
    pub(crate) fn new(size: u64, heads: Vec<Digest>) -> Option<Self> {
        (usize::try_from(size.count_ones()).ok()? == heads.len()).then_some(Self { size, heads })
    }

    /// How many leaves there are.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn heads(&self) -> &[Digest] {
        &self.heads
    }

    /// Adds a leaf, by its hash.
    pub(crate) fn push(&mut self, leaf: Digest) {
        let mut head = leaf;
        // One complete subtree joins another of its size for each low bit that is set.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.heads.pop() {
                head = node_hash(&left, &head);
            }
        }
        self.heads.push(head);
        self.size = self.size.saturating_add(1);
    }

    /// The head of the tree; that of an empty one is the hash of nothing.
    pub(crate) fn root(&self) -> Digest {
        let mut heads = self.heads.iter().rev();
        let Some(smallest) = heads.next() else { return Digest::of(&[]) };
        heads.fold(*smallest, |right, left| node_hash(left, &right))
    }
}
