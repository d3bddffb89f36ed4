//! Proxies that are broken, misconfigured or not what they seem: what each is called, and that none is waited for long.

use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::net::TcpListener;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_sim::{Balancer, Proxy, ProxySettings, Silence, Upgrade, WebCertificate};
use tribunal_teleport::{Choice, Deadlines, Reach, Target};

use super::pki::{self, Ca, File};
use super::place::{Place, ping};

const SHORT: Duration = Duration::from_millis(500);

fn by_proxy(target: Target) -> Target {
    Target { reach: Reach { choice: Choice::TlsRouting, ..target.reach }, ..target }
}

/// One step is waited for only shortly.
fn impatient(target: Target, step: fn(&mut Deadlines) -> &mut Duration) -> Target {
    let mut deadlines = target.reach.deadlines;
    *step(&mut deadlines) = SHORT;
    Target { reach: Reach { deadlines, ..target.reach }, ..target }
}

async fn refusal(target: Target) -> Failure {
    ping(target).await.unwrap_err()
}

#[tokio::test]
async fn a_web_certificate_that_is_not_believed_says_why_and_what_to_do() {
    for (certificate, words) in [
        (WebCertificate::OtherHost, "it is not for that host; use the address that the proxy's certificate is for"),
        (WebCertificate::Expired, "it is not valid now; check the clocks, and have the proxy's certificate renewed"),
    ] {
        let place = Place::new(ProxySettings { certificate, ..ProxySettings::default() }).await;
        let failure = refusal(by_proxy(place.target())).await;
        assert_eq!(failure.class, FailureClass::Alarm);
        let begin = format!(
            "the proxy at `{}` is not trusted: it shows the certificate of `proxy`, issued by `Simulated Web CA`, valid until ",
            place.proxy.addr()
        );
        assert!(failure.detail.starts_with(&begin) && failure.detail.ends_with(words), "{failure}");
        assert_eq!(place.proxy.count("find"), 0);
    }
}

#[tokio::test]
async fn a_web_certificate_of_an_unknown_ca_is_not_believed_unless_that_is_waived() {
    let place = Place::new(ProxySettings::default()).await;
    let other = NamedTempFile::new().unwrap();
    std::fs::write(other.path(), Ca::new("another").pem()).unwrap();
    let mut target = by_proxy(place.target());
    target.reach.proxy_ca_file = Some(other.path().to_owned());
    let failure = refusal(target.clone()).await;
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(
        failure.detail.ends_with(
            "no CA of this machine vouches for it; add its CA to those of the machine, or name it with `proxy-ca-file`"
        ),
        "{failure}"
    );
    target.reach.insecure = true;
    assert_eq!(ping(target.clone()).await.unwrap().name, "root");
    // Auth itself is never waived.
    let file = File::new(&pki::identity(&Ca::new("root"), "bot-tribunal"));
    let failure = refusal(Target { identity_file: file.path(), ..target }).await;
    assert!(failure.detail.contains("and the identity file trusts only `root`"), "{failure}");
}

#[tokio::test]
async fn a_proxy_whose_certificate_is_over_is_not_taken_for_an_auth_server() {
    let settings = ProxySettings {
        certificate: WebCertificate::Expired,
        balancer: Balancer::IgnoresAlpn,
        ..ProxySettings::default()
    };
    let place = Place::new(settings).await;
    let mut target = place.target();
    target.reach.insecure = true;
    assert_eq!(ping(target).await.unwrap().name, "root", "a lab that verifies no proxy");
    let failure = refusal(place.target()).await;
    assert!(failure.detail.contains("; (2) as a proxy at"), "{failure}");
}

#[tokio::test]
async fn the_machines_own_cas_are_what_counts_where_no_file_is_named() {
    let place = Place::new(ProxySettings::default()).await;
    let mut target = by_proxy(place.target());
    target.reach.proxy_ca_file = None;
    let failure = refusal(target).await;
    assert_eq!(failure.class, FailureClass::Alarm);
    // Either this machine has CAs, none of which is the simulated one, or it has none at all.
    let known = failure.detail.contains("no CA of this machine vouches for it");
    assert!(known || failure.detail.contains("this machine has no CA certificates"), "{failure}");
}

#[tokio::test]
async fn a_file_of_cas_that_is_none_is_named() {
    let place = Place::new(ProxySettings::default()).await;
    let file = NamedTempFile::new().unwrap();
    for (text, words) in [("", "has no certificate; "), ("-----BEGIN CERTIFICATE-----\n", "is garbled: ")] {
        std::fs::write(file.path(), text).unwrap();
        let mut target = by_proxy(place.target());
        target.reach.proxy_ca_file = Some(file.path().to_owned());
        let failure = refusal(target).await;
        assert_eq!(failure.class, FailureClass::Alarm);
        assert!(
            failure.detail.starts_with(&format!("`proxy-ca-file` `{}`: {words}", file.path().display())),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_proxy_of_another_cluster_is_told_from_one_that_cannot_reach_auth() {
    let place = Place::new(ProxySettings { cluster_told: Some("elsewhere".into()), ..ProxySettings::default() }).await;
    let failure = refusal(by_proxy(place.target())).await;
    assert_eq!(failure.class, FailureClass::Alarm);
    assert_eq!(
        failure.detail,
        format!(
            "the proxy at `{}` hung up instead of leading to an Auth server of cluster `elsewhere`: the identity file is of cluster `root`; use the address of its proxy",
            place.proxy.addr()
        )
    );
    // The same cluster by name, though its Auth server is of another CA.
    let file = File::new(&pki::identity(&Ca::new("root"), "bot-tribunal"));
    place.proxy.change(|settings| settings.cluster_told = None);
    let failure = refusal(Target { identity_file: file.path(), ..place.target() }).await;
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("is not trusted: it shows the certificate of `auth`"), "{failure}");
}

#[tokio::test]
async fn an_auth_server_that_is_gone_is_not_the_identitys_fault() {
    let place = Place::new(ProxySettings::default()).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gone = listener.local_addr().unwrap();
    drop(listener);
    let listen = "127.0.0.1:0".parse().unwrap();
    let proxy = Proxy::start(listen, gone, "root", ProxySettings::default()).await.unwrap();
    let mut target = by_proxy(place.file.target(&proxy.addr().to_string()));
    target.reach.insecure = true;
    let failure = refusal(target).await;
    assert_eq!(failure.class, FailureClass::Retry);
    assert!(failure.detail.contains("check that an Auth server of it runs"), "{failure}");
}

#[tokio::test]
async fn an_upgrade_that_is_refused_says_how() {
    for (upgrade, words) in [
        (Upgrade::NotFound, "is answered 404; update the proxy, have the load balancer pass that path on"),
        (Upgrade::WrongKey, "Sec-WebSocket-Accept"),
        (Upgrade::NoProtocol, "SubProtocol"),
        (Upgrade::Silent, "did not answer within 0.5 s to `GET /webapi/connectionupgrade`"),
    ] {
        let settings = ProxySettings { upgrade, balancer: Balancer::IgnoresAlpn, ..ProxySettings::default() };
        let place = Place::new(settings).await;
        let failure = refusal(impatient(place.target(), |deadlines| &mut deadlines.upgrade)).await;
        assert!(failure.detail.contains(words), "{upgrade:?}: {failure}");
        assert!(place.proxy.count("upgrade") > 0);
    }
}

#[tokio::test]
async fn silence_ends_each_step_by_its_deadline() {
    type Step = fn(&mut Deadlines) -> &mut Duration;
    let (tls, find): (Step, Step) = (|deadlines| &mut deadlines.tls, |deadlines| &mut deadlines.find);
    for (silence, balancer, step, words) in [
        (Silence::AtOnce, Balancer::None, tls, "in the TLS handshake, as a proxy"),
        (Silence::AfterTls, Balancer::IgnoresAlpn, find, "to `GET /webapi/find`"),
        (Silence::TowardsAuth, Balancer::None, tls, "in the TLS handshake with Auth"),
        (Silence::TowardsAuth, Balancer::IgnoresAlpn, tls, "in the TLS handshake with Auth"),
    ] {
        let place = Place::new(ProxySettings { silence, balancer, ..ProxySettings::default() }).await;
        let failure = refusal(impatient(place.target(), step)).await;
        assert_eq!(failure.class, FailureClass::Retry);
        assert!(failure.detail.contains(&format!("did not answer within 0.5 s {words}")), "{silence:?}: {failure}");
    }
}

#[tokio::test]
async fn all_ways_in_vain_are_told_with_what_each_said() {
    let place = Place::new(ProxySettings { silence: Silence::AfterTls, ..ProxySettings::default() }).await;
    let failure = refusal(impatient(place.target(), |deadlines| &mut deadlines.find)).await;
    let address = place.proxy.addr();
    let begin = format!(
        "no way to Teleport at `{address}`; 2 were tried: (1) as an Auth server at `{address}`: no TLS connection to"
    );
    assert!(failure.detail.starts_with(&begin), "{failure}");
    assert!(
        failure.detail.contains(&format!("; (2) as a proxy at `{address}`: `{address}` did not answer")),
        "{failure}"
    );
}

#[tokio::test]
async fn what_is_no_proxy_is_said_to_be_none() {
    let long = format!("{{\"cluster_name\": \"{}\"}}", "a".repeat(300 * 1024));
    for (body, words) in [
        ("<html>welcome</html>", "is no Teleport proxy: `GET /webapi/find`: its answer cannot be read"),
        ("{}", "its answer names no cluster"),
        (long.as_str(), "is no Teleport proxy: `GET /webapi/find`: length limit exceeded"),
    ] {
        let place = Place::new(ProxySettings { find_body: Some(body.to_owned()), ..ProxySettings::default() }).await;
        let failure = refusal(by_proxy(place.target())).await;
        assert!(failure.detail.contains(words), "{failure}");
    }
}

#[tokio::test]
async fn a_cluster_name_too_long_for_tls_routing_is_said_to_be() {
    let name = "a".repeat(110);
    let place = Place::new(ProxySettings { cluster_told: Some(name), ..ProxySettings::default() }).await;
    let failure = refusal(place.target()).await;
    assert!(failure.detail.contains("is too long for TLS routing; set `route = \"ssh\"`"), "{failure}");
}
