//! Points in time in the ledger: RFC 3339 in UTC with milliseconds. It never rounds and never reads a clock.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tribunal_core::Timestamp;

/// A point in time. JSON: a string such as `2026-03-01T09:30:00.125Z`; a time after the year 9999, which RFC 3339
/// cannot say, is the number of milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(Timestamp);

struct TimeVisitor;

// === impl Time ===

impl Time {
    fn civil(self) -> Option<jiff::Timestamp> {
        i64::try_from(self.0.as_millis()).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
    }
}

impl From<Timestamp> for Time {
    fn from(it: Timestamp) -> Self {
        Self(it)
    }
}

impl From<Time> for Timestamp {
    fn from(it: Time) -> Self {
        it.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.civil() {
            Some(civil) => write!(f, "{civil:.3}"),
            None => write!(f, "{}", self.0.as_millis()),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.civil() {
            Some(civil) => serializer.collect_str(&format_args!("{civil:.3}")),
            None => serializer.serialize_u64(self.0.as_millis()),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

// === impl TimeVisitor ===

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RFC 3339 time not before 1970")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Time, E> {
        let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
        let civil: jiff::Timestamp = text.parse().map_err(|_| invalid())?;
        u64::try_from(civil.as_millisecond()).map(Timestamp::from_millis).map(Time).map_err(|_| invalid())
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Time, E> {
        Ok(Time(Timestamp::from_millis(millis)))
    }
}
