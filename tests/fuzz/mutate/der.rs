//! DER as a tree, for certificates and keys. It must never fail on what is none.

use super::tree::{self, Body, Node};
use crate::chance::Chance;

/// The bit of a tag that says that there are parts inside.
const CONSTRUCTED: u8 = 0x20;

/// One mutation; of what is no DER, none.
pub(super) fn mutate(chance: &mut Chance, der: &mut Vec<u8>, words: &[&[u8]]) {
    let Some(mut nodes) = parse(der) else { return };
    // Parts from elsewhere in the same: extensions, names, algorithms.
    let all = flat(&nodes);
    tree::mutate(chance, &mut nodes, &all, words);
    der.clear();
    write(&nodes, der);
}

fn flat(nodes: &[Node]) -> Vec<Node> {
    let mut all = nodes.to_vec();
    for node in nodes {
        if let Body::Branch(inner) = &node.body {
            all.extend(flat(inner));
        }
    }
    all
}

fn parse(mut bytes: &[u8]) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while let Some((tag, rest)) = bytes.split_first() {
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            0x81..=0x83 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
            }
            0x80 | 0x84..=0xff => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let inner = if tag & CONSTRUCTED == 0 { None } else { parse(content) };
        let body = inner.map_or_else(|| Body::Leaf(content.to_vec()), Body::Branch);
        nodes.push(Node { head: vec![*tag], body });
        bytes = rest;
    }
    Some(nodes)
}

fn write(nodes: &[Node], output: &mut Vec<u8>) {
    for Node { head, body } in nodes {
        let content = match body {
            Body::Bare(bytes) | Body::Leaf(bytes) => bytes.clone(),
            Body::Branch(inner) => {
                let mut content = Vec::new();
                write(inner, &mut content);
                content
            }
        };
        output.extend_from_slice(head);
        let length = content.len().to_be_bytes();
        let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
        match digits.as_slice() {
            [] => output.push(0),
            [short] if *short < 0x80 => output.push(*short),
            long => {
                output.push(0x80 | u8::try_from(long.len()).unwrap_or(0));
                output.extend_from_slice(long);
            }
        }
        output.extend(content);
    }
}
