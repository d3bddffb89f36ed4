//! Says at the start what the daemon's role lacks and what it has beyond its needs. It must never keep the daemon from
//! starting: rights may come while it runs.

use std::sync::Arc;

use tracing::{debug, error, info, warn};
use tribunal_teleport::Client;

use super::{Difference, Needs};

/// Asks once what the role of the daemon's identity allows, and says how that differs from what is needed.
pub async fn probe(client: Arc<Client>, needs: Needs) {
    match client.rights().await {
        Ok(Some(rights)) => say(&needs.compare(&rights)),
        Ok(None) => debug!("The server does not tell what the daemon's role allows"),
        // Whoever needs the connection for more than this says so.
        Err(failure) => debug!(%failure, "What the daemon's role allows cannot be asked"),
    }
}

fn say(Difference { missing, missed, excess }: &Difference) {
    if !missing.is_empty() {
        error!(
            missing = missing.join("; "),
            "The daemon's role lacks what this configuration needs; tribunal role prints one that has it"
        );
    }
    if !missed.is_empty() {
        warn!(missing = missed.join("; "), "The daemon's role lacks what this configuration would use");
    }
    if !excess.is_empty() {
        info!(excess = excess.join("; "), "The daemon's role allows more than this configuration needs");
    }
}
