//! Whether the ledger explains what the daemon did: each change on the server needs a decision that stands in the ledger
//! and planned it, and each step that was planned needs an end. It trusts neither side.

use std::collections::{BTreeMap, BTreeSet};

use crate::observer::{What, Write};
use crate::tail::{Body, Decided, Line, Outcome};

/// The ledger, as far as it was read.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    decided: BTreeMap<String, Plan>,
    /// Decisions that planned to delete this lock, oldest first.
    releases: BTreeMap<String, Vec<String>>,
    /// Steps of which the end is not recorded.
    open: BTreeMap<String, BTreeSet<What>>,
    /// Requests of which the newest decision leaves them to people.
    left: BTreeSet<String>,
    /// Steps that the ledger says were done, or reviewed, and their decisions.
    applied: BTreeSet<(String, What)>,
    /// Steps that the server saw done, and their decisions.
    seen: BTreeSet<(String, What)>,
    pub(crate) counts: Counts,
    pub(crate) unexplained: Vec<String>,
}

#[derive(Debug)]
struct Plan {
    at_ms: i64,
    steps: BTreeSet<What>,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) lines: u64,
    pub(crate) decisions: u64,
    pub(crate) retries: u64,
    pub(crate) superseded: u64,
    pub(crate) blind: u64,
    pub(crate) alarms: BTreeMap<String, u64>,
    pub(crate) starts: u64,
}

// === impl Evidence ===

impl Evidence {
    /// Takes in a line of the ledger.
    pub(crate) fn take(&mut self, line: Line) {
        self.counts.lines += 1;
        match line.body {
            Body::Decided(decided) => self.decided(&line.at, decided),
            Body::Outcome(outcome) => self.outcome(outcome),
            Body::Lifecycle(lifecycle) => match lifecycle.what.as_str() {
                "started" => self.counts.starts += 1,
                "view-incomplete" => self.counts.blind += 1,
                "alarm" => *self.counts.alarms.entry(lifecycle.detail).or_default() += 1,
                _ => {}
            },
        }
    }

    fn decided(&mut self, at: &str, decided: Decided) {
        self.counts.decisions += 1;
        let at_ms = at.parse().map_or(i64::MAX, jiff::Timestamp::as_millisecond);
        let Decided { id, dry_run, verdict, request, locks, releases } = decided;
        if dry_run {
            self.unexplained.push(format!("decision `{id}` is of a dry run, and this was none"));
        }
        let mut steps: BTreeSet<What> = locks.into_iter().map(|lock| What::Locked(lock.name)).collect();
        for name in releases {
            self.releases.entry(name.clone()).or_default().push(id.clone());
            steps.insert(What::Unlocked(name));
        }
        if let Some(request) = request.map(|request| request.id) {
            self.left.remove(&request);
            match verdict.as_deref() {
                Some("approve") => drop(steps.insert(What::Approved(request))),
                Some("deny") => drop(steps.insert(What::Denied(request))),
                Some(_) | None => drop(self.left.insert(request)),
            }
        }
        if !steps.is_empty() {
            self.open.insert(id.clone(), steps.clone());
        }
        if self.decided.insert(id.clone(), Plan { at_ms, steps }).is_some() {
            self.unexplained.push(format!("decision `{id}` stands in the ledger twice"));
        }
    }

    fn outcome(&mut self, outcome: Outcome) {
        let Outcome { decision, step, result } = outcome;
        match (result.is.as_str(), result.class.as_deref()) {
            ("failed", Some("retry")) => self.counts.retries += 1,
            ("superseded", _) => self.counts.superseded += 1,
            _ => {}
        }
        let of = step.of.unwrap_or_default();
        let what = match step.does.as_str() {
            "approve" => What::Approved(of),
            "deny" => What::Denied(of),
            "lock" => What::Locked(of),
            "unlock" => What::Unlocked(of),
            _ => return drop(self.open.remove(&decision)),
        };
        if let Some(steps) = self.open.get_mut(&decision) {
            steps.remove(&what);
            if steps.is_empty() {
                self.open.remove(&decision);
            }
        }
        if ["applied", "reviewed"].contains(&result.is.as_str()) {
            self.applied.insert((decision, what));
        }
    }

    /// Looks for the decisions behind these changes, all of which must stand in what was read by now.
    pub(crate) fn explain(&mut self, writes: Vec<Write>) {
        for write in writes {
            let decision = match (&write.what, &write.decision) {
                (What::Unlocked(name), _) => self.release(name, &write),
                (What::Approved(_) | What::Denied(_) | What::Locked(_), decision) => decision.clone(),
            };
            if let Err(why) = self.explain_one(decision.as_deref(), &write) {
                self.unexplained.push(format!("change {}, {:?}: {why}", write.sequence, write.what));
            }
        }
    }

    fn explain_one(&mut self, decision: Option<&str>, write: &Write) -> Result<(), String> {
        let decision = decision.ok_or("no decision stands behind it")?;
        let plan = self.decided.get(decision).ok_or_else(|| format!("decision `{decision}` is not in the ledger"))?;
        if !plan.steps.contains(&write.what) {
            return Err(format!("decision `{decision}` planned {:?}", plan.steps));
        }
        if plan.at_ms > write.at.unix_ms() {
            return Err(format!("decision `{decision}` was made after it, at {}", plan.at_ms));
        }
        if !self.seen.insert((decision.to_owned(), write.what.clone())) {
            return Err(format!("decision `{decision}` did it twice"));
        }
        Ok(())
    }

    /// The newest decision that planned to delete this lock before it was deleted, and that did not do so already.
    fn release(&self, name: &str, write: &Write) -> Option<String> {
        let at_ms = write.at.unix_ms();
        let before = |id: &&String| {
            self.decided.get(*id).is_some_and(|plan| plan.at_ms <= at_ms)
                && !self.seen.contains(&((*id).clone(), write.what.clone()))
        };
        self.releases.get(name)?.iter().rev().find(before).cloned()
    }

    /// Resolutions that the ledger claims and the server never saw. Call it when all writes were explained.
    pub(crate) fn false_claims(&self) -> Vec<String> {
        let resolves = |what: &What| matches!(what, What::Approved(_) | What::Denied(_));
        let claims = self.applied.iter().filter(|(_, what)| resolves(what));
        let wrong = claims.filter(|claim| !self.seen.contains(*claim));
        wrong.map(|(decision, what)| format!("decision `{decision}` claims {what:?}, which never was")).collect()
    }

    /// Steps that the server saw done, and of which the ledger does not say so: their reply was lost, and so was the look
    /// that should have told.
    pub(crate) fn unclaimed(&self) -> usize {
        self.seen.difference(&self.applied).count()
    }

    pub(crate) fn is_left(&self, request: &str) -> bool {
        self.left.contains(request)
    }

    /// Decisions with steps of which the end is not recorded.
    pub(crate) fn open(&self) -> Vec<String> {
        self.open.iter().map(|(decision, steps)| format!("`{decision}`: {steps:?}")).collect()
    }
}

#[cfg(test)]
#[path = "evidence/tests.rs"] // `week` uses this file as well
mod tests;
