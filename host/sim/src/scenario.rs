//! The scenario file: which users, roles, nodes, rights, requests and faults a simulated cluster starts with. It describes; it does not act.
//!
//! The format is TOML and is documented with a complete example in `SCENARIO.md`. Unknown keys are errors. Everything but `cluster` has
//! a default.

mod check;
mod default;
mod span;

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

pub use default::{DEFAULT_SCENARIO, default_scenario};
pub use span::Span;

/// Largest scenario file that is read.
pub const SCENARIO_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A scenario that cannot be used: all its faults, each with its line and what to do.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("{}", .problems.join("\n"))]
pub struct InvalidScenario {
    /// One text for each fault.
    pub problems: Vec<String>,
}

/// A simulated cluster before its first second.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The cluster's name.
    pub cluster: String,
    /// The version that `Ping` reports; semantic.
    #[serde(default = "default_version")]
    pub version: String,
    /// Enterprise features: reviews are refused without them.
    #[serde(default = "yes")]
    pub enterprise: bool,
    /// People must prove a second factor to resolve requests (which the simulator cannot do, so they are refused); bots need not.
    #[serde(default)]
    pub admin_mfa: bool,
    /// When expired objects are removed.
    #[serde(default)]
    pub sweep: SweepDef,
    /// The watcher's own identity.
    #[serde(default)]
    pub bot: BotDef,
    /// Roles, beside the bot's.
    #[serde(default, rename = "role")]
    pub roles: Vec<RoleDef>,
    /// Users, beside the bot.
    #[serde(default, rename = "user")]
    pub users: Vec<UserDef>,
    /// Resources that can be asked for.
    #[serde(default, rename = "node")]
    pub nodes: Vec<NodeDef>,
    /// Requests that exist when the server starts.
    #[serde(default, rename = "request")]
    pub requests: Vec<RequestDef>,
    /// What goes wrong.
    #[serde(default)]
    pub faults: FaultDef,
}

fn default_version() -> String {
    "18.2.0".to_owned()
}

const fn yes() -> bool {
    true
}

/// The expiry service of the Auth server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SweepDef {
    /// How often expired objects are looked for.
    pub interval: Span,
    /// How long an expired pending request stays in the backend.
    pub pending_grace: Span,
    /// How many requests one sweep removes at most.
    pub requests_max: usize,
}

impl Default for SweepDef {
    fn default() -> Self {
        Self { interval: Span::from_ms(1000), pending_grace: Span::from_ms(0), requests_max: 1000 }
    }
}

/// The bot whose identity file the watcher uses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BotDef {
    /// The bot's name; its user is `bot-` and this, its role is this.
    pub name: String,
    /// What its role allows.
    pub rules: Vec<RuleDef>,
    /// Which requests it may review.
    pub review_requests: Option<ReviewDef>,
    /// Rules that its role denies.
    pub deny_rules: Vec<RuleDef>,
}

impl Default for BotDef {
    fn default() -> Self {
        let rule = |resources: &[&str], verbs: &[&str]| RuleDef {
            resources: resources.iter().map(|name| (*name).to_owned()).collect(),
            verbs: verbs.iter().map(|name| (*name).to_owned()).collect(),
        };
        Self {
            name: "tribunal".to_owned(),
            rules: vec![
                rule(&["access_request"], &["list", "read", "update"]),
                rule(&["lock"], &["list", "read", "create", "update", "delete"]),
                rule(&["user", "user_login_state", "role"], &["list", "read"]),
                rule(&["access_plugin_data"], &["list", "read", "update"]),
                rule(&["semaphore"], &["list", "read", "create", "update", "delete"]),
            ],
            review_requests: None,
            deny_rules: Vec::new(),
        }
    }
}

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
    /// Longest access that may be asked for.
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
    /// Approvals needed.
    #[serde(default = "one")]
    pub approve: u32,
    /// Denials needed.
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

/// A user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct UserDef {
    /// The name.
    pub name: String,
    /// Standing roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Traits.
    #[serde(default)]
    pub traits: BTreeMap<String, Vec<String>>,
    /// Roles since the last login (standing ones and those that access lists add); the standing ones when absent.
    #[serde(default)]
    pub login_roles: Option<Vec<String>>,
    /// Whether there is a login state; a user who never logged in has none.
    #[serde(default = "yes")]
    pub logged_in: bool,
    /// A Machine ID bot.
    #[serde(default)]
    pub bot: bool,
    /// Ids of access requests that the user's certificate has assumed.
    #[serde(default)]
    pub active_requests: Vec<String>,
}

impl UserDef {
    /// The roles that count for what the user may ask for.
    #[must_use]
    pub fn effective_roles(&self) -> &[String] {
        match &self.login_roles {
            Some(roles) if self.logged_in => roles,
            Some(_) | None => &self.roles,
        }
    }
}

/// A resource that can be asked for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct NodeDef {
    /// Its name, as it stands in a resource id.
    pub name: String,
    /// Its kind, as it stands in a resource id.
    #[serde(default = "node_kind")]
    pub kind: String,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

fn node_kind() -> String {
    "node".to_owned()
}

/// A request that exists when the server starts. It is stored as it stands here, whoever could have made it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RequestDef {
    /// A UUID; made by the server when absent.
    #[serde(default)]
    pub id: Option<String>,
    /// Who asks.
    pub user: String,
    /// Requested roles.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Requested resources, as `/cluster/kind/name`.
    #[serde(default)]
    pub resources: Vec<String>,
    /// Why.
    #[serde(default)]
    pub reason: String,
    /// `pending`, `approved`, `denied` or `promoted`.
    #[serde(default)]
    pub state: StateDef,
    /// The resolver's words.
    #[serde(default)]
    pub resolve_reason: String,
    /// How long before the start it was made.
    #[serde(default)]
    pub age: Span,
    /// How long after the start the access ends; negative for one that is over already.
    #[serde(default = "eight_hours")]
    pub expires_in: Span,
    /// How long after the start the access begins.
    #[serde(default)]
    pub starts_in: Option<Span>,
    /// A long-term request.
    #[serde(default)]
    pub long_term: bool,
}

const fn eight_hours() -> Span {
    Span::from_ms(8 * 60 * 60 * 1000)
}

/// A request's state.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum StateDef {
    /// Undecided.
    #[default]
    Pending,
    /// Granted.
    Approved,
    /// Refused.
    Denied,
    /// Turned into an access list membership.
    Promoted,
}

/// What goes wrong, and how often.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FaultDef {
    /// Seed of every probability here.
    pub seed: u64,
    /// Each call waits this long at least.
    pub latency: Span,
    /// Each call waits up to this long more, evenly distributed.
    pub latency_jitter: Span,
    /// The server's clock is ahead by this much (behind, when negative).
    pub clock_skew: Span,
    /// Lists of requests and locks trail the backend by this many changes.
    pub stale_list: usize,
    /// Each watch stream breaks after this many events; 0 for never.
    pub drop_watch_after: u64,
    /// Only the default ascending order can be listed.
    pub cache_down: bool,
    /// Calls that fail before anything happened.
    pub error: Vec<ErrorFault>,
    /// Calls whose effect happens and whose reply does not.
    pub lost_reply: Vec<LostReply>,
}

/// A call that fails before anything happened.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ErrorFault {
    /// The method's name, such as `UpsertLock`; `*` for all.
    pub method: String,
    /// The gRPC code, such as `unavailable`.
    pub code: FaultCode,
    /// The next so many calls fail.
    #[serde(default)]
    pub next: Option<u64>,
    /// A call fails with this probability, 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
    /// For people.
    #[serde(default)]
    pub message: Option<String>,
}

/// A call whose effect happens and whose reply does not.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LostReply {
    /// The method's name; `*` for all.
    pub method: String,
    /// The next so many replies are lost.
    #[serde(default)]
    pub next: Option<u64>,
    /// A reply is lost with this probability, 0 to 1.
    #[serde(default)]
    pub probability: Option<f64>,
}

/// gRPC codes that a fault can answer with.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "gRPC's own names")]
pub enum FaultCode {
    Aborted,
    AlreadyExists,
    Cancelled,
    DeadlineExceeded,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    Unknown,
}

impl Scenario {
    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// Text that is not TOML, unknown or missing keys, and every reference or value that cannot be used, each with its line.
    pub fn parse(text: &str) -> Result<Self, InvalidScenario> {
        if text.len() > SCENARIO_BYTES_MAX {
            return Err(InvalidScenario {
                problems: vec![format!("scenario is larger than {SCENARIO_BYTES_MAX} bytes: split it")],
            });
        }
        let scenario: Self =
            toml::from_str(text).map_err(|error| InvalidScenario { problems: vec![check::describe(text, &error)] })?;
        let problems = check::problems(&scenario, text);
        if problems.is_empty() { Ok(scenario) } else { Err(InvalidScenario { problems }) }
    }

    /// The bot's user name.
    #[must_use]
    pub fn bot_user(&self) -> String {
        format!("bot-{}", self.bot.name)
    }
}
