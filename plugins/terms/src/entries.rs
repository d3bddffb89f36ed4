//! Some entries of a fact that is a JSON object, such as those of a few users among thousands: the others are skipped.
//! It must never take one of two entries of the same key for the other.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Reads the entries of these keys, to be given to [`read_fact`](crate::read_fact).
#[derive(Debug)]
pub struct Entries<'a, T> {
    keys: &'a [&'a str],
    entry: PhantomData<T>,
}

// === impl Entries ===

impl<'a, T> Entries<'a, T> {
    /// Of these keys.
    #[must_use]
    pub const fn of(keys: &'a [&'a str]) -> Self {
        Self { keys, entry: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Entries<'_, T> {
    type Value = BTreeMap<String, T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<'_, T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if !self.keys.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
            } else if entries.insert(key.clone(), map.next_value()?).is_some() {
                return Err(A::Error::custom(format_args!("`{key}` is there twice")));
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read_fact;
    use tribunal_guest::testing::case;

    #[test]
    fn only_the_entries_that_are_asked_for_are_read_and_each_once() {
        let read = |json: &str| {
            let case = case("alice").fact("ages", json).build();
            read_fact(&case, "ages", Entries::<u8>::of(&["a", "b"])).map_err(|why| why.to_string())
        };
        assert_eq!(read(r#"{"a": 1, "x": ["odd"], "b": 2}"#), Ok([("a".to_owned(), 1), ("b".to_owned(), 2)].into()));
        assert_eq!(read("{}"), Ok(BTreeMap::new()));
        let damaged = |why: &str| Err(format!("the fact `ages` cannot be understood: {why}"));
        assert_eq!(read(r#"{"a": 1, "a": 2}"#), damaged("`a` is there twice at line 1 column 16"));
        assert_eq!(read("[]"), damaged("invalid type: sequence, expected an object at line 1 column 0"));
    }
}
