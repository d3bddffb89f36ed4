//! Reads an object in which the fields of two types stand side by side. `serde(flatten)` would first copy all of it into a tree
//! that knows no types, which costs as much as reading it twice; a replay reads millions.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads an object as a `Rest`, but for one field of it.
pub(super) fn read<'de, Rest, Field, D>(from: D, field: &'static str) -> Result<(Rest, Field), D::Error>
where
    Rest: Deserialize<'de>,
    Field: Deserialize<'de>,
    D: Deserializer<'de>,
{
    from.deserialize_map(Both { field, types: PhantomData })
}

struct Both<Rest, Field> {
    field: &'static str,
    types: PhantomData<(Rest, Field)>,
}

/// The entries of a map but for one, which is kept where it is found.
struct Others<'a, Map, Field> {
    map: Map,
    field: &'static str,
    found: &'a mut Option<Field>,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

// === impl Both ===

impl<'de, Rest: Deserialize<'de>, Field: Deserialize<'de>> Visitor<'de> for Both<Rest, Field> {
    type Value = (Rest, Field);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with `{}`", self.field)
    }

    fn visit_map<Map: MapAccess<'de>>(self, map: Map) -> Result<Self::Value, Map::Error> {
        let mut found = None;
        let others = Others { map, field: self.field, found: &mut found };
        let rest = Rest::deserialize(MapAccessDeserializer::new(others))?;
        Ok((rest, found.ok_or_else(|| Map::Error::missing_field(self.field))?))
    }
}

// === impl Others ===

impl<'de, Map: MapAccess<'de>, Field: Deserialize<'de>> MapAccess<'de> for Others<'_, Map, Field> {
    type Error = Map::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            if key != self.field {
                let key: CowStrDeserializer<'_, Self::Error> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            if self.found.is_some() {
                return Err(Self::Error::duplicate_field(self.field));
            }
            *self.found = Some(self.map.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        self.map.next_value_seed(seed)
    }
}
