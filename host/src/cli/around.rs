//! What runs beside the daemon: the renewal of its identity, and what shows others how it stands: the health port, the
//! notes to systemd, the life of its identity. It ends with what holds it, and never ends the daemon.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tribunal_core::case::Fact;
use tribunal_ports::Clock;
use tribunal_teleport::Client;

use crate::clock::SystemClock;
use crate::config::Config;
use crate::health::identity::IdentityLife;
use crate::health::{Outlook, Outside, notify, serve};
use crate::signs::Signs;

/// Opens the health port, if there is to be one.
pub(super) async fn open(config: &Config) -> anyhow::Result<Option<Arc<TcpListener>>> {
    let Some(at) = config.health_listen else { return Ok(None) };
    let opened = serve::listen(at).await;
    let listener = opened.map_err(|error| {
        anyhow::anyhow!("the health port `{at}` cannot be opened: {error}; change `listen` in `[health]`")
    })?;
    Ok(Some(Arc::new(listener)))
}

/// Begins all of it; it ends when what is given back is dropped.
pub(super) fn begin(
    signs: &Arc<Signs>,
    client: Arc<Client>,
    facts: watch::Receiver<Arc<[Fact]>>,
    listener: Option<Arc<TcpListener>>,
    stop: CancellationToken,
) -> JoinSet<()> {
    let identity = Arc::new(IdentityLife::new(client.identity_file().subscribe()));
    identity.look(SystemClock.now());
    let outlook = {
        let (identity, client) = (Arc::clone(&identity), Arc::clone(&client));
        Outlook::new(Arc::clone(signs), move || Outside {
            identity: Some(identity.seen()),
            skew: client.skew(),
            facts: facts.borrow().clone(),
        })
    };
    let mut around = JoinSet::new();
    let signs = Arc::clone(signs);
    around.spawn(async move { signs.follow().await });
    around.spawn(async move { client.follow_identity(&SystemClock).await });
    around.spawn(async move { identity.follow(&SystemClock).await });
    around.spawn(notify::run(outlook.clone(), notify::Systemd, notify::watchdog(), stop));
    if let Some(listener) = listener {
        around.spawn(serve::serve(listener, outlook));
    }
    around
}
