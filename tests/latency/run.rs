//! One run: a cluster, a relay, a daemon, users. It must never share anything with the run before it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tribunal_sim::cluster::Cluster;
use tribunal_sim::{Handle, Running, SimClock, SimServer};

use super::daemon::Daemon;
use super::figures::{Quantiles, Report};
use super::observe::{Reads, Verdict, Verdicts, verdicts};
use super::users::{Asked, ask};
use super::{Args, cluster, ping, relay};

/// How many bare round trips are measured, before there is a load.
const PINGS: u64 = 400;
/// Under load there is one in so many milliseconds.
const PING_PAUSE: Duration = Duration::from_millis(100);
/// How long the daemon may take to start, and to end its work.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often it is looked after while it is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// Measures with so long a round trip injected.
pub(crate) fn run(args: &Args, round_trip: Duration, reads: &Reads) -> Result<Report, String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| format!("no runtime: {error}"))?;
    let passing = tempfile::tempdir().map_err(|error| format!("no temporary directory can be made: {error}"))?;
    let dir = match &args.keep {
        Some(keep) => keep.join(format!("{}ms", round_trip.as_millis())),
        None => passing.path().to_owned(),
    };
    std::fs::create_dir_all(&dir).map_err(|error| format!("`{}` cannot be made: {error}", dir.display()))?;
    let report = runtime.block_on(Box::pin(measure(args, round_trip, reads, &dir)));
    runtime.shutdown_background();
    report
}

async fn measure(args: &Args, round_trip: Duration, reads: &Reads, dir: &Path) -> Result<Report, String> {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let scenario = cluster::scenario(args.warm_up + args.requests)?;
    let sim = SimServer::start(scenario, listen, None, SimClock::real()).await;
    let sim = sim.map_err(|error| format!("the simulated server does not start: {error}"))?;
    let identity = identity(&sim, dir)?;
    let address = relay::start(sim.addr(), round_trip).map_err(|error| format!("no relay can be started: {error}"))?;
    let server = sim.handle().clone();
    let client = ping::client(address, &identity).await?;
    // The first one makes the connection.
    ping::pings(&client, 10).await?;
    let idle = ping::pings(&client, PINGS).await?;

    let mut daemon = Daemon::start(args.tribunal.as_ref(), dir, address, args.poll_s)?;
    until(&mut daemon, dir, "it watches", || server.watchers() > 0).await?;
    reads.take();
    let seen = Arc::<Mutex<Verdicts>>::default();
    let observer = observe(&server, &seen);
    let begun = Instant::now();
    let (asker, its_args) = (server.clone(), args.clone());
    let mut asking = tokio::task::spawn_blocking(move || ask(&its_args, &asker));
    let mut loaded = Vec::new();
    let mut pings = tokio::time::interval(PING_PAUSE);
    let asked = loop {
        tokio::select! {
            asked = &mut asking => break asked.map_err(|bug| format!("the users ended in a bug: {bug}"))??,
            _at = pings.tick() => loaded.extend(ping::pings(&client, 1).await?),
        }
    };
    let took = begun.elapsed();
    let done = || server.with(|cluster, _| pending(cluster)) == 0;
    let ended = until(&mut daemon, dir, "every request is decided", done).await;
    // The observer may not have noticed the last one yet.
    let all = asked.len();
    until(&mut daemon, dir, "every verdict is seen", || {
        seen.lock().unwrap_or_else(PoisonError::into_inner).len() >= all
    })
    .await
    .or(ended)?;
    observer.abort();
    let verdicts = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let report = Report { round_trip, idle: Quantiles::of(idle), loaded: Quantiles::of(loaded), ..Report::default() };
    Ok(judge(args, report, &asked, &verdicts, reads, took))
}

/// Compares what was asked with what came of it.
fn judge(
    args: &Args,
    mut report: Report,
    asked: &[Asked],
    verdicts: &Verdicts,
    reads: &Reads,
    took: Duration,
) -> Report {
    let reads = reads.take();
    let (mut late, mut waited, mut decided, mut resolved) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (number, Asked { id, intended, made, approved }) in (0_u64..).zip(asked) {
        report.asked += 1;
        let Some(Verdict { at, approved: found, times }) = verdicts.get(id).copied() else {
            report.missed += 1;
            continue;
        };
        report.decided += 1;
        report.more_than_once += u64::from(times != 1);
        report.wrong += u64::from(found != *approved);
        if number < args.warm_up {
            continue;
        }
        waited.push(at.saturating_duration_since(*intended));
        late.push(made.saturating_duration_since(*intended));
        if let Some(read) = reads.get(id) {
            decided.push(read.saturating_duration_since(*intended));
            resolved.push(at.saturating_duration_since(*read));
        }
    }
    report.rate = asked.len() as f64 / took.as_secs_f64();
    report.verdict = Quantiles::of(waited);
    report.late = Quantiles::of(late);
    report.decided_in = Quantiles::of(decided);
    report.resolved_in = Quantiles::of(resolved);
    report
}

/// The identity of the daemon, in `dir`.
fn identity(sim: &Running, dir: &Path) -> Result<std::path::PathBuf, String> {
    let options = tribunal_sim::IssueOptions::of(&sim.scenario().bot_user());
    let identity = sim.issue(&options).map_err(|error| format!("no identity can be made: {error}"))?;
    let path = dir.join("identity");
    identity.write(&path).map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
    Ok(path)
}

/// On a thread of its own: a busy runtime would notice late.
fn observe(server: &Handle, seen: &Arc<Mutex<Verdicts>>) -> tokio::task::AbortHandle {
    let (sequence, seen, server) = (server.snapshot().sequence, Arc::clone(seen), server.clone());
    let observing = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.map(|runtime| runtime.block_on(verdicts(server, sequence, seen)))
    });
    observing.abort_handle()
}

async fn until(daemon: &mut Daemon, dir: &Path, what: &str, mut like: impl FnMut() -> bool) -> Result<(), String> {
    let begun = Instant::now();
    let mut looks = tokio::time::interval(LOOK);
    while !like() {
        daemon.check(dir)?;
        if begun.elapsed() > PATIENCE {
            return Err(format!("waited in vain for {} s: {what}", PATIENCE.as_secs()));
        }
        looks.tick().await;
    }
    Ok(())
}

fn pending(cluster: &Cluster) -> usize {
    let pending = i32::from(tribunal_proto::types::RequestState::Pending);
    cluster
        .requests()
        .values()
        .filter(|request| request.spec.as_ref().is_some_and(|spec| spec.state == pending))
        .count()
}
