//! What the daemon shows of itself while it works: where it stands, what it counted, who holds what. Seen at its ports
//! and its status, read by the health port and by the notes to systemd. It decides nothing, and nothing waits for it.

pub mod holdings;
pub mod metrics;
mod shown;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tribunal_core::action::{Event, Listing};
use tribunal_core::opinion::Member;
use tribunal_core::record::{Lifecycle, Record};
use tribunal_core::{Settings, Status, Timestamp};
use tribunal_engine::PolicyHealth;

use self::holdings::{Holdings, Mirror};
use self::metrics::Metrics;
pub use self::shown::Shown;
use crate::daemon::Ports;
use crate::daemon::lease::Stand;

/// A daemon that has not turned for so many seconds hangs. Its loop shows itself every few seconds; one that stands by
/// does when it asks for the lease, which it does every half minute at least.
pub const LIVE_SECS_MAX: u64 = 60;
/// The newest full list is too old after this many poll intervals; law 8 has the same number.
pub const STALE_INTERVALS: u32 = 2;

/// The signs of one run of the daemon.
pub struct Signs {
    about: About,
    feeds: Feeds,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<State>,
    mirror: Mutex<Mirror>,
    metrics: Metrics,
    panel_seen: OnceLock<Box<dyn Fn() -> PanelSeen + Send + Sync>>,
}

/// What does not change during a run.
#[derive(Clone, Debug)]
pub struct About {
    /// The name of the cluster.
    pub cluster: String,
    /// The first panel, in the order in which it is asked.
    pub panel: Vec<Member>,
    /// The time between two full lists.
    pub poll_interval: Duration,
    /// Decide and record, but do nothing.
    pub dry_run: bool,
}

/// What the daemon itself says of how it stands.
#[derive(Clone, Debug)]
pub struct Feeds {
    /// Where its controller stands.
    pub status: watch::Receiver<Option<Status>>,
    /// How it stands to other daemons; none: there are no others.
    pub stand: Option<watch::Receiver<Stand>>,
    /// Cancelled when it is to stop.
    pub stop: CancellationToken,
}

/// How the daemon stood when it was looked at.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// As the controller says; none: it has not begun.
    pub status: Option<Status>,
    /// Since when nothing is approved because the view may be incomplete.
    pub blind_since: Option<Timestamp>,
    /// How long the newest full list took.
    pub list_took: Duration,
    /// Since when the ledger cannot be written, and why.
    pub ledger_fault: Option<(Timestamp, String)>,
    /// The last time that a person was called, and why.
    pub last_alarm: Option<(Timestamp, String)>,
    /// Why another daemon works and this one waits; none: it is this one's turn.
    pub standby: Option<String>,
    /// A stop was asked for.
    pub stopping: bool,
}

/// How the panel stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanelSeen {
    /// Its policies, in the order in which they are asked.
    pub policies: Vec<PolicyHealth>,
    /// Since when it is older than what is configured, and why.
    pub stale: Option<(Timestamp, String)>,
}

#[derive(Debug)]
struct State {
    turned: Instant,
    blind_since: Option<Timestamp>,
    list_took: Duration,
    ledger_fault: Option<(Timestamp, String)>,
    last_alarm: Option<(Timestamp, String)>,
    /// The policies that are asked now; none: those of the settings.
    panel: Option<Vec<Member>>,
}

// === impl Signs ===

impl Signs {
    /// The signs of a daemon with these settings, which is about to start; `now` is its clock.
    pub fn new(settings: &Settings, feeds: Feeds, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Arc<Self> {
        let about = About {
            cluster: settings.cluster.clone(),
            panel: settings.panel.members.clone(),
            poll_interval: settings.poll_interval,
            dry_run: settings.dry_run,
        };
        Self::of(about, feeds, now)
    }

    /// The same of one that has no settings yet.
    pub fn of(about: About, feeds: Feeds, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Arc<Self> {
        let state = State {
            turned: Instant::now(),
            blind_since: None,
            list_took: Duration::ZERO,
            ledger_fault: None,
            last_alarm: None,
            panel: None,
        };
        Arc::new(Self {
            metrics: Metrics::new(&about),
            about,
            feeds,
            now: Box::new(now),
            state: Mutex::new(state),
            mirror: Mutex::default(),
            panel_seen: OnceLock::new(),
        })
    }

    /// These ports, with all that passes them seen. No call and no answer is changed.
    pub fn watch_over<T, E, L, C>(
        self: &Arc<Self>,
        ports: Ports<T, E, L, C>,
    ) -> Ports<Shown<T>, Shown<E>, Shown<L>, C> {
        let Ports { teleport, engine, ledger, clock } = ports;
        Ports {
            teleport: Arc::new(Shown::new(teleport, self)),
            engine: Arc::new(Shown::new(engine, self)),
            ledger: Arc::new(Shown::new(ledger, self)),
            clock,
        }
    }

    /// Follows the daemon's status until the daemon is gone.
    pub async fn follow(&self) {
        let mut status = self.feeds.status.clone();
        loop {
            let blind = status.borrow_and_update().as_ref().is_some_and(|status| status.blind.is_some());
            {
                let now = self.now();
                let mut state = self.state();
                state.turned = Instant::now();
                state.blind_since = blind.then_some(state.blind_since.unwrap_or(now));
            }
            if status.changed().await.is_err() {
                return;
            }
        }
    }

    /// What does not change.
    #[must_use]
    pub fn about(&self) -> &About {
        &self.about
    }

    /// From now on this says how the panel stands. To be called once.
    pub fn look_at_panel(&self, look: impl Fn() -> PanelSeen + Send + Sync + 'static) {
        if self.panel_seen.set(Box::new(look)).is_err() {
            tracing::warn!("Somebody looks at the panel already");
        }
    }

    /// How the panel stands, where anybody looks.
    #[must_use]
    pub fn panel_seen(&self) -> PanelSeen {
        self.panel_seen.get().map(|look| look()).unwrap_or_default()
    }

    /// The policies, in the order in which they are asked.
    #[must_use]
    pub fn panel(&self) -> Vec<Member> {
        self.state().panel.clone().unwrap_or_else(|| self.about.panel.clone())
    }

    /// The daemon's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Where the controller stands, and each change of it.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Option<Status>> {
        self.feeds.status.clone()
    }

    /// How the daemon stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let status = self.feeds.status.borrow().clone();
        let standby = self.feeds.stand.as_ref().and_then(|stand| match &*stand.borrow() {
            Stand::Standby(why) => Some(why.clone()),
            Stand::Leading | Stand::Alone => None,
        });
        let State { turned: _, blind_since, list_took, ledger_fault, last_alarm, panel: _ } = &*self.state();
        Standing {
            status,
            blind_since: *blind_since,
            list_took: *list_took,
            ledger_fault: ledger_fault.clone(),
            last_alarm: last_alarm.clone(),
            standby,
            stopping: self.feeds.stop.is_cancelled(),
        }
    }

    /// How long ago the daemon turned.
    #[must_use]
    pub fn turned_ago(&self) -> Duration {
        self.state().turned.elapsed()
    }

    /// Whether the daemon turned within [`LIVE_SECS_MAX`], or has not begun.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.turned_ago() <= Duration::from_secs(LIVE_SECS_MAX) || self.feeds.status.borrow().is_none()
    }

    /// What was counted and measured so far.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What is known of who holds what.
    #[must_use]
    pub fn holdings(&self) -> Arc<Holdings> {
        self.mirror().snapshot()
    }

    /// These policies are asked from now on.
    fn seated(&self, members: &[Member]) {
        self.state().panel = Some(members.to_vec());
    }

    /// The daemon turns, though its status says nothing.
    fn turned(&self) {
        self.state().turned = Instant::now();
    }

    /// The daemon is about to hear of this.
    fn sees(&self, event: &Event) {
        self.metrics.sees(event);
        self.mirror().take(event);
    }

    /// Another daemon leads: what this one knew grows old.
    fn stands_by(&self) {
        *self.mirror() = Mirror::default();
    }

    /// A full list begins.
    fn list_begins(&self) {
        self.mirror().list_begins();
    }

    /// So a full list came in; none: it failed.
    fn listed(&self, listing: Option<&Listing>) {
        self.mirror().listed(listing);
    }

    /// A full list ended; it took `took` by the daemon's clock, which readiness goes by, and `measured` in fact.
    fn list_ended(&self, took: Duration, measured: Duration, whole: bool) {
        if whole {
            self.state().list_took = took;
        }
        self.metrics.listed(measured, whole);
    }

    /// A record is durable, or why not.
    fn appended(&self, appended: &Result<(), String>) {
        self.metrics.appended(appended.is_ok());
        let now = self.now();
        let mut state = self.state();
        state.ledger_fault = match appended {
            Ok(()) => None,
            Err(why) => {
                let since = state.ledger_fault.take().map_or(now, |(since, _)| since);
                Some((since, why.clone()))
            }
        };
    }

    /// This is about to be written into the ledger.
    fn recorded(&self, record: &Record) {
        self.metrics.recorded(record);
        if let Record::Lifecycle { at, what: Lifecycle::Alarm, detail } = record {
            self.state().last_alarm = Some((*at, detail.clone()));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mirror(&self) -> MutexGuard<'_, Mirror> {
        self.mirror.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Signs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signs").field("about", &self.about).field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
