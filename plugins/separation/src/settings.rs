//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
pub use tribunal_classes::{Members, Setting as Classes};

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
