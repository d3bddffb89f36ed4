//! The identity file: what is accepted, and what each fault is called.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SubjectPublicKeyInfo,
};
use tribunal_teleport::identity::IDENTITY_BYTES_MAX;
use tribunal_teleport::{Identity, InvalidIdentity};

use super::pki::{self, Ca, File};

const RSA: &str = include_str!("keys/rsa-pkcs1.pem");
const RSA_PUBLIC: &str = include_str!("keys/rsa.pub.pem");
const EC: &str = include_str!("keys/ec-sec1.pem");
const EC_PUBLIC: &str = include_str!("keys/ec.pub.pem");

fn parse(text: &str) -> Result<Identity, InvalidIdentity> {
    Identity::parse(text, SystemTime::now())
}

/// That `text` is refused, and with what words.
#[track_caller]
fn refused(text: &str, words: &str) {
    assert_eq!(parse(text).unwrap_err().to_string(), words);
}

#[test]
fn an_identity_says_who_we_are_and_whom_we_trust() {
    let (ca, other) = (Ca::new("root"), Ca::new("root-rotated"));
    let key = KeyPair::generate().unwrap();
    let text = pki::file(&key.serialize_pem(), &ca.sign(&pki::client("bot-tribunal"), &key).pem(), &[&ca, &other]);
    let identity = parse(&text).unwrap();
    assert_eq!(identity.user(), "bot-tribunal");
    assert_eq!(identity.roles(), ["tribunal-role"]);
    assert_eq!(identity.authorities(), ["root", "root-rotated"]);
    assert!(identity.not_after() > SystemTime::now());
}

#[test]
fn every_kind_of_key_is_accepted_whatever_its_label() {
    let ca = Ca::new("root");
    let relabel = |pem: &str, from: &str, to: &str| pem.replace(from, to);
    let certificate_of = |public: &str| {
        let public = SubjectPublicKeyInfo::from_pem(public).unwrap();
        ca.sign(&pki::client("bot-tribunal"), &public).pem()
    };
    let mut cases = vec![
        (RSA.to_owned(), certificate_of(RSA_PUBLIC)),
        (relabel(RSA, "RSA PRIVATE KEY", "PRIVATE KEY"), certificate_of(RSA_PUBLIC)),
        (EC.to_owned(), certificate_of(EC_PUBLIC)),
        (relabel(EC, "EC PRIVATE KEY", "ANYTHING"), certificate_of(EC_PUBLIC)),
    ];
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = ca.sign(&pki::client("bot-tribunal"), &key).pem();
        cases.push((relabel(&key.serialize_pem(), "PRIVATE KEY", "EC PRIVATE KEY"), certificate.clone()));
        cases.push((key.serialize_pem(), certificate));
    }
    for (key, certificate) in cases {
        let text = pki::file(&key, &certificate, &[&ca]);
        assert_eq!(parse(&text).unwrap().user(), "bot-tribunal");
        assert_eq!(parse(&text.replace('\n', "\r\n")).unwrap().user(), "bot-tribunal");
    }
}

#[test]
fn what_is_missing_is_named() {
    let ca = Ca::new("root");
    let key = KeyPair::generate().unwrap();
    let certificate = ca.sign(&pki::client("bot-tribunal"), &key).pem();
    let no_blocks =
        "has no PEM block; it is not an identity file: have tbot, or `tctl auth sign --format=file`, write one";
    refused("", no_blocks);
    refused("hello\n", no_blocks);
    refused(
        &pki::file("", &certificate, &[&ca]),
        "has no private key: its first PEM block must be one; use the file `identity`, not a certificate, from tbot's output",
    );
    refused(
        &pki::file(&key.serialize_pem(), "", &[]),
        "has no TLS certificate after its private key; have tbot write it anew",
    );
    refused(
        &pki::file(&key.serialize_pem(), &certificate, &[]),
        "has no CA certificate after the client certificate; have tbot write it anew, with TLS CAs",
    );
    let mut nobody = CertificateParams::default();
    nobody.distinguished_name = DistinguishedName::new();
    refused(
        &pki::file(&key.serialize_pem(), &ca.sign(&nobody, &key).pem(), &[&ca]),
        "its certificate names no user; use an identity that Teleport's user CA signed",
    );
}

#[test]
fn a_key_of_somebody_else_is_noticed() {
    let ca = Ca::new("root");
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = ca.sign(&pki::client("bot-tribunal"), &key).pem();
    refused(
        &pki::file(&other.serialize_pem(), &certificate, &[&ca]),
        "its private key does not belong to its certificate; have tbot write both anew",
    );
}

#[test]
fn a_block_that_is_neither_key_nor_certificate_is_noticed() {
    let ca = Ca::new("root");
    let key = KeyPair::generate().unwrap();
    let certificate = ca.sign(&pki::client("bot-tribunal"), &key).pem();
    let twice = format!("{}{}", key.serialize_pem(), key.serialize_pem());
    assert!(matches!(
        parse(&pki::file(&twice, &certificate, &[&ca])),
        Err(InvalidIdentity::UnexpectedBlock { label, .. }) if label == "PRIVATE KEY"
    ));
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert!(matches!(parse(&pki::file(garbage, &certificate, &[&ca])), Err(InvalidIdentity::UnsupportedKey)));
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(matches!(
        parse(&pki::file(&key.serialize_pem(), garbage, &[&ca])),
        Err(InvalidIdentity::BadCertificate { .. })
    ));
}

#[test]
fn a_file_cut_anywhere_is_refused_or_still_whole() {
    let ca = Ca::new("root");
    let text = pki::identity(&ca, "bot-tribunal");
    let whole = text.trim_end().len();
    for end in 0..whole {
        let identity = parse(text.get(..end).unwrap());
        assert!(identity.is_err(), "cut at {end} of {whole}: {identity:?}");
    }
    let inside_of_the_key = text.find("-----END").unwrap() - 10;
    refused(
        text.get(..inside_of_the_key).unwrap(),
        "the PEM block `PRIVATE KEY` that begins in line 1 is truncated or garbled; have tbot write it anew",
    );
}

#[test]
fn an_identity_is_good_from_its_first_second_until_its_last() {
    let ca = Ca::new("root");
    let key = KeyPair::generate().unwrap();
    let mut params = pki::client("bot-tribunal");
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2026, 1, 2);
    let text = pki::file(&key.serialize_pem(), &ca.sign(&params, &key).pem(), &[&ca]);
    let day = Duration::from_secs(86_400);
    let first = UNIX_EPOCH + Duration::from_secs(1_767_225_600);
    let parse = |now| Identity::parse(&text, now).map(|identity| identity.not_after());
    assert_eq!(parse(first).unwrap(), first + day);
    assert_eq!(
        parse(first - Duration::from_secs(1)).unwrap_err().to_string(),
        "is not valid before 2026-01-01T00:00:00Z; check this machine's clock"
    );
    parse(first + day - Duration::from_secs(1)).unwrap();
    assert_eq!(
        parse(first + day).unwrap_err().to_string(),
        "expired at 2026-01-02T00:00:00Z; check that tbot runs and renews it"
    );
}

#[test]
fn an_identity_does_not_show_its_key() {
    let ca = Ca::new("root");
    let text = pki::identity(&ca, "bot-tribunal");
    let shown = format!("{:?}", parse(&text).unwrap());
    assert!(shown.contains("bot-tribunal"));
    for line in text.lines().filter(|line| line.len() > 20) {
        assert!(!shown.contains(line));
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named_with_the_reason() {
    let file = File::new("");
    let missing = file.path().with_file_name("missing");
    let error = Identity::load(&missing).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "identity file `{}`: does not exist; point `identity-file` (or `-i`) at the file that tbot's `identity` service writes",
            missing.display()
        )
    );
    let directory = file.path().parent().unwrap().to_owned();
    let error = Identity::load(&directory).await.unwrap_err();
    assert!(matches!(error.problem, InvalidIdentity::Unreadable(_)), "{error}");
    file.replace(&"x".repeat(usize::try_from(IDENTITY_BYTES_MAX).unwrap() + 1));
    let error = Identity::load(&file.path()).await.unwrap_err();
    assert!(matches!(error.problem, InvalidIdentity::TooLarge), "{error}");
    std::fs::write(file.path(), [0xff, 0xfe, b'\n']).unwrap();
    let error = Identity::load(&file.path()).await.unwrap_err();
    assert!(matches!(error.problem, InvalidIdentity::NoBlocks), "{error}");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(-----BEGIN [A-Z ]{0,12}-----|-----END [A-Z ]{0,12}-----|[A-Za-z0-9+/=]{0,20}|\n){0,12}") {
        proptest::prop_assert!(parse(&text).is_err());
    }
}
