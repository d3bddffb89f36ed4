//! What the operator wants: `tribunal.toml`, or the flags of Teleport's sample watcher, parsed at the door with all of
//! their faults at once. It never loads a plugin, opens a connection or changes anything.

mod document;
mod duration;
mod engine;
mod fact;
mod file;
mod flags;
mod health;
mod lease;
mod ledger_dir;
mod limits;
mod path;
mod plugin;
mod problem;
mod reach;
mod retention;
mod scope;
mod settings;

use std::collections::BTreeSet;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tribunal_core::action::ResolveWith;
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::opinion::{Effect, Mode, PolicyName};
use tribunal_core::scope::{Exemption, Scope};
use tribunal_engine::{Digest, LimitOverrides};
use tribunal_teleport::Address;

pub use self::engine::{CompiledCache, default_cache_dir};
pub use self::fact::{FACT_AGE_DEFAULT, FACTS_MAX, Fact};
pub use self::flags::{GoBool, GoFlags, InvalidGoBool};
pub use self::lease::Lease;
pub use self::ledger_dir::default_ledger_dir;
pub use self::limits::{Limits, SUBJECTS_IN_FLIGHT_DEFAULT};
pub use self::problem::{ConfigErrors, Place, Problem, Spot};
pub use self::reach::Reach;
pub use self::retention::Retention;
pub use self::settings::Places;

/// The time between two full lists where nothing else is said; Teleport's sample watcher has the same.
pub const POLL_INTERVAL_DEFAULT: Duration = Duration::from_secs(30);
/// The shortest time between two full lists.
pub const POLL_INTERVAL_MIN: Duration = Duration::from_secs(1);
/// The longest.
pub const POLL_INTERVAL_MAX: Duration = Duration::from_secs(24 * 60 * 60);
/// Roles that are never given by us where nothing else is said.
pub const PROTECTED_ROLES_DEFAULT: [&str; 2] = ["editor", "auditor"];
/// The largest configuration file.
pub const CONFIG_BYTES_MAX: u64 = 1024 * 1024;
/// How many plugins a panel has at most.
pub const PLUGINS_MAX: usize = 64;
/// What the source of a policy that ships with the host begins with.
pub const BUILTIN_PREFIX: &str = "builtin:";

/// All that `tribunal run` needs to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Which cluster, and as whom.
    pub teleport: Teleport,
    /// The time between two full lists.
    pub poll_interval: Duration,
    /// When locks of ours that no policy wants any more are released.
    pub release: Release,
    /// What locks mean for requests that a person approved.
    pub human_approved: HumanApproved,
    /// Roles that are never given by us.
    pub protected_roles: BTreeSet<String>,
    /// Limits of the daemon and of its plugins.
    pub limits: Limits,
    /// Where the native code of plugins is kept.
    pub cache: CompiledCache,
    /// Which requests the daemon is for.
    pub scope: Scope,
    /// What is not locked for a time.
    pub exemptions: Vec<Exemption>,
    /// Whether this daemon heeds others.
    pub lease: Lease,
    /// Where others may ask how it stands; none: nowhere.
    pub health_listen: Option<SocketAddr>,
    /// Where the ledger is; none: [`default_ledger_dir`].
    pub ledger_dir: Option<PathBuf>,
    /// How long the ledger keeps records; none: for ever.
    pub retention: Option<Retention>,
    /// The panel, in the order in which it is asked.
    pub plugins: Vec<Plugin>,
    /// What policies are shown beside requests, by name.
    pub facts: Vec<Fact>,
    /// Decide and record, but do nothing.
    pub dry_run: bool,
}

/// Which cluster, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teleport {
    /// Where.
    pub address: Address,
    /// The identity file that Machine ID's `tbot` keeps fresh.
    pub identity_file: PathBuf,
    /// By which way.
    pub reach: Reach,
    /// Whether requests are resolved past their review thresholds, or by one review.
    pub resolve_with: ResolveWith,
}

/// One policy of the panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Its name in decisions, logs and the ledger.
    pub name: PolicyName,
    /// Where its component comes from.
    pub source: Source,
    /// What its component must be, byte for byte.
    pub digest: Option<Digest>,
    /// Whether its opinions count.
    pub mode: Mode,
    /// The effects that it is granted; none: all that it declares (for what ships with the host only).
    pub effects: Option<BTreeSet<Effect>>,
    /// Limits of its own.
    pub limits: LimitOverrides,
    /// A JSON object.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Where it was configured, for errors that show only when it is loaded: `tribunal.toml:12`, or the
    /// flag that its settings come from.
    pub origin: String,
    /// Where each of its settings stands.
    pub places: Places,
}

/// Where a plugin's component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The host itself.
    Builtin(&'static tribunal_plugins::Builtin),
    /// A file.
    File(PathBuf),
}

/// What the command line says beside a configuration file, and instead of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Instead of `[teleport] address`.
    pub address: Option<String>,
    /// Instead of `[teleport] identity-file`.
    pub identity_file: Option<PathBuf>,
    /// Instead of `[ledger] dir`.
    pub ledger_dir: Option<PathBuf>,
    /// Decide and record, but do nothing.
    pub dry_run: bool,
}

// === impl Config ===

impl Config {
    /// Reads the text of a `tribunal.toml`. Paths in it are relative to the directory of `path`.
    ///
    /// # Errors
    /// All faults of it.
    pub fn from_toml(text: &str, path: &Path) -> Result<Self, ConfigErrors> {
        Self::from_toml_with(text, path, &Overrides::default())
    }

    /// The same, with what the command line says instead of it.
    ///
    /// # Errors
    /// All faults of it, and of the overrides.
    pub fn from_toml_with(text: &str, path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        file::read(text, path, overrides)
    }

    /// Reads a configuration file.
    ///
    /// # Errors
    /// That it cannot be read, or all faults of it.
    pub fn load(path: &Path, overrides: &Overrides) -> Result<Self, ConfigErrors> {
        let text = read_bounded(path).map_err(|why| {
            ConfigErrors::single(Problem::without_place(
                format!("configuration `{}` cannot be read: {why}", path.display()),
                "name a readable file with `--config`, or use the flags `-p` and `-i`",
            ))
        })?;
        Self::from_toml_with(&text, path, overrides)
    }

    /// Makes the configuration that the flags of Teleport's sample watcher stand for.
    ///
    /// # Errors
    /// All faults of them.
    pub fn from_flags(flags: &GoFlags) -> Result<Self, ConfigErrors> {
        flags::read(flags)
    }
}

fn read_bounded(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > CONFIG_BYTES_MAX {
        return Err(format!("it is longer than {CONFIG_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

// === impl Plugin ===

impl Plugin {
    /// Whether an approval of it would count.
    #[must_use]
    pub fn may_approve(&self) -> bool {
        let granted = self.effects.as_ref().is_none_or(|effects| effects.contains(&Effect::Approve));
        match self.mode {
            Mode::Enforce => granted,
            Mode::Shadow => false,
        }
    }
}

// === impl Source ===

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Builtin(builtin) => write!(f, "{BUILTIN_PREFIX}{}", builtin.name),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}
