//! The proxy's tunnel as a peer that speaks no more SSH than it must sees it, and the lines for SSH in identity files.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use ssh_key::certificate::CertType;
use ssh_key::known_hosts::{KnownHosts, Marker};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, Certificate};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tribunal_sim::{IdentityKey, IssueOptions, Span, SshTunnel, TunnelFault, TunnelSettings};

use crate::world::{World, soon};

/// A connection that has exchanged banners, and what the server offered.
async fn greeted(tunnel: &SshTunnel) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(tunnel.addr()).await.unwrap();
    stream.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut banner = [0; 18];
    soon(stream.read_exact(&mut banner)).await.unwrap();
    assert_eq!(&banner, b"SSH-2.0-Teleport\r\n");
    let length = soon(stream.read_u32()).await.unwrap();
    let mut offer = vec![0; usize::try_from(length).unwrap()];
    soon(stream.read_exact(&mut offer)).await.unwrap();
    assert_eq!(offer[1], 20);
    (stream, String::from_utf8_lossy(&offer).into_owned())
}

#[tokio::test]
async fn a_tunnel_greets_whoever_speaks_ssh_and_offers_certificates_only() {
    let world = World::start().await;
    let tunnel = SshTunnel::beside(&world.running, TunnelSettings::default()).await.unwrap();
    let (_stream, offer) = greeted(&tunnel).await;
    assert!(offer.contains("ssh-ed25519-cert-v01@openssh.com") && !offer.contains("ssh-rsa"), "{offer}");
    assert!(offer.contains("kex-strict-s-v00@openssh.com"), "{offer}");
}

#[tokio::test]
async fn a_tunnel_hangs_up_on_what_is_no_ssh() {
    let world = World::start().await;
    let tunnel = SshTunnel::beside(&world.running, TunnelSettings::default()).await.unwrap();
    let mut stream = TcpStream::connect(tunnel.addr()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    assert_eq!(soon(stream.read(&mut [0; 8])).await.unwrap_or(0), 0);
    // Nor does it take a message in the place of keys.
    let (mut stream, _) = greeted(&tunnel).await;
    stream.write_all(&[0, 0, 0, 12, 10, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    stream.write_all(&[0, 0, 0, 12, 10, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    stream.write_all(&[0, 0, 0, 12, 10, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    stream.write_all(&[0, 0, 0, 12, 10, 21, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(soon(stream.read(&mut [0; 8])).await.unwrap_or(0), 0);
    assert_eq!(tunnel.channels(), 0);
}

#[tokio::test]
async fn a_web_server_in_its_place_speaks_http() {
    let world = World::start().await;
    let tunnel = SshTunnel::beside(&world.running, TunnelSettings::default()).await.unwrap();
    tunnel.change(|settings| settings.fault = TunnelFault::NotSsh);
    let mut stream = TcpStream::connect(tunnel.addr()).await.unwrap();
    stream.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut answer = [0; 12];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 400");
}

#[tokio::test]
async fn an_identity_has_a_certificate_for_ssh_over_its_own_key_and_names_its_hosts_authority() {
    let world = World::start().await;
    for (key, algorithm) in [
        (IdentityKey::EcdsaP256, "ecdsa-sha2-nistp256"),
        (IdentityKey::Ed25519, "ssh-ed25519"),
        (IdentityKey::Rsa2048, "ssh-rsa"),
    ] {
        let options = IssueOptions { key, ssh_life: Some(Span::from_ms(60_000)), ..IssueOptions::of("alice") };
        let identity = world.running.issue(&options).unwrap();
        let certificate = Certificate::from_openssh(identity.ssh_certificate.trim()).unwrap();
        assert_eq!(certificate.cert_type(), CertType::User);
        assert_eq!(certificate.public_key().algorithm().as_str(), algorithm);
        assert_eq!(certificate.valid_principals()[0], "alice");
        assert!(certificate.extensions().contains_key("teleport-roles"));
        certificate.verify_signature().unwrap();
        assert_eq!(certificate.signature_key().algorithm(), Algorithm::Ed25519);
        let entries: Vec<_> = identity.ssh_authorities.iter().flat_map(|line| KnownHosts::new(line)).collect();
        assert_eq!(entries.len(), 1);
        let entry = entries[0].as_ref().unwrap();
        assert_eq!(entry.marker(), Some(&Marker::CertAuthority));
        assert!(matches!(entry.public_key().key_data(), KeyData::Ed25519(_)));
        assert_ne!(
            entry.public_key().key_data(),
            certificate.signature_key(),
            "users and hosts have authorities of their own"
        );
    }
}
