//! TLS as Teleport's Auth server wants it: our certificate always shown, only the identity's CAs believed; and TLS with a
//! proxy's web port.
//!
//! Must never decide by itself whether a certificate is to be believed; rustls does.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{CertificateError, ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::identity::{Identity, name, utc};

/// The name that is in every certificate of Teleport's own services (`api/constants/constants.go`, `APIDomain`).
pub(crate) const SERVER_NAME: &str = "teleport.cluster.local";

/// A configuration, and what it saw of a server that it did not believe.
pub(crate) struct Tls {
    pub(crate) config: ClientConfig,
    seen: Arc<OnceLock<Seen>>,
}

/// What a certificate says.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Whose, by whom, until when.
    pub(crate) words: String,
    /// It is for [`SERVER_NAME`]: whoever shows it is a service of some Teleport cluster.
    of_teleport: bool,
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
    /// The configuration that shows and believes what `identity` says, and offers `alpn`.
    ///
    /// # Errors
    /// If rustls cannot use it, which a parsed identity rules out.
    pub(crate) fn new(identity: &Identity, alpn: Vec<Vec<u8>>) -> Result<Self, rustls::Error> {
        let (builder, seen) = believing(Some(identity.roots()))?;
        // INVARIANT: the certificate is shown whatever CAs the server hints at; Teleport's hints are not complete.
        let mut config = builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified())));
        config.alpn_protocols = alpn;
        Ok(Self { config, seen })
    }

    /// The configuration for a proxy's web port, which is shown nothing: `roots` are believed; anybody, if there are none.
    ///
    /// # Errors
    /// If rustls cannot use it.
    pub(crate) fn web(roots: Option<Arc<RootCertStore>>, alpn: Vec<Vec<u8>>) -> Result<Self, rustls::Error> {
        let (builder, seen) = believing(roots)?;
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = alpn;
        Ok(Self { config, seen })
    }

    /// The certificate that was turned down, in words.
    pub(crate) fn seen(&self) -> String {
        self.seen.get().map_or_else(|| "a certificate".to_owned(), |seen| seen.words.clone())
    }

    /// Whether the certificate that was turned down is of a service of some Teleport cluster.
    pub(crate) fn saw_teleport(&self) -> bool {
        self.seen.get().is_some_and(|seen| seen.of_teleport)
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

/// A configuration that lacks what is shown to the server.
type Beginning = ConfigBuilder<ClientConfig, WantsClientCert>;

/// The beginning of a configuration that believes `roots`, and where it remembers whom it turned down.
fn believing(roots: Option<Arc<RootCertStore>>) -> Result<(Beginning, Arc<OnceLock<Seen>>), rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let seen = Arc::new(OnceLock::new());
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        Some(roots) => {
            let inner = WebPkiServerVerifier::builder_with_provider(roots, Arc::<CryptoProvider>::clone(&provider))
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
            Arc::new(Remember { inner, seen: Arc::clone(&seen) })
        }
        None => Arc::new(Anybody(Arc::clone(&provider))),
    };
    // What is "dangerous" here is to remember whom rustls turned down; and, for labs, to turn nobody down.
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok((builder, seen))
}

/// Believes every certificate, though not that its holder lacks the key.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// rustls's own verifier, with a memory for the certificate that it turned down.
#[derive(Debug)]
struct Remember {
    inner: Arc<WebPkiServerVerifier>,
    seen: Arc<OnceLock<Seen>>,
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
pub(crate) fn describe(der: &CertificateDer<'_>) -> Seen {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return Seen { words: "a certificate that cannot be decoded".to_owned(), of_teleport: false };
    };
    let names = certificate.subject_alternative_name().ok().flatten();
    let of_teleport = names.is_some_and(|names| {
        names.value.general_names.iter().any(|name| matches!(name, GeneralName::DNSName(name) if *name == SERVER_NAME))
    });
    let not_after = u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default();
    let not_after = SystemTime::UNIX_EPOCH.checked_add(std::time::Duration::from_secs(not_after));
    let words = format!(
        "the certificate of `{}`, issued by `{}`, valid until {}",
        name(certificate.subject()),
        name(certificate.issuer()),
        not_after.map_or_else(|| "a time out of range".to_owned(), utc),
    );
    Seen { words, of_teleport }
}
