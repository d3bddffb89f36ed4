//! Builds the parts of a daemon from its configuration: panel, Teleport client, ledger, clock. It checks all that can be
//! checked before anything is started, and runs nothing.

mod holder;

use std::fmt;
use std::sync::Arc;

use tribunal_core::Settings;
use tribunal_core::action::ResolveWith;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::opinion::{Effect, Member, Mode};
use tribunal_core::request::UserName;
use tribunal_engine::{LimitOverrides, Panel, PluginSpec};
use tribunal_ledger::Ledger;
use tribunal_ports::Clock;
use tribunal_teleport::{Client, Identity, Target};

use crate::clock::SystemClock;
use crate::config::{Config, Plugin, Source, default_ledger_dir};
use crate::daemon::{Ports, lease};

/// The largest file that is read as a plugin, whatever the configured limit.
const PLUGIN_FILE_BYTES_MAX: u64 = 1024 * 1024 * 1024;

/// A daemon that is ready to run.
pub struct Assembled {
    /// The four seams.
    pub ports: Ports<Client, Panel, Ledger, SystemClock>,
    /// What the core needs to know.
    pub settings: Settings,
    /// Which lease it needs to act.
    pub lease: lease::Terms,
    /// What the cluster says of itself.
    pub cluster: tribunal_teleport::Cluster,
    /// What the ledger found when it was opened.
    pub recovery: tribunal_ledger::Recovery,
}

/// Why a daemon cannot be built.
#[derive(Debug)]
pub enum AssemblyError {
    /// Plugins that cannot be used, and an identity file that cannot: everything that shows before a connection.
    Parts(Vec<String>),
    /// The ledger cannot be opened.
    Ledger(String),
    /// The cluster cannot be reached, or refuses us.
    Teleport(Failure),
}

/// Loads the panel of a configuration.
///
/// # Errors
/// All that is wrong with any plugin.
pub async fn load_panel(config: &Config) -> Result<Panel, Vec<String>> {
    let mut specs = Vec::new();
    let mut errors = Vec::new();
    for plugin in &config.plugins {
        match spec(plugin) {
            Ok(spec) => specs.push(spec),
            Err(error) => errors.push(format!("{}: plugin `{}`: {error}", plugin.origin, plugin.name)),
        }
    }
    let limits = config.limits.engine.clone();
    let loaded = tokio::task::spawn_blocking(move || Panel::load(specs, limits)).await;
    match loaded {
        Ok(Ok(panel)) if errors.is_empty() => {
            if config.dry_run || panel.members().iter().any(may_approve) {
                return Ok(panel);
            }
            errors.push(
                "no plugin may approve: none of those that enforce declares and is granted `approve`; add one, or \
                 rehearse with `--dry-run`"
                    .to_owned(),
            );
        }
        Ok(Ok(_)) => {}
        Ok(Err(found)) => errors.extend(found.into_iter().map(|error| {
            let origin = config.plugins.iter().find(|plugin| Some(&plugin.name) == error.plugin.as_ref());
            match origin {
                Some(plugin) => format!("{}: {error}", plugin.origin),
                None => error.to_string(),
            }
        })),
        Err(bug) => errors.push(format!("the policy engine ended in a bug; please report it: {bug}")),
    }
    Err(errors)
}

/// Builds everything, from the inside out: what needs no network first.
///
/// # Errors
/// What is wrong, and what to do.
pub async fn assemble(config: &Config) -> Result<Assembled, AssemblyError> {
    let (panel, identity) = tokio::join!(load_panel(config), Identity::load(&config.teleport.identity_file));
    let mut wrong = Vec::new();
    let panel = panel.map_err(|errors| wrong.extend(errors));
    let identity = identity.map_err(|error| wrong.push(error.to_string()));
    let (Ok(panel), Ok(identity)) = (panel, identity) else {
        return Err(AssemblyError::Parts(wrong));
    };

    let dir = match &config.ledger_dir {
        Some(dir) => dir.clone(),
        None => default_ledger_dir().map_err(|error| AssemblyError::Ledger(error.to_string()))?,
    };
    let (ledger, recovery) = Ledger::open(&dir).map_err(|error| AssemblyError::Ledger(error.to_string()))?;

    let (client, cluster) = connect(config).await.map_err(AssemblyError::Teleport)?;

    let clock = SystemClock;
    let settings = Settings {
        cluster: cluster.name.clone(),
        own_user: UserName::new(identity.user()),
        instance: format!("{:x}", clock.now().as_millis()),
        panel: panel.members(),
        poll_interval: config.poll_interval,
        protected_roles: config.protected_roles.clone(),
        human_approved: config.human_approved,
        release: config.release,
        resolve_with: config.teleport.resolve_with,
        dry_run: config.dry_run,
        subjects_in_flight_max: config.limits.subjects_in_flight_max,
        round: config.limits.round,
        tripped: recovery.tripped.clone(),
        scope: config.scope.clone(),
        exemptions: config.exemptions.clone(),
    };
    let ports =
        Ports { teleport: Arc::new(client), engine: Arc::new(panel), ledger: Arc::new(ledger), clock: Arc::new(clock) };
    let lease = lease::Terms {
        // A rehearsal acts on nothing, and keeps nobody from acting.
        mode: if config.dry_run { lease::Mode::Off } else { config.lease.mode },
        name: config.lease.name(&cluster.name),
        holder: holder::holder(&dir, &settings.instance),
    };
    Ok(Assembled { ports, settings, lease, cluster, recovery })
}

/// Connects as the configuration says, and asks the cluster what it is.
///
/// # Errors
/// If the identity file cannot be used, the cluster not be reached, or it takes no reviews where they are configured;
/// says what to do.
pub async fn connect(config: &Config) -> Result<(Client, tribunal_teleport::Cluster), Failure> {
    let target = Target {
        address: config.teleport.address.clone(),
        identity_file: config.teleport.identity_file.clone(),
        dial_timeout: std::time::Duration::from_secs(tribunal_teleport::connect::DIAL_SECS_MAX),
        reach: config.teleport.reach.for_client(),
    };
    let client = Client::new(target, tribunal_teleport::Limits::default()).await?;
    let client = client.with_clock(|| SystemClock.now());
    let cluster = client.ping().await?;
    check_edition(config.teleport.resolve_with, &cluster)?;
    Ok((client, cluster))
}

/// Every review would be refused where the licence has none: better not to start than never to decide.
fn check_edition(with: ResolveWith, cluster: &tribunal_teleport::Cluster) -> Result<(), Failure> {
    match with {
        ResolveWith::Review if !cluster.advanced_workflows => Err(Failure::new(
            FailureClass::Alarm,
            format!(
                "cluster `{}` takes no reviews: its edition of Teleport has no advanced access workflows; set \
                 `resolve-with = \"state\"` in `[teleport]`, which any edition takes",
                cluster.name
            ),
        )),
        ResolveWith::State | ResolveWith::Review => Ok(()),
    }
}

/// What the engine needs to load a plugin.
fn spec(plugin: &Plugin) -> Result<PluginSpec, String> {
    let bytes = match &plugin.source {
        Source::Builtin(builtin) => builtin.bytes.to_vec(),
        Source::File(path) => read_plugin(path).map_err(|why| format!("`{}` cannot be read: {why}", path.display()))?,
    };
    let settings = serde_json::Value::Object(plugin.settings.clone()).to_string();
    Ok(PluginSpec {
        name: plugin.name.clone(),
        bytes,
        digest: plugin.digest,
        settings,
        effects: plugin.effects.clone(),
        mode: plugin.mode,
        limits: LimitOverrides::default(),
    })
}

fn read_plugin(path: &std::path::Path) -> Result<Vec<u8>, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("it is not a file".to_owned());
    }
    if metadata.len() > PLUGIN_FILE_BYTES_MAX {
        return Err(format!("it is longer than {PLUGIN_FILE_BYTES_MAX} bytes"));
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

fn may_approve(member: &Member) -> bool {
    match member.mode {
        Mode::Enforce => member.effects.contains(&Effect::Approve),
        Mode::Shadow => false,
    }
}

impl fmt::Display for AssemblyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts(wrong) => f.write_str(&wrong.join("\n")),
            Self::Ledger(why) => f.write_str(why),
            Self::Teleport(failure) => write!(f, "{failure}"),
        }
    }
}

impl std::error::Error for AssemblyError {}
