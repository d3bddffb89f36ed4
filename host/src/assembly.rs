//! Builds the parts of a daemon from its configuration: panel, Teleport client, ledger, clock. It checks all that can be
//! checked before anything is started, and runs nothing.

mod holder;
mod plugins;
mod recorded;
pub mod reload;

use std::fmt;
use std::sync::Arc;

use tribunal_core::Settings;
use tribunal_core::action::ResolveWith;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::opinion;
use tribunal_core::request::UserName;
use tribunal_engine::{LivePanel, Panel};
use tribunal_ledger::Ledger;
use tribunal_ports::Clock;
use tribunal_teleport::{Client, Identity, IdentityError, Target};

pub(crate) use self::plugins::{COMPILE_COMMAND, read as read_component, spec, workshop};
pub use self::plugins::{load_for_crew, load_panel, this_is_tribunal};
use self::reload::Reloader;
use crate::clock::SystemClock;
use crate::config::{Config, default_ledger_dir};
use crate::daemon::{Ports, lease};

/// A daemon that is ready to run.
pub struct Assembled {
    /// The four seams.
    pub ports: Ports<Client, LivePanel, Ledger, SystemClock>,
    /// What replaces its panel.
    pub reloader: Reloader,
    /// What the core needs to know.
    pub settings: Settings,
    /// Which lease it needs to act.
    pub lease: lease::Terms,
    /// What the cluster says of itself.
    pub cluster: tribunal_teleport::Cluster,
    /// Where the ledger is.
    pub ledger_dir: std::path::PathBuf,
    /// What the ledger found when it was opened.
    pub recovery: tribunal_ledger::Recovery,
}

/// Why a daemon cannot be built.
#[derive(Debug)]
pub enum AssemblyError {
    /// Plugins that cannot be used, and an identity file that cannot: everything that shows before a connection.
    Parts(Vec<String>),
    /// All is well but that the identity's time is over, or has not come: time, and whoever renews it, mends that.
    Identity(IdentityError),
    /// The ledger cannot be opened.
    Ledger(String),
    /// The cluster cannot be reached, or refuses us.
    Teleport(Failure),
}

/// Builds everything, from the inside out: what needs no network first.
///
/// # Errors
/// What is wrong, and what to do.
pub async fn assemble(config: &Config) -> Result<Assembled, AssemblyError> {
    let looked = reload::looks(reload::sources(config)).await;
    let (panel, identity) = tokio::join!(plugins::seat_panel(config), Identity::load(&config.teleport.identity_file));
    let mut wrong = Vec::new();
    let panel = panel.map_err(|errors| wrong.extend(errors));
    let identity = match identity {
        Err(error) if panel.is_ok() && error.problem.is_of_time() => return Err(AssemblyError::Identity(error)),
        identity => identity.map_err(|error| wrong.push(error.to_string())),
    };
    let (Ok((panel, workshop)), Ok(identity)) = (panel, identity) else {
        return Err(AssemblyError::Parts(wrong));
    };

    let dir = match &config.ledger_dir {
        Some(dir) => dir.clone(),
        None => default_ledger_dir().map_err(|error| AssemblyError::Ledger(error.to_string()))?,
    };
    let (ledger, recovery) = Ledger::open(&dir).map_err(|error| AssemblyError::Ledger(error.to_string()))?;
    let kept = recorded::parts(config, &panel).and_then(|parts| ledger.store(parts)).map_err(AssemblyError::Ledger)?;
    let panel = panel.kept_as(kept);
    let ledger = Arc::new(ledger);

    let (client, cluster) = connect(config).await.map_err(AssemblyError::Teleport)?;

    let clock = SystemClock;
    let instance = format!("{:x}", clock.now().as_millis());
    let own_user = UserName::new(identity.user());
    let settings =
        Settings { tripped: recovery.tripped.clone(), ..settings(config, &cluster, own_user, instance, &panel) };
    let live = LivePanel::new(panel);
    let reloader = Reloader::new(live.clone(), workshop, config.clone(), looked).recording(Arc::clone(&ledger));
    let ports = Ports { teleport: Arc::new(client), engine: Arc::new(live), ledger, clock: Arc::new(clock) };
    let lease = lease::Terms {
        // A rehearsal acts on nothing, and keeps nobody from acting.
        mode: if config.dry_run { lease::Mode::Off } else { config.lease.mode },
        name: config.lease.name(&cluster.name),
        holder: holder::holder(&dir, &settings.instance),
    };
    Ok(Assembled { ports, reloader, settings, lease, cluster, ledger_dir: dir, recovery })
}

/// What the core needs to know of a configuration, this cluster, and who we are there.
pub(crate) fn settings(
    config: &Config,
    cluster: &tribunal_teleport::Cluster,
    own_user: UserName,
    instance: String,
    panel: &Panel,
) -> Settings {
    Settings {
        cluster: cluster.name.clone(),
        own_user,
        instance,
        panel: opinion::Panel { generation: 0, id: panel.id().cloned(), members: panel.members() },
        poll_interval: config.poll_interval,
        protected_roles: config.protected_roles.clone(),
        human_approved: config.human_approved,
        release: config.release,
        resolve_with: config.teleport.resolve_with,
        dry_run: config.dry_run,
        subjects_in_flight_max: config.limits.subjects_in_flight_max,
        round: config.limits.round,
        tripped: None,
        scope: config.scope.clone(),
        exemptions: config.exemptions.clone(),
    }
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
pub(crate) fn check_edition(with: ResolveWith, cluster: &tribunal_teleport::Cluster) -> Result<(), Failure> {
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

impl fmt::Display for AssemblyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parts(wrong) => f.write_str(&wrong.join("\n")),
            Self::Identity(error) => write!(f, "{error}"),
            Self::Ledger(why) => f.write_str(why),
            Self::Teleport(failure) => write!(f, "{failure}"),
        }
    }
}

impl std::error::Error for AssemblyError {}
