//! What a week amounts to: its figures, and whether it is clean. It counts nothing itself.

use std::fmt;
use std::time::Duration;

/// How many of many findings are shown.
const SHOWN_MAX: usize = 20;

/// The end of a week.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) duration: Duration,
    pub(crate) requests: u64,
    pub(crate) resolved_once: u64,
    pub(crate) left: u64,
    pub(crate) missed: Vec<String>,
    pub(crate) twice: Vec<String>,
    pub(crate) approvals: u64,
    pub(crate) denials: u64,
    pub(crate) locks: u64,
    pub(crate) waits_ms: Vec<i64>,
    /// The longest, whatever the reason.
    pub(crate) longest_ms: i64,
    pub(crate) written: u64,
    pub(crate) swaps: u64,
    pub(crate) in_place: u64,
    pub(crate) torn: u64,
    pub(crate) taken: u64,
    pub(crate) phases: u64,
    pub(crate) through: u64,
    pub(crate) back: u64,
    pub(crate) restarts: u64,
    pub(crate) stream_breaks: u64,
    pub(crate) cuts: u64,
    pub(crate) outages: u64,
    pub(crate) ready: u64,
    pub(crate) unready: u64,
    pub(crate) expired: u64,
    pub(crate) starts: u64,
    pub(crate) blind: u64,
    pub(crate) violations: Vec<String>,
    pub(crate) unexplained: Vec<String>,
    pub(crate) open: Vec<String>,
}

// === impl Report ===

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.findings().iter().all(|(_, found)| found.is_empty()) && self.starts == 1 && self.taken > 0
    }

    fn findings(&self) -> [(&'static str, &[String]); 5] {
        [
            ("missed", &self.missed),
            ("decided twice", &self.twice),
            ("violation", &self.violations),
            ("unexplained", &self.unexplained),
            ("open", &self.open),
        ]
    }

    /// The wait that so many of a thousand requests did not exceed.
    fn wait_ms(&self, of_thousand: usize) -> u64 {
        let place = self.waits_ms.len().saturating_mul(of_thousand).div_ceil(1_000).saturating_sub(1);
        self.waits_ms.get(place).map_or(0, |wait| wait.unsigned_abs())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_clean() { "clean" } else { "NOT CLEAN" };
        writeln!(f, "week: {verdict} (seed {}, {:.1} s)", self.seed, self.duration.as_secs_f64())?;
        let figures = [
            ("requests", self.requests),
            ("resolved exactly once", self.resolved_once),
            ("left to people, as decided", self.left),
            ("missed", count(&self.missed)),
            ("resolved more than once", count(&self.twice)),
            ("approvals", self.approvals),
            ("denials", self.denials),
            ("locks", self.locks),
            ("wait until resolved, ms: p50", self.wait_ms(500)),
            ("p99", self.wait_ms(990)),
            ("longest", self.wait_ms(1_000)),
            ("longest, tbot's outage included", self.longest_ms.unsigned_abs()),
            ("identities written", self.written),
            ("by a swap of links", self.swaps),
            ("in place", self.in_place),
            ("left half written", self.torn),
            ("identities taken", self.taken),
            ("phases of rotations", self.phases),
            ("rotations", self.through),
            ("rotations taken back", self.back),
            ("restarts of the proxy", self.restarts),
            ("breaks of the stream", self.stream_breaks),
            ("connections cut", self.cuts),
            ("outages of tbot", self.outages),
            ("answers: ready", self.ready),
            ("answers: not ready", self.unready),
            ("of those, identity expired", self.expired),
            ("starts of the daemon", self.starts),
            ("times blind", self.blind),
            ("violations", count(&self.violations)),
            ("unexplained changes", count(&self.unexplained)),
            ("open intents", count(&self.open)),
        ];
        for (name, figure) in figures {
            writeln!(f, "  {name:32} {figure:>9}")?;
        }
        for (title, findings) in self.findings() {
            for finding in findings.iter().take(SHOWN_MAX) {
                writeln!(f, "{title}: {finding}")?;
            }
        }
        Ok(())
    }
}

fn count(findings: &[String]) -> u64 {
    u64::try_from(findings.len()).unwrap_or(u64::MAX)
}
