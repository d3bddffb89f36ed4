//! Makes connections to a Teleport Auth server. Each one looks at the identity file, so that a renewed identity is used
//! from the next connection on.
//!
//! Must never make a call on what it connected.

mod auth;
mod dials;
mod error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use hyper_util::rt::TokioIo;
use tokio_rustls::client::TlsStream;
use tonic::metadata::MetadataValue;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Status};
use tribunal_core::failure::{Failure, FailureClass};

use crate::address::Address;
use crate::failure::unconnected;
use crate::identity::IdentityFile;
use crate::route::{ByteStream, Reach, choose};
pub(crate) use auth::tls;
pub(crate) use dials::Dials;
pub(crate) use error::in_time;
pub use error::{ConnectError, Step, Tried};

/// How long a connection may take to come about, in seconds: TCP and TLS together (`api/defaults/defaults.go`).
pub const DIAL_SECS_MAX: u64 = 30;
/// How often a silent connection is probed, in seconds (`api/defaults/defaults.go`).
pub const KEEPALIVE_SECS: u64 = 60;
/// How long a probe may stay unanswered, in seconds: three intervals, as Teleport's own client does.
pub const KEEPALIVE_ANSWER_SECS_MAX: u64 = 180;
/// The release of Teleport that this client was written against; told to the server with each call.
pub const TELEPORT_VERSION: &str = "18.0.0";

pub(crate) const USER_AGENT: &str = concat!("tribunal/", env!("CARGO_PKG_VERSION"));

/// A channel that says with each call which version of the API it speaks.
pub(crate) type Versioned = InterceptedService<Channel, fn(Request<()>) -> Result<Request<()>, Status>>;

/// Where Teleport is and who we are.
#[derive(Clone, Debug)]
pub struct Target {
    /// The address of the Auth server, or of a proxy; without a port, those that Teleport's services have are tried.
    pub address: Address,
    /// The identity file.
    pub identity_file: PathBuf,
    /// How long a connection may take to come about.
    pub dial_timeout: Duration,
    /// Which ways may be taken there.
    pub reach: Reach,
}

/// A channel to `target`. It connects when it is first used, and again after each break; `dials` counts these.
pub(crate) fn channel(target: &Target, file: &Arc<IdentityFile>, dials: &Arc<Dials>) -> Channel {
    endpoint().connect_with_connector_lazy(dialer(target, file, dials))
}

/// The same channel, which says with each call which version of the API it speaks.
pub(crate) fn versioned(channel: Channel) -> Versioned {
    InterceptedService::new(channel, with_version)
}

/// A channel to `target` that is connected already, and connects again after each break. For callers with calls of
/// their own: they must bound each of them, and it tells the server no version.
///
/// # Errors
/// If there is no connection within `dial_timeout`; the text says why and what to do. With TLS 1.3 the server may still
/// refuse our certificate afterwards, so that the first call fails.
pub async fn connect(target: &Target) -> Result<Channel, Failure> {
    let file = Arc::new(target.identity_file().await?);
    let connected = endpoint().connect_with_connector(dialer(target, &file, &Arc::default())).await;
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
    file: &Arc<IdentityFile>,
    dials: &Arc<Dials>,
) -> impl tower::Service<Uri, Response = TokioIo<TlsStream<ByteStream>>, Error = ConnectError, Future: Send> + Send + use<>
{
    let (target, file, dials) = (Arc::new(target.clone()), Arc::clone(file), Arc::clone(dials));
    tower::service_fn(move |_: Uri| {
        let (target, file, dials) = (Arc::clone(&target), Arc::clone(&file), Arc::clone(&dials));
        async move {
            dials.begin();
            let dialed = target.dial(&file, &dials).await;
            dials.end(dialed.is_ok());
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
    /// The identity file, with what it holds now.
    ///
    /// # Errors
    /// If that cannot be used: an alarm.
    pub(crate) async fn identity_file(&self) -> Result<IdentityFile, Failure> {
        let opened = IdentityFile::open(&self.identity_file, SystemTime::now()).await;
        opened.map_err(|error| Failure::new(FailureClass::Alarm, error.to_string()))
    }

    /// A TLS connection to the Auth server, by whichever way there is; see [`choose`].
    ///
    /// # Errors
    /// If there is none within `dial_timeout`.
    async fn dial(&self, file: &IdentityFile, dials: &Dials) -> Result<TlsStream<ByteStream>, ConnectError> {
        let identity = file.current(SystemTime::now()).await?;
        let stream = choose::dial(self, &identity).await?;
        dials.made_as(identity);
        Ok(stream)
    }
}
