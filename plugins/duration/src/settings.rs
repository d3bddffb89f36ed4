//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::{Selection, Span};

/// Settings of the policy `duration`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[derive(Default)]
pub struct Settings {
    /// Limits for some of what is asked for. Of those that apply the shortest counts.
    pub limits: Vec<Limit>,
    /// The limit for everything.
    pub max: Option<Span>,
    /// The answer about access that is asked for too long.
    pub over: Over,
    /// A word in the reason, such as `BREAK-GLASS`, with which nothing is limited here. Only beside `break-glass` with
    /// `otherwise = "escalate"`, which has a limit of its own and leaves to people whoever may not use that word.
    pub unless_marked: Option<String>,
}

/// A limit for some of what is asked for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// What it is for, as reasons tell it: `production`.
    pub name: String,
    /// Which requests it is for: those that ask for some of this.
    #[serde(default)]
    pub when: Selection,
    /// The longest access.
    pub max: Span,
}

/// The answer about access that is asked for too long.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Over {
    /// No.
    #[default]
    Deny,
    /// People decide.
    Escalate,
}
