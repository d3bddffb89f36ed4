//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::Selection;

/// Settings of the policy `two-person`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// How many people beside the requester have to approve.
    #[schemars(range(min = 1))]
    pub approvals: usize,
    /// Whose approvals count, as patterns of user names; without it everybody's but bots'.
    pub reviewers: Vec<String>,
    /// Roles of which a reviewer has to have one, as patterns. The fact says who has which.
    pub reviewer_roles: Vec<String>,
    /// The reviewer has to be of another team than the requester. The fact says who is of which.
    pub other_team: bool,
    /// The fact that knows the reviewers: an object of `{"roles": […], "team": …}` by user name.
    pub fact: String,
    /// The answer once enough people have approved.
    pub when_met: WhenMet,
    /// Which requests need it; without it all.
    pub only: Vec<Selection>,
    /// A word in the reason, such as `BREAK-GLASS`, with which nobody is asked here. Only beside `break-glass` with
    /// `otherwise = "escalate"`, which leaves to people whoever may not use that word.
    pub unless_marked: Option<String>,
}

/// The answer once enough people have approved.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum WhenMet {
    /// Leave the approval to another policy.
    #[default]
    Abstain,
    /// Approve it, unless another policy objects.
    Approve,
}

// === impl Settings ===

impl Default for Settings {
    fn default() -> Self {
        Self {
            approvals: 1,
            reviewers: Vec::new(),
            reviewer_roles: Vec::new(),
            other_team: false,
            fact: "people".to_owned(),
            when_met: WhenMet::default(),
            only: Vec::new(),
            unless_marked: None,
        }
    }
}
