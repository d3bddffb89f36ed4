//! SSH certificates: of users, over the keys of their identities, and of the proxy's SSH server. It must never sign with anything but the
//! authority that it is given.

use rcgen::{KeyPair, PKCS_ED25519, PKCS_RSA_SHA256};
use ssh_key::certificate::{Builder, CertType};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, Certificate, Error, Mpint, PrivateKey};

use super::IdentityOrder;
use crate::clock::{Moment, machine_now};

/// Certificates of hosts start this much early.
const BACKDATED_MS: i64 = 24 * 60 * 60 * 1000;
/// The shortest life of a user's certificate, though it may all be in the past.
const USER_LIFE_MS_MIN: i64 = 60 * 1000;
/// How a DER SEQUENCE and an INTEGER begin.
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;

/// What an SSH server shows.
#[derive(Clone)]
pub(crate) struct SshHost {
    pub(crate) key: PrivateKey,
    pub(crate) certificate: Certificate,
}

/// An SSH user certificate over the key of an identity, as an `authorized_keys` line.
pub(super) fn user_certificate(
    order: &IdentityOrder,
    key: &KeyPair,
    authority: &PrivateKey,
) -> ssh_key::Result<String> {
    let holder = &order.holder;
    let until = order.ssh_not_after;
    let from = order.not_before.min(until.plus_ms(-USER_LIFE_MS_MIN));
    let mut builder =
        Builder::new_with_random_nonce(&mut OsRng, public_key(key)?, seconds(from), seconds(until).max(1))?;
    builder.cert_type(CertType::User)?;
    builder.key_id(holder.user.as_str())?;
    builder.valid_principal(holder.user.as_str())?;
    builder.valid_principal("-teleport-internal-join")?;
    builder.extension("permit-port-forwarding", "")?;
    let roles = format!("{{\"version\":\"v1\",\"roles\":{}}}", json_strings(&holder.roles));
    builder.extension("teleport-roles", roles)?;
    builder.sign(authority)?.to_openssh()
}

/// A key, and a certificate for a host that is called by `names`.
pub(super) fn host(
    cluster: &str,
    names: &[String],
    not_after: Moment,
    authority: &PrivateKey,
) -> ssh_key::Result<SshHost> {
    let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519)?;
    let from = machine_now().min(not_after).plus_ms(-BACKDATED_MS);
    let public = key.public_key().key_data().clone();
    let mut builder = Builder::new_with_random_nonce(&mut OsRng, public, seconds(from), seconds(not_after))?;
    builder.cert_type(CertType::Host)?;
    builder.key_id(format!("proxy.{cluster}"))?;
    for name in names {
        builder.valid_principal(name.as_str())?;
    }
    builder.extension("x-teleport-authority", cluster)?;
    builder.extension("x-teleport-role", "Proxy")?;
    Ok(SshHost { certificate: builder.sign(authority)?, key })
}

fn seconds(moment: Moment) -> u64 {
    u64::try_from(moment.unix_ms() / 1000).unwrap_or(0)
}

fn public_key(key: &KeyPair) -> ssh_key::Result<KeyData> {
    let raw = key.public_key_raw();
    if key.is_compatible(&PKCS_ED25519) {
        let bytes: [u8; 32] = raw.try_into().map_err(|_| Error::FormatEncoding)?;
        Ok(KeyData::Ed25519(Ed25519PublicKey(bytes)))
    } else if key.is_compatible(&PKCS_RSA_SHA256) {
        let (n, e) = rsa_numbers(raw).ok_or(Error::FormatEncoding)?;
        Ok(KeyData::Rsa(RsaPublicKey { e: Mpint::from_positive_bytes(e)?, n: Mpint::from_positive_bytes(n)? }))
    } else {
        Ok(KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(raw)?))
    }
}

/// Modulus and exponent of an RSA key in PKCS#1.
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, _) = element(der, SEQUENCE)?;
    let (modulus, rest) = element(body, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some((modulus, exponent))
}

fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (head, rest) = der.split_at_checked(2)?;
    let [found, first] = head else { return None };
    let (length, rest) = match first {
        0x81 => (rest.get(..1)?, rest.get(1..)?),
        0x82 => (rest.get(..2)?, rest.get(2..)?),
        _ => (std::slice::from_ref(first), rest),
    };
    let length = length.iter().fold(0_usize, |sum, digit| sum.saturating_mul(256).saturating_add(usize::from(*digit)));
    if *found == tag { rest.split_at_checked(length) } else { None }
}

/// A JSON array of strings, for Teleport's roles extension.
fn json_strings(values: &[String]) -> String {
    let quoted: Vec<String> =
        values.iter().map(|value| format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))).collect();
    format!("[{}]", quoted.join(","))
}
