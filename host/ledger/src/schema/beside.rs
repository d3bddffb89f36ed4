//! Reads a request of a case, beside whose own fields its locks stand. `serde(flatten)` would first copy all of it into a
//! tree that knows no types, which costs as much as reading it twice; a replay reads millions.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::case::{CaseLock, CaseRequest};
use super::request::Request;

const LOCKS: &str = "locks";

/// An object with the fields of both.
struct Both;

/// The entries of an object but for the locks, which are kept when they are found.
struct Others<'a, Map> {
    map: Map,
    locks: &'a mut Option<Vec<CaseLock>>,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

// === impl CaseRequest ===

impl<'de> Deserialize<'de> for CaseRequest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Both)
    }
}

// === impl Both ===

impl<'de> Visitor<'de> for Both {
    type Value = CaseRequest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a request with its locks")
    }

    fn visit_map<Map: MapAccess<'de>>(self, map: Map) -> Result<Self::Value, Map::Error> {
        let mut locks = None;
        let request = Request::deserialize(MapAccessDeserializer::new(Others { map, locks: &mut locks }))?;
        Ok(CaseRequest { request, locks: locks.ok_or_else(|| Map::Error::missing_field(LOCKS))? })
    }
}

// === impl Others ===

impl<'de, Map: MapAccess<'de>> MapAccess<'de> for Others<'_, Map> {
    type Error = Map::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            if key != LOCKS {
                let key: CowStrDeserializer<'_, Self::Error> = key.into_deserializer();
                return seed.deserialize(key).map(Some);
            }
            if self.locks.is_some() {
                return Err(Self::Error::duplicate_field(LOCKS));
            }
            *self.locks = Some(self.map.next_value()?);
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        self.map.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const REQUEST: &str = r#""id":"r","revision":"1","user":"u","state":"PENDING","term":"short-term","roles":[],
        "resources":[],"reason":"","created":"2026-01-01T00:00:00.000Z","decided_by":"nobody","reviews":[],
        "suggested_reviewers":[],"annotations":{}"#;
    const LOCK: &str = r#"{"name":"l","message":"m","ours":true}"#;

    fn read(object: &str) -> Result<CaseRequest, String> {
        serde_json::from_str(object).map_err(|error| error.to_string())
    }

    /// What serde's own way reads.
    #[derive(Deserialize)]
    struct Flattened {
        #[serde(flatten)]
        request: Request,
        locks: Vec<CaseLock>,
    }

    #[test]
    fn wherever_the_locks_stand_it_reads_what_serde_reads() {
        let before = format!(r#"{{"locks":[{LOCK}],{REQUEST}}}"#);
        let after = format!(r#"{{{REQUEST},"\u006cocks":[{LOCK}]}}"#);
        let Flattened { request, locks } = serde_json::from_str(&before).unwrap();
        assert_eq!(locks.len(), 1);
        let both = CaseRequest { request, locks };
        assert_eq!(read(&before).as_ref(), Ok(&both));
        assert_eq!(read(&after).as_ref(), Ok(&both));
    }

    #[test]
    fn locks_stand_there_exactly_once() {
        assert!(read(&format!("{{{REQUEST}}}")).is_err_and(|why| why.starts_with("missing field `locks`")));
        let twice = format!(r#"{{"locks":[],{REQUEST},"locks":[]}}"#);
        assert!(read(&twice).is_err_and(|why| why.starts_with("duplicate field `locks`")));
        assert!(read("[]").is_err_and(|why| why.contains("expected a request with its locks")));
    }
}
