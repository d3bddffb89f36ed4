//! `tribunal dev`: from arguments to what the room `dev` does, and back to an exit code. It runs nothing itself.

use std::process::ExitCode;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;

use super::args::{DevAction, DevArgs, LogArgs, RequestArgs, ResolveArgs, ShowArgs};
use super::{EXIT_UNEXPECTED, report};
use crate::dev::{PlayOptions, ServeOptions, Wish, commands, play, serve};
use crate::telemetry;

/// Runs `tribunal dev`.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) async fn dev(args: DevArgs) -> anyhow::Result<ExitCode> {
    let DevArgs { action, once, json, serve: only_serve, listen, dir, scenario, config, teleport_version, log } = args;
    if let Some(action) = action {
        act(action).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let release = teleport_version;
    start_log(&log);
    let stop = CancellationToken::new();
    listen_for_signals(&stop)?;
    if only_serve {
        let dir = dir.context("`--serve` needs a directory for identity files: add `--dir DIR`")?;
        Box::pin(serve(ServeOptions { listen, dir, scenario, release, json }, stop)).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let wrong = Box::pin(play(PlayOptions { scenario, config, release, dir, json, once }, stop)).await?;
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    report::say(&wrong);
    Ok(ExitCode::from(EXIT_UNEXPECTED))
}

async fn act(action: DevAction) -> anyhow::Result<()> {
    match action {
        DevAction::Request(RequestArgs { server, user, roles, resources, reason, json }) => {
            commands::request(&server.dir, &user, &Wish { roles, resources, reason }, json).await?;
        }
        DevAction::Requests(ShowArgs { server, json }) => commands::requests(&server.dir, json).await?,
        DevAction::Locks(ShowArgs { server, json }) => commands::locks(&server.dir, json).await?,
        DevAction::Approve(ResolveArgs { server, id, reason }) => {
            commands::resolve(&server.dir, &id, true, &reason).await?;
        }
        DevAction::Deny(ResolveArgs { server, id, reason }) => {
            commands::resolve(&server.dir, &id, false, &reason).await?;
        }
    }
    Ok(())
}

/// The story is the log here; of the log proper only what went wrong is shown, unless somebody asks for more.
fn start_log(log: &LogArgs) {
    if log.debug.0 || std::env::var_os("RUST_LOG").is_some() {
        telemetry::init(log.log_format, log.debug.0);
        return;
    }
    let quiet = tracing_subscriber::fmt().with_max_level(LevelFilter::WARN).with_writer(std::io::stderr).compact();
    if let Err(error) = quiet.try_init() {
        tracing::debug!(%error, "The log had been started before");
    }
}

/// SIGINT and SIGTERM ask for a stop.
fn listen_for_signals(stop: &CancellationToken) -> anyhow::Result<()> {
    for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
        let mut signals = signal(kind).context("signals cannot be listened for")?;
        let stop = stop.clone();
        tokio::spawn(async move {
            if signals.recv().await.is_some() {
                stop.cancel();
            }
        });
    }
    Ok(())
}
