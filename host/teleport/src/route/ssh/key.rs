//! Public keys of SSH, and signatures by them: Ed25519, ECDSA over P-256, RSA with SHA-2.
//!
//! Must never verify a signature of a kind that its caller did not allow; SHA-1 is not among them at all.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::wire::{Garbled, Reader};

pub(super) const ED25519_KEY: &str = "ssh-ed25519";
pub(super) const P256_KEY: &str = "ecdsa-sha2-nistp256";
pub(super) const RSA_KEY: &str = "ssh-rsa";
pub(super) const RSA_SHA256: &str = "rsa-sha2-256";
pub(super) const RSA_SHA512: &str = "rsa-sha2-512";

const P256_CURVE: &str = "nistp256";
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
/// The longest number in a P-256 signature, in bytes, with the zero that keeps it positive.
const P256_NUMBER_BYTES_MAX: usize = 33;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// 32 bytes.
    Ed25519(Vec<u8>),
    /// A point, uncompressed.
    P256(Vec<u8>),
    /// Exponent and modulus, the most significant byte first.
    Rsa { exponent: Vec<u8>, modulus: Vec<u8> },
}

// === impl PublicKey ===

impl PublicKey {
    /// The key in a blob: its kind and its numbers.
    pub(super) fn parse(blob: &[u8]) -> Result<Self, Garbled> {
        let mut reader = Reader::new(blob);
        let kind = reader.text()?;
        let key = Self::numbers(kind, &mut reader)?;
        reader.end()?;
        Ok(key)
    }

    /// The numbers of a key of this kind.
    pub(super) fn numbers(kind: &str, reader: &mut Reader<'_>) -> Result<Self, Garbled> {
        match kind {
            ED25519_KEY => Ok(Self::Ed25519(reader.string()?.to_vec())),
            P256_KEY if reader.text()? == P256_CURVE => Ok(Self::P256(reader.string()?.to_vec())),
            RSA_KEY => Ok(Self::Rsa { exponent: reader.number()?.to_vec(), modulus: reader.number()?.to_vec() }),
            _ => Err(Garbled),
        }
    }

    /// The kinds of signature that this key can make and we believe.
    pub(super) fn signatures(&self) -> &'static [&'static str] {
        match self {
            Self::Ed25519(_) => &[ED25519_KEY],
            Self::P256(_) => &[P256_KEY],
            Self::Rsa { .. } => &[RSA_SHA512, RSA_SHA256],
        }
    }

    /// Whether `signature` is one of `allowed` and by this key over `message`.
    pub(super) fn has_signed(&self, message: &[u8], signature: &[u8], allowed: &[&str]) -> bool {
        self.verify(message, signature, allowed).is_ok()
    }

    fn verify(&self, message: &[u8], signature: &[u8], allowed: &[&str]) -> Result<(), Garbled> {
        let mut reader = Reader::new(signature);
        let kind = reader.text()?;
        let value = reader.string()?;
        reader.end()?;
        if !allowed.contains(&kind) || !self.signatures().contains(&kind) {
            return Err(Garbled);
        }
        let verified = match self {
            Self::Ed25519(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, value),
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, &to_der(value)?)
            }
            Self::Rsa { exponent, modulus } => {
                let algorithm =
                    if kind == RSA_SHA512 { &RSA_PKCS1_2048_8192_SHA512 } else { &RSA_PKCS1_2048_8192_SHA256 };
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(algorithm, message, value)
            }
        };
        verified.map_err(|_| Garbled)
    }
}

/// An ECDSA signature as DER, from the two numbers of SSH (RFC 5656, section 3.1.2).
fn to_der(value: &[u8]) -> Result<Vec<u8>, Garbled> {
    let mut reader = Reader::new(value);
    let mut body = Vec::new();
    for _ in 0..2 {
        let number = reader.string()?;
        if number.len() > P256_NUMBER_BYTES_MAX {
            return Err(Garbled);
        }
        body.push(INTEGER);
        body.push(u8::try_from(number.len()).map_err(|_| Garbled)?);
        body.extend_from_slice(number);
    }
    reader.end()?;
    let mut der = vec![SEQUENCE, u8::try_from(body.len()).map_err(|_| Garbled)?];
    der.extend(body);
    Ok(der)
}

/// The two numbers of a P-256 signature in DER, which has short lengths only.
pub(super) fn from_der(der: &[u8]) -> Result<[&[u8]; 2], Garbled> {
    let (body, rest) = element(der, SEQUENCE)?;
    let (first, second) = element(body, INTEGER)?;
    let (second, after) = element(second, INTEGER)?;
    if rest.is_empty() && after.is_empty() { Ok([first, second]) } else { Err(Garbled) }
}

/// The body of the first element, and what follows it.
fn element(der: &[u8], tag: u8) -> Result<(&[u8], &[u8]), Garbled> {
    match der {
        [found, length, rest @ ..] if *found == tag && *length < 0x80 => {
            rest.split_at_checked(usize::from(*length)).ok_or(Garbled)
        }
        _ => Err(Garbled),
    }
}
