//! The ways to a Teleport Auth server: straight, through a proxy's TLS routing, inside a WebSocket, inside SSH. Each gives
//! a stream of bytes; TLS with Auth and HTTP/2 over it are the same on all of them.
//!
//! Must never believe anything about Auth because of the way there: only the TLS inside says who answers.

pub(crate) mod choose;
mod environment;
mod find;
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod http_proxy;
pub mod probe;
pub(crate) mod ssh;
mod stagger;
pub(crate) mod tcp;
mod upgrade;
mod web;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};

pub use self::choose::Last;
pub use self::environment::Environment;

use crate::address::Address;
use crate::connect::ConnectError;
use crate::identity::Identity;

/// The head start of each way over the next, in milliseconds: more than a connection takes that comes about.
pub const WAY_HEAD_MILLIS: u64 = 1_000;

// Each step is shorter than a call (`client::CALL_SECS_MAX`), so that the first call tells which step it was.

/// How long the look-up of a name may take, in seconds.
pub const LOOKUP_SECS_MAX: u64 = 8;
/// How long a TCP connection to any address of a name may take, in seconds.
pub const TCP_SECS_MAX: u64 = 5;
/// How long an HTTP proxy may take to open a connection, in seconds.
pub const HTTP_CONNECT_SECS_MAX: u64 = 5;
/// How long a TLS handshake, with a proxy or with Auth, may take, in seconds.
pub const TLS_SECS_MAX: u64 = 5;
/// How long discovery may take, in seconds.
pub const FIND_SECS_MAX: u64 = 5;
/// How long the test of TLS routing may take, in seconds (`api/client/alpn_conn_upgrade.go`).
pub const TEST_SECS_MAX: u64 = 5;
/// How long the answer to a connection upgrade may take, in seconds.
pub const UPGRADE_SECS_MAX: u64 = 5;
/// The longest application protocol of TLS, in bytes (RFC 7301).
const ALPN_BYTES_MAX: usize = 255;
/// How long SSH to a proxy may take, from its banner to the channel, in seconds.
pub const SSH_SECS_MAX: u64 = 8;

/// A way to Auth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Straight to an Auth server.
    Auth {
        /// The Auth server.
        address: Address,
    },
    /// Through a proxy that routes TLS by its application protocol; Auth is the peer.
    ProxyTls {
        /// The proxy's web address.
        proxy: Address,
        /// The cluster's name, as the proxy tells it.
        cluster: String,
    },
    /// The same inside a WebSocket, for what stands behind a load balancer that ends TLS.
    ProxyUpgrade {
        /// The proxy's web address.
        proxy: Address,
        /// The cluster's name, as the proxy tells it.
        cluster: String,
    },
    /// Through a proxy's reverse tunnel port, by SSH.
    ProxySsh {
        /// The proxy's web address.
        proxy: Address,
        /// Where its reverse tunnel listens, as the proxy tells it.
        tunnel: Address,
        /// The cluster's name, as the proxy tells it.
        cluster: String,
    },
}

/// Which ways are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Whatever works, as the address and the proxy there tell.
    #[default]
    Auto,
    /// [`Route::Auth`] only.
    Auth,
    /// [`Route::ProxyTls`] only.
    TlsRouting,
    /// [`Route::ProxyUpgrade`] only.
    Upgrade,
    /// [`Route::ProxySsh`] only.
    Ssh,
}

/// How Teleport may be reached.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Which ways are taken.
    pub choice: Choice,
    /// CAs, as PEM, that a proxy's web certificate is verified with instead of the system's; for labs.
    pub proxy_ca_file: Option<PathBuf>,
    /// A proxy's web certificate is not verified; for labs. Auth's always is.
    pub insecure: bool,
    /// What Teleport's clients read from the environment; nothing by default.
    pub environment: Environment,
    /// How long each step may take.
    pub deadlines: Deadlines,
    /// The way that worked last.
    pub last: Last,
}

/// How long each step on the way may take. The default is for production; tests shorten it.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// The head start of each way over the next; see [`WAY_HEAD_MILLIS`].
    pub head: Duration,
    /// See [`LOOKUP_SECS_MAX`].
    pub lookup: Duration,
    /// See [`TCP_SECS_MAX`].
    pub tcp: Duration,
    /// See [`HTTP_CONNECT_SECS_MAX`].
    pub http: Duration,
    /// See [`TLS_SECS_MAX`].
    pub tls: Duration,
    /// See [`FIND_SECS_MAX`].
    pub find: Duration,
    /// See [`TEST_SECS_MAX`].
    pub test: Duration,
    /// See [`UPGRADE_SECS_MAX`].
    pub upgrade: Duration,
    /// See [`SSH_SECS_MAX`].
    pub ssh: Duration,
}

/// Bytes in both directions.
pub(crate) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// What TLS with Auth is spoken over.
pub(crate) type ByteStream = Box<dyn Bytes>;

/// What each way needs to know.
#[derive(Clone, Copy)]
pub(crate) struct Dial<'a> {
    pub(crate) reach: &'a Reach,
    pub(crate) identity: &'a Identity,
}

// === impl Deadlines ===

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_millis(WAY_HEAD_MILLIS),
            lookup: Duration::from_secs(LOOKUP_SECS_MAX),
            tcp: Duration::from_secs(TCP_SECS_MAX),
            http: Duration::from_secs(HTTP_CONNECT_SECS_MAX),
            tls: Duration::from_secs(TLS_SECS_MAX),
            find: Duration::from_secs(FIND_SECS_MAX),
            test: Duration::from_secs(TEST_SECS_MAX),
            upgrade: Duration::from_secs(UPGRADE_SECS_MAX),
            ssh: Duration::from_secs(SSH_SECS_MAX),
        }
    }
}

// === impl Route ===

impl Route {
    /// A stream to Auth, before TLS.
    ///
    /// # Errors
    /// If there is none; the text says which step failed and what to do.
    pub(crate) async fn open(&self, dial: Dial<'_>) -> Result<ByteStream, ConnectError> {
        match self {
            Self::Auth { address } => tcp::open(address, dial.reach).await,
            Self::ProxyTls { proxy, cluster: _ } => tcp::open(proxy, dial.reach).await,
            Self::ProxyUpgrade { proxy, cluster: _ } => upgrade::open(proxy, dial.reach).await,
            Self::ProxySsh { proxy: _, tunnel, cluster } => ssh::open(tunnel, cluster, dial).await,
        }
    }

    /// The application protocols to offer to Auth, the one that a proxy routes by first
    /// (`lib/srv/alpnproxy/common/protocols.go`, `ProtocolAuth`).
    ///
    /// # Errors
    /// If the cluster's name is too long for one.
    pub(crate) fn alpn(&self) -> Result<Vec<Vec<u8>>, ConnectError> {
        match self {
            Self::Auth { .. } | Self::ProxySsh { .. } => Ok(vec![b"h2".to_vec()]),
            Self::ProxyTls { cluster, .. } | Self::ProxyUpgrade { cluster, .. } => {
                let hex: String = cluster.bytes().map(|byte| format!("{byte:02x}")).collect();
                let protocol = format!("teleport-auth@{hex}.teleport.cluster.local").into_bytes();
                if protocol.len() > ALPN_BYTES_MAX {
                    let detail = format!(
                        "the name of cluster `{cluster}` is too long for TLS routing; set `route = \"ssh\"`, or use the address of an Auth server"
                    );
                    return Err(ConnectError::Obstructed { detail, alarm: true });
                }
                Ok(vec![protocol, b"h2".to_vec()])
            }
        }
    }

    /// The address that is connected to.
    #[must_use]
    pub fn address(&self) -> &Address {
        match self {
            Self::Auth { address } => address,
            Self::ProxyTls { proxy, .. } | Self::ProxyUpgrade { proxy, .. } => proxy,
            Self::ProxySsh { tunnel, .. } => tunnel,
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auth { address } => write!(f, "Auth at `{address}`"),
            Self::ProxyTls { proxy, .. } => write!(f, "TLS routing of the proxy at `{proxy}`"),
            Self::ProxyUpgrade { proxy, .. } => write!(f, "connection upgrade by the proxy at `{proxy}`"),
            Self::ProxySsh { tunnel, .. } => write!(f, "SSH through the proxy's tunnel at `{tunnel}`"),
        }
    }
}
