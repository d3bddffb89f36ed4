//! What a soak amounts to: its figures, and whether it is clean. It counts nothing itself.

use std::fmt;
use std::time::Duration;

/// How many of many findings are shown.
const SHOWN_MAX: usize = 20;

/// The end of a soak.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) subjects: u64,
    pub(crate) users: u64,
    pub(crate) live_most: u64,
    pub(crate) duration: Duration,
    pub(crate) requests: u64,
    pub(crate) refused: u64,
    pub(crate) left: u64,
    pub(crate) ended_undecided: u64,
    pub(crate) kills: u64,
    pub(crate) starts: u64,
    pub(crate) ended_itself: u64,
    pub(crate) unclaimed: u64,
    pub(crate) errors: u64,
    pub(crate) lost: u64,
    pub(crate) stream_breaks: u64,
    pub(crate) acts_of_people: u64,
    pub(crate) server: crate::observer::Counts,
    pub(crate) ledger: crate::evidence::Counts,
    pub(crate) violations: Vec<String>,
    pub(crate) unexplained: Vec<String>,
    pub(crate) open: Vec<String>,
}

// === impl Report ===

impl Report {
    pub(crate) fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.unexplained.is_empty() && self.open.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, ledger, .. } = self;
        let seconds = self.duration.as_secs_f64();
        let verdict = if self.is_clean() { "clean" } else { "NOT CLEAN" };
        writeln!(f, "soak: {verdict} (seed {}, {} subjects, {seconds:.1} s)", self.seed, self.subjects)?;
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = ledger.decisions as f64 / seconds.max(0.001);
        let figures = [
            ("users who made requests", self.users),
            ("requests", self.requests),
            ("requests at one time, at most", self.live_most),
            ("refused by the server", self.refused),
            ("approvals", server.approvals),
            ("denials", server.denials),
            ("locks", server.locks),
            ("releases", server.releases),
            ("left to people", self.left),
            ("ended undecided", self.ended_undecided),
            ("acts of people", self.acts_of_people),
            ("kills", self.kills),
            ("starts", self.starts),
            ("ended by itself", self.ended_itself),
            ("errors injected", self.errors),
            ("replies lost", self.lost),
            ("stream breaks", self.stream_breaks),
            ("retries", ledger.retries),
            ("superseded", ledger.superseded),
            ("times blind", ledger.blind),
            ("alarms", ledger.alarms.values().sum()),
            ("ledger lines", ledger.lines),
            ("decisions", ledger.decisions),
            ("races of people, not excludable", server.races),
            ("excused by a person's unlocking", server.excused),
            ("done, and recorded otherwise", self.unclaimed),
            ("violations", count(&self.violations)),
            ("unexplained changes", count(&self.unexplained)),
            ("open intents", count(&self.open)),
        ];
        for (name, figure) in figures {
            writeln!(f, "  {name:32} {figure:>9}")?;
        }
        write!(f, "  {:32} {rate:>9.1}", "decisions per second")?;
        for (title, findings) in
            [("violation", &self.violations), ("unexplained", &self.unexplained), ("open", &self.open)]
        {
            for finding in findings.iter().take(SHOWN_MAX) {
                write!(f, "\n{title}: {finding}")?;
            }
            if findings.len() > SHOWN_MAX {
                write!(f, "\n… and {} more of these", findings.len() - SHOWN_MAX)?;
            }
        }
        for (alarm, times) in ledger.alarms.iter().take(SHOWN_MAX) {
            write!(f, "\nalarm, {times} times: {alarm}")?;
        }
        Ok(())
    }
}

fn count(findings: &[String]) -> u64 {
    u64::try_from(findings.len()).unwrap_or(u64::MAX)
}
