//! Lengths of time as people write them: `8h`, `1h30m`, `250ms`, `-3s`.

use std::time::Duration;

use serde::Deserialize;

/// A length of time in milliseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(i64);

/// Longest first where one is the beginning of another.
const UNITS: [(&str, i64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl Span {
    /// From milliseconds.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Zero when negative.
    #[must_use]
    pub fn to_duration(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        parse(&text).map(Self).ok_or_else(|| {
            format!(
                "`{text}` is not a length of time: write a number and a unit (ms, s, m, h, d), such as `8h` or `1h30m`"
            )
        })
    }
}

fn parse(text: &str) -> Option<i64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest.is_empty() {
        return None;
    }
    let mut total = 0i64;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|letter: char| letter.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, unit_ms) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*unit_ms)?)?;
        rest = after;
    }
    total.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, ms) in
            [("0s", 0), ("250ms", 250), ("8h", 28_800_000), ("1h30m", 5_400_000), ("-3s", -3000), ("2d", 172_800_000)]
        {
            assert_eq!(Span::try_from(text.to_owned()), Ok(Span(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "-", "8", "h", "8 h", "8x", "1.5h", "99999999999999999999h", "9223372036854775807d", "é"] {
            assert!(Span::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
