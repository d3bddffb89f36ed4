//! The identity file that a Machine ID bot writes: who we are to Teleport, and whom we trust to be Teleport.
//!
//! Must never log, print or hand out the private key.

mod file;
mod pem;
mod ssh;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls::{InconsistentKeys, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncReadExt as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

pub(crate) use self::file::Look;
pub use self::file::{Held, IdentityFile, LOOK_SECS, RECHECK_SECS, SETTLE_MILLIS};
use self::pem::Block;
use self::ssh::SshLines;

/// The largest identity file that is read, in bytes. A real one has less than 20 KiB.
pub const IDENTITY_BYTES_MAX: u64 = 1024 * 1024;

/// What an identity file says (`api/identityfile/identityfile.go`).
#[derive(Clone)]
pub struct Identity {
    certified: Arc<CertifiedKey>,
    roots: Arc<RootCertStore>,
    user: String,
    roles: Vec<String>,
    authorities: Vec<String>,
    serial: String,
    not_before: SystemTime,
    not_after: SystemTime,
    ssh: SshLines,
}

/// Why an identity file cannot be used. Its text says what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
#[error("identity file `{}`: {problem}", path.display())]
pub struct IdentityError {
    /// Which file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: InvalidIdentity,
}

/// What is wrong with an identity file.
#[derive(Debug, thiserror::Error)]
pub enum InvalidIdentity {
    /// There is none.
    #[error("does not exist; point `identity-file` (or `-i`) at the file that tbot's `identity` service writes")]
    Missing,
    /// It cannot be read.
    #[error("cannot be read: {0}; give the user that runs tribunal the right to read it")]
    Unreadable(std::io::Error),
    /// It is larger than [`IDENTITY_BYTES_MAX`].
    #[error("is larger than {IDENTITY_BYTES_MAX} bytes; it is not an identity file")]
    TooLarge,
    /// It holds nothing of an identity file.
    #[error("has no PEM block; it is not an identity file: have tbot, or `tctl auth sign --format=file`, write one")]
    NoBlocks,
    /// A block has no end, or is garbled.
    #[error("the PEM block `{label}` that begins in line {line} is truncated or garbled; have tbot write it anew")]
    Truncated {
        /// What the block says it is.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// The first block is a certificate.
    #[error(
        "has no private key: its first PEM block must be one; use the file `identity`, not a certificate, from tbot's output"
    )]
    NoKey,
    /// The key is none that TLS could use here.
    #[error(
        "its private key is of no kind that is understood: it must be RSA (2048 bits or more), ECDSA (P-256, P-384) or Ed25519, and not encrypted"
    )]
    UnsupportedKey,
    /// There is a key and nothing else.
    #[error("has no TLS certificate after its private key; have tbot write it anew")]
    NoCertificate,
    /// Nobody would be trusted to be Teleport.
    #[error("has no CA certificate after the client certificate; have tbot write it anew, with TLS CAs")]
    NoAuthority,
    /// A block is neither of what may be there.
    #[error("the PEM block `{label}` in line {line} is not a certificate; have tbot write the file anew")]
    UnexpectedBlock {
        /// What the block says it is.
        label: String,
        /// Where it begins.
        line: usize,
    },
    /// A certificate cannot be decoded.
    #[error("the certificate in line {line} cannot be decoded: {detail}; have tbot write the file anew")]
    BadCertificate {
        /// Where it begins.
        line: usize,
        /// Why not.
        detail: String,
    },
    /// Key and certificate are not of one identity.
    #[error("its private key does not belong to its certificate; have tbot write both anew")]
    KeyMismatch,
    /// The certificate names nobody.
    #[error("its certificate names no user; use an identity that Teleport's user CA signed")]
    NoUser,
    /// The certificate's time is over.
    #[error("expired at {}; check that tbot runs and renews it", utc(*not_after))]
    Expired {
        /// When it did.
        not_after: SystemTime,
    },
    /// The certificate's time has not come.
    #[error("is not valid before {}; check this machine's clock", utc(*not_before))]
    NotYetValid {
        /// When it will be.
        not_before: SystemTime,
    },
    /// It is somebody else's than the one before.
    #[error("is of user `{now}`, and this process began as `{user}`; write one of `{user}`, or restart it")]
    OtherUser {
        /// Whose the one before was.
        user: String,
        /// Whose it is now.
        now: String,
    },
}

// === impl InvalidIdentity ===

impl InvalidIdentity {
    /// Whether the file is whole and only its time is not: a clock, or the next renewal, mends that.
    #[must_use]
    pub fn is_of_time(&self) -> bool {
        match self {
            Self::Expired { .. } | Self::NotYetValid { .. } => true,
            Self::Missing
            | Self::Unreadable(_)
            | Self::TooLarge
            | Self::NoBlocks
            | Self::Truncated { .. }
            | Self::NoKey
            | Self::UnsupportedKey
            | Self::NoCertificate
            | Self::NoAuthority
            | Self::UnexpectedBlock { .. }
            | Self::BadCertificate { .. }
            | Self::KeyMismatch
            | Self::NoUser
            | Self::OtherUser { .. } => false,
        }
    }
}

// === impl Identity ===

impl Identity {
    /// Reads the file at `path`, as of now.
    ///
    /// # Errors
    /// If it cannot be used; see [`InvalidIdentity`].
    pub async fn load(path: &Path) -> Result<Self, IdentityError> {
        let load = async {
            let text = read(path).await?;
            let mut identity = Self::parse(&text, SystemTime::now())?;
            identity.ssh.complete(path).await;
            Ok(identity)
        };
        load.await.map_err(|problem| IdentityError { path: path.to_owned(), problem })
    }

    /// What the text of an identity file says, if it can be used at `now`.
    ///
    /// # Errors
    /// If it cannot; see [`InvalidIdentity`].
    pub fn parse(text: &str, now: SystemTime) -> Result<Self, InvalidIdentity> {
        let blocks = pem::blocks(text)?;
        let (key, certificates) = blocks.split_first().ok_or(InvalidIdentity::NoBlocks)?;
        if key.is_certificate() {
            return Err(InvalidIdentity::NoKey);
        }
        let key = signing_key(key)?;
        if let Some(block) = certificates.iter().find(|block| !block.is_certificate()) {
            return Err(InvalidIdentity::UnexpectedBlock { label: block.label.to_owned(), line: block.line });
        }
        let (own, authorities) = certificates.split_first().ok_or(InvalidIdentity::NoCertificate)?;
        let holder = Holder::parse(own, now)?;
        if authorities.is_empty() {
            return Err(InvalidIdentity::NoAuthority);
        }
        let mut roots = RootCertStore::empty();
        let mut names = Vec::new();
        for block in authorities {
            names.push(add_authority(&mut roots, block)?);
        }
        Ok(Self {
            certified: Arc::new(certify(own, key)?),
            roots: Arc::new(roots),
            user: holder.user,
            roles: holder.roles,
            authorities: names,
            not_before: holder.not_before,
            not_after: holder.not_after,
            serial: holder.serial,
            ssh: SshLines::parse(text),
        })
    }

    /// The Teleport user that it is: the subject's common name.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The roles that it carries: the subject's organizations.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The names of the CAs that it trusts.
    #[must_use]
    pub fn authorities(&self) -> &[String] {
        &self.authorities
    }

    /// The serial of its certificate, in hexadecimal.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// When its time began.
    #[must_use]
    pub fn not_before(&self) -> SystemTime {
        self.not_before
    }

    /// When it expires.
    #[must_use]
    pub fn not_after(&self) -> SystemTime {
        self.not_after
    }

    /// Whether its time is `now`.
    #[must_use]
    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.not_before <= now && now < self.not_after
    }

    /// The certificate to present, with its key.
    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }

    /// What it has for SSH.
    pub(crate) fn ssh(&self) -> &SshLines {
        &self.ssh
    }

    /// Whom to trust.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(&self.roots)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { certified: _, roots: _, user, roles, authorities, serial, not_before: _, not_after, ssh: _ } = self;
        f.debug_struct("Identity")
            .field("user", user)
            .field("roles", roles)
            .field("authorities", authorities)
            .field("serial", serial)
            .field("not_after", &utc(*not_after))
            .finish_non_exhaustive()
    }
}

/// What the client certificate says.
struct Holder {
    user: String,
    roles: Vec<String>,
    serial: String,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Holder {
    fn parse(block: &Block<'_>, now: SystemTime) -> Result<Self, InvalidIdentity> {
        let der = block.certificate()?;
        let certificate = x509(&der, block.line)?;
        let not_after = point_in_time(certificate.validity().not_after.timestamp());
        let not_before = point_in_time(certificate.validity().not_before.timestamp());
        if now >= not_after {
            return Err(InvalidIdentity::Expired { not_after });
        }
        if now < not_before {
            return Err(InvalidIdentity::NotYetValid { not_before });
        }
        let user = texts(certificate.subject().iter_common_name()).pop().ok_or(InvalidIdentity::NoUser)?;
        let serial = certificate.raw_serial_as_string();
        Ok(Self { user, roles: texts(certificate.subject().iter_organization()), serial, not_before, not_after })
    }
}

async fn read(path: &Path) -> Result<String, InvalidIdentity> {
    let unreadable = |error: std::io::Error| {
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        if missing { InvalidIdentity::Missing } else { InvalidIdentity::Unreadable(error) }
    };
    let file = tokio::fs::File::open(path).await.map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(IDENTITY_BYTES_MAX.saturating_add(1)).read_to_end(&mut bytes).await.map_err(unreadable)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > IDENTITY_BYTES_MAX) {
        return Err(InvalidIdentity::TooLarge);
    }
    // What is not text is no PEM either, and is skipped like any other line that says nothing.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The key in a block, whatever the label claims: Teleport's own parser tries all forms, too.
fn signing_key(block: &Block<'_>) -> Result<Arc<dyn SigningKey>, InvalidIdentity> {
    let der = block.contents()?;
    let forms = [
        PrivateKeyDer::Pkcs8(der.as_slice().into()),
        PrivateKeyDer::Pkcs1(der.as_slice().into()),
        PrivateKeyDer::Sec1(der.as_slice().into()),
    ];
    forms.iter().find_map(|form| any_supported_type(form).ok()).ok_or(InvalidIdentity::UnsupportedKey)
}

fn certify(block: &Block<'_>, key: Arc<dyn SigningKey>) -> Result<CertifiedKey, InvalidIdentity> {
    let certified = CertifiedKey::new(vec![block.certificate()?], key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => Err(InvalidIdentity::KeyMismatch),
        Err(error) => Err(InvalidIdentity::BadCertificate { line: block.line, detail: error.to_string() }),
    }
}

/// Adds a CA to `roots`, and returns its name.
fn add_authority(roots: &mut RootCertStore, block: &Block<'_>) -> Result<String, InvalidIdentity> {
    let der = block.certificate()?;
    let name = name(x509(&der, block.line)?.subject());
    roots.add(der).map_err(|error| InvalidIdentity::BadCertificate { line: block.line, detail: error.to_string() })?;
    Ok(name)
}

fn x509<'a>(der: &'a CertificateDer<'_>, line: usize) -> Result<X509Certificate<'a>, InvalidIdentity> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|error| InvalidIdentity::BadCertificate { line, detail: error.to_string() })?;
    Ok(certificate)
}

/// How people call the holder of a certificate: its common name, or else its organization.
pub(crate) fn name(name: &X509Name<'_>) -> String {
    let mut candidates = texts(name.iter_common_name());
    candidates.extend(texts(name.iter_organization()));
    candidates.into_iter().next().unwrap_or_else(|| name.to_string())
}

fn texts<'a>(attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Vec<String> {
    attributes.filter_map(|attribute| attribute.as_str().ok()).map(str::to_owned).collect()
}

/// The point in time `seconds` after the Unix epoch.
fn point_in_time(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let moved = if seconds < 0 { UNIX_EPOCH.checked_sub(distance) } else { UNIX_EPOCH.checked_add(distance) };
    moved.unwrap_or(UNIX_EPOCH)
}

/// A point in time as people read it.
pub(crate) fn utc(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).map_or_else(|_| "a time out of range".to_owned(), |time| time.to_string())
}
