//! The inside of a connection upgrade: binary frames are bytes of a stream, and the server pings (`lib/web/conn_upgrade.go`,
//! `websocketALPNServerConn`). It must never accept frames that the client did not mask.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::listen::route;
use super::{ProxySettings, Shared};

/// Bytes that wait inside, in each direction.
const INSIDE_BYTES_MAX: usize = 64 * 1024;
/// What a ping says.
const PING: &[u8] = b"teleport";

/// Serves what comes in frames as a connection of its own; pings in the interval `ping`.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin,
    ping: Option<Duration>,
    shared: &Arc<Shared>,
    settings: &ProxySettings,
) -> io::Result<()> {
    let websocket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let (inside, outside) = tokio::io::duplex(INSIDE_BYTES_MAX);
    let served = route(Box::new(inside), shared, settings);
    let pumped = pump(websocket, outside, ping, shared);
    tokio::select! {
        ended = served => ended,
        ended = pumped => ended,
    }
}

async fn pump(
    mut websocket: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>,
    mut inside: tokio::io::DuplexStream,
    ping: Option<Duration>,
    shared: &Shared,
) -> io::Result<()> {
    let mut pings = ping.map(tokio::time::interval);
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let due = async {
            match &mut pings {
                Some(pings) => pings.tick().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            frame = websocket.next() => match frame.transpose().map_err(io::Error::other)? {
                Some(Message::Binary(bytes)) => inside.write_all(&bytes).await?,
                Some(Message::Pong(_)) => shared.count("pong"),
                Some(Message::Close(_)) | None => return Ok(()),
                // As Teleport's server: what is none of these is passed over.
                Some(Message::Text(_) | Message::Ping(_) | Message::Frame(_)) => {}
            },
            read = inside.read(&mut buffer) => {
                let bytes = buffer.get(..read?).unwrap_or_default().to_vec();
                if bytes.is_empty() {
                    return websocket.close(None).await.map_err(io::Error::other);
                }
                websocket.send(Message::binary(bytes)).await.map_err(io::Error::other)?;
            }
            _ = due => websocket.send(Message::Ping(PING.into())).await.map_err(io::Error::other)?,
        }
    }
}
