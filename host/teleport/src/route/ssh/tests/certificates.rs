//! Certificates of hosts: which are believed.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject as _;
use ssh_key::certificate::{Builder, CertType};
use ssh_key::rand_core::OsRng;
use ssh_key::{Algorithm, EcdsaCurve, PrivateKey};

use crate::route::ssh::certificate::{Certificate, Distrust};
use crate::route::ssh::key::PublicKey;
use crate::route::ssh::wire::Writer;

const FROM: u64 = 1_000_000;
const UNTIL: u64 = 2_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut OsRng, algorithm).unwrap()
}

/// A certificate of a host called `proxy`, changed, and the authority's key.
fn signed(authority: &PrivateKey, kind: CertType, change: impl FnOnce(&mut Builder)) -> (Vec<u8>, Vec<u8>) {
    let subject = key(Algorithm::Ed25519);
    let mut builder =
        Builder::new_with_random_nonce(&mut OsRng, subject.public_key().key_data().clone(), FROM, UNTIL).unwrap();
    builder.cert_type(kind).unwrap();
    builder.key_id("x").unwrap();
    builder.extension("x-teleport-role", "Proxy").unwrap();
    change(&mut builder);
    (builder.sign(authority).unwrap().to_bytes().unwrap(), authority.public_key().to_bytes().unwrap())
}

fn named(builder: &mut Builder) {
    builder.valid_principal("other").unwrap();
    builder.valid_principal("proxy").unwrap();
}

fn verdict(blob: &[u8], host: &str, authorities: &[Vec<u8>], now: SystemTime) -> Result<(), Distrust> {
    Certificate::parse(blob).unwrap().verify_host(host, authorities, now)
}

#[test]
fn a_hosts_certificate_is_believed_for_its_names_and_its_time_if_an_authority_signed_it() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }] {
        let (blob, authority) = signed(&key(algorithm), CertType::Host, named);
        let authorities = [vec![1], authority];
        for host in ["proxy", "other", "PROXY"] {
            assert_eq!(verdict(&blob, host, &authorities, at(FROM)), Ok(()));
        }
        assert_eq!(verdict(&blob, "proxy", &authorities, at(UNTIL - 1)), Ok(()));
        assert_eq!(verdict(&blob, "proxy", &authorities, at(FROM - 1)), Err(Distrust::Time));
        assert_eq!(verdict(&blob, "proxy", &authorities, at(UNTIL)), Err(Distrust::Time));
        for host in ["prox", "proxy.", "*", ""] {
            assert_eq!(verdict(&blob, host, &authorities, at(FROM)), Err(Distrust::Name));
        }
        assert_eq!(verdict(&blob, "proxy", &authorities[..1], at(FROM)), Err(Distrust::Authority));
        assert_eq!(verdict(&blob, "proxy", &[], at(FROM)), Err(Distrust::Authority));
    }
}

#[test]
fn what_is_for_no_host_or_for_all_is_not_believed() {
    let authority = key(Algorithm::Ed25519);
    let of_user = signed(&authority, CertType::User, named);
    let for_all = signed(&authority, CertType::Host, |builder| {
        builder.all_principals_valid().unwrap();
    });
    let critical = signed(&authority, CertType::Host, |builder| {
        named(builder);
        builder.critical_option("only-on-sundays", "").unwrap();
    });
    for ((blob, authority), expected) in [
        (of_user, Distrust::NotOfAHost),
        (for_all, Distrust::Name),
        (critical, Distrust::Critical("only-on-sundays".to_owned())),
    ] {
        assert_eq!(verdict(&blob, "proxy", &[authority], at(FROM)), Err(expected));
    }
}

#[test]
fn every_changed_bit_of_a_certificate_is_noticed() {
    let (blob, authority) = signed(&key(Algorithm::Ed25519), CertType::Host, named);
    let authorities = [authority];
    for bit in 0..blob.len() * 8 {
        let mut changed = blob.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let believed = Certificate::parse(&changed)
            .is_ok_and(|certificate| certificate.verify_host("proxy", &authorities, at(FROM)).is_ok());
        assert!(!believed, "bit {bit}");
    }
    for end in 0..blob.len() {
        assert!(Certificate::parse(&blob[..end]).is_err());
    }
}

/// A certificate of `proxy` whose authority has an RSA key, as in clusters of the legacy suite, signed in this way; and the
/// authority's key.
fn signed_by_rsa(kind: &str, padding: &'static dyn RsaEncoding) -> (Vec<u8>, Vec<u8>) {
    let pem = include_bytes!("../../../../tests/it/keys/rsa-pkcs1.pem");
    let der = PrivatePkcs1KeyDer::from_pem_slice(pem).unwrap();
    let authority = RsaKeyPair::from_der(der.secret_pkcs1_der()).unwrap();
    let numbers = RsaPublicKeyComponents::<Vec<u8>>::from(authority.public());
    let public = Writer::default().string("ssh-rsa").number(&numbers.e).number(&numbers.n).finish();
    let time = |seconds: u64| seconds.to_be_bytes();
    let unsigned = Writer::default()
        .string("ssh-rsa-cert-v01@openssh.com")
        .string("nonce")
        .number(&numbers.e)
        .number(&numbers.n)
        .raw(&time(7))
        .u32(2)
        .string("id")
        .string(Writer::default().string("proxy").finish())
        .raw(&time(FROM))
        .raw(&time(u64::MAX))
        .string("")
        .string("")
        .string("")
        .string(&public)
        .finish();
    let mut signature = vec![0; authority.public().modulus_len()];
    authority.sign(padding, &SystemRandom::new(), &unsigned, &mut signature).unwrap();
    let signature = Writer::default().string(kind).string(signature).finish();
    (Writer::default().raw(&unsigned).string(signature).finish(), public)
}

#[test]
fn an_authority_with_an_rsa_key_is_believed_by_sha_2_alone() {
    let verdict_on = |kind: &str, padding: &'static dyn RsaEncoding| {
        let (blob, authority) = signed_by_rsa(kind, padding);
        verdict(&blob, "proxy", &[authority], at(UNTIL * 1000))
    };
    assert_eq!(verdict_on("rsa-sha2-512", &RSA_PKCS1_SHA512), Ok(()));
    assert_eq!(verdict_on("rsa-sha2-256", &RSA_PKCS1_SHA256), Ok(()));
    for (kind, padding) in
        [("ssh-rsa", &RSA_PKCS1_SHA256), ("rsa-sha2-512", &RSA_PKCS1_SHA256), ("", &RSA_PKCS1_SHA256)]
    {
        assert_eq!(verdict_on(kind, padding), Err(Distrust::Signature), "{kind}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_parsers_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _parsed = PublicKey::parse(&bytes);
        let named: Vec<u8> = [b"\0\0\0\x20ssh-ed25519-cert-v01@openssh.com".as_slice(), &bytes].concat();
        let _parsed = Certificate::parse(&named);
        let _parsed = Certificate::parse(&bytes);
        for kind in ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"] {
            let length = [0, 0, 0, u8::try_from(kind.len()).unwrap()];
            let signature = [length.as_slice(), kind.as_bytes(), &bytes].concat();
            for key in [
                PublicKey::Ed25519(bytes.clone()),
                PublicKey::P256(bytes.clone()),
                PublicKey::Rsa { exponent: vec![1, 0, 1], modulus: bytes.clone() },
            ] {
                proptest::prop_assert!(!key.has_signed(b"message", &signature, &[kind]));
            }
        }
    }
}
