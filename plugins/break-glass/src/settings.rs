//! What the operator can set.
//! It must never decide anything.

use schemars::JsonSchema;
use serde::Deserialize;
use tribunal_terms::{Selection, Span};

/// Settings of the policy `break-glass`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The word in the reason by which a requester says that this is an emergency.
    #[serde(default = "marker")]
    pub marker: String,
    /// Who may do so, and for what: it has to say who (`users`, `traits` or `standing-roles`) and which `roles`. All of
    /// what is asked for has to be named.
    pub allow: Selection,
    /// The longest access that is given.
    #[serde(default = "hour")]
    pub max: Span,
    /// The fact that knows who is on call: a list of user names, or an object of `{"from": …, "until": …}` by user name.
    /// Without it nobody needs to be.
    #[serde(default)]
    pub on_call: Option<String>,
    /// The answer about a marked request that this policy does not approve.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// The answer about a marked request that this policy does not approve.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// People decide, whatever other policies say. Without this, policies that stand aside for the marker
    /// (`unless-marked`) would do so for everybody.
    #[default]
    Escalate,
    /// Leave it to other policies.
    Abstain,
}

fn marker() -> String {
    "BREAK-GLASS".to_owned()
}

const fn hour() -> Span {
    Span::of_ms(3_600_000)
}
