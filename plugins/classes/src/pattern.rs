//! The kinds of pattern: a regular expression found anywhere in a text, and a glob for a whole name.
//! It must never take more than linear time in the text it is matched against.

mod finder;

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use alloc::{format, vec};

use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::nfa::thompson::{Config, NFA, WhichCaptures};
use regex_syntax::ParserBuilder;

pub use self::finder::Finder;

/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 256;
/// What is between words, in a regular expression.
const NO_WORD: &str = "[^a-z0-9]";
/// Largest compiled regular expression, in bytes.
const REGEX_BYTES_MAX: usize = 64 * 1024;

/// Found anywhere in a text, ignoring ASCII case.
#[derive(Clone, Debug)]
pub struct Search(Kind);

#[derive(Clone, Debug)]
enum Kind {
    /// A pattern without special characters, in lower case: most are, and need no engine.
    Word(String),
    Regex(Box<PikeVM>),
}

/// Matches a whole text: `*` stands for any characters, `?` for one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob {
    tokens: Vec<Token>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Token {
    Char(char),
    One,
    Many,
}

// === impl Search ===

impl Search {
    /// Compiles a regular expression: RE2-like syntax, ASCII only.
    ///
    /// # Errors
    /// Why the pattern is none.
    pub fn new(pattern: &str) -> Result<Self, String> {
        check_length(pattern)?;
        if pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            return Ok(Self(Kind::Word(pattern.to_ascii_lowercase())));
        }
        let regex = compile(pattern, WhichCaptures::None).map(|regex| Self(Kind::Regex(Box::new(regex))));
        regex.map_err(|why| format!("is not a regular expression: {why}"))
    }

    /// The same pattern between two ends of words; none where it cannot be had.
    pub(crate) fn of_words(pattern: &str) -> Option<Self> {
        Self::compiled(&format!("(?:^|{NO_WORD})(?:{pattern})(?:{NO_WORD}|$)"))
    }

    fn compiled(pattern: &str) -> Option<Self> {
        compile(pattern, WhichCaptures::None).map(|regex| Self(Kind::Regex(Box::new(regex)))).ok()
    }

    /// Whether it is found anywhere in this text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        match &self.0 {
            Kind::Word(word) => {
                text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
            }
            Kind::Regex(regex) => regex.is_match(&mut regex.create_cache(), text),
        }
    }
}

// === impl Glob ===

impl Glob {
    /// Compiles a pattern for a whole name.
    ///
    /// # Errors
    /// Why the pattern is none.
    pub fn new(pattern: &str) -> Result<Self, String> {
        check_length(pattern)?;
        let mut tokens = Vec::with_capacity(pattern.len());
        for c in pattern.chars() {
            let token = match c {
                '*' => Token::Many,
                '?' => Token::One,
                c => Token::Char(c),
            };
            // Two stars are one.
            if token != Token::Many || tokens.last() != Some(&Token::Many) {
                tokens.push(token);
            }
        }
        Ok(Self { tokens })
    }

    /// Whether it matches this whole text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let mut at = 0;
        // Behind the last star: the place in the pattern, and what of the text the star has not swallowed yet.
        let mut retry = None;
        loop {
            match self.tokens.get(at) {
                Some(Token::Many) => {
                    at += 1;
                    retry = Some((at, rest.clone()));
                    continue;
                }
                Some(token) => {
                    let Some(c) = rest.next() else { return false };
                    if *token == Token::One || *token == Token::Char(c) {
                        at += 1;
                        continue;
                    }
                }
                None if rest.as_str().is_empty() => return true,
                None => {}
            }
            let Some((place, unswallowed)) = &mut retry else { return false };
            if unswallowed.next().is_none() {
                return false;
            }
            at = *place;
            rest = unswallowed.clone();
        }
    }

    /// The same pattern with words that end where a star stands beside them; none where it cannot be had.
    pub(crate) fn of_words(&self) -> Option<Search> {
        let is_in_word = |token: Option<&Token>| match token {
            Some(Token::Char(c)) => c.is_ascii_alphanumeric(),
            Some(Token::One | Token::Many) | None => false,
        };
        let mut regex = String::from("^");
        let mut before = None;
        let mut tokens = self.tokens.iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Char(c) => regex.push_str(&regex_syntax::escape(c.encode_utf8(&mut [0; 4]))),
                Token::One => regex.push('.'),
                Token::Many => {
                    let (begins, ends) = (is_in_word(before), is_in_word(tokens.peek().copied()));
                    regex.push_str(&match (begins, ends) {
                        (false, false) => ".*".to_owned(),
                        (true, false) => format!("(?:|{NO_WORD}.*)"),
                        (false, true) => format!("(?:|.*{NO_WORD})"),
                        (true, true) => format!("(?:{NO_WORD}|{NO_WORD}.*{NO_WORD})"),
                    });
                }
            }
            before = Some(token);
        }
        regex.push('$');
        Search::compiled(&regex)
    }

    /// Whether some text matches both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        if self.literal_ends_differ(other) {
            return false;
        }
        // `reached[n]`: some text matches what was walked of `self` and the first n tokens of `other`.
        let walk_stars = |reached: &mut Vec<bool>| {
            let mut before = false;
            for (here, token) in reached.iter_mut().zip(core::iter::once(&Token::One).chain(&other.tokens)) {
                *here |= before && *token == Token::Many;
                before = *here;
            }
        };
        let mut reached = vec![false; other.tokens.len() + 1];
        if let Some(start) = reached.first_mut() {
            *start = true;
        }
        walk_stars(&mut reached);
        for token in &self.tokens {
            let mut next = if *token == Token::Many { reached.clone() } else { vec![false; reached.len()] };
            let mut before = false;
            let previous = core::iter::once(None).chain(other.tokens.iter().map(Some));
            for ((here, next), theirs) in reached.iter().zip(&mut next).zip(previous) {
                *next |= match (token, theirs) {
                    (_, None) => false,
                    // A star of theirs swallows what this token stands for, and stays.
                    (Token::Char(_) | Token::One, Some(Token::Many)) => *here,
                    (Token::Char(ours), Some(Token::Char(theirs))) => before && ours == theirs,
                    (Token::One, Some(Token::Char(_) | Token::One)) | (Token::Char(_), Some(Token::One)) => before,
                    (Token::Many, Some(_)) => false,
                };
                before = *here;
            }
            if *token == Token::Many {
                // Our star swallows any further tokens of theirs.
                let mut any = false;
                for next in &mut next {
                    any |= *next;
                    *next = any;
                }
            }
            walk_stars(&mut next);
            reached = next;
        }
        reached.last() == Some(&true)
    }

    /// The characters up to the first wildcard of either, or back to the last one, differ: the quick way to tell most
    /// patterns apart.
    fn literal_ends_differ(&self, other: &Self) -> bool {
        fn differ<'a>(ours: impl Iterator<Item = &'a Token>, theirs: impl Iterator<Item = &'a Token>) -> bool {
            for pair in ours.zip(theirs) {
                let (Token::Char(a), Token::Char(b)) = pair else { return false };
                if a != b {
                    return true;
                }
            }
            false
        }
        differ(self.tokens.iter(), other.tokens.iter()) || differ(self.tokens.iter().rev(), other.tokens.iter().rev())
    }
}

/// ASCII only: what a class or the case of other characters is takes tables larger than the policy.
fn compile(pattern: &str, captures: WhichCaptures) -> Result<PikeVM, String> {
    let mut parser = ParserBuilder::new();
    parser.case_insensitive(true).unicode(false).utf8(false);
    let hir = parser.build().parse(pattern).map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        error => error.to_string(),
    })?;
    let config = Config::new().utf8(false).which_captures(captures).nfa_size_limit(Some(REGEX_BYTES_MAX));
    let nfa = NFA::compiler().configure(config).build_from_hir(&hir).map_err(|error| error.to_string())?;
    PikeVM::new_from_nfa(nfa).map_err(|error| error.to_string())
}

fn check_length(pattern: &str) -> Result<(), String> {
    if pattern.trim().is_empty() {
        return Err("is empty: it would match everything or nothing".to_owned());
    }
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("has {} bytes, more than the limit of {PATTERN_BYTES_MAX}", pattern.len()));
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn glob(pattern: &str) -> Glob {
        Glob::new(pattern).unwrap()
    }

    #[test]
    fn a_glob_matches_whole_names_with_their_case() {
        for (pattern, yes, no) in [
            ("prod", vec!["prod"], vec!["", "Prod", "prod-a", "a-prod"]),
            ("prod-*", vec!["prod-", "prod-a", "prod-a-b"], vec!["prod", "non-prod-a"]),
            ("*-prod", vec!["-prod", "a-prod", "-prod-prod"], vec!["a-prod-b"]),
            ("p?d", vec!["pad", "püd"], vec!["pd", "paad"]),
            ("a*b*c", vec!["abc", "axbxc", "abbcc"], vec!["ab", "acb", "abcd"]),
            ("*", vec!["", "anything"], vec![]),
        ] {
            for text in yes {
                assert!(glob(pattern).matches(text), "`{pattern}` on `{text}`");
            }
            for text in no {
                assert!(!glob(pattern).matches(text), "`{pattern}` on `{text}`");
            }
        }
    }

    #[test]
    fn a_search_finds_its_pattern_anywhere_ignoring_case() {
        for (pattern, yes, no) in [
            ("prod", vec!["prod", "my-PROD-db", "production"], vec!["", "pro", "research"]),
            (r"^prod-\d{1,3}$", vec!["prod-1", "PROD-123"], vec!["prod-1234", "a-prod-1"]),
            ("dev|test", vec!["my-dev", "TESTER"], vec!["prod"]),
        ] {
            let search = Search::new(pattern).unwrap();
            for text in yes {
                assert!(search.matches(text), "`{pattern}` on `{text}`");
            }
            for text in no {
                assert!(!search.matches(text), "`{pattern}` on `{text}`");
            }
        }
    }

    #[test]
    fn a_pattern_of_words_is_not_found_within_them() {
        for (pattern, yes, no) in [
            ("prod", vec!["prod", "my-PROD-db", "a_prod", "x.prod"], vec!["product", "nonprod", "prod2"]),
            ("prod-.*-db", vec!["prod-x-db", "a-prod-y-db-b"], vec!["xprod-a-db", "prod-a-dbs"]),
            ("^prod", vec!["prod", "prod-a"], vec!["product"]),
            ("dev|prod", vec!["dev-a", "a-prod"], vec!["develop", "product"]),
        ] {
            let words = Search::of_words(pattern).unwrap();
            yes.iter().for_each(|text| assert!(words.matches(text), "`{pattern}` on `{text}`"));
            no.iter().for_each(|text| assert!(!words.matches(text), "`{pattern}` on `{text}`"));
        }
        for (pattern, yes, no) in [
            ("prod*", vec!["prod", "prod-a"], vec!["product", "prod2"]),
            ("*prod*", vec!["prod", "a-prod-b"], vec!["product", "nonprod", "a-products"]),
            ("prod-*", vec!["prod-", "prod-a"], vec!["product"]),
            ("*-ro", vec!["a-ro"], vec!["a-rob"]),
            ("a*b", vec!["a-b", "a-x-b"], vec!["axb", "a-xb"]),
            ("p?d*", vec!["pad-x"], vec!["padx"]),
        ] {
            let words = glob(pattern).of_words().unwrap();
            yes.iter().for_each(|text| assert!(words.matches(text), "`{pattern}` on `{text}`"));
            no.iter().for_each(|text| assert!(!words.matches(text), "`{pattern}` on `{text}`"));
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        assert_eq!(Glob::new(" ").unwrap_err(), "is empty: it would match everything or nothing");
        assert_eq!(Search::new(&"a".repeat(257)).unwrap_err(), "has 257 bytes, more than the limit of 256");
        assert_eq!(Search::new("a(").unwrap_err(), "is not a regular expression: unclosed group");
        assert_eq!(
            Search::new("(a{100}){100}{100}").unwrap_err(),
            "is not a regular expression: heap usage during NFA compilation exceeded limit of 65536"
        );
    }

    proptest! {
        #[test]
        fn a_word_and_the_same_regular_expression_agree(word in "[a-cA-C_-]{1,4}", text in "[a-cA-C_-]{0,12}") {
            let regex = Search::compiled(&word).unwrap();
            prop_assert_eq!(Search::new(&word).unwrap().matches(&text), regex.matches(&text));
        }

        #[test]
        fn a_glob_and_the_same_regular_expression_agree(pattern in "[ab*?]{1,8}", text in "[ab]{0,10}") {
            let regex = format!("^{}$", pattern.replace('*', ".*").replace('?', "."));
            prop_assert_eq!(glob(&pattern).matches(&text), Search::new(&regex).unwrap().matches(&text));
        }

        #[test]
        fn globs_overlap_exactly_if_a_text_matches_both(a in "[ab*?]{1,4}", b in "[ab*?]{1,4}") {
            // A shortest common text has at most as many characters as both patterns have together.
            let (a, b) = (glob(&a), glob(&b));
            let common = (0..=8_u32).flat_map(texts).any(|text| a.matches(&text) && b.matches(&text));
            prop_assert_eq!(a.overlaps(&b), common);
            prop_assert_eq!(b.overlaps(&a), common);
        }
    }

    /// All texts of this length over `a` and `b`.
    fn texts(length: u32) -> impl Iterator<Item = String> {
        let letter = |bits: u32| move |place: u32| if bits >> place & 1 == 0 { 'a' } else { 'b' };
        (0..1_u32 << length).map(move |bits| (0..length).map(letter(bits)).collect())
    }
}
