//! What Teleport's own clients read from the environment on the way to a cluster.
//!
//! Must never be read again while the daemon runs: it is taken once, and passed in.

use std::fmt;

/// The variables that decide on a way, as texts.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https_proxy: String,
    /// `HTTP_PROXY` or `http_proxy`: the second choice, as with Teleport's clients.
    pub http_proxy: String,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: String,
    /// `TELEPORT_TLS_ROUTING_CONN_UPGRADE` (`api/defaults/defaults.go`).
    pub conn_upgrade: String,
    /// `TELEPORT_TUNNEL_PUBLIC_ADDR` (`api/defaults/defaults.go`).
    pub tunnel_public_addr: String,
}

// === impl Environment ===

impl Environment {
    /// As this process was started with.
    #[must_use]
    pub fn of_process() -> Self {
        let first = |names: &[&str]| {
            names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty()).unwrap_or_default()
        };
        Self {
            https_proxy: first(&["HTTPS_PROXY", "https_proxy"]),
            http_proxy: first(&["HTTP_PROXY", "http_proxy"]),
            no_proxy: first(&["NO_PROXY", "no_proxy"]),
            conn_upgrade: first(&["TELEPORT_TLS_ROUTING_CONN_UPGRADE"]),
            tunnel_public_addr: first(&["TELEPORT_TUNNEL_PUBLIC_ADDR"]),
        }
    }

    /// Whether connections to `address` (`host:port`) are to be upgraded, where the environment says so either way.
    ///
    /// The value holds conditions between `;` or `,`: `host:port=yes` for that address, `yes` for all others; whatever is
    /// not understood counts as no (`api/client/alpn_conn_upgrade.go`).
    #[must_use]
    pub fn upgrade_of(&self, address: &str) -> Option<bool> {
        if self.conn_upgrade.is_empty() {
            return None;
        }
        let key = format!("{address}=");
        let mut all = false;
        for condition in self.conn_upgrade.split([';', ',']).filter(|condition| !condition.is_empty()) {
            if !condition.contains('=') {
                all = truth(condition).unwrap_or(all);
            } else if let Some((_, value)) = condition.split_once(&key) {
                return Some(truth(value).unwrap_or(false));
            }
        }
        Some(all)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The addresses of HTTP proxies may hold passwords.
        let Self { https_proxy, http_proxy, no_proxy, conn_upgrade, tunnel_public_addr } = self;
        f.debug_struct("Environment")
            .field("https_proxy", &!https_proxy.is_empty())
            .field("http_proxy", &!http_proxy.is_empty())
            .field("no_proxy", no_proxy)
            .field("conn_upgrade", conn_upgrade)
            .field("tunnel_public_addr", tunnel_public_addr)
            .finish()
    }
}

/// Yes or no, in the words that Teleport knows (`api/utils`, `ParseBool`).
fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "yes" | "yeah" | "y" | "true" | "1" | "on" => Some(true),
        "no" | "nope" | "n" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upgrade(value: &str, address: &str) -> Option<bool> {
        Environment { conn_upgrade: value.to_owned(), ..Environment::default() }.upgrade_of(address)
    }

    #[test]
    fn the_upgrade_variable_is_read_as_teleport_reads_it() {
        for (value, address, told) in [
            ("", "a:443", None),
            ("true", "a:443", Some(true)),
            ("YES", "a:443", Some(true)),
            ("yeah", "a:443", Some(true)),
            ("0", "a:443", Some(false)),
            ("nonsense", "a:443", Some(false)),
            ("a:443=yes,b:443=no", "a:443", Some(true)),
            ("a:443=yes,b:443=no", "b:443", Some(false)),
            ("a:443=yes;b:443=no", "c:443", Some(false)),
            ("0,a:443=1", "a:443", Some(true)),
            ("1,a:443=0", "a:443", Some(false)),
            ("a:443=0,1", "b:443", Some(true)),
            ("1,0", "a:443", Some(false)),
            ("a:443=perhaps,1", "a:443", Some(false)),
            ("a:3080=yes", "a:443", Some(false)),
            (",;", "a:443", Some(false)),
        ] {
            assert_eq!(upgrade(value, address), told, "{value} {address}");
        }
    }

    #[test]
    fn the_passwords_of_http_proxies_are_not_shown() {
        let environment = Environment { https_proxy: "http://user:secret@proxy:1".into(), ..Environment::default() };
        assert!(!format!("{environment:?}").contains("secret"));
    }
}
