//! Who gets a connection: versions, application protocols, certificates, rotation; and the files that identities come in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use rustls::version::{TLS12, TLS13};
use tonic::Code::PermissionDenied;
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::proto::{GetLocksRequest, PingRequest};
use tribunal_sim::{IssueOptions, SimClock, SimServer, Span, default_scenario, encoded_cluster_name};

use crate::world::{World, client_config, connect, refused, soon};

#[tokio::test]
async fn tls_1_2_and_1_3_with_any_usual_list_of_protocols() {
    let world = World::start().await;
    let identity = world.running.issue(&IssueOptions::of("alice")).unwrap();
    let routed = format!("teleport-auth@{}", encoded_cluster_name("test"));
    assert_eq!(encoded_cluster_name("one"), "6f6e65.teleport.cluster.local");
    for version in [&TLS12, &TLS13] {
        for (offered, chosen) in [
            (vec![b"h2".as_slice()], Some(b"h2".as_slice())),
            (vec![routed.as_bytes(), b"h2"], Some(b"h2")),
            (vec![], None),
        ] {
            let stream =
                soon(connect(world.running.addr(), client_config(&identity, &[version], &offered))).await.unwrap();
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
            assert_eq!(stream.get_ref().1.alpn_protocol(), chosen);
        }
    }
}

#[tokio::test]
async fn certificates_that_are_expired_foreign_or_unknown_get_no_connection() {
    let world = World::start().await;
    for options in [
        IssueOptions { life: Span::from_ms(-60_000), ..IssueOptions::of("alice") },
        IssueOptions { unknown_signer: true, ..IssueOptions::of("alice") },
        IssueOptions { wrong_authority: true, ..IssueOptions::of("alice") },
    ] {
        let identity = world.running.issue(&options).unwrap();
        // With TLS 1.3 the client learns of the refusal with its first read, so a call is made.
        let outcome = match world.channel_with(&identity).await {
            Ok(channel) => soon(AuthServiceClient::new(channel).ping(PingRequest {}))
                .await
                .map(drop)
                .map_err(|status| status.to_string()),
            Err(error) => Err(error.to_string()),
        };
        assert!(outcome.is_err(), "{options:?}");
    }
}

#[tokio::test]
async fn a_connection_ends_with_its_certificate() {
    let world = World::start().await;
    let short = IssueOptions { life: Span::from_ms(3000), ..IssueOptions::of("bot-tribunal") };
    let mut bot = world.client_of(&short).await;
    let kinds = vec![tribunal_proto::types::WatchKind { kind: "lock".into(), ..Default::default() }];
    let mut stream = bot
        .watch_events(tribunal_proto::proto::Watch { kinds, allow_partial_success: false })
        .await
        .unwrap()
        .into_inner();
    assert!(soon(stream.message()).await.unwrap().is_some());
    assert!(soon(stream.message()).await.is_err(), "the stream ends without an event");
}

#[tokio::test]
async fn during_a_rotation_old_and_new_identities_work_and_afterwards_only_new_ones() {
    let world = World::start().await;
    let handle = world.running.handle();
    let works = async |identity: &tribunal_sim::Identity| match world.channel_with(identity).await {
        Ok(channel) => soon(AuthServiceClient::new(channel).ping(PingRequest {})).await.is_ok(),
        Err(_) => false,
    };
    let old = handle.issue(&IssueOptions::of("alice")).unwrap();
    handle.begin_ca_rotation().unwrap();
    let during = handle.issue(&IssueOptions::of("alice")).unwrap();
    assert_eq!(during.tls_authorities_pem.len(), 2);
    assert!(works(&old).await && works(&during).await);
    handle.switch_server_certificate().unwrap();
    assert!(works(&during).await);
    assert!(!works(&old).await, "an old identity does not know the server's new authority");
    handle.finish_ca_rotation().unwrap();
    let new = handle.issue(&IssueOptions::of("alice")).unwrap();
    assert_eq!(new.tls_authorities_pem.len(), 1);
    assert!(works(&new).await && works(&during).await);
}

#[tokio::test]
async fn identity_files_have_tbots_order_and_nobody_else_can_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    let running = SimServer::start(
        default_scenario().unwrap(),
        "127.0.0.1:0".parse().unwrap(),
        Some(path.clone()),
        SimClock::real(),
    )
    .await
    .unwrap();
    let mut names: Vec<String> =
        std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let users = ["admin", "alice", "bulk", "climber", "hoarder", "straddler", "switcher"];
    let mut wanted: Vec<String> = users.iter().map(|user| format!("{user}.identity")).collect();
    wanted.push("identity".to_owned());
    wanted.sort();
    assert_eq!(names, wanted);
    for name in names {
        assert_eq!(std::fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let text = std::fs::read_to_string(running.identity_path("bot-tribunal").unwrap()).unwrap();
    let marks: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.contains("BEGIN") || line.contains("-cert-v01@openssh.com") || line.starts_with("@cert-authority")
        })
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        marks,
        ["-----BEGIN", "ecdsa-sha2-nistp256-cert-v01@openssh.com", "-----BEGIN", "@cert-authority", "-----BEGIN"]
    );
    assert!(text.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let line = text.lines().find(|line| line.starts_with("ecdsa-sha2")).unwrap();
    let certificate = ssh_key::Certificate::from_openssh(line).unwrap();
    assert_eq!(certificate.valid_principals()[0], "bot-tribunal");
    assert_eq!(running.identity_path("no-such-user"), None);
    running.shutdown().await;
}

#[tokio::test]
async fn a_certificate_with_other_roles_counts_as_those() {
    let world = World::start().await;
    let mut stripped =
        world.client_of(&IssueOptions { roles: Some(Vec::new()), ..IssueOptions::of("bot-tribunal") }).await;
    refused(stripped.get_locks(GetLocksRequest::default()).await, PermissionDenied, "on `lock`");
}

#[tokio::test]
async fn after_a_shutdown_the_port_is_free_and_streams_are_over() {
    let world = World::start().await;
    let mut bot = world.bot().await;
    let kinds = vec![tribunal_proto::types::WatchKind { kind: "lock".into(), ..Default::default() }];
    let mut stream = bot
        .watch_events(tribunal_proto::proto::Watch { kinds, allow_partial_success: false })
        .await
        .unwrap()
        .into_inner();
    soon(stream.message()).await.unwrap();
    let addr = world.running.addr();
    soon(world.running.shutdown()).await;
    assert!(soon(stream.message()).await.is_err());
    let again = SimServer::start(default_scenario().unwrap(), addr, None, SimClock::real()).await;
    assert!(again.is_ok(), "{again:?}");
}
