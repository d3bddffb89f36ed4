//! How the daemon reaches the server: straight, or through a simulated proxy. It must never be told more than an operator
//! would write into the configuration: an address, and the CA of a lab.

use std::path::{Path, PathBuf};

use tribunal_sim::{Balancer, Proxy, ProxySettings, Running, SshTunnel, TunnelSettings};
use tribunal_teleport::{Address, Reach};

/// A way to the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// Straight to Auth.
    Auth,
    /// A proxy with TLS routing.
    TlsRouting,
    /// The same behind a balancer that ends TLS.
    Upgrade,
    /// A proxy without TLS routing.
    Ssh,
}

/// What stands at the address that the daemon is told.
pub(crate) struct Entrance {
    auth: Address,
    proxy: Option<Proxy>,
    tunnel: Option<SshTunnel>,
    ca_file: PathBuf,
    reach: Reach,
}

// === impl Entrance ===

impl Entrance {
    pub(crate) async fn open(way: Way, sim: &Running, files: &Path) -> Self {
        let mut entrance = Self {
            auth: sim.addr().to_string().parse().unwrap(),
            proxy: None,
            tunnel: None,
            ca_file: files.join("proxy-ca.pem"),
            reach: Reach::default(),
        };
        let settings = match way {
            Way::Auth => return entrance,
            Way::TlsRouting => ProxySettings::default(),
            Way::Upgrade => ProxySettings { balancer: Balancer::IgnoresAlpn, ..ProxySettings::default() },
            Way::Ssh => {
                let tunnel = SshTunnel::beside(sim, TunnelSettings::default()).await.unwrap();
                let tunnel_listen_addr = Some(tunnel.addr().to_string());
                entrance.tunnel = Some(tunnel);
                ProxySettings { tls_routing: false, tunnel_listen_addr, ..ProxySettings::default() }
            }
        };
        let proxy = Proxy::beside(sim, settings).await.unwrap();
        std::fs::write(&entrance.ca_file, proxy.web_ca_pem()).unwrap();
        entrance.reach.proxy_ca_file = Some(entrance.ca_file.clone());
        entrance.proxy = Some(proxy);
        entrance
    }

    pub(crate) fn address(&self) -> Address {
        match &self.proxy {
            Some(proxy) => proxy.addr().to_string().parse().unwrap(),
            None => self.auth.clone(),
        }
    }

    /// The proxy, if the way goes through one.
    pub(crate) fn proxy(&self) -> Option<&Proxy> {
        self.proxy.as_ref()
    }

    /// The proxy's tunnel, if the way goes through one.
    pub(crate) fn tunnel(&self) -> Option<&SshTunnel> {
        self.tunnel.as_ref()
    }

    /// The CA of the proxy's web certificate.
    pub(crate) fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    pub(crate) fn reach(&self) -> Reach {
        self.reach.clone()
    }

    /// The proxy is restarted: all that goes through it breaks.
    pub(crate) fn restart(&self) {
        self.proxy.iter().for_each(Proxy::cut_connections);
        self.tunnel.iter().for_each(SshTunnel::cut_connections);
    }
}
