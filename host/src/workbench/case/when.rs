//! Points in time as people write them: RFC 3339, or so long before or after the case's `now`. It reads no clock.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use tribunal_core::Timestamp;

/// How TOML's own dates arrive.
const TOML_DATE: &str = "$__toml_private_datetime";
/// The end of access of which nobody knows when it is.
pub(super) const UNKNOWN: &str = "unknown";
/// What can be written.
const EXPECTED: &str =
    "a time such as `2026-03-02T10:00:00Z`, `-90m` or `+8h` (from the case's `now`), or milliseconds since 1970";

/// A point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// This one.
    At(Timestamp),
    /// So long before the case's `now`.
    Before(Duration),
    /// So long after it.
    After(Duration),
}

/// The end of something, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Nobody knows: the word `unknown`.
    Unknown,
    /// Then.
    At(When),
}

struct WhenVisitor;
struct EndsVisitor;

// === impl When ===

impl When {
    /// The time that it is where it is `now`.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Before(duration) => now.before(duration),
            Self::After(duration) => now.after(duration),
        }
    }

    /// The time that a text names.
    ///
    /// # Errors
    /// That it names none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not {EXPECTED}");
        if let Some(duration) = text.strip_prefix('-') {
            return duration_of(duration).map(Self::Before).ok_or_else(wrong);
        }
        if let Some(duration) = text.strip_prefix('+') {
            return duration_of(duration).map(Self::After).ok_or_else(wrong);
        }
        if text == "now" {
            return Ok(Self::After(Duration::ZERO));
        }
        let civil: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        let millis = u64::try_from(civil.as_millisecond()).map_err(|_| wrong())?;
        Ok(Self::At(Timestamp::from_millis(millis)))
    }
}

/// `90m`, `1h30m`, `2d`, `250ms`.
fn duration_of(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let unit_ms: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        let part = number.parse::<u64>().ok()?.checked_mul(unit_ms)?;
        sum = sum.checked_add(Duration::from_millis(part))?;
        rest = tail;
    }
    (!text.is_empty()).then_some(sum)
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WhenVisitor)
    }
}

impl<'de> Visitor<'de> for WhenVisitor {
    type Value = When;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<When, E> {
        When::parse(text).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<When, E> {
        Ok(When::At(Timestamp::from_millis(millis)))
    }

    fn visit_i64<E: de::Error>(self, millis: i64) -> Result<When, E> {
        let millis = u64::try_from(millis).map_err(|_| E::invalid_value(de::Unexpected::Signed(millis), &self))?;
        self.visit_u64(millis)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<When, A::Error> {
        let wrong = || de::Error::invalid_type(de::Unexpected::Map, &WhenVisitor);
        if map.next_key::<String>()?.as_deref() != Some(TOML_DATE) {
            return Err(wrong());
        }
        When::parse(&map.next_value::<String>()?).map_err(de::Error::custom)
    }
}

// === impl Ends ===

impl<'de> Deserialize<'de> for Ends {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EndsVisitor)
    }
}

impl<'de> Visitor<'de> for EndsVisitor {
    type Value = Ends;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EXPECTED}, or `{UNKNOWN}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ends, E> {
        if text == UNKNOWN { Ok(Ends::Unknown) } else { WhenVisitor.visit_str(text).map(Ends::At) }
    }

    fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Ends, E> {
        WhenVisitor.visit_u64(millis).map(Ends::At)
    }

    fn visit_i64<E: de::Error>(self, millis: i64) -> Result<Ends, E> {
        WhenVisitor.visit_i64(millis).map(Ends::At)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Ends, A::Error> {
        WhenVisitor.visit_map(map).map(Ends::At)
    }
}
