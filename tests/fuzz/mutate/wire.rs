//! Protobuf messages as trees, without knowing which messages: whatever could be one within another is taken for one. It
//! must never fail on what is none: that stays bytes.

use super::tree::{self, Body, Node};
use crate::chance::Chance;

/// Messages are no deeper than this in a real case.
const DEPTH_MAX: u32 = 12;

/// One mutation of the message behind the first byte.
pub(super) fn mutate(chance: &mut Chance, case: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    let Some((first, message)) = case.split_first() else { return };
    let Some(mut nodes) = parse(message, DEPTH_MAX) else { return };
    let other = other.split_first().and_then(|(_, message)| parse(message, DEPTH_MAX)).unwrap_or_default();
    let mut mutated = vec![*first];
    tree::mutate(chance, &mut nodes, &other, words);
    write(&nodes, &mut mutated);
    *case = mutated;
}

fn parse(mut bytes: &[u8], depth: u32) -> Option<Vec<Node>> {
    let mut nodes = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = varint(bytes)?;
        let head = bytes.get(..bytes.len() - rest.len())?.to_vec();
        let (body, rest) = match key & 7 {
            0 => {
                let (_, after) = varint(rest)?;
                (Body::Bare(rest.get(..rest.len() - after.len())?.to_vec()), after)
            }
            1 => rest.split_at_checked(8).map(|(taken, rest)| (Body::Bare(taken.to_vec()), rest))?,
            5 => rest.split_at_checked(4).map(|(taken, rest)| (Body::Bare(taken.to_vec()), rest))?,
            2 => {
                let (length, rest) = varint(rest)?;
                let (content, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                let inner = if depth == 0 || content.is_empty() { None } else { parse(content, depth - 1) };
                (inner.map_or_else(|| Body::Leaf(content.to_vec()), Body::Branch), rest)
            }
            _ => return None,
        };
        nodes.push(Node { head, body });
        bytes = rest;
    }
    Some(nodes)
}

fn write(nodes: &[Node], output: &mut Vec<u8>) {
    for Node { head, body } in nodes {
        output.extend_from_slice(head);
        match body {
            Body::Bare(bytes) => output.extend_from_slice(bytes),
            Body::Leaf(bytes) => {
                put_varint(bytes.len(), output);
                output.extend_from_slice(bytes);
            }
            Body::Branch(inner) => {
                let mut content = Vec::new();
                write(inner, &mut content);
                put_varint(content.len(), output);
                output.extend(content);
            }
        }
    }
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(place * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(place + 1..)?));
        }
    }
    None
}

fn put_varint(value: usize, output: &mut Vec<u8>) {
    let mut value = value;
    while value >= 0x80 {
        output.push(u8::try_from(value & 0x7f).unwrap_or(0) | 0x80);
        value >>= 7;
    }
    output.push(u8::try_from(value).unwrap_or(0));
}
