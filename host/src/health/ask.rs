//! Asks a daemon's health port, as `tribunal status` does. It waits for an answer only so long, and reads only so much.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::TcpStream;

use super::Whose;
use super::report::Report;

/// How long an answer may take, in seconds.
pub const ANSWER_SECS_MAX: u64 = 10;
/// The longest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where a daemon's health port is, as `host:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port(String);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[error("{what}; {help}")]
pub struct Untold {
    what: String,
    help: &'static str,
}

// === impl Port ===

impl Port {
    /// The port of a daemon that listens there, on this machine.
    #[must_use]
    pub fn of(listen: SocketAddr) -> Self {
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
        };
        Self(SocketAddr::new(ip, listen.port()).to_string())
    }

    /// How the daemon there stands.
    ///
    /// # Errors
    /// That nobody answers there, or not as tribunal does.
    pub async fn report(&self, whose: &Whose) -> Result<Report, Untold> {
        let path = match whose {
            Whose::Together => "/status".to_owned(),
            Whose::Everybody => "/status?users".to_owned(),
            Whose::One(user) => format!("/status?user={}", utf8_percent_encode(user.as_str(), NON_ALPHANUMERIC)),
        };
        let body = match tokio::time::timeout(Duration::from_secs(ANSWER_SECS_MAX), self.get(&path)).await {
            Ok(body) => body?,
            Err(_) => return Err(self.untold(format!("no answer within {ANSWER_SECS_MAX} s"))),
        };
        serde_json::from_slice(&body).map_err(|error| self.untold(format!("the answer is none of tribunal's: {error}")))
    }

    async fn get(&self, path: &str) -> Result<Vec<u8>, Untold> {
        let stream = TcpStream::connect(&self.0).await.map_err(|error| self.untold(error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.untold(error))?;
        let request =
            Request::get(path).header(HOST, &self.0).body(String::new()).map_err(|error| self.untold(error))?;
        let asked = async {
            let response = sender.send_request(request).await.map_err(|error| self.untold(error))?;
            let status = response.status();
            if !status.is_success() {
                return Err(self.untold(format!("the answer is {status}")));
            }
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            Ok(body.map_err(|error| self.untold(error))?.to_bytes().to_vec())
        };
        let (asked, _ended) = tokio::join!(asked, connection);
        asked
    }

    fn untold(&self, why: impl std::fmt::Display) -> Untold {
        Untold {
            what: format!("nothing is known of a daemon at `{}`: {why}", self.0),
            help: "check that it runs, and that `listen` in its `[health]` names this port",
        }
    }
}

impl std::str::FromStr for Port {
    type Err = Untold;

    fn from_str(text: &str) -> Result<Self, Untold> {
        let wrong = || Untold {
            what: format!("`{text}` is no address of a health port"),
            help: "write it like `http://127.0.0.1:9464`",
        };
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        if uri.scheme_str().is_some_and(|scheme| scheme != "http") {
            return Err(wrong());
        }
        let authority = uri.authority().filter(|authority| authority.port_u16().is_some()).ok_or_else(wrong)?;
        Ok(Self(authority.as_str().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_named_by_its_address() {
        for (text, port) in [
            ("http://127.0.0.1:9464", Some("127.0.0.1:9464")),
            ("http://[::1]:9464/", Some("[::1]:9464")),
            ("localhost:9464", Some("localhost:9464")),
            ("https://localhost:9464", None),
            ("http://localhost", None),
            ("/status", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Port>().ok(), port.map(|port| Port(port.to_owned())), "{text}");
        }
    }

    #[test]
    fn a_daemon_that_listens_everywhere_is_asked_here() {
        for (listen, port) in [("0.0.0.0:1", "127.0.0.1:1"), ("[::]:2", "[::1]:2"), ("10.1.2.3:3", "10.1.2.3:3")] {
            assert_eq!(listen.parse().ok().map(Port::of), Some(Port(port.to_owned())));
        }
    }
}
