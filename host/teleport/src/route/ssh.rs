//! SSH through a proxy's reverse tunnel, to its channel to Auth.
//!
//! The SSH here is our own and small, since no Rust library opens channels of Teleport's kind: one key exchange, one
//! cipher mode, one way to authenticate, one channel; all of its cryptography is ring's. It only leads to Auth: TLS
//! inside proves who Auth is, whatever happens here.
//!
//! Must never accept a host key that no `@cert-authority` line of the identity file signed.

mod certificate;
mod credentials;
mod failure;
pub(super) mod fuzzing;
mod kex;
mod key;
mod link;
mod message;
mod mover;
mod packet;
mod session;
#[cfg(test)]
mod tests;
mod tunnel;
mod wire;

use self::credentials::Credentials;
use self::failure::Problem;
use self::kex::Trust;
use self::link::Link;
use self::tunnel::{Patience, Tunnel};
use super::{ByteStream, Dial, tcp};
use crate::address::Address;
use crate::connect::ConnectError;

/// A channel to Auth through the reverse tunnel at `tunnel`. There a cluster's name is of no use: the proxy dials an Auth
/// server of its own cluster.
///
/// # Errors
/// If there is none; the text says which step failed and what to do.
pub(crate) async fn open(tunnel: &Address, _cluster: &str, dial: Dial<'_>) -> Result<ByteStream, ConnectError> {
    let at = |problem: Problem| problem.at(tunnel);
    let credentials = Credentials::of(dial.identity).map_err(at)?;
    let authorities = credentials::authorities(dial.identity).map_err(at)?;
    let stream = tcp::open(tunnel, dial.reach).await?;
    let mut link = Link::new(stream, Trust { host: tunnel.host().to_owned(), authorities });
    let after = dial.reach.deadlines.ssh;
    let opened = tokio::time::timeout(after, session::open(&mut link, &credentials)).await;
    let opened = opened.unwrap_or(Err(Problem::Late(link.step, after))).map_err(at)?;
    Ok(Box::new(Tunnel::new(link, opened, Patience::default())))
}
