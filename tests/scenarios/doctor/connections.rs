//! What goes wrong between the daemon and Auth.

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tribunal::doctor::Outcome::{Failed, Warning};
use tribunal_sim::{
    Balancer, ProxySettings, SimClock, SimServer, Span, TunnelFault, TunnelSettings, Upgrade, WebCertificate,
    default_scenario,
};

use super::bench::{Bench, Seed};
use crate::world::way::Way;

fn proxy(bench: &Bench, change: impl FnOnce(&mut ProxySettings)) {
    bench.world.entrance().proxy().unwrap().change(change);
}

fn tunnel(bench: &Bench, change: impl FnOnce(&mut TunnelSettings)) {
    bench.world.entrance().tunnel().unwrap().change(change);
}

/// A port at which whoever connects hears this, and then nothing more.
async fn says(bench: &mut Bench, words: &'static str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    bench.address = listener.local_addr().unwrap().to_string();
    bench.be_impatient();
    let serving = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _heard = stream.write_all(words.as_bytes()).await;
            open.push(stream);
        }
    });
    bench.held.push(Box::new(serving));
}

pub(crate) const SEEDS: &[Seed] = &[
    Seed {
        name: "a name that nobody has",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.address = "no-such-host.invalid:3025".to_owned() }),
        check: "dns",
        outcome: Failed,
        words: "this machine's DNS",
    },
    Seed {
        name: "a closed port",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
                bench.address = free.to_string();
            })
        },
        check: "tcp",
        outcome: Failed,
        words: "refused",
    },
    Seed {
        name: "a port that says nothing",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(says(bench, "")),
        check: "tls",
        outcome: Failed,
        words: "did not answer within 0.3 s",
    },
    Seed {
        name: "the SSH port of the proxy",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.address = bench.world.entrance().tunnel().unwrap().addr().to_string() }),
        check: "tls",
        outcome: Failed,
        words: "speaks SSH (`SSH-2.0",
    },
    Seed {
        name: "something that speaks neither TLS nor SSH",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(says(bench, "220 mail.example.com ESMTP\r\n")),
        check: "tls",
        outcome: Failed,
        words: "no TLS connection",
    },
    Seed {
        name: "the Auth server of another cluster",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let mut other = default_scenario().unwrap();
                other.cluster = "elsewhere".to_owned();
                let listen = "127.0.0.1:0".parse().unwrap();
                let other = SimServer::start(other, listen, None, SimClock::real()).await.unwrap();
                bench.address = other.addr().to_string();
                bench.held.push(Box::new(other));
            })
        },
        check: "tls",
        outcome: Failed,
        words: "trusts only `dev`",
    },
    Seed {
        name: "the identity's CA is not the cluster's any more",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.wrong_authority = true) }),
        check: "tls",
        outcome: Failed,
        words: "is not trusted: it shows the certificate of `auth.dev`",
    },
    Seed {
        name: "the cluster does not know the identity's CA",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.unknown_signer = true) }),
        check: "ping",
        outcome: Failed,
        words: "refuses our identity",
    },
    Seed {
        name: "no CA vouches for the proxy",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.names_proxy_ca = false }),
        check: "tls",
        outcome: Failed,
        words: "`proxy-ca-file`",
    },
    Seed {
        name: "a file of CAs without any",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { std::fs::write(bench.world.entrance().ca_file(), "").unwrap() }),
        check: "tls",
        outcome: Failed,
        words: "has no certificate",
    },
    Seed {
        name: "a proxy that nobody verifies",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                bench.names_proxy_ca = false;
                bench.teleport_keys.push_str("insecure = true\n");
            })
        },
        check: "tls",
        outcome: Warning,
        words: "NOT verified",
    },
    Seed {
        name: "the proxy's certificate is for another host",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { proxy(bench, |settings| settings.certificate = WebCertificate::OtherHost) }),
        check: "tls",
        outcome: Failed,
        words: "it is not for that host",
    },
    Seed {
        name: "the proxy's certificate is over",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { proxy(bench, |settings| settings.certificate = WebCertificate::Expired) }),
        check: "tls",
        outcome: Failed,
        words: "have the proxy's certificate renewed",
    },
    Seed {
        name: "a web site that is no proxy",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async { proxy(bench, |settings| settings.find_body = Some("<html>welcome</html>".to_owned())) })
        },
        check: "discovery",
        outcome: Failed,
        words: "is no Teleport proxy",
    },
    Seed {
        name: "the proxy of another cluster",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async { proxy(bench, |settings| settings.cluster_told = Some("elsewhere".to_owned())) })
        },
        check: "discovery",
        outcome: Warning,
        words: "the identity file is of cluster `dev`",
    },
    Seed {
        name: "a proxy that leads to another cluster's Auth",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { proxy(bench, |settings| settings.cluster_told = Some("nowhere".to_owned())) }),
        check: "auth",
        outcome: Failed,
        words: "use the address of its proxy",
    },
    Seed {
        name: "a load balancer strips ALPN, and an upgrade is ruled out",
        way: Way::Upgrade,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.teleport_keys.push_str("route = \"tls-routing\"\n") }),
        check: "alpn",
        outcome: Failed,
        words: "do not come through",
    },
    Seed {
        name: "a load balancer that refuses other protocols, and an upgrade is ruled out",
        way: Way::TlsRouting,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                proxy(bench, |settings| settings.balancer = Balancer::RefusesAlpn);
                bench.teleport_keys.push_str("route = \"tls-routing\"\n");
            })
        },
        check: "alpn",
        outcome: Failed,
        words: "ends TLS",
    },
    Seed {
        name: "404 on the upgrade",
        way: Way::Upgrade,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { proxy(bench, |settings| settings.upgrade = Upgrade::NotFound) }),
        check: "upgrade",
        outcome: Failed,
        words: "is answered 404",
    },
    Seed {
        name: "no answer to the upgrade",
        way: Way::Upgrade,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                proxy(bench, |settings| settings.upgrade = Upgrade::Silent);
                bench.be_impatient();
            })
        },
        check: "upgrade",
        outcome: Failed,
        words: "to `GET /webapi/connectionupgrade`",
    },
    Seed {
        name: "a tunnel of another cluster",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { tunnel(bench, |settings| settings.fault = TunnelFault::ForeignHost) }),
        check: "ssh",
        outcome: Failed,
        words: "`@cert-authority`",
    },
    Seed {
        name: "a tunnel address that speaks HTTP",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { tunnel(bench, |settings| settings.fault = TunnelFault::NotSsh) }),
        check: "ssh",
        outcome: Failed,
        words: "reverse tunnel port (3024",
    },
    Seed {
        name: "a tunnel called otherwise",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async { tunnel(bench, |settings| settings.names = vec!["proxy.example.com".to_owned()]) })
        },
        check: "ssh",
        outcome: Failed,
        words: "`proxy.example.com`",
    },
    Seed {
        name: "no Auth server behind the tunnel",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { tunnel(bench, |settings| settings.fault = TunnelFault::NoAuth) }),
        check: "ssh",
        outcome: Failed,
        words: "it cannot connect to Auth",
    },
    Seed {
        name: "the identity's SSH certificate is over",
        way: Way::Ssh,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.ssh_life = Some(Span::from_ms(-60_000))) }),
        check: "ssh",
        outcome: Failed,
        words: "which is not now",
    },
];
