//! A gRPC server over mTLS that answers each method by script, in bytes, and remembers what it was asked.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::{Buf as _, BufMut as _, Bytes};
use futures::Stream;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rcgen::{CertificateParams, KeyPair};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::pki::{self, Ca};

/// What the server answers.
pub(crate) enum Reply {
    /// These messages.
    Messages(Vec<Vec<u8>>),
    /// What is sent here.
    Stream(mpsc::Receiver<Result<Vec<u8>, Status>>),
    /// A failure.
    Fail(Status),
    /// This message, when there is one.
    When(Pin<Box<dyn Future<Output = Vec<u8>> + Send>>),
    /// Nothing, ever.
    Silence,
}

/// A call that came in.
#[derive(Clone)]
pub(crate) struct Call {
    /// The method, such as `/proto.AuthService/Ping`.
    pub(crate) path: String,
    /// The message.
    pub(crate) message: Vec<u8>,
    /// The metadata.
    pub(crate) headers: http::HeaderMap,
    /// The common name of the certificate that the client showed.
    pub(crate) user: String,
    /// Its organization: the role by which tests tell one identity of a user from the next.
    pub(crate) role: String,
}

type Script = dyn Fn(&Call) -> Reply + Send + Sync;

/// How the server differs from a good one.
pub(crate) struct Manners {
    pub(crate) certificate: CertificateParams,
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// Which clients it believes; none: those of its own CA.
    pub(crate) clients: Option<String>,
}

/// A running server; stops when dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    made: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Default for Manners {
    fn default() -> Self {
        Self { certificate: pki::server(), versions: rustls::ALL_VERSIONS.to_vec(), clients: None }
    }
}

impl Server {
    pub(crate) async fn new(ca: &Ca, script: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(ca, Manners::default(), script).await
    }

    pub(crate) async fn with(
        ca: &Ca,
        manners: Manners,
        script: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(tls(ca, &manners)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let made = Arc::new(AtomicUsize::new(0));
        let script: Arc<Script> = Arc::new(script);
        let mut tasks = JoinSet::new();
        tasks.spawn({
            let (calls, connections, made) = (Arc::clone(&calls), Arc::clone(&connections), Arc::clone(&made));
            async move {
                let mut serving = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    // Small writes that wait for one another are slower than the tests' time is.
                    stream.set_nodelay(true).unwrap();
                    made.fetch_add(1, Ordering::Relaxed);
                    let serve = serve(acceptor.clone(), stream, Arc::clone(&script), Arc::clone(&calls));
                    let handle = serving.spawn(serve);
                    connections.lock().unwrap().push(handle);
                }
            }
        });
        Self { address, calls, connections, made, _tasks: tasks }
    }

    /// The calls of a method so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Call> {
        self.calls_ending(&format!("/{method}"))
    }

    /// The calls so far whose path ends like this.
    pub(crate) fn calls_ending(&self, end: &str) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| call.path.ends_with(end)).cloned().collect()
    }

    /// How many connections were begun so far.
    pub(crate) fn connections_made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    /// Breaks all connections.
    pub(crate) fn kick(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }
}

fn tls(ca: &Ca, manners: &Manners) -> ServerConfig {
    let key = KeyPair::generate().unwrap();
    let certificate = ca.sign(&manners.certificate, &key);
    let mut roots = RootCertStore::empty();
    let clients = manners.clients.clone().unwrap_or_else(|| ca.pem());
    roots.add(CertificateDer::from_pem_slice(clients.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&manners.versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn serve(acceptor: TlsAcceptor, stream: TcpStream, script: Arc<Script>, calls: Arc<Mutex<Vec<Call>>>) {
    let stream = match acceptor.accept(stream).into_fallible().await {
        Ok(stream) => stream,
        Err((_, mut stream)) => {
            // Closing with bytes unread would reset the connection, and the client might not read why.
            let _ended = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            return;
        }
    };
    let (_, session) = stream.get_ref();
    let (user, role) = names(session.peer_certificates().unwrap());
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let (script, calls, user, role) = (Arc::clone(&script), Arc::clone(&calls), user.clone(), role.clone());
        async move {
            let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
            let answer = tower::service_fn(move |message: tonic::Request<Vec<u8>>| {
                let call = Call {
                    path: path.clone(),
                    message: message.into_inner(),
                    headers: headers.clone(),
                    user: user.clone(),
                    role: role.clone(),
                };
                calls.lock().unwrap().push(call.clone());
                let reply = script(&call);
                async move { answer(reply).await }
            });
            Ok::<_, Infallible>(tonic::server::Grpc::new(Raw).server_streaming(answer, request).await)
        }
    });
    let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new());
    // However it ends, the client notices.
    let _ended = http.serve_connection(TokioIo::new(stream), service).await;
}

/// The common name and the organization of whoever showed these.
fn names(certificates: &[CertificateDer<'_>]) -> (String, String) {
    let (_, certificate) = X509Certificate::from_der(&certificates[0]).unwrap();
    let subject = certificate.subject();
    let user = subject.iter_common_name().next().unwrap().as_str().unwrap().to_owned();
    let role = subject.iter_organization().next().map_or("", |role| role.as_str().unwrap()).to_owned();
    (user, role)
}

type Messages = Pin<Box<dyn Stream<Item = Result<Vec<u8>, Status>> + Send>>;

async fn answer(reply: Reply) -> Result<tonic::Response<Messages>, Status> {
    let messages: Messages = match reply {
        Reply::Messages(messages) => Box::pin(futures::stream::iter(messages.into_iter().map(Ok))),
        Reply::Stream(receiver) => Box::pin(futures::stream::unfold(receiver, |mut receiver| async {
            let next = receiver.recv().await?;
            Some((next, receiver))
        })),
        Reply::When(message) => {
            let message = message.await;
            Box::pin(futures::stream::iter([Ok(message)]))
        }
        Reply::Fail(status) => return Err(status),
        Reply::Silence => futures::future::pending().await,
    };
    Ok(tonic::Response::new(messages))
}

/// Messages as the bytes that they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, dst: &mut EncodeBuf<'_>) -> Result<(), Status> {
        dst.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, src: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let bytes: Bytes = src.copy_to_bytes(src.remaining());
        Ok(Some(bytes.to_vec()))
    }
}
