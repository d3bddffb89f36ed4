//! One run: a cluster, a daemon, and four rounds. It must never share anything with the run before it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tribunal_sim::{Handle, IssueOptions, SimClock, SimServer};

use super::Args;
use super::cluster::{burst, change, pending, scenario, seed, users};
use super::daemon::{Busy, Daemon, own_seconds, patience};
use super::figures::{Report, Round};
use super::metrics::Metrics;

/// The shortest pause between two looks at the daemon.
const LOOK_MIN: Duration = Duration::from_millis(20);
/// How long nothing must happen at the end of a round: what the stream still brings belongs to it.
const REST: Duration = Duration::from_millis(300);
/// A look costs the daemon something; the pause is so many times as long.
const LOOK_SHARE: u32 = 20;

/// Measures with so many requests, and so long a wait before each answer.
pub(crate) fn run(args: &Args, live: u64, latency: Duration) -> Result<Report, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    // Not where memory passes for a disk: what is durable counts.
    let own = std::env::current_exe().map_err(|error| format!("this program does not know where it is: {error}"))?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let passing =
        tempfile::tempdir_in(beside).map_err(|error| format!("no temporary directory can be made: {error}"))?;
    let dir = match &args.keep {
        Some(keep) => keep.join(format!("{live}-{}ms", latency.as_millis())),
        None => passing.path().to_owned(),
    };
    std::fs::create_dir_all(&dir).map_err(|error| format!("`{}` cannot be made: {error}", dir.display()))?;
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let sim = runtime.block_on(SimServer::start(scenario(live)?, listen, None, SimClock::real()));
    let sim = sim.map_err(|error| format!("the simulated server does not start: {error}"))?;
    let identity = sim.issue(&IssueOptions::of(&sim.scenario().bot_user()));
    let written = identity
        .map_err(|error| error.to_string())
        .and_then(|identity| identity.write(&dir.join("identity")).map_err(|error| error.to_string()));
    written.map_err(|error| format!("no identity can be made: {error}"))?;
    let server = sim.handle().clone();
    server.faults(|faults| faults.set_latency(latency, Duration::ZERO));
    let report = measure(args, live, latency, &server, &dir, sim.addr());
    drop(sim);
    runtime.shutdown_background();
    report
}

fn measure(
    args: &Args,
    live: u64,
    latency: Duration,
    server: &Handle,
    dir: &Path,
    address: SocketAddr,
) -> Result<Report, String> {
    let waiting = seed(server, live);
    let before = own_seconds();
    let (daemon, begun) = Daemon::start(args.tribunal.as_ref(), dir, address)?;
    let mut watch = Watch {
        daemon,
        server: server.clone(),
        live,
        metrics: Metrics::default(),
        busy: Busy::default(),
        server_busy: before,
    };
    let first = watch.round("first", waiting, Some(begun))?;
    // What the stream did not tell any more of the first round, this list does.
    server.drop_watches();
    watch.round("settled", 0, None)?;
    server.drop_watches();
    let unchanged = watch.round("unchanged", 0, None)?;
    server.drop_watches();
    let changed = change(server, live)?;
    let changed = watch.round("1 % changed", changed, None)?;
    let begun = Instant::now();
    burst(server, live, args.burst)?;
    let followed = watch.round("burst", args.burst, Some(begun))?;
    let rounds = vec![first, unchanged, changed, followed];
    Ok(Report { live, users: users(live), latency, rounds, ledger_bytes: watch.daemon.ledger_bytes() })
}

/// What is looked at, and how it stood after the round before.
struct Watch {
    daemon: Daemon,
    server: Handle,
    live: u64,
    metrics: Metrics,
    busy: Busy,
    server_busy: f64,
}

// === impl Watch ===

impl Watch {
    /// Waits for the end of a round in which so many requests are decided. It began at `begun`, or else with its list.
    fn round(&mut self, name: &'static str, decisions: u64, begun: Option<Instant>) -> Result<Round, String> {
        let (metrics, ended) = self.await_end(name, decisions)?;
        if pending(&self.server) > 0 {
            return Err(format!("something is left pending after the round `{name}`"));
        }
        let took = match begun {
            Some(begun) => ended.saturating_duration_since(begun),
            None => since_list(&metrics).saturating_sub(ended.elapsed()),
        };
        let (busy, server_busy) = (self.daemon.busy(), own_seconds());
        let more = |name: &str, labels: &[&str]| metrics.sum(name, labels) - self.metrics.sum(name, labels);
        let round = Round {
            name,
            took,
            lists: more("tribunal_list_duration_seconds_count", &[]),
            list_secs: more("tribunal_list_duration_seconds_sum", &[]),
            evaluations: more("tribunal_policy_call_duration_seconds_count", &[]),
            introduced: more("tribunal_teleport_call_duration_seconds_count", &["background"]),
            reread: more("tribunal_teleport_call_duration_seconds_count", &["reread"]),
            locks: more("tribunal_steps_total", &["applied", "\"lock\""]),
            approvals: more("tribunal_steps_total", &["applied", "approve"]),
            records: more("tribunal_ledger_appends_total", &["ok"]),
            failures: more("tribunal_steps_total", &["failed"]) + more("tribunal_policy_faults_total", &[]),
            busy: Busy {
                policies: busy.policies - self.busy.policies,
                ledger: busy.ledger - self.busy.ledger,
                rest: busy.rest - self.busy.rest,
            },
            server_busy: server_busy - self.server_busy,
            memory: self.daemon.memory(),
        };
        (self.metrics, self.busy, self.server_busy) = (metrics, busy, server_busy);
        self.daemon.forget_peak();
        Ok(round)
    }

    /// The metrics after a round, and when it was over: nothing was done from then to a second look.
    fn await_end(&mut self, name: &str, decisions: u64) -> Result<(Metrics, Instant), String> {
        let patience = patience(self.live);
        let entered = Instant::now();
        let mut over: Option<(Instant, f64)> = None;
        loop {
            let look = Instant::now();
            let metrics = self.daemon.metrics().filter(|now| self.is_over(now, name, decisions));
            let pause = (look.elapsed() * LOOK_SHARE).max(if metrics.is_some() { REST } else { LOOK_MIN });
            if let Some(metrics) = metrics {
                let asked = metrics.sum("tribunal_policy_call_duration_seconds_count", &[]);
                match over {
                    Some((at, before)) if before == asked => return Ok((metrics, at)),
                    Some(_) | None => over = Some((look, asked)),
                }
            } else {
                over = None;
            }
            self.daemon.check()?;
            if entered.elapsed() > patience {
                return Err(format!("waited in vain for {} s for the end of the round `{name}`", patience.as_secs()));
            }
            std::thread::park_timeout(pause);
        }
    }

    fn is_over(&self, now: &Metrics, name: &str, decisions: u64) -> bool {
        let more = |name: &str, labels: &[&str]| now.sum(name, labels) - self.metrics.sum(name, labels);
        let busy = now.sum("tribunal_subjects", &["in-flight"]) + now.sum("tribunal_subjects", &["waiting"]);
        // A burst is told by the stream.
        let listed = name == "burst" || more("tribunal_list_duration_seconds_count", &["ok"]) >= 1.0;
        let decided = more("tribunal_steps_total", &["applied", "approve"]) >= float(decisions);
        listed && decided && busy == 0.0 && now.sum("tribunal_watch_up", &[]) == 1.0
    }
}

/// How long ago the newest list was begun, by the clock that the daemon shares with us.
fn since_list(metrics: &Metrics) -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    Duration::from_secs_f64((now - metrics.sum("tribunal_last_full_list_timestamp_seconds", &[])).max(0.0))
}

#[expect(clippy::cast_precision_loss, reason = "far below where that begins")]
const fn float(number: u64) -> f64 {
    number as f64
}
