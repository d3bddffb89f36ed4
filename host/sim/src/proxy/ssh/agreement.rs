//! The server's side of the key exchange: Curve25519 or P-256, and what AES-GCM keys follow. It must never choose an algorithm that the client
//! did not offer.

use std::io;

use ring::aead::{AES_128_GCM, AES_256_GCM, LessSafeKey, UnboundKey};
use ring::agreement::{Algorithm, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use ssh_key::sha2::{Digest as _, Sha256};
use ssh_key::{Signature, SigningKey};

use super::TunnelFault;
use super::bytes::{Rest, garbled, message, put_positive, put_string};
use crate::pki::ssh::SshHost;

pub(super) const KEXINIT: u8 = 20;
pub(super) const NEWKEYS: u8 = 21;
pub(super) const ECDH_INIT: u8 = 30;
const ECDH_REPLY: u8 = 31;
const EXT_INFO: u8 = 7;
/// What a client offers that wants to be told more (RFC 8308).
const WANTS_INFO: &str = "ext-info-c";
/// The signatures of users that are taken.
const USER_SIGNATURES: &str = "ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256,ssh-ed25519-cert-v01@openssh.com,\
    ecdsa-sha2-nistp256-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com";

const CURVE25519: &str = "curve25519-sha256@libssh.org";
const NISTP256: &str = "ecdh-sha2-nistp256";
const STRICT: &str = "kex-strict-s-v00@openssh.com";
const CERTIFIED: &str = "ssh-ed25519-cert-v01@openssh.com";
const BARE: &str = "ssh-ed25519";
/// Both directions may differ, and here do if the client knows both.
const TO_SERVER: [&str; 2] = ["aes256-gcm@openssh.com", "aes128-gcm@openssh.com"];
const TO_CLIENT: [&str; 2] = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"];

/// A key for one direction, and its next nonce.
pub(super) struct Direction {
    pub(super) key: LessSafeKey,
    pub(super) nonce: [u8; 12],
}

/// What an exchange leads to.
pub(super) struct Agreement {
    pub(super) reply: Vec<u8>,
    pub(super) hash: Vec<u8>,
    /// What to tell the client first of all.
    pub(super) info: Option<Vec<u8>>,
    pub(super) to_server: Direction,
    pub(super) to_client: Direction,
}

/// What both sides said before.
pub(super) struct Said<'a> {
    pub(super) client_banner: &'a [u8],
    pub(super) server_banner: &'a [u8],
    pub(super) client_offer: &'a [u8],
    pub(super) server_offer: &'a [u8],
}

/// The server's offer.
pub(super) fn offer(fault: &TunnelFault) -> io::Result<Vec<u8>> {
    let mut cookie = [0; 16];
    getrandom::fill(&mut cookie).map_err(io::Error::other)?;
    let host_key = if *fault == TunnelFault::BareKey { format!("{BARE},{CERTIFIED}") } else { CERTIFIED.to_owned() };
    let lists = [
        format!("{CURVE25519},{NISTP256},{STRICT}"),
        host_key,
        TO_SERVER.join(","),
        TO_CLIENT.join(","),
        "hmac-sha2-256".to_owned(),
        "hmac-sha2-256".to_owned(),
        "none".to_owned(),
        "none".to_owned(),
        String::new(),
        String::new(),
    ];
    let mut out = vec![KEXINIT];
    out.extend(cookie);
    for list in lists {
        put_string(&mut out, list.as_bytes());
    }
    out.extend([0; 5]);
    Ok(out)
}

/// Agrees with the client whose public key is in `init`. `session` is the hash of the first exchange, once there was one.
pub(super) fn agree(
    said: &Said<'_>,
    init: &[u8],
    host: &SshHost,
    fault: &TunnelFault,
    session: Option<&[u8]>,
) -> io::Result<Agreement> {
    let client = lists(said.client_offer)?;
    let pick = |index: usize, ours: &[&'static str]| -> io::Result<&'static str> {
        let theirs = client.get(index).ok_or_else(garbled)?;
        let picked = theirs.iter().find_map(|name| ours.iter().copied().find(|our| our == name));
        picked.ok_or_else(|| io::Error::other("no common algorithm"))
    };
    let curve: &'static Algorithm = if pick(0, &[CURVE25519, NISTP256])? == NISTP256 { &ECDH_P256 } else { &X25519 };
    pick(1, &[CERTIFIED])?;
    let (to_server, to_client) = (pick(2, &TO_SERVER)?, pick(3, &TO_CLIENT)?);
    let mut rest = Rest(init);
    let (_, public) = (rest.byte()?, rest.string()?);
    let failed = |_| io::Error::other("no key agreement");
    let private = EphemeralPrivateKey::generate(curve, &SystemRandom::new()).map_err(failed)?;
    let ours = private.compute_public_key().map_err(failed)?;
    let peer = UnparsedPublicKey::new(curve, public);
    let secret = agree_ephemeral(private, &peer, <[u8]>::to_vec).map_err(failed)?;
    let mut shared = Vec::new();
    put_positive(&mut shared, &secret);

    let blob =
        if *fault == TunnelFault::BareKey { host.key.public_key().to_bytes() } else { host.certificate.to_bytes() };
    let blob = blob.map_err(io::Error::other)?;
    let mut transcript = Vec::new();
    for part in
        [said.client_banner, said.server_banner, said.client_offer, said.server_offer, &blob, public, ours.as_ref()]
    {
        put_string(&mut transcript, part);
    }
    transcript.extend(&shared);
    let hash = Sha256::digest(&transcript).to_vec();
    let signature = sign(host, &hash)?;
    let wants_info =
        session.is_none() && client.first().is_some_and(|names| names.iter().any(|name| name == WANTS_INFO));
    let session = session.unwrap_or(&hash).to_vec();
    let derive = |letter: u8| Sha256::digest([shared.as_slice(), &hash, &[letter], &session].concat()).to_vec();
    Ok(Agreement {
        info: wants_info.then(info),
        reply: message(ECDH_REPLY, &[&blob, ours.as_ref(), &signature]),
        to_server: direction(to_server, &derive(b'C'), &derive(b'A'))?,
        to_client: direction(to_client, &derive(b'D'), &derive(b'B'))?,
        hash,
    })
}

fn info() -> Vec<u8> {
    let mut out = vec![EXT_INFO];
    out.extend(1_u32.to_be_bytes());
    put_string(&mut out, b"server-sig-algs");
    put_string(&mut out, USER_SIGNATURES.as_bytes());
    out
}

/// The lists of names in an offer.
fn lists(offer: &[u8]) -> io::Result<Vec<Vec<String>>> {
    let mut rest = Rest(offer);
    rest.bytes(17)?;
    (0..10).map(|_| Ok(rest.text()?.split(',').map(str::to_owned).collect())).collect()
}

fn sign(host: &SshHost, hash: &[u8]) -> io::Result<Vec<u8>> {
    let signature = signature_of(&host.key, hash)?;
    Ok(message_without_kind(&[b"ssh-ed25519", signature.as_bytes()]))
}

fn signature_of(key: &impl SigningKey, bytes: &[u8]) -> io::Result<Signature> {
    key.try_sign(bytes).map_err(io::Error::other)
}

fn message_without_kind(strings: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for string in strings {
        put_string(&mut out, string);
    }
    out
}

fn direction(name: &str, key: &[u8], nonce: &[u8]) -> io::Result<Direction> {
    let (algorithm, length) = if name.starts_with("aes256") { (&AES_256_GCM, 32) } else { (&AES_128_GCM, 16) };
    let key = key.get(..length).and_then(|key| UnboundKey::new(algorithm, key).ok()).ok_or_else(garbled)?;
    let nonce = nonce.first_chunk::<12>().copied().ok_or_else(garbled)?;
    Ok(Direction { key: LessSafeKey::new(key), nonce })
}
