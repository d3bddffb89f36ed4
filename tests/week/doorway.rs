//! The proxy that the daemon goes through, and what happens to it: it is restarted, and streams and connections break. It
//! never touches what goes through it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tribunal_sim::{Handle, Proxy, ProxySettings, Running};

use crate::chance::Chance;

/// How long a proxy stays away, in milliseconds.
const AWAY_MS: (u64, u64) = (0, 1_500);
/// The pause between two restarts, in milliseconds.
const RESTART_MS: (u64, u64) = (11_000, 23_000);
/// The pause between two breaks, in milliseconds.
const BREAK_MS: (u64, u64) = (2_000, 7_000);
/// A port may be taken for a moment after it was given back.
const BIND_MAX: Duration = Duration::from_secs(10);

/// The proxy and its misfortunes.
pub(crate) struct Doorway {
    proxy: Option<Proxy>,
    addr: SocketAddr,
    auth: SocketAddr,
    cluster: String,
    ca_file: PathBuf,
    chance: Chance,
    back_at: Instant,
    restart_at: Instant,
    break_at: Instant,
    pub(crate) restarts: u64,
    pub(crate) stream_breaks: u64,
    pub(crate) cuts: u64,
}

// === impl Doorway ===

impl Doorway {
    /// Opens it before a server; the CA of its web certificate goes to `proxy-ca.pem` in `dir`.
    pub(crate) async fn open(running: &Running, dir: &Path, seed: u64) -> Result<Self, String> {
        let proxy = Proxy::beside(running, ProxySettings::default()).await.map_err(|error| error.to_string())?;
        let now = Instant::now();
        let mut doorway = Self {
            addr: proxy.addr(),
            auth: running.addr(),
            cluster: running.scenario().cluster.clone(),
            ca_file: dir.join("proxy-ca.pem"),
            chance: Chance::new(seed ^ 0xd00),
            proxy: None,
            back_at: now,
            restart_at: now,
            break_at: now,
            restarts: 0,
            stream_breaks: 0,
            cuts: 0,
        };
        doorway.put(proxy)?;
        doorway.restart_at = now + doorway.pause(RESTART_MS);
        doorway.break_at = now + doorway.pause(BREAK_MS);
        Ok(doorway)
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets happen whatever it is time for.
    pub(crate) async fn act(&mut self, server: &Handle) -> Result<(), String> {
        let now = Instant::now();
        if self.proxy.is_none() {
            return self.come_back(now).await;
        }
        if self.restart_at <= now {
            self.proxy = None;
            self.restarts += 1;
            self.back_at = now + self.pause(AWAY_MS);
            self.restart_at = self.back_at + self.pause(RESTART_MS);
        }
        if self.break_at <= now && server.watchers() > 0 {
            self.break_at = now + self.pause(BREAK_MS);
            if self.chance.percent(30) {
                self.cuts += 1;
                server.cut_connections();
            } else {
                self.stream_breaks += 1;
                server.drop_watches();
            }
        }
        Ok(())
    }

    async fn come_back(&mut self, now: Instant) -> Result<(), String> {
        if self.back_at > now {
            return Ok(());
        }
        match Proxy::start(self.addr, self.auth, &self.cluster, ProxySettings::default()).await {
            Ok(proxy) => self.put(proxy),
            Err(error) if self.back_at.elapsed() > BIND_MAX => Err(error.to_string()),
            Err(_) => Ok(()),
        }
    }

    /// Whether it is there.
    pub(crate) const fn is_open(&self) -> bool {
        self.proxy.is_some()
    }

    fn put(&mut self, proxy: Proxy) -> Result<(), String> {
        std::fs::write(&self.ca_file, proxy.web_ca_pem()).map_err(|error| format!("the proxy's CA: {error}"))?;
        self.proxy = Some(proxy);
        Ok(())
    }

    fn pause(&mut self, (least, most): (u64, u64)) -> Duration {
        Duration::from_millis(self.chance.between(least, most))
    }
}
