//! What the operator can set about classes.
//! It must never decide anything.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The classes, in one of two forms.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(untagged, rename = "Classes")]
pub enum Setting {
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

// === impl Setting ===

/// By hand, because serde's untagged enums say neither where nor what is wrong.
impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

struct SettingVisitor;

impl<'de> Visitor<'de> for SettingVisitor {
    type Value = Setting;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of patterns, or a table of classes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Setting, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(seq)).map(Setting::Patterns)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Setting, A::Error> {
        Deserialize::deserialize(MapAccessDeserializer::new(map)).map(Setting::Named)
    }
}
