//! Starts the program again and again, and looks at it from outside. It must never leave a process behind.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tribunal_sim::{IssueOptions, Running, Scenario, SimClock, SimServer};

use super::Args;
use super::{binary, plugins};

/// How long a daemon may take to be ready.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks.
const LOOK: Duration = Duration::from_micros(500);
/// What the daemon says once its plugins are loaded and its ledger is open.
const LOADED: &str = "Plugins loaded";

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) check: Times,
    pub(crate) loaded: Times,
    pub(crate) ready: Times,
    pub(crate) memory: Memory,
}

/// How long things took, in order.
#[derive(Clone, Debug)]
pub(crate) struct Times(Vec<Duration>);

/// What a process has resident, in MiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    all: f64,
    /// Of it, what is in no file.
    anonymous: f64,
    /// Of it, the program itself, and what else is in files.
    files: f64,
}

/// Measures everything.
pub(crate) fn measure(args: &Args) -> Result<Figures, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let dir = tempfile::tempdir().map_err(|error| format!("no temporary directory can be made: {error}"))?;
    let scenario = Scenario::parse("cluster = \"start\"").map_err(|error| error.to_string())?;
    let sim = runtime.block_on(SimServer::start(scenario, (Ipv4Addr::LOCALHOST, 0).into(), None, SimClock::real()));
    let sim = sim.map_err(|error| format!("the simulated server does not start: {error}"))?;
    let figures = look(args, dir.path(), &sim);
    drop(sim);
    runtime.shutdown_background();
    figures
}

fn look(args: &Args, dir: &Path, sim: &Running) -> Result<Figures, String> {
    let many = Place::new(args, dir.join("many"), sim, args.plugins)?;
    // Fills the cache.
    many.check()?;
    let check = (0..args.starts).map(|_| many.check()).collect::<Result<_, _>>().map(Times::of)?;
    let (mut loaded, mut ready) = (Vec::new(), Vec::new());
    for _ in 0..args.starts {
        let mut daemon = many.run()?;
        loaded.push(daemon.loaded()?);
        ready.push(daemon.ready()?);
    }
    let few = Place::new(args, dir.join("few"), sim, args.idle_plugins)?;
    few.check()?;
    let mut daemon = few.run()?;
    daemon.loaded()?;
    daemon.ready()?;
    daemon.rest(Duration::from_secs(args.idle_secs));
    let memory = daemon.memory()?;
    Ok(Figures { check, loaded: Times::of(loaded), ready: Times::of(ready), memory })
}

/// A directory with all that a daemon needs.
struct Place {
    dir: PathBuf,
    binary: PathBuf,
    health: SocketAddr,
}

// === impl Place ===

impl Place {
    fn new(args: &Args, dir: PathBuf, sim: &Running, count: u64) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("`{}` cannot be written: {error}", dir.display());
        fs::create_dir_all(&dir).map_err(cannot)?;
        let identity = sim.issue(&IssueOptions::of(&sim.scenario().bot_user())).map_err(|error| error.to_string())?;
        identity.write(&dir.join("identity")).map_err(cannot)?;
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
        let health = free.map_err(cannot)?;
        let head = format!(
            "[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\nroute = \"auth\"\n\n[health]\nlisten = \"{health}\"\n\n\
             [engine]\ncache = \"compiled\"\n\n[ledger]\ndir = \"ledger\"\n",
            sim.addr()
        );
        fs::write(dir.join("tribunal.toml"), head + &plugins::write(&dir, count)?).map_err(cannot)?;
        let binary = binary::copy_to(&dir, args.tribunal.as_ref())?;
        Ok(Self { dir, binary, health })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// How long `tribunal check` takes.
    fn check(&self) -> Result<Duration, String> {
        let begun = Instant::now();
        let checked = self.command().arg("check").output();
        let took = begun.elapsed();
        let checked = checked.map_err(|error| format!("the program cannot be started: {error}"))?;
        if checked.status.success() {
            return Ok(took);
        }
        Err(format!("its configuration is refused: {}", String::from_utf8_lossy(&checked.stderr)))
    }

    fn run(&self) -> Result<Daemon, String> {
        let begun = Instant::now();
        let child = self.command().args(["run", "--config", "tribunal.toml"]).spawn();
        let mut child = child.map_err(|error| format!("the daemon cannot be started: {error}"))?;
        let stderr = child.stderr.take().ok_or("the daemon has no standard error")?;
        Ok(Daemon { child, log: Some(BufReader::new(stderr)), health: self.health, begun })
    }
}

/// A running daemon.
struct Daemon {
    child: Child,
    log: Option<BufReader<ChildStderr>>,
    health: SocketAddr,
    begun: Instant,
}

// === impl Daemon ===

impl Daemon {
    /// How long it took until its plugins were loaded.
    fn loaded(&mut self) -> Result<Duration, String> {
        let mut log = self.log.take().ok_or("its log was read already")?;
        let (mut line, mut last) = (String::new(), String::new());
        loop {
            line.clear();
            let read = log.read_line(&mut line).map_err(|error| format!("its log cannot be read: {error}"))?;
            let took = self.begun.elapsed();
            if line.contains(LOADED) {
                // Nobody else would read the rest, and a full pipe holds up whoever writes.
                thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
                return Ok(took);
            }
            if read == 0 {
                return Err(format!("the daemon ended: {last}"));
            }
            last.clone_from(&line);
        }
    }

    /// How long it took until it said that it is ready.
    fn ready(&mut self) -> Result<Duration, String> {
        while !is_ready(self.health) {
            if self.begun.elapsed() > PATIENCE {
                return Err(format!("it was not ready within {} s", PATIENCE.as_secs()));
            }
            thread::park_timeout(LOOK);
        }
        Ok(self.begun.elapsed())
    }

    /// Lets it be for a while.
    fn rest(&self, long: Duration) {
        let until = Instant::now() + long;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            thread::park_timeout(left);
        }
    }

    fn memory(&self) -> Result<Memory, String> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).map_err(|error| format!("`{path}` cannot be read: {error}"))?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            let kib: f64 = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default();
            kib / 1024.0
        };
        Ok(Memory { all: mib("VmRSS:"), anonymous: mib("RssAnon:"), files: mib("RssFile:") })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It has nothing to finish. Nobody is left to tell of a failure.
        let _unheard = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn is_ready(at: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(at)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: start\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

// === impl Figures ===

impl Figures {
    /// For programs.
    pub(crate) fn json(&self) -> String {
        let Self { check, loaded, ready, memory } = self;
        let ms = |times: &Times| {
            let [best, median, worst] = times.quantiles().map(|took| took.as_secs_f64() * 1_000.0);
            json!({ "best": best, "median": median, "worst": worst })
        };
        let Memory { all, anonymous, files } = memory;
        json!({
            "check_ms": ms(check),
            "loaded_ms": ms(loaded),
            "ready_ms": ms(ready),
            "memory_mib": { "all": all, "anonymous": anonymous, "files": files },
        })
        .to_string()
    }
}

// === impl Times ===

impl Times {
    /// All but the first, which finds less in the system's caches.
    fn of(took: Vec<Duration>) -> Self {
        let mut took: Vec<_> = took.into_iter().skip(1).collect();
        took.sort_unstable();
        Self(took)
    }

    /// The best, the median and the worst.
    pub(crate) fn quantiles(&self) -> [Duration; 3] {
        let at = |place: usize| self.0.get(place).copied().unwrap_or_default();
        [at(0), at(self.0.len() / 2), at(self.0.len().saturating_sub(1))]
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { all, anonymous, files } = self;
        write!(f, "{all:.1} MiB resident, of which {anonymous:.1} anonymous and {files:.1} of files")
    }
}
