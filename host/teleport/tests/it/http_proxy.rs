//! The way through an HTTP proxy, as `HTTPS_PROXY` has it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tribunal_core::failure::Failure;
use tribunal_sim::{Balancer, ProxySettings, WebCertificate};
use tribunal_teleport::{Deadlines, Environment, Reach, Target};

use super::pki::Ca;
use super::place::{Place, ping};

/// Answers each CONNECT with a head; what follows goes to `leads_to` if that head is a 200.
struct HttpProxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl HttpProxy {
    async fn new(answer: &'static str, leads_to: SocketAddr) -> Self {
        Self::with(answer, leads_to, None).await
    }

    /// The same over TLS with a certificate of `ca`.
    async fn over_tls(answer: &'static str, leads_to: SocketAddr, ca: &Ca) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = ca.sign(&CertificateParams::new(["127.0.0.1".to_owned()]).unwrap(), &key);
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
            )
            .unwrap();
        Self::with(answer, leads_to, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn with(answer: &'static str, leads_to: SocketAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut tasks = JoinSet::new();
        let seen = Arc::clone(&heads);
        tasks.spawn(async move {
            let mut serving = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, tls) = (Arc::clone(&seen), tls.clone());
                serving.spawn(async move {
                    match tls {
                        // Whoever does not believe the certificate goes.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, answer, leads_to, seen).await;
                            }
                        }
                        None => serve(stream, answer, leads_to, seen).await,
                    }
                });
            }
        });
        Self { address, heads, _tasks: tasks }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &str,
    leads_to: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    seen.lock().unwrap().push(String::from_utf8(head).unwrap());
    if answer.is_empty() {
        std::future::pending::<()>().await;
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    if answer.starts_with("HTTP/1.1 200") {
        let mut onward = TcpStream::connect(leads_to).await.unwrap();
        let _ended = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    }
}

const OK: &str = "HTTP/1.1 200 Connection established\r\n\r\n";
/// Not a name of this machine, which no HTTP proxy would be asked for; its certificate is what the simulated proxy shows.
const ELSEWHERE: &str = "elsewhere.invalid:443";

async fn place(balancer: Balancer) -> Place {
    Place::new(ProxySettings { balancer, certificate: WebCertificate::OtherHost, ..ProxySettings::default() }).await
}

fn through(place: &Place, https_proxy: String, no_proxy: &str) -> Target {
    let target = place.target();
    let environment = Environment { https_proxy, no_proxy: no_proxy.to_owned(), ..Environment::default() };
    let deadlines =
        Deadlines { http: Duration::from_millis(500), lookup: Duration::from_secs(2), ..Deadlines::default() };
    let reach = Reach { environment, deadlines, ..target.reach };
    Target { address: ELSEWHERE.parse().unwrap(), reach, ..target }
}

#[tokio::test]
async fn every_connection_goes_through_the_http_proxy_with_its_credentials() {
    for balancer in [Balancer::None, Balancer::IgnoresAlpn] {
        let place = place(balancer).await;
        let http = HttpProxy::new(OK, place.proxy.addr()).await;
        let target = through(&place, format!("http://us%65r:p%40ss@{}", http.address), "");
        assert_eq!(ping(target).await.unwrap().name, "root");
        let heads = http.heads();
        // Discovery, the test of TLS routing, and the connection itself.
        assert_eq!(heads.len(), 3, "{balancer:?}");
        for head in heads {
            assert!(head.starts_with("CONNECT elsewhere.invalid:443 HTTP/1.1\r\n"), "{head}");
            assert!(head.to_lowercase().contains("host: elsewhere.invalid:443\r\n"), "{head}");
            // `user:p@ss`.
            assert!(head.to_lowercase().contains("proxy-authorization: basic dxnlcjpwqhnz\r\n"), "{head}");
        }
    }
}

#[tokio::test]
async fn an_http_proxy_may_be_spoken_to_over_tls_if_it_is_believed() {
    let place = place(Balancer::None).await;
    let ca = Ca::new("web");
    let http = HttpProxy::over_tls(OK, place.proxy.addr(), &ca).await;
    let target = through(&place, format!("https://{}", http.address), "");
    let failure = ping(target.clone()).await.unwrap_err();
    assert!(failure.detail.contains("through the HTTP proxy that `HTTPS_PROXY` names: the proxy at"), "{failure}");
    assert!(failure.detail.contains("no CA of this machine vouches for it"), "{failure}");
    assert!(http.heads().is_empty(), "no credentials for somebody else");
    place.trust(&ca);
    assert_eq!(ping(target).await.unwrap().name, "root");
    assert!(http.heads()[0].starts_with("CONNECT "));
}

#[tokio::test]
async fn no_proxy_spares_an_address_the_http_proxy() {
    let place = place(Balancer::None).await;
    let http = HttpProxy::new(OK, place.proxy.addr()).await;
    let target = through(&place, http.address.to_string(), "other.com,.invalid:443");
    ping(target).await.unwrap_err();
    assert!(http.heads().is_empty());
    // This machine is spared always.
    let target = Target {
        address: place.proxy.addr().to_string().parse().unwrap(),
        ..through(&place, http.address.to_string(), "")
    };
    ping(target).await.unwrap_err();
    assert!(http.heads().is_empty() && place.proxy.count("connection") > 0);
}

async fn refused(answer: &'static str) -> Failure {
    let place = place(Balancer::None).await;
    let http = HttpProxy::new(answer, place.proxy.addr()).await;
    let target = through(&place, format!("http://user:secret@{}", http.address), "");
    let failure = ping(target).await.unwrap_err();
    assert!(!failure.detail.contains("secret"), "{failure}");
    failure
}

#[tokio::test]
async fn an_http_proxy_that_opens_nothing_says_why_without_its_password() {
    let failure = refused("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n").await;
    assert!(failure.detail.contains("it answers 407; write its user and password into `HTTPS_PROXY`"), "{failure}");
    let failure = refused("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    assert!(failure.detail.contains("it answers 403; have it allow that address"), "{failure}");
    let failure = refused("SSH-2.0-Go\r\n\r\n").await;
    assert!(failure.detail.contains("check that it is an HTTP proxy"), "{failure}");
    let failure = refused("").await;
    assert!(failure.detail.contains("did not answer within 0.5 s to `CONNECT`, as an HTTP proxy"), "{failure}");
}

#[tokio::test]
async fn a_proxy_of_another_kind_is_named_and_not_passed_over() {
    let place = place(Balancer::None).await;
    let failure = ping(through(&place, "socks5://127.0.0.1:1".into(), "")).await.unwrap_err();
    assert!(failure.detail.contains("`HTTPS_PROXY` names a proxy that is spoken to by `socks5`"), "{failure}");
}
