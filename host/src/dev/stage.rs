//! The simulated cluster and the daemon in one process, talking over loopback TLS as in production. It must never let
//! one touch the other in any other way.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tribunal_core::Status;
use tribunal_proto::types::RequestState;
use tribunal_sim::{Entry, Handle, Running, Scenario, SimClock, SimServer};

use super::DevError;
use super::dir::Dir;
use super::evidence::{Evidence, Judged};
use super::shown::{self, FinalState};
use super::user::{User, Wish};
use super::wire::{id_of, state_of};
use crate::assembly::assemble;
use crate::config::{Config, ConfigErrors, GoFlags, Overrides};
use crate::daemon::{self, Bug, Operator};

/// How long a decision may take. It takes milliseconds; a machine under load, or a scenario's faults, may need more.
const DECISION_MAX: Duration = Duration::from_secs(60);
/// Time between two full lists; the watch stream makes reactions immediate.
const POLL_INTERVAL: &str = "1s";
/// What `cap` allows.
pub(super) const RESOURCES_MAX: usize = 3;
/// What `separation` keeps apart.
pub(super) const CONFLICT_PATTERNS: &str = "prod,research";

/// A running cluster with its daemon.
pub(super) struct Stage {
    began: Instant,
    place: Place,
    server: Running,
    daemon: Daemon,
    /// What judges, for people.
    panel: String,
}

/// The directory of identity files and of the ledger.
struct Place {
    dir: Dir,
    /// Removed, with all that is in it, when the stage is dropped; none: the operator chose the directory.
    _temp: Option<TempDir>,
}

struct Daemon {
    status: watch::Receiver<Option<Status>>,
    stop: CancellationToken,
    running: JoinHandle<Result<(), Bug>>,
}

// === impl Stage ===

impl Stage {
    /// Starts a cluster for this scenario and the daemon on it, with the panel of a configuration or the built-in one, and
    /// all files in `dir`, or in a directory that is gone when the stage is.
    ///
    /// # Errors
    /// When one of them does not start.
    pub(super) async fn set(scenario: Scenario, config: Option<&Path>, dir: Option<PathBuf>) -> Result<Self, DevError> {
        let began = Instant::now();
        let place = Place::find(dir)?;
        let Place { dir, _temp } = &place;
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let server = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await?;
        dir.write_address(&server.addr().to_string())?;
        let address = server.addr().to_string();
        let (config, panel) = match config {
            Some(path) => (of_file(path, dir, &address), format!("its panel is that of `{}`", path.display())),
            None => (of_sample_watcher(dir, &address), of_builtins()),
        };
        let daemon = Daemon::start(config.map_err(|errors| DevError::Daemon(errors.to_string()))?).await?;
        Ok(Self { began, place, server, daemon, panel })
    }

    /// What users work in.
    pub(super) fn dir(&self) -> &Dir {
        &self.place.dir
    }

    /// The cluster's name.
    pub(super) fn cluster(&self) -> &str {
        &self.server.scenario().cluster
    }

    /// What judges, for people.
    pub(super) fn panel(&self) -> &str {
        &self.panel
    }

    /// Where the cluster listens.
    pub(super) fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// A user asks, over gRPC with an identity of their own; gives the request's id.
    ///
    /// # Errors
    /// When the server refuses.
    pub(super) async fn ask(&self, user: &str, wish: &Wish) -> Result<String, DevError> {
        let stored = User::connect(self.dir(), user).await?.ask(wish).await?;
        Ok(id_of(&stored).to_owned())
    }

    /// Waits until tribunal has decided about this request and what it decided is in force.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub(super) async fn decided(&mut self, id: &str) -> Result<Judged, DevError> {
        let ledger = self.dir().ledger();
        let handle = self.server.handle().clone();
        let wait = self.daemon.until(&handle, async || {
            let evidence = Evidence::read(&ledger)?;
            let settled = |judged: &&Judged| judged.leaves() || !is_pending(&handle, id);
            Ok(evidence.judged(id).filter(settled).cloned())
        });
        in_time(wait, &format!("request `{id}`")).await
    }

    /// Waits until every request that is pending has been decided about, and the daemon has nothing left to do.
    ///
    /// # Errors
    /// When that does not happen in time.
    pub(super) async fn settled(&mut self) -> Result<(), DevError> {
        let ledger = self.dir().ledger();
        let handle = self.server.handle().clone();
        let status = self.daemon.status.clone();
        let wait = self.daemon.until(&handle, async || {
            if !status.borrow().as_ref().is_some_and(is_idle) {
                return Ok(None);
            }
            let evidence = Evidence::read(&ledger)?;
            let left = |id: &str| evidence.judged(id).is_some_and(Judged::leaves);
            Ok(pending(&handle).iter().all(|id| left(id)).then_some(()))
        });
        in_time(wait, "all pending requests").await
    }

    /// How the cluster and the ledger stand.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub(super) fn state(&self) -> Result<FinalState, DevError> {
        let evidence = Evidence::read(&self.dir().ledger())?;
        let snapshot = self.server.handle().snapshot();
        let locks: Vec<_> = snapshot.locks.iter().map(AsRef::as_ref).collect();
        let requests = snapshot.requests.iter().map(AsRef::as_ref);
        Ok(FinalState {
            requests: shown::requests(requests, &locks, Some(&evidence), snapshot.now),
            decisions: evidence.decisions,
            elapsed_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// Every change of the cluster.
    pub(super) fn history(&self) -> Vec<Arc<Entry>> {
        self.server.handle().history()
    }

    /// Waits until the daemon ends by itself, which it should not.
    pub(super) async fn broken(&mut self) -> DevError {
        ended((&mut self.daemon.running).await)
    }

    /// Stops the daemon, then the cluster.
    ///
    /// # Errors
    /// When the daemon ended in a bug.
    pub(super) async fn clear(self) -> Result<(), DevError> {
        let Self { began: _, place, server, daemon, panel: _ } = self;
        daemon.stop.cancel();
        let ran = daemon.running.await;
        server.shutdown().await;
        // Only now: until here the daemon wrote to it.
        drop(place);
        match ran {
            Ok(Ok(())) => Ok(()),
            failed @ (Ok(Err(_)) | Err(_)) => Err(ended(failed)),
        }
    }
}

// === impl Place ===

impl Place {
    fn find(dir: Option<PathBuf>) -> Result<Self, DevError> {
        let Some(dir) = dir.map(Dir::new) else {
            let temp = tempfile::Builder::new().prefix("tribunal-dev-").tempdir().map_err(|source| DevError::File {
                verb: "write",
                path: std::env::temp_dir(),
                source,
                remedy: "set `TMPDIR` to a directory that you may write to",
            })?;
            return Ok(Self { dir: Dir::new(temp.path()), _temp: Some(temp) });
        };
        // What an earlier cluster's ledger says is not true of this one.
        if dir.ledger().exists() {
            return Err(DevError::LedgerThere(dir.ledger()));
        }
        Ok(Self { dir, _temp: None })
    }
}

// === impl Daemon ===

impl Daemon {
    /// The daemon as `tribunal run` would start it.
    async fn start(config: Config) -> Result<Self, DevError> {
        let assembled = assemble(&config).await.map_err(|error| DevError::Daemon(error.to_string()))?;
        let (told, status) = watch::channel(None);
        let stop = CancellationToken::new();
        let running =
            tokio::spawn(daemon::run(assembled.ports, assembled.settings, told, Operator::default(), stop.clone()));
        Ok(Self { status, stop, running })
    }

    /// Looks now, and again after each change of the cluster or of the daemon, until there is something to see.
    async fn until<T>(
        &mut self,
        handle: &Handle,
        mut look: impl AsyncFnMut() -> Result<Option<T>, DevError>,
    ) -> Result<T, DevError> {
        loop {
            let seen = handle.snapshot().sequence;
            self.status.mark_unchanged();
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::select! {
                _sequence = handle.changed_since(seen) => {}
                Ok(()) = self.status.changed() => {}
                ran = &mut self.running => return Err(ended(ran)),
            }
        }
    }
}

/// The flags of the sample watcher.
fn of_sample_watcher(dir: &Dir, address: &str) -> Result<Config, ConfigErrors> {
    Config::from_flags(&GoFlags {
        proxy: Some(address.to_owned()),
        identity: Some(dir.watcher_identity()),
        max_resources: Some(RESOURCES_MAX.to_string()),
        poll_interval: Some(POLL_INTERVAL.to_owned()),
        conflict_patterns: vec![CONFLICT_PATTERNS.to_owned()],
        ledger_dir: Some(dir.ledger()),
        ..GoFlags::default()
    })
}

fn of_builtins() -> String {
    format!("`separation` keeps {CONFLICT_PATTERNS} apart, `cap` allows {RESOURCES_MAX} resources")
}

/// A file's configuration, but for what the simulation brings.
fn of_file(path: &Path, dir: &Dir, address: &str) -> Result<Config, ConfigErrors> {
    let overrides = Overrides {
        address: Some(address.to_owned()),
        identity_file: Some(dir.watcher_identity()),
        ledger_dir: Some(dir.ledger()),
        dry_run: false,
    };
    Config::load(path, &overrides)
}

async fn in_time<T>(wait: impl Future<Output = Result<T, DevError>>, what: &str) -> Result<T, DevError> {
    match tokio::time::timeout(DECISION_MAX, wait).await {
        Ok(waited) => waited,
        Err(_elapsed) => Err(DevError::TooLate { what: what.to_owned(), after: DECISION_MAX }),
    }
}

fn ended(ran: Result<Result<(), Bug>, tokio::task::JoinError>) -> DevError {
    DevError::Daemon(match ran {
        Ok(Ok(())) => "it ended by itself".to_owned(),
        Ok(Err(bug)) => bug.to_string(),
        Err(panicked) => format!("it ended in a bug; please report it: {panicked}"),
    })
}

fn is_idle(status: &Status) -> bool {
    let Status { blind, tripped, last_full_list, in_flight, waiting, retrying } = status;
    blind.is_none()
        && tripped.is_none()
        && last_full_list.is_some()
        && *in_flight == 0
        && *waiting == 0
        && *retrying == 0
}

fn is_pending(handle: &Handle, id: &str) -> bool {
    pending(handle).iter().any(|pending| pending == id)
}

fn pending(handle: &Handle) -> Vec<String> {
    let requests = handle.snapshot().requests;
    requests
        .iter()
        .filter(|request| state_of(request) == RequestState::Pending)
        .map(|request| id_of(request).to_owned())
        .collect()
}
