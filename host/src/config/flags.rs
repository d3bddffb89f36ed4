//! The flags of Teleport's sample watcher, with its meanings and defaults, as a configuration. It never looks at the
//! patterns' insides: that is for the policy `separation`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::{Map, Value as Json, json};
use tribunal_core::action::ResolveWith;
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::opinion::{Mode, PolicyName};
use tribunal_core::scope::Scope;
use tribunal_engine::LimitOverrides;
use tribunal_teleport::Address;

use super::{
    CompiledCache, Config, ConfigErrors, Lease, Limits, PROTECTED_ROLES_DEFAULT, Places, Plugin, Problem, Reach,
    Source, Teleport, duration, plugin,
};

/// The limit of resources where nothing else is said.
const MAX_RESOURCES_DEFAULT: &str = "3";
/// The patterns that exclude each other where nothing else is said.
const CONFLICT_PATTERNS_DEFAULT: [&str; 2] = ["prod", "research"];

/// The flags as they were given; none: not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GoFlags {
    /// `-p`.
    pub proxy: Option<String>,
    /// `-i`.
    pub identity: Option<PathBuf>,
    /// `-m`.
    pub max_resources: Option<String>,
    /// `-poll-interval`.
    pub poll_interval: Option<String>,
    /// `-conflict-patterns`, each time that it was given.
    pub conflict_patterns: Vec<String>,
    /// `-resource-limit`.
    pub resource_limit: Option<String>,
    /// `-role-conflicts`.
    pub role_conflicts: Option<String>,
    /// `--ledger-dir`.
    pub ledger_dir: Option<PathBuf>,
    /// `--dry-run`.
    pub dry_run: bool,
}

/// A boolean as Go's `strconv.ParseBool` reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoBool(pub bool);

/// A text that is no [`GoBool`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither true nor false: write `true` or `false`")]
pub struct InvalidGoBool(String);

pub(super) fn read(flags: &GoFlags) -> Result<Config, ConfigErrors> {
    let GoFlags {
        proxy,
        identity,
        max_resources,
        poll_interval,
        conflict_patterns,
        resource_limit,
        role_conflicts,
        ledger_dir,
        dry_run,
    } = flags;
    let mut faults = Faults::default();
    let address = faults.address(proxy.as_deref());
    let identity_file = faults.identity(identity.as_ref());
    // The sample watcher checks the limit even where it is switched off.
    let max_resources = faults.max_resources(max_resources.as_deref().unwrap_or(MAX_RESOURCES_DEFAULT));
    let poll_interval = faults.poll_interval(poll_interval.as_deref());
    let resource_limit = faults.boolean("--resource-limit", resource_limit.as_deref());
    let role_conflicts = faults.boolean("--role-conflicts", role_conflicts.as_deref());
    let patterns = patterns(conflict_patterns);
    if role_conflicts {
        faults.check_patterns(&patterns);
    }
    if !resource_limit && !role_conflicts && !dry_run {
        faults.note(
            "no plugin may approve: `--resource-limit` and `--role-conflicts` are both switched off",
            "switch one of them on, or rehearse with `--dry-run`",
        );
    }
    ConfigErrors::of(faults.0)?;
    let mut plugins = Vec::new();
    if role_conflicts {
        let settings = json!({ "classes": patterns, "when-compliant": "approve" });
        plugins.extend(plugin("separation", settings, "`--conflict-patterns`"));
    }
    if resource_limit {
        let settings = json!({ "max-resources": max_resources, "when-compliant": "approve" });
        plugins.extend(plugin("cap", settings, "`-m`"));
    }
    let (Some(address), Some(identity_file)) = (address, identity_file) else {
        // Both have been noted above; this is for the types alone.
        return Err(ConfigErrors::single(Problem::without_place("`-p` and `-i` are needed", "")));
    };
    Ok(Config {
        teleport: Teleport {
            address,
            identity_file,
            reach: Reach::default(),
            // As the sample watcher does.
            resolve_with: ResolveWith::State,
        },
        poll_interval,
        release: Release::WhenClear,
        human_approved: HumanApproved::Exempt,
        protected_roles: PROTECTED_ROLES_DEFAULT.map(str::to_owned).into(),
        limits: Limits::default(),
        cache: CompiledCache::Default,
        lease: Lease::default(),
        scope: Scope::default(),
        exemptions: Vec::new(),
        health_listen: None,
        ledger_dir: ledger_dir.clone(),
        plugins,
        retention: None,
        facts: Vec::new(),
        dry_run: *dry_run,
    })
}

/// The patterns of all flags together: split at commas, trimmed, without empty ones.
fn patterns(flags: &[String]) -> Vec<String> {
    if flags.is_empty() {
        return CONFLICT_PATTERNS_DEFAULT.map(str::to_owned).into();
    }
    flags
        .iter()
        .flat_map(|flag| flag.split(','))
        .map(str::trim)
        .filter(|pattern| !pattern.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A policy that ships with the host, and the flag that its settings come from.
fn plugin(name: &str, settings: Json, flag: &str) -> Option<Plugin> {
    let settings = match settings {
        Json::Object(settings) => settings,
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => Map::new(),
    };
    Some(Plugin {
        name: PolicyName::new(name),
        source: Source::Builtin(plugin::builtin(name)?),
        digest: None,
        mode: Mode::Enforce,
        effects: None,
        limits: LimitOverrides::default(),
        settings,
        origin: flag.to_owned(),
        places: Places::default(),
    })
}

/// Faults of flags, each naming its flag.
#[derive(Debug, Default)]
struct Faults(Vec<Problem>);

// === impl GoFlags ===

impl GoFlags {
    /// Whether a flag is missing that has no default.
    #[must_use]
    pub fn lacks_required(&self) -> bool {
        let empty = |text: &Option<String>| text.as_ref().is_none_or(String::is_empty);
        empty(&self.proxy) || self.identity.as_ref().is_none_or(|path| path.as_os_str().is_empty())
    }
}

// === impl Faults ===

impl Faults {
    fn note(&mut self, what: impl Into<String>, help: impl Into<String>) {
        self.0.push(Problem::without_place(what, help));
    }

    fn address(&mut self, proxy: Option<&str>) -> Option<Address> {
        let Some(proxy) = proxy.filter(|proxy| !proxy.is_empty()) else {
            self.note("`-p` is missing: the address of the cluster", "write for example `-p auth.example.com:3025`");
            return None;
        };
        proxy.parse().map_err(|error| self.note(format!("`-p`: {error}"), "")).ok()
    }

    fn identity(&mut self, identity: Option<&PathBuf>) -> Option<PathBuf> {
        let identity = identity.filter(|path| !path.as_os_str().is_empty()).cloned();
        if identity.is_none() {
            self.note(
                "`-i` is missing: the identity file that Machine ID's `tbot` writes",
                "write for example `-i /opt/machine-id/identity`",
            );
        }
        identity
    }

    fn max_resources(&mut self, text: &str) -> u32 {
        let Ok(number) = text.parse::<i128>() else {
            self.note(format!("`-m {text}`: not a number"), "write for example `-m 3`");
            return 0;
        };
        if number < 1 {
            self.note(
                format!("`-m {text}`: the limit of resources must be at least 1"),
                "to have no limit, use `--resource-limit=false`",
            );
        }
        u32::try_from(number.max(0)).unwrap_or_else(|_| {
            self.note(format!("`-m {text}`: {} is the most", u32::MAX), "choose a smaller number");
            0
        })
    }

    fn poll_interval(&mut self, text: Option<&str>) -> std::time::Duration {
        let Some(text) = text else { return super::POLL_INTERVAL_DEFAULT };
        duration::interval(text).unwrap_or_else(|(what, help)| {
            self.note(format!("`--poll-interval`: {what}"), help);
            super::POLL_INTERVAL_DEFAULT
        })
    }

    fn boolean(&mut self, flag: &str, text: Option<&str>) -> bool {
        let Some(text) = text else { return true };
        text.parse().map_or_else(
            |error: InvalidGoBool| {
                self.note(format!("`{flag}`: {error}"), "");
                // So that nothing else is complained of because of it.
                true
            },
            |GoBool(value)| value,
        )
    }

    fn check_patterns(&mut self, patterns: &[String]) {
        const OR_NOT: &str = "name two or more, such as `prod,research`, or use `--role-conflicts=false`";
        if patterns.len() < 2 {
            let shown = patterns.first().map_or_else(String::new, |only| format!(" `{only}`"));
            let what = format!("`--conflict-patterns`{shown}: a conflict needs at least two patterns");
            self.note(what, OR_NOT);
        }
        let mut seen = BTreeSet::new();
        let mut told = BTreeSet::new();
        for pattern in patterns {
            // Case is ignored when patterns are matched, so it makes no difference here.
            let key = pattern.to_lowercase();
            if !seen.insert(key.clone()) && told.insert(key) {
                self.note(
                    format!("`--conflict-patterns` names `{pattern}` twice: it would never conflict with itself"),
                    "remove one, or name another",
                );
            }
        }
    }
}

// === impl GoBool ===

impl FromStr for GoBool {
    type Err = InvalidGoBool;

    fn from_str(text: &str) -> Result<Self, InvalidGoBool> {
        match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(Self(true)),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(Self(false)),
            other => Err(InvalidGoBool(other.to_owned())),
        }
    }
}
