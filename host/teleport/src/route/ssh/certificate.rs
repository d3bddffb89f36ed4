//! OpenSSH certificates (OpenSSH's `PROTOCOL.certkeys`): read, and verified.
//!
//! Must never find a certificate good whose signature it did not verify.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::key::{ED25519_KEY, P256_KEY, PublicKey, RSA_KEY};
use super::wire::{Garbled, Reader};

/// Follows the kind of key in the name of a kind of certificate.
pub(super) const SUFFIX: &str = "-cert-v01@openssh.com";

const USER: u32 = 1;
const HOST: u32 = 2;
/// The most names that a certificate may be for; a real one has a dozen.
const PRINCIPALS_MAX: usize = 1024;

/// A certificate.
#[derive(Clone, Debug)]
pub(super) struct Certificate {
    /// The whole of it.
    pub(super) blob: Vec<u8>,
    /// What kind of key it is for, such as `ssh-ed25519`.
    pub(super) key_kind: &'static str,
    /// The key that it is for.
    pub(super) key: PublicKey,
    /// Whose it is, in words.
    pub(super) key_id: String,
    /// The names that it is for: of logins, or of hosts.
    pub(super) principals: Vec<String>,
    /// From when it is valid.
    pub(super) valid_after: SystemTime,
    /// Until when it is valid; `None` is forever.
    pub(super) valid_before: Option<SystemTime>,
    /// The key that signed it, as a blob.
    pub(super) authority: Vec<u8>,
    kind: u32,
    critical: Option<String>,
    signed: Vec<u8>,
    signature: Vec<u8>,
}

/// Why a host's certificate is not believed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Distrust {
    /// It is not for a host.
    NotOfAHost,
    /// None of the authorities signed it.
    Authority,
    /// Its signature is wrong.
    Signature,
    /// It has an option that we do not know and must not ignore.
    Critical(String),
    /// Its time has not come, or is over.
    Time,
    /// It is for other names.
    Name,
}

// === impl Certificate ===

impl Certificate {
    /// The certificate in a blob.
    pub(super) fn parse(blob: &[u8]) -> Result<Self, Garbled> {
        let mut reader = Reader::new(blob);
        let name = reader.text()?.strip_suffix(SUFFIX).ok_or(Garbled)?;
        let key_kind = [ED25519_KEY, P256_KEY, RSA_KEY].into_iter().find(|known| *known == name).ok_or(Garbled)?;
        let _nonce = reader.string()?;
        let key = PublicKey::numbers(key_kind, &mut reader)?;
        let _serial = reader.u64()?;
        let kind = reader.u32()?;
        let key_id = reader.text()?.to_owned();
        let principals = texts(reader.string()?)?;
        let valid_after = reader.u64()?;
        let valid_before = reader.u64()?;
        let critical = options(reader.string()?)?.into_iter().next();
        let _extensions = options(reader.string()?)?;
        let _reserved = reader.string()?;
        let authority = reader.string()?.to_vec();
        let signed_length = blob.len().checked_sub(reader.rest().len()).ok_or(Garbled)?;
        let signature = reader.string()?.to_vec();
        reader.end()?;
        Ok(Self {
            key_kind,
            key,
            key_id,
            principals,
            valid_after: point_in_time(valid_after).ok_or(Garbled)?,
            valid_before: point_in_time(valid_before),
            authority,
            kind,
            critical,
            signed: blob.get(..signed_length).ok_or(Garbled)?.to_vec(),
            signature,
            blob: blob.to_vec(),
        })
    }

    /// Whether it is for a person or a bot.
    pub(super) fn is_of_a_user(&self) -> bool {
        self.kind == USER
    }

    /// Whether its time has come and is not over.
    pub(super) fn is_valid_at(&self, now: SystemTime) -> bool {
        now >= self.valid_after && self.valid_before.is_none_or(|end| now < end)
    }

    /// That it is of the host called `host`, signed by one of `authorities` (key blobs) and valid `now`: the checks of
    /// Teleport's own client (`api/utils/sshutils/callback.go` and `CheckHostKey` of Go's `x/crypto/ssh`), and that it is
    /// for some name at all. Like there, the names in the `@cert-authority` lines do not count, since they are the
    /// cluster's and not the proxy's; those in the certificate do.
    pub(super) fn verify_host(&self, host: &str, authorities: &[Vec<u8>], now: SystemTime) -> Result<(), Distrust> {
        if self.kind != HOST {
            return Err(Distrust::NotOfAHost);
        }
        if !authorities.contains(&self.authority) {
            return Err(Distrust::Authority);
        }
        let signer = PublicKey::parse(&self.authority).map_err(|Garbled| Distrust::Signature)?;
        if !signer.has_signed(&self.signed, &self.signature, signer.signatures()) {
            return Err(Distrust::Signature);
        }
        if let Some(option) = &self.critical {
            return Err(Distrust::Critical(option.clone()));
        }
        if !self.is_valid_at(now) {
            return Err(Distrust::Time);
        }
        if !self.principals.iter().any(|name| name.eq_ignore_ascii_case(host)) {
            return Err(Distrust::Name);
        }
        Ok(())
    }
}

fn texts(bytes: &[u8]) -> Result<Vec<String>, Garbled> {
    let mut reader = Reader::new(bytes);
    let mut texts = Vec::new();
    while !reader.rest().is_empty() {
        if texts.len() >= PRINCIPALS_MAX {
            return Err(Garbled);
        }
        texts.push(reader.text()?.to_owned());
    }
    Ok(texts)
}

/// The names of options.
fn options(bytes: &[u8]) -> Result<Vec<String>, Garbled> {
    let mut reader = Reader::new(bytes);
    let mut names = Vec::new();
    while !reader.rest().is_empty() {
        names.push(reader.text()?.to_owned());
        let _value = reader.string()?;
    }
    Ok(names)
}

/// The point in time `seconds` after the Unix epoch; `None` if that is beyond all calendars, which stands for forever.
fn point_in_time(seconds: u64) -> Option<SystemTime> {
    i64::try_from(seconds).ok().and_then(|_| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
}
