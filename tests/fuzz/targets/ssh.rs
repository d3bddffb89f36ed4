//! SSH to a proxy: a certificate, the packets up to the agreement on keys, and those of a session. The first byte says
//! which.

use std::sync::OnceLock;

use tokio::runtime::Runtime;
use tribunal_teleport::Identity;
use tribunal_teleport::route::fuzzing;

use super::{KIB, MIB, Target, answer, identity, peer};
use crate::mutate::{Form, messages, script};

const WORDS: &[&[u8]] = &[
    b"ssh-ed25519",
    b"ssh-rsa",
    b"ecdsa-sha2-nistp256",
    b"nistp256",
    b"rsa-sha2-512",
    b"-cert-v01@openssh.com",
    b"SSH-2.0-x\r\n",
    b"SSH-1.99-y\n",
    b"curve25519-sha256",
    b"aes128-gcm@openssh.com",
    b"none",
    b"ssh-userauth",
    b"keepalive@openssh.com",
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x00\x20\x00\x00",
    b"\x5d\x00\x00\x00\x00",
    b"\x5e\x00\x00\x00\x00",
    b"\x06",
    b"\x34",
    b"\x5b",
    b"\x63\x00\x00\x00\x00",
    b"\x60\x00\x00\x00\x00",
    b"\x61\x00\x00\x00\x00",
    b"\x14",
    b"\x1f",
    b"\x15",
    b"\x50",
    b"\x01",
    b"\x02",
    b"\x03",
    b"\x5a",
];

/// Which part a case is for.
const CERTIFICATE: u8 = 0;
const HANDSHAKE: u8 = 1;
const SESSION: u8 = 2;
/// The same, of a server that falls silent instead of hanging up.
const SILENT: u8 = 4;

pub(super) fn target() -> Result<Target, String> {
    let (own, runtime) = (identity::own()?, peer::runtime()?);
    Ok(Target {
        name: "ssh",
        form: Form::Script,
        words: WORDS,
        input_bytes_max: 512 * KIB,
        // A packet of 256 KiB, a window of 2 MiB, and what waits to be sent.
        memory: (8 * MIB, 16),
        seeds,
        run: Box::new(move |case| run(&own, &runtime, case)),
    })
}

fn run(own: &Identity, runtime: &Runtime, case: &[u8]) -> Result<String, String> {
    let Some((first, rest)) = case.split_first() else { return Ok(String::new()) };
    let messages = messages(rest);
    let hangs_up = first & SILENT == 0;
    match first & 3 {
        CERTIFICATE => {
            let blob = messages.first().copied().unwrap_or_default();
            // The authority that signed the seeds, or one that the blob names itself, which must not help it.
            let authority = authority();
            let told = fuzzing::certificate(
                blob,
                "localhost",
                std::slice::from_ref(authority),
                identity::now(identity::NOW_SECS),
            );
            if told.is_ok() {
                return Err("a certificate is believed whose signature nobody made".to_owned());
            }
            Ok(answer(told))
        }
        HANDSHAKE => {
            let mut bytes = messages.first().copied().unwrap_or_default().to_vec();
            bytes.extend(packets(messages.get(1..).unwrap_or_default())?);
            let told = peer::hears(runtime, &bytes, hangs_up, |stream| with_deadline(fuzzing::handshake(stream, own)));
            if told == Ok(()) {
                return Err("keys are agreed on with a server that has no certificate".to_owned());
            }
            Ok(answer(told))
        }
        // SESSION, and what is none.
        _ => {
            let bytes = packets(&messages)?;
            let told = peer::hears(runtime, &bytes, hangs_up, |stream| with_deadline(fuzzing::session(stream, own)));
            if let Ok(read) = told
                && usize::try_from(read).is_ok_and(|read| read > bytes.len())
            {
                return Err(format!("{read} bytes were read from a channel in {} bytes", bytes.len()));
            }
            Ok(answer(told))
        }
    }
}

/// The deadline is that of whoever opens a way: there is one of eight seconds around a handshake, and of three minutes in
/// an open channel. An hour is beyond both.
async fn with_deadline<T>(told: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let hour = std::time::Duration::from_secs(3_600);
    tokio::time::timeout(hour, told).await.unwrap_or_else(|_| Err("late".to_owned()))
}

fn packets(messages: &[&[u8]]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    messages.iter().try_for_each(|message| fuzzing::packet(message, &mut bytes))?;
    Ok(bytes)
}

fn authority() -> &'static Vec<u8> {
    static AUTHORITY: OnceLock<Vec<u8>> = OnceLock::new();
    AUTHORITY.get_or_init(|| string(&[b"ssh-ed25519", &[7; 32]]))
}

/// Strings of SSH in a row.
fn string(parts: &[&[u8]]) -> Vec<u8> {
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
    parts.iter().flat_map(|part| [length(part).to_vec(), part.to_vec()].concat()).collect()
}

fn seeds() -> Vec<Vec<u8>> {
    let confirmed = [&[91, 0, 0, 0, 0, 0, 0, 0, 9, 0, 32, 0, 0, 0, 0, 128, 0][..]].concat();
    let data = [&[94, 0, 0, 0, 0][..], &string(&[b"hello"])].concat();
    let extended = [&[95, 0, 0, 0, 0, 0, 0, 0, 1][..], &string(&[b"no such host"])].concat();
    let request = [&[98, 0, 0, 0, 0][..], &string(&[b"exit-status"]), &[1]].concat();
    let keepalive = [&[80][..], &string(&[b"keepalive@openssh.com"]), &[1]].concat();
    let accept = [&[6][..], &string(&[b"ssh-userauth"])].concat();
    let bye = [&[1, 0, 0, 0, 2][..], &string(&[b"bye", b""])].concat();
    let failure = [&[92, 0, 0, 0, 0, 0, 0, 0, 1][..], &string(&[b"administratively prohibited", b""])].concat();
    let refused = [&[51][..], &string(&[b"publickey"]), &[0]].concat();
    let adjust: &[u8] = &[93, 0, 0, 0, 0, 0, 1, 0, 0];
    let (success, dialed, not_dialed): (&[u8], &[u8], &[u8]) = (&[52], &[99, 0, 0, 0, 0], &[100, 0, 0, 0, 0]);
    let (eof, close): (&[u8], &[u8]) = (&[96, 0, 0, 0, 0], &[97, 0, 0, 0, 0]);
    let opened: [&[u8]; 4] = [&accept, success, &confirmed, dialed];
    let session = |more: &[&[u8]]| script(SESSION, opened.into_iter().chain(more.iter().copied()));
    let kexinit = kexinit();
    let answer = [&[31][..], &string(&[&certificate(), &[5; 32], &string(&[b"ssh-ed25519", &[6; 64]])])].concat();
    vec![
        script(CERTIFICATE, [certificate().as_slice()]),
        script(HANDSHAKE, [&b"SSH-2.0-Teleport\r\n"[..], &kexinit, &answer, &[21]]),
        script(HANDSHAKE, [&b"SSH-1.99-old\n"[..], &[2, 0, 0, 0, 0], &kexinit]),
        script(HANDSHAKE | SILENT, [&b"SSH-2.0-x\r\n"[..]]),
        script(HANDSHAKE, [&b"HTTP/1.1 400 Bad Request\r\n"[..]]),
        session(&[&data, &request, &keepalive, adjust, &data, eof, close]),
        session(&[&extended, close]),
        session(&[&kexinit, &answer, &[21], &data]),
        session(&[&bye]),
        session(&[&[90, 0, 0, 0, 1, b'x', 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0]]),
        script(SESSION, [accept.as_slice(), success, &confirmed, &extended, not_dialed, eof]),
        script(SESSION, [accept.as_slice(), success, &failure]),
        script(SESSION, [accept.as_slice(), &refused]),
        script(SESSION | SILENT, opened),
        script(SESSION | SILENT, opened.into_iter().chain([data.as_slice()])),
    ]
}

/// A host certificate of the right form, with a signature that nobody made.
fn certificate() -> Vec<u8> {
    let mut blob = string(&[b"ssh-ed25519-cert-v01@openssh.com", &[1; 32], &[2; 32]]);
    blob.extend(1_u64.to_be_bytes());
    blob.extend(2_u32.to_be_bytes());
    blob.extend(string(&[b"host", &string(&[b"localhost", b"proxy.example.com"])]));
    blob.extend(0_u64.to_be_bytes());
    blob.extend(u64::MAX.to_be_bytes());
    blob.extend(string(&[b"", &string(&[b"x-teleport-role", b"proxy"]), b""]));
    blob.extend(string(&[authority(), &string(&[b"ssh-ed25519", &[3; 64]])]));
    blob
}

/// An offer of algorithms that has what we want.
fn kexinit() -> Vec<u8> {
    let lists: [&[u8]; 10] = [
        b"curve25519-sha256,ecdh-sha2-nistp256",
        b"ssh-ed25519-cert-v01@openssh.com,rsa-sha2-512-cert-v01@openssh.com",
        b"aes128-gcm@openssh.com,chacha20-poly1305@openssh.com",
        b"aes256-gcm@openssh.com,aes128-gcm@openssh.com",
        b"hmac-sha2-256-etm@openssh.com",
        b"hmac-sha2-256-etm@openssh.com",
        b"none",
        b"none",
        b"",
        b"",
    ];
    [&[20][..], &[8; 16], &string(&lists), &[0, 0, 0, 0, 0]].concat()
}
