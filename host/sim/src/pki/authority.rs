//! The cluster's certificate authorities: a host authority for the server, a user authority for clients, one SSH authority for each, and their
//! rotation. It keeps no list of what it issued.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use ssh_key::public::KeyData;
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, PrivateKey};

use super::identity_file::Identity;
use super::ssh::{self, SshHost};
use super::{IdentityOrder, PkiError, der, key};
use crate::clock::{Moment, machine_now};

/// The name that every internal certificate of a Teleport cluster carries, and that clients ask for (`APIDomain`).
pub const API_DOMAIN: &str = "teleport.cluster.local";

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Life of the authorities and of the server's certificate.
const AUTHORITY_LIFE_MS: i64 = 10 * 365 * DAY_MS;
/// Certificates start a little early, for clients whose clock is behind.
const BACKDATED_MS: i64 = 60 * 1000;

/// `teleport.cluster.local` with the hex form of the cluster's name before it, as Teleport encodes cluster names for SNI and ALPN.
#[must_use]
pub fn encoded_cluster_name(cluster: &str) -> String {
    format!("{}.{API_DOMAIN}", HEXLOWER.encode(cluster.as_bytes()))
}

/// One generation of the cluster's authorities.
pub(crate) struct Authority {
    cluster: String,
    host: CertifiedIssuer<'static, KeyPair>,
    user: CertifiedIssuer<'static, KeyPair>,
    ssh_host: PrivateKey,
    ssh_user: PrivateKey,
}

/// A client certificate with the bytes that the server recognises it by.
pub(crate) struct Issued {
    pub(crate) identity: Identity,
    pub(crate) certificate: CertificateDer<'static>,
}

/// The server's certificate and key.
pub(crate) struct ServerCertificate {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new(cluster: &str) -> Result<Self, PkiError> {
        Ok(Self {
            cluster: cluster.to_owned(),
            host: tls_authority(cluster)?,
            user: tls_authority(cluster)?,
            ssh_host: ssh_authority(cluster)?,
            ssh_user: ssh_authority(cluster)?,
        })
    }

    /// What a client verifies the server with.
    pub(crate) fn host_pem(&self) -> String {
        self.host.pem()
    }

    /// What the server verifies clients with.
    pub(crate) fn user_der(&self) -> CertificateDer<'static> {
        self.user.der().clone()
    }

    fn known_hosts_line(&self) -> Result<String, PkiError> {
        let key = self.ssh_host.public_key().to_openssh().map_err(|source| self.ssh_error(source))?;
        Ok(format!("@cert-authority {0},*.{0} {1} type=host", self.cluster, key.trim_end()))
    }

    fn ssh_error(&self, source: ssh_key::Error) -> PkiError {
        PkiError::Ssh { subject: self.cluster.clone(), source }
    }

    /// A certificate for the Auth server itself.
    pub(crate) fn server_certificate(&self) -> Result<ServerCertificate, PkiError> {
        let error = |source| PkiError::Certificate { subject: API_DOMAIN.to_owned(), source };
        let names = vec![
            API_DOMAIN.to_owned(),
            encoded_cluster_name(&self.cluster),
            format!("*.{API_DOMAIN}"),
            "localhost".to_owned(),
        ];
        let mut params = CertificateParams::new(names).map_err(error)?;
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, format!("auth.{}", self.cluster));
        name.push(DnType::OrganizationName, "Admin");
        params.distinguished_name = name;
        let now = machine_now();
        life(&mut params, now.plus_ms(-BACKDATED_MS), now.plus_ms(AUTHORITY_LIFE_MS));
        params.serial_number = Some(serial()?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(error)?;
        let certificate = params.signed_by(&key, &self.host).map_err(error)?;
        Ok(ServerCertificate {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        })
    }

    /// A client certificate and the identity file around it; `trusted` are the generations whose host authorities the client shall accept.
    pub(crate) fn issue(&self, order: &IdentityOrder, trusted: &[&Self]) -> Result<Issued, PkiError> {
        let holder = &order.holder;
        let error = |source| PkiError::Certificate { subject: holder.user.clone(), source };
        let mut params = CertificateParams::default();
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, holder.user.as_str());
        params.distinguished_name = name;
        life(&mut params, order.not_before, order.not_after);
        params.serial_number = Some(serial()?);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let key = key::make(order.key).map_err(error)?;
        let plain = params.signed_by(&key, &self.user).map_err(error)?;
        let certificate = der::with_subject(plain.der(), &holder.user, &holder.roles, self.user.key())
            .unwrap_or(Err(rcgen::Error::CouldNotParseCertificate))
            .map_err(error)?;
        let identity = Identity {
            private_key_pem: key::to_pem(&key, order.key, order.form)
                .ok_or(rcgen::Error::CouldNotParseKeyPair)
                .map_err(error)?,
            ssh_certificate: ssh::user_certificate(order, &key, &self.ssh_user)
                .map_err(|source| PkiError::Ssh { subject: holder.user.clone(), source })?,
            tls_certificate_pem: pem::encode_config(
                &pem::Pem::new("CERTIFICATE", certificate.clone()),
                pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
            ),
            ssh_authorities: trusted.iter().map(|authority| authority.known_hosts_line()).collect::<Result<_, _>>()?,
            tls_authorities_pem: trusted.iter().map(|authority| authority.host_pem()).collect(),
        };
        Ok(Issued { identity, certificate: CertificateDer::from(certificate) })
    }

    /// A key and a certificate for the SSH server of a proxy that is called by `names`, valid until `not_after`.
    pub(crate) fn ssh_host(&self, names: &[String], not_after: Moment) -> Result<SshHost, PkiError> {
        ssh::host(&self.cluster, names, not_after, &self.ssh_host).map_err(|source| self.ssh_error(source))
    }

    /// What an SSH server verifies users with.
    pub(crate) fn ssh_user_key(&self) -> KeyData {
        self.ssh_user.public_key().key_data().clone()
    }
}

fn tls_authority(cluster: &str) -> Result<CertifiedIssuer<'static, KeyPair>, PkiError> {
    let error = |source| PkiError::Certificate { subject: cluster.to_owned(), source };
    let mut params = CertificateParams::default();
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, cluster);
    name.push(DnType::CommonName, cluster);
    params.distinguished_name = name;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params.serial_number = Some(serial()?);
    let now = machine_now();
    life(&mut params, now.plus_ms(-DAY_MS), now.plus_ms(AUTHORITY_LIFE_MS));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(error)?;
    CertifiedIssuer::self_signed(params, key).map_err(error)
}

fn ssh_authority(cluster: &str) -> Result<PrivateKey, PkiError> {
    PrivateKey::random(&mut OsRng, Algorithm::Ed25519)
        .map_err(|source| PkiError::Ssh { subject: cluster.to_owned(), source })
}

/// Sets the validity. The library's date type is filled by arithmetic on its own epoch, so that no date library is needed here.
fn life(params: &mut CertificateParams, not_before: Moment, not_after: Moment) {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    let at =
        |moment: Moment| epoch + std::time::Duration::from_secs(u64::try_from(moment.unix_ms() / 1000).unwrap_or(0));
    params.not_before = at(not_before);
    params.not_after = at(not_after);
}

/// 16 random bytes, positive, as X.509 wants it.
fn serial() -> Result<SerialNumber, PkiError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(PkiError::Random)?;
    if let Some(first) = bytes.first_mut() {
        *first = (*first & 0x7f) | 0x40;
    }
    Ok(SerialNumber::from_slice(&bytes))
}
