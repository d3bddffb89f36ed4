//! Of several daemons for one cluster, one at a time acts: whoever holds the lease. The others stand by. It must never
//! let anything leave when another may hold it.
//!
//! A lease ends after [`TERM`], by the server's clock, unless it is kept, every third of that. Its holder stops
//! [`MARGIN`] before its end. So a lease that ended, or was given back, is free to use at once. One that a person deleted
//! is not: its holder does not know yet. Whoever takes it then holds off until the holder's own end is past.

use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tribunal_core::record::Lifecycle;
use tribunal_core::{Settings, Status, Timestamp};
use tribunal_ports::{Before, Clock, Engine, Kept, Lease, LeaseWish, Ledger, Taken, Teleport};

pub use super::fence::MARGIN;

use super::fence::Fence;
use super::open::Open;
use super::{Bug, Operator, Ports, about, act, farewell, note, recover};

/// How long a lease lasts that is not kept.
pub const TERM: Duration = Duration::from_secs(60);
/// How long after it was kept it is kept again, give or take a tenth.
const RENEW_AFTER: Duration = Duration::from_secs(20);
/// The pause after a call about it that failed.
const RETRY_PAUSE: Duration = Duration::from_secs(1);
/// The pause between two tries to take it.
const STANDBY_PAUSE: Duration = Duration::from_secs(5);
/// The same where a person has to act first.
const UNABLE_PAUSE: Duration = Duration::from_secs(30);
/// Why a lease is lost of which nothing else is known.
const NOT_IN_TIME: &str = "it was not kept in time";
/// How long giving it back may take.
const RELEASE_MAX: Duration = Duration::from_millis(300);

/// Whether a daemon heeds others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Where it may: without the right to leases it acts alone.
    Auto,
    /// Without the right to leases it does nothing.
    Required,
    /// It heeds nobody.
    Off,
}

/// Which lease, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Whether others are heeded.
    pub mode: Mode,
    /// The lease's name: the same for all daemons that must not act at once.
    pub name: String,
    /// Who we are; no other daemon that can run at the same time has the same.
    pub holder: String,
}

/// How a daemon stands to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It does nothing, for this reason.
    Standby(String),
    /// It holds the lease, and acts.
    Leading,
    /// It acts, and heeds nobody.
    Alone,
}

/// Runs as [`super::run`] does, but acts only while it holds the lease. `stand` shows whether it does; `status` says the
/// same of a standby by what it is blind for. A note that releases the breaker is kept until it acts.
///
/// # Errors
/// [`Bug`] if a call panicked.
pub async fn run<T, E, L, C>(
    ports: Ports<T, E, L, C>,
    settings: Settings,
    terms: Terms,
    status: watch::Sender<Option<Status>>,
    stand: watch::Sender<Stand>,
    operator: Operator,
    stop: CancellationToken,
) -> Result<(), Bug>
where
    T: Teleport,
    E: Engine,
    L: Ledger,
    C: Clock,
{
    if terms.mode == Mode::Off {
        stand.send_replace(Stand::Alone);
        return super::run(ports, settings, status, operator, stop).await;
    }
    note(&ports, Lifecycle::Started, &about(&settings));
    let mut keeper = Keeper::new(&ports, &terms, &status, &stand);
    let mut open = Open::new(settings.tripped.clone());
    let mut turns: u32 = 0;
    loop {
        let found = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            found = keeper.seek() => found,
        };
        let Found::Lease { lease, hold_off } = found else {
            stand.send_replace(Stand::Alone);
            let _finished = act(&ports, settings, Fence::alone(), &mut open, &status, &operator, &stop).await?;
            break;
        };
        turns = turns.saturating_add(1);
        let settings = Settings { instance: instance(&settings.instance, turns), ..settings.clone() };
        let ends = watch::Sender::new(lease.until);
        let lead = async {
            if let Some(until) = hold_off {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok(false),
                    () = sleep_until(ports.clock.as_ref(), until) => {}
                }
            }
            stand.send_replace(Stand::Leading);
            // Whoever listens sees that it turns, though it says nothing new yet.
            status.send_modify(|_same| ());
            note(&ports, Lifecycle::Leading, &terms.name);
            let closed = tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(true),
                closed = recover::close(&ports, open.take_steps()) => closed,
            };
            if let Err(error) = closed {
                tracing::warn!(%error, "What was left open could not be looked up; the next start tries again");
            }
            act(&ports, settings, Fence::by(ends.subscribe()), &mut open, &status, &operator, &stop).await
        };
        let why = tokio::select! {
            biased;
            why = keeper.keep(&lease, &ends) => why,
            led = lead => {
                // What is still on its way must have ended before another leads: such a lease, and one that was never
                // used, ends by itself.
                if led? {
                    let until = *ends.borrow();
                    give_back(&ports, Lease { until, ..lease }).await;
                }
                break;
            }
        };
        keeper.stand_by(&format!("the lease was lost: {why}"));
    }
    farewell(&ports).await;
    Ok(())
}

/// Ids of decisions begin with it, so that each turn needs its own.
fn instance(first: &str, turn: u32) -> String {
    if turn == 1 { first.to_owned() } else { format!("{first}.{turn}") }
}

async fn give_back<T: Teleport, E, L, C>(ports: &Ports<T, E, L, C>, lease: Lease) {
    match tokio::time::timeout(RELEASE_MAX, ports.teleport.release_lease(lease)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "The lease could not be given back; it ends by itself"),
        Err(_elapsed) => tracing::warn!("The lease could not be given back in time; it ends by itself"),
    }
}

/// Takes the lease and keeps it.
struct Keeper<'a, T, E, L, C> {
    ports: &'a Ports<T, E, L, C>,
    terms: &'a Terms,
    status: &'a watch::Sender<Option<Status>>,
    stand: &'a watch::Sender<Stand>,
    /// The ledger was told that this daemon stands by, and since then nothing else.
    told: bool,
    /// The last alarm that the ledger was told of.
    alarmed: Option<String>,
    /// There are leases here: others may heed them, whatever becomes of our right to them.
    works: bool,
    /// When the newest lease of another that was seen ends at the earliest.
    theirs_end: Option<Timestamp>,
}

/// What came of seeking the lease.
#[derive(Debug)]
enum Found {
    /// It is ours.
    Lease {
        lease: Lease,
        /// It is not to be used before, for a holder who may not know yet that it is gone.
        hold_off: Option<Timestamp>,
    },
    /// There are no leases for us.
    Alone,
}

// === impl Keeper ===

impl<'a, T: Teleport, E, L: Ledger, C: Clock> Keeper<'a, T, E, L, C> {
    fn new(
        ports: &'a Ports<T, E, L, C>,
        terms: &'a Terms,
        status: &'a watch::Sender<Option<Status>>,
        stand: &'a watch::Sender<Stand>,
    ) -> Self {
        Self { ports, terms, status, stand, told: false, alarmed: None, works: false, theirs_end: None }
    }

    /// Ends when the lease is ours, or when there is none to be had.
    async fn seek(&mut self) -> Found {
        loop {
            let Terms { mode, name, holder } = self.terms;
            let until = self.now().after(TERM);
            let wish = LeaseWish { name: name.clone(), holder: holder.clone(), until };
            let pause = match self.ports.teleport.take_lease(wish).await {
                Ok(Taken::Ours { lease, before }) => {
                    (self.works, self.told) = (true, false);
                    let hold_off = self.hold_off(before);
                    if hold_off.is_some() {
                        self.show("takes over; until whoever led before has stopped for certain, nothing is done");
                    }
                    return Found::Lease { lease, hold_off };
                }
                Ok(Taken::Theirs { holder, until }) => {
                    self.works = true;
                    self.theirs_end = Some(until.unwrap_or_else(|| self.now().after(TERM)));
                    let holder = holder.map_or_else(|| "another daemon".to_owned(), |holder| format!("`{holder}`"));
                    self.stand_by(&format!("{holder} leads"));
                    STANDBY_PAUSE
                }
                Ok(Taken::Unable(why)) if *mode == Mode::Auto && !self.works => {
                    tracing::warn!(%why, "Acts alone; nothing keeps a second daemon from acting as well");
                    return Found::Alone;
                }
                Ok(Taken::Unable(why)) => {
                    self.stand_by(&why);
                    self.alarm(format!("nothing is done without the lease: {why}"));
                    UNABLE_PAUSE
                }
                Err(failure) => {
                    self.stand_by(&format!("who leads could not be asked: {failure}"));
                    RETRY_PAUSE
                }
            };
            self.sleep_until(self.now().after(jittered(pause))).await;
        }
    }

    /// Until when a lease that was just taken is not to be used. Whoever held it before kept it at the latest now.
    fn hold_off(&self, before: Before) -> Option<Timestamp> {
        match before {
            Before::Over => None,
            Before::Nothing | Before::Unseen => {
                let now = self.now();
                self.theirs_end.filter(|end| now < *end).map(|_| now.after(TERM).before(MARGIN))
            }
        }
    }

    /// Keeps the lease, and tells its end each time; ends when it is lost, or may be, and says why.
    async fn keep(&self, lease: &Lease, ends: &watch::Sender<Timestamp>) -> String {
        let mut next = self.now().after(jittered(RENEW_AFTER));
        let mut trouble = NOT_IN_TIME.to_owned();
        loop {
            let safe = ends.borrow().before(MARGIN);
            self.sleep_until(next.min(safe)).await;
            let now = self.now();
            if now >= safe {
                return trouble;
            }
            let until = now.after(TERM);
            let kept = tokio::select! {
                biased;
                kept = self.ports.teleport.keep_lease(Lease { until, ..lease.clone() }) => kept,
                () = self.sleep_until(safe) => return trouble,
            };
            next = match kept {
                Ok(Kept::Held) => {
                    ends.send_replace(until);
                    NOT_IN_TIME.clone_into(&mut trouble);
                    self.now().after(jittered(RENEW_AFTER))
                }
                Ok(Kept::Gone(why)) => return why,
                Err(failure) => {
                    // It is tried every second; people need the reason once.
                    if failure.detail != trouble {
                        tracing::warn!(error = %failure, "The lease could not be kept; tried anew");
                    }
                    trouble = failure.detail;
                    self.now().after(jittered(RETRY_PAUSE))
                }
            };
        }
    }

    /// Says that nothing is done now, and why; in the ledger once.
    fn stand_by(&mut self, why: &str) {
        self.show(why);
        if !std::mem::replace(&mut self.told, true) {
            note(self.ports, Lifecycle::StandbyBegan, why);
        }
    }

    fn show(&self, why: &str) {
        let stand = Stand::Standby(why.to_owned());
        let changed = self.stand.send_if_modified(|shown| {
            let changed = *shown != stand;
            shown.clone_from(&stand);
            changed
        });
        if changed {
            tracing::info!(why, "Standby");
            let blind = Some(format!("standby: {why}"));
            let status = Status { blind, tripped: None, last_full_list: None, in_flight: 0, waiting: 0, retrying: 0 };
            self.status.send_replace(Some(status));
        }
    }

    /// Calls a person, once for the same matter.
    fn alarm(&mut self, what: String) {
        if self.alarmed.as_ref() != Some(&what) {
            note(self.ports, Lifecycle::Alarm, &what);
            self.alarmed = Some(what);
        }
    }

    fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        sleep_until(self.ports.clock.as_ref(), at).await;
    }
}

// === impl Stand ===

impl Default for Stand {
    fn default() -> Self {
        Self::Standby("it has just started".to_owned())
    }
}

/// Ends when it is `at` for certain: a clock may wake earlier.
async fn sleep_until(clock: &impl Clock, at: Timestamp) {
    while clock.now() < at {
        clock.sleep_until(at).await;
    }
}

/// A tenth less to a tenth more, so that daemons do not ask at the same moments.
fn jittered(pause: Duration) -> Duration {
    let random = getrandom::u32().unwrap_or(u32::MAX / 2);
    pause.mul_f64(0.9 + 0.2 * f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
