//! The figures, for people and for programs. It measures nothing.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::daemon::{Busy, Memory};

/// What one round came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Round {
    pub(crate) name: &'static str,
    pub(crate) took: Duration,
    pub(crate) lists: f64,
    pub(crate) list_secs: f64,
    pub(crate) evaluations: f64,
    /// Users whose roles and labels were read.
    pub(crate) introduced: f64,
    /// Times that what a decision stands on was read once more.
    pub(crate) reread: f64,
    pub(crate) locks: f64,
    pub(crate) approvals: f64,
    pub(crate) records: f64,
    /// Steps that failed, and policies that did not answer.
    pub(crate) failures: f64,
    pub(crate) busy: Busy,
    /// Processor time of the simulated server, in seconds.
    pub(crate) server_busy: f64,
    pub(crate) memory: Memory,
}

/// What one run came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    pub(crate) live: u64,
    pub(crate) users: u64,
    /// What the server waits before it answers.
    pub(crate) latency: Duration,
    pub(crate) rounds: Vec<Round>,
    pub(crate) ledger_bytes: u64,
}

// === impl Round ===

impl Round {
    fn json(&self) -> serde_json::Value {
        let Busy { policies, ledger, rest } = self.busy;
        json!({
            "round": self.name,
            "seconds": self.took.as_secs_f64(),
            "lists": self.lists,
            "list_seconds": self.list_secs,
            "evaluations": self.evaluations,
            "users_read": self.introduced,
            "rereads": self.reread,
            "locks": self.locks,
            "approvals": self.approvals,
            "records": self.records,
            "failures": self.failures,
            "processor_seconds": { "policies": policies, "ledger": ledger, "rest": rest, "server": self.server_busy },
            "memory_mib": { "after": self.memory.now, "peak": self.memory.peak },
        })
    }
}

// === impl Report ===

impl Report {
    fn json(&self) -> serde_json::Value {
        json!({
            "live": self.live,
            "users": self.users,
            "latency_ms": self.latency.as_millis(),
            "rounds": self.rounds.iter().map(Round::json).collect::<Vec<_>>(),
            "ledger_bytes": self.ledger_bytes,
        })
    }
}

/// For programs.
pub(crate) fn json(reports: &[Report]) -> String {
    serde_json::Value::from_iter(reports.iter().map(Report::json)).to_string()
}

/// One run, for people.
pub(crate) fn table(report: &Report) -> String {
    let mut table = String::new();
    let Report { live, users, latency, rounds, ledger_bytes } = report;
    let _infallible = writeln!(
        table,
        "{live} live requests of {users} users, {} ms before each answer; {:.1} MB of ledger",
        latency.as_millis(),
        *ledger_bytes as f64 / 1e6
    );
    let _infallible = writeln!(
        table,
        "  {:<12}{:>9}{:>9}  {:^33}  {:^36}  {:^16}",
        "", "", "", "how many", "seconds of processors", "MiB"
    );
    let _infallible = writeln!(
        table,
        "  {:<12}{:>9}{:>9}  {:>8}{:>8}{:>8}{:>9}  {:>9}{:>9}{:>9}{:>9}  {:>8}{:>8}",
        "round",
        "s",
        "list s",
        "evals",
        "users",
        "locks",
        "approved",
        "policies",
        "ledger",
        "rest",
        "server",
        "after",
        "peak"
    );
    for round in rounds {
        let Round {
            name, took, list_secs, evaluations, introduced, locks, approvals, busy, server_busy, memory, ..
        } = round;
        let Busy { policies, ledger, rest } = busy;
        let _infallible = writeln!(
            table,
            "  {name:<12}{:>9.2}{list_secs:>9.2}  {evaluations:>8}{introduced:>8}{locks:>8}{approvals:>9}  \
             {policies:>9.2}{ledger:>9.2}{rest:>9.2}{server_busy:>9.2}  {:>8.0}{:>8.0}",
            took.as_secs_f64(),
            memory.now,
            memory.peak
        );
    }
    table
}

/// How cost grows with the cluster, for people: the daemon's processor time for each thousand requests.
pub(crate) fn growth(reports: &[Report]) -> String {
    let mut table = String::from("milliseconds of the daemon's processors for each thousand live requests\n");
    for report in reports {
        let each: Vec<String> = report
            .rounds
            .iter()
            .map(|round| {
                let Busy { policies, ledger, rest } = round.busy;
                format!("{} {:.1}", round.name, (policies + ledger + rest) * 1e6 / report.live as f64)
            })
            .collect();
        let _infallible =
            writeln!(table, "  {:>7} live, {} ms: {}", report.live, report.latency.as_millis(), each.join(", "));
    }
    table.truncate(table.trim_end().len());
    table
}
