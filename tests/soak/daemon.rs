//! The daemon as a process of its own: started, killed without warning, started again. It never asks it how it is: the
//! cluster and the ledger tell.

use std::fs::{File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Starts in a row that may end by themselves: one call in twenty fails, and the first one is not repeated.
const EARLY_ENDS_MAX: u32 = 25;
/// How long a stop in good order may take.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Policies may take this long here: a slow machine is not what is tested.
const DEADLINE_MS: u64 = 10_000;

/// What differs from one configuration to the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) address: SocketAddr,
    /// More keys of `[teleport]`.
    pub(crate) teleport: &'a str,
    /// The time between two full lists.
    pub(crate) poll: &'a str,
    /// More tables.
    pub(crate) tables: &'a str,
}

/// The daemon, and what it needs to start again.
#[derive(Debug)]
pub(crate) struct Daemon {
    binary: PathBuf,
    dir: PathBuf,
    child: Option<Child>,
    early_ends: u32,
    /// Starts, in all.
    pub(crate) starts: u64,
    /// How often it ended by itself.
    pub(crate) ended_itself: u64,
}

// === impl Daemon ===

impl Daemon {
    /// Writes the configuration; starts nothing yet. The identity file is `identity` in `dir`.
    ///
    /// No breaker trips: nobody here would release it. It acts under a lease only, and after a SIGKILL the next run on the
    /// same ledger finds its own.
    pub(crate) fn new(binary: PathBuf, dir: &Path, settings: &Settings<'_>) -> Result<Self, String> {
        let Settings { address, teleport, poll, tables } = settings;
        let config = format!(
            r#"[teleport]
address = "{address}"
identity-file = "identity"
{teleport}

[poll]
interval = "{poll}"

{tables}

[daemon]
lease = "required"

[limits]
actions-per-round = 10000000
locked-percent-per-round = 100
deadline-ms = {DEADLINE_MS}
setup-deadline-ms = 60000

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
        std::fs::write(dir.join("tribunal.toml"), config)
            .map_err(|error| format!("the configuration cannot be written: {error}"))?;
        Ok(Self { binary, dir: dir.to_owned(), child: None, early_ends: 0, starts: 0, ended_itself: 0 })
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.dir.join("ledger")
    }

    pub(crate) fn log_file(&self) -> PathBuf {
        self.dir.join("tribunal.log")
    }

    pub(crate) fn start(&mut self) -> Result<(), String> {
        let cannot = |error: std::io::Error| format!("the daemon cannot be started: {error}");
        let log = OpenOptions::new().create(true).append(true).open(self.log_file()).map_err(cannot)?;
        let child = Command::new(&self.binary)
            .args(["run", "--config", "tribunal.toml"])
            .current_dir(&self.dir)
            .env("RUST_LOG", "warn,tribunal=info,tribunal::daemon::log=warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(cannot)?;
        self.child = Some(child);
        self.starts += 1;
        Ok(())
    }

    /// SIGKILL, and the end of it.
    pub(crate) fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let killed = child.kill().and_then(|()| child.wait());
        killed.map(drop).map_err(|error| format!("the daemon cannot be killed: {error}"))
    }

    /// Starts it again if it ended by itself, as a service manager would.
    pub(crate) fn keep_up(&mut self) -> Result<(), String> {
        let Some(status) = self.ended()? else { return Ok(()) };
        self.ended_itself += 1;
        self.early_ends += 1;
        if self.early_ends > EARLY_ENDS_MAX {
            return Err(format!("the daemon ends by itself, again and again ({status}): {}", self.last_words()));
        }
        self.start()
    }

    /// It is at work: what it does from now on is not its start any more.
    pub(crate) const fn is_at_work(&mut self) {
        self.early_ends = 0;
    }

    /// SIGTERM, and the end of it.
    pub(crate) async fn stop(&mut self) -> Result<(), String> {
        let Some(child) = &self.child else { return Ok(()) };
        let id = child.id();
        let told = Command::new("sh").args(["-c", &format!("kill -TERM {id}")]).status();
        if !told.map_err(|error| format!("`kill` cannot be run: {error}"))?.success() {
            return Err(format!("the daemon was gone before it was stopped: {}", self.last_words()));
        }
        let begun = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        loop {
            match self.ended()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(format!("the daemon did not stop well ({status}): {}", self.last_words())),
                None if begun.elapsed() > STOP_MAX => {
                    self.kill()?;
                    return Err(format!("the daemon did not stop within {} s", STOP_MAX.as_secs()));
                }
                None => drop(looks.tick().await),
            }
        }
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>, String> {
        let Some(child) = &mut self.child else { return Ok(None) };
        let ended = child.try_wait().map_err(|error| format!("the daemon cannot be waited for: {error}"))?;
        if ended.is_some() {
            self.child = None;
        }
        Ok(ended)
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        use std::io::{Read as _, Seek as _, SeekFrom};
        const BYTES: u64 = 2_000;
        let mut words = Vec::new();
        let read = File::open(self.log_file()).and_then(|mut log| {
            let length = log.metadata()?.len();
            log.seek(SeekFrom::Start(length.saturating_sub(BYTES)))?;
            log.read_to_end(&mut words)
        });
        match read {
            Ok(_) => String::from_utf8_lossy(&words).into_owned(),
            Err(error) => format!("its log cannot be read: {error}"),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Whoever ends, the daemon does not outlive it; there is nobody left to tell of a failure.
        let _unheard = self.kill();
    }
}
