//! Key exchange (RFC 4253, sections 7 and 8; RFC 5656; RFC 8731): elliptic curves, a certified host key, AES-GCM.
//!
//! Must never give keys that a host made whose certificate it did not verify.

use std::time::SystemTime;

use ring::agreement::{Algorithm, ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{Context, SHA256};
use ring::rand::SystemRandom;

use super::certificate::Certificate;
use super::failure::Problem;
use super::key::{ED25519_KEY, P256_KEY, RSA_SHA256, RSA_SHA512};
use super::message::{ECDH_INIT, ECDH_REPLY, KEXINIT};
use super::packet::{Cipher, PacketKey};
use super::wire::{Garbled, Reader, Writer};

/// That no other message may come before keys are agreed on (OpenSSH's `PROTOCOL`, "strict kex"): so it is here anyway.
const STRICT: &str = "kex-strict-c-v00@openssh.com";
const EXCHANGES: [&str; 3] = ["curve25519-sha256", "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256"];
const CIPHERS: [&str; 2] = ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com"];
/// Named for servers that want one; AES-GCM needs none.
const MACS: [&str; 1] = ["hmac-sha2-256-etm@openssh.com"];
const COMPRESSIONS: [&str; 1] = ["none"];
const HOST_KEYS: [(&str, &str); 4] = [
    ("ssh-ed25519-cert-v01@openssh.com", ED25519_KEY),
    ("ecdsa-sha2-nistp256-cert-v01@openssh.com", P256_KEY),
    ("rsa-sha2-512-cert-v01@openssh.com", RSA_SHA512),
    ("rsa-sha2-256-cert-v01@openssh.com", RSA_SHA256),
];
const COOKIE_BYTES: usize = 16;

/// Whom to believe to be the proxy.
#[derive(Clone, Debug)]
pub(super) struct Trust {
    /// The name that it was asked by.
    pub(super) host: String,
    /// The keys of the `@cert-authority` lines.
    pub(super) authorities: Vec<Vec<u8>>,
}

/// The banners of both sides, without line ends.
#[derive(Clone, Debug)]
pub(super) struct Banners {
    pub(super) ours: Vec<u8>,
    pub(super) theirs: Vec<u8>,
}

/// Our part of an exchange: begun, and not answered.
pub(super) struct Offer {
    message: Vec<u8>,
}

/// An exchange whose algorithms are agreed on.
pub(super) struct Exchange {
    ours: Vec<u8>,
    theirs: Vec<u8>,
    algorithm: &'static Algorithm,
    private: EphemeralPrivateKey,
    public: Vec<u8>,
    /// The kind of signature of the host key.
    signature: &'static str,
    to_server: Cipher,
    to_client: Cipher,
}

/// What an exchange led to.
pub(super) struct Keys {
    pub(super) seal: PacketKey,
    pub(super) open: PacketKey,
    /// The hash of the exchange; that of the first one names the session.
    pub(super) hash: Vec<u8>,
}

// === impl Offer ===

impl Offer {
    pub(super) fn new() -> Result<Self, Problem> {
        let mut cookie = [0; COOKIE_BYTES];
        getrandom::fill(&mut cookie).map_err(|error| Problem::Protocol(format!("no randomness: {error}")))?;
        let exchanges: Vec<&str> = EXCHANGES.into_iter().chain([STRICT]).collect();
        let host_keys = HOST_KEYS.map(|(name, _)| name);
        let message = Writer::message(KEXINIT)
            .raw(&cookie)
            .names(&exchanges)
            .names(&host_keys)
            .names(&CIPHERS)
            .names(&CIPHERS)
            .names(&MACS)
            .names(&MACS)
            .names(&COMPRESSIONS)
            .names(&COMPRESSIONS)
            .names(&[])
            .names(&[])
            .boolean(false)
            .u32(0)
            .finish();
        Ok(Self { message })
    }

    /// The message to send.
    pub(super) fn message(&self) -> &[u8] {
        &self.message
    }

    /// What follows from the server's offer: an exchange, and our next message.
    pub(super) fn answered(self, theirs: &[u8]) -> Result<(Exchange, Vec<u8>), Problem> {
        let offer = Theirs::parse(theirs).map_err(|Garbled| Problem::protocol("its offer of algorithms is garbled"))?;
        let exchange = common("key exchange", &EXCHANGES, &offer.exchanges)?;
        let host_key = common("kind of host certificate", &HOST_KEYS.map(|(name, _)| name), &offer.host_keys)?;
        let to_server = common("cipher", &CIPHERS, &offer.to_server)?;
        let to_client = common("cipher", &CIPHERS, &offer.to_client)?;
        common("compression", &COMPRESSIONS, &offer.compressions)?;
        let algorithm: &'static Algorithm = if exchange == "ecdh-sha2-nistp256" { &ECDH_P256 } else { &X25519 };
        let keyless = |_| Problem::protocol("no ephemeral key can be made");
        let private = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).map_err(keyless)?;
        let public = private.compute_public_key().map_err(keyless)?.as_ref().to_vec();
        let next = Writer::message(ECDH_INIT).string(&public).finish();
        let signature = HOST_KEYS.into_iter().find_map(|(name, kind)| (name == host_key).then_some(kind));
        let exchange = Exchange {
            ours: self.message,
            theirs: theirs.to_vec(),
            algorithm,
            private,
            public,
            signature: signature.unwrap_or_default(),
            to_server: cipher(to_server),
            to_client: cipher(to_client),
        };
        Ok((exchange, next))
    }
}

/// The server's offer, as far as it matters.
struct Theirs<'a> {
    exchanges: Vec<&'a str>,
    host_keys: Vec<&'a str>,
    to_server: Vec<&'a str>,
    to_client: Vec<&'a str>,
    compressions: Vec<&'a str>,
}

impl<'a> Theirs<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Garbled> {
        let mut reader = Reader::new(message);
        let _kind = reader.byte()?;
        for _ in 0..COOKIE_BYTES {
            reader.byte()?;
        }
        let (exchanges, host_keys) = (reader.names()?, reader.names()?);
        let (to_server, to_client) = (reader.names()?, reader.names()?);
        let _macs = (reader.names()?, reader.names()?);
        let compressions = (reader.names()?, reader.names()?);
        let _languages = (reader.names()?, reader.names()?);
        let both = compressions.0.into_iter().filter(|name| compressions.1.contains(name)).collect();
        Ok(Self { exchanges, host_keys, to_server, to_client, compressions: both })
    }
}

/// The first of ours that is among theirs.
fn common(what: &'static str, ours: &[&'static str], theirs: &[&str]) -> Result<&'static str, Problem> {
    ours.iter().copied().find(|name| theirs.contains(name)).ok_or_else(|| Problem::NothingInCommon {
        what,
        theirs: super::failure::said(theirs.join(", ").as_bytes()),
        ours: ours.join(", "),
    })
}

fn cipher(name: &str) -> Cipher {
    if name == "aes256-gcm@openssh.com" { Cipher::Aes256Gcm } else { Cipher::Aes128Gcm }
}

// === impl Exchange ===

impl Exchange {
    /// The keys that follow from the server's answer, if it proves to be who it should be. `session` is the name of the
    /// session, once there is one.
    pub(super) fn finish(
        self,
        answer: &[u8],
        banners: &Banners,
        trust: &Trust,
        session: Option<&[u8]>,
    ) -> Result<Keys, Problem> {
        let garbled = |Garbled| Problem::protocol("its answer in the key exchange is garbled");
        let Answer { certificate: certificate_blob, public, signature } = Answer::parse(answer).map_err(garbled)?;
        let certificate = Certificate::parse(certificate_blob)
            .map_err(|Garbled| Problem::Untrusted("it shows a host key that is no certificate".to_owned()))?;
        // INVARIANT: nobody is believed to be the proxy before its certificate is.
        certificate
            .verify_host(&trust.host, &trust.authorities, SystemTime::now())
            .map_err(|distrust| Problem::distrust(distrust, &trust.host, &certificate))?;
        let (algorithm, to_server, to_client) = (self.algorithm, self.to_server, self.to_client);
        let (ours, theirs, ours_public, kind) = (self.ours, self.theirs, self.public, self.signature);
        let peer = UnparsedPublicKey::new(algorithm, public);
        let secret = agree_ephemeral(self.private, &peer, |secret| Writer::default().number(secret).finish())
            .map_err(|_| Problem::protocol("its public key in the key exchange is impossible"))?;
        let hashed = Writer::default()
            .string(&banners.ours)
            .string(&banners.theirs)
            .string(&ours)
            .string(&theirs)
            .string(certificate_blob)
            .string(&ours_public)
            .string(public)
            .raw(&secret)
            .finish();
        let hash = digest(&[&hashed]);
        if !certificate.key.has_signed(&hash, signature, &[kind]) {
            return Err(Problem::Untrusted("it does not prove that it has the key of its certificate".to_owned()));
        }
        let session = session.unwrap_or(&hash);
        let derive = |letter: u8| digest(&[&secret, &hash, &[letter], session]);
        Ok(Keys {
            seal: to_server.key(&derive(b'C'), &derive(b'A'))?,
            open: to_client.key(&derive(b'D'), &derive(b'B'))?,
            hash,
        })
    }
}

/// The server's answer, in blobs.
struct Answer<'a> {
    certificate: &'a [u8],
    public: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Answer<'a> {
    fn parse(message: &'a [u8]) -> Result<Self, Garbled> {
        let mut reader = Reader::new(message);
        if reader.byte()? != ECDH_REPLY {
            return Err(Garbled);
        }
        let answer = Self { certificate: reader.string()?, public: reader.string()?, signature: reader.string()? };
        reader.end()?;
        Ok(answer)
    }
}

fn digest(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}
