//! What the Auth server says: who it is, what it takes, what it shows, what time it has. Everything here reads.

use futures::FutureExt as _;
use tribunal_core::Timestamp;
use tribunal_core::action::ResolveWith;
use tribunal_ports::{Clock as _, Teleport as _};
use tribunal_teleport::client::{Answer, Ask, Holder};
use tribunal_teleport::{Client, Cluster, Skew};

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;
use crate::assembly;
use crate::clock::SystemClock;
use crate::daemon::lease::{MARGIN, Mode, TERM};
use crate::health::report::utc;

/// The release lines of Teleport that the daemon is tested with.
const MAJORS: std::ops::RangeInclusive<u64> = 16..=19;
/// What begins the refusal of a caller whom a lock targets (`lib/services/access_checker.go`).
const LOCKED: &str = "lock targeting";
const SERVER: &str = "see the Auth server's log and its load";
/// The role, for people.
pub(super) const ROLE: &str = "`tribunal role` prints the role that the daemon needs";

pub(super) fn ping(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let connected = Client::new(seen.target(config), seen.patient.limits).await;
        let client = match connected {
            Ok(client) => client.with_clock(|| SystemClock.now()),
            Err(failure) => return vec![Finding::failed_as(&failure, "have tbot write the identity anew")],
        };
        let begun = std::time::Instant::now();
        let cluster = match client.ping().await {
            Ok(cluster) => cluster,
            Err(failure) if failure.detail.contains(LOCKED) => {
                let user = client.identity().user().to_owned();
                let remedy = format!(
                    "`tctl get locks` shows what locks `{user}` or its roles; remove it with `tctl rm lock/NAME`"
                );
                return vec![Finding::failed(failure.detail, remedy)];
            }
            Err(failure) => return vec![Finding::failed_as(&failure, SERVER)],
        };
        let what =
            format!("cluster `{}`, Teleport {}, in {} ms", cluster.name, cluster.version, begun.elapsed().as_millis());
        seen.client = Some(client);
        seen.cluster = Some(cluster);
        vec![Finding::ok(what)]
    }
    .boxed()
}

pub(super) fn version(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(Cluster { version, .. }) = &seen.cluster else { return gone() };
        let (least, most) = (MAJORS.start(), MAJORS.end());
        let tested = format!("the daemon is tested with {least} to {most}");
        let major = version.split('.').next().and_then(|major| major.parse::<u64>().ok());
        vec![match major {
            Some(major) if major < *least => {
                Finding::failed(format!("Teleport {version} is too old: {tested}"), "update the cluster")
            }
            Some(major) if major > *most => {
                let what = format!("Teleport {version} is newer than this daemon knows: {tested}");
                Finding::warning(what, "update tribunal, and rehearse with `--dry-run` until then")
            }
            Some(_) => Finding::ok(format!("Teleport {version}; {tested}")),
            None => Finding::warning(format!("`{version}` is no version; {tested}"), "check that it is Teleport"),
        }]
    }
    .boxed()
}

pub(super) fn edition(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(cluster), Some(config)) = (&seen.cluster, &seen.config) else { return gone() };
        let reviews = if cluster.advanced_workflows { "takes reviews" } else { "takes no reviews" };
        let with = match config.teleport.resolve_with {
            ResolveWith::State => "setting their state",
            ResolveWith::Review => "review",
        };
        vec![match assembly::check_edition(config.teleport.resolve_with, cluster) {
            Ok(()) => Finding::ok(format!("it {reviews}; requests are resolved by {with}")),
            Err(failure) => Finding::failed_as(&failure, "set `resolve-with = \"state\"` in `[teleport]`"),
        }]
    }
    .boxed()
}

pub(super) fn view(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(client) = &seen.client else { return gone() };
        vec![match client.list().await {
            Ok(listing) => {
                let (requests, locks) = (listing.requests.len(), listing.locks.len());
                Finding::ok(format!("lists are whole: {requests} requests, {locks} locks"))
            }
            Err(failure) => Finding::failed_as(&failure, ROLE),
        }]
    }
    .boxed()
}

pub(super) fn watch(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(client) = &seen.client else { return gone() };
        let polls = "without it the daemon sees changes only when it polls";
        vec![match client.ask(Ask::Follow).await {
            Ok(Answer::Granted) => Finding::ok("a watch of requests and locks begins with INIT"),
            Ok(Answer::Refused(said)) => {
                Finding::failed(said, format!("{ROLE}: `read` on `access_request` and `lock`"))
            }
            Ok(Answer::Untold(said)) => Finding::failed(said, SERVER),
            Err(failure) => Finding::failed(format!("{failure}; {polls}"), SERVER),
        }]
    }
    .boxed()
}

pub(super) fn clock(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(client) = &seen.client else { return gone() };
        let measured = match client.measure_clock(|| SystemClock.now()).await {
            Ok(measured) => measured,
            Err(failure) => return vec![Finding::failed_as(&failure, SERVER)],
        };
        // What the lists showed, where nothing may be measured.
        vec![judge(measured.unwrap_or_else(|| client.skew()))]
    }
    .boxed()
}

fn judge(skew: Skew) -> Finding {
    let remedy = "have both clocks set by NTP: leases, locks and certificates end by them";
    let Skew { at_least_ms, at_most_ms } = skew;
    let Some(apart) = skew.apart() else {
        return Finding::ok(match (at_least_ms, at_most_ms) {
            (None, None) => "how far it is from the Auth server's cannot be told: keep both set by NTP".to_owned(),
            (Some(least), None) => format!("the Auth server's is at least {least} ms later"),
            (None, Some(most)) => format!("the Auth server's is at most {most} ms later"),
            (Some(least), Some(most)) => format!("the Auth server's is {least} to {most} ms later than ours"),
        });
    };
    let what = apart.to_string();
    let what = what.rsplit_once("; ").map_or(what.clone(), |(what, _)| what.to_owned());
    let margin_ms = i64::try_from(MARGIN.as_millis()).unwrap_or(i64::MAX);
    let far = at_least_ms.is_some_and(|ms| ms >= margin_ms) || at_most_ms.is_some_and(|ms| ms <= -margin_ms);
    if far { Finding::failed(what, remedy) } else { Finding::warning(what, remedy) }
}

pub(super) fn lease(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(client), Some(cluster), Some(config)) = (&seen.client, &seen.cluster, &seen.config) else {
            return gone();
        };
        if config.dry_run {
            return vec![Finding::skipped("a rehearsal keeps nobody from acting")];
        }
        let name = config.lease.name(&cluster.name);
        let must = match config.lease.mode {
            Mode::Auto => false,
            Mode::Required => true,
            Mode::Off => return vec![Finding::skipped("`lease = \"off\"` in `[daemon]`: the daemon heeds no other")],
        };
        match client.ask(Ask::TakeLease).await {
            Ok(Answer::Granted) => {}
            Ok(Answer::Refused(said) | Answer::Untold(said)) => {
                let remedy = format!("{ROLE}: `create` and `update` on `semaphore`");
                return vec![if must {
                    Finding::failed(format!("`lease = \"required\"`, and nobody lets us hold one: {said}"), remedy)
                } else {
                    Finding::warning(format!("the daemon heeds no other, since it may hold no lease: {said}"), remedy)
                }];
            }
            Err(failure) => return vec![Finding::failed_as(&failure, SERVER)],
        }
        let now = SystemClock.now();
        vec![match client.holders(&name, now).await {
            Ok(Some(holders)) => held(&name, &holders, now),
            Ok(None) => Finding::ok(format!("lease `{name}` can be taken; who holds it may not be seen")),
            Err(failure) => Finding::failed_as(&failure, SERVER),
        }]
    }
    .boxed()
}

fn held(name: &str, holders: &[Holder], now: Timestamp) -> Finding {
    let Some(Holder { name: holder, until }) = holders.iter().max_by_key(|holder| holder.until) else {
        return Finding::ok(format!("lease `{name}` is free"));
    };
    let end = until.map_or_else(|| "for ever".to_owned(), |until| format!("until {}", utc(until)));
    let what = format!("lease `{name}` is held by `{holder}` {end}");
    // A daemon's lease is kept for one term at a time; the rest is for clocks that differ.
    if until.is_some_and(|until| until <= now.after(TERM).after(TERM)) {
        Finding::ok(format!("{what}: that daemon leads, others stand by"))
    } else {
        let remedy = format!("no daemon takes one for so long, and all wait for its end: `tctl rm semaphore/{name}`");
        Finding::failed(what, remedy)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::time::Duration;

    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn clocks_apart_are_warned_of_and_fail_where_leases_would() {
        for (least, most, outcome) in [
            (None, None, Outcome::Ok),
            (Some(-500), Some(500), Outcome::Ok),
            (Some(3_000), Some(4_000), Outcome::Warning),
            (Some(-4_000), Some(-3_000), Outcome::Warning),
            (Some(600_000), None, Outcome::Failed),
            (None, Some(-600_000), Outcome::Failed),
        ] {
            let finding = judge(Skew { at_least_ms: least, at_most_ms: most });
            assert_eq!(finding.outcome, outcome, "{finding:?}");
        }
    }

    #[test]
    fn a_lease_that_no_daemon_would_take_is_found() {
        let now = Timestamp::from_secs(1_800_000_000);
        let of = |until: Option<Duration>| {
            let holder = Holder { name: "host/id".to_owned(), until: until.map(|until| now.after(until)) };
            held("dev", &[holder], now)
        };
        assert_eq!(held("dev", &[], now).outcome, Outcome::Ok);
        assert_eq!(of(Some(TERM)).outcome, Outcome::Ok);
        assert_eq!(of(Some(Duration::from_secs(86_400))).outcome, Outcome::Failed);
        assert!(of(None).remedy.unwrap().contains("tctl rm"));
    }
}
