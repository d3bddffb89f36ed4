//! Values that can be said in one word, as one table or as a list of either. It knows no such value.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// What one word stands for.
pub trait Word: Sized {
    /// What can be said, for messages.
    const EXPECTED: &'static str;

    /// What this word stands for.
    ///
    /// # Errors
    /// Why it stands for nothing.
    fn word(text: &str) -> Result<Self, String>;
}

/// A word or a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Flex<T>(pub T);

/// A word, a table, or a list of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Many<T>(pub Vec<T>);

struct FlexVisitor<T>(PhantomData<T>);
struct ManyVisitor<T>(PhantomData<T>);

impl Word for String {
    const EXPECTED: &'static str = "a text";

    fn word(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Keys with one value or several.
pub(super) fn attributes(given: &BTreeMap<String, Many<String>>) -> BTreeMap<String, Vec<String>> {
    given.iter().map(|(key, values)| (key.clone(), values.0.clone())).collect()
}

// === impl Flex ===

impl<'de, T: Word + Deserialize<'de>> Deserialize<'de> for Flex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlexVisitor(PhantomData)).map(Self)
    }
}

impl<'de, T: Word + Deserialize<'de>> Visitor<'de> for FlexVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::word(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

// === impl Many ===

impl<'de, T: Word + Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ManyVisitor(PhantomData)).map(Self)
    }
}

impl<'de, T: Word + Deserialize<'de>> Visitor<'de> for ManyVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, or a list of them", T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<T>, E> {
        T::word(text).map(|one| vec![one]).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Vec<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| vec![one])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Vec<T>, A::Error> {
        let many = Vec::<Flex<T>>::deserialize(SeqAccessDeserializer::new(list))?;
        Ok(many.into_iter().map(|one| one.0).collect())
    }
}
