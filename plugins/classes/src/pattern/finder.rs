//! Finds every place in a text that a regular expression matches, such as the numbers of tickets.
//! It must never find a part of a word: `OPS-1` does not stand in `DEVOPS-12`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use regex_automata::nfa::thompson::WhichCaptures;
use regex_automata::nfa::thompson::pikevm::PikeVM;

use super::{check_length, compile};

/// At most this many places are looked at: a text may be full of them.
const PLACES_COUNT_MAX: usize = 1_000;

/// A regular expression that is looked for between words, ignoring ASCII case.
#[derive(Clone, Debug)]
pub struct Finder(Box<PikeVM>);

// === impl Finder ===

impl Finder {
    /// Compiles a regular expression: RE2-like syntax, ASCII only.
    ///
    /// # Errors
    /// Why the pattern is none.
    pub fn new(pattern: &str) -> Result<Self, String> {
        check_length(pattern)?;
        let regex = compile(pattern, WhichCaptures::Implicit);
        regex.map(|regex| Self(Box::new(regex))).map_err(|why| format!("is not a regular expression: {why}"))
    }

    /// What it finds, from left to right; nothing twice.
    #[must_use]
    pub fn find<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let mut found: Vec<&str> = Vec::new();
        let mut cache = self.0.create_cache();
        for place in self.0.find_iter(&mut cache, text).take(PLACES_COUNT_MAX) {
            let (Some(before), Some(word), Some(after)) =
                (text.get(..place.start()), text.get(place.range()), text.get(place.end()..))
            else {
                continue;
            };
            let is_whole = !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric);
            if is_whole && !word.is_empty() && !found.contains(&word) {
                found.push(word);
            }
        }
        found
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn whole_words_are_found_once_each_and_in_order() {
        let finder = Finder::new(r"(OPS|DB)-\d+").unwrap();
        for (text, expected) in [
            ("", vec![]),
            ("no ticket", vec![]),
            ("OPS-1", vec!["OPS-1"]),
            ("see (ops-12), then DB-3; OPS-1 again: ops-12.", vec!["ops-12", "DB-3", "OPS-1"]),
            ("DEVOPS-12, OPS-12x, éOPS-1, OPS-", vec![]),
        ] {
            assert_eq!(finder.find(text), expected, "{text}");
        }
    }

    #[test]
    fn an_expression_that_matches_nothing_at_all_finds_nothing() {
        assert_eq!(Finder::new("x*").unwrap().find("aé b"), [""; 0]);
        assert_eq!(Finder::new(".").unwrap().find("é"), [""; 0]);
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(Finder::new("OPS-(").unwrap_err(), "is not a regular expression: unclosed group");
        assert_eq!(Finder::new("").unwrap_err(), "is empty: it would match everything or nothing");
    }

    proptest! {
        #[test]
        fn what_is_found_stands_there(pattern in r"[a-c.*+?]{1,6}", text in "[a-cé ]{0,20}") {
            if let Ok(finder) = Finder::new(&pattern) {
                for word in finder.find(&text) {
                    prop_assert!(text.contains(word));
                }
            }
        }
    }
}
