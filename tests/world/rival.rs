//! Further daemons on the cluster of a world, each with a ledger of its own, that heed each other by a lease. It passes
//! everything on and decides nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tribunal::daemon::lease::{self, Mode, Stand, Terms};
use tribunal::daemon::{Bug, Operator, Ports};
use tribunal_core::record::{Lifecycle, Record};
use tribunal_core::{Settings, Status};
use tribunal_ledger::Ledger;
use tribunal_ports::Clock as _;
use tribunal_sim::Moment;
use tribunal_sim::cluster::Cluster;

use super::gate::{Gate, Gated};
use super::witness::Witnessed;
use super::{World, panel, within};

/// How long a daemon gets to ask about its lease before its clock is moved on: it may have no reason to yet.
const BREATH: Duration = Duration::from_secs(1);
/// How long it gets to make something of the answer.
const THOUGHT: Duration = Duration::from_millis(100);
/// How often a clock is moved on before a test fails.
const LEAPS_MAX: u32 = 20;

/// One of several daemons.
pub(crate) struct Rival {
    name: String,
    pub(crate) gate: Arc<Gate>,
    stand: watch::Receiver<Stand>,
    /// Kept so that the daemon has somebody to tell.
    pub(crate) status: watch::Receiver<Option<Status>>,
    pub(crate) release: Arc<Notify>,
    stop: CancellationToken,
    task: JoinHandle<Result<(), Bug>>,
}

// === impl World ===

impl World {
    /// Starts a daemon of this name; decisions of its first turn have ids that begin with `run`.
    pub(crate) async fn start_rival(&self, name: &str, run: &str, mode: Mode) -> Rival {
        let client = self.client().await;
        let panel = panel::load(&self.setup.panels).await;
        let (ledger, recovery) = Ledger::open(&self.files.path().join(format!("ledger-{name}"))).unwrap();
        let settings = self.settings(&client, panel.as_ref(), run).await;
        let settings = Settings { tripped: recovery.tripped, ..settings };
        let terms = Terms { mode, name: settings.cluster.clone(), holder: name.to_owned() };
        let gate = Arc::new(Gate::new());
        let ports = Ports {
            teleport: Arc::new(Gated { client, gate: Arc::clone(&gate) }),
            engine: panel,
            ledger: Arc::new(Witnessed { ledger, witness: Arc::clone(&self.witness), handle: self.server().clone() }),
            clock: Arc::clone(&self.clock),
        };
        let (release, stop) = (Arc::<Notify>::default(), CancellationToken::new());
        let (tell_status, status) = watch::channel(None);
        let (tell_stand, stand) = watch::channel(Stand::default());
        let operator = Operator { release: Arc::clone(&release), ..Operator::default() };
        let running = lease::run(ports, settings, terms, tell_status, tell_stand, operator, stop.clone());
        let task = tokio::spawn(running);
        Rival { name: name.to_owned(), gate, stand, status, release, stop, task }
    }

    /// In an earlier run the breaker of this daemon tripped.
    pub(crate) async fn rival_tripped(&self, name: &str, why: &str) {
        let (ledger, _recovery) = Ledger::open(&self.files.path().join(format!("ledger-{name}"))).unwrap();
        let (at, detail) = (self.clock.now(), why.to_owned());
        let record = Record::Lifecycle { at, what: Lifecycle::BreakerTripped, detail };
        tribunal_ports::Ledger::append(&ledger, record).await.unwrap();
    }

    /// Moves the clock on by `leap`, as often as it takes until the daemon stands like this.
    pub(crate) async fn leap_until(&self, rival: &mut Rival, leap: Duration, mut like: impl FnMut(&Stand) -> bool) {
        for _ in 0..LEAPS_MAX {
            let mut answers = rival.gate.leases();
            self.advance(leap);
            let _asked = tokio::time::timeout(BREATH, async {
                tokio::select! {
                    _ = answers.changed() => {}
                    _ = rival.stand.wait_for(&mut like) => {}
                }
            })
            .await;
            if let Ok(stood) = tokio::time::timeout(THOUGHT, rival.stand.wait_for(&mut like)).await {
                return drop(stood.expect("the daemon still runs"));
            }
        }
        panic!("`{}` never stood as was wanted, but: {:?}", rival.name, rival.stand());
    }

    /// Who has the lease now, and until when.
    pub(crate) fn lease(&self) -> Option<(String, Moment)> {
        self.server().with(|cluster, now| holder(cluster, now))
    }

    /// `admin` deletes the semaphore.
    pub(crate) fn admin_deletes_semaphores(&self) {
        self.server().with(|cluster, now| {
            let admin = tribunal_sim::Caller::person("admin", &["admin"]);
            let found: Vec<_> = cluster.semaphores().keys().cloned().collect();
            assert!(!found.is_empty());
            for (semaphore_kind, semaphore_name) in found {
                let filter = tribunal_proto::types::SemaphoreFilter { semaphore_kind, semaphore_name };
                cluster.delete_semaphore(&admin, now, &filter).unwrap();
            }
        });
    }
}

fn holder(cluster: &Cluster, now: Moment) -> Option<(String, Moment)> {
    let leases = cluster.semaphores().values().filter_map(|it| it.spec.as_ref()).flat_map(|spec| &spec.leases);
    let mut live = leases.filter_map(|lease| Some((lease.holder.clone(), Moment::from_proto(lease.expires.as_ref())?)));
    live.find(|(_, until)| now < *until)
}

// === impl Rival ===

impl Rival {
    pub(crate) fn stand(&self) -> Stand {
        self.stand.borrow().clone()
    }

    /// Waits until it stands like this; its clock stands still meanwhile.
    pub(crate) async fn until(&mut self, what: &str, like: impl FnMut(&Stand) -> bool) -> Stand {
        within(what, self.stand.wait_for(like)).await.expect("the daemon still runs").clone()
    }

    pub(crate) async fn until_leading(&mut self) {
        self.until("it leads", is_leading).await;
    }

    /// Asks it to stop, and waits for it.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        within("the daemon stops", self.task).await.unwrap().unwrap();
    }

    /// Takes it away in the middle of whatever it does, as SIGKILL would.
    pub(crate) async fn kill(self) {
        self.task.abort();
        let ended = within("the daemon is gone", self.task).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "it was still running");
    }
}

pub(crate) fn is_leading(stand: &Stand) -> bool {
    *stand == Stand::Leading
}

/// Whether it stands by, and says this.
pub(crate) fn says(words: &'static str) -> impl FnMut(&Stand) -> bool {
    move |stand| matches!(stand, Stand::Standby(why) if why.contains(words))
}
