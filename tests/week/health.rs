//! What the daemon says of itself at its health port, asked as a probe would. It judges nothing, and shares no code with
//! whoever answers.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How often it is asked.
const EVERY: Duration = Duration::from_millis(500);
/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// Answers so far.
#[derive(Debug)]
pub(crate) struct Health {
    at: SocketAddr,
    next: Instant,
    pub(crate) ready: u64,
    pub(crate) unready: u64,
    /// Of those, the ones that named the identity's end.
    pub(crate) expired: u64,
    /// How many fresh identities the daemon has taken.
    pub(crate) renewals: u64,
    pub(crate) is_ready: bool,
}

/// An answer, as far as the week cares.
#[derive(Debug, Deserialize)]
struct Report {
    ready: bool,
    why: Vec<String>,
    identity: Option<Identity>,
}

#[derive(Debug, Deserialize)]
struct Identity {
    renewals: u64,
}

// === impl Health ===

impl Health {
    /// Of a daemon that is to open a port which is free now.
    pub(crate) fn new() -> Result<Self, String> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let at = listener.local_addr().map_err(|error| error.to_string())?;
        Ok(Self { at, next: Instant::now(), ready: 0, unready: 0, expired: 0, renewals: 0, is_ready: false })
    }

    pub(crate) const fn at(&self) -> SocketAddr {
        self.at
    }

    /// Asks, if it is time; a daemon that does not answer is not counted.
    pub(crate) async fn ask(&mut self) {
        if self.next > Instant::now() {
            return;
        }
        self.next = Instant::now() + EVERY;
        let Ok(Ok(answer)) = tokio::time::timeout(ANSWER_MAX, get(self.at)).await else { return };
        let Some((_, body)) = answer.split_once("\r\n\r\n") else { return };
        let Ok(Report { ready, why, identity }) = serde_json::from_str(body) else { return };
        self.is_ready = ready;
        self.renewals = identity.map_or(self.renewals, |identity| identity.renewals);
        *(if ready { &mut self.ready } else { &mut self.unready }) += 1;
        self.expired += u64::from(why.iter().any(|why| why.starts_with("the identity expired at ")));
    }
}

async fn get(at: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    stream.write_all(b"GET /status HTTP/1.1\r\nHost: week\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}
