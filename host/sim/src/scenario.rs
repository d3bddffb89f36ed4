//! The scenario file: which users, roles, nodes, rights, requests and faults a simulated cluster starts with. It describes; it does not act.
//!
//! The format is TOML and is documented with a complete example in `SCENARIO.md`. Unknown keys are errors. Everything but `cluster` has
//! a default.

mod check;
mod default;
mod faults;
mod roles;
mod span;

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

pub use default::{DEFAULT_SCENARIO, default_scenario};
pub use faults::{ErrorFault, FaultCode, FaultDef, LostReply};
pub use roles::{AskDef, ConditionsDef, ReasonDef, ReviewDef, RoleDef, RuleDef, ThresholdDef};
pub use span::Span;

use crate::release::Release;

/// Largest scenario file that is read.
pub const SCENARIO_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What `Ping` reports where nothing is said of it.
const VERSION_DEFAULT: &str = "18.2.0";

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
    /// The release of Teleport that is simulated; the newest, with every method, when absent.
    #[serde(default)]
    pub release: Option<Release>,
    /// The version that `Ping` reports, semantic; that of the release when absent.
    #[serde(default)]
    pub version: Option<String>,
    /// Methods that answer `Unimplemented`, beside those that the release lacks; see [`crate::release::METHODS`].
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Clients that say they are older than this version are hung up on; that of the release when absent.
    #[serde(default)]
    pub oldest_client: Option<String>,
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
    /// Whether it may look at all requested resources: its role then has `list-access-request-resources`, which the server brings along as
    /// Teleport does, among its `preview-as-roles`.
    pub previews_resources: bool,
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
            previews_resources: true,
            deny_rules: Vec::new(),
        }
    }
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

    /// The version that `Ping` reports.
    #[must_use]
    pub fn version(&self) -> String {
        let of_release = || self.release.map_or(VERSION_DEFAULT, Release::version).to_owned();
        self.version.clone().unwrap_or_else(of_release)
    }

    /// The oldest client that is taken; none: any.
    #[must_use]
    pub fn oldest_client(&self) -> Option<String> {
        let of_release = || self.release.and_then(Release::oldest_client).map(str::to_owned);
        self.oldest_client.clone().or_else(of_release)
    }

    /// The bot's user name.
    #[must_use]
    pub fn bot_user(&self) -> String {
        format!("bot-{}", self.bot.name)
    }
}
