//! What an operator's fact says: read into a type, or why nothing is known.
//! It must never take a stale or damaged fact for what it says.

use std::fmt;

use serde::de::DeserializeSeed;
use tribunal_guest::{Case, Timestamp};

use crate::utc;

/// Bytes of a parser's message that are shown.
const MESSAGE_BYTES_MAX: usize = 200;

/// Why a fact says nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoFact {
    /// The operator configured none of this name, or it could never be read.
    Missing(String),
    /// It was written longer ago than the operator allows, then.
    Stale(String, Timestamp),
    /// It is no JSON, or says what a policy does not understand.
    Damaged(String, String),
}

/// What the fact of this name says, if it is there, fresh, and understood by `seed` from its beginning to its end.
///
/// # Errors
/// Why nothing is known.
pub fn read<'de, S: DeserializeSeed<'de>>(case: &'de Case, name: &str, seed: S) -> Result<S::Value, NoFact> {
    match case.fact(name) {
        // What could never be read was never written.
        Some(fact) if !fact.fresh && fact.fetched == 0 => Err(NoFact::Missing(name.to_owned())),
        Some(fact) if !fact.fresh => Err(NoFact::Stale(name.to_owned(), fact.fetched)),
        Some(_) | None => last(case, name, seed),
    }
}

/// What the fact of this name last said, however long ago: for what must not be undone because a fact is out of date.
///
/// # Errors
/// Why nothing is known.
pub fn last<'de, S: DeserializeSeed<'de>>(case: &'de Case, name: &str, seed: S) -> Result<S::Value, NoFact> {
    let Some(fact) = case.fact(name) else { return Err(NoFact::Missing(name.to_owned())) };
    let mut json = serde_json::Deserializer::from_str(&fact.json);
    let value = seed.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    value.map_err(|error| {
        let mut why = error.to_string();
        why.truncate(why.floor_char_boundary(MESSAGE_BYTES_MAX));
        NoFact::Damaged(name.to_owned(), why)
    })
}

// === impl NoFact ===

impl fmt::Display for NoFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "the fact `{name}` is not there"),
            Self::Stale(name, fetched) => {
                write!(f, "the fact `{name}` is out of date: it was last written at {}", utc(*fetched))
            }
            Self::Damaged(name, why) => write!(f, "the fact `{name}` cannot be understood: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;
    use tribunal_guest::testing::case;

    fn read_numbers(json: &str, fresh: bool) -> Result<Vec<u8>, String> {
        let mut case = case("alice").fact("numbers", json).build();
        case.facts.iter_mut().for_each(|fact| fact.fresh = fresh);
        read(&case, "numbers", PhantomData::<Vec<u8>>).map_err(|why| why.to_string())
    }

    #[test]
    fn only_a_fresh_whole_fact_says_anything() {
        assert_eq!(read_numbers("[1, 2]", true), Ok(vec![1, 2]));
        let stale = "the fact `numbers` is out of date: it was last written at 2026-01-01 12:00 UTC";
        assert_eq!(read_numbers("[1, 2]", false), Err(stale.to_owned()));
        let mut old = case("alice").fact("numbers", "[1, 2]").build();
        old.facts.iter_mut().for_each(|fact| fact.fresh = false);
        assert_eq!(last(&old, "numbers", PhantomData::<Vec<u8>>), Ok(vec![1, 2]));
        for (damaged, why) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("[1, 2", "EOF while parsing a list at line 1 column 5"),
            ("[1] [2]", "trailing characters at line 1 column 5"),
            ("{}", "invalid type: map, expected a sequence at line 1 column 0"),
        ] {
            assert_eq!(read_numbers(damaged, true), Err(format!("the fact `numbers` cannot be understood: {why}")));
        }
        let missing = NoFact::Missing("numbers".to_owned());
        assert_eq!(missing.to_string(), "the fact `numbers` is not there");
        assert_eq!(read(&case("alice").build(), "numbers", PhantomData::<Vec<u8>>), Err(missing.clone()));
        // As the host shows what it could never read.
        let mut never = case("alice").now(0).fact("numbers", "null").build();
        never.facts.iter_mut().for_each(|fact| fact.fresh = false);
        assert_eq!(read(&never, "numbers", PhantomData::<Vec<u8>>), Err(missing));
    }
}
