//! What a ledger adds up to: decisions by rule, how long they took, what is held, for how many hours. It counts what is
//! recorded, and never guesses what is not.

mod access;
mod itself;
mod row;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use serde::Serialize;
use tribunal_core::Timestamp;

use self::access::Accesses;
pub use self::access::{Held, Hours};
pub use self::itself::{Happening, Itself, Run, itself};
use self::row::{Result, Row, Step};
use crate::reader::{self, ReadError};
use crate::schema::{Time, Verdict};
use crate::search::damage;
use crate::search::scan::scan;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// How many rows may pass before accesses that are over are added up.
const ROWS_BETWEEN_SWEEPS: u64 = 10_000;

/// What a ledger adds up to, in some time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// The first record and the last that counted.
    pub range: Option<(Time, Time)>,
    /// Decisions.
    pub decisions: Counts,
    /// Decisions that only rehearsed; they count nowhere else.
    pub rehearsed: u64,
    /// Users that there were decisions about.
    pub users: u64,
    /// What became of the steps.
    pub steps: Steps,
    /// Each rule, as `policy/rule`: what it brought about.
    pub rules: BTreeMap<String, Counts>,
    /// Each policy: what it brought about.
    pub policies: BTreeMap<String, Counts>,
    /// Each policy: how often it did not answer.
    pub faults: BTreeMap<String, u64>,
    /// From the making of a request to its approval or denial by the daemon.
    pub took: Option<Took>,
    /// Each day, by its first millisecond: what was decided.
    pub days: BTreeMap<Time, Counts>,
    /// What the daemon gave and nobody has lost yet.
    pub held: Vec<Held>,
    /// Hours of access, over all requests.
    pub hours: Hours,
    /// States that separation of duties forbids and that did not come about.
    pub separation: Prevented,
}

/// How often something was decided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Approvals.
    pub approved: u64,
    /// Denials.
    pub denied: u64,
    /// Requests that were left to people.
    pub left: u64,
    /// Requests that no policy had anything to say about.
    pub nothing: u64,
    /// Locks.
    pub locked: u64,
    /// Locks that were taken away.
    pub released: u64,
}

/// What became of steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Steps {
    /// In force.
    pub done: u64,
    /// Reviews that were given.
    pub reviewed: u64,
    /// Refused, or lost.
    pub failed: u64,
    /// Not done, since the world had changed.
    pub superseded: u64,
    /// Decisions with steps of which nothing is recorded yet.
    pub open: u64,
}

/// How long something took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Took {
    /// How often it was measured.
    pub count: u64,
    /// Half of them took no longer.
    pub median_ms: u64,
    /// Nine of ten took no longer.
    pub ninth_decile_ms: u64,
    /// The longest.
    pub max_ms: u64,
}

/// What separation of duties kept from coming about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prevented {
    /// Requests that were denied for it.
    pub denied: u64,
    /// Held requests that were locked for it.
    pub locked: u64,
    /// Requests that were left to people for it.
    pub left: u64,
}

/// From when to when, and which policies separate duties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// Not before.
    pub since: Option<Time>,
    /// Before.
    pub until: Option<Time>,
    /// The names of the policies whose denials and locks are separation of duties.
    pub separation: BTreeSet<String>,
}

/// A decision of which steps are expected.
struct Planned {
    steps: usize,
    /// The request, when it was made, and whether it is approved.
    request: Option<(String, Time)>,
    locks: HashMap<String, Option<String>>,
}

struct Adding<'a> {
    period: &'a Period,
    figures: Figures,
    users: BTreeSet<String>,
    planned: HashMap<String, Planned>,
    took_ms: Vec<u64>,
    accesses: Accesses,
    rows: u64,
}

/// What the ledger in this directory adds up to at `now`.
///
/// # Errors
/// When it cannot be read.
pub fn figures(directory: &Path, period: &Period, now: Timestamp) -> std::result::Result<Figures, ReadError> {
    let mut adding = Adding {
        period,
        figures: Figures::default(),
        users: BTreeSet::new(),
        planned: HashMap::new(),
        took_ms: Vec::new(),
        accesses: Accesses::new(period.since.map(Into::into)),
        rows: 0,
    };
    for segment in reader::segments(directory)? {
        scan(&segment, &[b"\"kind\":".to_vec()], |offset, line| {
            let row = Row::parse(line).map_err(|error| damage(&segment, offset, error.to_string()))?;
            adding.take(row);
            Ok(())
        })?;
    }
    let end = period.until.map_or(now, |until| Timestamp::from(until).min(now));
    Ok(adding.end(end))
}

// === impl Adding ===

impl Adding<'_> {
    fn take(&mut self, row: Row) {
        if self.period.until.is_some_and(|until| row.at() >= until) {
            return;
        }
        self.rows = self.rows.saturating_add(1);
        if self.rows.is_multiple_of(ROWS_BETWEEN_SWEEPS) {
            self.accesses.sweep(row.at().into());
        }
        let counts = self.period.since.is_none_or(|since| row.at() >= since);
        if counts {
            let first = self.figures.range.map_or(row.at(), |(first, _)| first);
            self.figures.range = Some((first, row.at()));
        }
        match row {
            Row::Decided(decided) => self.decided(*decided, counts),
            Row::Outcome(outcome) => self.outcome(&outcome, counts),
            Row::Lifecycle(_) => {}
        }
    }

    fn decided(&mut self, decided: row::Decided, counts: bool) {
        let row::Decided { at, id, user, dry_run, verdict, determined_by, request, locks, releases, evaluations } =
            decided;
        if dry_run {
            self.figures.rehearsed = self.figures.rehearsed.saturating_add(u64::from(counts));
            return;
        }
        let rules = determined_by.map(|by| by.rules).unwrap_or_default();
        if counts {
            let day = Time::from(Timestamp::from_millis(Timestamp::from(at).as_millis() / DAY_MS * DAY_MS));
            let figures = &mut self.figures;
            let wrote = Counts { locked: locks.len() as u64, released: releases.len() as u64, ..Counts::of(verdict) };
            figures.decisions.add(wrote);
            figures.days.entry(day).or_default().add(wrote);
            let mut policies = BTreeSet::new();
            for rule in &rules {
                figures.rules.entry(rule.clone()).or_default().add(Counts::of(verdict));
                policies.insert(policy(rule));
            }
            for policy in &policies {
                figures.policies.entry((*policy).to_owned()).or_default().add(Counts::of(verdict));
            }
            for lock in &locks {
                let one = Counts { locked: 1, ..Counts::default() };
                figures.rules.entry(lock.rule.clone()).or_default().add(one);
                figures.policies.entry(policy(&lock.rule).to_owned()).or_default().add(one);
                let separates = self.period.separation.contains(policy(&lock.rule));
                figures.separation.locked = figures.separation.locked.saturating_add(u64::from(separates));
            }
            if policies.iter().any(|policy| self.period.separation.contains(*policy)) {
                figures.separation.count(verdict);
            }
            for evaluation in evaluations.iter().filter(|evaluation| evaluation.fault.is_some()) {
                let faults = figures.faults.entry(evaluation.policy.clone()).or_default();
                *faults = faults.saturating_add(1);
            }
            if !self.users.contains(&user) {
                self.users.insert(user.clone());
            }
        }
        let resolves = matches!(verdict, Some(Verdict::Approve | Verdict::Deny));
        let steps = locks.len().saturating_add(releases.len()).saturating_add(usize::from(resolves));
        let about = request.as_ref().filter(|_| resolves).map(|request| (request.id.clone(), request.created));
        if let Some(request) = request {
            self.accesses.asked(at.into(), user, request);
        }
        if steps > 0 {
            let locks = locks.into_iter().map(|lock| (lock.name, lock.target.access_request)).collect();
            self.planned.insert(id, Planned { steps, request: about, locks });
        }
    }

    fn outcome(&mut self, outcome: &row::Outcome, counts: bool) {
        let row::Outcome { at, decision, step, result } = outcome;
        let at = *at;
        let steps = &mut self.figures.steps;
        if counts {
            let count = match result {
                Result::Applied => &mut steps.done,
                Result::Reviewed {} => &mut steps.reviewed,
                Result::Failed {} => &mut steps.failed,
                Result::Superseded {} => &mut steps.superseded,
            };
            *count = count.saturating_add(1);
        }
        let Some(planned) = self.planned.get_mut(decision) else { return };
        let in_force = matches!(result, Result::Applied);
        match step {
            Step::Approve(request) | Step::Deny(request) => {
                if let Some((_, created)) =
                    planned.request.as_ref().filter(|(id, _)| in_force && counts && id == request)
                {
                    let took = Timestamp::from(at).as_millis().saturating_sub(Timestamp::from(*created).as_millis());
                    self.took_ms.push(took);
                }
                if in_force && matches!(step, Step::Approve(_)) {
                    self.accesses.given(at.into(), request);
                }
            }
            Step::Lock(name) if in_force => {
                if let Some(request) = planned.locks.get(name).and_then(Option::as_ref) {
                    self.accesses.locked(at.into(), name, request);
                }
            }
            Step::Unlock(name) if in_force => self.accesses.unlocked(at.into(), name),
            Step::Lock(_) | Step::Unlock(_) | Step::Decision => {}
        }
        planned.steps = if *step == Step::Decision { 0 } else { planned.steps.saturating_sub(1) };
        if planned.steps == 0 {
            self.planned.remove(decision);
        }
    }

    fn end(mut self, end: Timestamp) -> Figures {
        self.took_ms.sort_unstable();
        let (held, hours) = self.accesses.end(end);
        Figures {
            users: self.users.len() as u64,
            steps: Steps { open: self.planned.len() as u64, ..self.figures.steps },
            took: Took::of(&self.took_ms),
            held,
            hours,
            ..self.figures
        }
    }
}

fn policy(rule: &str) -> &str {
    rule.split_once('/').map_or(rule, |(policy, _)| policy)
}

// === impl Counts ===

impl Counts {
    const NONE: Self = Self { approved: 0, denied: 0, left: 0, nothing: 0, locked: 0, released: 0 };

    const fn of(verdict: Option<Verdict>) -> Self {
        match verdict {
            Some(Verdict::Approve) => Self { approved: 1, ..Self::NONE },
            Some(Verdict::Deny) => Self { denied: 1, ..Self::NONE },
            Some(Verdict::Leave) => Self { left: 1, ..Self::NONE },
            Some(Verdict::Nothing) => Self { nothing: 1, ..Self::NONE },
            None => Self::NONE,
        }
    }

    const fn add(&mut self, other: Self) {
        let Self { approved, denied, left, nothing, locked, released } = other;
        self.approved = self.approved.saturating_add(approved);
        self.denied = self.denied.saturating_add(denied);
        self.left = self.left.saturating_add(left);
        self.nothing = self.nothing.saturating_add(nothing);
        self.locked = self.locked.saturating_add(locked);
        self.released = self.released.saturating_add(released);
    }
}

// === impl Prevented ===

impl Prevented {
    const fn count(&mut self, verdict: Option<Verdict>) {
        match verdict {
            Some(Verdict::Deny) => self.denied = self.denied.saturating_add(1),
            Some(Verdict::Leave) => self.left = self.left.saturating_add(1),
            Some(Verdict::Approve | Verdict::Nothing) | None => {}
        }
    }
}

// === impl Took ===

impl Took {
    fn of(sorted: &[u64]) -> Option<Self> {
        let max_ms = *sorted.last()?;
        // The smallest value that so many tenths of all are not above.
        let tenths = |tenths: usize| {
            let rank = sorted.len().saturating_mul(tenths).div_ceil(10).max(1);
            sorted.get(rank.saturating_sub(1)).copied().unwrap_or(max_ms)
        };
        Some(Self { count: sorted.len() as u64, median_ms: tenths(5), ninth_decile_ms: tenths(9), max_ms })
    }
}
