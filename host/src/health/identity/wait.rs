//! Stands where the daemon will, as long as its identity's time is over or has not come: alive, not ready, and clear about
//! it. It decides nothing, and touches neither the cluster nor the ledger.

use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use tribunal_core::Status;
use tribunal_ports::Clock;
use tribunal_teleport::identity::LOOK_SECS;
use tribunal_teleport::{Identity, IdentityError};

use crate::health::{Outlook, Outside, notify, serve};
use crate::signs::{About, Feeds, Signs};

/// Waits until the file at `path` holds an identity whose time it is; whether it does, and not a stop was asked for. `why`
/// is what is wrong with it now. Meanwhile the health port and systemd are told.
pub async fn wait<C: Clock>(
    path: &Path,
    why: &IdentityError,
    listener: Option<impl Borrow<TcpListener> + Send + Sync + 'static>,
    clock: Arc<C>,
    stop: &CancellationToken,
) -> bool {
    let status = watch::Sender::new(Some(blind(why)));
    let _around = stand(&status, listener, Arc::clone(&clock), stop);
    error!(error = %why, "Waits for a fresh identity; nothing is decided until it is in its file");
    loop {
        let pause = clock.sleep_until(clock.now().after(Duration::from_secs(LOOK_SECS)));
        tokio::select! {
            biased;
            () = stop.cancelled() => return false,
            () = pause => {}
        }
        match Identity::load(path).await {
            Ok(identity) => {
                info!(user = identity.user(), "A fresh identity is there; begins");
                return true;
            }
            // Whoever listens sees that it turns, whether or not anything changed.
            Err(error) => drop(status.send_replace(Some(blind(&error)))),
        }
    }
}

fn blind(why: impl fmt::Display) -> Status {
    let blind = Some(format!("waits for a fresh identity: {why}"));
    Status { blind, tripped: None, last_full_list: None, in_flight: 0, waiting: 0, retrying: 0 }
}

/// What others see meanwhile; it ends with what is given back.
fn stand<C: Clock>(
    status: &watch::Sender<Option<Status>>,
    listener: Option<impl Borrow<TcpListener> + Send + Sync + 'static>,
    clock: Arc<C>,
    stop: &CancellationToken,
) -> JoinSet<()> {
    let about = About {
        cluster: String::new(),
        panel: Vec::new(),
        poll_interval: Duration::from_secs(LOOK_SECS),
        dry_run: false,
    };
    let feeds = Feeds { status: status.subscribe(), stand: None, stop: stop.clone() };
    let signs = Signs::of(about, feeds, move || clock.now());
    let outlook = Outlook::new(Arc::clone(&signs), Outside::default);
    let mut around = JoinSet::new();
    around.spawn(async move { signs.follow().await });
    around.spawn(notify::run(outlook.clone(), notify::Systemd, notify::watchdog(), stop.clone()));
    if let Some(listener) = listener {
        around.spawn(serve::serve(listener, outlook));
    }
    around
}
