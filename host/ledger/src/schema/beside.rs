//! Reads objects beside whose own fields those of another type stand: a request of a case and its locks, a decision and what
//! its line says of itself. `serde(flatten)` would first copy all of it into a tree that knows no types, which costs as much
//! as reading it twice; a replay reads millions.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{CowStrDeserializer, MapAccessDeserializer};
use serde::de::{DeserializeSeed, Error as _, IntoDeserializer as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::case::{CaseLock, CaseRequest};
use super::decided::Decided;
use super::{Body, Line, Time};
use crate::digest::Digest;

const LOCKS: &str = "locks";
/// The kind of a line that tells a decision.
const DECIDED: &str = "decided";

/// Fields of an object that belong to another type than the rest.
trait Beside {
    /// What the whole object is, for whoever finds something else.
    const WHOLE: &str;

    /// Takes the value of this key out of the map, if it is one of them.
    fn take<'de, Map: MapAccess<'de>>(&mut self, key: &str, map: &mut Map) -> Result<bool, Map::Error>;
}

/// The entries of an object but for those beside, which are kept when they are found.
struct Others<'a, Map, Own> {
    map: Map,
    beside: &'a mut Own,
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Reads an object that is a `T`, and what stands beside.
fn both<'de, T: Deserialize<'de>, Own: Beside + Default, D: Deserializer<'de>>(from: D) -> Result<(T, Own), D::Error> {
    from.deserialize_map(Both(PhantomData))
}

struct Both<T, Own>(PhantomData<(T, Own)>);

impl<'de, T: Deserialize<'de>, Own: Beside + Default> Visitor<'de> for Both<T, Own> {
    type Value = (T, Own);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Own::WHOLE)
    }

    fn visit_map<Map: MapAccess<'de>>(self, map: Map) -> Result<Self::Value, Map::Error> {
        let mut own = Own::default();
        let rest = T::deserialize(MapAccessDeserializer::new(Others { map, beside: &mut own }))?;
        Ok((rest, own))
    }
}

/// The value of this key, which stands there once.
fn once<'de, T: Deserialize<'de>, Map: MapAccess<'de>>(
    place: &mut Option<T>,
    key: &'static str,
    map: &mut Map,
) -> Result<bool, Map::Error> {
    if place.is_some() {
        return Err(Map::Error::duplicate_field(key));
    }
    *place = Some(map.next_value()?);
    Ok(true)
}

// === impl CaseRequest ===

#[derive(Default)]
struct Locks {
    locks: Option<Vec<CaseLock>>,
}

impl Beside for Locks {
    const WHOLE: &str = "a request with its locks";

    fn take<'de, Map: MapAccess<'de>>(&mut self, key: &str, map: &mut Map) -> Result<bool, Map::Error> {
        if key == LOCKS { once(&mut self.locks, LOCKS, map) } else { Ok(false) }
    }
}

impl<'de> Deserialize<'de> for CaseRequest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (request, Locks { locks }) = both(from)?;
        Ok(Self { request, locks: locks.ok_or_else(|| D::Error::missing_field(LOCKS))? })
    }
}

// === impl DecidedLine ===

/// A line that tells a decision, and nothing else.
pub(super) struct DecidedLine(pub(super) Line);

/// What stands in each line beside what it tells.
#[derive(Default)]
struct Envelope {
    v: Option<u32>,
    seq: Option<u64>,
    /// Absent in the first line, and in lines of version 1.
    prev: Option<Option<Digest>>,
    at: Option<Time>,
    kind: Option<String>,
}

impl Beside for Envelope {
    const WHOLE: &str = "a line that tells a decision";

    fn take<'de, Map: MapAccess<'de>>(&mut self, key: &str, map: &mut Map) -> Result<bool, Map::Error> {
        match key {
            "v" => once(&mut self.v, "v", map),
            "seq" => once(&mut self.seq, "seq", map),
            "prev" => once(&mut self.prev, "prev", map),
            "at" => once(&mut self.at, "at", map),
            "kind" => once(&mut self.kind, "kind", map),
            _ => Ok(false),
        }
    }
}

impl<'de> Deserialize<'de> for DecidedLine {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (decided, Envelope { v, seq, prev, at, kind }) = both::<Box<Decided>, _, _>(from)?;
        let missing = D::Error::missing_field;
        if kind.as_deref() != Some(DECIDED) {
            return Err(D::Error::custom("it tells no decision"));
        }
        Ok(Self(Line {
            v: v.ok_or_else(|| missing("v"))?,
            seq: seq.ok_or_else(|| missing("seq"))?,
            prev: prev.flatten(),
            at: at.ok_or_else(|| missing("at"))?,
            body: Body::Decided(decided),
        }))
    }
}

// === impl Others ===

impl<'de, Map: MapAccess<'de>, Own: Beside> MapAccess<'de> for Others<'_, Map, Own> {
    type Error = Map::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            if self.beside.take(&key, &mut self.map)? {
                continue;
            }
            let key: CowStrDeserializer<'_, Self::Error> = key.into_deserializer();
            return seed.deserialize(key).map(Some);
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

    use super::super::request::Request;
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
