//! The simulated proxy as a client without our own client's code sees it: discovery, routing by protocol, upgrades.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tribunal_sim::{
    Balancer, IssueOptions, Proxy, ProxySettings, SshTunnel, TunnelSettings, Upgrade, encoded_cluster_name,
};

use crate::world::{World, client_config, connect, soon};

async fn web(proxy: &Proxy, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(proxy.web_ca_pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(proxy.addr()).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("127.0.0.1").unwrap(), stream).await
}

/// What the proxy answers to a request, whole.
async fn ask(proxy: &Proxy, path: &str, more: &str) -> String {
    let mut stream = soon(web(proxy, &[b"http/1.1"])).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", proxy.addr());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while !String::from_utf8_lossy(&answer).contains("\r\n\r\n") || answer.len() < 20 {
        let length = soon(stream.read(&mut buffer)).await.unwrap();
        assert_ne!(length, 0);
        answer.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn discovery_tells_what_teleports_tells_and_ping_tells_of_auth_too() {
    let world = World::start().await;
    let settings = ProxySettings { tunnel_listen_addr: Some("0.0.0.0:3024".into()), ..ProxySettings::default() };
    let proxy = Proxy::beside(&world.running, settings).await.unwrap();
    let answer = ask(&proxy, "/webapi/find", "Connection: close\r\n").await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(told["cluster_name"], "test");
    assert_eq!(told["proxy"]["tls_routing_enabled"], true);
    assert_eq!(told["proxy"]["ssh"]["tunnel_listen_addr"], "0.0.0.0:3024");
    assert_eq!(told.get("auth"), None);
    let answer = ask(&proxy, "/webapi/ping", "Connection: close\r\n").await;
    assert!(answer.contains(r#""auth":{"#), "{answer}");
    assert!(ask(&proxy, "/elsewhere", "").await.starts_with("HTTP/1.1 404 "));
}

#[tokio::test]
async fn the_protocol_decides_who_is_at_the_other_end() {
    let world = World::start().await;
    let proxy = Proxy::beside(&world.running, ProxySettings::default()).await.unwrap();
    let identity = world.running.issue(&IssueOptions::of("alice")).unwrap();
    let routed = format!("teleport-auth@{}", encoded_cluster_name("test"));
    let config = client_config(&identity, &[&rustls::version::TLS13], &[routed.as_bytes(), b"h2"]);
    let stream = soon(connect(proxy.addr(), config)).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()), "Auth itself, by the cluster's CA");
    let other = format!("teleport-auth@{}", encoded_cluster_name("other"));
    let config = client_config(&identity, &[&rustls::version::TLS13], &[other.as_bytes(), b"h2"]);
    assert!(soon(connect(proxy.addr(), config)).await.is_err());
    let stream = soon(web(&proxy, &[b"teleport-reversetunnel"])).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"teleport-reversetunnel".as_slice()));
    proxy.change(|settings| settings.balancer = Balancer::IgnoresAlpn);
    assert_eq!(soon(web(&proxy, &[b"teleport-reversetunnel"])).await.unwrap().get_ref().1.alpn_protocol(), None);
    proxy.change(|settings| settings.balancer = Balancer::RefusesAlpn);
    assert!(soon(web(&proxy, &[b"teleport-reversetunnel"])).await.is_err());
}

#[tokio::test]
async fn ssh_inside_of_tls_leads_to_the_tunnel_where_there_is_one_and_nowhere_else() {
    let world = World::start().await;
    let proxy = Proxy::beside(&world.running, ProxySettings::default()).await.unwrap();
    let mut stream = soon(web(&proxy, &[b"teleport-reversetunnel"])).await.unwrap();
    assert_eq!(soon(stream.read(&mut [0; 8])).await.unwrap_or(0), 0, "nobody is at the other end");
    let tunnel = SshTunnel::beside(&world.running, TunnelSettings::default()).await.unwrap();
    proxy.change(|settings| settings.reverse_tunnel = Some(tunnel.addr()));
    let mut stream = soon(web(&proxy, &[b"teleport-reversetunnel"])).await.unwrap();
    stream.write_all(b"SSH-2.0-test\r\n").await.unwrap();
    let mut banner = [0; 18];
    soon(stream.read_exact(&mut banner)).await.unwrap();
    assert_eq!(&banner, b"SSH-2.0-Teleport\r\n");
}

#[tokio::test]
async fn an_upgrade_needs_what_the_websocket_standard_wants_and_a_known_protocol() {
    const WEBSOCKET: &str = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    // The key and its answer are those of RFC 6455.
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: alpn-ping\r\n";
    let path = "/webapi/connectionupgrade";
    let world = World::start().await;
    let proxy = Proxy::beside(&world.running, ProxySettings::default()).await.unwrap();
    let answer = ask(&proxy, path, &format!("{WEBSOCKET}{KEY}")).await.to_lowercase();
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{answer}");
    assert!(answer.contains("sec-websocket-protocol: alpn-ping\r\n"), "{answer}");
    assert!(ask(&proxy, path, WEBSOCKET).await.starts_with("HTTP/1.1 400 "));
    assert!(ask(&proxy, path, "").await.starts_with("HTTP/1.1 404 "));
    proxy.change(|settings| settings.upgrade = Upgrade::NotFound);
    assert!(ask(&proxy, path, &format!("{WEBSOCKET}{KEY}")).await.starts_with("HTTP/1.1 404 "));
}
