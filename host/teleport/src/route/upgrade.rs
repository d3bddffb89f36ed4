//! The connection upgrade: bytes in the binary frames of a WebSocket, for proxies behind load balancers that end TLS
//! (`api/client/alpn_conn_upgrade.go`, `api/client/alpn_websocket.go`).
//!
//! Must never split a message into several frames: Teleport's server passes over all but the first.

pub(super) mod frames;

use http::Uri;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use self::frames::Frames;
use super::web::Web;
use super::{ByteStream, Reach};
use crate::address::Address;
use crate::connect::{ConnectError, Step, in_time};

/// The largest frame that is taken, in bytes; Teleport's proxies send some 32 KiB at a time.
pub(crate) const FRAME_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of frames that wait for the network before nothing more is taken.
pub(crate) const WAITING_BYTES_MAX: usize = 256 * 1024;

const PATH: &str = "/webapi/connectionupgrade";
/// The sub-protocol with pings of the server, for long connections (`api/constants/constants.go`).
const PROTOCOL: &str = "alpn-ping";
/// What Teleport's clients test with whether TLS routing works end to end (`api/constants/constants.go`).
const REVERSE_TUNNEL: &[u8] = b"teleport-reversetunnel";

/// A stream to what is behind the web port of `proxy`, as if application protocols came through to it.
///
/// # Errors
/// If it upgrades no connection in time.
pub(crate) async fn open(proxy: &Address, reach: &Reach) -> Result<ByteStream, ConnectError> {
    let web = Web::load(reach).await?;
    let stream = web.connect(proxy, &[b"http/1.1"], reach).await?;
    // Boxed: the handshake holds buffers of its own.
    let upgrading = Box::pin(upgrade(proxy, stream));
    Ok(Box::new(in_time(reach.deadlines.upgrade, Step::Upgrade, proxy, upgrading).await?))
}

/// The handshake over a stream to `proxy`.
pub(super) async fn upgrade<S>(proxy: &Address, stream: S) -> Result<Frames<S>, ConnectError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let uri = format!("wss://{proxy}{PATH}").parse::<Uri>();
    let uri = uri.map_err(|error| explain(proxy, &error.to_string()))?;
    let request = ClientRequestBuilder::new(uri).with_sub_protocol(PROTOCOL);
    let upgraded = client_async_with_config(request, stream, Some(limits())).await;
    let (websocket, _) = upgraded
        .map_err(|error| if is_not_found(&error) { unsupported(proxy) } else { explain(proxy, &error.to_string()) })?;
    Ok(Frames::new(websocket))
}

/// What a peer may make us hold.
pub(super) fn limits() -> WebSocketConfig {
    WebSocketConfig::default()
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX))
        .write_buffer_size(0)
        .max_write_buffer_size(WAITING_BYTES_MAX)
}

/// Whether connections to `proxy` have to be upgraded: a test connection tells whether application protocols come
/// through to it, or the environment does. A test that fails otherwise says no, as with Teleport's clients.
pub(crate) async fn is_required(proxy: &Address, web: &Web, reach: &Reach) -> (bool, &'static str) {
    if let Some(required) = reach.environment.upgrade_of(&proxy.to_string()) {
        return (required, "`TELEPORT_TLS_ROUTING_CONN_UPGRADE` says so");
    }
    let testing = async { Ok(web.connect(proxy, &[REVERSE_TUNNEL], reach).await) };
    let required = match in_time(reach.deadlines.test, Step::Test, proxy, testing).await {
        Ok(Ok(stream)) => stream.get_ref().1.alpn_protocol().is_none(),
        Ok(Err(failure)) => failure.cause.as_ref().is_some_and(is_about_protocols),
        Err(_) => false,
    };
    (required, if required { "application protocols do not come through to it" } else { "its TLS routing is on" })
}

/// Whether the other side knows no such application protocol, or took one that was not offered.
fn is_about_protocols(error: &rustls::Error) -> bool {
    matches!(
        error,
        rustls::Error::AlertReceived(rustls::AlertDescription::NoApplicationProtocol)
            | rustls::Error::PeerMisbehaved(rustls::PeerMisbehaved::SelectedUnofferedApplicationProtocol)
    )
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::Http(response) if response.status() == http::StatusCode::NOT_FOUND)
}

fn unsupported(proxy: &Address) -> ConnectError {
    ConnectError::Obstructed {
        detail: format!(
            "the proxy at `{proxy}` upgrades no connection: `GET {PATH}` is answered 404; update the proxy, have the load balancer pass that path on, or let TLS through to the proxy"
        ),
        alarm: false,
    }
}

fn explain(proxy: &Address, said: &str) -> ConnectError {
    ConnectError::Obstructed {
        detail: format!(
            "the proxy at `{proxy}` upgrades no connection: `GET {PATH}`: {said}; check that the load balancer before it passes WebSockets on"
        ),
        alarm: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_that_was_not_offered_means_that_an_upgrade_is_needed() {
        use rustls::{AlertDescription, Error, PeerMisbehaved};
        assert!(is_about_protocols(&Error::AlertReceived(AlertDescription::NoApplicationProtocol)));
        assert!(is_about_protocols(&Error::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedApplicationProtocol)));
        assert!(!is_about_protocols(&Error::AlertReceived(AlertDescription::HandshakeFailure)));
        assert!(!is_about_protocols(&Error::DecryptError));
    }
}
