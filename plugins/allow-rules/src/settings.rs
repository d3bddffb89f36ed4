//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::{Selection, Span};

/// Settings of the policy `allow-rules`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The rules, in order: the first that fits decides.
    pub rules: Vec<Rule>,
    /// The answer where none fits.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// A rule. One that approves fits if all of what is asked for is named by `when`; one that denies or leaves to people
/// fits if some of it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Its name, which reasons tell.
    pub name: String,
    /// Which requests it is for. A rule that approves has to name `roles` in it.
    #[serde(default)]
    pub when: Selection,
    /// The longest access that it approves. Longer access does not fit.
    #[serde(default)]
    pub at_most: Option<Span>,
    /// What it answers.
    pub then: Then,
    /// Its own words for the requester.
    #[serde(default)]
    pub reason: Option<String>,
}

/// What a rule answers.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// Yes, unless another policy objects.
    Approve,
    /// No.
    Deny,
    /// People decide.
    Escalate,
}

/// The answer where no rule fits.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// Leave it to other policies, and to people where none approves.
    #[default]
    Abstain,
    /// People decide, whatever other policies say.
    Escalate,
    /// No.
    Deny,
}
