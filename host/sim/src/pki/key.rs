//! Private keys of identities, in every form that Teleport has written them in. It never makes an RSA key: the one there is is the same for all.

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

use super::{IdentityKey, KeyForm, der};

/// An RSA key that is known to everybody: it protects nothing but what is simulated.
const RSA_KEY_PEM: &str = include_str!("rsa-2048.pem");

/// 1.2.840.10045.3.1.7, with tag and length.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// The number 0: PKCS#8 without a public key in it.
const VERSION_1: &[u8] = &[der::INTEGER, 1, 0];

/// A key of this kind.
pub(super) fn make(kind: IdentityKey) -> Result<KeyPair, rcgen::Error> {
    match kind {
        IdentityKey::EcdsaP256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        IdentityKey::Ed25519 => KeyPair::generate_for(&PKCS_ED25519),
        // ring makes no RSA keys.
        IdentityKey::Rsa2048 => KeyPair::from_pem(RSA_KEY_PEM),
    }
}

/// The key as a PEM block. `None` when it is not of this kind.
pub(super) fn to_pem(key: &KeyPair, kind: IdentityKey, form: KeyForm) -> Option<String> {
    let pkcs8 = key.serialize_der();
    let (label, der) = match (kind, form) {
        (IdentityKey::Rsa2048, KeyForm::Teleport | KeyForm::Traditional) => {
            ("RSA PRIVATE KEY", der::inside_pkcs8(&pkcs8)?.1.to_vec())
        }
        (IdentityKey::EcdsaP256, KeyForm::Traditional) => ("EC PRIVATE KEY", sec1(der::inside_pkcs8(&pkcs8)?.1)?),
        (IdentityKey::Ed25519, _) => ("PRIVATE KEY", without_public_key(&pkcs8)?),
        (IdentityKey::Rsa2048, KeyForm::Pkcs8) | (IdentityKey::EcdsaP256, KeyForm::Teleport | KeyForm::Pkcs8) => {
            ("PRIVATE KEY", pkcs8)
        }
    };
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    Some(pem::encode_config(&pem::Pem::new(label, der), config))
}

/// As Go writes Ed25519 keys; ring adds the public key.
fn without_public_key(pkcs8: &[u8]) -> Option<Vec<u8>> {
    let (algorithm, key) = der::inside_pkcs8(pkcs8)?;
    let key = der::tlv(der::OCTET_STRING, key);
    Some(der::tlv(der::SEQUENCE, &[VERSION_1, algorithm, key.as_slice()].concat()))
}

/// An ECDSA key that says which curve it is on: inside of PKCS#8 something else does.
fn sec1(key: &[u8]) -> Option<Vec<u8>> {
    let (_, body, _) = der::split(key)?;
    let version = der::whole(body)?;
    let rest = body.get(version.len()..)?;
    let secret = der::whole(rest)?;
    let public = rest.get(secret.len()..)?;
    let curve = der::tlv(der::CONTEXT_0, P256);
    Some(der::tlv(der::SEQUENCE, &[version, secret, curve.as_slice(), public].concat()))
}
