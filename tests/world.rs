//! A world to test in: the simulated Auth server and the daemon in one process, with mTLS between them, the real panel
//! and a real ledger. It must never reach around the protocol on the daemon's behalf.

pub(crate) mod clock;
pub(crate) mod gate;
pub(crate) mod health;
pub(crate) mod observer;
pub(crate) mod panel;
pub(crate) mod people;
pub(crate) mod rival;
pub(crate) mod way;
pub(crate) mod witness;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tribunal::config;
use tribunal::daemon::{self, Bug, Operator, Ports};
use tribunal::facts::{Facts, LOOK_EVERY};
use tribunal::health::Outlook;
use tribunal_core::action::ResolveWith;
use tribunal_core::case::Fact;
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::record::{Decided, Lifecycle};
use tribunal_core::request::UserName;
use tribunal_core::scope::{Exemption, Scope};
use tribunal_core::{RoundLimits, Settings, Status, Timestamp};
use tribunal_engine::Panel;
use tribunal_ledger::Ledger;
use tribunal_ledger::schema::Line;
use tribunal_ports::Clock as _;
use tribunal_sim::cluster::Cluster;
use tribunal_sim::scenario::ReviewDef;
use tribunal_sim::{Handle, Moment, Running, Scenario, SimServer, default_scenario};
use tribunal_teleport::{Client, Held, Limits, Target};

use self::clock::WorldClock;
use self::gate::{Gate, Gated};
use self::observer::Rules;
use self::panel::{Panels, Seat};
use self::way::{Entrance, Way};
use self::witness::{Witness, Witnessed};

/// How long anything may take that is waited for. Generous: what it bounds is a failing test, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often a real-time world is polled.
const POLL_REAL: Duration = Duration::from_millis(250);
/// How often a world with a manual clock is polled: as in production.
pub(crate) const POLL: Duration = Duration::from_secs(30);

/// What a world is like before its first moment.
pub(crate) struct Setup {
    scenario: Scenario,
    clock: WorldClock,
    panels: Panels,
    human_approved: HumanApproved,
    release: Release,
    resolve_with: ResolveWith,
    dry_run: bool,
    round: RoundLimits,
    scope: Scope,
    exemptions: Vec<Exemption>,
    /// Names, and how old they may be.
    facts: Vec<(String, Duration)>,
    way: Way,
}

/// The server, the files, and a daemon that comes and goes.
pub(crate) struct World {
    setup: Setup,
    sim: Running,
    entrance: Entrance,
    clock: Arc<WorldClock>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) witness: Arc<Witness>,
    files: TempDir,
    daemon: Option<Daemon>,
    /// How the newest daemon stands, for those outside.
    outlook: Option<Outlook>,
    /// Counts runs, so that decision ids differ.
    runs: u32,
}

struct Daemon {
    status: watch::Receiver<Option<Status>>,
    release: Arc<Notify>,
    stop: CancellationToken,
    /// What the daemon was told last of facts.
    facts: watch::Receiver<Arc<[Fact]>>,
    _follow: AbortOnDropHandle<()>,
    task: JoinHandle<Result<(), Bug>>,
    /// Follows the identity file, as `tribunal run` does.
    _renewal: AbortOnDropHandle<()>,
    /// What counts of it now.
    held: watch::Receiver<Held>,
}

// === impl Setup ===

impl Setup {
    /// The cast of `tribunal dev`, the default panel, and a clock that a test moves.
    pub(crate) fn new() -> Self {
        Self {
            scenario: default_scenario().unwrap(),
            clock: WorldClock::manual(Duration::ZERO),
            panels: Panels::default(),
            human_approved: HumanApproved::Exempt,
            release: Release::WhenClear,
            resolve_with: ResolveWith::State,
            dry_run: false,
            round: RoundLimits::default(),
            scope: Scope::default(),
            exemptions: Vec::new(),
            facts: Vec::new(),
            way: Way::Auth,
        }
    }

    /// The daemon reaches the server by `way`.
    pub(crate) fn by(self, way: Way) -> Self {
        Self { way, ..self }
    }

    /// The same in real time, polled often: for failures and the pauses after them.
    pub(crate) fn in_real_time(self) -> Self {
        Self { clock: WorldClock::real(), ..self }
    }

    /// The daemon's clock is wrong.
    pub(crate) fn daemon_ahead(self, by: Duration) -> Self {
        Self { clock: WorldClock::manual(by), ..self }
    }

    pub(crate) fn scenario(mut self, change: impl FnOnce(&mut Scenario)) -> Self {
        change(&mut self.scenario);
        self
    }

    /// More tables for the scenario file.
    pub(crate) fn scenario_toml(self, more: &str) -> Self {
        let text = format!("{}\n{more}", tribunal_sim::DEFAULT_SCENARIO);
        Self { scenario: Scenario::parse(&text).unwrap(), ..self }
    }

    /// Settings of `cap`, as JSON; none: it is not in the panel.
    pub(crate) fn cap(mut self, settings: Option<&str>) -> Self {
        self.panels.cap = settings.map(str::to_owned);
        self
    }

    /// Settings of `separation`, as JSON; none: it is not in the panel.
    pub(crate) fn separation(mut self, settings: Option<&str>) -> Self {
        self.panels.separation = settings.map(str::to_owned);
        self
    }

    /// A policy of a test's own, asked before those that ship with the host.
    pub(crate) fn guest(mut self, seat: Seat) -> Self {
        self.panels.guests.push(seat);
        self
    }

    pub(crate) fn enforced_on_people(self) -> Self {
        Self { human_approved: HumanApproved::Enforce, ..self }
    }

    pub(crate) fn never_releasing(self) -> Self {
        Self { release: Release::Never, ..self }
    }

    pub(crate) fn dry_run(self) -> Self {
        Self { dry_run: true, ..self }
    }

    /// The daemon resolves by review, with a role that may do so and cannot set states.
    pub(crate) fn reviewing(mut self) -> Self {
        self.scenario.bot.review_requests = Some(ReviewDef { roles: vec!["*".to_owned()], ..ReviewDef::default() });
        for rule in &mut self.scenario.bot.rules {
            if rule.resources == ["access_request"] {
                rule.verbs.retain(|verb| verb != "update");
            }
        }
        Self { resolve_with: ResolveWith::Review, ..self }
    }

    /// What one round may do before the breaker trips.
    pub(crate) fn round(self, round: RoundLimits) -> Self {
        Self { round, ..self }
    }

    pub(crate) fn scope(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Policies are shown what is in [`World::fact_file`], fresh for so long.
    pub(crate) fn fact(mut self, name: &str, max_age: Duration) -> Self {
        self.facts.push((name.to_owned(), max_age));
        self
    }

    pub(crate) fn exempting(mut self, exemption: Exemption) -> Self {
        self.exemptions.push(exemption);
        self
    }

    /// The server only.
    pub(crate) async fn without_daemon(mut self) -> World {
        let files = tempfile::tempdir().unwrap();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let clock = std::mem::replace(&mut self.clock, WorldClock::real());
        let sim = SimServer::start(self.scenario.clone(), listen, Some(files.path().join("identities")), clock.sim());
        let sim = sim.await.unwrap();
        let entrance = Entrance::open(self.way, &sim, files.path()).await;
        World {
            setup: self,
            sim,
            entrance,
            clock: Arc::new(clock),
            gate: Arc::new(Gate::new()),
            witness: Arc::default(),
            files,
            daemon: None,
            outlook: None,
            runs: 0,
        }
    }

    /// Server and daemon; the daemon has seen everything.
    pub(crate) async fn start(self) -> World {
        let mut world = self.without_daemon().await;
        world.start_daemon().await;
        world.until_seeing().await;
        world
    }
}

// === impl World ===

impl World {
    pub(crate) fn server(&self) -> &Handle {
        self.sim.handle()
    }

    pub(crate) fn ledger_dir(&self) -> PathBuf {
        self.files.path().join("ledger")
    }

    pub(crate) fn identity_file(&self) -> PathBuf {
        self.sim.identity_path(&self.bot()).unwrap()
    }

    /// The daemon's user.
    pub(crate) fn bot(&self) -> String {
        self.sim.scenario().bot_user()
    }

    pub(crate) fn sim(&self) -> &Running {
        &self.sim
    }

    pub(crate) fn entrance(&self) -> &Entrance {
        &self.entrance
    }

    pub(crate) fn clock(&self) -> &WorldClock {
        &self.clock
    }

    /// The same for whoever outlives a borrow.
    pub(crate) fn shared_clock(&self) -> Arc<WorldClock> {
        Arc::clone(&self.clock)
    }

    /// Moves the time of server and daemon.
    pub(crate) fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// From the next start on this policy belongs to the panel.
    pub(crate) fn add_guest(&mut self, seat: Seat) {
        self.setup.panels.guests.push(seat);
    }

    /// From the next start on the daemon is set up like this.
    pub(crate) fn reconfigure(&mut self, change: impl FnOnce(Setup) -> Setup) {
        let setup = std::mem::replace(&mut self.setup, Setup::new());
        self.setup = change(setup);
    }

    /// An operator releases the breaker.
    pub(crate) fn release_breaker(&self) {
        self.daemon.as_ref().expect("a daemon").release.notify_one();
    }

    /// Starts a daemon on the same ledger as those before it.
    pub(crate) async fn start_daemon(&mut self) {
        assert!(self.daemon.is_none(), "one daemon at a time");
        self.runs += 1;
        let clock = Arc::clone(&self.clock);
        let client = self.client().await.with_clock(move || clock.now());
        let panel = panel::load(&self.setup.panels).await;
        let (ledger, recovery) = Ledger::open(&self.ledger_dir()).unwrap();
        assert_eq!(recovery.torn, None);
        let settings = self.settings(&client, &panel, &format!("run{}", self.runs)).await;
        let settings = Settings { tripped: recovery.tripped.clone(), ..settings };
        let teleport = Arc::new(Gated { client, gate: Arc::clone(&self.gate) });
        let held = teleport.client.identity_file().subscribe();
        let renewal = {
            let (teleport, clock) = (Arc::clone(&teleport), Arc::clone(&self.clock));
            tokio::spawn(async move { teleport.client.follow_identity(clock.as_ref()).await })
        };
        let ports = Ports {
            teleport,
            engine: panel,
            ledger: Arc::new(Witnessed { ledger, witness: Arc::clone(&self.witness), handle: self.server().clone() }),
            clock: Arc::clone(&self.clock),
        };
        let (release, stop) = (Arc::<Notify>::default(), CancellationToken::new());
        let (tell, status) = watch::channel(None);
        let (facts, follow) = self.facts();
        let (ports, outlook) = health::watched(ports, &settings, status.clone(), facts.clone(), stop.clone());
        self.outlook = Some(outlook);
        let open = recovery.open.into_iter().map(|intent| (intent.decided.id, intent.steps)).collect();
        // What cannot be looked up now stays open for the next start.
        let _closed = daemon::recover::close(&ports, open).await;
        let operator = Operator { release: Arc::clone(&release), facts: facts.clone() };
        let task = tokio::spawn(daemon::run(ports, settings, tell, operator, stop.clone()));
        let _renewal = AbortOnDropHandle::new(renewal);
        self.daemon = Some(Daemon { status, release, stop, facts, _follow: follow, task, _renewal, held });
    }

    /// The file of a fact.
    pub(crate) fn fact_file(&self, name: &str) -> PathBuf {
        self.files.path().join(format!("{name}.json"))
    }

    /// Looks at the files of facts until the daemon is told something that is `wanted`.
    pub(crate) async fn until_facts(&self, wanted: impl Fn(&[Fact]) -> bool) {
        let mut facts = self.daemon.as_ref().expect("a daemon").facts.clone();
        within("the daemon is told of facts", async {
            while !wanted(&facts.borrow_and_update()) {
                self.advance(LOOK_EVERY);
                // The time between two looks is up to the machine.
                let _changed = tokio::time::timeout(Duration::from_millis(20), facts.changed()).await;
            }
        })
        .await;
    }

    /// The facts, as `tribunal run` reads them.
    fn facts(&self) -> (watch::Receiver<Arc<[Fact]>>, AbortOnDropHandle<()>) {
        let of = |(name, max_age): &(String, Duration)| config::Fact {
            name: name.clone(),
            file: self.fact_file(name),
            max_age: *max_age,
        };
        let mut files = Facts::new(&self.setup.facts.iter().map(of).collect::<Vec<_>>());
        let (tell, facts) = watch::channel(files.look(self.clock.now()));
        let clock = Arc::clone(&self.clock);
        let follow = tokio::spawn(async move { files.follow(clock.as_ref(), &tell).await });
        (facts, AbortOnDropHandle::new(follow))
    }

    /// What a daemon is told whose decision ids begin with `run`.
    async fn settings(&self, client: &Client, panel: &Panel, run: &str) -> Settings {
        Settings {
            cluster: client.ping().await.unwrap().name,
            own_user: UserName::new(client.identity().user()),
            instance: run.to_owned(),
            panel: panel.members().into(),
            poll_interval: if self.clock.is_manual() { POLL } else { POLL_REAL },
            protected_roles: ["editor", "auditor"].map(str::to_owned).into(),
            human_approved: self.setup.human_approved,
            release: self.setup.release,
            resolve_with: self.setup.resolve_with,
            dry_run: self.setup.dry_run,
            subjects_in_flight_max: 16,
            round: self.setup.round,
            tripped: None,
            scope: self.setup.scope.clone(),
            exemptions: self.setup.exemptions.clone(),
        }
    }

    /// What the daemon knows of its identity, and each change of it.
    pub(crate) fn held(&self) -> watch::Receiver<Held> {
        self.daemon.as_ref().expect("a daemon").held.clone()
    }

    /// A client as the daemon has one.
    pub(crate) async fn client(&self) -> Client {
        let target = Target {
            address: self.entrance.address(),
            identity_file: self.identity_file(),
            dial_timeout: PATIENCE,
            reach: self.entrance.reach(),
        };
        let limits = Limits {
            watch_pause_min: Duration::from_millis(20),
            watch_pause_max: Duration::from_millis(200),
            ..Limits::default()
        };
        Client::new(target, limits).await.unwrap()
    }

    /// Asks the daemon to stop, and waits for it; how long it took.
    pub(crate) async fn stop_daemon(&mut self) -> Duration {
        let daemon = self.daemon.take().expect("a daemon to stop");
        let begun = tokio::time::Instant::now();
        daemon.stop.cancel();
        within("the daemon stops", daemon.task).await.unwrap().unwrap();
        begun.elapsed()
    }

    /// Takes the daemon away in the middle of whatever it does, as SIGKILL would. Calls that are on their way may still
    /// arrive.
    pub(crate) async fn kill_daemon(&mut self) {
        let daemon = self.daemon.take().expect("a daemon to kill");
        daemon.task.abort();
        let ended = within("the daemon is gone", daemon.task).await;
        assert!(ended.is_err_and(|error| error.is_cancelled()), "it was still running");
        self.gate.open();
    }

    /// Waits until the daemon's status is like this.
    pub(crate) async fn until_status(&mut self, what: &str, like: impl FnMut(&Status) -> bool) -> Status {
        let mut like = like;
        let status = &mut self.daemon.as_mut().expect("a daemon").status;
        let found = status.wait_for(|status| status.as_ref().is_some_and(&mut like));
        let found = within(what, found).await;
        found.expect("the daemon still runs").clone().unwrap()
    }

    /// Waits until the view is complete and the stream is up.
    pub(crate) async fn until_seeing(&mut self) {
        self.until_status("the view is complete", |status| status.blind.is_none()).await;
        let server = self.server().clone();
        within("the stream is up", async move {
            while server.watchers() == 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        self.settle().await;
    }

    /// Waits until the daemon has seen all that is there now, in a full list, and has nothing to do. With a manual clock
    /// this is the next poll.
    pub(crate) async fn settle(&mut self) {
        if self.clock.is_manual() {
            self.advance(POLL);
        }
        let since = self.clock.now();
        self.until_status("a poll comes to rest", |status| is_at_rest(status, since)).await;
    }

    /// Waits until the cluster is like this; the daemon's clock may have to be moved by somebody else meanwhile.
    pub(crate) async fn wait_until<T>(&self, what: &str, look: impl FnMut(&Cluster, Moment) -> Option<T>) -> T {
        within(what, self.server().wait_until(look)).await
    }

    /// Waits until so many decisions are on record: nobody else waits for those that nothing follows from.
    pub(crate) async fn until_decided(&self, count: usize) -> Vec<Decided> {
        within("decisions are on record", self.witness.until(|witness| witness.decided().len() >= count)).await;
        self.witness.decided()
    }

    /// Waits until a person is called, with all these words; an alarm is on record soon after the daemon says how it stands.
    pub(crate) async fn until_alarm(&self, words: &[&str]) {
        let calls = |alarm: &String| words.iter().all(|word| alarm.contains(word));
        let called = self.witness.until(|witness| witness.lifecycle(Lifecycle::Alarm).iter().any(calls));
        within(&format!("a person is called: {}", words.join(", ")), called).await;
    }

    /// The lines of the ledger as they are on the disk.
    pub(crate) fn ledger(&self) -> Vec<Line> {
        tribunal_ledger::read_all(&self.ledger_dir()).unwrap()
    }

    /// How many times the daemon wrote to the server.
    pub(crate) fn writes(&self) -> usize {
        let bot = self.bot();
        self.server().history().iter().filter(|entry| entry.by == bot).count()
    }

    /// What the observer has to say about all that happened.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults_under(&self.rules())
    }

    pub(crate) fn faults_under(&self, rules: &Rules) -> Vec<String> {
        observer::faults(&self.server().history(), &self.witness.intents(), rules, self.server().now())
    }

    pub(crate) fn rules(&self) -> Rules {
        Rules {
            cap: 3,
            classes: vec!["prod".to_owned(), "research".to_owned()],
            exempt: self.setup.human_approved == HumanApproved::Exempt,
            bot: self.bot(),
        }
    }

    /// The same where no limits are configured: nothing was done unrecorded, and no person overruled.
    #[track_caller]
    pub(crate) fn assert_lawful_without_limits(&self) {
        let faults = self.faults_under(&Rules { cap: usize::MAX, classes: Vec::new(), ..self.rules() });
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }

    /// Nothing forbidden ever was.
    #[track_caller]
    pub(crate) fn assert_lawful(&self) {
        let faults = self.faults();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

/// Whether a list that began at or after `since` is in and nobody waits.
fn is_at_rest(status: &Status, since: Timestamp) -> bool {
    let listed = status.last_full_list.is_some_and(|begun| begun >= since);
    listed && status.in_flight == 0 && status.waiting == 0
}

/// What takes longer than [`PATIENCE`] has failed.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(value) => value,
        Err(_) => panic!("waited in vain: {what}"),
    }
}
