//! The soak from its first moment to its report: users ask, people act, streams break, the daemon is killed, and the
//! observer follows. It never waits for more than its deadlines.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tribunal_sim::{Handle, IssueOptions, Running, SimClock, SimServer};

use crate::chance::Chance;
use crate::daemon::{Daemon, Settings};
use crate::end;
use crate::evidence::Evidence;
use crate::figures::Report;
use crate::kills::Kills;
use crate::observer::Observer;
use crate::people::People;
use crate::place::Place;
use crate::tail::Tail;
use crate::tap::Tap;
use crate::users::Users;
use crate::{Args, binary, say, world};

/// How often everything is looked at.
const TICK: Duration = Duration::from_millis(25);
/// Requests that may wait for a decision, and at most one a user; users ask no faster than that.
const WAITING_MAX: usize = 200;
/// Requests made in one tick.
const MADE_AT_ONCE_MAX: usize = 8;
/// How often there is a line for whoever waits.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// If nothing at all changes for so long, it will not.
const STILL_MAX: Duration = Duration::from_secs(180);
/// Streams are broken by hand about once in so many ticks, and connections cut a fourth as often.
const BREAK_TICKS: u64 = 200;

/// Everything that takes part.
pub(crate) struct Soak {
    pub(crate) started: Instant,
    pub(crate) time_max: Duration,
    pub(crate) server: Handle,
    /// Serves until it is dropped.
    _running: Running,
    pub(crate) daemon: Daemon,
    pub(crate) observer: Observer,
    pub(crate) evidence: Evidence,
    tail: Tail,
    tap: Tap,
    users: Users,
    people: People,
    kills: Kills,
    breaks: Chance,
    report: Report,
    told: Instant,
    progress: (u64, u64, u64),
    moved: Instant,
    place: Place,
}

/// Runs it.
pub(crate) async fn run(args: &Args) -> Result<Report, String> {
    let mut soak = Box::pin(Soak::new(args)).await?;
    let ended = Box::pin(soak.live()).await;
    match ended {
        Ok(()) => Ok(soak.close()),
        Err(why) => {
            let kept = soak.place.keep();
            let report = soak.close();
            Err(format!("{why}\n{report}\nthe ledger and the log are in `{}`", kept.display()))
        }
    }
}

// === impl Soak ===

impl Soak {
    async fn new(args: &Args) -> Result<Self, String> {
        let tap = Tap::start()?;
        let place = Place::new(args.keep.as_deref())?;
        let binary = binary::copy_to(place.path(), args.tribunal.as_ref())?;
        let scenario = world::scenario(args.subjects, args.seed)?;
        let bot = scenario.bot_user();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running =
            SimServer::start(scenario, listen, None, SimClock::real()).await.map_err(|error| error.to_string())?;
        let identity = running.issue(&IssueOptions::of(&bot)).map_err(|error| error.to_string())?;
        identity.write(&place.path().join("identity")).map_err(|error| format!("the identity file: {error}"))?;
        let settings = Settings { address: running.addr(), teleport: "", poll: "1s", tables: "" };
        let daemon = Daemon::new(binary, place.path(), &settings)?;
        let now = Instant::now();
        Ok(Self {
            started: now,
            time_max: args.time_max(),
            server: running.handle().clone(),
            _running: running,
            tail: Tail::new(daemon.ledger_dir()),
            daemon,
            observer: Observer::new(bot),
            evidence: Evidence::default(),
            tap,
            users: Users::new(args.seed, args.subjects, args.requests),
            people: People::new(args.seed),
            kills: Kills::new(args.seed, args.requests, args.kills),
            breaks: Chance::new(args.seed ^ 0xb4),
            report: Report { seed: args.seed, subjects: args.subjects, ..Report::default() },
            told: now,
            progress: (0, 0, 0),
            moved: now,
            place,
        })
    }

    async fn live(&mut self) -> Result<(), String> {
        self.daemon.start()?;
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look()?;
            self.ask();
            let all_made = self.users.are_done();
            self.people.act(self.users.made(), all_made, &self.server);
            self.break_streams();
            self.kill()?;
            self.daemon.keep_up()?;
            self.tell("");
            self.check_deadlines()?;
            if all_made && self.people.are_done() && self.kills.are_done() && end::is_settled(self) {
                break;
            }
        }
        Box::pin(end::close(self)).await
    }

    /// Takes in what the server and the ledger say.
    pub(crate) fn look(&mut self) -> Result<(), String> {
        self.observer.follow(&self.server, &self.tap);
        let live = u64::try_from(self.observer.live()).unwrap_or(u64::MAX);
        self.report.live_most = self.report.live_most.max(live);
        let evidence = &mut self.evidence;
        self.tail.read(|line| evidence.take(line))?;
        let done = (self.writes(), self.evidence.counts.lines, self.users.made());
        if done != self.progress {
            self.progress = done;
            self.moved = Instant::now();
        }
        Ok(())
    }

    /// While the daemon is gone, everything that it did must be explained by what stands in the ledger.
    pub(crate) fn explain(&mut self) -> Result<(), String> {
        self.look()?;
        self.evidence.explain(std::mem::take(&mut self.observer.writes));
        Ok(())
    }

    fn writes(&self) -> u64 {
        let counts = &self.observer.counts;
        counts.approvals + counts.denials + counts.locks + counts.releases
    }

    /// Requests that wait for a decision, not for people.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &String> {
        self.observer.pending.iter().filter(|id| !self.evidence.is_left(id))
    }

    fn ask(&mut self) {
        let subjects = usize::try_from(self.report.subjects).unwrap_or(usize::MAX);
        let room = WAITING_MAX.min(subjects).saturating_sub(self.waiting().count());
        for _ in 0..room.min(MADE_AT_ONCE_MAX) {
            let Some(wish) = self.users.next() else { return };
            match self.server.create_request(&wish) {
                Ok(request) => self.people.notice(self.users.made(), crate::replay::id(&request)),
                Err(_) => self.report.refused += 1,
            }
        }
    }

    fn break_streams(&mut self) {
        if self.server.watchers() == 0 || self.breaks.below(BREAK_TICKS) != 0 {
            return;
        }
        self.report.stream_breaks += 1;
        if self.breaks.percent(25) {
            self.server.cut_connections();
        } else {
            self.server.drop_watches();
        }
    }

    fn kill(&mut self) -> Result<(), String> {
        let writes = self.writes();
        if writes > self.kills.writes_at_start {
            self.daemon.is_at_work();
        }
        if !self.kills.is_due(self.users.made(), writes) {
            return Ok(());
        }
        self.daemon.kill()?;
        self.report.kills += 1;
        self.explain()?;
        self.kills.began(self.writes());
        self.daemon.start()
    }

    fn check_deadlines(&self) -> Result<(), String> {
        if self.started.elapsed() > self.time_max {
            return Err(format!("it takes longer than {} s: {}", self.time_max.as_secs(), end::unsettled(self)));
        }
        if self.moved.elapsed() > STILL_MAX {
            return Err(format!("nothing has changed for {} s: {}", STILL_MAX.as_secs(), end::unsettled(self)));
        }
        Ok(())
    }

    /// A line for whoever waits, now and then.
    pub(crate) fn tell(&mut self, what: &str) {
        if self.told.elapsed() < TOLD_EVERY {
            return;
        }
        self.told = Instant::now();
        let (errors, lost) = self.tap.with(|heard| (heard.errors, heard.lost));
        let counts = &self.observer.counts;
        say(&format!(
            "{:>5} s  {} made, {} live, {} wait; {} approved, {} denied, {} locked, {} released; {} kills, {errors} errors, \
             {lost} replies lost; {} violations{what}",
            self.started.elapsed().as_secs(),
            self.users.made(),
            self.observer.live(),
            self.waiting().count(),
            counts.approvals,
            counts.denials,
            counts.locks,
            counts.releases,
            self.report.kills,
            self.observer.violations.len(),
        ));
    }

    fn close(mut self) -> Report {
        let mut report = std::mem::take(&mut self.report);
        report.duration = self.started.elapsed();
        report.requests = self.users.made();
        report.users = u64::try_from(self.observer.users()).unwrap_or(u64::MAX);
        report.starts = self.daemon.starts;
        report.ended_itself = self.daemon.ended_itself;
        report.acts_of_people = self.people.acts;
        (report.errors, report.lost) = self.tap.with(|heard| (heard.errors, heard.lost));
        let undecided = self.observer.ended_pending.iter().chain(&self.observer.pending);
        let (left, ended): (Vec<_>, Vec<_>) = undecided.partition(|id| self.evidence.is_left(id));
        report.left = u64::try_from(left.len()).unwrap_or(u64::MAX);
        report.ended_undecided = u64::try_from(ended.len()).unwrap_or(u64::MAX);
        report.violations = std::mem::take(&mut self.observer.violations);
        report.violations.extend(self.observer.forbidden_now());
        report.unexplained = std::mem::take(&mut self.evidence.unexplained);
        report.unexplained.extend(self.evidence.false_claims());
        report.open = self.evidence.open();
        report.unclaimed = u64::try_from(self.evidence.unclaimed()).unwrap_or(u64::MAX);
        report.server = std::mem::take(&mut self.observer.counts);
        report.ledger = std::mem::take(&mut self.evidence.counts);
        if !report.is_clean() {
            let kept = self.place.keep();
            say(&format!("the ledger and the log are in `{}`", kept.display()));
        }
        report
    }
}
