//! Certificates: the simulated cluster's authorities, what they issue, and the identity files that carry it. Nothing here knows what a
//! certificate's holder may do; that is the cluster's business.

pub(crate) mod authority;
mod der;
pub(crate) mod identity_file;
mod key;
pub(crate) mod rotation;
pub(crate) mod ssh;
pub(crate) mod tls;

use thiserror::Error;

use crate::clock::Moment;
use crate::cluster::Caller;

/// Why a certificate could not be made or a TLS configuration not be built.
#[derive(Debug, Error)]
pub enum PkiError {
    /// The certificate library refused.
    #[error("cannot make a certificate for `{subject}`: {source}")]
    Certificate {
        /// For whom.
        subject: String,
        /// The library's words.
        source: rcgen::Error,
    },
    /// The SSH library refused.
    #[error("cannot make an SSH certificate for `{subject}`: {source}")]
    Ssh {
        /// For whom.
        subject: String,
        /// The library's words.
        source: ssh_key::Error,
    },
    /// The TLS library refused.
    #[error("cannot build the server's TLS configuration: {0}")]
    Tls(String),
    /// The authorities are not rotated in this order.
    #[error("the rotation of the authorities goes from `{from}` to {}, never to `{to}`", from.words_for_next())]
    Order {
        /// The present phase.
        from: rotation::RotationPhase,
        /// The one that was asked for.
        to: rotation::RotationPhase,
    },
    /// The operating system gave no random bytes.
    #[error("no randomness from the operating system: {0}")]
    Random(getrandom::Error),
}

/// What kind of key an identity has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityKey {
    /// ECDSA over P-256, as bots have it by default.
    #[default]
    EcdsaP256,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits, as in clusters of the legacy algorithm suite. Always the same key.
    Rsa2048,
}

/// How the key of an identity is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyForm {
    /// As Teleport does (`api/utils/keys`): PKCS#1 for RSA, PKCS#8 for all others.
    #[default]
    Teleport,
    /// PKCS#8, whatever it is.
    Pkcs8,
    /// As before PKCS#8: PKCS#1 for RSA, SEC1 for ECDSA. Ed25519 has no such form.
    Traditional,
}

/// What to write into a new client certificate.
#[derive(Clone, Debug)]
pub struct IdentityOrder {
    /// Whose it is.
    pub holder: Caller,
    /// Start of validity, by the machine's clock.
    pub not_before: Moment,
    /// End of validity, by the machine's clock.
    pub not_after: Moment,
    /// End of the SSH certificate's validity, if it is another.
    pub ssh_not_after: Moment,
    /// The kind of key.
    pub key: IdentityKey,
    /// How it is written.
    pub form: KeyForm,
}
