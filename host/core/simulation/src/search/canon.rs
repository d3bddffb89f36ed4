//! States that differ in nothing but numbers on which nothing depends have one hash.

use std::fmt;

/// FNV-1a over a text in which tickets, decisions, revisions and seals are numbered in the order in which they appear.
#[derive(Default)]
pub(super) struct Canon {
    hash: u64,
    /// The word that is being read, and the one before it.
    word: Vec<u8>,
    before: Vec<u8>,
    /// The numbers that appeared, one after the other, and where each begins.
    names: Vec<u8>,
    numbers: Vec<(Number, usize)>,
}

/// What a number is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Ticket,
    Decision,
    Revision,
    Seal,
}

impl fmt::Write for Canon {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
                self.word.push(byte);
            } else {
                self.end_word();
                self.byte(byte);
            }
        }
        Ok(())
    }
}

impl Canon {
    pub(super) fn begin(&mut self) {
        self.hash = 0xcbf2_9ce4_8422_2325;
        self.word.clear();
        self.before.clear();
        self.names.clear();
        self.numbers.clear();
    }

    pub(super) fn end(&mut self) -> u64 {
        self.end_word();
        self.hash
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        if !matches!(self.before.as_slice(), b"tickets_given" | b"decisions_made") {
            match number(&self.before, &word) {
                Some(number) => {
                    let place = self.place(number, &word);
                    place.to_le_bytes().into_iter().for_each(|byte| self.byte(byte));
                }
                None => word.iter().for_each(|byte| self.byte(*byte)),
            }
        }
        self.word = std::mem::replace(&mut self.before, word);
        self.word.clear();
    }

    /// The how manieth number it is.
    fn place(&mut self, number: Number, word: &[u8]) -> usize {
        let end = |at: usize| self.numbers.get(at + 1).map_or(self.names.len(), |(_, begin)| *begin);
        let is_it = |at: &usize| self.numbers[*at].0 == number && self.names[self.numbers[*at].1..end(*at)] == *word;
        (0..self.numbers.len()).find(is_it).unwrap_or_else(|| {
            self.numbers.push((number, self.names.len()));
            self.names.extend_from_slice(word);
            self.numbers.len() - 1
        })
    }

    fn byte(&mut self, byte: u8) {
        self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
}

/// Whether a word is a number that nothing depends on, given the word before it.
fn number(before: &[u8], word: &[u8]) -> Option<Number> {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match (before, word) {
        (b"Ticket", _) if digits(word) => Some(Number::Ticket),
        (b"revision", _) if digits(word) => Some(Number::Revision),
        (_, [run, b'-', number @ ..]) if *run != b'-' && digits(number) => Some(Number::Decision),
        _ if word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit) => Some(Number::Seal),
        _ => None,
    }
}
