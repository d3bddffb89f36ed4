//! Certificates and identity files for tests; keys under `keys/` are used by these tests alone.

use std::path::PathBuf;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use tempfile::TempDir;
use tribunal_teleport::Target;

/// A certificate authority.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn sign(&self, params: &CertificateParams, key: &impl PublicKeyData) -> rcgen::Certificate {
        params.signed_by(key, &self.0).unwrap()
    }
}

/// The certificate of a bot named `user`.
pub(crate) fn client(user: &str) -> CertificateParams {
    client_with(user, "tribunal-role")
}

fn client_with(user: &str, role: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    params.distinguished_name.push(DnType::OrganizationName, role);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// The certificate of an Auth server.
pub(crate) fn server() -> CertificateParams {
    let mut params = CertificateParams::new(["teleport.cluster.local".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "auth");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// An identity file as tbot writes it.
pub(crate) fn file(key: &str, certificate: &str, authorities: &[&Ca]) -> String {
    let ssh = "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNh\n";
    let known_hosts = "@cert-authority *.root,root ssh-ed25519 AAAAC3Nz type=host\n";
    let authorities: String = authorities.iter().map(|ca| ca.pem()).collect();
    format!("{key}{ssh}{certificate}{known_hosts}{authorities}")
}

/// The identity file of `user`, signed by `ca`, trusting `ca`.
pub(crate) fn identity(ca: &Ca, user: &str) -> String {
    let key = KeyPair::generate().unwrap();
    file(&key.serialize_pem(), &ca.sign(&client(user), &key).pem(), &[ca])
}

/// The same for a bot with one role, which tells it from others of the same bot.
pub(crate) fn identity_with(ca: &Ca, role: &str) -> String {
    let key = KeyPair::generate().unwrap();
    file(&key.serialize_pem(), &ca.sign(&client_with("bot-tribunal", role), &key).pem(), &[ca])
}

/// An identity file on disk.
pub(crate) struct File {
    directory: TempDir,
}

impl File {
    pub(crate) fn new(text: &str) -> Self {
        let file = Self { directory: TempDir::new().unwrap() };
        file.replace(text);
        file
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("identity")
    }

    pub(crate) fn replace(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    pub(crate) fn target(&self, address: &str) -> Target {
        Target {
            address: address.parse().unwrap(),
            identity_file: self.path(),
            dial_timeout: std::time::Duration::from_secs(10),
            reach: tribunal_teleport::Reach::default(),
        }
    }
}
