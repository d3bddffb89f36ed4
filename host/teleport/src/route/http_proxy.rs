//! Which HTTP proxy leads to an address, by the rules that Go programs share (`golang.org/x/net/http/httpproxy`), and
//! so Teleport's clients (`api/client/proxy/proxy.go`).
//!
//! Must never show a proxy's password.

use std::fmt;
use std::net::IpAddr;

use super::environment::Environment;
use crate::address::Address;

/// The ports of HTTP proxies that name none, as with Go.
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// An HTTP proxy that connections are made through with CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct HttpProxy {
    /// Where it is.
    pub(crate) address: Address,
    /// It is spoken to over TLS.
    pub(crate) tls: bool,
    /// `user:password`.
    pub(crate) credentials: Option<String>,
}

/// Why the environment's HTTP proxy cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableProxy {
    /// It is not spoken to in HTTP.
    #[error(
        "`HTTPS_PROXY` names a proxy that is spoken to by `{0}`; name one of scheme `http` or `https`, or add the address to `NO_PROXY`"
    )]
    Scheme(String),
    /// It is no address.
    #[error(
        "`HTTPS_PROXY` names no address of an HTTP proxy; write it as `http://host:port`, or add the address to `NO_PROXY`"
    )]
    Address,
}

// === impl HttpProxy ===

impl HttpProxy {
    /// The proxy for connections to `host` and `port`, if there is to be one.
    ///
    /// # Errors
    /// If there is to be one that cannot be used.
    pub(crate) fn of(environment: &Environment, host: &str, port: u16) -> Result<Option<Self>, UnusableProxy> {
        // Teleport's clients ask for `https` first, then for `http`.
        let text = [&environment.https_proxy, &environment.http_proxy].into_iter().find(|text| !text.is_empty());
        let Some(text) = text.filter(|_| !is_direct(&environment.no_proxy, host, port)) else {
            return Ok(None);
        };
        Self::parse(text).map(Some)
    }

    fn parse(text: &str) -> Result<Self, UnusableProxy> {
        let (tls, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, _)) => return Err(UnusableProxy::Scheme(scheme.to_owned())),
            None => (false, text),
        };
        let rest = rest.split('/').next().unwrap_or_default();
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, rest),
        };
        let address: Address = place.parse().map_err(|_| UnusableProxy::Address)?;
        let port = address.port_given().unwrap_or(if tls { HTTPS_PORT } else { HTTP_PORT });
        let credentials = credentials.map(|credentials| {
            let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
            format!("{}:{}", unescaped(user), unescaped(password))
        });
        Ok(Self { address: address.at(port), tls, credentials })
    }
}

impl fmt::Debug for HttpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProxy").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A text of a URL with its `%xx` taken for the bytes that they stand for.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.filter(|digits| !digits.starts_with('+')).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether `NO_PROXY` spares `host` and `port` the proxy; this machine itself is always spared.
fn is_direct(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.to_ascii_lowercase();
    let ip: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || ip.is_some_and(|ip| ip.to_canonical().is_loopback()) {
        return true;
    }
    no_proxy.split(',').map(|entry| entry.trim().to_ascii_lowercase()).any(|entry| spares(&entry, &host, ip, port))
}

fn spares(entry: &str, host: &str, ip: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = network(entry) {
        return ip.is_some_and(|ip| is_within(ip.to_canonical(), network, bits));
    }
    let (name, entry_port) = name_and_port(entry);
    if name.is_empty() || entry_port.is_some_and(|entry_port| entry_port != port.to_string()) {
        return false;
    }
    if let Ok(entry_ip) = name.parse::<IpAddr>() {
        return ip.is_some_and(|ip| ip.to_canonical() == entry_ip.to_canonical());
    }
    let name = name.strip_prefix('*').filter(|rest| rest.starts_with('.')).unwrap_or(name);
    match name.strip_prefix('.') {
        Some(_) => host.ends_with(name),
        None => host == name || host.strip_suffix(name).is_some_and(|before| before.ends_with('.')),
    }
}

/// `a`, `a:1`, `[::1]` and `[::1]:1` in their parts; what has several colons and no brackets is an address.
fn name_and_port(entry: &str) -> (&str, Option<&str>) {
    if let Some((host, after)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, after.strip_prefix(':'));
    }
    match entry.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port)),
        Some(_) | None => (entry, None),
    }
}

/// A network in CIDR notation: an address and how many of its bits count.
fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = entry.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    (bits <= width).then_some((address, bits))
}

fn is_within(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |a: u128, b: u128, width: u32| (a ^ b).checked_shr(width.saturating_sub(bits)).unwrap_or(0) == 0;
    match (ip, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn environment(https: &str, http: &str, no: &str) -> Environment {
        Environment {
            https_proxy: https.into(),
            http_proxy: http.into(),
            no_proxy: no.into(),
            ..Environment::default()
        }
    }

    fn proxy(environment: &Environment, host: &str) -> Option<(String, Option<String>)> {
        let found = HttpProxy::of(environment, host, 443).unwrap()?;
        Some((found.address.to_string(), found.credentials))
    }

    #[test]
    fn a_proxy_is_read_as_go_reads_it() {
        for (text, address, credentials) in [
            ("http://proxy:3128", "proxy:3128", None),
            ("http://proxy:3128/", "proxy:3128", None),
            ("proxy:3128", "proxy:3128", None),
            ("HTTP://proxy", "proxy:80", None),
            ("https://proxy", "proxy:443", None),
            ("http://[::1]:3128", "[::1]:3128", None),
            ("http://user:pass@proxy:1", "proxy:1", Some("user:pass")),
            ("http://user@proxy:1", "proxy:1", Some("user:")),
            ("http://u%40x:p%3A%2f%zz@proxy:1", "proxy:1", Some("u@x:p:/%zz")),
        ] {
            let found = proxy(&environment(text, "", ""), "teleport.example.com").unwrap();
            assert_eq!(found, (address.to_owned(), credentials.map(str::to_owned)), "{text}");
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_not_passed_over() {
        for (text, error) in [
            ("socks5://proxy:1", UnusableProxy::Scheme("socks5".into())),
            ("http://pr oxy:1", UnusableProxy::Address),
            ("http://proxy:99999", UnusableProxy::Address),
        ] {
            assert_eq!(HttpProxy::of(&environment(text, "", ""), "a.example.com", 443), Err(error), "{text}");
        }
    }

    #[test]
    fn https_goes_before_http_and_this_machine_is_always_spared() {
        assert_eq!(proxy(&environment("a:1", "b:1", ""), "x.example.com").unwrap().0, "a:1");
        assert_eq!(proxy(&environment("", "b:1", ""), "x.example.com").unwrap().0, "b:1");
        assert_eq!(proxy(&environment("", "", ""), "x.example.com"), None);
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(proxy(&environment("a:1", "b:1", ""), host), None, "{host}");
        }
    }

    #[test]
    fn no_proxy_spares_what_go_would_spare() {
        for (entry, host, spared) in [
            ("example.com", "example.com", true),
            ("example.com", "a.example.com", true),
            ("example.com", "notexample.com", false),
            (".example.com", "example.com", false),
            (".example.com", "a.example.com", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "example.com", false),
            ("EXAMPLE.com ", "Example.COM", true),
            ("example.com:443", "example.com", true),
            ("example.com:444", "example.com", false),
            ("*", "anything", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "10.0.0.1", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1:444", "10.0.0.1", false),
            ("[2001:db8::1]:443", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::1", true),
            (":443", "example.com", false),
            ("", "example.com", false),
            ("other.com, example.com", "example.com", true),
        ] {
            assert_eq!(proxy(&environment("p:1", "", entry), host).is_none(), spared, "{entry} {host}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(proxy in ".{0,40}", no in ".{0,40}", host in "[a-z0-9.:]{1,20}") {
            let environment = environment(&proxy, "", &no);
            let _decided = HttpProxy::of(&environment, &host, 443);
        }
    }
}
