//! Bare round trips: the cheapest call there is, over the same TLS and through the same relay. It must never be made
//! faster than the daemon's own calls are.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use tribunal_teleport::{Choice, Client, Limits, Reach, Target};

/// How long a connection may take.
const DIAL_MAX: Duration = Duration::from_secs(30);

/// A client of its own.
pub(crate) async fn client(address: SocketAddr, identity: &Path) -> Result<Client, String> {
    let target = Target {
        address: address.to_string().parse().map_err(|error| format!("no address: {error}"))?,
        identity_file: identity.to_owned(),
        dial_timeout: DIAL_MAX,
        reach: Reach { choice: Choice::Auth, ..Reach::default() },
    };
    Client::new(target, Limits::default()).await.map_err(|failure| failure.to_string())
}

/// How long so many took, one after the other.
pub(crate) async fn pings(client: &Client, count: u64) -> Result<Vec<Duration>, String> {
    let mut took = Vec::new();
    for _ in 0..count {
        let begun = Instant::now();
        client.ping().await.map_err(|failure| failure.to_string())?;
        took.push(begun.elapsed());
    }
    Ok(took)
}
