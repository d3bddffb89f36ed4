//! Where Teleport is: `host:port` as people write it.
//!
//! Must never look a name up; that is for those who connect.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The port of an Auth server (`api/defaults/defaults.go`).
pub const AUTH_PORT: u16 = 3025;
/// The ports of a proxy's web address, in the order in which they are tried (`api/defaults/defaults.go`).
pub const PROXY_PORTS: [u16; 2] = [443, 3080];

/// The longest host name, in bytes (RFC 1035).
const HOST_BYTES_MAX: usize = 253;

/// The address of a Teleport server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    host: String,
    /// None: whichever port Teleport's services have by default.
    port: Option<u16>,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("address `{input}`: {problem}; write it as `host:port`, such as `auth.example.com:3025`")]
pub struct InvalidAddress {
    input: String,
    problem: &'static str,
}

// === impl Address ===

impl Address {
    /// The host: a name or an IP address, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; that of an Auth server if none was written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(AUTH_PORT)
    }

    /// The port, if one was written.
    #[must_use]
    pub fn port_given(&self) -> Option<u16> {
        self.port
    }

    /// The same host at `port`.
    #[must_use]
    pub fn at(&self, port: u16) -> Self {
        Self { host: self.host.clone(), port: Some(port) }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(input: &str) -> Result<Self, InvalidAddress> {
        parse(input).map_err(|problem| InvalidAddress { input: input.to_owned(), problem })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') {
            write!(f, "[{host}]")?
        } else {
            write!(f, "{host}")?
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn parse(input: &str) -> Result<Address, &'static str> {
    let text = input.trim();
    let text = text.strip_prefix("https://").map_or(text, |rest| rest.strip_suffix('/').unwrap_or(rest));
    if text.is_empty() {
        return Err("is empty");
    }
    if text.contains("://") {
        return Err("has a scheme that is not `https`");
    }
    if text.contains('/') {
        return Err("has a path");
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']').ok_or("has no `]` after its `[`")?;
        host.parse::<Ipv6Addr>().map_err(|_| "has no IPv6 address between `[` and `]`")?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if rest.is_empty() => None,
            None => return Err("has something other than a port after `]`"),
        };
        return Ok(Address { host: host.to_owned(), port });
    }
    match text.split_once(':') {
        Some((_, port)) if port.contains(':') => Err("has several colons; put an IPv6 address in brackets"),
        Some((host, port)) => Ok(Address { host: parse_host(host)?, port: Some(parse_port(port)?) }),
        None => Ok(Address { host: parse_host(text)?, port: None }),
    }
}

fn parse_host(host: &str) -> Result<String, &'static str> {
    if host.is_empty() {
        return Err("has no host");
    }
    if host.len() > HOST_BYTES_MAX {
        return Err("has a host name longer than 253 bytes");
    }
    if !host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
        return Err("has a host name with characters that do not belong there");
    }
    Ok(host.to_owned())
}

fn parse_port(port: &str) -> Result<u16, &'static str> {
    const PROBLEM: &str = "has a port that is not a number from 1 to 65535";
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PROBLEM);
    }
    match port.parse() {
        Ok(0) | Err(_) => Err(PROBLEM),
        Ok(port) => Ok(port),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (input, host, port, shown) in [
            ("auth.example.com:3025", "auth.example.com", 3025, "auth.example.com:3025"),
            ("auth.example.com", "auth.example.com", 3025, "auth.example.com"),
            (" localhost:1 ", "localhost", 1, "localhost:1"),
            ("127.0.0.1:443", "127.0.0.1", 443, "127.0.0.1:443"),
            ("https://teleport.example.com:443", "teleport.example.com", 443, "teleport.example.com:443"),
            ("https://teleport.example.com/", "teleport.example.com", 3025, "teleport.example.com"),
            ("[::1]:3025", "::1", 3025, "[::1]:3025"),
            ("[2001:db8::7]", "2001:db8::7", 3025, "[2001:db8::7]"),
        ] {
            let address: Address = input.parse().unwrap();
            assert_eq!((address.host(), address.port()), (host, port), "{input}");
            assert_eq!(address.to_string(), shown);
            assert_eq!(shown.parse::<Address>().unwrap(), address);
            assert_eq!(address.at(1).port_given(), Some(1));
        }
    }

    #[test]
    fn a_bad_address_says_what_is_wrong_with_it() {
        for (input, problem) in [
            ("", "is empty"),
            ("https://", "is empty"),
            ("http://a:1", "has a scheme that is not `https`"),
            ("a:1/x", "has a path"),
            (":3025", "has no host"),
            ("a:", "has a port that is not a number from 1 to 65535"),
            ("a:0", "has a port that is not a number from 1 to 65535"),
            ("a:65536", "has a port that is not a number from 1 to 65535"),
            ("a:+1", "has a port that is not a number from 1 to 65535"),
            ("::1", "has several colons; put an IPv6 address in brackets"),
            ("[::1", "has no `]` after its `[`"),
            ("[a]:1", "has no IPv6 address between `[` and `]`"),
            ("[::1]1", "has something other than a port after `]`"),
            ("a b:1", "has a host name with characters that do not belong there"),
            (&format!("{}:1", "a".repeat(254)), "has a host name longer than 253 bytes"),
        ] {
            let error = input.parse::<Address>().unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("address `{input}`: {problem}; write it as `host:port`, such as `auth.example.com:3025`")
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(input in ".{0,40}") {
            let parsed = input.parse::<Address>();
            if let Ok(address) = parsed {
                proptest::prop_assert_eq!(address.to_string().parse::<Address>().unwrap(), address);
            }
        }
    }
}
