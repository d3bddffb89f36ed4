//! The proxy's web certificates: an authority of its own, as a public one would be, and what it signs. It must never sign with the cluster's
//! authorities.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{TlsVersions, WebCertificate};
use crate::pki::PkiError;

/// The name of the authority.
const AUTHORITY: &str = "Simulated Web CA";

/// What signs web certificates.
pub(super) struct WebAuthority(CertifiedIssuer<'static, KeyPair>);

impl std::fmt::Debug for WebAuthority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebAuthority").finish_non_exhaustive()
    }
}

impl WebAuthority {
    pub(super) fn new() -> Result<Self, PkiError> {
        let error = |source| PkiError::Certificate { subject: AUTHORITY.to_owned(), source };
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, AUTHORITY);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(error)?;
        Ok(Self(CertifiedIssuer::self_signed(params, key).map_err(error)?))
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// TLS of the web port, without client certificates.
    pub(super) fn server_config(
        &self,
        certificate: WebCertificate,
        versions: TlsVersions,
        alpn: &[&[u8]],
    ) -> Result<Arc<ServerConfig>, PkiError> {
        let error = |source| PkiError::Certificate { subject: "the proxy's web port".to_owned(), source };
        let tls_error = |error: rustls::Error| PkiError::Tls(error.to_string());
        let names = match certificate {
            WebCertificate::Good | WebCertificate::Expired => "localhost",
            WebCertificate::OtherHost => "elsewhere.invalid",
        };
        let mut params = CertificateParams::new([names.to_owned()]).map_err(error)?;
        params.distinguished_name.push(DnType::CommonName, "proxy");
        if certificate != WebCertificate::OtherHost {
            for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
                params.subject_alt_names.push(SanType::IpAddress(address));
            }
        }
        if certificate == WebCertificate::Expired {
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(error)?;
        let signed = params.signed_by(&key, &self.0).map_err(error)?;
        let versions = match versions {
            TlsVersions::Both => vec![&TLS13, &TLS12],
            TlsVersions::Tls12 => vec![&TLS12],
            TlsVersions::Tls13 => vec![&TLS13],
        };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&versions)
            .map_err(tls_error)?
            .with_no_client_auth()
            .with_single_cert(vec![signed.der().clone()], key)
            .map_err(tls_error)?;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Arc::new(config))
    }
}
