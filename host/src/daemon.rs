//! The daemon: one task owns the controller, feeds it events and carries its actions out through the ports. It decides
//! nothing, and knows neither gRPC nor Wasm.

mod fence;
pub mod lease;
pub mod log;
mod open;
mod panels;
pub mod recover;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tribunal_core::action::{Action, Event, Question, Reply, Ticket};
use tribunal_core::case::Fact;
use tribunal_core::failure::Failure;
use tribunal_core::record::{Lifecycle, Record};
use tribunal_core::{Controller, Settings, Status};
use tribunal_ports::{Clock, Engine, Ledger, Teleport};

use fence::Fence;
use open::Open;
use panels::Panels;

/// Events that wait for the controller; whoever has more waits in turn.
const EVENTS_MAX: usize = 1_024;
/// How often the loop shows that it turns, whether or not anything changes.
const PULSE: Duration = Duration::from_secs(5);
/// How long calls that are under way may take after a stop was asked for. Teleport's sample watcher promises an end
/// within 5 s.
const DRAIN_MAX: Duration = Duration::from_millis(4_000);
/// How long the last record may take.
const FAREWELL_MAX: Duration = Duration::from_millis(500);

/// The four seams, as the daemon holds them.
#[derive(Debug)]
pub struct Ports<T, E, L, C> {
    /// The cluster.
    pub teleport: Arc<T>,
    /// The panel.
    pub engine: Arc<E>,
    /// The record.
    pub ledger: Arc<L>,
    /// The time.
    pub clock: Arc<C>,
}

/// What people and their other systems tell a daemon that runs.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Each note of it releases the breaker, if it tripped.
    pub release: Arc<Notify>,
    /// What policies are shown beside requests, by name.
    pub facts: watch::Receiver<Arc<[Fact]>>,
}

/// A call panicked: its reply will never come, so that the daemon ends rather than go on with half of its state. The
/// next start settles what was under way.
#[derive(Debug, thiserror::Error)]
#[error("a call to the outside ended in a bug; please report it: {0}")]
pub struct Bug(tokio::task::JoinError);

/// Runs until `stop` is cancelled, then lets what is under way finish. `status` shows how it stands. It heeds no other
/// daemon; [`lease::run`] does.
///
/// # Errors
/// [`Bug`] if a call panicked.
pub async fn run<T, E, L, C>(
    ports: Ports<T, E, L, C>,
    settings: Settings,
    status: watch::Sender<Option<Status>>,
    operator: Operator,
    stop: CancellationToken,
) -> Result<(), Bug>
where
    T: Teleport,
    E: Engine,
    L: Ledger,
    C: Clock,
{
    note(&ports, Lifecycle::Started, &about(&settings));
    let mut open = Open::new(settings.tripped.clone());
    let _finished = act(&ports, settings, Fence::alone(), &mut open, &status, &operator, &stop).await?;
    farewell(&ports).await;
    Ok(())
}

/// Acts until `stop` is cancelled, beginning with a list of everything, and lets what is under way finish; whether it
/// did. Dropped, it takes all that is under way with it. `open` follows what is recorded.
async fn act<T, E, L, C>(
    ports: &Ports<T, E, L, C>,
    settings: Settings,
    fence: Fence,
    open: &mut Open,
    status: &watch::Sender<Option<Status>>,
    operator: &Operator,
    stop: &CancellationToken,
) -> Result<bool, Bug>
where
    T: Teleport,
    E: Engine,
    L: Ledger,
    C: Clock,
{
    let (events, incoming) = mpsc::channel(EVENTS_MAX);
    let follow = {
        let (teleport, events) = (Arc::clone(&ports.teleport), events.clone());
        AbortOnDropHandle::new(tokio::spawn(async move { teleport.watch(events).await }))
    };
    let (panels, panel) = Panels::begin(&ports.engine);
    let panel = panel.unwrap_or(settings.panel);
    let settings = Settings { tripped: open.tripped().map(str::to_owned), panel, ..settings };
    let operator = operator.clone();
    let mut daemon = Loop { ports, events, fence, open, operator, panels, tasks: JoinSet::new() };
    let controller = Controller::new(settings);
    let turned = daemon.turn(controller, incoming, status, stop).await;
    drop(follow);
    Ok(daemon.drain(turned?).await)
}

async fn farewell<T, E, L: Ledger, C: Clock>(ports: &Ports<T, E, L, C>) {
    let at = ports.clock.now();
    let record = Record::Lifecycle { at, what: Lifecycle::Stopped, detail: String::new() };
    log::record(&record);
    match tokio::time::timeout(FAREWELL_MAX, ports.ledger.append(record)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "The stop could not be recorded"),
        Err(_elapsed) => tracing::warn!("The stop could not be recorded in time"),
    }
}

/// What is said of a daemon when it starts.
fn about(settings: &Settings) -> String {
    let Settings { cluster, own_user, instance, dry_run, .. } = settings;
    let rehearsed = if *dry_run { "; dry run" } else { "" };
    format!("version {}; {own_user} of {cluster}; decisions {instance}-…{rehearsed}", env!("CARGO_PKG_VERSION"))
}

/// Puts into the ledger what happens to the daemon itself.
fn note<T, E, L: Ledger, C: Clock>(ports: &Ports<T, E, L, C>, what: Lifecycle, detail: &str) {
    let record = Record::Lifecycle { at: ports.clock.now(), what, detail: detail.to_owned() };
    log::record(&record);
    tokio::spawn(durable(ports.ledger.append(record)));
}

/// Waits for a record that nothing else waits for.
async fn durable(append: impl Future<Output = Result<(), String>>) {
    if let Err(error) = append.await {
        tracing::error!(%error, "The ledger cannot be written; nothing new is enforced until it can");
    }
}

/// What one run of the daemon works with.
struct Loop<'a, T, E, L, C> {
    ports: &'a Ports<T, E, L, C>,
    events: mpsc::Sender<Event>,
    /// What changes the cluster passes it.
    fence: Fence,
    open: &'a mut Open,
    operator: Operator,
    /// Who is asked.
    panels: Panels<E>,
    /// Calls under way; each ends by sending its reply, or with outcomes of steps that nothing was heard of.
    tasks: JoinSet<Vec<Record>>,
}

// === impl Operator ===

impl Default for Operator {
    /// Nobody tells it anything.
    fn default() -> Self {
        Self { release: Arc::default(), facts: watch::channel(Arc::default()).1 }
    }
}

// === impl Loop ===

impl<T: Teleport, E: Engine, L: Ledger, C: Clock> Loop<'_, T, E, L, C> {
    /// Feeds the controller until a stop is asked for; gives the controller back with what is still to come.
    async fn turn(
        &mut self,
        mut controller: Controller,
        mut incoming: mpsc::Receiver<Event>,
        status: &watch::Sender<Option<Status>>,
        stop: &CancellationToken,
    ) -> Result<(Controller, mpsc::Receiver<Event>), Bug> {
        // INVARIANT: nothing is judged without them.
        let mut event = Event::Facts(self.operator.facts.borrow_and_update().clone());
        let mut pulse = tokio::time::interval(PULSE);
        loop {
            for action in controller.handle(self.ports.clock.now(), event) {
                self.carry_out(action);
            }
            let now = self.ports.clock.now();
            let stands = Some(controller.status(now));
            let tripped = stands.as_ref().is_some_and(|stands| stands.tripped.is_some());
            status.send_if_modified(|shown| {
                let changed = *shown != stands;
                shown.clone_from(&stands);
                changed
            });
            let clock = Arc::clone(&self.ports.clock);
            let wake_at = controller.poll_timeout();
            let timeout = async {
                match wake_at {
                    Some(at) => clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::pin!(timeout);
            let panel = self.panels.newest();
            event = loop {
                tokio::select! {
                    biased;
                    () = stop.cancelled() => return Ok((controller, incoming)),
                    () = self.operator.release.notified() => {
                        if tripped {
                            break Event::BreakerReleased;
                        }
                        log::nothing_to_release();
                    }
                    // Whoever listens sees that the loop turns.
                    _at = pulse.tick() => {
                        self.look_up_overdue();
                        status.send_modify(|_same| ());
                    }
                    Ok(()) = self.operator.facts.changed() => {
                        break Event::Facts(self.operator.facts.borrow_and_update().clone());
                    }
                    () = panel.replaced() => break self.panels.replace(&self.ports.engine),
                    Some(event) = incoming.recv() => break event,
                    Some(ended) = self.tasks.join_next() => self.take_outcomes(ended.map_err(Bug)?),
                    () = &mut timeout => break Event::Tick,
                }
            };
        }
    }

    /// Lets calls that are under way finish and records what became of them; begins nothing new. Whether they did.
    async fn drain(&mut self, (mut controller, mut incoming): (Controller, mpsc::Receiver<Event>)) -> bool {
        let finished = async {
            while !self.tasks.is_empty() {
                tokio::select! {
                    Some(event) = incoming.recv() => {
                        for action in controller.handle(self.ports.clock.now(), event) {
                            match action {
                                Action::Record { ticket: None, record } => self.record(*record),
                                Action::Record { ticket: Some(_), .. }
                                | Action::List
                                | Action::Ask { .. }
                                | Action::ReadSubject { .. }
                                | Action::Reread { .. }
                                | Action::WriteLock { .. }
                                | Action::DeleteLock { .. }
                                | Action::Resolve { .. } => {}
                            }
                        }
                    }
                    _ended = self.tasks.join_next() => {}
                }
            }
        };
        let in_time = tokio::time::timeout(DRAIN_MAX, finished).await.is_ok();
        if !in_time {
            tracing::warn!("Calls to Teleport did not end in time; the next start settles them");
        }
        in_time
    }

    /// Puts a record into the ledger that nothing waits for.
    fn record(&mut self, record: Record) {
        log::record(&record);
        self.open.follow(&record);
        let durable = durable(self.ports.ledger.append(record));
        self.spawn(durable);
    }

    fn spawn(&mut self, call: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(async move {
            call.await;
            Vec::new()
        });
    }

    /// Reads what became of steps whose replies were lost, so that the ledger need not wait for the next start.
    fn look_up_overdue(&mut self) {
        let overdue = self.open.overdue(self.ports.clock.now());
        if !overdue.is_empty() {
            let (teleport, clock) = (Arc::clone(&self.ports.teleport), Arc::clone(&self.ports.clock));
            self.tasks.spawn(async move { recover::look_up(teleport.as_ref(), clock.as_ref(), overdue).await });
        }
    }

    /// Records outcomes that were looked up, unless something was heard of the step after all.
    fn take_outcomes(&mut self, records: Vec<Record>) {
        for record in records {
            let known = matches!(&record, Record::Outcome(outcome) if !self.open.has(&outcome.decision, &outcome.step));
            if !known {
                self.record(record);
            }
        }
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::List => {
                let (teleport, events) = (Arc::clone(&self.ports.teleport), self.events.clone());
                self.spawn(async move {
                    let listed = teleport.list().await;
                    send(&events, Event::Listed(listed)).await;
                });
            }
            Action::Ask { ticket, generation, policy, question, case } => {
                let panel = self.panels.of(generation);
                self.reply(ticket, async move {
                    match question {
                        Question::Review(request) => Reply::Opinion(match panel {
                            Ok(panel) => panel.review(policy, request, case).await,
                            Err(gone) => Err(gone),
                        }),
                        Question::Enforce => Reply::Orders(match panel {
                            Ok(panel) => panel.enforce(policy, case).await,
                            Err(gone) => Err(gone),
                        }),
                    }
                });
            }
            Action::ReadSubject { ticket, user, resources } => {
                let teleport = Arc::clone(&self.ports.teleport);
                self.reply(ticket, async move { Reply::Subject(teleport.background(user, resources).await) });
            }
            Action::Record { ticket: None, record } => self.record(*record),
            Action::Record { ticket: Some(ticket), record } => {
                log::record(&record);
                self.open.follow(&record);
                let durable = self.ports.ledger.append(*record);
                self.reply(ticket, async move { Reply::Recorded(durable.await) });
            }
            Action::Reread { ticket, requests, locks } => {
                let teleport = Arc::clone(&self.ports.teleport);
                self.reply(ticket, async move { Reply::Reread(teleport.reread(requests, locks).await) });
            }
            Action::WriteLock { ticket, lock } => {
                let teleport = Arc::clone(&self.ports.teleport);
                self.write(ticket, async move { teleport.write_lock(*lock).await });
            }
            Action::DeleteLock { ticket, name } => {
                let teleport = Arc::clone(&self.ports.teleport);
                self.write(ticket, async move { teleport.delete_lock(name).await });
            }
            Action::Resolve { ticket, resolution } => {
                let teleport = Arc::clone(&self.ports.teleport);
                self.write(ticket, async move { teleport.resolve(*resolution).await });
            }
        }
    }

    /// INVARIANT: whatever changes the cluster goes this way, past the fence.
    fn write(&mut self, ticket: Ticket, call: impl Future<Output = Result<(), Failure>> + Send + 'static) {
        let (fence, clock) = (self.fence.clone(), Arc::clone(&self.ports.clock));
        self.reply(ticket, async move { Reply::Written(fence.pass(clock.as_ref(), call).await) });
    }

    fn reply(&mut self, ticket: Ticket, call: impl Future<Output = Reply> + Send + 'static) {
        let events = self.events.clone();
        self.spawn(async move {
            let reply = call.await;
            send(&events, Event::Done(ticket, reply)).await;
        });
    }
}

/// The loop may be gone already when a reply comes in; then nobody needs it.
async fn send(events: &mpsc::Sender<Event>, event: Event) {
    if events.send(event).await.is_err() {
        tracing::trace!("A reply came after the end");
    }
}
