//! The figures, for people and for programs. It measures nothing.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

/// What the aim allows beside the round trips.
const AIM: Duration = Duration::from_millis(20);
/// How many round trips the aim allows.
const AIM_ROUND_TRIPS: u32 = 5;

/// How long things took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quantiles {
    pub(crate) p50: Duration,
    pub(crate) p90: Duration,
    pub(crate) p99: Duration,
    pub(crate) p999: Duration,
    pub(crate) max: Duration,
}

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// As it was injected.
    pub(crate) round_trip: Duration,
    pub(crate) asked: u64,
    /// Requests a second, as they came.
    pub(crate) rate: f64,
    pub(crate) decided: u64,
    pub(crate) missed: u64,
    pub(crate) more_than_once: u64,
    /// Denied instead of approved, or the other way round.
    pub(crate) wrong: u64,
    /// Bare round trips, before there was a load and under it.
    pub(crate) idle: Quantiles,
    pub(crate) loaded: Quantiles,
    /// From when a request was to be made to its verdict.
    pub(crate) verdict: Quantiles,
    /// The part of it before the request was made: not the daemon's.
    pub(crate) late: Quantiles,
    /// The part of it until the daemon had decided, written its ledger and asked for the request again.
    pub(crate) decided_in: Quantiles,
    /// The rest.
    pub(crate) resolved_in: Quantiles,
}

// === impl Quantiles ===

impl Quantiles {
    pub(crate) fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        // In thousandths: the smallest that so many are not longer than.
        let at = |thousandths: usize| {
            let rank = took.len().saturating_mul(thousandths).div_ceil(1_000).saturating_sub(1);
            took.get(rank).copied().unwrap_or_default()
        };
        Self { p50: at(500), p90: at(900), p99: at(990), p999: at(999), max: at(1_000) }
    }

    fn json(&self) -> serde_json::Value {
        let Self { p50, p90, p99, p999, max } = self;
        json!({ "p50_ms": ms(*p50), "p90_ms": ms(*p90), "p99_ms": ms(*p99), "p999_ms": ms(*p999), "max_ms": ms(*max) })
    }
}

// === impl Report ===

impl Report {
    /// Whether every request was decided, once, and as it should be.
    pub(crate) fn is_clean(&self) -> bool {
        self.decided == self.asked && self.missed == 0 && self.more_than_once == 0 && self.wrong == 0
    }

    /// What the p99 of a verdict is to stay below.
    fn aim(&self) -> Duration {
        AIM + self.round_trip * AIM_ROUND_TRIPS
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "round_trip_ms": ms(self.round_trip),
            "asked": self.asked,
            "rate": self.rate,
            "decided": self.decided,
            "missed": self.missed,
            "more_than_once": self.more_than_once,
            "wrong": self.wrong,
            "ping": self.idle.json(),
            "ping_under_load": self.loaded.json(),
            "verdict": self.verdict.json(),
            "of_it_before_it_was_made": self.late.json(),
            "of_it_until_read_again": self.decided_in.json(),
            "of_it_after_that": self.resolved_in.json(),
            "verdict_in_pings": { "p50": ratio(self.verdict.p50, self.idle.p50), "p99": ratio(self.verdict.p99, self.idle.p99) },
            "aim_p99_ms": ms(self.aim()),
        })
    }
}

/// For programs.
pub(crate) fn json(reports: &[Report]) -> String {
    serde_json::Value::from_iter(reports.iter().map(Report::json)).to_string()
}

/// For people.
pub(crate) fn table(reports: &[Report]) -> String {
    let mut table = String::new();
    for report in reports {
        let Report { round_trip, asked, rate, decided, missed, more_than_once, wrong, .. } = report;
        let _infallible = writeln!(
            table,
            "round trip of {} ms injected: {asked} requests at {rate:.0} a second; {decided} decided, {missed} missed, \
             {more_than_once} more than once, {wrong} wrongly",
            ms(*round_trip)
        );
        let _infallible =
            writeln!(table, "  {:<38}{:>9}{:>9}{:>9}{:>9}{:>9}", "ms", "p50", "p90", "p99", "p99.9", "max");
        for (what, quantiles) in [
            ("bare round trip (Ping)", report.idle),
            ("the same under load", report.loaded),
            ("from request to verdict", report.verdict),
            ("  before the request was made", report.late),
            ("  until it was read again", report.decided_in),
            ("  from there to the verdict", report.resolved_in),
        ] {
            let Quantiles { p50, p90, p99, p999, max } = quantiles;
            let [p50, p90, p99, p999, max] = [p50, p90, p99, p999, max].map(ms);
            let _infallible = writeln!(table, "  {what:<38}{p50:>9.2}{p90:>9.2}{p99:>9.2}{p999:>9.2}{max:>9.2}");
        }
        let (aim, p99) = (report.aim(), report.verdict.p99);
        let _infallible = writeln!(
            table,
            "  a verdict takes {:.1} bare round trips (p50), {:.1} (p99); its p99 is to be below {} ms: {}",
            ratio(report.verdict.p50, report.idle.p50),
            ratio(p99, report.idle.p99),
            ms(aim),
            if p99 < aim { "it is" } else { "it is not" }
        );
    }
    table.truncate(table.trim_end().len());
    table
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn ratio(whole: Duration, part: Duration) -> f64 {
    if part.is_zero() { 0.0 } else { whole.as_secs_f64() / part.as_secs_f64() }
}
