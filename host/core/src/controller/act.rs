//! Carrying a plan out, law 2: the intent is made durable, everything is read once more, [locks] are written and seen in
//! force, the request is read once more, and only then [resolved](resolution). What changed meanwhile is judged anew.

mod locks;
mod resolution;

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Load;
use super::plan::Planned;
use super::state::{Phase, Plan, Progress, Round, SubjectState, Turn};
use super::view::Concerns;
use super::{Controller, Settings};
use crate::action::{Action, Fresh, Reply, Resolution, ResolveWith, Ticket};
use crate::failure::{Failure, FailureClass};
use crate::lock::{Lock, LockName};
use crate::record::{Decided, Lifecycle, Outcome, Record, Step, StepResult};
use crate::request::AccessRequest;

/// A decision older than this is not carried out any more: it was made at another time of day, so to speak.
const DECISION_AGE_MAX: Duration = Duration::from_secs(60);

impl Controller {
    /// Law 5: the intent goes to the ledger before anything else happens.
    pub(crate) fn record_plan(&mut self, turn: &mut Turn<'_>, round: Round, planned: Planned) {
        let Planned { plan, decided } = planned;
        if self.settings.dry_run {
            return self.rehearse(turn, round, decided);
        }
        let load = Load {
            actions: plan.writes.len() + plan.releases.len() + usize::from(plan.resolution.is_some()),
            locks: takes_away(&plan).then_some(turn.user),
        };
        if self.has_tripped() {
            self.undecided();
            return self.end_round(turn, true);
        }
        let Settings { poll_interval, round: limits, .. } = &self.settings;
        if let Err(why) = self.breaker.admit(turn.now, *poll_interval, limits, &load, self.view.users_count()) {
            let record = Record::Lifecycle { at: turn.now, what: Lifecycle::BreakerTripped, detail: why };
            turn.out.push(Action::Record { ticket: None, record: Box::new(record) });
            if !mutant!(IgnoreTheBreaker) {
                self.undecided();
                return self.end_round(turn, true);
            }
        }
        let record = Box::new(Record::Decided(Box::new(decided)));
        if mutant!(ForgetIntents) {
            return self.check(turn, round, plan);
        }
        let ticket = self.ticket(turn.user);
        turn.out.push(Action::Record { ticket: Some(ticket), record });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Recording));
    }

    /// A dry run: the decision is recorded, once for as long as it stays the same, and nothing is done.
    fn rehearse(&mut self, turn: &mut Turn<'_>, round: Round, decided: Decided) {
        let standing = decided.request.is_none();
        let told = match (self.subjects.get_mut(turn.user), &decided.request, &decided.decision) {
            (Some(state), Some(request), Some(decision)) => {
                state.told.insert(request.id.clone(), decision.clone()).as_ref() == Some(decision)
            }
            (Some(state), _, _) => {
                let wanted: Vec<LockName> = decided.locks.iter().map(|(lock, _)| lock.name.clone()).collect();
                let wanted = (wanted, decided.releases.clone());
                state.told_rehearsal.replace(wanted.clone()) == Some(wanted)
            }
            (None, _, _) => true,
        };
        if !told {
            turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Decided(Box::new(decided))) });
        }
        if standing { self.finish_round(turn, &round) } else { self.next_in_round(turn, round) }
    }

    pub(crate) fn acted(
        &mut self,
        turn: &mut Turn<'_>,
        round: Round,
        plan: Plan,
        phase: Phase,
        ticket: Ticket,
        reply: Reply,
    ) {
        match (phase, reply) {
            (Phase::Recording, Reply::Recorded(Ok(()))) => {
                if mutant!(ApproveBeforeLock) && plan.resolution.is_some() {
                    self.resolve(turn, round, plan);
                } else if plan.writes.is_empty() && plan.releases.is_empty() {
                    self.confirm(turn, round, plan);
                } else {
                    self.check(turn, round, plan);
                }
            }
            (Phase::Recording, Reply::Recorded(Err(_))) if mutant!(IgnoreTheLedger) => {
                self.check(turn, round, plan);
            }
            (Phase::Recording, Reply::Recorded(Err(why))) => {
                // Law 5: nothing was recorded, so nothing is done.
                let detail = format!("the ledger cannot be written, so nothing is enforced: {why}");
                self.alarm(turn, detail);
                self.give_up(turn, round, &plan, FailureClass::Alarm);
            }
            (Phase::Checking, Reply::Reread(Ok(fresh))) => self.checked(turn, round, plan, fresh),
            (Phase::Locking(mut locking), Reply::Written(result)) => {
                if let Some(name) = locking.under_way.remove(&ticket) {
                    match result {
                        Ok(()) => self.lock_done(turn, &plan, &name),
                        Err(failure) => locking.failed.push((name, failure)),
                    }
                }
                self.locked(turn, round, plan, locking);
            }
            (Phase::VerifyingLocks(failed), Reply::Reread(Ok(fresh))) => {
                self.locks_verified(turn, round, plan, failed, fresh);
            }
            // Nobody knows whether it was done: the ledger is told nothing, so that the steps stay open there, and the
            // next start says what the cluster shows.
            (Phase::VerifyingLocks(_) | Phase::VerifyingResolution(_), Reply::Reread(Err(_))) => {
                self.may_be_resolved(turn, &plan);
                self.give_up(turn, round, &plan, FailureClass::Retry);
            }
            (Phase::Confirming, Reply::Reread(Ok(fresh))) => self.confirmed(turn, round, plan, fresh),
            (Phase::Checking | Phase::Confirming, Reply::Reread(Err(failure))) => {
                let class = failure.class;
                self.outcome(turn, &plan, Step::Decision, StepResult::Failed(failure));
                self.give_up(turn, round, &plan, class);
            }
            (Phase::Resolving, Reply::Written(Ok(()))) => match self.settings.resolve_with {
                ResolveWith::State => self.resolved(turn, round, &plan),
                ResolveWith::Review => self.reviewed(turn, round, plan),
            },
            (Phase::Resolving, Reply::Written(Err(_))) if mutant!(RepeatBlindly) => self.resolve(turn, round, plan),
            (Phase::Resolving, Reply::Written(Err(failure))) => {
                self.reread_resolved(turn, round, plan, Phase::VerifyingResolution(failure));
            }
            (Phase::ReadingReviewed, Reply::Reread(fresh)) => self.review_read(turn, round, &plan, fresh.ok()),
            (Phase::VerifyingResolution(failure), Reply::Reread(Ok(fresh))) => {
                self.resolution_verified(turn, round, &plan, failure, fresh);
            }
            (
                Phase::Recording
                | Phase::Checking
                | Phase::Locking(_)
                | Phase::VerifyingLocks(_)
                | Phase::Confirming
                | Phase::Resolving
                | Phase::VerifyingResolution(_)
                | Phase::ReadingReviewed,
                Reply::Opinion(_)
                | Reply::Orders(_)
                | Reply::Subject(_)
                | Reply::Recorded(_)
                | Reply::Reread(_)
                | Reply::Written(_),
            ) => {
                let failure = Failure::new(FailureClass::Retry, "a reply of another kind came back");
                self.outcome(turn, &plan, Step::Decision, StepResult::Failed(failure));
                self.give_up(turn, round, &plan, FailureClass::Retry);
            }
        }
    }

    /// Why a plan must not be carried on, given what the server says now: something that it stands on is not so any
    /// more.
    fn outdated(&self, turn: &Turn<'_>, plan: &Plan, fresh: &Fresh) -> Option<&'static str> {
        if self.is_blind(turn.now) {
            Some("the view became incomplete")
        } else if self.has_tripped() {
            Some("the breaker tripped")
        } else if turn.now.since(plan.judged) > DECISION_AGE_MAX {
            Some("it took too long")
        } else if !mutant!(TrustTheSnapshot) && !same_requests(plan, fresh) {
            Some("a request changed meanwhile")
        } else if !mutant!(TrustTheSnapshot) && self.sight(turn.now).basis(turn.user) != plan.basis {
            Some("what it was decided on changed meanwhile")
        } else {
            None
        }
    }

    /// Something changed under our hands: what the plan was about is judged anew.
    fn supersede(&mut self, turn: &mut Turn<'_>, round: Round, plan: &Plan, why: &str) {
        self.outcome(turn, plan, Step::Decision, StepResult::Superseded(why.to_owned()));
        match &plan.resolution {
            Some(resolution) => self.judge_anew(turn, round, resolution.request.clone()),
            None => self.start_anew(turn, round),
        }
    }

    /// A lock failed: what would have followed from the plan after its locks does not, and the ledger is told so.
    fn give_up_rest(&mut self, turn: &mut Turn<'_>, plan: &Plan) {
        if plan.resolution.is_some() || !(plan.writes.is_empty() || plan.releases.is_empty()) {
            let why = "a lock before it failed".to_owned();
            self.outcome(turn, plan, Step::Decision, StepResult::Superseded(why));
        }
    }

    /// A step failed: the round goes on with what else there is, and is repeated after a pause.
    fn give_up(&mut self, turn: &mut Turn<'_>, mut round: Round, plan: &Plan, class: FailureClass) {
        round.failed = true;
        round.unfinished |= match class {
            FailureClass::Retry => true,
            FailureClass::Settle | FailureClass::Alarm => false,
        };
        // A newer request must not overtake an older one just because a reply was late, but it does not wait for ever.
        let patient = self.subjects.get(turn.user).is_some_and(SubjectState::is_patient);
        if round.unfinished && patient {
            round.waiting.clear();
        }
        match plan.resolution {
            Some(_) => self.next_in_round(turn, round),
            None => self.end_round(turn, true),
        }
    }

    /// Takes what was read into the view: the plan's requests, and the locks of these names.
    fn take_in(&mut self, turn: &Turn<'_>, plan: &Plan, locks: Vec<LockName>, fresh: Fresh) {
        for (asked, there) in plan.requests.iter().zip(fresh.requests) {
            let concerns = match there {
                Some(request) => self.view.put_request(request),
                None => self.view.remove_request(&asked.id),
            };
            self.wake_others(turn, concerns);
        }
        for (name, there) in locks.into_iter().zip(fresh.locks) {
            self.take_in_lock(turn, &name, there);
        }
    }

    fn take_in_lock(&mut self, turn: &Turn<'_>, name: &LockName, there: Option<Lock>) {
        let concerns = match there {
            Some(lock) => self.view.put_lock(lock),
            None => self.view.remove_lock(name),
        };
        self.wake_others(turn, concerns);
    }

    /// What one subject's round read may be news to others: the stream will not tell the view anything new of it. The round
    /// itself goes by what it read, and nobody is forgotten in the middle of it, as waking everybody would.
    fn wake_others(&mut self, turn: &Turn<'_>, concerns: Concerns) {
        let others = match concerns {
            Concerns::Nobody => Vec::new(),
            Concerns::User(user) => vec![user],
            Concerns::Everybody => self.view.users().cloned().collect(),
        };
        for user in others.iter().filter(|user| *user != turn.user) {
            self.wake(user);
        }
    }

    fn outcome(&mut self, turn: &mut Turn<'_>, plan: &Plan, step: Step, result: StepResult) {
        if let (StepResult::Applied | StepResult::Reviewed(_), Some(state)) =
            (&result, self.subjects.get_mut(turn.user))
        {
            state.enforced = true;
        }
        let outcome = Outcome { decision: plan.id.clone(), at: turn.now, step, result };
        turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Outcome(outcome)) });
    }

    fn alarm(&self, turn: &mut Turn<'_>, detail: String) {
        let record = Record::Lifecycle { at: turn.now, what: Lifecycle::Alarm, detail };
        turn.out.push(Action::Record { ticket: None, record: Box::new(record) });
    }
}

/// Whether a plan locks what is held, and gives nothing for it.
fn takes_away(plan: &Plan) -> bool {
    plan.resolution.is_none() && plan.writes.iter().any(|(_, there)| there.is_none())
}

fn resolve_step(resolution: &Resolution) -> Step {
    if resolution.approve { Step::Approve(resolution.request.clone()) } else { Step::Deny(resolution.request.clone()) }
}

fn lock_step(plan: &Plan, name: &LockName) -> Step {
    if plan.releases.iter().any(|lock| lock.name == *name) {
        Step::Unlock(name.clone())
    } else {
        Step::Lock(name.clone())
    }
}

/// The locks that a plan writes, deletes or stands on, and what must be there by their names before.
fn locks_before(plan: &Plan) -> impl Iterator<Item = (&LockName, Option<&Lock>)> {
    let writes = plan.writes.iter().map(|(lock, there)| (&lock.name, there.as_ref()));
    writes.chain(plan.releases.iter().chain(&plan.relies_on).map(|lock| (&lock.name, Some(lock))))
}

/// The locks that must be in force before a plan resolves its request.
fn locks_after(plan: &Plan) -> impl Iterator<Item = &Lock> {
    plan.writes.iter().map(|(lock, _)| lock).chain(&plan.relies_on)
}

fn is_as_wanted(there: &Lock, wanted: &Lock) -> bool {
    there.target == wanted.target && there.expires == wanted.expires
}

fn same_requests(plan: &Plan, fresh: &Fresh) -> bool {
    // The one that is resolved must be the very same; of the others what a policy sees.
    let resolved = usize::from(plan.resolution.is_some());
    let alike = |(at, (judged, there)): (usize, (&Arc<AccessRequest>, &Option<AccessRequest>))| {
        let there = there.as_ref();
        there.is_some_and(|there| if at < resolved { **judged == *there } else { judged.looks_like(there) })
    };
    plan.requests.len() == fresh.requests.len() && plan.requests.iter().zip(&fresh.requests).enumerate().all(alike)
}
