//! Mutations of bytes that know nothing of what they mean. They must never depend on anything but chance.

use std::ops::Range;

use super::{byte, index};
use crate::chance::Chance;

/// The longest piece that is inserted or removed at once, most of the time.
const PIECE_BYTES_MAX: usize = 64;
/// How often a piece is repeated, at most, and how long that may become, in bytes.
const REPEATED_MAX: u64 = 4_096;
const REPEATED_BYTES_MAX: usize = 64 * 1024;
/// Numbers at which lengths and counts go wrong.
const NUMBERS: [u64; 16] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0x8000,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    u64::MAX,
];

/// One mutation.
pub(super) fn mutate(chance: &mut Chance, case: &mut Vec<u8>, other: &[u8], words: &[&[u8]]) {
    let at = index(chance, case.len() + 1);
    let piece = piece(chance, case);
    match chance.below(14) {
        0 | 1 => {
            if let Some(byte) = case.get_mut(at) {
                *byte ^= 1 << chance.below(8);
            }
        }
        2 => {
            if let Some(old) = case.get_mut(at) {
                *old = byte(chance);
            }
        }
        3 => {
            if let Some(byte) = case.get_mut(at) {
                let by = u8::try_from(chance.between(1, 16)).unwrap_or(1);
                *byte = if chance.percent(50) { byte.wrapping_add(by) } else { byte.wrapping_sub(by) };
            }
        }
        4 => overwrite(case, at, &number(chance)),
        5 => drop(case.drain(piece)),
        6 => {
            let copied: Vec<u8> = case.get(piece).unwrap_or_default().to_vec();
            insert(case, at, &copied);
        }
        7 => {
            let new: Vec<u8> = (0..chance.between(1, 16)).map(|_| byte(chance)).collect();
            insert(case, at, &new);
        }
        8 => insert(case, at, chance.pick(words).copied().unwrap_or_default()),
        9 => overwrite(case, at, chance.pick(words).copied().unwrap_or_default()),
        10 => {
            let taken = other.get(self::piece(chance, other)).unwrap_or_default();
            insert(case, at, taken);
        }
        11 => {
            // The front of one and the back of the other.
            let from = index(chance, other.len() + 1);
            case.truncate(at);
            case.extend_from_slice(other.get(from..).unwrap_or_default());
        }
        12 => text_number(chance, case, at),
        _ => {
            let copied: Vec<u8> = case.get(piece).unwrap_or_default().to_vec();
            let times = if chance.percent(80) { chance.between(2, 8) } else { chance.between(2, REPEATED_MAX) };
            let times = usize::try_from(times).unwrap_or(2).min(REPEATED_BYTES_MAX / copied.len().max(1));
            insert(case, at, &copied.repeat(times));
        }
    }
}

/// A range of it, short most of the time.
fn piece(chance: &mut Chance, case: &[u8]) -> Range<usize> {
    let begin = index(chance, case.len() + 1);
    let rest = case.len() - begin;
    let most = if chance.percent(80) { rest.min(PIECE_BYTES_MAX) } else { rest };
    begin..begin + index(chance, most + 1)
}

/// A number at which something may go wrong, in some width and order.
fn number(chance: &mut Chance) -> Vec<u8> {
    let number = chance.pick(&NUMBERS).copied().unwrap_or(0).wrapping_add(chance.below(3)).wrapping_sub(1);
    let width = [1, 2, 4, 8].get(index(chance, 4)).copied().unwrap_or(1);
    if chance.percent(50) {
        number.to_be_bytes().get(8 - width..).unwrap_or_default().to_vec()
    } else {
        number.to_le_bytes().get(..width).unwrap_or_default().to_vec()
    }
}

fn overwrite(case: &mut Vec<u8>, at: usize, with: &[u8]) {
    let end = case.len().min(at + with.len());
    case.splice(at..end, with.iter().copied());
}

fn insert(case: &mut Vec<u8>, at: usize, what: &[u8]) {
    case.splice(at..at, what.iter().copied());
}

/// Another number in the place of the digits from here on.
fn text_number(chance: &mut Chance, case: &mut Vec<u8>, at: usize) {
    let Some(begin) = case.iter().skip(at).position(u8::is_ascii_digit).map(|found| at + found) else { return };
    let length = case.iter().skip(begin).take_while(|byte| byte.is_ascii_digit()).count();
    let number = chance.pick(&NUMBERS).copied().unwrap_or(0);
    case.splice(begin..begin + length, number.to_string().into_bytes());
}
