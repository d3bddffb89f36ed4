//! A peer's messages in a row, each with its length in two bytes, behind a byte that says where to begin. It must never
//! refuse a script: what is too short is its last message.

use super::{bytes, index};
use crate::chance::Chance;

/// The messages of a script.
pub(crate) fn messages(mut script: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((length, rest)) = script.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (message, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        messages.push(message);
        script = rest;
    }
    messages
}

/// The script of these messages.
pub(crate) fn script<'a>(first: u8, messages: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut script = vec![first];
    for message in messages {
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        script.extend(length.to_be_bytes());
        script.extend(message.iter().take(usize::from(length)));
    }
    script
}

/// One mutation: of a message, or of their order.
pub(super) fn mutate(chance: &mut Chance, case: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    let Some((first, rest)) = case.split_first() else { return };
    let mut all: Vec<Vec<u8>> = messages(rest).into_iter().map(<[u8]>::to_vec).collect();
    let others = other.split_first().map_or_else(Vec::new, |(_, rest)| messages(rest));
    let at = index(chance, all.len());
    match chance.below(8) {
        0 if !all.is_empty() => drop(all.remove(at)),
        1 => {
            if let Some(message) = all.get(at).cloned() {
                let times = if chance.percent(90) { 1 } else { chance.between(1, 300) };
                for _ in 0..times {
                    all.insert(at, message.clone());
                }
            }
        }
        2 => {
            let message = chance.pick(&others).map_or_else(Vec::new, |message| message.to_vec());
            all.insert(at, message);
        }
        3 if !all.is_empty() => {
            let to = index(chance, all.len());
            all.swap(at, to);
        }
        _ => {
            let fits = others.get(at).copied().unwrap_or_default();
            if let Some(message) = all.get_mut(at) {
                bytes::mutate(chance, message, fits, words);
            }
        }
    }
    *case = script(*first, all.iter().map(Vec::as_slice));
}
