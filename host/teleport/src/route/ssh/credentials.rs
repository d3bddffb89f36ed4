//! What the identity file has for SSH: the user certificate, whose key signs, and whom to believe.
//!
//! Must never be used with a certificate that is over.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::SignatureScheme;
use rustls::sign::SigningKey;

use super::certificate::Certificate;
use super::failure::Problem;
use super::key::{PublicKey, RSA_SHA512, from_der};
use super::message::USERAUTH_REQUEST;
use super::wire::{Garbled, Writer};
use crate::identity::Identity;

const MARKER: &str = "@cert-authority";
const SERVICE: &str = "ssh-connection";
const METHOD: &str = "publickey";

/// Who we are to a proxy's SSH server.
pub(super) struct Credentials {
    user: String,
    certificate: Certificate,
    key: Arc<dyn SigningKey>,
}

// === impl Credentials ===

impl Credentials {
    /// Those of `identity`, if they are valid now.
    pub(super) fn of(identity: &Identity) -> Result<Self, Problem> {
        let line = identity.ssh().certificate.as_deref().ok_or(Problem::NoCertificate)?;
        let bad = |Garbled| Problem::BadIdentity("SSH certificate", "one of RSA, ECDSA P-256 or Ed25519");
        let blob = line.split_ascii_whitespace().nth(1).ok_or(Garbled).and_then(decode).map_err(bad)?;
        let certificate = Certificate::parse(&blob).map_err(bad)?;
        if !certificate.is_of_a_user() {
            return Err(Problem::BadIdentity("SSH certificate", "a user's, not a host's"));
        }
        // As Teleport's own client: the first login, since the key id is not always one.
        let user = certificate.principals.first().unwrap_or(&certificate.key_id).clone();
        if !certificate.is_valid_at(SystemTime::now()) {
            let (valid_after, valid_before) = (certificate.valid_after, certificate.valid_before);
            return Err(Problem::WrongTime { user, valid_after, valid_before });
        }
        Ok(Self { user, certificate, key: Arc::clone(&identity.certified().key) })
    }

    /// The login that is asked for.
    pub(super) fn user(&self) -> &str {
        &self.user
    }

    /// The request for authentication, signed for this session (RFC 4252, section 7).
    pub(super) fn request(&self, session: &[u8]) -> Result<Vec<u8>, Problem> {
        let (kind, scheme) = match self.certificate.key {
            PublicKey::Ed25519(_) => (self.certificate.key_kind, SignatureScheme::ED25519),
            PublicKey::P256(_) => (self.certificate.key_kind, SignatureScheme::ECDSA_NISTP256_SHA256),
            PublicKey::Rsa { .. } => (RSA_SHA512, SignatureScheme::RSA_PKCS1_SHA512),
        };
        let unsigned = Writer::message(USERAUTH_REQUEST)
            .string(&self.user)
            .string(SERVICE)
            .string(METHOD)
            .boolean(true)
            .string(format!("{kind}{}", super::certificate::SUFFIX))
            .string(&self.certificate.blob)
            .finish();
        let message = Writer::default().string(session).raw(&unsigned).finish();
        let signature = self
            .sign(&message, kind, scheme)
            .ok_or(Problem::BadIdentity("SSH certificate", "for the private key of the same file"))?;
        Ok(Writer::default().raw(&unsigned).string(signature).finish())
    }

    fn sign(&self, message: &[u8], kind: &str, scheme: SignatureScheme) -> Option<Vec<u8>> {
        let value = self.key.choose_scheme(&[scheme])?.sign(message).ok()?;
        let value = if scheme == SignatureScheme::ECDSA_NISTP256_SHA256 {
            let [r, s] = from_der(&value).ok()?;
            Writer::default().number(r).number(s).finish()
        } else {
            value
        };
        let signature = Writer::default().string(kind).string(value).finish();
        // A key that is not the certificate's is better found here than by a server that says only "no".
        self.certificate.key.has_signed(message, &signature, &[kind]).then_some(signature)
    }
}

/// The keys of the `@cert-authority` lines of `identity`.
pub(super) fn authorities(identity: &Identity) -> Result<Vec<Vec<u8>>, Problem> {
    let lines = &identity.ssh().authorities;
    let keys: Result<Vec<_>, Garbled> = lines.iter().map(|line| authority(line)).collect();
    let keys = keys.map_err(|Garbled| Problem::BadIdentity("`@cert-authority` line", "marker, hosts, kind and key"))?;
    if keys.is_empty() { Err(Problem::NoAuthority) } else { Ok(keys) }
}

/// The key in a line such as `@cert-authority root,*.root ssh-ed25519 AAAA… type=host`.
fn authority(line: &str) -> Result<Vec<u8>, Garbled> {
    let mut words = line.split_ascii_whitespace();
    let (marker, _hosts, _kind) = (words.next(), words.next(), words.next());
    if marker != Some(MARKER) {
        return Err(Garbled);
    }
    decode(words.next().ok_or(Garbled)?)
}

fn decode(text: &str) -> Result<Vec<u8>, Garbled> {
    STANDARD.decode(text).map_err(|_| Garbled)
}
