//! SSH through the tunnel of a simulated proxy that has no TLS routing, over real sockets.

use std::time::Duration;

use tempfile::TempDir;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_ports::Teleport;
use tribunal_sim::{
    IdentityKey, IssueOptions, Proxy, ProxySettings, RotationPhase, Running, Scenario, SimClock, SimServer, Span,
    SshTunnel, TunnelFault, TunnelSettings,
};
use tribunal_teleport::{Choice, Client, Deadlines, Limits, Reach, Route, Target, connect};

/// A cluster, its proxy with TLS routing off, and the proxy's tunnel.
struct World {
    running: Running,
    proxy: Proxy,
    tunnel: SshTunnel,
    dir: TempDir,
    target: Target,
}

async fn world(change: impl FnOnce(&mut TunnelSettings)) -> World {
    let scenario = Scenario::parse("cluster = \"dev\"").unwrap();
    let dir = TempDir::new().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let running = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
    let mut settings = TunnelSettings::default();
    change(&mut settings);
    let tunnel = SshTunnel::beside(&running, settings).await.unwrap();
    let told = ProxySettings {
        tls_routing: false,
        ssh_tunnel_public_addr: Some(tunnel.addr().to_string()),
        ..ProxySettings::default()
    };
    let proxy = Proxy::beside(&running, told).await.unwrap();
    let ca = dir.path().join("proxy-ca.pem");
    std::fs::write(&ca, proxy.web_ca_pem()).unwrap();
    let target = Target {
        address: proxy.addr().to_string().parse().unwrap(),
        identity_file: dir.path().join("identity"),
        dial_timeout: Duration::from_secs(30),
        reach: Reach { choice: Choice::Ssh, proxy_ca_file: Some(ca), ..Reach::default() },
    };
    World { running, proxy, tunnel, dir, target }
}

impl World {
    /// Gives the bot another identity.
    fn issue(&self, change: impl FnOnce(&mut IssueOptions)) {
        let mut options = IssueOptions::of(&self.running.scenario().bot_user());
        change(&mut options);
        self.running.issue(&options).unwrap().write(&self.dir.path().join("identity")).unwrap();
    }

    /// Puts the text of the identity file through `change`.
    fn rewrite(&self, change: impl FnOnce(&str) -> String) {
        let path = self.dir.path().join("identity");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, change(&text)).unwrap();
    }

    async fn failure(&self) -> Failure {
        let failure = connect::connect(&self.target).await.unwrap_err();
        assert_eq!(self.tunnel.channels(), 0, "{failure}");
        failure
    }

    /// What is said when the tunnel is like this.
    async fn said(change: impl FnOnce(&mut TunnelSettings)) -> (FailureClass, String) {
        let world = world(change).await;
        let failure = world.failure().await;
        let detail = failure.detail.replace(&world.tunnel.addr().to_string(), "T");
        let detail = detail.strip_prefix("no way to Auth by SSH through `T`: ").unwrap_or(&detail).to_owned();
        (failure.class, detail)
    }
}

fn quick(world: &mut World) {
    world.target.reach.deadlines = Deadlines { ssh: Duration::from_millis(300), ..Deadlines::default() };
}

#[tokio::test]
async fn auth_is_reached_by_ssh_with_every_kind_of_key() {
    for key in [IdentityKey::EcdsaP256, IdentityKey::Ed25519, IdentityKey::Rsa2048] {
        let world = world(|_| {}).await;
        world.issue(|options| options.key = key);
        let client = Client::new(world.target.clone(), Limits::default()).await.unwrap();
        client.list().await.unwrap();
        assert!(world.tunnel.channels() > 0, "{key:?}");
        assert!(matches!(world.target.reach.last.get(), Some(Route::ProxySsh { .. })), "{key:?}");
    }
}

#[tokio::test]
async fn ssh_is_what_a_proxy_without_tls_routing_leads_to() {
    let mut world = world(|_| {}).await;
    world.target.reach.choice = Choice::Auto;
    Client::new(world.target.clone(), Limits::default()).await.unwrap().list().await.unwrap();
    assert!(matches!(world.target.reach.last.get(), Some(Route::ProxySsh { .. })));
}

#[tokio::test]
async fn a_connection_that_is_cut_comes_back() {
    let world = world(|_| {}).await;
    let client = Client::new(world.target.clone(), Limits::default()).await.unwrap();
    client.list().await.unwrap();
    let before = world.tunnel.channels();
    world.tunnel.cut_connections();
    tokio::time::timeout(Duration::from_secs(30), async { while client.list().await.is_err() {} }).await.unwrap();
    assert!(world.tunnel.channels() > before);
}

#[tokio::test]
async fn a_rotation_of_the_hosts_authority_is_survived() {
    let world = world(|_| {}).await;
    let lists = async || Client::new(world.target.clone(), Limits::default()).await?.list().await;
    let rotate = |phase| world.running.handle().rotate_authorities(phase).unwrap();
    rotate(RotationPhase::Init);
    rotate(RotationPhase::UpdateClients);
    world.issue(|_| {});
    lists().await.unwrap();
    rotate(RotationPhase::UpdateServers);
    lists().await.unwrap();
    rotate(RotationPhase::Standby);
    world.issue(|_| {});
    lists().await.unwrap();
}

#[tokio::test]
async fn a_host_that_the_cluster_did_not_sign_is_refused() {
    let again = "; check that address and identity are of the same cluster, and have tbot write the identity anew if the cluster's host CA was rotated";
    for (fault, why) in [
        (
            TunnelFault::ForeignHost,
            "its certificate, of `proxy.dev`, is signed by none of the identity file's `@cert-authority` lines",
        ),
        (TunnelFault::StolenCertificate, "it does not prove that it has the key of its certificate"),
        (TunnelFault::BareKey, "it shows a host key that is no certificate"),
    ] {
        let said = World::said(|settings| settings.fault = fault).await;
        assert_eq!(said, (FailureClass::Alarm, format!("the proxy is not trusted: {why}{again}")));
    }
}

#[tokio::test]
async fn a_host_of_another_name_or_time_is_refused() {
    let (class, said) = World::said(|settings| settings.names = vec!["proxy.example.com".into(), "x".into()]).await;
    assert_eq!(class, FailureClass::Alarm);
    assert_eq!(
        said,
        "the proxy's certificate is for `proxy.example.com`, `x`, and not for `127.0.0.1`; use one of these names as the proxy's address, or set its `tunnel_public_addr`"
    );
    let (class, said) = World::said(|settings| settings.host_life = Span::from_ms(-60_000)).await;
    assert_eq!(class, FailureClass::Alarm);
    assert!(said.starts_with("the proxy's certificate is valid from 2"), "{said}");
    assert!(said.ends_with(", which is not now; check the clocks of both machines"), "{said}");
}

#[tokio::test]
async fn a_certificate_of_the_user_that_is_over_is_not_even_shown() {
    let world = world(|_| {}).await;
    world.issue(|options| options.ssh_life = Some(Span::from_ms(-60_000)));
    let failure = world.failure().await;
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("the SSH certificate of `bot-tribunal` in the identity file is valid from 2"));
    assert!(failure.detail.ends_with("check that tbot runs and renews it, and this machine's clock"), "{failure}");
    assert_eq!(world.tunnel.refused(), 0);
}

#[tokio::test]
async fn a_user_that_the_cluster_does_not_know_is_told_so() {
    let world = world(|_| {}).await;
    world.issue(|options| options.unknown_signer = true);
    let failure = world.failure().await;
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("it refuses the SSH certificate of `bot-tribunal`; check that"), "{failure}");
}

#[tokio::test]
async fn an_identity_without_its_lines_for_ssh_says_which_are_missing() {
    let without = |lines: fn(&str) -> bool| {
        move |text: &str| text.lines().filter(|line| !lines(line)).fold(String::new(), |all, line| all + line + "\n")
    };
    let world = world(|_| {}).await;
    world.rewrite(without(|line| line.starts_with("@cert-authority")));
    let failure = world.failure().await;
    assert!(failure.detail.contains("the identity file has no `@cert-authority` line to verify the proxy with; have"));
    world.issue(|_| {});
    world.rewrite(without(|line| line.contains("-cert-v01@openssh.com")));
    let failure = world.failure().await;
    assert!(failure.detail.contains("the identity file has no SSH certificate; have tbot's"), "{failure}");
    world.issue(|_| {});
    let other = world.running.issue(&IssueOptions::of("admin")).unwrap();
    world.rewrite(|text| {
        let own = text.lines().find(|line| line.contains("-cert-v01@openssh.com")).unwrap();
        text.replace(own, other.ssh_certificate.trim())
    });
    let failure = world.failure().await;
    assert!(failure.detail.contains("it must be for the private key of the same file"), "{failure}");
    assert_eq!(failure.class, FailureClass::Alarm);
}

#[tokio::test]
async fn a_peer_that_is_silent_or_no_ssh_server_is_named_by_the_step() {
    for (fault, class, expected) in [
        (
            TunnelFault::Silent,
            FailureClass::Retry,
            "no SSH banner within 0.3 s; check that this is the proxy's reverse tunnel port (3024, if not set otherwise) and that no firewall is between",
        ),
        (
            TunnelFault::SilentInKeys,
            FailureClass::Retry,
            "SSH key exchange was not done after 0.3 s; see the proxy's log and its load",
        ),
        (
            TunnelFault::NotSsh,
            FailureClass::Alarm,
            "it does not speak SSH, but begins with `HTTP/1.1 400 Bad Request`; check that this is the proxy's reverse tunnel port (3024, if not set otherwise)",
        ),
    ] {
        let mut world = world(|settings| settings.fault = fault).await;
        quick(&mut world);
        let failure = world.failure().await;
        assert!(failure.detail.ends_with(&format!(": {expected}")), "{failure}");
        assert_eq!(failure.class, class);
    }
}

#[tokio::test]
async fn a_tunnel_that_dials_nothing_says_why() {
    let (class, said) = World::said(|settings| settings.fault = TunnelFault::NoAuth).await;
    assert_eq!(class, FailureClass::Retry);
    assert_eq!(
        said,
        "it cannot connect to Auth: `failed to dial auth server`; see the proxy's log, and check that its Auth server runs"
    );
    let (class, said) = World::said(|settings| settings.fault = TunnelFault::SessionsOnly).await;
    assert_eq!(class, FailureClass::Alarm);
    assert_eq!(
        said,
        "it refuses a channel to Auth: `reversetunnel received unknown channel request teleport-transport`; check that this is the proxy's reverse tunnel port (3024, if not set otherwise)"
    );
}

#[tokio::test]
async fn a_tunnel_that_dies_while_open_does_not_hold_us_up() {
    let mut world = world(|settings| settings.fault = TunnelFault::SilentAfterDial).await;
    world.target.reach.deadlines = Deadlines { tls: Duration::from_millis(300), ..Deadlines::default() };
    let failure = connect::connect(&world.target).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry, "{failure}");
    assert_eq!(world.tunnel.channels(), 1);
}

#[tokio::test]
async fn ssh_to_a_proxy_with_tls_routing_that_fails_says_that_there_is_another_way() {
    let world = world(|_| ()).await;
    world.proxy.change(|settings| {
        settings.tls_routing = true;
        // Nobody listens there, as nobody does on a proxy that has one port for everything.
        settings.ssh_tunnel_public_addr = Some("127.0.0.1:1".to_owned());
    });
    let failure = world.failure().await;
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.starts_with("cannot reach `127.0.0.1:1`: "), "{failure}");
    assert!(failure.detail.ends_with("may have no tunnel port then: try it without `route = \"ssh\"`"), "{failure}");
}
