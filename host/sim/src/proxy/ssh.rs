//! The SSH server of a simulated proxy's reverse tunnel (`lib/reversetunnel/srv.go`): users with certificates get a channel to Auth, and nothing
//! else. It must never take a user whose certificate the cluster's user authority did not sign.

mod agreement;
mod bytes;
mod relay;
mod transport;
mod user;

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::pki::ssh::SshHost;
use crate::scenario::Span;
use crate::server::{Certificates, Running, StartError};
use transport::Transport;

/// Everything up to the channel's dial may take this long.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(30);
/// Life of the host's certificate.
const HOST_LIFE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Where the tunnel goes wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TunnelFault {
    /// Nowhere.
    #[default]
    None,
    /// Not a byte is sent.
    Silent,
    /// It speaks HTTP.
    NotSsh,
    /// It stops answering in the exchange of keys.
    SilentInKeys,
    /// Its certificate is signed by the authority of another cluster.
    ForeignHost,
    /// Its key is not that of its certificate.
    StolenCertificate,
    /// It shows a key without a certificate.
    BareKey,
    /// No Auth server can be dialed.
    NoAuth,
    /// It is the port of SSH sessions, which knows no such channel.
    SessionsOnly,
    /// It goes silent when the channel is up, while the connection stays open.
    SilentAfterDial,
}

/// What a tunnel is like; may be changed while it runs, for new connections.
#[derive(Clone, Debug)]
pub struct TunnelSettings {
    /// The names in the host's certificate.
    pub names: Vec<String>,
    /// Life of the host's certificate from the connection on; negative makes one that is over.
    pub host_life: Span,
    /// Keys are exchanged anew after this many packets to the client.
    pub rekey_after_packets: Option<u64>,
    /// Where channels lead, if not to the cluster's Auth server.
    pub leads_to: Option<SocketAddr>,
    /// Where it goes wrong.
    pub fault: TunnelFault,
}

/// A reverse tunnel port that runs until it is dropped.
#[derive(Debug)]
pub struct SshTunnel {
    shared: Arc<Shared>,
}

struct Shared {
    addr: SocketAddr,
    auth: SocketAddr,
    certificates: Arc<Certificates>,
    settings: Mutex<TunnelSettings>,
    channels: AtomicU64,
    refused: AtomicU64,
    rekeyed: Arc<AtomicU64>,
    stop: CancellationToken,
    connections: Mutex<CancellationToken>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("addr", &self.addr).field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl Default for TunnelSettings {
    /// For loopback, as a proxy on this machine would have it.
    fn default() -> Self {
        Self {
            names: ["127.0.0.1", "::1", "localhost"].map(str::to_owned).to_vec(),
            host_life: Span::from_ms(HOST_LIFE_MS),
            rekey_after_packets: None,
            leads_to: None,
            fault: TunnelFault::None,
        }
    }
}

impl SshTunnel {
    /// Starts a tunnel to a running server, on any port of 127.0.0.1.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn beside(running: &Running, settings: TunnelSettings) -> Result<Self, StartError> {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let listen_error = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(listen_error)?;
        let shared = Arc::new(Shared {
            addr: listener.local_addr().map_err(listen_error)?,
            auth: running.addr(),
            certificates: running.handle().certificates(),
            settings: Mutex::new(settings),
            channels: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            rekeyed: Arc::default(),
            stop: CancellationToken::new(),
            connections: Mutex::new(CancellationToken::new()),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { shared })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// Changes what it is like, for new connections.
    pub fn change<R>(&self, change: impl FnOnce(&mut TunnelSettings) -> R) -> R {
        change(&mut self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many channels to Auth were opened.
    #[must_use]
    pub fn channels(&self) -> u64 {
        self.shared.channels.load(Ordering::Relaxed)
    }

    /// How many users were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// How often keys were exchanged anew.
    #[must_use]
    pub fn rekeyed(&self) -> u64 {
        self.shared.rekeyed.load(Ordering::Relaxed)
    }

    /// Cuts all connections, as when the proxy is restarted; new ones are accepted.
    pub fn cut_connections(&self) {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.cancel();
        *connections = CancellationToken::new();
    }
}

impl Drop for SshTunnel {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.cut_connections();
    }
}

impl Shared {
    fn settings(&self) -> TunnelSettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the server shows, as its settings want it.
    fn host(&self, settings: &TunnelSettings) -> io::Result<SshHost> {
        let make = |foreign| self.certificates.ssh_host(&settings.names, settings.host_life, foreign);
        let mut host = make(settings.fault == TunnelFault::ForeignHost).map_err(io::Error::other)?;
        if settings.fault == TunnelFault::StolenCertificate {
            host.key = make(false).map_err(io::Error::other)?.key;
        }
        Ok(host)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let accepted = tokio::select! {
            () = shared.stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let cut = shared.connections.lock().unwrap_or_else(PoisonError::into_inner).child_token();
            tokio::select! {
                () = cut.cancelled() => {}
                ended = serve(stream, &shared) => if let Err(error) = ended {
                    tracing::debug!(%address, %error, "SSH connection ended");
                }
            }
        });
    }
}

async fn serve(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let settings = shared.settings();
    if settings.fault == TunnelFault::Silent {
        return std::future::pending().await;
    }
    if settings.fault == TunnelFault::NotSsh {
        return transport::speak_http(&mut stream).await;
    }
    let host = shared.host(&settings)?;
    let mut transport = Transport::new(stream, host, settings.clone(), Arc::clone(&shared.rekeyed));
    let auth = settings.leads_to.unwrap_or(shared.auth);
    let opened = tokio::time::timeout(HANDSHAKE_DEADLINE, open(&mut transport, shared, auth)).await??;
    let Some(channel) = opened else { return Ok(()) };
    shared.channels.fetch_add(1, Ordering::Relaxed);
    if settings.fault == TunnelFault::SilentAfterDial {
        return std::future::pending().await;
    }
    relay::relay(&mut transport, channel).await
}

/// Everything up to a channel that leads to Auth; `None` if there is to be none.
async fn open(transport: &mut Transport, shared: &Shared, auth: SocketAddr) -> io::Result<Option<relay::Channel>> {
    transport.begin().await?;
    if !user::authenticate(transport, &shared.certificates.ssh_user_keys()).await? {
        shared.refused.fetch_add(1, Ordering::Relaxed);
        return Ok(None);
    }
    relay::open(transport, auth).await
}
