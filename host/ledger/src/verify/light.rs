//! As much of a line as checking it takes: a parse that skips over everything else. It never decides what a line means.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Unexpected, Visitor};

use crate::digest::Digest;

/// What connects a line with others and with objects.
#[derive(Deserialize)]
pub(super) struct Light {
    pub(super) v: u32,
    pub(super) seq: u64,
    #[serde(default)]
    pub(super) prev: Option<Digest>,
    #[serde(default)]
    pub(super) panel: Option<Digest>,
    #[serde(default)]
    pub(super) case: LightCase,
    #[serde(default)]
    pub(super) facts: Vec<LightFact>,
    #[serde(default)]
    pub(super) request: Option<LightRequest>,
}

#[derive(Deserialize)]
pub(super) struct LightRequest {
    #[serde(default)]
    pub(super) words: Option<Digest>,
}

#[derive(Deserialize)]
pub(super) struct LightFact {
    pub(super) json: Digest,
}

/// The object of a case; none, if the case stands in the line or there is none.
#[derive(Default)]
pub(super) struct LightCase(pub(super) Option<Digest>);

struct CaseVisitor;

impl<'de> Deserialize<'de> for LightCase {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CaseVisitor)
    }
}

impl<'de> Visitor<'de> for CaseVisitor {
    type Value = LightCase;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a case, or the SHA-256 of one")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<LightCase, E> {
        let digest = Digest::parse(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))?;
        Ok(LightCase(Some(digest)))
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<LightCase, M::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LightCase(None))
    }
}
