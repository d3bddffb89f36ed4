//! `tribunal run`: from arguments to a running daemon and back to an exit code. It neither decides nor acts itself.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::CommandFactory;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use tribunal_ledger::Recovery;
use tribunal_ports::Clock;

use super::args::{Cli, RunArgs};
use super::{EXIT_ERROR, around, report};
use crate::assembly::reload::Reloader;
use crate::assembly::{self, Assembled, AssemblyError};
use crate::chronicle::Chronicle;
use crate::clock::SystemClock;
use crate::config::{Config, ConfigErrors};
use crate::daemon::Operator;
use crate::daemon::lease::Stand;
use crate::facts::Facts;
use crate::health::identity::wait::wait;
use crate::signs::{Feeds, Signs};
use crate::{daemon, role, telemetry};

pub(super) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    telemetry::init(args.log.log_format, args.log.debug.0);
    let config = match configure(&args) {
        Ok(config) => config,
        Err(errors) => {
            let usage = args.config.is_none() && args.go_flags().lacks_required();
            report::error(&anyhow::Error::new(errors));
            if usage {
                say_usage();
            }
            return Ok(ExitCode::from(EXIT_ERROR));
        }
    };
    let stop = CancellationToken::new();
    let (tell_stand, stand) = watch::channel(Stand::default());
    let release = Arc::new(Notify::new());
    listen_for_signals(&stop)?;
    listen_for_releases(&release, stand.clone())?;
    let listener = around::open(&config).await?;
    info!(plugins = config.plugins.len(), address = %config.teleport.address, "Loading plugins and connecting");
    let Some(assembled) = assemble(&config, listener.as_ref(), &stop).await? else { return Ok(ExitCode::SUCCESS) };
    let Assembled { ports, reloader, settings, lease, cluster, ledger_dir, recovery } = assembled;
    info!(
        cluster = %cluster.name,
        address = %config.teleport.address,
        user = %settings.own_user,
        policies = settings.panel.members.len(),
        dry_run = config.dry_run,
        "Connected to Teleport"
    );
    let (tell, status) = watch::channel(None);
    let feeds = Feeds { status, stand: Some(stand), stop: stop.clone() };
    let signs = Signs::new(&settings, feeds, || SystemClock.now());
    let client = Arc::clone(&ports.teleport);
    let ports = signs.watch_over(ports);
    let mut files = Facts::new(&config.facts);
    let (tell_facts, facts) = watch::channel(files.look(SystemClock.now()));
    let mut around = around::begin(&signs, Arc::clone(&client), facts.clone(), listener, stop.clone());
    around.spawn(async move { files.follow(&SystemClock, &tell_facts).await });
    around.spawn(role::probe(Arc::clone(&client), role::needed(&config, &settings.panel.members)));
    around.spawn(reload(&signs, reloader, &args)?);
    let chronicle = Chronicle {
        ledger: Arc::clone(&ports.ledger),
        clock: Arc::clone(&ports.clock),
        directory: ledger_dir,
        configuration: args.config.clone(),
        retention: config.retention.clone(),
        identity: client.identity_file().subscribe(),
    };
    let seen = Arc::clone(&signs);
    around.spawn(chronicle.follow(move || seen.panel_seen()));
    say_recovery(&recovery);
    if may_release(recovery.tripped.as_deref(), args.release_breaker) {
        release.notify_one();
    }
    let open = recovery.open.into_iter().map(|intent| (intent.decided.id, intent.steps)).collect();
    let closed = tokio::select! {
        closed = daemon::recover::close(&ports, open) => closed,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    if let Err(error) = closed {
        warn!(%error, "What the last run left open could not be looked up; the next start tries again");
    }
    let operator = Operator { release, facts };
    Box::pin(daemon::lease::run(ports, settings, lease, tell, tell_stand, operator, stop)).await?;
    drop(around);
    info!("Stopped");
    Ok(ExitCode::SUCCESS)
}

/// Builds the daemon, as soon as its identity's time it is; none: a stop was asked for meanwhile. A start that fails for
/// anything else ends, so that a mistake shows at once.
async fn assemble(
    config: &Config,
    listener: Option<&Arc<TcpListener>>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Assembled>> {
    loop {
        let assembled = tokio::select! {
            assembled = Box::pin(assembly::assemble(config)) => assembled,
            () = stop.cancelled() => return Ok(None),
        };
        let Err(AssemblyError::Identity(why)) = assembled else { return Ok(Some(assembled?)) };
        let path = &config.teleport.identity_file;
        if !wait(path, &why, listener.cloned(), Arc::new(SystemClock), stop).await {
            return Ok(None);
        }
    }
}

fn configure(args: &RunArgs) -> Result<Config, ConfigErrors> {
    match &args.config {
        Some(path) => Config::load(path, &args.overrides()),
        None => Config::from_flags(&args.go_flags()),
    }
}

/// As the sample watcher does where a flag is missing that it cannot do without.
fn say_usage() {
    let mut command = Cli::command();
    command.build();
    let usage = command.find_subcommand_mut("run").map(clap::Command::render_usage).unwrap_or_default();
    let _unheard = writeln!(
        anstream::stderr().lock(),
        "\n{}\n\nFor a configuration file use `--config FILE`; for more `tribunal run --help`.",
        usage.ansi()
    );
}

/// SIGINT and SIGTERM ask for a stop.
fn listen_for_signals(stop: &CancellationToken) -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind).context("signals cannot be listened for")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                info!("Stopping");
                stop.cancel();
            }
        });
    }
    Ok(())
}

/// SIGUSR1 releases the breaker of a daemon that acts.
fn listen_for_releases(release: &Arc<Notify>, stand: watch::Receiver<Stand>) -> anyhow::Result<()> {
    let mut signals = signal(SignalKind::user_defined1()).context("signals cannot be listened for")?;
    let release = Arc::clone(release);
    tokio::spawn(async move {
        while signals.recv().await.is_some() {
            let stand = stand.borrow().clone();
            match stand {
                Stand::Leading | Stand::Alone => release.notify_one(),
                Stand::Standby(why) => {
                    warn!(why, "Stands by, so that SIGUSR1 releases nothing; send it to a daemon that acts");
                }
            }
        }
    });
    Ok(())
}

/// Replaces the panel when its files change, or when SIGHUP asks for it.
fn reload(
    signs: &Signs,
    reloader: Reloader,
    args: &RunArgs,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut signals = signal(SignalKind::hangup()).context("signals cannot be listened for")?;
    let (reloader, hangup) = (Arc::new(reloader), Arc::new(Notify::new()));
    let seen = Arc::clone(&reloader);
    signs.look_at_panel(move || seen.seen());
    let file = args.config.clone().map(|path| (path, args.overrides()));
    Ok(async move {
        let hear = async {
            while signals.recv().await.is_some() {
                hangup.notify_one();
            }
        };
        tokio::join!(hear, reloader.follow(file, Arc::clone(&hangup), || SystemClock.now()));
    })
}

/// Says how the breaker stands at the start; whether it is to be released.
fn may_release(tripped: Option<&str>, wanted: bool) -> bool {
    match (tripped, wanted) {
        (Some(why), true) => {
            warn!(why, "The breaker tripped in an earlier run; it is released as soon as this daemon acts");
            true
        }
        (Some(why), false) => {
            error!(
                why,
                "The breaker tripped in an earlier run; nothing is enforced until a person has looked and released it: \
                 send SIGUSR1 to this daemon, or start it with --release-breaker"
            );
            false
        }
        (None, true) => {
            daemon::log::nothing_to_release();
            false
        }
        (None, false) => false,
    }
}

fn say_recovery(recovery: &Recovery) {
    let Recovery { records, open, torn, read_all, tripped: _ } = recovery; // it has a word of its own
    info!(records, open = open.len(), "Opened the ledger");
    if let Some(why) = read_all {
        warn!(why, "Had to read the whole ledger: nothing that it vouches for says where it stood");
    }
    if let Some(torn) = torn {
        warn!(
            segment = %torn.segment.display(),
            kept = %torn.kept.display(),
            bytes = torn.bytes,
            "A torn last line was cut off the ledger; it had never been acknowledged"
        );
    }
    for intent in open {
        info!(
            decision = %intent.decided.id,
            user = %intent.decided.user,
            steps = intent.steps.len(),
            "The last run did not say what became of a decision; the cluster tells"
        );
    }
}
