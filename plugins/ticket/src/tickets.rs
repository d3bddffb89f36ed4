//! The fact that knows the tickets: a list of them, or an object of them by number. Only those that are asked about are
//! kept, so that one odd ticket does not hide the others.
//! It must never take one of two tickets of the same number for the other.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use tribunal_guest::{AccessRequest, Timestamp};
use tribunal_terms::{Globs, Object, instant};

/// A ticket, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) status: String,
    pub(crate) assignee: Option<String>,
    roles: Option<Globs>,
    resources: Option<Globs>,
    /// When the work may begin.
    pub(crate) starts: Option<Timestamp>,
    /// When the work has to be over.
    pub(crate) ends: Option<Timestamp>,
}

/// Tickets by number, in upper case.
pub(crate) type Tickets = BTreeMap<String, Ticket>;

/// Reads the tickets of these numbers, in upper case.
pub(crate) struct Wanted<'a>(pub(crate) &'a [String]);

/// A ticket as it stands in the fact; what else there is about it is skipped.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(alias = "number", alias = "key")]
    id: Value,
    #[serde(alias = "state")]
    status: Value,
    assignee: Value,
    /// Roles that it is about, as patterns.
    roles: Value,
    /// Resources that it is about, as patterns of Teleport's paths.
    resources: Value,
    /// RFC 3339.
    starts: Value,
    /// RFC 3339.
    ends: Value,
}

// === impl Ticket ===

impl Ticket {
    /// Whether it says what it is about.
    pub(crate) fn lists(&self) -> bool {
        self.roles.is_some() || self.resources.is_some()
    }

    /// Whether it is about all that is asked for, as far as it says what it is about. A ticket about resources is not
    /// about whole roles.
    pub(crate) fn covers(&self, request: &AccessRequest) -> bool {
        let roles = |globs: &Globs| request.roles.iter().all(|role| globs.matches(role));
        let resources = |globs: &Globs| {
            !request.is_role_only() && request.resources.iter().all(|resource| globs.matches(&resource.path()))
        };
        self.roles.as_ref().is_none_or(roles) && self.resources.as_ref().is_none_or(resources)
    }

    fn new(id: &str, raw: Raw) -> Result<Self, String> {
        let Raw { id: _, status, assignee, roles, resources, starts, ends } = raw;
        let Value::String(status) = status else { return Err(format!("ticket `{id}` has no `status`")) };
        Ok(Self {
            status,
            assignee: text(id, "assignee", assignee)?,
            roles: globs(id, "roles", roles)?,
            resources: globs(id, "resources", resources)?,
            starts: time(id, "starts", starts)?,
            ends: time(id, "ends", ends)?,
        })
    }
}

fn text(id: &str, key: &str, value: Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(format!("`{key}` of ticket `{id}` is no text"))
        }
    }
}

fn time(id: &str, key: &str, value: Value) -> Result<Option<Timestamp>, String> {
    let parse = |text: String| instant(&text).map_err(|why| format!("`{key}` of ticket `{id}`: {why}"));
    text(id, key, value)?.map(parse).transpose()
}

fn globs(id: &str, key: &str, value: Value) -> Result<Option<Globs>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let patterns: Vec<String> =
        serde_json::from_value(value).map_err(|_| format!("`{key}` of ticket `{id}` is no list of texts"))?;
    let mut faults = Vec::new();
    let globs = Globs::new(key, &patterns, &mut faults);
    match faults.into_iter().next() {
        Some(fault) => Err(format!("ticket `{id}`: {fault}")),
        None => Ok(Some(globs)),
    }
}

// === impl Wanted ===

impl Wanted<'_> {
    fn wants(&self, id: &str) -> Option<&String> {
        self.0.iter().find(|wanted| wanted.eq_ignore_ascii_case(id))
    }

    fn take<E: Error>(&self, id: &str, raw: Raw, tickets: &mut Tickets) -> Result<(), E> {
        let Some(id) = self.wants(id) else { return Ok(()) };
        let ticket = Ticket::new(id, raw).map_err(E::custom)?;
        match tickets.insert(id.clone(), ticket) {
            None => Ok(()),
            Some(_) => Err(E::custom(format_args!("ticket `{id}` is there twice"))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Tickets;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tickets, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Tickets;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of tickets, or an object of tickets by number")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tickets, A::Error> {
        let mut tickets = Tickets::new();
        while let Some(Object(mut raw)) = list.next_element::<Object<Raw>>()? {
            match std::mem::take(&mut raw.id) {
                Value::String(id) => self.take(&id, raw, &mut tickets)?,
                Value::Number(id) => self.take(&id.to_string(), raw, &mut tickets)?,
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                    return Err(A::Error::custom("a ticket has no `id`"));
                }
            }
        }
        Ok(tickets)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tickets, A::Error> {
        let mut tickets = Tickets::new();
        while let Some(id) = map.next_key::<String>()? {
            if self.wants(&id).is_none() {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<Value>()?;
            // The short form has the status alone.
            let raw = if value.is_string() {
                Raw { status: value, ..Raw::default() }
            } else {
                let Object(raw) = serde_json::from_value(value)
                    .map_err(|_| A::Error::custom(format_args!("ticket `{id}` is no object")))?;
                raw
            };
            self.take(&id, raw, &mut tickets)?;
        }
        Ok(tickets)
    }
}
