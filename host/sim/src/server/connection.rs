//! Accepting connections: TCP, TLS handshake, and who is at the other end. A peer that does not finish its handshake is dropped; a connection
//! ends with its certificate.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

use super::Stop;
use super::certificates::Certificates;
use crate::cluster::Caller;

/// A handshake may take this long.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);
/// Handshakes at the same time; more wait in the kernel's queue.
const HANDSHAKES_MAX: usize = 256;
/// Connections that finished their handshake and wait for the gRPC server.
const READY_MAX: usize = 64;
/// Longest timer for a certificate's end; a longer life is cut to this.
const LIFE_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Who is at the other end; every request carries it as an extension.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) caller: Arc<Caller>,
    pub(super) address: SocketAddr,
    /// Cuts the connection.
    pub(super) cut: CancellationToken,
}

/// A TLS connection that can be cut from outside.
pub(super) struct Connection {
    tls: TlsStream<TcpStream>,
    peer: Peer,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _alive: DropGuard,
}

/// Accepts until `stop`; the stream yields authenticated connections.
pub(super) fn accept(
    listener: TcpListener,
    certificates: Arc<Certificates>,
    stop: Stop,
) -> ReceiverStream<io::Result<Connection>> {
    let (ready, connections) = mpsc::channel(READY_MAX);
    tokio::spawn(async move {
        let handshakes = Arc::new(Semaphore::new(HANDSHAKES_MAX));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let Ok((tcp, address)) = accepted else {
                // Out of descriptors, most likely: let others finish.
                tokio::task::yield_now().await;
                continue;
            };
            let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else { return };
            let (certificates, ready) = (Arc::clone(&certificates), ready.clone());
            tokio::spawn(async move {
                let handshake = tokio::time::timeout(HANDSHAKE_DEADLINE, handshake(tcp, address, &certificates)).await;
                drop(permit);
                match handshake {
                    Ok(Ok(connection)) => drop(ready.send(Ok(connection)).await),
                    Ok(Err(error)) => tracing::debug!(%address, %error, "Handshake failed"),
                    Err(_) => tracing::debug!(%address, "Handshake took too long"),
                }
            });
        }
    });
    ReceiverStream::new(connections)
}

async fn handshake(tcp: TcpStream, address: SocketAddr, certificates: &Certificates) -> io::Result<Connection> {
    tcp.set_nodelay(true)?;
    let tls = TlsAcceptor::from(certificates.server_config()).accept(tcp).await?;
    let (_, session) = tls.get_ref();
    let known =
        session.peer_certificates().and_then(<[_]>::first).and_then(|certificate| certificates.holder(certificate));
    let (caller, left) =
        known.ok_or_else(|| io::Error::other("the client certificate is not one that this server issued"))?;
    let cut = certificates.connection_token();
    let timer = cut.clone();
    tokio::spawn(async move {
        tokio::select! {
            () = timer.cancelled() => {}
            () = tokio::time::sleep(left.min(LIFE_MAX)) => timer.cancel(),
        }
    });
    Ok(Connection {
        tls,
        peer: Peer { caller, address, cut: cut.clone() },
        cut: Box::pin(cut.clone().cancelled_owned()),
        _alive: cut.drop_guard(),
    })
}

impl Connected for Connection {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.tls).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.peer.cut.is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Pin::new(&mut self.tls).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tls).poll_shutdown(context)
    }
}
