//! The daemon as a process of its own, configured as an operator would. It never asks it how it is: the cluster tells.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::binary;

/// A running daemon.
#[derive(Debug)]
pub(crate) struct Daemon(Child);

// === impl Daemon ===

impl Daemon {
    /// Starts it in `dir`, where its identity is. No breaker trips, since nobody here would release it: everything else is
    /// as the defaults have it.
    pub(crate) fn start(
        given: Option<&std::path::PathBuf>,
        dir: &Path,
        address: SocketAddr,
        poll_s: u64,
    ) -> Result<Self, String> {
        let config = format!(
            r#"[teleport]
address = "{address}"
identity-file = "identity"
route = "auth"

[poll]
interval = "{poll_s}s"

[limits]
actions-per-round = 10000000
locked-percent-per-round = 100

[ledger]
dir = "ledger"

[[plugin]]
name = "separation"
source = "builtin:separation"
settings = {{ classes = ["prod", "research"] }}

[[plugin]]
name = "cap"
source = "builtin:cap"
settings = {{ max-resources = 3 }}
"#
        );
        let cannot = |error: std::io::Error| format!("the daemon cannot be started: {error}");
        std::fs::write(dir.join("tribunal.toml"), config).map_err(cannot)?;
        let binary = binary::copy_to(dir, given)?;
        let log = File::create(dir.join("tribunal.log")).map_err(cannot)?;
        let child = Command::new(binary)
            .args(["run", "--config", "tribunal.toml"])
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        Ok(Self(child.map_err(cannot)?))
    }

    /// That it runs.
    pub(crate) fn check(&mut self, dir: &Path) -> Result<(), String> {
        let ended = self.0.try_wait().map_err(|error| format!("the daemon cannot be waited for: {error}"))?;
        let Some(status) = ended else { return Ok(()) };
        let log = std::fs::read_to_string(dir.join("tribunal.log")).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        Err(format!("the daemon ended ({status}): {}", last.join("; ")))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has nothing to finish: all requests are decided, or this run has failed. Nobody is left to tell of a failure.
        let _unheard = self.0.kill().and_then(|()| self.0.wait());
    }
}
