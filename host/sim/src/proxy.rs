//! A simulated Teleport proxy on loopback, beside an Auth server: discovery, TLS routing, connection upgrade, and every way of being broken or
//! misconfigured that a client has to name. It must never look into the TLS that it carries between a client and Auth.

mod carry;
mod listen;
pub(crate) mod ssh;
mod tls;
mod tunnel;
mod web;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::pki::PkiError;
use crate::server::{Running, StartError};
use tls::WebAuthority;

/// What stands between clients and the proxy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balancer {
    /// Nothing, or something that passes TLS on.
    #[default]
    None,
    /// A load balancer that ends TLS and speaks no ALPN.
    IgnoresAlpn,
    /// A load balancer that ends TLS and offers `http/1.1` alone.
    RefusesAlpn,
}

/// How a connection upgrade is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Upgrade {
    /// As it should be.
    #[default]
    Works,
    /// 404, as by a proxy that knows of no upgrade.
    NotFound,
    /// With an accept key that does not belong to the client's key.
    WrongKey,
    /// Without the sub-protocol that was asked for.
    NoProtocol,
    /// Not at all.
    Silent,
}

/// Where a connection goes dead while it stays open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Silence {
    /// Nowhere.
    #[default]
    None,
    /// From the first byte on.
    AtOnce,
    /// After the TLS handshake, before any answer to HTTP.
    AfterTls,
    /// On the way to Auth: what is carried there is swallowed.
    TowardsAuth,
}

/// The proxy's web certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebCertificate {
    /// For loopback, valid now.
    #[default]
    Good,
    /// For another host.
    OtherHost,
    /// Over.
    Expired,
}

/// Which versions of TLS the web port speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 only.
    Tls12,
    /// 1.3 only.
    Tls13,
}

/// What the proxy is like; may be changed while it runs, for new connections.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// TLS routing is on.
    pub tls_routing: bool,
    /// What stands before it.
    pub balancer: Balancer,
    /// How upgrades are answered.
    pub upgrade: Upgrade,
    /// Where connections go dead.
    pub silence: Silence,
    /// The web certificate.
    pub certificate: WebCertificate,
    /// Versions of TLS.
    pub tls: TlsVersions,
    /// The cluster name that discovery tells, if not the true one.
    pub cluster_told: Option<String>,
    /// Discovery answers this instead of JSON as it should be.
    pub find_body: Option<String>,
    /// `proxy.ssh.public_addr` of discovery.
    pub public_addr: Option<String>,
    /// `proxy.ssh.ssh_tunnel_public_addr` of discovery.
    pub ssh_tunnel_public_addr: Option<String>,
    /// `proxy.ssh.tunnel_listen_addr` of discovery.
    pub tunnel_listen_addr: Option<String>,
    /// Where SSH inside of TLS leads, which clients ask for that are not told the cluster's name; none: it is hung up on.
    pub reverse_tunnel: Option<SocketAddr>,
    /// How often upgraded connections are pinged.
    pub ping_every: Duration,
}

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
}

/// What all connections of a proxy share.
#[derive(Debug)]
struct Shared {
    addr: SocketAddr,
    auth: SocketAddr,
    cluster: String,
    authority: WebAuthority,
    settings: Mutex<ProxySettings>,
    /// How often each thing happened, by name.
    counts: Mutex<BTreeMap<&'static str, u64>>,
    stop: CancellationToken,
    /// Cancelled to cut the connections of now.
    connections: Mutex<CancellationToken>,
    /// Cancelled to let what is carried to Auth at present go dead.
    carried: Mutex<CancellationToken>,
}

impl Default for ProxySettings {
    /// As `teleport configure` leaves it: TLS routing, nothing before it. Upgraded connections are pinged every 30 s
    /// (`lib/defaults/defaults.go`, `ProxyPingInterval`).
    fn default() -> Self {
        Self {
            tls_routing: true,
            balancer: Balancer::None,
            upgrade: Upgrade::Works,
            silence: Silence::None,
            certificate: WebCertificate::Good,
            tls: TlsVersions::Both,
            cluster_told: None,
            find_body: None,
            public_addr: None,
            ssh_tunnel_public_addr: None,
            tunnel_listen_addr: None,
            reverse_tunnel: None,
            ping_every: Duration::from_secs(30),
        }
    }
}

impl Proxy {
    /// Starts a proxy for the cluster of a running server, on any port of 127.0.0.1.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn beside(running: &Running, settings: ProxySettings) -> Result<Self, StartError> {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::start(listen, running.addr(), &running.scenario().cluster, settings).await
    }

    /// Starts a proxy on `listen` (port 0 for any) for `cluster`, whose Auth server is at `auth`.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start(
        listen: SocketAddr,
        auth: SocketAddr,
        cluster: &str,
        settings: ProxySettings,
    ) -> Result<Self, StartError> {
        let listen_error = |source| StartError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(listen_error)?;
        let shared = Arc::new(Shared {
            addr: listener.local_addr().map_err(listen_error)?,
            auth,
            cluster: cluster.to_owned(),
            authority: WebAuthority::new()?,
            settings: Mutex::new(settings),
            counts: Mutex::default(),
            stop: CancellationToken::new(),
            connections: Mutex::new(CancellationToken::new()),
            carried: Mutex::new(CancellationToken::new()),
        });
        tokio::spawn(listen::accept(listener, Arc::clone(&shared)));
        tracing::info!(addr = %shared.addr, %cluster, "Simulated proxy listens");
        Ok(Self { shared })
    }

    /// Where its web port is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// The authority of its web certificate, as PEM.
    #[must_use]
    pub fn web_ca_pem(&self) -> String {
        self.shared.authority.pem()
    }

    /// Changes what it is like, for new connections.
    pub fn change<R>(&self, change: impl FnOnce(&mut ProxySettings) -> R) -> R {
        change(&mut self.shared.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often something happened: `connection`, `find`, `upgrade`, `routed` (TLS passed on to Auth), `probe` (a handshake for
    /// `teleport-reversetunnel`), `pong`.
    #[must_use]
    pub fn count(&self, what: &str) -> u64 {
        self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner).get(what).copied().unwrap_or(0)
    }

    /// Lets the connections to Auth of now go dead without closing them, as when a firewall forgets them.
    pub fn deaden_connections(&self) {
        let mut carried = self.shared.carried.lock().unwrap_or_else(PoisonError::into_inner);
        carried.cancel();
        *carried = CancellationToken::new();
    }

    /// Cuts all connections, as when the proxy is restarted; new ones are accepted.
    pub fn cut_connections(&self) {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.cancel();
        *connections = CancellationToken::new();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.cancel();
        self.cut_connections();
    }
}

impl Shared {
    fn settings(&self) -> ProxySettings {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, what: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    fn connection_token(&self) -> CancellationToken {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }

    fn carried_token(&self) -> CancellationToken {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).child_token()
    }

    fn web_tls(&self, alpn: &[&[u8]], settings: &ProxySettings) -> Result<Arc<rustls::ServerConfig>, PkiError> {
        self.authority.server_config(settings.certificate, settings.tls, alpn)
    }
}
