//! The Merkle tree of RFC 6962 over the lines of a ledger: heads, and proofs that a line is in one. It knows nothing of
//! files, keys or records.

mod frontier;
#[cfg(test)]
mod tests;

pub(crate) use self::frontier::Frontier;
use crate::digest::Digest;

/// The hash of a leaf: RFC 6962, section 2.1.
pub(crate) fn leaf_hash(line: &[u8]) -> Digest {
    Digest::of_parts(&[&[0x00], line])
}

/// The hash of two nodes.
pub(crate) fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// A tree with all of its complete subtrees, so that many proofs cost little more than one.
pub(crate) struct Tree {
    /// The heads of the complete subtrees of 1, 2, 4, ... leaves, from the left.
    levels: Vec<Vec<Digest>>,
}

/// The head of the tree over these leaf hashes.
pub(crate) fn root(leaves: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    for leaf in leaves {
        frontier.push(*leaf);
    }
    frontier.root()
}

/// The largest power of two that is smaller than `size`, which is at least 2.
const fn split(size: usize) -> usize {
    let half = size.next_power_of_two() / 2;
    if half == 0 { 1 } else { half }
}

/// The head that this path leads to from a leaf at `index` of a tree of `size` leaves; none, if the path has another
/// length than such a leaf's. RFC 9162, section 2.1.3.2.
pub(crate) fn root_of_inclusion(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    let (mut node, mut last) = (index, size.checked_sub(1)?);
    if node > last {
        return None;
    }
    let mut hash = leaf;
    for sibling in path {
        if last == 0 {
            return None;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                (node, last) = (node / 2, last / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node / 2, last / 2);
    }
    (last == 0).then_some(hash)
}

// === impl Tree ===

impl Tree {
    pub(crate) fn over(leaves: Vec<Digest>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|last| last.len() > 1) {
            let pair = |pair: &[Digest]| match pair {
                [left, right] => Some(node_hash(left, right)),
                _ => None,
            };
            let next = last.chunks_exact(2).filter_map(pair).collect();
            levels.push(next);
        }
        Self { levels }
    }

    fn size(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    pub(crate) fn leaf(&self, index: usize) -> Option<&Digest> {
        self.levels.first()?.get(index)
    }

    /// The head over so many leaves from this one on, where that is a subtree.
    fn head(&self, begin: usize, size: usize) -> Option<Digest> {
        if size.is_power_of_two() {
            let level = usize::try_from(size.trailing_zeros()).ok()?;
            return self.levels.get(level)?.get(begin.checked_shr(size.trailing_zeros())?).copied();
        }
        let left = split(size);
        let right = self.head(begin.checked_add(left)?, size.checked_sub(left)?)?;
        Some(node_hash(&self.head(begin, left)?, &right))
    }

    /// The path from the leaf at `index` to the head, from the leaf's sibling upward; none, if there is no such leaf.
    pub(crate) fn inclusion(&self, index: usize) -> Option<Vec<Digest>> {
        let (mut path, mut begin, mut size) = (Vec::new(), 0_usize, self.size());
        if index >= size {
            return None;
        }
        while size > 1 {
            let left = split(size);
            let middle = begin.checked_add(left)?;
            let right = size.checked_sub(left)?;
            if index < middle {
                path.push(self.head(middle, right)?);
                size = left;
            } else {
                path.push(self.head(begin, left)?);
                (begin, size) = (middle, right);
            }
        }
        path.reverse();
        Some(path)
    }
}
