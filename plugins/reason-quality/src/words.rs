//! What there is in a reason: words that are neither repeated nor fillers, and letters.
//! It must never count the same thing twice.

use std::collections::BTreeSet;

/// What a reason has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Words {
    /// Different words, whatever their case, that are no fillers.
    pub(crate) count: usize,
    /// Letters and digits.
    pub(crate) letters: usize,
}

// === impl Words ===

impl Words {
    pub(crate) fn new(reason: &str, fillers: &[String]) -> Self {
        let fillers: BTreeSet<String> = fillers.iter().map(|filler| filler.to_lowercase()).collect();
        let words =
            reason.split(|c: char| !is_of_word(c)).map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()));
        let words: BTreeSet<String> = words.filter(|word| is_word(word)).map(str::to_lowercase).collect();
        let count = words.difference(&fillers).count();
        Self { count, letters: reason.chars().filter(|c| c.is_alphanumeric()).count() }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '\'' | '.' | '/')
}

/// `aaaa` and `....` are none.
fn is_word(word: &str) -> bool {
    let mut chars = word.chars();
    let Some(first) = chars.next() else { return false };
    word.chars().any(char::is_alphabetic) && (word.chars().count() == 1 || chars.any(|c| c != first))
        || word.chars().all(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(reason: &str) -> usize {
        Words::new(reason, &["please".to_owned(), "Access".to_owned()]).count
    }

    #[test]
    fn words_count_once_and_fillers_do_not() {
        for (reason, expected) in [
            ("", 0),
            (".", 0),
            ("... --- ...", 0),
            ("aaaa bbbb", 0),
            ("test test TEST", 1),
            ("please, access!", 0),
            ("restart web-1 after OPS-42", 4),
            ("Überlauf auf db/7 beheben", 4),
            ("ticket 42", 2),
            ("数据库磁盘已满", 1),
        ] {
            assert_eq!(count(reason), expected, "{reason}");
        }
    }

    proptest! {
        #[test]
        fn saying_it_twice_says_no_more(reason in "\\PC{0,40}") {
            prop_assert_eq!(count(&format!("{reason} {reason}")), count(&reason));
        }
    }
}
