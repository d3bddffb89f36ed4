//! Objects that are personal: encrypted under a key that is derived, for each object, from its user's key, so that one can
//! be opened for somebody without opening the others. It never opens what was not sealed with the key at hand.
//!
//! Stored are: the byte 0x01, which nothing else begins with; the name of the user's key; a salt; ciphertext and tag.

use std::io;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};

use super::{Object, unpack};
use crate::digest::Digest;
use crate::keys::{KEY_ID_BYTES, KeyId, Keys, UserKey};

/// What a sealed object begins with.
const SEALED: u8 = 1;
const SALT_BYTES: usize = 16;
const HEAD_BYTES: usize = 1 + KEY_ID_BYTES + SALT_BYTES;
/// The length of an object's own key.
pub(crate) const OBJECT_KEY_BYTES: usize = 32;
/// What object keys are derived for.
const PURPOSE: &[u8] = b"tribunal ledger object";

/// What an object says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing any more: the key that it was sealed with is not here.
    Erased,
}

/// The key of one object.
#[derive(Clone, Copy)]
pub(crate) struct ObjectKey(pub(crate) [u8; OBJECT_KEY_BYTES]);

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        OBJECT_KEY_BYTES
    }
}

/// The same object, sealed for this user.
pub(crate) fn seal(object: &Object, key: &UserKey) -> io::Result<Object> {
    let mut salt = [0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(io::Error::other)?;
    let mut ciphertext = object.stored.clone();
    let cipher = ObjectKey::derive(key, &salt)?.cipher()?;
    cipher.seal_in_place_append_tag(nonce(), Aad::empty(), &mut ciphertext).map_err(|_| refused())?;
    let mut stored = Vec::with_capacity(HEAD_BYTES.saturating_add(ciphertext.len()));
    stored.push(SEALED);
    stored.extend_from_slice(&key.id.0);
    stored.extend_from_slice(&salt);
    stored.append(&mut ciphertext);
    Ok(Object { name: Digest::of(&stored), stored })
}

/// The key that an object was sealed with; none, if it was not.
pub(crate) fn sealed_with(stored: &[u8]) -> Option<KeyId> {
    head(stored).map(|(id, ..)| id)
}

/// What a stored object says, sealed or not.
pub(crate) fn open(stored: &[u8], keys: &Keys) -> io::Result<Content> {
    match key_of(stored, keys)? {
        Some(Some(key)) => open_with(stored, &key).map(Content::Bytes),
        Some(None) => Ok(Content::Erased),
        None => unpack(stored).map(Content::Bytes),
    }
}

/// The own key of a stored object: none, if it was not sealed; none inside, if its user's key is not here.
#[expect(clippy::option_option, reason = "not sealed, and sealed for ever, are two things")]
pub(crate) fn key_of(stored: &[u8], keys: &Keys) -> io::Result<Option<Option<ObjectKey>>> {
    let Some((id, salt, _)) = head(stored) else { return Ok(None) };
    let key = keys.get(id)?;
    key.map(|key| ObjectKey::derive(&key, salt)).transpose().map(Some)
}

/// What a sealed object says, by its own key.
pub(crate) fn open_with(stored: &[u8], key: &ObjectKey) -> io::Result<Vec<u8>> {
    let (_, _, ciphertext) = head(stored).ok_or_else(|| io::Error::other("it is not sealed"))?;
    let mut bytes = ciphertext.to_vec();
    let plain = key
        .cipher()?
        .open_in_place(nonce(), Aad::empty(), &mut bytes)
        .map_err(|_| io::Error::other("it was not sealed with its user's key"))?;
    unpack(plain)
}

/// The key's name, the salt, the ciphertext with its tag.
fn head(stored: &[u8]) -> Option<(KeyId, &[u8], &[u8])> {
    let (first, rest) = stored.split_first()?;
    let (id, rest) = rest.split_at_checked(KEY_ID_BYTES)?;
    let (salt, ciphertext) = rest.split_at_checked(SALT_BYTES)?;
    (*first == SEALED).then_some((KeyId(id.try_into().ok()?), salt, ciphertext))
}

/// Each object has a key of its own, which seals nothing else.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

fn refused() -> io::Error {
    io::Error::other("an object cannot be sealed")
}

// === impl ObjectKey ===

impl ObjectKey {
    fn derive(key: &UserKey, salt: &[u8]) -> io::Result<Self> {
        let mut own = [0; OBJECT_KEY_BYTES];
        let derived = Salt::new(HKDF_SHA256, salt).extract(&key.secret);
        derived
            .expand(&[PURPOSE], KeyLength)
            .and_then(|derived| derived.fill(&mut own))
            .map_err(|_| io::Error::other("a key cannot be derived"))?;
        Ok(Self(own))
    }

    fn cipher(self) -> io::Result<LessSafeKey> {
        UnboundKey::new(&CHACHA20_POLY1305, &self.0).map(LessSafeKey::new).map_err(|_| refused())
    }
}
