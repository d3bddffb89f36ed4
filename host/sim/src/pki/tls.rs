//! The server's side of mutual TLS: 1.2 and 1.3, a client certificate always, `h2` when the client speaks ALPN. It verifies certificates and
//! nothing else.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::CertificateDer;

use super::PkiError;
use super::authority::ServerCertificate;

/// The only application protocol; clients that offer `teleport-auth@…` first offer this one too.
const ALPN_HTTP2: &[u8] = b"h2";

/// `client_authorities` are all generations that the server accepts at present.
pub(crate) fn server_config(
    server: ServerCertificate,
    client_authorities: &[CertificateDer<'static>],
) -> Result<Arc<ServerConfig>, PkiError> {
    let error = |error: &dyn std::fmt::Display| PkiError::Tls(error.to_string());
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in client_authorities {
        roots.add(authority.clone()).map_err(|e| error(&e))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|e| error(&e))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| error(&e))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![server.certificate], server.key)
        .map_err(|e| error(&e))?;
    config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
    Ok(Arc::new(config))
}
