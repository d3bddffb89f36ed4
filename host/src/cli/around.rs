//! What runs beside the daemon, so that others see how it stands: the health port, the notes to systemd, the look at the
//! identity file. It ends with what holds it, and never ends the daemon.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tribunal_ports::Clock;
use tribunal_teleport::Client;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::health::identity::IdentityFile;
use crate::health::{Outlook, Outside, notify, serve};
use crate::signs::Signs;

/// Opens the health port, if there is to be one.
pub(super) async fn open(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(at) = config.health_listen else { return Ok(None) };
    let opened = serve::listen(at).await;
    let listener = opened.map_err(|error| {
        anyhow::anyhow!("the health port `{at}` cannot be opened: {error}; change `listen` in `[health]`")
    })?;
    Ok(Some(listener))
}

/// Begins all of it; it ends when what is given back is dropped.
pub(super) async fn begin(
    signs: &Arc<Signs>,
    client: Arc<Client>,
    config: &Config,
    listener: Option<TcpListener>,
    stop: CancellationToken,
) -> JoinSet<()> {
    let identity = Arc::new(IdentityFile::new(config.teleport.identity_file.clone()));
    identity.look(SystemClock.now()).await;
    let outlook = {
        let identity = Arc::clone(&identity);
        Outlook::new(Arc::clone(signs), move || Outside { identity: identity.seen(), skew: client.skew() })
    };
    let mut around = JoinSet::new();
    let signs = Arc::clone(signs);
    around.spawn(async move { signs.follow().await });
    around.spawn(async move { identity.follow(&SystemClock).await });
    around.spawn(notify::run(outlook.clone(), notify::Systemd, notify::watchdog(), stop));
    if let Some(listener) = listener {
        around.spawn(serve::serve(listener, outlook));
    }
    around
}
