//! TLS with a proxy's web port, whose certificate the machine's CAs vouch for, as for any web site.
//!
//! Must never show our own certificate there: only Auth is to see it.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::{ByteStream, Reach, tcp};
use crate::address::Address;
use crate::connect::{ConnectError, Step, in_time};
use crate::tls::{Distrust, Tls};

/// The largest file of CAs that is read, in bytes.
pub(crate) const CA_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Whom to believe that they are a proxy.
#[derive(Clone)]
pub(crate) struct Web {
    /// None: anybody.
    roots: Option<Arc<RootCertStore>>,
}

/// Why there is no TLS with a proxy.
pub(crate) struct WebFailure {
    pub(crate) error: ConnectError,
    /// What TLS itself said.
    pub(crate) cause: Option<rustls::Error>,
}

impl From<ConnectError> for WebFailure {
    fn from(error: ConnectError) -> Self {
        Self { error, cause: None }
    }
}

impl From<WebFailure> for ConnectError {
    fn from(failure: WebFailure) -> Self {
        failure.error
    }
}

// === impl Web ===

impl Web {
    /// The CAs of `reach`: those of its file, or else the machine's.
    ///
    /// # Errors
    /// If there are none.
    pub(crate) async fn load(reach: &Reach) -> Result<Self, ConnectError> {
        if reach.insecure {
            return Ok(Self { roots: None });
        }
        let wrong = |detail: String| ConnectError::Obstructed { detail, alarm: true };
        let file = reach.proxy_ca_file.clone();
        let loading = tokio::task::spawn_blocking(move || match file {
            Some(file) => from_file(&file).map_err(|why| format!("`proxy-ca-file` `{}`: {why}", file.display())),
            None => from_machine(),
        });
        let roots = loading.await.map_err(|error| wrong(error.to_string()))?.map_err(wrong)?;
        Ok(Self { roots: Some(Arc::new(roots)) })
    }

    /// TLS with `proxy`, with `alpn` offered.
    pub(crate) async fn connect(
        &self,
        proxy: &Address,
        alpn: &[&[u8]],
        reach: &Reach,
    ) -> Result<TlsStream<ByteStream>, WebFailure> {
        self.secure(tcp::open(proxy, reach).await?, proxy, alpn, reach).await
    }

    /// The same over a `stream` that leads to `proxy` already.
    pub(super) async fn secure(
        &self,
        stream: ByteStream,
        proxy: &Address,
        alpn: &[&[u8]],
        reach: &Reach,
    ) -> Result<TlsStream<ByteStream>, WebFailure> {
        let alpn = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let tls = Tls::web(self.roots.clone(), alpn).map_err(|error| obstructed(proxy, &error.to_string()))?;
        let name =
            ServerName::try_from(proxy.host().to_owned()).map_err(|error| obstructed(proxy, &error.to_string()))?;
        let shaking = async {
            let shaken = TlsConnector::from(Arc::new(tls.config.clone())).connect(name, stream).await;
            Ok(shaken.map_err(|error| explain(proxy, &error, &tls)))
        };
        in_time(reach.deadlines.tls, Step::WebTls, proxy, shaking).await?
    }
}

fn explain(proxy: &Address, error: &std::io::Error, tls: &Tls) -> WebFailure {
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()).cloned();
    let remedy = match cause.as_ref().and_then(Distrust::of) {
        Some(Distrust::Issuer) => {
            "no CA of this machine vouches for it; add its CA to those of the machine, or name it with `proxy-ca-file`"
        }
        Some(Distrust::Time) => "it is not valid now; check the clocks, and have the proxy's certificate renewed",
        Some(Distrust::Name) => "it is not for that host; use the address that the proxy's certificate is for",
        None => {
            let error = obstructed(proxy, &error.to_string());
            return WebFailure { error, cause };
        }
    };
    let detail = format!("the proxy at `{proxy}` is not trusted: it shows {}: {remedy}", tls.seen());
    WebFailure { error: ConnectError::Obstructed { detail, alarm: true }, cause }
}

fn obstructed(proxy: &Address, said: &str) -> ConnectError {
    ConnectError::Obstructed {
        detail: format!("no TLS connection to `{proxy}` as a proxy: {said}; check that it is a proxy's web address"),
        alarm: false,
    }
}

fn from_file(file: &std::path::Path) -> Result<RootCertStore, String> {
    use std::io::Read as _;
    const REMEDY: &str = "name a file of CA certificates in PEM";
    let mut pem = Vec::new();
    let opened = std::fs::File::open(file).map_err(|error| format!("cannot be read: {error}; {REMEDY}"))?;
    opened
        .take(CA_FILE_BYTES_MAX)
        .read_to_end(&mut pem)
        .map_err(|error| format!("cannot be read: {error}; {REMEDY}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| format!("is garbled: {error}; {REMEDY}"))?;
        roots.add(certificate).map_err(|error| format!("has a certificate that is none of a CA: {error}; {REMEDY}"))?;
    }
    if roots.is_empty() { Err(format!("has no certificate; {REMEDY}")) } else { Ok(roots) }
}

fn from_machine() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A machine's store may hold what rustls does not take; the others count.
    let (_taken, _left) = roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(format!(
            "this machine has no CA certificates to know a proxy by ({}); install `ca-certificates`, or name a file with `proxy-ca-file`",
            if why.is_empty() { "none found".to_owned() } else { why.join(", ") }
        ));
    }
    Ok(roots)
}
