//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the policy `cap`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The limit, in units, of what a user holds at one time.
    #[schemars(range(min = 1))]
    pub max_resources: u32,
    /// What is counted.
    pub unit: Unit,
    /// Which held requests give way when a user holds too much.
    pub order: Order,
    /// The answer about a request that complies.
    pub when_compliant: WhenCompliant,
    /// How a request of whole roles counts under the unit `resources`.
    pub role_only_requests: RoleOnlyRequests,
    /// Whether access that was promoted to an access list takes room.
    pub promoted: Promoted,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Distinct resources: the same cluster, kind, name and sub-resource in two requests counts once.
    #[default]
    Resources,
    /// Requests.
    Requests,
    /// Distinct role names.
    Roles,
}

/// Which held requests give way when a user holds too much.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// The oldest, until what is left fits. One whose loss would make no room stays.
    #[default]
    OldestFirst,
    /// From the newest to the oldest, what does not fit beside what was kept: an old small request may outlive a
    /// newer big one.
    SkipFit,
}

/// The answer about a request that complies.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenCompliant {
    /// Approve it, unless another policy objects.
    #[default]
    Approve,
    /// Leave the approval to another policy.
    Abstain,
}

/// How a request of whole roles counts under the unit `resources`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum RoleOnlyRequests {
    /// As one resource.
    #[default]
    Count,
    /// As none, so that no limit ever bites on it.
    Ignore,
}

/// Whether access that was promoted to an access list takes room.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Promoted {
    /// It does not; the log warns of it.
    #[default]
    Ignore,
    /// It does. No lock can end it, so other requests give way to it.
    Count,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_resources: 3,
            unit: Unit::default(),
            order: Order::default(),
            when_compliant: WhenCompliant::default(),
            role_only_requests: RoleOnlyRequests::default(),
            promoted: Promoted::default(),
        }
    }
}

// === impl Unit ===

impl Unit {
    /// Its name in reasons.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Requests => "requests",
            Self::Roles => "roles",
        }
    }
}
