//! Makes a new case of an old one: bytes that change, vanish, repeat, or come from elsewhere, and the same within the
//! blocks, records and lengths that a format is made of, so that what is inside is reached. It must never make a case that
//! is longer than its target takes.

mod blocks;
mod bytes;
mod der;
mod script;
mod tree;
mod wire;

pub(crate) use self::script::{messages, script};

use crate::chance::Chance;
use crate::targets::Target;

/// What a case looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bytes, or text.
    Bytes,
    /// Text with PEM blocks and lines of SSH, both in base64.
    Pem,
    /// A byte that says which message, and the message in protobuf.
    Wire,
    /// A byte that says where to begin, and messages with their lengths; see [`script`].
    Script,
}

/// The most mutations on top of each other.
const STACKED_MAX: u64 = 6;

/// Puts a mutation of one of `from` into `case`.
pub(crate) fn mutate(chance: &mut Chance, target: &Target, from: &[Vec<u8>], case: &mut Vec<u8>) {
    case.clear();
    // What is young is more promising than what was mutated a thousand times.
    let young = from.get(from.len().saturating_sub(from.len() / 4 + 1)..).unwrap_or_default();
    let parent = if chance.percent(40) { chance.pick(young) } else { chance.pick(from) };
    case.extend_from_slice(parent.map_or(&[], Vec::as_slice));
    for _ in 0..=chance.below(STACKED_MAX) {
        let other = chance.pick(from).map_or(&[][..], Vec::as_slice);
        let plain = chance.percent(30);
        match target.form {
            Form::Pem if !plain => blocks::mutate(chance, case, target.words),
            Form::Wire if !plain => wire::mutate(chance, case, other, target.words),
            Form::Script if !plain => script::mutate(chance, case, other, target.words),
            Form::Bytes | Form::Pem | Form::Wire | Form::Script => bytes::mutate(chance, case, other, target.words),
        }
    }
    case.truncate(target.input_bytes_max);
}

/// A number below `bound` as an index.
fn index(chance: &mut Chance, bound: usize) -> usize {
    usize::try_from(chance.below(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or(0)
}

/// A byte.
fn byte(chance: &mut Chance) -> u8 {
    u8::try_from(chance.below(256)).unwrap_or(0)
}
