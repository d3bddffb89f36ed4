//! The fact that knows who is on call: a list of user names, or an object of shifts by user name.
//! It must never take somebody for being on call whose shift it does not understand.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use tribunal_guest::Timestamp;
use tribunal_terms::{Object, instant};

/// Looks for one user at one time.
pub(crate) struct OnCall<'a> {
    pub(crate) user: &'a str,
    pub(crate) now: Timestamp,
}

/// What the fact says of the user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Duty {
    /// On call, until then where that is known.
    On(Option<Timestamp>),
    Off,
}

/// One or several shifts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Shifts {
    One(Object<Shift>),
    Several(Vec<Object<Shift>>),
}

/// A shift; RFC 3339. An open end is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shift {
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    until: Option<String>,
}

// === impl OnCall ===

impl OnCall<'_> {
    fn duty(&self, shifts: Shifts) -> Result<Duty, String> {
        let shifts = match shifts {
            Shifts::One(shift) => vec![shift],
            Shifts::Several(shifts) => shifts,
        };
        let mut duty = Duty::Off;
        for Object(Shift { from, until }) in shifts {
            let from = from.as_deref().map(instant).transpose()?;
            let until = until.as_deref().map(instant).transpose()?;
            let has_begun = from.is_none_or(|from| from <= self.now);
            let is_over = until.is_some_and(|until| until <= self.now);
            if has_begun && !is_over {
                duty = duty.longer(until);
            }
        }
        Ok(duty)
    }
}

// === impl Duty ===

impl Duty {
    fn longer(self, until: Option<Timestamp>) -> Self {
        match (self, until) {
            (Self::Off, until) => Self::On(until),
            (Self::On(Some(known)), Some(until)) => Self::On(Some(known.max(until))),
            (Self::On(None), _) | (Self::On(Some(_)), None) => Self::On(None),
        }
    }
}

impl<'de> DeserializeSeed<'de> for OnCall<'_> {
    type Value = Duty;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Duty, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for OnCall<'_> {
    type Value = Duty;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of user names, or an object of shifts by user name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Duty, A::Error> {
        let mut duty = Duty::Off;
        while let Some(name) = list.next_element::<String>()? {
            if name == self.user {
                duty = Duty::On(None);
            }
        }
        Ok(duty)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Duty, A::Error> {
        let mut found = None;
        while let Some(name) = map.next_key::<String>()? {
            if name != self.user {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let duty = self.duty(map.next_value()?).map_err(A::Error::custom)?;
            if found.replace(duty).is_some() {
                return Err(A::Error::custom(format_args!("`{name}` is there twice")));
            }
        }
        Ok(found.unwrap_or(Duty::Off))
    }
}
