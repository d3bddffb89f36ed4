//! Connections: who is let in on either side, and what each failure is called.

use std::time::Duration;

use prost::Message as _;
use rcgen::CertificateParams;
use rustls::version::{TLS12, TLS13};
use tokio::net::TcpListener;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::proto::{EntitlementInfo, Features, PingRequest, PingResponse};
use tribunal_teleport::connect::connect;
use tribunal_teleport::{Choice, Client, Cluster, Limits, Reach, Target};

use super::pki::{self, Ca, File};
use super::server::{Call, Manners, Reply, Server};

fn pong(_: &Call) -> Reply {
    let pong = PingResponse { cluster_name: "root".into(), server_version: "18.1.0".into(), ..Default::default() };
    Reply::Messages(vec![pong.encode_to_vec()])
}

async fn ping(target: Target) -> Result<Cluster, Failure> {
    Client::new(target, Limits::default()).await?.ping().await
}

/// No other way is to be looked for.
fn of_auth(target: Target) -> Target {
    Target { reach: Reach { choice: Choice::Auth, ..target.reach }, ..target }
}

/// What comes of a ping by `bot-tribunal` of `ca`.
async fn ping_as(ca: &Ca, server: &Server) -> Result<Cluster, Failure> {
    let file = File::new(&pki::identity(ca, "bot-tribunal"));
    ping(file.target(&server.address)).await
}

#[tokio::test]
async fn a_ping_goes_over_each_version_of_tls_with_our_certificate_shown() {
    let ca = Ca::new("root");
    for versions in [vec![&TLS12], vec![&TLS13], vec![&TLS12, &TLS13]] {
        let server = Server::with(&ca, Manners { versions, ..Manners::default() }, pong).await;
        let cluster = ping_as(&ca, &server).await.unwrap();
        let expected = Cluster { name: "root".into(), version: "18.1.0".into(), advanced_workflows: false };
        assert_eq!(cluster, expected);
        let calls = server.calls("Ping");
        let [call] = calls.as_slice() else { panic!("{} calls", calls.len()) };
        assert_eq!(call.path, "/proto.AuthService/Ping");
        assert_eq!(call.user, "bot-tribunal");
        assert_eq!(call.headers["version"], "18.0.0");
        assert!(call.headers["user-agent"].to_str().unwrap().starts_with("tribunal/"));
    }
}

#[tokio::test]
async fn reviews_are_there_where_the_licence_says_so_in_the_old_or_the_new_way() {
    let ca = Ca::new("root");
    let entitled = |enabled| [("AccessRequests".to_owned(), EntitlementInfo { enabled, limit: 0 })].into();
    for (features, there) in [
        (Features { advanced_access_workflows: true, ..Features::default() }, true),
        (Features { entitlements: entitled(true), ..Features::default() }, true),
        (Features { entitlements: entitled(false), ..Features::default() }, false),
    ] {
        let pong = PingResponse { server_features: Some(features), ..PingResponse::default() }.encode_to_vec();
        let server = Server::new(&ca, move |_: &Call| Reply::Messages(vec![pong.clone()])).await;
        assert_eq!(ping_as(&ca, &server).await.unwrap().advanced_workflows, there);
    }
}

#[tokio::test]
async fn a_ready_channel_carries_calls_of_others_and_survives_a_break() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, pong).await;
    let file = File::new(&pki::identity(&ca, "alice"));
    let channel = connect(&file.target(&server.address)).await.unwrap();
    let mut auth = AuthServiceClient::new(channel);
    assert_eq!(auth.ping(PingRequest {}).await.unwrap().into_inner().cluster_name, "root");
    server.kick();
    // The call after a break may still meet the dead connection; the next one dials anew.
    let mut again = auth.ping(PingRequest {}).await;
    if again.is_err() {
        again = auth.ping(PingRequest {}).await;
    }
    assert_eq!(again.unwrap().into_inner().cluster_name, "root");
    assert!(server.calls("Ping").iter().all(|call| call.user == "alice"));
}

#[tokio::test]
async fn a_ready_channel_that_does_not_come_about_says_why() {
    let (ours, theirs) = (Ca::new("root-ours"), Ca::new("root-theirs"));
    let server = Server::new(&theirs, pong).await;
    let file = File::new(&pki::identity(&ours, "alice"));
    let failure = connect(&file.target(&server.address)).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("is not trusted: it shows the certificate of `auth`"), "{failure}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let failure = connect(&file.target(&address)).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.starts_with(&format!("cannot reach `{address}`: ")), "{failure}");
}

#[tokio::test]
async fn a_server_of_another_ca_is_not_trusted_and_both_cas_are_named() {
    let (ours, theirs) = (Ca::new("root-ours"), Ca::new("root-theirs"));
    let server = Server::new(&theirs, pong).await;
    let failure = ping_as(&ours, &server).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert_eq!(
        failure.detail,
        format!(
            "`{}` is not trusted: it shows the certificate of `auth`, issued by `root-theirs`, valid until 4096-01-01T00:00:00Z, and the identity file trusts only `root-ours`; check that address and identity are of the same cluster, and have tbot write the identity anew if the cluster's CA was rotated",
            server.address
        )
    );
    assert!(server.calls("Ping").is_empty());
}

#[tokio::test]
async fn a_server_of_a_ca_of_the_same_name_is_not_trusted_either() {
    let (ours, theirs) = (Ca::new("root"), Ca::new("root"));
    let server = Server::new(&theirs, pong).await;
    let failure = ping_as(&ours, &server).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("is not trusted"), "{failure}");
}

#[tokio::test]
async fn a_server_whose_certificate_is_over_or_for_another_name_is_not_trusted() {
    let ca = Ca::new("root");
    let mut over = pki::server();
    over.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut early = pki::server();
    early.not_before = rcgen::date_time_ymd(4000, 1, 1);
    let mut other = pki::server();
    other.subject_alt_names = CertificateParams::new(["teleport.example.com".to_owned()]).unwrap().subject_alt_names;
    for (certificate, words) in [
        (over, "valid until 2020-01-01T00:00:00Z, which is not valid now; check the clocks of both machines"),
        (early, "which is not valid now; check the clocks of both machines"),
        (other, "which is not for `teleport.cluster.local`; check that it is the address of an Auth server"),
    ] {
        let server = Server::with(&ca, Manners { certificate, ..Manners::default() }, pong).await;
        let file = File::new(&pki::identity(&ca, "bot-tribunal"));
        let failure = ping(of_auth(file.target(&server.address))).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Alarm);
        assert!(failure.detail.ends_with(words), "{failure}");
    }
}

#[tokio::test]
async fn a_server_that_refuses_our_identity_is_told_from_one_that_we_refuse() {
    let (ca, others) = (Ca::new("root"), Ca::new("elsewhere"));
    for versions in [vec![&TLS12], vec![&TLS13]] {
        let manners = Manners { versions, clients: Some(others.pem()), ..Manners::default() };
        let server = Server::with(&ca, manners, pong).await;
        let failure = ping_as(&ca, &server).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Alarm, "{failure}");
        assert!(failure.detail.contains("refuses"), "{failure}");
        assert!(failure.detail.contains("identity"), "{failure}");
    }
}

#[tokio::test]
async fn an_address_where_nobody_listens_is_unreachable() {
    let ca = Ca::new("root");
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let failure = ping(file.target(&address)).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.starts_with(&format!("cannot reach `{address}`: ")), "{failure}");
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up() {
    let ca = Ca::new("root");
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let target = Target { dial_timeout: Duration::from_millis(100), ..file.target(&address) };
    let failure = ping(target).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.starts_with(&format!("`{address}` did not answer within 0.1 s")), "{failure}");
}

#[tokio::test]
async fn a_call_that_waits_for_a_connection_says_so() {
    let ca = Ca::new("root");
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let limits = Limits { call: Duration::from_millis(200), ..Limits::default() };
    let failure = Client::new(file.target(&address), limits).await.unwrap().ping().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.contains(&format!("still connecting to `{address}`")), "{failure}");
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_told_as_such() {
    let ca = Ca::new("root");
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let peer = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, answer).await.unwrap();
    });
    let failure = ping(of_auth(file.target(&address))).await.unwrap_err();
    peer.await.unwrap();
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.starts_with(&format!("no TLS connection to `{address}`: ")), "{failure}");
}

#[tokio::test]
async fn a_call_that_is_not_answered_is_given_up() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, |_| Reply::Silence).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let limits = Limits { call: Duration::from_millis(200), ..Limits::default() };
    let client = Client::new(file.target(&server.address), limits).await.unwrap();
    let failure = client.ping().await.unwrap_err();
    assert_eq!(failure, Failure::new(FailureClass::Retry, "`Ping`: too late: no answer within 0.2 s"));
}

#[tokio::test]
async fn a_bad_identity_file_fails_at_the_start() {
    let file = File::new("");
    let failure = ping(file.target("127.0.0.1:1")).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.starts_with("identity file `"), "{failure}");
}

/// Pings until an answer comes: a call may be the one that finds the connection broken.
async fn ping_on(client: &Client) -> Cluster {
    for _ in 0..10 {
        if let Ok(cluster) = client.ping().await {
            return cluster;
        }
    }
    client.ping().await.unwrap()
}

/// By which identities a method was called.
fn roles(server: &Server) -> Vec<String> {
    server.calls("Ping").into_iter().map(|call| call.role).collect()
}

#[tokio::test]
async fn a_broken_connection_is_made_anew_with_the_identity_of_then() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, pong).await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    file.replace(&pki::identity_with(&ca, "second"));
    client.ping().await.unwrap();
    server.kick();
    ping_on(&client).await;
    assert_eq!(roles(&server), ["first", "first", "second"]);
    assert_eq!(client.identity().roles(), ["second"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_not_taken_when_the_connection_breaks() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, pong).await;
    let good = pki::identity_with(&ca, "first");
    let file = File::new(&good);
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    for (bad, words) in [
        (String::new(), "has no PEM block"),
        (good.get(..good.len() / 2).unwrap().to_owned(), "truncated or garbled"),
        (pki::identity(&ca, "bot-other"), "is of user `bot-other`, and this process began as `bot-tribunal`"),
    ] {
        file.replace(&bad);
        server.kick();
        ping_on(&client).await;
        let problem = client.identity_file().held().problem.unwrap();
        assert!(problem.contains(words), "{problem}");
    }
    std::fs::remove_file(file.path()).unwrap();
    server.kick();
    ping_on(&client).await;
    file.replace(&good);
    server.kick();
    ping_on(&client).await;
    assert_eq!(client.identity_file().held().problem, None);
    assert!(roles(&server).iter().all(|role| role == "first"));
}

#[tokio::test]
async fn a_reload_changes_who_we_are_at_once_or_not_at_all() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, pong).await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    file.replace("");
    assert_eq!(client.reload().await.unwrap_err().class, FailureClass::Alarm);
    client.ping().await.unwrap();
    file.replace(&pki::identity_with(&ca, "second"));
    client.reload().await.unwrap();
    assert_eq!(client.identity().roles(), ["second"]);
    client.ping().await.unwrap();
    assert_eq!(roles(&server), ["first", "first", "second"]);
}
