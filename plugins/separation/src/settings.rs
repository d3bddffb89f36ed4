//! What the operator can set.
//! It must never decide anything.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Settings of the policy `separation`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The classes of access of which a user never holds two.
    pub classes: Classes,
    /// What happens when a user asks for one class while holding another.
    #[serde(default)]
    pub conflict: Conflict,
    /// Whether roles that the user has without any request belong to what is held.
    #[serde(default)]
    pub standing_roles: StandingRoles,
    /// The answer about a request that complies.
    #[serde(default)]
    pub when_compliant: WhenCompliant,
}

/// The classes, in one of two forms.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Classes {
    /// Two or more regular expressions, which are names of classes at the same time: a role belongs to the class if
    /// the expression matches anywhere in the role's name, ignoring case.
    Patterns(Vec<String>),
    /// A name for each class, and what belongs to it.
    Named(BTreeMap<String, Members>),
}

/// What belongs to a class: `*` stands for any characters, `?` for one; a pattern matches a whole name, with its case.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Members {
    /// Names of roles, such as `prod-*`.
    pub roles: Vec<String>,
    /// Labels of resources, such as `env=prod` or `env=prod-*`.
    pub labels: Vec<String>,
}

/// What happens when a user asks for one class while holding another.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Conflict {
    /// The older request is locked.
    #[default]
    NewestWins,
    /// The new request is denied.
    OldestWins,
    /// People decide; nothing is locked.
    Escalate,
}

/// Whether roles that the user has without any request belong to what is held.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum StandingRoles {
    /// They do, when the host can see them. No lock can end them, so a request that conflicts with one is denied.
    #[default]
    Count,
    /// They do not.
    Ignore,
}

/// The answer about a request that complies.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenCompliant {
    /// Leave the approval to another policy.
    #[default]
    Abstain,
    /// Approve it, unless another policy objects.
    Approve,
}

// === impl Classes ===

/// By hand, because serde's untagged enums say neither where nor what is wrong.
impl<'de> Deserialize<'de> for Classes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ClassesVisitor)
    }
}

struct ClassesVisitor;

impl<'de> Visitor<'de> for ClassesVisitor {
    type Value = Classes;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of patterns, or a table of classes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Classes, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(seq)).map(Classes::Patterns)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Classes, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Classes::Named)
    }
}
