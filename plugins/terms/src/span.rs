//! Lengths of time as people write and read them: `8h` in settings, `8 h` in reasons.
//! It must never round: what is shown is what was set.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

/// Units by size, with their letters in settings, their names in reasons and their length in milliseconds.
const UNITS: [(char, &str, u64); 4] =
    [('d', "d", 86_400_000), ('h', "h", 3_600_000), ('m', "min", 60_000), ('s', "s", 1_000)];

/// A length of time, at least a second.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Span(u64);

// === impl Span ===

impl Span {
    /// So many milliseconds.
    #[must_use]
    pub const fn of_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// Its milliseconds.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// Parses `8h`, `1d12h`, `90m`, `1h 30m`, `45s`: numbers with units, largest unit first.
    ///
    /// # Errors
    /// What is wrong, and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::of_text(text)
            .filter(|span| span.0 > 0)
            .ok_or_else(|| format!("`{text}` is no length of time: write it like `8h`, `1d12h`, `90m` or `45s`"))
    }

    fn of_text(text: &str) -> Option<Self> {
        let (mut total, mut number, mut units) = (0_u64, None, UNITS.as_slice());
        for c in text.trim().chars() {
            if let Some(digit) = c.to_digit(10) {
                number = Some(number.unwrap_or(0_u64).checked_mul(10)?.checked_add(digit.into())?);
            } else if c == ' ' && number.is_none() {
                // Between two parts.
            } else {
                let at = units.iter().position(|(letter, _, _)| *letter == c)?;
                let (_, _, ms) = units.get(at)?;
                total = total.checked_add(number.take()?.checked_mul(*ms)?)?;
                units = units.get(at.saturating_add(1)..)?;
            }
        }
        number.is_none().then_some(Self(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        let mut parts = Vec::new();
        for (_, name, ms) in UNITS {
            let count = rest / ms;
            rest %= ms;
            if count > 0 {
                parts.push(format!("{count} {name}"));
            }
        }
        if parts.is_empty() {
            parts.push("0 s".to_owned());
        }
        f.write_str(&parts.join(" "))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A length of time, such as `8h`, `1d12h`, `90m` or `45s`.",
            "pattern": "^\\s*(\\d+d)? *(\\d+h)? *(\\d+m)? *(\\d+s)?\\s*$",
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_read_and_told() {
        for (text, ms, told) in [
            ("8h", 28_800_000, "8 h"),
            ("90m", 5_400_000, "1 h 30 min"),
            ("1d12h", 129_600_000, "1 d 12 h"),
            (" 1h 30m ", 5_400_000, "1 h 30 min"),
            ("45s", 45_000, "45 s"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!((span.ms(), span.to_string().as_str()), (ms, told), "{text}");
        }
        assert_eq!(Span::of_ms(999).to_string(), "0 s");
    }

    #[test]
    fn what_is_no_length_says_how_to_write_one() {
        for text in [
            "",
            "8",
            "h",
            "8 hours",
            "1m1h",
            "1h1h",
            "0s",
            "-1h",
            "1.5h",
            "99999999999999999999d",
            "184467440737095516d",
        ] {
            let why = Span::parse(text).unwrap_err();
            assert_eq!(why, format!("`{text}` is no length of time: write it like `8h`, `1d12h`, `90m` or `45s`"));
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "[0-9dhms ]{0,24}") {
            drop(Span::parse(&text));
        }

        #[test]
        fn what_is_told_is_read_back(seconds in 1..10_000_000_u64) {
            let told = Span::of_ms(seconds * 1_000).to_string();
            let settings = told.replace("min", "m").replace(' ', "");
            prop_assert_eq!(Span::parse(&settings).unwrap().ms(), seconds * 1_000);
        }
    }
}
