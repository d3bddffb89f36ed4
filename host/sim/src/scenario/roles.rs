//! Roles in a scenario: what they allow, deny and let people ask for. Only their form; what they mean is the cluster's business.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Span;

/// A role, as far as the simulator judges by it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoleDef {
    /// Its name.
    pub name: String,
    /// `options.max_session_ttl`.
    #[serde(default)]
    pub max_session_ttl: Option<Span>,
    /// `options.request_access`: `optional`, `reason` or `always`.
    #[serde(default)]
    pub request_access: Option<String>,
    /// `options.request_prompt`.
    #[serde(default)]
    pub request_prompt: Option<String>,
    /// What it allows.
    #[serde(default)]
    pub allow: ConditionsDef,
    /// What it denies; a deny beats every allow.
    #[serde(default)]
    pub deny: ConditionsDef,
}

/// One half of a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConditionsDef {
    /// Verbs on kinds of objects.
    pub rules: Vec<RuleDef>,
    /// What holders may ask for.
    pub request: AskDef,
    /// Whose requests holders may review.
    pub review_requests: Option<ReviewDef>,
    /// Labels of the resources that the role opens; `"*" = "*"` opens all.
    pub node_labels: BTreeMap<String, String>,
}

/// `*` stands for every kind, and for every verb.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RuleDef {
    /// Kinds, such as `access_request`.
    pub resources: Vec<String>,
    /// Verbs, such as `list`.
    pub verbs: Vec<String>,
}

/// `allow.request` of a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AskDef {
    /// Roles that may be asked for by name; `*` is a wildcard.
    pub roles: Vec<String>,
    /// Roles that resource requests are made through.
    pub search_as_roles: Vec<String>,
    /// When reviews decide; none means one approval or one denial.
    pub thresholds: Vec<ThresholdDef>,
    /// Copied to the request's system annotations.
    pub annotations: BTreeMap<String, Vec<String>>,
    /// Named to the requester.
    pub suggested_reviewers: Vec<String>,
    /// Access beyond a session: what is granted unless less is asked for.
    pub max_duration: Option<Span>,
    /// Whether a reason must be given.
    pub reason: ReasonDef,
}

/// `request.reason` of a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReasonDef {
    /// `required` or `optional` (or empty).
    pub mode: String,
    /// Shown to the requester.
    pub prompt: String,
}

/// A review threshold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ThresholdDef {
    /// Its name, for people.
    #[serde(default)]
    pub name: String,
    /// Which reviews count: empty for all, or a predicate over `reviewer.roles`, `reviewer.traits`, `review.reason`, `request.roles`, `request.reason`.
    #[serde(default)]
    pub filter: String,
    /// Approvals needed; 0 for never by this threshold.
    #[serde(default = "one")]
    pub approve: u32,
    /// Denials needed; 0 for never by this threshold.
    #[serde(default = "one")]
    pub deny: u32,
}

const fn one() -> u32 {
    1
}

/// `review_requests` of a role.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ReviewDef {
    /// Roles whose requests may be reviewed; `*` is a wildcard.
    pub roles: Vec<String>,
    /// Empty, or a predicate that must hold as well.
    pub r#where: String,
    /// Roles for looking at the requested resources.
    pub preview_as_roles: Vec<String>,
}
