//! What one turn of a daemon leaves to its next: steps of its decisions that nobody knows the outcome of, and a breaker
//! that tripped. It must never forget a step that is planned and not accounted for, nor release the breaker by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use tribunal_core::Timestamp;
use tribunal_core::record::{DecisionId, Lifecycle, Record, Step};

/// A decision is carried out within a minute, and each of the calls for it ends within another.
const OVERDUE_AFTER: Duration = Duration::from_secs(300);
/// More decisions than this are looked up another time.
const OVERDUE_AT_ONCE_MAX: usize = 16;

/// What is open.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Steps without outcome, by decision, and when it was made or they were looked up last.
    steps: BTreeMap<DecisionId, (Timestamp, Vec<Step>)>,
    /// Why the breaker tripped, if nobody has released it since.
    tripped: Option<String>,
}

// === impl Open ===

impl Open {
    /// Nothing is open, and the breaker may have tripped before.
    pub(super) fn new(tripped: Option<String>) -> Self {
        Self { tripped, ..Self::default() }
    }

    /// Takes in what goes into the ledger.
    pub(super) fn follow(&mut self, record: &Record) {
        match record {
            Record::Decided(decided) => {
                let steps = decided.steps();
                if !steps.is_empty() {
                    self.steps.insert(decided.id.clone(), (decided.at, steps));
                }
            }
            Record::Outcome(outcome) => {
                let Some((_, steps)) = self.steps.get_mut(&outcome.decision) else { return };
                match &outcome.step {
                    Step::Decision => steps.clear(),
                    step @ (Step::Lock(_) | Step::Unlock(_) | Step::Approve(_) | Step::Deny(_)) => {
                        steps.retain(|planned| planned != step);
                    }
                }
                if steps.is_empty() {
                    self.steps.remove(&outcome.decision);
                }
            }
            Record::Lifecycle { at: _, what, detail } => match what {
                Lifecycle::BreakerTripped => self.tripped = Some(detail.clone()),
                Lifecycle::BreakerReleased => self.tripped = None,
                Lifecycle::Started
                | Lifecycle::Stopped
                | Lifecycle::ViewIncomplete
                | Lifecycle::ViewComplete
                | Lifecycle::Alarm
                | Lifecycle::StandbyBegan
                | Lifecycle::Leading
                | Lifecycle::PanelChanged
                | Lifecycle::PanelRefused
                | Lifecycle::ConfigurationRead
                | Lifecycle::IdentityChanged
                | Lifecycle::Quarantined
                | Lifecycle::QuarantineEnded
                | Lifecycle::Overridden
                | Lifecycle::Erased
                | Lifecycle::Archived => {}
            },
        }
    }

    /// All steps; they are looked up now.
    pub(super) fn take_steps(&mut self) -> Vec<(DecisionId, Vec<Step>)> {
        std::mem::take(&mut self.steps).into_iter().map(|(decision, (_, steps))| (decision, steps)).collect()
    }

    /// Steps of which so much time has passed that no call about them can be under way any more: their replies were lost.
    /// They stay open until an outcome is taken in, and are overdue again after as long.
    pub(super) fn overdue(&mut self, now: Timestamp) -> Vec<(DecisionId, Vec<Step>)> {
        let mut overdue = Vec::new();
        for (decision, (since, steps)) in &mut self.steps {
            if now.since(*since) >= OVERDUE_AFTER && overdue.len() < OVERDUE_AT_ONCE_MAX {
                *since = now;
                overdue.push((decision.clone(), steps.clone()));
            }
        }
        overdue
    }

    /// Whether nothing is known of this step.
    pub(super) fn has(&self, decision: &DecisionId, step: &Step) -> bool {
        self.steps.get(decision).is_some_and(|(_, steps)| steps.contains(step))
    }

    /// Why the breaker is tripped, if it is.
    pub(super) fn tripped(&self) -> Option<&str> {
        self.tripped.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use tribunal_core::lock::LockName;
    use tribunal_core::record::{Decided, Outcome, StepResult};
    use tribunal_core::request::UserName;

    use super::*;

    fn decided(id: &str, releases: &[&str]) -> Record {
        Record::Decided(Box::new(Decided {
            id: DecisionId::new(id),
            at: Timestamp::from_secs(1),
            user: UserName::new("alice"),
            request: None,
            decision: None,
            evaluations: Vec::new(),
            enforcements: Vec::new(),
            locks: Vec::new(),
            releases: releases.iter().copied().map(LockName::new).collect(),
            reason: String::new(),
            panel: None,
            case: None,
            dry_run: false,
        }))
    }

    fn done(id: &str, step: Step) -> Record {
        let (decision, at) = (DecisionId::new(id), Timestamp::from_secs(2));
        Record::Outcome(Outcome { decision, at, step, result: StepResult::Applied })
    }

    #[test]
    fn what_is_planned_stays_open_until_each_step_is_accounted_for() {
        let unlock = |name| Step::Unlock(LockName::new(name));
        let mut open = Open::default();
        let records = [
            decided("a-1", &["x", "y"]),
            decided("a-2", &["z"]),
            decided("a-3", &[]),
            decided("a-4", &["v", "w"]),
            done("a-1", unlock("x")),
            done("a-2", unlock("z")),
            done("a-4", Step::Decision),
            done("b-9", unlock("y")),
        ];
        records.iter().for_each(|record| open.follow(record));
        assert_eq!(open.take_steps(), [(DecisionId::new("a-1"), vec![unlock("y")])]);
        assert_eq!(open.take_steps(), []);
    }

    #[test]
    fn what_nothing_is_heard_of_is_overdue_and_again_until_something_is() {
        let unlock = |name| Step::Unlock(LockName::new(name));
        let at = |seconds: u64| Timestamp::from_secs(1 + seconds);
        let mut open = Open::default();
        open.follow(&decided("a-1", &["x"]));
        assert_eq!(open.overdue(at(299)), []);
        assert_eq!(open.overdue(at(300)), [(DecisionId::new("a-1"), vec![unlock("x")])]);
        assert_eq!(open.overdue(at(301)), [], "it is being looked up");
        assert_eq!(open.overdue(at(600)).len(), 1, "which failed");
        assert!(open.has(&DecisionId::new("a-1"), &unlock("x")));
        open.follow(&done("a-1", unlock("x")));
        assert!(!open.has(&DecisionId::new("a-1"), &unlock("x")));
        assert_eq!(open.overdue(at(1_000)), []);
    }

    #[test]
    fn a_breaker_that_tripped_stays_so_until_it_is_released() {
        let mut open = Open::default();
        let mut follow = |what| {
            open.follow(&Record::Lifecycle { at: Timestamp::from_secs(1), what, detail: "too much".to_owned() });
            open.tripped().map(str::to_owned)
        };
        assert_eq!(follow(Lifecycle::Started), None);
        assert_eq!(follow(Lifecycle::BreakerTripped).as_deref(), Some("too much"));
        assert_eq!(follow(Lifecycle::StandbyBegan).as_deref(), Some("too much"));
        assert_eq!(follow(Lifecycle::BreakerReleased), None);
    }
}
