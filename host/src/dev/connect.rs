//! Connects to a simulated cluster as one of its users, with mutual TLS and the user's identity file. It must never
//! speak to anything but the address that the cluster's directory names.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint, Uri};
use tribunal_sim::API_DOMAIN;
use tribunal_teleport::{Address, Identity};

use super::DevError;

/// How long a connection may take to come about.
const DIAL_MAX: Duration = Duration::from_secs(5);
/// What gRPC speaks.
const ALPN_HTTP2: &[u8] = b"h2";

/// A connection to `address` with this identity file.
///
/// # Errors
/// When the file cannot be used, or nothing answers there.
pub(super) async fn connect(address: &Address, identity: &Path) -> Result<Channel, DevError> {
    // The daemon's own reader explains what is wrong with a file better than the few lines below could.
    let checked = Identity::load(identity).await;
    checked.map_err(|error| invalid(identity, error.problem.to_string()))?;
    let tls = TlsConnector::from(Arc::new(tls(identity).await?));
    let at = (address.host().to_owned(), address.port());
    let dial = tower::service_fn(move |_: Uri| {
        let (tls, at) = (tls.clone(), at.clone());
        async move { dial(tls, at).await.map(TokioIo::new) }
    });
    // tonic is told `http` because TLS is the connector's business.
    let endpoint = Endpoint::from(Uri::from_static("http://teleport.cluster.local"));
    let unreachable = |cause: String| DevError::Unreachable { address: address.to_string(), cause };
    match tokio::time::timeout(DIAL_MAX, endpoint.connect_with_connector(dial)).await {
        Ok(connected) => connected.map_err(|error| unreachable(root_cause(&error))),
        Err(_elapsed) => Err(unreachable(format!("no answer within {} s", DIAL_MAX.as_secs()))),
    }
}

/// What is at the bottom of an error; the layers above it only say that something failed.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

async fn dial(tls: TlsConnector, at: (String, u16)) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(at).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(API_DOMAIN).map_err(std::io::Error::other)?;
    tls.connect(name, stream).await
}

/// The simulator writes keys as PKCS#8, then the user's certificate, then the authorities.
async fn tls(path: &Path) -> Result<ClientConfig, DevError> {
    let text = tokio::fs::read(path).await.map_err(|error| invalid(path, error.to_string()))?;
    let mut blocks = pem::parse_many(text).map_err(|error| invalid(path, error.to_string()))?.into_iter();
    let (Some(key), Some(certificate)) = (blocks.next(), blocks.next()) else {
        return Err(invalid(path, "has no key and certificate".to_owned()));
    };
    let mut roots = RootCertStore::empty();
    for authority in blocks {
        let authority = CertificateDer::from(authority.into_contents());
        roots.add(authority).map_err(|error| invalid(path, error.to_string()))?;
    }
    let chain = vec![CertificateDer::from(certificate.into_contents())];
    let key = PrivatePkcs8KeyDer::from(key.into_contents());
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_root_certificates(roots).with_client_auth_cert(chain, key.into()))
        .map_err(|error| invalid(path, error.to_string()))?;
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    Ok(config)
}

fn invalid(path: &Path, problem: String) -> DevError {
    DevError::Identity { path: path.to_owned(), problem }
}
