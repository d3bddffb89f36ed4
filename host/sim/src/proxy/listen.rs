//! Accepting connections, and routing each by its TLS hello (`lib/srv/alpnproxy/proxy.go`): to Auth, or to the web port. Inside an upgrade the
//! same is done again. It must never finish a handshake that is meant for Auth.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use rustls::server::Acceptor;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::{Balancer, ProxySettings, Shared, Silence, carry, web};

/// How an application protocol for Auth begins (`lib/srv/alpnproxy/common/protocols.go`).
const TO_AUTH: &[u8] = b"teleport-auth@";
/// What Teleport's clients test with whether TLS routing works end to end, and what they speak SSH inside of.
const REVERSE_TUNNEL: &[u8] = b"teleport-reversetunnel";
const HTTP1: &[u8] = b"http/1.1";
/// A hello, handshake and discovery may take this long altogether.
const HELLO_DEADLINE: Duration = Duration::from_secs(10);
/// The longest TLS hello that is read, in bytes.
const HELLO_BYTES_MAX: usize = 64 * 1024;

/// What a connection can be.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}
/// Any connection.
pub(super) type Stream = Box<dyn Bytes>;

/// Accepts until the proxy is dropped.
pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((tcp, address)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        shared.count("connection");
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let cut = shared.connection_token();
            tokio::select! {
                () = cut.cancelled() => {}
                ended = serve(tcp, &shared) => if let Err(error) = ended {
                    tracing::debug!(%address, %error, "Connection to the proxy ended");
                }
            }
        });
    }
}

async fn serve(tcp: TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    tcp.set_nodelay(true)?;
    let settings = shared.settings();
    if settings.silence == Silence::AtOnce {
        return std::future::pending().await;
    }
    if settings.balancer == Balancer::None {
        return route(Box::new(tcp), shared, &settings).await;
    }
    // The balancer ends TLS, whatever was offered, and speaks HTTP with the proxy.
    let alpn: &[&[u8]] = if settings.balancer == Balancer::RefusesAlpn { &[HTTP1] } else { &[] };
    let tls = handshake(Box::new(tcp), shared, &settings, alpn).await?;
    web::serve(Box::new(tls), shared, &settings).await
}

/// Routes TLS by what its hello offers. Boxed, since an upgrade inside comes here again.
pub(super) fn route<'a>(
    stream: Stream,
    shared: &'a Arc<Shared>,
    settings: &'a ProxySettings,
) -> BoxFuture<'a, io::Result<()>> {
    Box::pin(route_by_hello(stream, shared, settings))
}

async fn route_by_hello(stream: Stream, shared: &Arc<Shared>, settings: &ProxySettings) -> io::Result<()> {
    let (stream, offered) = tokio::time::timeout(HELLO_DEADLINE, hello(stream)).await??;
    if !settings.tls_routing {
        let tls = handshake(stream, shared, settings, &[HTTP1]).await?;
        return web::serve(Box::new(tls), shared, settings).await;
    }
    if let Some(first) = offered.first().filter(|first| first.starts_with(TO_AUTH)) {
        return carry::to_auth(stream, first, shared, settings).await;
    }
    let mut tls = handshake(stream, shared, settings, &[HTTP1, REVERSE_TUNNEL]).await?;
    if tls.get_ref().1.alpn_protocol() == Some(REVERSE_TUNNEL) {
        shared.count("probe");
        return match settings.reverse_tunnel {
            Some(tunnel) => carry::to_tunnel(&mut tls, tunnel).await,
            None => Ok(()),
        };
    }
    web::serve(Box::new(tls), shared, settings).await
}

async fn handshake(
    stream: Stream,
    shared: &Shared,
    settings: &ProxySettings,
    alpn: &[&[u8]],
) -> io::Result<tokio_rustls::server::TlsStream<Stream>> {
    let config = shared.web_tls(alpn, settings).map_err(io::Error::other)?;
    tokio::time::timeout(HELLO_DEADLINE, TlsAcceptor::from(config).accept(stream)).await?
}

/// Reads a TLS hello; gives the stream as if nothing had been read, and the application protocols that it offers.
async fn hello(mut stream: Stream) -> io::Result<(Stream, Vec<Vec<u8>>)> {
    let mut read = Vec::new();
    let mut acceptor = Acceptor::default();
    let offered = loop {
        let mut buffer = [0; 4096];
        let length = stream.read(&mut buffer).await?;
        let bytes = buffer.get(..length).unwrap_or_default();
        if bytes.is_empty() || read.len() > HELLO_BYTES_MAX {
            return Err(io::Error::other("no TLS hello"));
        }
        read.extend_from_slice(bytes);
        acceptor.read_tls(&mut &*bytes)?;
        match acceptor.accept() {
            Ok(None) => {}
            Ok(Some(accepted)) => {
                break accepted
                    .client_hello()
                    .alpn()
                    .map(|alpn| alpn.map(<[u8]>::to_vec).collect())
                    .unwrap_or_default();
            }
            Err((error, _)) => return Err(io::Error::other(error)),
        }
    };
    let (reader, writer) = tokio::io::split(stream);
    let again = tokio::io::join(io::Cursor::new(read).chain(reader), writer);
    Ok((Box::new(again), offered))
}
