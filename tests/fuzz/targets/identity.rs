//! The identity file: TLS keys and certificates, and the lines for SSH.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tribunal_teleport::Identity;
use tribunal_teleport::route::fuzzing;

use super::{KIB, MIB, Target};
use crate::mutate::Form;

/// Identities whose certificates are valid until 2126, of keys that nothing else was ever made with.
const IDENTITIES: [&[u8]; 3] =
    [include_bytes!("../identities/ec"), include_bytes!("../identities/ed"), include_bytes!("../identities/rsa")];

/// When they are valid: 2026-12-01.
pub(super) const NOW_SECS: u64 = 1_796_083_200;

const WORDS: &[&[u8]] = &[
    b"-----BEGIN ",
    b"-----END ",
    b"-----",
    b"CERTIFICATE",
    b"PRIVATE KEY",
    b"RSA PRIVATE KEY",
    b"EC PRIVATE KEY",
    b"-----BEGIN CERTIFICATE-----\n",
    b"-----END CERTIFICATE-----\n",
    b"@cert-authority ",
    b"ssh-ed25519",
    b"-cert-v01@openssh.com",
    b"\r\n",
    b"\n",
    b"=",
    b"Proc-Type: 4,ENCRYPTED\n\n",
    b"\xef\xbb\xbf",
    b"\xff",
    // Times and object identifiers in certificates.
    b"\x17\x0d",
    b"\x18\x0f",
    b"99991231235959Z",
    b"00000000000000Z",
    b"\x06\x03\x55\x04\x03",
    b"\x06\x03\x55\x04\x0a",
    b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
    b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
    b"\x30\x80",
    b"\x03\x02\x07",
];

/// The identity that peers are spoken to with.
pub(super) fn own() -> Result<Identity, String> {
    let text = String::from_utf8_lossy(IDENTITIES[0]);
    Identity::parse(&text, now(NOW_SECS)).map_err(|error| error.to_string())
}

pub(super) fn now(seconds: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).unwrap_or(UNIX_EPOCH)
}

pub(super) fn target() -> Result<Target, String> {
    own()?;
    Ok(Target {
        name: "identity",
        form: Form::Pem,
        words: WORDS,
        input_bytes_max: 64 * KIB,
        memory: (MIB, 64),
        seeds: || IDENTITIES.iter().map(|text| text.to_vec()).collect(),
        run: Box::new(run),
    })
}

fn run(case: &[u8]) -> Result<String, String> {
    let text = String::from_utf8_lossy(case);
    let parsed = match Identity::parse(&text, now(NOW_SECS)) {
        Ok(identity) => identity,
        Err(error) => return Ok(error.to_string()),
    };
    if parsed.not_after() <= now(NOW_SECS) {
        return Err("an identity is used that is over".to_owned());
    }
    if parsed.authorities().is_empty() {
        return Err("an identity is used that trusts nobody".to_owned());
    }
    if format!("{parsed:?}").contains("PRIVATE") {
        return Err("the key is shown".to_owned());
    }
    let ssh = super::answer(fuzzing::identity(&parsed));
    Ok(format!("{} roles, {} authorities, SSH: {ssh}", parsed.roles().len(), parsed.authorities().len()))
}
