//! Discovery: what a proxy tells of itself and its cluster to anybody (`api/client/webclient/webclient.go`).
//!
//! Must never be believed about Auth: it only says where to knock.

use serde::Deserialize;

use super::http::{get, innermost};
use super::web::Web;
use super::{Reach, environment::Environment};
use crate::address::Address;
use crate::connect::{ConnectError, Step, in_time};

/// The largest answer that is read, in bytes; a real one has about 2 KiB.
pub(crate) const FIND_BYTES_MAX: usize = 256 * 1024;
/// The longest cluster name that is believed, in bytes (a host name's limit).
const CLUSTER_BYTES_MAX: usize = 253;
/// The port of reverse tunnels (`api/defaults/defaults.go`, `SSHProxyTunnelListenPort`).
const TUNNEL_PORT: u16 = 3024;

const PATH: &str = "/webapi/find";

/// What a proxy tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The cluster's name.
    pub(crate) cluster: String,
    /// Whether all its services are behind the one web port.
    pub(crate) tls_routing: bool,
    /// Where its reverse tunnel listens.
    pub(crate) tunnel: Option<Address>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    proxy: Proxy,
    cluster_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Proxy {
    tls_routing_enabled: bool,
    ssh: Ssh,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ssh {
    tunnel_listen_addr: String,
    web_listen_addr: String,
    public_addr: String,
    ssh_public_addr: String,
    ssh_tunnel_public_addr: String,
}

/// What the proxy at `proxy` tells.
///
/// # Errors
/// If it is no proxy, or not to be trusted.
pub(crate) async fn find(proxy: &Address, web: &Web, reach: &Reach) -> Result<Found, ConnectError> {
    let stream = web.connect(proxy, &[b"http/1.1"], reach).await?;
    let none = |said: String| ConnectError::Obstructed {
        detail: format!("`{proxy}` is no Teleport proxy: `GET {PATH}`: {said}; check that it is a proxy's web address"),
        alarm: false,
    };
    let asking = async { Ok(get(Box::new(stream), proxy, PATH, FIND_BYTES_MAX).await) };
    let answered = in_time(reach.deadlines.find, Step::Find, proxy, asking).await?;
    let (status, body) = answered.map_err(|error| none(innermost(error.as_ref())))?;
    if !status.is_success() {
        return Err(none(format!("it answers {}", status.as_u16())));
    }
    parse(&body, proxy, &reach.environment).map_err(none)
}

/// What the body of an answer of `proxy` says.
pub(crate) fn parse(body: &[u8], proxy: &Address, environment: &Environment) -> Result<Found, String> {
    let answer: Answer = serde_json::from_slice(body).map_err(|error| format!("its answer cannot be read: {error}"))?;
    let Answer { proxy: Proxy { tls_routing_enabled, ssh }, cluster_name } = answer;
    if cluster_name.is_empty() {
        return Err("its answer names no cluster".to_owned());
    }
    if cluster_name.len() > CLUSTER_BYTES_MAX || !cluster_name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("its answer names a cluster that cannot be one".to_owned());
    }
    let tunnel = if environment.tunnel_public_addr.is_empty() {
        ssh.tunnel(proxy)
    } else {
        environment.tunnel_public_addr.parse().ok()
    };
    Ok(Found { cluster: cluster_name, tls_routing: tls_routing_enabled, tunnel })
}

// === impl Ssh ===

impl Ssh {
    /// Where the reverse tunnel is, as Teleport's clients take it (`ProxySettings.TunnelAddr`), without TLS routing. What
    /// listens on every address of its machine is reached by the name that the proxy was reached by.
    fn tunnel(&self, proxy: &Address) -> Option<Address> {
        let listens = place(&self.tunnel_listen_addr);
        let port = listens.as_ref().and_then(Address::port_given).unwrap_or(TUNNEL_PORT);
        let found = match (place(&self.ssh_tunnel_public_addr), place(&self.ssh_public_addr), place(&self.public_addr))
        {
            (Some(tunnel), _, _) => tunnel.at(tunnel.port_given().unwrap_or(port)),
            (None, Some(other), _) | (None, None, Some(other)) => other.at(port),
            (None, None, None) => {
                let other = listens.or_else(|| place(&self.web_listen_addr))?;
                other.at(other.port_given().unwrap_or(port))
            }
        };
        let anywhere = matches!(found.host(), "0.0.0.0" | "::");
        Some(if anywhere { proxy.at(found.port()) } else { found })
    }
}

/// An address with or without a scheme, if it is one.
fn place(text: &str) -> Option<Address> {
    let text = text.split_once("://").map_or(text, |(_, rest)| rest);
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn parsed(body: &str) -> Result<Found, String> {
        parse(body.as_bytes(), &"proxy.example.com:443".parse().unwrap(), &Environment::default())
    }

    fn tunnel(ssh: &str) -> Option<String> {
        let body = format!(r#"{{"cluster_name": "c", "proxy": {{"ssh": {{{ssh}}}}}}}"#);
        parsed(&body).unwrap().tunnel.map(|address| address.to_string())
    }

    #[test]
    fn what_matters_is_read_and_the_rest_is_passed_over() {
        let body = r#"{"auth": {"type": "local"}, "cluster_name": "root", "new": [1], "proxy": {"tls_routing_enabled": true, "kube": {}, "ssh": {}}}"#;
        assert_eq!(parsed(body), Ok(Found { cluster: "root".into(), tls_routing: true, tunnel: None }));
    }

    #[test]
    fn an_answer_that_is_none_says_why() {
        for (body, problem) in [
            ("<html>", "its answer cannot be read: expected value at line 1 column 1"),
            ("{}", "its answer names no cluster"),
            (r#"{"cluster_name": "a b"}"#, "its answer names a cluster that cannot be one"),
            (r#"{"cluster_name": "ä"}"#, "its answer names a cluster that cannot be one"),
        ] {
            assert_eq!(parsed(body), Err(problem.to_owned()));
        }
        let long = format!(r#"{{"cluster_name": "{}"}}"#, "a".repeat(254));
        assert_eq!(parsed(&long), Err("its answer names a cluster that cannot be one".to_owned()));
    }

    #[test]
    fn the_tunnel_is_where_teleports_clients_look_for_it() {
        for (ssh, at) in [
            (
                r#""ssh_tunnel_public_addr": "t.example.com:13024", "public_addr": "p.example.com:443""#,
                "t.example.com:13024",
            ),
            (r#""ssh_tunnel_public_addr": "t.example.com""#, "t.example.com:3024"),
            (
                r#""ssh_tunnel_public_addr": "t.example.com", "tunnel_listen_addr": "0.0.0.0:4024""#,
                "t.example.com:4024",
            ),
            (r#""ssh_public_addr": "s.example.com:3023""#, "s.example.com:3024"),
            (
                r#""public_addr": "https://p.example.com:443", "tunnel_listen_addr": "0.0.0.0:4024""#,
                "p.example.com:4024",
            ),
            (r#""tunnel_listen_addr": "10.0.0.1:3024""#, "10.0.0.1:3024"),
            (r#""tunnel_listen_addr": "0.0.0.0:3024""#, "proxy.example.com:3024"),
            (r#""tunnel_listen_addr": "[::]:3024""#, "proxy.example.com:3024"),
            (r#""web_listen_addr": "10.0.0.1:3080""#, "10.0.0.1:3080"),
        ] {
            assert_eq!(tunnel(ssh).as_deref(), Some(at), "{ssh}");
        }
        assert_eq!(tunnel(""), None);
        let told = Environment { tunnel_public_addr: "e.example.com:1".into(), ..Environment::default() };
        let found = parse(br#"{"cluster_name": "c"}"#, &"p:443".parse().unwrap(), &told).unwrap();
        assert_eq!(found.tunnel.unwrap().to_string(), "e.example.com:1");
    }

    proptest::proptest! {
        #[test]
        fn no_answer_makes_it_panic(body in ".{0,200}", ssh in "[a-z0-9:/.\\[\\]]{0,40}") {
            let _parsed = parsed(&body);
            let _tunnel = parsed(&format!(r#"{{"cluster_name": "c", "proxy": {{"ssh": {{"public_addr": "{ssh}"}}}}}}"#));
        }
    }
}
