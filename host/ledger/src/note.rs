//! Signed notes (<https://c2sp.org/signed-note>): a text, and who vouches for it with an Ed25519 key. It never tells what a
//! note says before a known key has vouched for it.

#[cfg(test)]
mod tests;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use thiserror::Error;

use crate::digest::{Digest, hex, unhex};

/// What a signature line begins with.
const DASH: &str = "\u{2014} ";
/// The type of an Ed25519 key in a note.
const ED25519_TYPE: u8 = 0x01;
/// The length of an Ed25519 key, secret or public.
const KEY_BYTES: usize = 32;
/// What the text of a secret key begins with, as Go's `note` package writes it.
const SECRET_PREFIX: &str = "PRIVATE+KEY+";
/// More signatures than this are not looked at; witnesses may add theirs.
const SIGNATURES_MAX: usize = 64;
/// The longest note that is read; the state of a ledger is the longest.
pub(crate) const NOTE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Why a note is not to be believed, or a key is none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It is no signed note.
    #[error("it is not a signed note: {0}")]
    Form(&'static str),
    /// It has no signature of this key.
    #[error("it is not signed by `{0}`")]
    Unsigned(String),
    /// It has a signature of the key, which is wrong.
    #[error("the signature of `{0}` is not right: it was altered, or signed by somebody else")]
    Forged(String),
    /// The text of a key is not one.
    #[error("it is no key of signed notes: {0}")]
    Key(&'static str),
}

/// Whom to believe: a name and an Ed25519 key. As text: `NAME+HASH+BASE64`.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    name: String,
    key: [u8; KEY_BYTES],
}

/// A key to sign with.
pub(crate) struct SecretKey {
    name: String,
    seed: [u8; KEY_BYTES],
    pair: Ed25519KeyPair,
}

/// The key id: the first bytes of a hash over name, type and key.
fn key_id(name: &str, key: &[u8; KEY_BYTES]) -> [u8; 4] {
    let digest = Digest::of_parts(&[name.as_bytes(), b"\n", &[ED25519_TYPE], key]);
    let [a, b, c, d, ..] = *digest.as_bytes();
    [a, b, c, d]
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|letter: char| letter.is_whitespace() || letter.is_control() || letter == '+')
}

/// Splits `NAME+HASH+BASE64` and checks it but for the hash.
fn split_key(text: &str) -> Result<(String, [u8; 4], [u8; KEY_BYTES]), NoteError> {
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(hash), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key("it has not three parts with `+` between them"));
    };
    let id = unhex(&hash.to_ascii_lowercase()).ok_or(NoteError::Key("its hash is not eight hexadecimal digits"))?;
    let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key("its last part is not base64"))?;
    match bytes.split_first() {
        Some((&ED25519_TYPE, key)) if is_name(name) => {
            let key = key.try_into().map_err(|_| NoteError::Key("it is not 32 bytes long"))?;
            Ok((name.to_owned(), id, key))
        }
        Some(_) | None => Err(NoteError::Key("it is not an Ed25519 key with a name")),
    }
}

// === impl PublicKey ===

impl PublicKey {
    /// The key that this text is.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, key) = split_key(text.trim())?;
        if key_id(&name, &key) != id {
            return Err(NoteError::Key("its hash does not fit: a character is wrong"));
        }
        Ok(Self { name, key })
    }

    /// Its name, which is also the origin of the ledger's checkpoints.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note, if this key vouches for it.
    pub(crate) fn open<'a>(&self, note: &'a str) -> Result<&'a str, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Form("it is too long"));
        }
        if note.contains(|letter: char| letter < ' ' && letter != '\n') {
            return Err(NoteError::Form("it has control characters"));
        }
        let split = note.rfind("\n\n").ok_or(NoteError::Form("it has no empty line"))?;
        let (text, signatures) =
            note.split_at_checked(split.saturating_add(1)).ok_or(NoteError::Form("it is cut off"))?;
        let signatures = signatures.strip_prefix('\n').unwrap_or(signatures);
        if signatures.is_empty() || !signatures.ends_with('\n') {
            return Err(NoteError::Form("its last line is cut off"));
        }
        let id = key_id(&self.name, &self.key);
        let mut vouched = false;
        for line in signatures.lines().take(SIGNATURES_MAX) {
            let rest = line.strip_prefix(DASH).ok_or(NoteError::Form("a line is no signature"))?;
            let (name, signature) = rest.split_once(' ').ok_or(NoteError::Form("a signature has no name"))?;
            let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form("a signature is not base64"))?;
            let (by, signature) = bytes.split_at_checked(4).ok_or(NoteError::Form("a signature is too short"))?;
            if name != self.name || by != id {
                continue; // somebody else's: a witness, or an older key
            }
            UnparsedPublicKey::new(&ED25519, &self.key)
                .verify(text.as_bytes(), signature)
                .map_err(|_| NoteError::Forged(self.name.clone()))?;
            vouched = true;
        }
        if vouched { Ok(text) } else { Err(NoteError::Unsigned(self.name.clone())) }
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed: Vec<u8> = [ED25519_TYPE].iter().chain(&self.key).copied().collect();
        write!(f, "{}+{}+{}", self.name, hex(&key_id(&self.name, &self.key)), STANDARD.encode(typed))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl SecretKey ===

impl SecretKey {
    /// The key of this seed, which must be random and never be shown.
    pub(crate) fn new(name: &str, seed: [u8; KEY_BYTES]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Key("its name is empty, or has a space or a `+` in it"));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| NoteError::Key("it cannot be used"))?;
        Ok(Self { name: name.to_owned(), seed, pair })
    }

    /// The key that this text is, as [`Self::to_text`] makes it.
    pub(crate) fn parse(text: &str) -> Result<Self, NoteError> {
        let rest = text.trim().strip_prefix(SECRET_PREFIX).ok_or(NoteError::Key("it is not a secret one"))?;
        let (name, id, seed) = split_key(rest)?;
        let secret = Self::new(&name, seed)?;
        if key_id(&name, &secret.public().key) != id {
            return Err(NoteError::Key("its hash does not fit: a character is wrong"));
        }
        Ok(secret)
    }

    /// What goes into a file that only its owner may read.
    pub(crate) fn to_text(&self) -> String {
        let typed: Vec<u8> = [ED25519_TYPE].iter().chain(&self.seed).copied().collect();
        let id = hex(&key_id(&self.name, &self.public().key));
        format!("{SECRET_PREFIX}{}+{id}+{}\n", self.name, STANDARD.encode(typed))
    }

    pub(crate) fn public(&self) -> PublicKey {
        let mut key = [0; KEY_BYTES];
        for (to, from) in key.iter_mut().zip(self.pair.public_key().as_ref()) {
            *to = *from;
        }
        PublicKey { name: self.name.clone(), key }
    }

    /// The note of this text, which ends with a line break.
    pub(crate) fn sign(&self, text: &str) -> String {
        let id = key_id(&self.name, &self.public().key);
        let signature = self.pair.sign(text.as_bytes());
        let bytes: Vec<u8> = id.iter().chain(signature.as_ref()).copied().collect();
        format!("{text}\n{DASH}{} {}\n", self.name, STANDARD.encode(bytes))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretKey").field("name", &self.name).finish_non_exhaustive()
    }
}
