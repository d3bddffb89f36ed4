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

/// The path from the leaf at `index` to the head, from the leaf's sibling upward; none, if there is no such leaf.
pub(crate) fn inclusion(index: usize, leaves: &[Digest]) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut path, mut index, mut rest) = (Vec::new(), index, leaves);
    while rest.len() > 1 {
        let (left, right) = rest.split_at_checked(split(rest.len()))?;
        if index < left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            index = index.checked_sub(left.len())?;
            rest = right;
        }
    }
    path.reverse();
    Some(path)
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
