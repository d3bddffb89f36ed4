//! A running server with a manual clock, and clients for its users. It asserts nothing about the rules.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Response, Status};
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::types::{self, AccessRequestSpecV3, AccessRequestV3, LockTarget, LockV2, Metadata};
use tribunal_sim::{Identity, IssueOptions, Moment, Running, Scenario, SimClock, SimServer};

/// Generous: only a hang meets it.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The name that clients give to their requests, and the server replaces.
pub(crate) const CHOSEN_NAME: &str = "6f1c6c0e-7f0b-4b57-9a3e-2d1a5f0f8c11";

pub(crate) type Client = AuthServiceClient<Channel>;

/// A cluster with a role of each sort.
pub(crate) const SCENARIO: &str = r#"
cluster = "test"

[[role]]
name = "requester"
[role.allow.request]
roles = ["prod-*", "two-eyes", "reasoned"]
search-as-roles = ["node-access"]
max-duration = "3d"
annotations = { tier = ["gold"] }
suggested-reviewers = ["rita"]

[[role]]
name = "two-eyes-asker"
[role.allow.request]
roles = ["two-eyes"]
thresholds = [{ name = "two", approve = 2, deny = 1 }]

[[role]]
name = "reasoned-asker"
[role.allow.request]
roles = ["reasoned"]
reason = { mode = "required", prompt = "which ticket?" }

[[role]]
name = "node-access"
[role.allow]
node-labels = { env = "prod" }

[[role]]
name = "prod-a"
max-session-ttl = "2h"
[[role]]
name = "prod-b"
[[role]]
name = "two-eyes"
[[role]]
name = "reasoned"
[[role]]
name = "secret"

[[role]]
name = "reviewer"
[role.allow]
review-requests = { roles = ["prod-*", "two-eyes", "node-access"] }

[[role]]
name = "root"
[[role.allow.rules]]
resources = ["*"]
verbs = ["*"]

[[role]]
name = "not-allowed-to-ask"
[[role.deny.rules]]
resources = ["access_request"]
verbs = ["create"]

[[role]]
name = "half"
[[role.allow.rules]]
resources = ["access_request", "lock", "semaphore", "access_plugin_data", "user", "role", "user_login_state"]
verbs = ["read"]

[[user]]
name = "alice"
roles = ["requester"]
traits = { team = ["blue", "red"] }
[[user]]
name = "bob"
roles = ["requester", "reviewer"]
[[user]]
name = "carol"
roles = ["two-eyes-asker", "reasoned-asker"]
login-roles = ["two-eyes-asker", "reasoned-asker", "prod-b"]
[[user]]
name = "mute"
roles = ["requester", "not-allowed-to-ask"]
[[user]]
name = "rita"
roles = ["reviewer"]
[[user]]
name = "ralf"
roles = ["reviewer"]
[[user]]
name = "half"
roles = ["half"]
[[user]]
name = "nobody"
[[user]]
name = "ghost"
logged-in = false
[[user]]
name = "admin"
roles = ["root"]

[[node]]
name = "n1"
labels = { env = "prod" }
[[node]]
name = "n2"
labels = { env = "prod" }
[[node]]
name = "lab"
labels = { env = "lab" }
"#;

pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) clock: SimClock,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(SCENARIO).await
    }

    pub(crate) async fn with(scenario: &str) -> Self {
        let clock = SimClock::manual_from_now();
        let scenario = Scenario::parse(scenario).unwrap();
        let running = SimServer::start(scenario, "127.0.0.1:0".parse().unwrap(), None, clock.clone()).await.unwrap();
        Self { running, clock }
    }

    pub(crate) async fn channel(&self, user: &str) -> Channel {
        let identity = self.running.issue(&IssueOptions::of(user)).unwrap();
        self.channel_with(&identity).await.unwrap()
    }

    pub(crate) async fn channel_with(&self, identity: &Identity) -> Result<Channel, tonic::transport::Error> {
        let addr = self.running.addr();
        let config = client_config(identity, rustls::ALL_VERSIONS, &[b"h2"]);
        let connector = tower::service_fn(move |_| {
            let config = config.clone();
            async move { connect(addr, config).await.map(TokioIo::new) }
        });
        Endpoint::from_static("http://teleport.cluster.local").connect_with_connector(connector).await
    }

    pub(crate) async fn client(&self, user: &str) -> Client {
        AuthServiceClient::new(self.channel(user).await)
    }

    pub(crate) async fn client_of(&self, options: &IssueOptions) -> Client {
        let identity = self.running.issue(options).unwrap();
        AuthServiceClient::new(self.channel_with(&identity).await.unwrap())
    }

    pub(crate) async fn bot(&self) -> Client {
        self.client("bot-tribunal").await
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// A pending request of alice for `prod-a`.
    pub(crate) async fn request(&self) -> AccessRequestV3 {
        self.request_of("alice", &["prod-a"]).await
    }

    pub(crate) async fn request_of(&self, user: &str, roles: &[&str]) -> AccessRequestV3 {
        let mut client = self.client(user).await;
        client.create_access_request_v2(asking(user, roles, &[])).await.unwrap().into_inner()
    }
}

/// TCP and TLS to the server under its internal name.
pub(crate) async fn connect(
    addr: std::net::SocketAddr,
    config: Arc<ClientConfig>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("teleport.cluster.local").unwrap();
    TlsConnector::from(config).connect(name, tcp).await
}

pub(crate) fn client_config(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    alpn: &[&[u8]],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for pem in &identity.tls_authorities_pem {
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    }
    let certificate = CertificateDer::from_pem_slice(identity.tls_certificate_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.private_key_pem.as_bytes()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Arc::new(config)
}

/// A request as a client sends it.
pub(crate) fn asking(user: &str, roles: &[&str], resources: &[&str]) -> AccessRequestV3 {
    let resource = |text: &&str| {
        let parts: Vec<&str> = text.split('/').collect();
        let [_, cluster, kind, name] = parts.as_slice() else { panic!("bad resource {text}") };
        types::ResourceId {
            cluster_name: (*cluster).to_owned(),
            kind: (*kind).to_owned(),
            name: (*name).to_owned(),
            sub_resource_name: String::new(),
        }
    };
    AccessRequestV3 {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata: Some(Metadata { name: CHOSEN_NAME.to_owned(), ..Metadata::default() }),
        spec: Some(AccessRequestSpecV3 {
            user: user.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            requested_resource_ids: resources.iter().map(resource).collect(),
            state: types::RequestState::Pending.into(),
            ..AccessRequestSpecV3::default()
        }),
        ..AccessRequestV3::default()
    }
}

pub(crate) fn id(request: &AccessRequestV3) -> String {
    request.metadata.clone().unwrap().name
}

pub(crate) fn spec(request: &AccessRequestV3) -> AccessRequestSpecV3 {
    request.spec.clone().unwrap()
}

pub(crate) fn lock(name: &str, target: LockTarget) -> LockV2 {
    LockV2 {
        kind: "lock".to_owned(),
        version: "v2".to_owned(),
        metadata: Some(Metadata { name: name.to_owned(), ..Metadata::default() }),
        spec: Some(types::LockSpecV2 {
            target: Some(target),
            message: "because".to_owned(),
            ..types::LockSpecV2::default()
        }),
        ..LockV2::default()
    }
}

pub(crate) fn on_request(id: &str) -> LockTarget {
    LockTarget { access_request: id.to_owned(), ..LockTarget::default() }
}

/// The call must be refused with this code and with a message that contains `words`.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<Response<T>, Status>, code: Code, words: &str) {
    let status = result.expect_err_named(words);
    assert_eq!(status.code(), code, "{words}: {status:?}");
    assert!(status.message().contains(words), "`{}` does not contain `{words}`", status.message());
}

trait ExpectRefusal {
    fn expect_err_named(self, words: &str) -> Status;
}

impl<T: std::fmt::Debug> ExpectRefusal for Result<Response<T>, Status> {
    #[track_caller]
    fn expect_err_named(self, words: &str) -> Status {
        match self {
            Ok(answer) => panic!("`{words}` expected, but the call succeeded: {answer:?}"),
            Err(status) => status,
        }
    }
}

/// Fails instead of hanging.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what).await.unwrap()
}
