//! TLS as Teleport's Auth server wants it: our certificate always shown, only the identity's CAs believed.
//!
//! Must never decide by itself whether a certificate is to be believed; rustls does.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::identity::{Identity, name, utc};

/// The name that is in every certificate of Teleport's own services (`api/constants/constants.go`, `APIDomain`).
pub(crate) const SERVER_NAME: &str = "teleport.cluster.local";

/// What gRPC speaks.
const ALPN_HTTP2: &[u8] = b"h2";

/// A configuration, and what it saw of a server that it did not believe.
pub(crate) struct Tls {
    pub(crate) config: ClientConfig,
    seen: Arc<OnceLock<String>>,
}

/// Why a TLS connection did not come about.
#[derive(Debug)]
pub(crate) enum Distrust {
    /// None of our CAs signed the server's certificate.
    Issuer,
    /// The server's certificate is over, or has not begun.
    Time,
    /// The server's certificate is not for the name of a Teleport service.
    Name,
}

// === impl Tls ===

impl Tls {
    /// The configuration that shows and believes what `identity` says.
    ///
    /// # Errors
    /// If rustls cannot use it, which a parsed identity rules out.
    pub(crate) fn new(identity: &Identity) -> Result<Self, rustls::Error> {
        let provider = Arc::new(ring::default_provider());
        let seen = Arc::new(OnceLock::new());
        let inner =
            WebPkiServerVerifier::builder_with_provider(identity.roots(), Arc::<CryptoProvider>::clone(&provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            // What is "dangerous" here is only to remember whom rustls turned down.
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Remember { inner, seen: Arc::clone(&seen) }))
            // INVARIANT: the certificate is shown whatever CAs the server hints at; Teleport's hints are not complete.
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec()];
        Ok(Self { config, seen })
    }

    /// The certificate that was turned down, in words.
    pub(crate) fn seen(&self) -> String {
        self.seen.get().cloned().unwrap_or_else(|| "a certificate".to_owned())
    }
}

// === impl Distrust ===

impl Distrust {
    /// Why rustls turned the server down, if it was for its certificate.
    pub(crate) fn of(error: &rustls::Error) -> Option<Self> {
        use CertificateError::{
            BadSignature, Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
            NotValidYetContext, UnknownIssuer,
        };
        let rustls::Error::InvalidCertificate(problem) = error else {
            return None;
        };
        if matches!(problem, UnknownIssuer | BadSignature) {
            Some(Self::Issuer)
        } else if matches!(problem, Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }) {
            Some(Self::Time)
        } else if matches!(problem, NotValidForName | NotValidForNameContext { .. }) {
            Some(Self::Name)
        } else {
            None
        }
    }
}

/// rustls's own verifier, with a memory for the certificate that it turned down.
#[derive(Debug)]
struct Remember {
    inner: Arc<WebPkiServerVerifier>,
    seen: Arc<OnceLock<String>>,
}

impl ServerCertVerifier for Remember {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verdict = self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        if verdict.is_err() {
            self.seen.get_or_init(|| describe(end_entity));
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// A certificate in words: whose, by whom, until when.
fn describe(der: &CertificateDer<'_>) -> String {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return "a certificate that cannot be decoded".to_owned();
    };
    let not_after = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    let not_after = SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(not_after));
    format!(
        "the certificate of `{}`, issued by `{}`, valid until {}",
        name(certificate.subject()),
        name(certificate.issuer()),
        not_after.map_or_else(|| "a time out of range".to_owned(), utc),
    )
}
