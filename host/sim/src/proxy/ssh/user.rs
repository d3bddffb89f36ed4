//! Who may come in (`keyAuth` and `checkClientCert` of `lib/reversetunnel/srv.go`): users with a certificate of the cluster's user authority that
//! names their login and their roles, and is valid. It must never take a signature on trust.

use std::io;

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use ssh_key::certificate::CertType;
use ssh_key::public::{EcdsaPublicKey, KeyData};
use ssh_key::{Certificate, HashAlg};

use super::bytes::{Rest, garbled, message, put_string};
use super::transport::Transport;
use crate::clock::{Moment, machine_now};

const DISCONNECT: u8 = 1;
const SERVICE_REQUEST: u8 = 5;
const SERVICE_ACCEPT: u8 = 6;
const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_FAILURE: u8 = 51;
const USERAUTH_SUCCESS: u8 = 52;
const USERAUTH_PK_OK: u8 = 60;
/// How often a user may try.
const ATTEMPTS_MAX: usize = 6;
/// The certificate's extension with the roles (`api/constants`, `CertExtensionTeleportRoles`).
const ROLES: &str = "teleport-roles";

/// What a request comes to.
enum Claim {
    /// It is signed, and all is well.
    Proven,
    /// It only asks whether the certificate would do, and it would.
    Welcome { algorithm: String, blob: Vec<u8> },
}

/// Whether the client proved to be a user.
pub(super) async fn authenticate(transport: &mut Transport, authorities: &[KeyData]) -> io::Result<bool> {
    let request = transport.read().await?;
    if request != message(SERVICE_REQUEST, &[b"ssh-userauth"]) {
        return Err(io::Error::other("not a request for authentication"));
    }
    transport.write(&message(SERVICE_ACCEPT, &[b"ssh-userauth"])).await?;
    for _ in 0..ATTEMPTS_MAX {
        let Ok(request) = transport.read().await else { return Ok(false) };
        match request.first() {
            Some(&DISCONNECT) => return Ok(false),
            Some(&USERAUTH_REQUEST) => {}
            Some(_) | None => return Err(garbled()),
        }
        match check(&request, transport.session(), authorities, machine_now()) {
            Ok(Claim::Proven) => {
                transport.write(&[USERAUTH_SUCCESS]).await?;
                return Ok(true);
            }
            Ok(Claim::Welcome { algorithm, blob }) => {
                transport.write(&message(USERAUTH_PK_OK, &[algorithm.as_bytes(), &blob])).await?;
                continue;
            }
            Err(error) => tracing::debug!(%error, "SSH user refused"),
        }
        let mut failure = message(USERAUTH_FAILURE, &[b"publickey"]);
        failure.push(0);
        transport.write(&failure).await?;
    }
    Ok(false)
}

fn check(request: &[u8], session: &[u8], authorities: &[KeyData], now: Moment) -> io::Result<Claim> {
    let mut rest = Rest(request);
    let (_, user, service, method) = (rest.byte()?, rest.text()?, rest.text()?, rest.text()?);
    if service != "ssh-connection" || method != "publickey" {
        return Err(io::Error::other("only public keys are accepted"));
    }
    let (is_signed, algorithm, blob) = (rest.byte()? == 1, rest.text()?, rest.string()?);
    let signed = request.get(..request.len() - rest.0.len()).ok_or_else(garbled)?;
    let certificate =
        Certificate::from_bytes(blob).map_err(|_| io::Error::other("server doesn't support provided key type"))?;
    verify_certificate(&certificate, &user, authorities, now)?;
    if !is_signed {
        return Ok(Claim::Welcome { algorithm, blob: blob.to_vec() });
    }
    let mut message = Vec::new();
    put_string(&mut message, session);
    message.extend(signed);
    verify(certificate.public_key(), &algorithm, &message, rest.string()?).map(|()| Claim::Proven)
}

/// That the certificate is what an authority of the cluster gave to this user, and is valid.
fn verify_certificate(certificate: &Certificate, user: &str, authorities: &[KeyData], now: Moment) -> io::Result<()> {
    if certificate.cert_type() != CertType::User {
        return Err(io::Error::other("unsupported cert type"));
    }
    if !certificate.extensions().contains_key(ROLES) {
        return Err(io::Error::other("certificate missing roles"));
    }
    if !certificate.valid_principals().iter().any(|principal| principal == user) {
        return Err(io::Error::other("principal not in the set of valid principals"));
    }
    let prints: Vec<_> = authorities.iter().map(|key| key.fingerprint(HashAlg::Sha256)).collect();
    let seconds = u64::try_from(now.unix_ms() / 1000).unwrap_or(0);
    certificate.validate_at(seconds, &prints).map_err(io::Error::other)
}

fn verify(key: &KeyData, algorithm: &str, message: &[u8], signature: &[u8]) -> io::Result<()> {
    let mut rest = Rest(signature);
    let (kind, value) = (rest.text()?, rest.string()?);
    if algorithm != format!("{kind}-cert-v01@openssh.com") {
        return Err(io::Error::other("another kind of signature than was announced"));
    }
    let verified = match (key, kind.as_str()) {
        (KeyData::Ed25519(key), "ssh-ed25519") => UnparsedPublicKey::new(&ED25519, key.0).verify(message, value),
        (KeyData::Ecdsa(EcdsaPublicKey::NistP256(point)), "ecdsa-sha2-nistp256") => {
            let fixed = fixed(value)?;
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_bytes()).verify(message, &fixed)
        }
        (KeyData::Rsa(key), "rsa-sha2-256" | "rsa-sha2-512") => {
            let hash = if kind == "rsa-sha2-256" { &RSA_PKCS1_2048_8192_SHA256 } else { &RSA_PKCS1_2048_8192_SHA512 };
            let (n, e) =
                (key.n.as_positive_bytes().ok_or_else(garbled)?, key.e.as_positive_bytes().ok_or_else(garbled)?);
            RsaPublicKeyComponents { n, e }.verify(hash, message, value)
        }
        (_, _) => return Err(io::Error::other("unsupported kind of key")),
    };
    verified.map_err(|_| io::Error::other("signature verification failed"))
}

/// The two numbers of an ECDSA signature, 32 bytes each.
fn fixed(value: &[u8]) -> io::Result<Vec<u8>> {
    let mut rest = Rest(value);
    let mut out = Vec::new();
    for _ in 0..2 {
        let digits: Vec<u8> = rest.string()?.iter().copied().skip_while(|byte| *byte == 0).collect();
        let zeros = 32_usize.checked_sub(digits.len()).ok_or_else(garbled)?;
        out.extend(vec![0; zeros]);
        out.extend(digits);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::cluster::Caller;
    use crate::pki::authority::Authority;
    use crate::pki::{IdentityKey, IdentityOrder, KeyForm};

    fn certificate(authority: &Authority) -> Certificate {
        let now = machine_now();
        let order = IdentityOrder {
            holder: Caller::person("alice", &["access"]),
            not_before: now,
            not_after: now.plus_ms(60_000),
            ssh_not_after: now.plus_ms(60_000),
            key: IdentityKey::Ed25519,
            form: KeyForm::default(),
        };
        let line = authority.issue(&order, &[authority]).unwrap().identity.ssh_certificate;
        Certificate::from_openssh(line.trim()).unwrap()
    }

    #[test]
    fn a_certificate_counts_for_its_user_its_time_and_its_authority() {
        let authority = Authority::new("one").unwrap();
        let ours = [authority.ssh_user_key()];
        let now = machine_now();
        let certificate = certificate(&authority);
        assert!(verify_certificate(&certificate, "alice", &ours, now).is_ok());
        assert!(verify_certificate(&certificate, "bob", &ours, now).is_err());
        assert!(verify_certificate(&certificate, "alice", &ours, now.plus_ms(120_000)).is_err());
        assert!(verify_certificate(&certificate, "alice", &ours, now.plus_ms(-120_000)).is_err());
        let theirs = [Authority::new("one").unwrap().ssh_user_key()];
        assert!(verify_certificate(&certificate, "alice", &theirs, now).is_err());
    }

    #[test]
    fn a_hosts_certificate_is_not_a_users() {
        let authority = Authority::new("one").unwrap();
        let now = machine_now();
        let host = authority.ssh_host(&["alice".to_owned()], now.plus_ms(60_000)).unwrap();
        assert!(verify_certificate(&host.certificate, "alice", &[authority.ssh_user_key()], now).is_err());
    }
}
