//! The daemon as a process of its own, configured as an operator would, and what the system says of it. It must never be given
//! anything that makes rounds cheaper.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::binary;
use super::metrics::{Metrics, get};

/// Clock ticks of the system in a second: `USER_HZ` is 100 wherever Linux runs.
const TICKS_A_SECOND: f64 = 100.0;

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    dir: PathBuf,
    health: SocketAddr,
}

/// Processor time of a process so far, in seconds, by what its threads do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Busy {
    pub(crate) policies: f64,
    pub(crate) ledger: f64,
    pub(crate) rest: f64,
}

/// What a process has in memory, in MiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    pub(crate) now: f64,
    /// The most since [`Daemon::forget_peak`].
    pub(crate) peak: f64,
}

// === impl Daemon ===

impl Daemon {
    /// Starts it in `dir`, where its identity is. No breaker trips, since nobody here would release it, and no list comes by
    /// itself.
    pub(crate) fn start(given: Option<&PathBuf>, dir: &Path, address: SocketAddr) -> Result<(Self, Instant), String> {
        let cannot = |error: std::io::Error| format!("the daemon cannot be started: {error}");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let health = free.map_err(cannot)?;
        let config = format!(
            r#"[teleport]
address = "{address}"
identity-file = "identity"
route = "auth"

[poll]
interval = "24h"

[health]
listen = "{health}"

[limits]
actions-per-round = 10000000
locked-percent-per-round = 100

[engine]
cache = "compiled"

[ledger]
dir = "ledger"

[[plugin]]
name = "separation"
source = "builtin:separation"
settings = {{ classes = ["prod", "research"] }}

[[plugin]]
name = "cap"
source = "builtin:cap"
settings = {{ max-resources = 10 }}
"#
        );
        fs::write(dir.join("tribunal.toml"), config).map_err(cannot)?;
        let binary = binary::copy_to(dir, given)?;
        // Its plugins are compiled once, before anything is measured.
        let checked = Command::new(&binary).arg("check").current_dir(dir).output().map_err(cannot)?;
        if !checked.status.success() {
            return Err(format!("its configuration is refused: {}", String::from_utf8_lossy(&checked.stderr)));
        }
        let log = File::create(dir.join("tribunal.log")).map_err(cannot)?;
        let begun = Instant::now();
        let child = Command::new(binary)
            .args(["run", "--config", "tribunal.toml"])
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(cannot)?;
        Ok((Self { child, dir: dir.to_owned(), health }, begun))
    }

    /// Its metrics; none: it does not answer yet.
    pub(crate) fn metrics(&self) -> Option<Metrics> {
        get(self.health, "/metrics").ok().map(|text| Metrics::new(&text))
    }

    /// That it runs.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let ended = self.child.try_wait().map_err(|error| format!("the daemon cannot be waited for: {error}"))?;
        let Some(status) = ended else { return Ok(()) };
        let log = fs::read_to_string(self.dir.join("tribunal.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        Err(format!("the daemon ended ({status}): {}", last.join("; ")))
    }

    /// Its processor time so far.
    pub(crate) fn busy(&self) -> Busy {
        let mut busy = Busy::default();
        let Ok(threads) = fs::read_dir(self.proc("task")) else { return busy };
        for thread in threads.flatten() {
            let name = fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
            let seconds = seconds(&fs::read_to_string(thread.path().join("stat")).unwrap_or_default());
            *match name.trim() {
                name if name.starts_with("policy-") => &mut busy.policies,
                name if name.starts_with("ledger") => &mut busy.ledger,
                _ => &mut busy.rest,
            } += seconds;
        }
        busy
    }

    /// What it has in memory.
    pub(crate) fn memory(&self) -> Memory {
        let status = fs::read_to_string(self.proc("status")).unwrap_or_default();
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let kib: f64 = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default();
            kib / 1024.0
        };
        Memory { now: mib("VmRSS:"), peak: mib("VmHWM:") }
    }

    /// From now on the peak of its memory is counted anew.
    pub(crate) fn forget_peak(&self) {
        // Where the system does not let us, the peak is that of all of its life.
        let _kept = fs::write(self.proc("clear_refs"), "5");
    }

    /// The bytes of its ledger.
    pub(crate) fn ledger_bytes(&self) -> u64 {
        let entries = fs::read_dir(self.dir.join("ledger")).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
    }

    fn proc(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.child.id()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has nothing to finish: all is decided, or this run has failed. Nobody is left to tell of a failure.
        let _unheard = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Processor time so far of this process, which is the server's, in seconds.
pub(crate) fn own_seconds() -> f64 {
    seconds(&fs::read_to_string("/proc/self/stat").unwrap_or_default())
}

/// User and system time in a line of `stat`.
fn seconds(stat: &str) -> f64 {
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}

/// How long one may wait for a whole round of so many requests.
pub(crate) fn patience(live: u64) -> Duration {
    Duration::from_secs(120 + live / 50)
}
