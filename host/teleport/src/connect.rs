//! Makes connections to a Teleport Auth server. Each one reads the identity file anew, so that a renewed identity is
//! used from the next connection on.
//!
//! Must never make a call on what it connected.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use tribunal_core::failure::Failure;

use crate::address::Address;
use crate::failure::unconnected;
use crate::identity::{Identity, IdentityError};
use crate::tls::{Distrust, SERVER_NAME, Tls};

/// How long a connection may take to come about, in seconds: TCP and TLS together (`api/defaults/defaults.go`).
pub const DIAL_SECS_MAX: u64 = 30;
/// How often a silent connection is probed, in seconds (`api/defaults/defaults.go`).
pub const KEEPALIVE_SECS: u64 = 60;
/// How long a probe may stay unanswered, in seconds: three intervals, as Teleport's own client does.
pub const KEEPALIVE_ANSWER_SECS_MAX: u64 = 180;
/// The release of Teleport that this client was written against; told to the server with each call.
pub const TELEPORT_VERSION: &str = "18.0.0";

const USER_AGENT: &str = concat!("tribunal/", env!("CARGO_PKG_VERSION"));

/// A channel that says with each call which version of the API it speaks.
pub(crate) type Versioned = InterceptedService<Channel, fn(Request<()>) -> Result<Request<()>, Status>>;

/// Where Teleport is and who we are.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address of the Auth server.
    pub address: Address,
    /// The identity file.
    pub identity_file: PathBuf,
    /// How long a connection may take to come about.
    pub dial_timeout: Duration,
}

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
        "`{address}` did not answer within {} s; check that it is a Teleport Auth server and that no firewall is between",
        after.as_secs_f32()
    )]
    TimedOut {
        /// Where.
        address: Address,
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
    },
    /// The server's certificate is not valid now.
    #[error("`{address}` shows {seen}, which is not valid now; check the clocks of both machines")]
    WrongTime {
        /// Where.
        address: Address,
        /// The server's certificate.
        seen: String,
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
    /// TLS failed otherwise.
    #[error("no TLS connection to `{address}`: {cause}; check that it is the address of an Auth server")]
    Tls {
        /// Where.
        address: Address,
        /// Why.
        cause: std::io::Error,
    },
}

/// A channel to `target`. It connects when it is first used, and again after each break; `dialing` is true meanwhile.
pub(crate) fn channel(target: &Target, dialing: &Arc<AtomicBool>) -> Versioned {
    let channel = endpoint().connect_with_connector_lazy(dialer(target, dialing));
    InterceptedService::new(channel, with_version)
}

/// A channel to `target` that is connected already, and connects again after each break. For callers with calls of
/// their own: they must bound each of them, and it tells the server no version.
///
/// # Errors
/// If there is no connection within `dial_timeout`; the text says why and what to do. With TLS 1.3 the server may still
/// refuse our certificate afterwards, so that the first call fails.
pub async fn connect(target: &Target) -> Result<Channel, Failure> {
    let connected = endpoint().connect_with_connector(dialer(target, &Arc::default())).await;
    connected.map_err(|error| unconnected(&Status::from_error(error.into())))
}

fn endpoint() -> Endpoint {
    // The name is the authority of all calls. The scheme of the endpoint tells tonic to leave TLS to the connector;
    // that of the origin is what the server is told.
    let endpoint = Endpoint::from(Uri::from_static("http://teleport.cluster.local"))
        .origin(Uri::from_static("https://teleport.cluster.local"))
        .http2_keep_alive_interval(Duration::from_secs(KEEPALIVE_SECS))
        .keep_alive_timeout(Duration::from_secs(KEEPALIVE_ANSWER_SECS_MAX))
        .keep_alive_while_idle(true);
    endpoint.clone().user_agent(USER_AGENT).unwrap_or(endpoint)
}

/// Makes a connection to `target` each time one is needed.
fn dialer(
    target: &Target,
    dialing: &Arc<AtomicBool>,
) -> impl tower::Service<Uri, Response = TokioIo<TlsStream<TcpStream>>, Error = ConnectError, Future: Send> + Send + use<>
{
    let (target, dialing) = (Arc::new(target.clone()), Arc::clone(dialing));
    tower::service_fn(move |_: Uri| {
        let (target, dialing) = (Arc::clone(&target), Arc::clone(&dialing));
        async move {
            dialing.store(true, Ordering::Relaxed);
            let dialed = target.dial().await;
            dialing.store(false, Ordering::Relaxed);
            dialed.map(TokioIo::new)
        }
    })
}

#[expect(clippy::unnecessary_wraps, reason = "tonic's signature")]
fn with_version(mut request: Request<()>) -> Result<Request<()>, Status> {
    request.metadata_mut().insert("version", MetadataValue::from_static(TELEPORT_VERSION));
    Ok(request)
}

// === impl Target ===

impl Target {
    /// Who we are, as the identity file says now.
    ///
    /// # Errors
    /// If it cannot be used.
    pub async fn identity(&self) -> Result<Identity, ConnectError> {
        Ok(Identity::load(&self.identity_file).await?)
    }

    /// A TLS connection to the Auth server.
    ///
    /// # Errors
    /// If there is none within `dial_timeout`.
    pub(crate) async fn dial(&self) -> Result<TlsStream<TcpStream>, ConnectError> {
        let after = self.dial_timeout;
        tokio::time::timeout(after, self.dial_unbounded())
            .await
            .unwrap_or_else(|_| Err(ConnectError::TimedOut { address: self.address.clone(), after }))
    }

    async fn dial_unbounded(&self) -> Result<TlsStream<TcpStream>, ConnectError> {
        let identity = self.identity().await?;
        let stream = self.transport().await?;
        let tls = Tls::new(&identity).map_err(|error| self.tls_failure(std::io::Error::other(error)))?;
        TlsConnector::from(Arc::new(tls.config.clone()))
            .connect(server_name(), stream)
            .await
            .map_err(|error| self.explain(error, &identity, &tls))
    }

    /// The stream that TLS to Auth is spoken over. The one place for other ways there, such as through a proxy: the
    /// TLS inside is the same on all of them.
    async fn transport(&self) -> Result<TcpStream, ConnectError> {
        let unreachable = |cause| ConnectError::Unreachable { address: self.address.clone(), cause };
        let stream = TcpStream::connect((self.address.host(), self.address.port())).await.map_err(unreachable)?;
        stream.set_nodelay(true).map_err(unreachable)?;
        Ok(stream)
    }

    fn explain(&self, error: std::io::Error, identity: &Identity, tls: &Tls) -> ConnectError {
        let address = self.address.clone();
        let Some(cause) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
            return self.tls_failure(error);
        };
        match (Distrust::of(cause), cause) {
            (Some(Distrust::Issuer), _) => {
                ConnectError::Untrusted { address, seen: tls.seen(), trusted: identity.authorities().to_vec() }
            }
            (Some(Distrust::Time), _) => ConnectError::WrongTime { address, seen: tls.seen() },
            (Some(Distrust::Name), _) => ConnectError::WrongName { address, seen: tls.seen() },
            (None, rustls::Error::AlertReceived(_)) => {
                ConnectError::Refused { address, user: identity.user().to_owned(), cause: cause.clone() }
            }
            (None, _) => self.tls_failure(error),
        }
    }

    fn tls_failure(&self, cause: std::io::Error) -> ConnectError {
        ConnectError::Tls { address: self.address.clone(), cause }
    }
}

fn server_name() -> ServerName<'static> {
    #[expect(clippy::expect_used, reason = "a constant, which a test connects with")]
    ServerName::try_from(SERVER_NAME).expect("a constant DNS name")
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
