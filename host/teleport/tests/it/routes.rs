//! The ways to Auth, over real sockets: which one is taken, and that each carries calls.

use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use tribunal_sim::{Balancer, Proxy, ProxySettings, TlsVersions, Upgrade};
use tribunal_teleport::{Choice, Client, Environment, Limits, Reach, Route, Target};

use super::place::{Place, ping};
use super::server::Manners;

fn balancer(balancer: Balancer) -> ProxySettings {
    ProxySettings { balancer, ..ProxySettings::default() }
}

fn is_routed(route: &Route) -> bool {
    matches!(route, Route::ProxyTls { cluster, .. } if cluster == "root")
}

fn is_upgraded(route: &Route) -> bool {
    matches!(route, Route::ProxyUpgrade { cluster, .. } if cluster == "root")
}

fn choosing(target: Target, choice: Choice) -> Target {
    Target { reach: Reach { choice, ..target.reach }, ..target }
}

#[tokio::test]
async fn a_proxy_with_tls_routing_leads_to_auth_by_the_clusters_name() {
    let place = Place::new(ProxySettings::default()).await;
    assert!(is_routed(&place.way(place.target()).await));
    assert_eq!(place.server.calls("Ping").len(), 1);
    assert_eq!((place.proxy.count("find"), place.proxy.count("routed"), place.proxy.count("upgrade")), (1, 1, 0));
}

#[tokio::test]
async fn a_balancer_that_strips_application_protocols_makes_it_an_upgrade() {
    for stripping in [Balancer::IgnoresAlpn, Balancer::RefusesAlpn] {
        let place = Place::new(balancer(stripping)).await;
        assert!(is_upgraded(&place.way(place.target()).await), "{stripping:?}");
        assert_eq!(place.server.calls("Ping")[0].user, "bot-tribunal");
        assert_eq!((place.proxy.count("upgrade"), place.proxy.count("routed")), (1, 1));
    }
}

#[tokio::test]
async fn each_way_works_with_each_version_of_tls_on_either_leg() {
    for (web, auth) in [
        (TlsVersions::Tls12, &TLS12),
        (TlsVersions::Tls12, &TLS13),
        (TlsVersions::Tls13, &TLS12),
        (TlsVersions::Tls13, &TLS13),
    ] {
        for balancer in [Balancer::None, Balancer::IgnoresAlpn] {
            let settings = ProxySettings { tls: web, balancer, ..ProxySettings::default() };
            let place = Place::with(settings, Manners { versions: vec![auth], ..Manners::default() }).await;
            let cluster = place.ping().await.unwrap();
            assert_eq!(cluster.version, "18.1.0", "{web:?} {balancer:?}");
        }
    }
}

#[tokio::test]
async fn an_auth_server_is_recognised_without_asking_for_a_proxy() {
    let place = Place::new(ProxySettings::default()).await;
    let target = place.file.target(&place.server.address);
    assert!(matches!(place.way(target).await, Route::Auth { .. }));
    assert_eq!(place.proxy.count("connection"), 0);
}

#[tokio::test]
async fn the_configuration_overrides_what_would_be_chosen() {
    let place = Place::new(ProxySettings::default()).await;
    assert!(is_upgraded(&place.way(choosing(place.target(), Choice::Upgrade)).await));
    assert!(is_routed(&place.way(choosing(place.target(), Choice::TlsRouting)).await));
    assert_eq!(place.proxy.count("probe"), 0, "nothing is tested where nothing is to be chosen");
    let failure = ping(choosing(place.target(), Choice::Auth)).await.unwrap_err();
    assert!(failure.detail.starts_with("no TLS connection to `127.0.0.1:"), "{failure}");
    let failure = ping(choosing(place.file.target(&place.server.address), Choice::TlsRouting)).await.unwrap_err();
    assert!(failure.detail.contains("as a proxy"), "{failure}");
}

#[tokio::test]
async fn teleports_variable_decides_instead_of_the_test() {
    for (value, stripping, upgraded) in
        [("yes", Balancer::None, true), ("yes,{}=no", Balancer::None, false), ("{}=1", Balancer::IgnoresAlpn, true)]
    {
        let place = Place::new(balancer(stripping)).await;
        let mut target = place.target();
        let conn_upgrade = value.replace("{}", &place.proxy.addr().to_string());
        target.reach.environment = Environment { conn_upgrade, ..Environment::default() };
        assert_eq!(is_upgraded(&place.way(target).await), upgraded, "{value}");
        assert_eq!(place.proxy.count("probe"), 0);
    }
}

#[tokio::test]
async fn a_broken_connection_is_made_again_by_the_same_way_without_asking() {
    for stripping in [Balancer::None, Balancer::IgnoresAlpn] {
        let place = Place::new(balancer(stripping)).await;
        let client = Client::new(place.target(), Limits::default()).await.unwrap();
        client.ping().await.unwrap();
        place.proxy.cut_connections();
        // The first call may find the connection broken.
        if client.ping().await.is_err() {
            client.ping().await.unwrap();
        }
        assert_eq!((place.proxy.count("find"), place.proxy.count("routed")), (1, 2), "{stripping:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_was_reconfigured_is_asked_again() {
    type Expected = fn(&Route) -> bool;
    let place = Place::new(ProxySettings::default()).await;
    let client = Client::new(place.target(), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    assert!(is_routed(&client.route().unwrap()));
    let without_upgrade = ProxySettings { upgrade: Upgrade::NotFound, ..balancer(Balancer::None) };
    let changes: [(ProxySettings, Expected); 2] =
        [(balancer(Balancer::RefusesAlpn), is_upgraded), (without_upgrade, is_routed)];
    for (settings, expected) in changes {
        place.proxy.change(|now| *now = settings);
        place.proxy.cut_connections();
        // The first call may find the connection broken.
        if client.ping().await.is_err() {
            client.ping().await.unwrap();
        }
        assert!(client.route().is_some_and(|route| expected(&route)), "{:?}", client.route());
    }
    assert_eq!(place.proxy.count("find"), 3);
}

#[tokio::test]
async fn a_way_that_went_silent_is_given_up_by_its_deadline_and_not_tried_first_again() {
    let place = Place::new(ProxySettings::default()).await;
    let target = place.target();
    let auth = place.server.address.parse().unwrap();
    let client = Client::new(target.clone(), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    place.proxy.change(|settings| settings.silence = tribunal_sim::Silence::TowardsAuth);
    let deadlines = tribunal_teleport::Deadlines { tls: Duration::from_millis(500), ..target.reach.deadlines };
    let silent = Target { reach: Reach { deadlines, ..target.reach.clone() }, ..target.clone() };
    let failure = ping(silent).await.unwrap_err();
    assert!(failure.detail.contains("in the TLS handshake with Auth"), "{failure}");
    assert_eq!(target.reach.last.get(), None, "what failed is not tried first again");
    let direct = Target { address: auth, ..target };
    assert!(matches!(place.way(direct).await, Route::Auth { .. }));
}

#[tokio::test]
async fn upgraded_connections_answer_the_proxys_pings() {
    let settings = ProxySettings { ping_every: Duration::from_millis(5), ..balancer(Balancer::IgnoresAlpn) };
    let place = Place::new(settings).await;
    let client = Client::new(place.target(), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    let answered = async {
        while place.proxy.count("pong") < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.unwrap();
    client.ping().await.unwrap();
    assert_eq!(place.proxy.count("upgrade"), 1, "the connection lives on");
}

#[tokio::test]
async fn a_name_with_several_addresses_is_reached_at_the_one_that_answers() {
    let place = Place::new(ProxySettings::default()).await;
    // `localhost` may be ::1 first, where nobody listens.
    let target =
        Target { address: format!("localhost:{}", place.proxy.addr().port()).parse().unwrap(), ..place.target() };
    assert!(is_routed(&place.way(target).await));
}

#[tokio::test]
async fn an_ipv6_address_in_brackets_is_reached() {
    let place = Place::new(ProxySettings::default()).await;
    let auth = place.server.address.parse().unwrap();
    let listen = "[::1]:0".parse().unwrap();
    let started = Proxy::start(listen, auth, "root", balancer(Balancer::IgnoresAlpn)).await;
    let Ok(proxy) = started else {
        // A machine without IPv6 says so instead.
        let failure = ping(place.file.target("[::1]:1")).await.unwrap_err();
        assert!(failure.detail.starts_with("cannot reach `[::1]:1`: "), "{failure}");
        return;
    };
    let web_ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(web_ca.path(), proxy.web_ca_pem()).unwrap();
    let mut target = place.file.target(&proxy.addr().to_string());
    target.reach.proxy_ca_file = Some(web_ca.path().to_owned());
    assert!(is_upgraded(&place.way(target).await));
}

#[tokio::test]
async fn a_connection_that_goes_dead_on_the_way_ends_calls_by_their_deadline() {
    for stripping in [Balancer::None, Balancer::IgnoresAlpn] {
        let place = Place::new(balancer(stripping)).await;
        let limits = Limits { call: Duration::from_millis(200), ..Limits::default() };
        let client = Client::new(place.target(), limits).await.unwrap();
        // The connection may take longer than this call waits; the next one finds it.
        while client.ping().await.is_err() {}
        let asked = place.proxy.count("find");
        place.proxy.deaden_connections();
        let failure = client.ping().await.unwrap_err();
        assert_eq!(failure.detail, "`Ping`: too late: no answer within 0.2 s", "{stripping:?}");
        client.reload().await.unwrap();
        while client.ping().await.is_err() {}
        assert_eq!(place.proxy.count("find"), asked, "the same way as before");
    }
}
