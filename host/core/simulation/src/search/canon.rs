//! States that differ in nothing but numbers on which nothing depends have one hash. What the breaker counted is such a
//! number here: eight happenings are far from its limits, and that it trips would be a state of its own.

use std::fmt;
use std::hash::{DefaultHasher, Hasher};

/// The hash of a text in which tickets, decisions, revisions and seals are numbered in the order in which they appear.
#[derive(Default)]
pub(super) struct Canon {
    /// The text so far, with numbers replaced.
    text: Vec<u8>,
    /// Where the word that is being read begins in it.
    word: usize,
    before: Before,
    /// The numbers that appeared, one after the other, and where each begins.
    names: Vec<u8>,
    numbers: Vec<(Number, usize)>,
}

/// What the word before says of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    Ticket,
    Revision,
    /// How many there were: nothing depends on it.
    Count,
    #[default]
    Other,
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
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let word = rest.iter().position(|byte| !is_of_word(*byte)).unwrap_or(rest.len());
            self.text.extend_from_slice(&rest[..word]);
            rest = &rest[word..];
            let between = rest.iter().position(|byte| is_of_word(*byte)).unwrap_or(rest.len());
            if between > 0 {
                self.end_word();
                self.text.extend_from_slice(&rest[..between]);
                self.word = self.text.len();
                rest = &rest[between..];
            }
        }
        Ok(())
    }
}

impl Canon {
    pub(super) fn begin(&mut self) {
        self.text.clear();
        self.word = 0;
        self.before = Before::Other;
        self.names.clear();
        self.numbers.clear();
    }

    pub(super) fn end(&mut self) -> u64 {
        self.end_word();
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.text);
        hasher.finish()
    }

    fn end_word(&mut self) {
        let word = &self.text[self.word..];
        if word.is_empty() {
            return;
        }
        let before = std::mem::replace(&mut self.before, Before::of(word));
        if before == Before::Count {
            self.text.truncate(self.word);
        } else if let Some(number) = number(before, word) {
            let place = self.place(number);
            self.text.truncate(self.word);
            self.text.extend_from_slice(&place.to_le_bytes());
        }
    }

    /// The how manieth number of its kind and name the word is.
    fn place(&mut self, number: Number) -> usize {
        let word = &self.text[self.word..];
        let end = |at: usize| self.numbers.get(at + 1).map_or(self.names.len(), |(_, begin)| *begin);
        let is_it = |at: &usize| self.numbers[*at].0 == number && self.names[self.numbers[*at].1..end(*at)] == *word;
        (0..self.numbers.len()).find(is_it).unwrap_or_else(|| {
            self.numbers.push((number, self.names.len()));
            self.names.extend_from_slice(word);
            self.numbers.len() - 1
        })
    }
}

impl Before {
    fn of(word: &[u8]) -> Self {
        match word {
            b"Ticket" => Self::Ticket,
            b"revision" => Self::Revision,
            b"tickets_given" | b"decisions_made" | b"actions" => Self::Count,
            _ => Self::Other,
        }
    }
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// Whether a word is a number that nothing depends on.
fn number(before: Before, word: &[u8]) -> Option<Number> {
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    match (before, word) {
        (Before::Ticket, _) if digits(word) => Some(Number::Ticket),
        (Before::Revision, _) if digits(word) => Some(Number::Revision),
        (_, [run, b'-', number @ ..]) if *run != b'-' && digits(number) => Some(Number::Decision),
        _ if word.len() == 8 && word.iter().all(u8::is_ascii_hexdigit) => Some(Number::Seal),
        _ => None,
    }
}
