//! Mutations inside base64: of the DER in PEM blocks, of the blobs in lines of SSH. It must never need the text to be right.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{bytes, der, index};
use crate::chance::Chance;

/// Shorter words are no base64 worth the name.
const WORD_BYTES_MIN: usize = 24;
/// PEM's lines.
const LINE_BYTES: usize = 64;

/// One mutation of what is inside one of the pieces of base64.
pub(super) fn mutate(chance: &mut Chance, case: &mut Vec<u8>, words: &[&[u8]]) {
    let pieces = pieces(case);
    let Some(piece) = chance.pick(&pieces).cloned() else { return };
    let text: Vec<u8> = case
        .get(piece.clone())
        .unwrap_or_default()
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    let Ok(mut inside) = STANDARD.decode(&text) else { return };
    if chance.percent(70) {
        der::mutate(chance, &mut inside, words);
    } else {
        bytes::mutate(chance, &mut inside, &[], words);
    }
    let encoded = STANDARD.encode(&inside).into_bytes();
    let multiline = case.get(piece.clone()).unwrap_or_default().contains(&b'\n');
    let new = if multiline { encoded.chunks(LINE_BYTES).collect::<Vec<_>>().join(&b'\n') } else { encoded };
    // Two blocks of one kind are worth as much as one that changed.
    let keep_old = chance.percent(5);
    let at = if keep_old { index(chance, case.len() + 1) } else { piece.start };
    let end = if keep_old { at } else { piece.end };
    case.splice(at..end, new);
}

/// Where base64 stands: bodies of blocks, with their line ends, and long words.
fn pieces(case: &[u8]) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut begin = None;
    let in_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\n".contains(&byte);
    for (at, byte) in case.iter().copied().chain([b' ']).enumerate() {
        match (begin, in_base64(byte)) {
            (None, true) => begin = Some(at),
            (Some(from), false) => {
                pieces.extend(trimmed(case, from..at));
                begin = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    pieces
}

/// Without line ends before and after it; none if little is left.
fn trimmed(case: &[u8], mut piece: Range<usize>) -> Option<Range<usize>> {
    while case.get(piece.start) == Some(&b'\n') && piece.start < piece.end {
        piece.start += 1;
    }
    while piece.end > piece.start && case.get(piece.end - 1) == Some(&b'\n') {
        piece.end -= 1;
    }
    (piece.len() >= WORD_BYTES_MIN).then_some(piece)
}
