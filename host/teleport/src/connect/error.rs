//! Why there is no connection, in words that say what to do.
//!
//! Must never repeat a secret: passwords of HTTP proxies, keys.

use std::fmt;
use std::time::Duration;

use crate::address::Address;
use crate::identity::IdentityError;
use crate::tls::SERVER_NAME;

/// Why there is no connection. Its text says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The identity file cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Nothing answers there.
    #[error("cannot reach `{address}`: {cause}; check the address, the port and the network between")]
    Unreachable {
        /// Where.
        address: Address,
        /// Why.
        cause: std::io::Error,
    },
    /// It takes too long.
    #[error(
        "`{address}` did not answer within {} s{step}; check that it is a Teleport server and that no firewall is between",
        after.as_secs_f32()
    )]
    TimedOut {
        /// Where.
        address: Address,
        /// What it did not answer.
        step: Step,
        /// How long was waited.
        after: Duration,
    },
    /// The server's certificate is of none of our CAs.
    #[error(
        "`{address}` is not trusted: it shows {seen}, and the identity file trusts only {}; check that address and identity are of the same cluster, and have tbot write the identity anew if the cluster's CA was rotated",
        Names(trusted)
    )]
    Untrusted {
        /// Where.
        address: Address,
        /// The server's certificate.
        seen: String,
        /// The CAs that are trusted.
        trusted: Vec<String>,
        /// The certificate is of a service of some Teleport cluster.
        of_teleport: bool,
    },
    /// The server's certificate is not valid now.
    #[error("`{address}` shows {seen}, which is not valid now; check the clocks of both machines")]
    WrongTime {
        /// Where.
        address: Address,
        /// The server's certificate.
        seen: String,
        /// The certificate is of a service of some Teleport cluster.
        of_teleport: bool,
    },
    /// The server's certificate is for something else.
    #[error(
        "`{address}` shows {seen}, which is not for `{SERVER_NAME}`; check that it is the address of an Auth server"
    )]
    WrongName {
        /// Where.
        address: Address,
        /// The server's certificate.
        seen: String,
    },
    /// The server turned us down.
    #[error(
        "`{address}` refuses the identity of `{user}`: {cause}; check that identity and address are of the same cluster, and have tbot write the identity anew"
    )]
    Refused {
        /// Where.
        address: Address,
        /// Who we are.
        user: String,
        /// What the server said.
        cause: rustls::Error,
    },
    /// A step on the way to Auth failed: discovery, an upgrade, a tunnel.
    #[error("{detail}")]
    Obstructed {
        /// Which step, what was said, and what to do.
        detail: String,
        /// Whether a person has to do something, rather than time.
        alarm: bool,
    },
    /// TLS failed otherwise.
    #[error("no TLS connection to `{address}`: {cause}; check that it is the address of an Auth server")]
    Tls {
        /// Where.
        address: Address,
        /// Why.
        cause: std::io::Error,
    },
    /// Several ways were tried.
    #[error("no way to Teleport at `{address}`; {} were tried: {}", tried.len(), Each(tried))]
    NoWay {
        /// Where, as configured.
        address: Address,
        /// Which, and what each said.
        tried: Vec<Tried>,
    },
}

/// A way that was tried in vain.
#[derive(Debug)]
pub struct Tried {
    /// Which way, in words.
    pub way: String,
    /// What it said.
    pub error: ConnectError,
}

/// What was waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// All of it.
    All,
    /// The addresses of the name.
    Lookup,
    /// A TCP connection.
    Tcp,
    /// An HTTP proxy's answer to CONNECT.
    HttpConnect,
    /// TLS with a proxy's web port.
    WebTls,
    /// Discovery.
    Find,
    /// The test whether application protocols come through.
    Test,
    /// The answer to a connection upgrade.
    Upgrade,
    /// TLS with Auth.
    AuthTls,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "",
            Self::Lookup => " when its name was looked up",
            Self::Tcp => " over TCP",
            Self::HttpConnect => " to `CONNECT`, as an HTTP proxy",
            Self::WebTls => " in the TLS handshake, as a proxy",
            Self::Find => " to `GET /webapi/find`, as a proxy",
            Self::Test => " to the test of its TLS routing, as a proxy",
            Self::Upgrade => " to `GET /webapi/connectionupgrade`, as a proxy",
            Self::AuthTls => " in the TLS handshake with Auth",
        })
    }
}

/// What comes of `doing`, if it comes within `after`.
///
/// # Errors
/// Its own, or that `address` did not answer in this `step`.
pub(crate) async fn in_time<T>(
    after: Duration,
    step: Step,
    address: &Address,
    doing: impl Future<Output = Result<T, ConnectError>>,
) -> Result<T, ConnectError> {
    match tokio::time::timeout(after, doing).await {
        Ok(done) => done,
        Err(_) => Err(ConnectError::TimedOut { address: address.clone(), step, after }),
    }
}

/// Names in backticks.
struct Names<'a>(&'a [String]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}`{name}`")?;
        }
        Ok(())
    }
}

/// Ways with what they said, numbered.
struct Each<'a>(&'a [Tried]);

impl fmt::Display for Each<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, Tried { way, error }) in (1..).zip(self.0) {
            let comma = if number == 1 { "" } else { "; " };
            write!(f, "{comma}({number}) {way}: {error}")?;
        }
        Ok(())
    }
}
