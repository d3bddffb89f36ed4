//! Who gets a connection: versions, application protocols, certificates, rotation; and the files that identities come in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;

use rustls::version::{TLS12, TLS13};
use tonic::Code::PermissionDenied;
use tribunal_proto::proto::auth_service_client::AuthServiceClient;
use tribunal_proto::proto::{GetLocksRequest, PingRequest};
use tribunal_sim::{
    Identity, IdentityKey, IssueOptions, KeyForm, RotationPhase, SimClock, SimServer, Span, default_scenario,
    encoded_cluster_name,
};

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

/// Whether a new connection with this identity comes about.
async fn works(world: &World, identity: &Identity) -> bool {
    match world.channel_with(identity).await {
        Ok(channel) => soon(AuthServiceClient::new(channel).ping(PingRequest {})).await.is_ok(),
        Err(_) => false,
    }
}

/// Through these phases, with an identity issued in each, and a last look at which of all of them work now.
async fn rotation(world: &World, phases: &[RotationPhase]) -> (Vec<Identity>, Vec<bool>) {
    let handle = world.running.handle();
    let mut issued = vec![handle.issue(&IssueOptions::of("alice")).unwrap()];
    for phase in phases {
        handle.rotate_authorities(*phase).unwrap();
        assert_eq!(handle.rotation_phase(), *phase);
        issued.push(handle.issue(&IssueOptions::of("alice")).unwrap());
    }
    let mut work = Vec::new();
    for identity in &issued {
        work.push(works(world, identity).await);
    }
    (issued, work)
}

#[tokio::test]
async fn whoever_renews_in_every_phase_of_a_rotation_is_never_locked_out() {
    use RotationPhase::{Init, Rollback, Standby, UpdateClients, UpdateServers};
    // Identities of: before, init, update_clients, and so on.
    for (phases, working) in [
        (&[Init][..], &[true, true][..]),
        (&[Init, UpdateClients], &[true, true, true]),
        // One of before does not know the server's new authority.
        (&[Init, UpdateClients, UpdateServers], &[false, true, true, true]),
        // What the old authority signed is over.
        (&[Init, UpdateClients, UpdateServers, Standby], &[false, false, true, true, true]),
        (&[Init, UpdateClients, Rollback], &[true, true, true, true]),
        (&[Init, UpdateClients, UpdateServers, Rollback], &[true, true, true, true, true]),
        // What the new authority signed is over.
        (&[Init, UpdateClients, Rollback, Standby], &[true, true, false, true, true]),
    ] {
        let world = World::start().await;
        let (issued, work) = rotation(&world, phases).await;
        assert_eq!(work, working, "{phases:?}");
        for (identity, phase) in issued.iter().zip([Standby].iter().chain(phases)) {
            let trusted = if *phase == Standby { 1 } else { 2 };
            assert_eq!(identity.tls_authorities_pem.len(), trusted, "{phase}");
            assert_eq!(identity.ssh_authorities.len(), trusted, "{phase}");
        }
    }
}

#[tokio::test]
async fn phases_of_a_rotation_follow_each_other() {
    use RotationPhase::{Init, Rollback, Standby, UpdateClients, UpdateServers};
    let world = World::start().await;
    let handle = world.running.handle();
    let refused = handle.rotate_authorities(UpdateServers).unwrap_err().to_string();
    assert_eq!(refused, "the rotation of the authorities goes from `standby` to `init`, never to `update_servers`");
    handle.rotate_authorities(Init).unwrap();
    for wrong in [Init, UpdateServers, Standby] {
        handle.rotate_authorities(wrong).unwrap_err();
        assert_eq!(handle.rotation_phase(), Init);
    }
    for next in [UpdateClients, UpdateServers, Rollback, Standby, Init] {
        handle.rotate_authorities(next).unwrap();
    }
}

#[tokio::test]
async fn a_rotation_leaves_connections_alone() {
    let world = World::start().await;
    let mut client = world.client_of(&IssueOptions::of("alice")).await;
    for phase in
        [RotationPhase::Init, RotationPhase::UpdateClients, RotationPhase::UpdateServers, RotationPhase::Standby]
    {
        world.running.handle().rotate_authorities(phase).unwrap();
        soon(client.ping(PingRequest {})).await.unwrap();
    }
}

#[tokio::test]
async fn keys_are_written_in_teleports_forms() {
    let world = World::start().await;
    for (key, form, label) in [
        (IdentityKey::Rsa2048, KeyForm::Teleport, "RSA PRIVATE KEY"),
        (IdentityKey::Rsa2048, KeyForm::Traditional, "RSA PRIVATE KEY"),
        (IdentityKey::Rsa2048, KeyForm::Pkcs8, "PRIVATE KEY"),
        (IdentityKey::EcdsaP256, KeyForm::Teleport, "PRIVATE KEY"),
        (IdentityKey::EcdsaP256, KeyForm::Traditional, "EC PRIVATE KEY"),
        (IdentityKey::EcdsaP256, KeyForm::Pkcs8, "PRIVATE KEY"),
        (IdentityKey::Ed25519, KeyForm::Teleport, "PRIVATE KEY"),
        (IdentityKey::Ed25519, KeyForm::Pkcs8, "PRIVATE KEY"),
    ] {
        let identity = world.running.issue(&IssueOptions { key, form, ..IssueOptions::of("alice") }).unwrap();
        assert!(identity.private_key_pem.starts_with(&format!("-----BEGIN {label}-----\n")), "{key:?} {form:?}");
        assert!(works(&world, &identity).await, "{key:?} {form:?}");
    }
    // Go writes 48 bytes; with a public key inside there would be 83.
    let ed25519 = IssueOptions { key: IdentityKey::Ed25519, ..IssueOptions::of("alice") };
    let pem = world.running.issue(&ed25519).unwrap().private_key_pem;
    assert_eq!(pem.lines().nth(1).map(str::len), Some(64));
    assert_eq!(pem.lines().count(), 3);
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
