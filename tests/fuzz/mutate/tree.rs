//! What protobuf and DER have in common: a case is a tree, and lengths follow from what is inside. It must never know how
//! either is written.

use super::{bytes, index};
use crate::chance::Chance;

/// A part of a case.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What it says it is: the number and kind of a field, or a tag.
    pub(super) head: Vec<u8>,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Bytes after the head, as they are.
    Bare(Vec<u8>),
    /// Bytes with their length.
    Leaf(Vec<u8>),
    /// Parts, together with their length.
    Branch(Vec<Node>),
}

/// One mutation, somewhere in the tree. Parts may come from `other`.
pub(super) fn mutate(chance: &mut Chance, nodes: &mut Vec<Node>, other: &[Node], words: &[&[u8]]) {
    let at = index(chance, nodes.len());
    let inside = chance.percent(70);
    if inside && let Some(node) = nodes.get_mut(at) {
        match &mut node.body {
            Body::Branch(inner) => {
                // Of the other, the part of the same name is likeliest to fit.
                let fits = other.iter().find(|other| other.head == node.head);
                let fits =
                    fits.and_then(|other| if let Body::Branch(inner) = &other.body { Some(inner) } else { None });
                return mutate(chance, inner, fits.map_or(&[], Vec::as_slice), words);
            }
            Body::Bare(content) | Body::Leaf(content) => return bytes::mutate(chance, content, &[], words),
        }
    }
    match chance.below(6) {
        0 if !nodes.is_empty() => drop(nodes.remove(at)),
        1 => {
            let copy = nodes.get(at).cloned();
            let times = if chance.percent(90) { chance.between(1, 3) } else { chance.between(1, 500) };
            let times = usize::try_from(times).unwrap_or(1);
            nodes.splice(at..at, copy.into_iter().cycle().take(times).collect::<Vec<_>>());
        }
        2 => {
            let to = index(chance, nodes.len());
            if at < nodes.len() {
                nodes.swap(at, to);
            }
        }
        3 => {
            if let Some(node) = nodes.get_mut(at) {
                bytes::mutate(chance, &mut node.head, &[], &[]);
            }
        }
        4 => {
            // A part within itself.
            if let Some(node) = nodes.get_mut(at) {
                let mut deep = node.clone();
                let depth = if chance.percent(90) { 4 } else { 150 };
                for _ in 0..chance.below(depth) {
                    deep = Node { head: deep.head.clone(), body: Body::Branch(vec![deep]) };
                }
                *node = deep;
            }
        }
        _ => {
            if let Some(taken) = chance.pick(other) {
                nodes.insert(at.min(nodes.len()), taken.clone());
            }
        }
    }
}
