//! Doors for fuzz tests to what reads the bytes of peers that are not to be trusted, and is private otherwise.
//!
//! Must never be used by the product.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::environment::Environment;
use super::find::{self, FIND_BYTES_MAX};
use super::upgrade::frames::Frames;
use super::{Route, http, upgrade};
use crate::address::Address;

pub use super::ssh::fuzzing::{certificate, handshake, identity, packet, session};

/// A peer's end of a stream.
pub trait Peer: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Peer for T {}

/// How much is read at once, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// The way that the body of an answer to `GET /webapi/find` leads to, and what its cluster is called.
///
/// # Errors
/// What is said of one that leads nowhere.
pub fn find(proxy: &Address, body: &[u8]) -> Result<(Route, Option<Address>), String> {
    let found = find::parse(body, proxy, &Environment::default())?;
    let route = Route::ProxyTls { proxy: proxy.clone(), cluster: found.cluster };
    // A name that is too long for a protocol is an answer as well.
    let _protocols = route.alpn().map_err(|error| error.to_string())?;
    Ok((route, found.tunnel))
}

/// The body of the answer of an HTTP server.
///
/// # Errors
/// What is said of one that does not answer.
pub async fn answer(stream: impl Peer, proxy: &Address) -> Result<Vec<u8>, String> {
    let answered = http::get(Box::new(stream), proxy, "/webapi/find", FIND_BYTES_MAX).await;
    let (_status, body) = answered.map_err(|error| http::innermost(error.as_ref()))?;
    Ok(body.to_vec())
}

/// How many bytes come in the frames of a WebSocket whose handshake is done.
///
/// # Errors
/// What is said of a peer that breaks the rules.
pub async fn frames(stream: impl Peer) -> Result<u64, String> {
    let websocket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(upgrade::limits())).await;
    drained(&mut Frames::new(websocket)).await
}

/// The same of one whose handshake is not done.
///
/// # Errors
/// What is said of a peer that breaks the rules.
pub async fn upgraded(stream: impl Peer, proxy: &Address) -> Result<u64, String> {
    let mut frames = upgrade::upgrade(proxy, stream).await.map_err(|error| error.to_string())?;
    drained(&mut frames).await
}

/// How many bytes come until the end.
pub(super) async fn drained(stream: &mut (impl AsyncRead + Unpin)) -> Result<u64, String> {
    let mut bytes = 0_u64;
    let mut chunk = vec![0; READ_BYTES];
    loop {
        let read = stream.read(&mut chunk).await.map_err(|error| error.to_string())?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes = bytes.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
    }
}
