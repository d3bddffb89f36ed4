//! The way to Auth one step at a time, for those who ask what is wrong with it: each step says what it saw.
//!
//! Must never be on the daemon's own way, nor send what anybody could take for more than a greeting.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rustls::ClientConnection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::choose::{self, Way};
use super::find::{self, Found};
use super::http_proxy::HttpProxy;
use super::web::Web;
use super::{Choice, Dial, Reach, Route, tcp, upgrade};
use crate::address::Address;
use crate::connect::{self, ConnectError};
use crate::identity::Identity;
use crate::tls::describe;

/// How long a server may take to answer an SSH banner, in milliseconds.
pub const GREETING_MILLIS_MAX: u64 = 1_000;
/// How much of what it says is read, in bytes.
const GREETING_BYTES_MAX: usize = 64;

/// A way that the configuration leaves open, before anything is known of who answers there.
#[derive(Clone, Debug)]
pub struct Candidate(Way);

/// Where an address leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The addresses of its name; of the HTTP proxy's, if there is one.
    pub addresses: Vec<SocketAddr>,
    /// The HTTP proxy that the environment names for it.
    pub http_proxy: Option<Address>,
}

/// What a TLS handshake showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The server's certificate, in words: whose, by whom, until when.
    pub certificate: String,
    /// The version of TLS, such as `TLSv1_3`.
    pub version: String,
    /// The application protocol that was agreed on.
    pub protocol: Option<String>,
}

/// What a proxy tells of itself to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The cluster's name.
    pub cluster: String,
    /// Whether all its services are behind the one web port.
    pub tls_routing: bool,
    /// Where its reverse tunnel listens.
    pub tunnel: Option<Address>,
}

/// The ways to `address` that `choice` leaves, the likelier first.
#[must_use]
pub fn candidates(address: &Address, choice: Choice) -> Vec<Candidate> {
    choose::ways(address, choice).into_iter().map(Candidate).collect()
}

/// The addresses of a name, or of the HTTP proxy that leads there.
///
/// # Errors
/// If it has none.
pub async fn locate(address: &Address, reach: &Reach) -> Result<Located, ConnectError> {
    let proxy = HttpProxy::of(&reach.environment, address.host(), address.port()).map_err(|error| {
        ConnectError::Obstructed { detail: format!("cannot reach `{address}`: {error}"), alarm: true }
    })?;
    let http_proxy = proxy.map(|proxy| proxy.address);
    let addresses = tcp::lookup(http_proxy.as_ref().unwrap_or(address), reach).await?;
    Ok(Located { addresses, http_proxy })
}

/// A TCP connection to `address`, through an HTTP proxy where there is to be one; it is closed at once.
///
/// # Errors
/// If there is none.
pub async fn reach(address: &Address, reach: &Reach) -> Result<(), ConnectError> {
    tcp::open(address, reach).await.map(drop)
}

/// Each address of a name for itself: how long a TCP connection took, or why there is none.
pub async fn reach_each(addresses: &[SocketAddr], reach: &Reach) -> Vec<(SocketAddr, Result<Duration, io::Error>)> {
    let each = addresses.iter().map(|one| async move {
        let begun = Instant::now();
        let reached = match tokio::time::timeout(reach.deadlines.tcp, tcp::connect(*one)).await {
            Ok(reached) => reached.map(|_| begun.elapsed()).map_err(|(_, error)| error),
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
        };
        (*one, reached)
    });
    join_all(each).await
}

/// What a server says to an SSH banner, if anything: what speaks TLS does not. Teleport's SSH ports say nothing unasked,
/// since they find out first what is spoken to them (`lib/multiplexer/multiplexer.go`).
pub async fn greeting(address: &Address, reach: &Reach) -> Option<String> {
    let mut stream = tcp::open(address, reach).await.ok()?;
    let mut said = [0; GREETING_BYTES_MAX];
    let greeting = async {
        stream.write_all(b"SSH-2.0-tribunal\r\n").await?;
        stream.read(&mut said).await
    };
    let length = tokio::time::timeout(Duration::from_millis(GREETING_MILLIS_MAX), greeting).await.ok()?.ok()?;
    let said = String::from_utf8_lossy(said.get(..length)?).trim().to_owned();
    (!said.is_empty()).then_some(said)
}

/// What a proxy tells of itself.
///
/// # Errors
/// If it is none, or not to be trusted.
pub async fn find(proxy: &Address, reach: &Reach) -> Result<Told, ConnectError> {
    let web = Web::load(reach).await?;
    let Found { cluster, tls_routing, tunnel } = find::find(proxy, &web, reach).await?;
    Ok(Told { cluster, tls_routing, tunnel })
}

/// Whether application protocols do not come through to `proxy`, so that connections have to be upgraded; and why that
/// is believed.
///
/// # Errors
/// If this machine has no CAs to know a proxy by.
pub async fn needs_upgrade(proxy: &Address, reach: &Reach) -> Result<(bool, &'static str), ConnectError> {
    let web = Web::load(reach).await?;
    Ok(upgrade::is_required(proxy, &web, reach).await)
}

/// What leads to Auth on this way, up to where TLS with it begins: an upgrade, a tunnel. It is closed at once.
///
/// # Errors
/// If there is none; the text says which step failed and what to do.
pub async fn open(route: &Route, identity: &Identity, reach: &Reach) -> Result<(), ConnectError> {
    route.open(Dial { reach, identity }).await.map(drop)
}

/// TLS with Auth on this way.
///
/// # Errors
/// If there is none; the text says which step failed and what to do.
pub async fn auth(route: &Route, identity: &Identity, reach: &Reach) -> Result<Shown, ConnectError> {
    let stream = connect::tls(route, Dial { reach, identity }).await?;
    Ok(Shown::of(stream.get_ref().1))
}

// === impl Candidate ===

impl Candidate {
    /// Where it is.
    #[must_use]
    pub fn address(&self) -> &Address {
        match &self.0 {
            Way::Auth(address) | Way::Proxy(address, _) => address,
        }
    }

    /// Whether an Auth server is looked for there, rather than a proxy.
    #[must_use]
    pub fn is_auth(&self) -> bool {
        match &self.0 {
            Way::Auth(_) => true,
            Way::Proxy(..) => false,
        }
    }

    /// TLS with whoever is looked for there: Auth, which is shown our certificate, or a proxy's web port, which is not.
    ///
    /// # Errors
    /// If there is none.
    pub async fn tls(&self, identity: &Identity, reach: &Reach) -> Result<Shown, ConnectError> {
        match &self.0 {
            Way::Auth(address) => auth(&Route::Auth { address: address.clone() }, identity, reach).await,
            Way::Proxy(proxy, _) => {
                let web = Web::load(reach).await?;
                let stream = web.connect(proxy, &[b"http/1.1"], reach).await?;
                Ok(Shown::of(stream.get_ref().1))
            }
        }
    }

    /// The route that is taken from there, and why.
    ///
    /// # Errors
    /// If a proxy tells of none.
    pub async fn route(&self, reach: &Reach) -> Result<(Route, &'static str), ConnectError> {
        match &self.0 {
            Way::Auth(address) => Ok((Route::Auth { address: address.clone() }, choose::why_auth(reach))),
            Way::Proxy(proxy, choice) => choose::plan(proxy, *choice, reach).await,
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// === impl Shown ===

impl Shown {
    fn of(session: &ClientConnection) -> Self {
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        Self {
            certificate: certificate.map_or_else(|| "no certificate".to_owned(), |shown| describe(shown).words),
            version: session.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default(),
            protocol: session.alpn_protocol().map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
        }
    }
}
