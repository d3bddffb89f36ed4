//! The week from its first moment to its report. It never waits for more than its deadlines.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tribunal_sim::{Handle, Moment, Running, SimClock, SimServer, Span};

use crate::daemon::{Daemon, Settings};
use crate::doorway::Doorway;
use crate::evidence::Evidence;
use crate::figures::Report;
use crate::health::Health;
use crate::observer::Observer;
use crate::once::Once;
use crate::place::Place;
use crate::rotation::Rotation;
use crate::tail::Tail;
use crate::tap::Tap;
use crate::tbot::Tbot;
use crate::users::Users;
use crate::{Args, binary, say, world};

/// How often everything is looked at.
const TICK: Duration = Duration::from_millis(25);
/// Users who make requests.
const SUBJECTS: u64 = 200;
/// How often there is a line for whoever waits.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// How long access lasts: longer than any week here, so that no request ends before it was decided.
const LASTS_MS: i64 = 60 * 60 * 1_000;
/// How long the last requests may wait, and the daemon may take to begin.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many more starts may be needed until nothing is open.
const CLOSING_STARTS_MAX: u32 = 5;
/// How long a fresh identity is not taken yet, in seconds: a look, and a second one.
const TAKEN_SECS_MAX: u64 = 7;
/// The daemon polls rarely: what its stream does not tell shows as a wait.
const POLL: &str = "20s";

/// Everything that takes part.
struct Week {
    started: Instant,
    args: Args,
    server: Handle,
    /// Serves until it is dropped.
    _running: Running,
    daemon: Daemon,
    doorway: Doorway,
    tbot: Tbot,
    rotation: Rotation,
    health: Health,
    users: Users,
    tap: Tap,
    observer: Observer,
    once: Once,
    evidence: Evidence,
    tail: Tail,
    told: Instant,
    /// tbot stands still until then.
    outage: Option<Instant>,
    outages: u64,
    /// Of the daemon, until requests were all decided.
    starts: u64,
    /// Identities that it took until then.
    taken: u64,
    /// From when to when nobody could connect for want of an identity.
    out: Option<(Moment, Moment)>,
    place: Place,
}

/// Runs it.
pub(crate) async fn run(args: &Args) -> Result<Report, String> {
    let mut week = Box::pin(Week::new(args)).await?;
    let ended = Box::pin(week.live()).await;
    match ended {
        Ok(()) => Ok(week.close()),
        Err(why) => {
            let (kept, words) = (week.place.keep(), week.daemon.last_words());
            Err(format!("{why}\n{}\nthe ledger and the log are in `{}`:\n{words}", week.close(), kept.display()))
        }
    }
}

// === impl Week ===

impl Week {
    async fn new(args: &Args) -> Result<Self, String> {
        let tap = Tap::start()?;
        let place = Place::new(args.keep.as_deref())?;
        let binary = binary::copy_to(place.path(), args.tribunal.as_ref())?;
        let mut scenario = world::scenario(SUBJECTS, args.seed)?;
        // What fails here is what is tested here.
        scenario.faults.error.clear();
        scenario.faults.lost_reply.clear();
        scenario.faults.latency_jitter = Span::from_ms(4);
        let bot = scenario.bot_user();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let running =
            SimServer::start(scenario, listen, None, SimClock::real()).await.map_err(|error| error.to_string())?;
        let server = running.handle().clone();
        let times = [args.life, args.renew].map(Duration::from_secs);
        let tbot = Tbot::new(&server, bot.clone(), place.path(), times, args.seed)?;
        let doorway = Doorway::open(&running, place.path(), args.seed).await?;
        let health = Health::new()?;
        let settings = Settings {
            address: doorway.addr(),
            teleport: "proxy-ca-file = \"proxy-ca.pem\"",
            poll: POLL,
            tables: &format!("[health]\nlisten = \"{}\"", health.at()),
        };
        let daemon = Daemon::new(binary, place.path(), &settings)?;
        Ok(Self {
            started: Instant::now(),
            args: args.clone(),
            _running: running,
            doorway,
            tbot,
            rotation: Rotation::new(Duration::from_secs(args.phase)),
            health,
            users: Users::new(args.seed, SUBJECTS, args.seconds.saturating_mul(args.rate)),
            tap,
            observer: Observer::new(bot),
            once: Once::default(),
            evidence: Evidence::default(),
            tail: Tail::new(daemon.ledger_dir()),
            told: Instant::now(),
            outage: None,
            outages: 0,
            starts: 0,
            taken: 0,
            out: None,
            place,
            daemon,
            server,
        })
    }

    async fn live(&mut self) -> Result<(), String> {
        self.daemon.start()?;
        // Only a daemon that has begun is put to the test: a start that fails is tried again, which is another matter.
        self.until("the daemon is ready", |week| week.health.is_ready).await?;
        self.started = Instant::now();
        self.rotation.wake();
        let mut ticks = ticks();
        while self.started.elapsed() < self.args.time() {
            ticks.tick().await;
            self.stand_still();
            self.renew()?;
            self.doorway.act(&self.server).await?;
            self.ask()?;
            self.look()?;
            self.health.ask().await;
            self.tell();
        }
        // What is broken now is mended, and what waits is decided.
        self.until("every request is decided", |week| week.doorway.is_open() && week.missed().is_empty()).await?;
        self.until("it is ready at the end", |week| week.health.is_ready).await?;
        (self.starts, self.taken) = (self.daemon.starts, self.health.renewals);
        self.stop().await?;
        // What a break left without an end on record, the next start closes.
        for _ in 0..CLOSING_STARTS_MAX {
            if self.evidence.open().is_empty() {
                break;
            }
            self.tbot.wake(&self.server)?;
            self.daemon.start()?;
            self.until("what was open is closed", |week| week.evidence.open().is_empty()).await?;
            self.stop().await?;
        }
        Ok(())
    }

    /// In good order; all that the daemon did must stand in the ledger then.
    async fn stop(&mut self) -> Result<(), String> {
        self.daemon.stop().await?;
        self.look()?;
        self.evidence.explain(std::mem::take(&mut self.observer.writes));
        Ok(())
    }

    /// Goes on renewing, with an open door, until it is so.
    async fn until(&mut self, what: &str, like: impl Fn(&Self) -> bool) -> Result<(), String> {
        let begun = Instant::now();
        let mut ticks = ticks();
        while !like(self) {
            ticks.tick().await;
            if begun.elapsed() > PATIENCE {
                return Err(format!("waited in vain: {what}"));
            }
            self.renew()?;
            if !self.doorway.is_open() {
                self.doorway.act(&self.server).await?;
            }
            self.look()?;
            self.health.ask().await;
        }
        Ok(())
    }

    /// In the middle of the week tbot stands still until the identity is over, and a while longer.
    fn stand_still(&mut self) {
        if self.args.outage == 0 || self.outages > 0 || self.started.elapsed() < self.args.time() / 2 {
            return;
        }
        self.outages = 1;
        let lasts = Duration::from_secs(self.args.life.saturating_add(self.args.outage));
        self.outage = Some(Instant::now() + lasts);
        // The identity of now may be a renewal old.
        let after =
            |secs: u64| self.server.now().plus_ms(i64::try_from(secs.saturating_mul(1_000)).unwrap_or(i64::MAX));
        let (from, to) = (self.args.life.saturating_sub(2 * self.args.renew), lasts.as_secs() + TAKEN_SECS_MAX);
        self.out = Some((after(from), after(to)));
    }

    fn renew(&mut self) -> Result<(), String> {
        match self.outage {
            Some(until) if until > Instant::now() => return Ok(()),
            Some(_) => {
                self.outage = None;
                self.rotation.wake();
                self.tbot.wake(&self.server)?;
            }
            None => {}
        }
        self.rotation.act(&self.server)?;
        self.tbot.act(&self.server)
    }

    fn ask(&mut self) -> Result<(), String> {
        let due = self.started.elapsed().as_millis().saturating_mul(u128::from(self.args.rate)) / 1_000;
        while u128::from(self.users.made()) < due {
            let Some(mut wish) = self.users.next() else { return Ok(()) };
            wish.lasts = Some(Span::from_ms(LASTS_MS));
            self.server
                .create_request(&wish)
                .map_err(|refusal| format!("a user's request was refused: {refusal:?}"))?;
        }
        Ok(())
    }

    /// Takes in what the server and the ledger say.
    fn look(&mut self) -> Result<(), String> {
        self.observer.follow(&self.server, &self.tap);
        self.once.follow(&self.server);
        let evidence = &mut self.evidence;
        self.tail.read(|line| evidence.take(line))?;
        self.daemon.keep_up()
    }

    /// Requests that are neither resolved nor left to people.
    fn missed(&self) -> Vec<String> {
        self.once.pending().filter(|id| !self.evidence.is_left(id)).cloned().collect()
    }

    fn tell(&mut self) {
        if self.told.elapsed() < TOLD_EVERY {
            return;
        }
        self.told = Instant::now();
        say(&format!(
            "{:>5} s  {} made, {} resolved once, {} wait; {} identities, {} taken; {}; {} restarts, {} breaks{}",
            self.started.elapsed().as_secs(),
            self.once.made(),
            self.once.resolved(1),
            self.missed().len(),
            self.tbot.renewals,
            self.health.renewals,
            self.server.rotation_phase(),
            self.doorway.restarts,
            self.doorway.stream_breaks + self.doorway.cuts,
            if self.outage.is_some() { "; tbot stands still" } else { "" },
        ));
    }

    fn close(mut self) -> Report {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let left = self.once.pending().filter(|id| self.evidence.is_left(id)).count();
        let mut violations = std::mem::take(&mut self.observer.violations);
        violations.extend(self.observer.forbidden_now());
        let mut unexplained = std::mem::take(&mut self.evidence.unexplained);
        unexplained.extend(self.evidence.false_claims());
        let report = Report {
            seed: self.args.seed,
            duration: self.started.elapsed(),
            requests: number(self.once.made()),
            resolved_once: number(self.once.resolved(1)),
            left: number(left),
            missed: self.missed(),
            twice: self.once.twice(),
            approvals: self.observer.counts.approvals,
            denials: self.observer.counts.denials,
            locks: self.observer.counts.locks,
            waits_ms: self.once.waits_ms(self.out),
            longest_ms: self.once.waits_ms(None).last().copied().unwrap_or_default(),
            written: self.tbot.renewals,
            swaps: self.tbot.swaps.saturating_sub(1),
            in_place: self.tbot.in_place,
            torn: self.tbot.torn,
            taken: self.taken,
            phases: self.rotation.phases,
            through: self.rotation.through,
            back: self.rotation.back,
            restarts: self.doorway.restarts,
            stream_breaks: self.doorway.stream_breaks,
            cuts: self.doorway.cuts,
            outages: self.outages,
            ready: self.health.ready,
            unready: self.health.unready,
            expired: self.health.expired,
            starts: self.starts,
            blind: self.evidence.counts.blind,
            violations,
            unexplained,
            open: self.evidence.open(),
        };
        if !report.is_clean() {
            let kept = self.place.keep();
            say(&format!("the ledger and the log are in `{}`", kept.display()));
        }
        report
    }
}

fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ticks
}
