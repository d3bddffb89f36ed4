//! Carrying a plan out, law 2: the intent is made durable, everything is read once more, locks are written and seen in
//! force, the request is read once more, and only then resolved. What changed meanwhile is judged anew.

use std::sync::Arc;
use std::time::Duration;

use super::breaker::Load;
use super::plan::Planned;
use super::state::{Locking, Phase, Plan, Progress, Refused, Round, SubjectState, Turn};
use super::sync::Object;
use super::{Controller, Settings};
use crate::action::{Action, Fresh, Reply, Resolution, ResolveWith, Ticket};
use crate::failure::{Failure, FailureClass};
use crate::lock::{Lock, LockName};
use crate::record::{Decided, Lifecycle, Outcome, Record, Step, StepResult};
use crate::request::{AccessRequest, Decider, RequestState, Review};

/// A decision older than this is not carried out any more: it was made at another time of day, so to speak.
const DECISION_AGE_MAX: Duration = Duration::from_secs(60);
/// A request that Teleport would not let us resolve is tried again after two poll intervals; that doubles so often less
/// one.
const REFUSED_DOUBLINGS_MAX: u32 = 6;

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

    /// Law 4: reads everything that the plan touches or stands on, right before it is touched.
    fn check(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        let ticket = self.ticket(turn.user);
        let requests = plan.requests.iter().map(|request| request.id.clone()).collect();
        let locks = locks_before(&plan).map(|(name, _)| name.clone()).collect();
        turn.out.push(Action::Reread { ticket, requests, locks });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Checking));
    }

    fn checked(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, fresh: Fresh) {
        let locks_same = locks_before(&plan).map(|(_, there)| there).eq(fresh.locks.iter().map(Option::as_ref));
        let why =
            self.outdated(turn, &plan, &fresh).or((!locks_same).then_some("a lock changed before it was written"));
        if let Some(why) = why {
            let names = locks_before(&plan).map(|(name, _)| name.clone()).collect();
            self.take_in(&plan, names, fresh);
            return self.supersede(turn, round, &plan, why);
        }
        let mut locking = Locking::default();
        for (lock, _) in &plan.writes {
            let ticket = self.ticket(turn.user);
            locking.under_way.insert(ticket, lock.name.clone());
            turn.out.push(Action::WriteLock { ticket, lock: Box::new(lock.clone()) });
        }
        // Locked first, released after: what is released may be what the new locks make room for.
        let releases = if plan.writes.is_empty() { plan.releases.as_slice() } else { &[] };
        for lock in releases {
            let ticket = self.ticket(turn.user);
            locking.under_way.insert(ticket, lock.name.clone());
            turn.out.push(Action::DeleteLock { ticket, name: lock.name.clone() });
        }
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Locking(locking)));
    }

    /// A lock is as the plan wants it.
    fn lock_done(&mut self, turn: &mut Turn<'_>, plan: &Plan, name: &LockName) {
        match plan.writes.iter().find(|(lock, _)| lock.name == *name) {
            Some((lock, _)) => self.view.put_lock(lock.clone()),
            None => self.view.remove_lock(name),
        };
        self.outcome(turn, plan, lock_step(plan, name), StepResult::Applied);
    }

    /// Goes on once every lock write has been answered.
    fn locked(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, locking: Locking) {
        if !locking.under_way.is_empty() {
            return self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Locking(locking)));
        }
        if !locking.failed.is_empty() {
            let ticket = self.ticket(turn.user);
            let locks = locking.failed.iter().map(|(name, _)| name.clone()).collect();
            turn.out.push(Action::Reread { ticket, requests: Vec::new(), locks });
            let phase = Phase::VerifyingLocks(locking.failed);
            return self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), phase));
        }
        self.all_locked(turn, round, plan);
    }

    /// The locks are as the plan wants them: goes on with what they were for.
    fn all_locked(&mut self, turn: &mut Turn<'_>, round: Round, mut plan: Plan) {
        if plan.resolution.is_some() {
            self.confirm(turn, round, plan);
        } else if plan.writes.is_empty() || plan.releases.is_empty() {
            self.finish_round(turn, &round);
        } else {
            plan.relies_on.extend(std::mem::take(&mut plan.writes).into_iter().map(|(lock, _)| lock));
            self.check(turn, round, plan);
        }
    }

    /// A reply may be lost after the write was done: what is there counts, not what was answered.
    fn locks_verified(
        &mut self,
        turn: &mut Turn<'_>,
        round: Round,
        plan: Plan,
        failed: Vec<(LockName, Failure)>,
        fresh: Fresh,
    ) {
        let mut worst = None;
        let mut there = fresh.locks.into_iter();
        for (name, failure) in failed {
            let there = there.next().flatten();
            let wanted = plan.writes.iter().find(|(lock, _)| lock.name == name).map(|(lock, _)| lock);
            let done = match (wanted, &there) {
                (Some(wanted), Some(there)) => is_as_wanted(there, wanted),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if done {
                self.lock_done(turn, &plan, &name);
                continue;
            }
            match there {
                Some(there) => self.view.put_lock(there),
                None => self.view.remove_lock(&name),
            };
            worst = worst.max(Some(failure.class));
            if failure.class == FailureClass::Alarm {
                self.alarm(turn, format!("lock `{name}` cannot be written: {failure}"));
            }
            self.outcome(turn, &plan, lock_step(&plan, &name), StepResult::Failed(failure));
        }
        match worst {
            Some(class) => {
                self.give_up_rest(turn, &plan);
                self.give_up(turn, round, &plan, class);
            }
            None => self.all_locked(turn, round, plan),
        }
    }

    /// Reads the locks that the resolution needs, and after them the request and what else was judged with it.
    fn confirm(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        if mutant!(SkipTheReread) {
            return self.resolve(turn, round, plan);
        }
        let ticket = self.ticket(turn.user);
        let requests = plan.requests.iter().map(|request| request.id.clone()).collect();
        let locks = locks_after(&plan).map(|lock| lock.name.clone()).collect();
        turn.out.push(Action::Reread { ticket, requests, locks });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Confirming));
    }

    fn confirmed(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, fresh: Fresh) {
        let in_force = |(wanted, there): (&Lock, &Option<Lock>)| {
            there.as_ref().is_some_and(|there| there.in_force(turn.now) && is_as_wanted(there, wanted))
        };
        let in_force =
            locks_after(&plan).count() == fresh.locks.len() && locks_after(&plan).zip(&fresh.locks).all(in_force);
        let why = self.outdated(turn, &plan, &fresh).or((!in_force).then_some("a lock that it needs is not in force"));
        if let Some(why) = why {
            let names = locks_after(&plan).map(|lock| lock.name.clone()).collect();
            self.take_in(&plan, names, fresh);
            return self.supersede(turn, round, &plan, why);
        }
        self.resolve(turn, round, plan);
    }

    fn resolve(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        let Some(resolution) = plan.resolution.clone() else {
            return self.finish_round(turn, &round);
        };
        let ticket = self.ticket(turn.user);
        self.may_be_resolved(turn, &plan);
        turn.out.push(Action::Resolve { ticket, resolution: Box::new(resolution) });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Resolving));
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

    /// From here on the request may give access, whatever becomes of the reply: no stale list must make us forget it.
    fn may_be_resolved(&mut self, turn: &Turn<'_>, plan: &Plan) {
        if let Some(resolution) = &plan.resolution {
            self.sync.learn(turn.now, Object::Request(resolution.request.clone()));
        }
    }

    /// Takes in what became of a request under our hands, which lists need not know yet.
    fn know(&mut self, turn: &Turn<'_>, request: AccessRequest) {
        self.sync.learn(turn.now, Object::Request(request.id.clone()));
        self.view.put_request(request);
    }

    /// The request is resolved: it counts as that from now on.
    fn resolved(&mut self, turn: &mut Turn<'_>, mut round: Round, plan: &Plan) {
        round.restarts = 0;
        if let (Some(request), Some(resolution)) = (plan.requests.first(), &plan.resolution) {
            let mut request = AccessRequest::clone(request);
            request.state = if resolution.approve { RequestState::Approved } else { RequestState::Denied };
            request.decided_by = Decider::Tribunal;
            request.decision = Some(resolution.decision.as_str().to_owned());
            request.resolve_reason.clone_from(&resolution.reason);
            if resolution.approve {
                // From now on the object lives as long as the access.
                request.request_expires = request.access_expires;
            }
            self.know(turn, request);
            self.outcome(turn, plan, resolve_step(resolution), StepResult::Applied);
        }
        self.next_in_round(turn, round);
    }

    /// Our review is on the request: it counts from now on, and what it brought about is read.
    fn reviewed(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        if let (Some(request), Some(resolution)) = (plan.requests.first(), &plan.resolution) {
            let mut request = AccessRequest::clone(request);
            request.reviews.push(Review {
                author: self.settings.own_user.clone(),
                state: if resolution.approve { RequestState::Approved } else { RequestState::Denied },
                reason: resolution.reason.clone(),
                created: turn.now,
            });
            self.know(turn, request);
        }
        self.reread_resolved(turn, round, plan, Phase::ReadingReviewed);
    }

    /// Where the request stands with our review is read. If that fails, or is of before it, nothing is lost: the review
    /// is known to be there, and lists and the watch will tell the rest.
    fn review_read(&mut self, turn: &mut Turn<'_>, mut round: Round, plan: &Plan, fresh: Option<Fresh>) {
        round.restarts = 0;
        let there = fresh.and_then(|fresh| fresh.requests.into_iter().next());
        let result = match there {
            Some(Some(request)) if request.carries(&plan.id) => {
                let state = request.state;
                self.know(turn, request);
                StepResult::Reviewed(state)
            }
            Some(_) | None => StepResult::Reviewed(RequestState::Unknown),
        };
        if let Some(resolution) = &plan.resolution {
            self.outcome(turn, plan, resolve_step(resolution), result);
        }
        self.next_in_round(turn, round);
    }

    /// Reads the request that a plan resolves.
    fn reread_resolved(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, phase: Phase) {
        let requests = plan.requests.iter().take(1).map(|request| request.id.clone()).collect();
        let ticket = self.ticket(turn.user);
        turn.out.push(Action::Reread { ticket, requests, locks: Vec::new() });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), phase));
    }

    fn resolution_verified(&mut self, turn: &mut Turn<'_>, round: Round, plan: &Plan, failure: Failure, fresh: Fresh) {
        let there = fresh.requests.first().and_then(Option::as_ref);
        let ours = there.filter(|request| request.carries(&plan.id)).cloned();
        if let (Some(request), Some(resolution)) = (ours, &plan.resolution) {
            let result = StepResult::of_resolution(&request, &plan.id);
            self.know(turn, request);
            self.outcome(turn, plan, resolve_step(resolution), result);
            return self.next_in_round(turn, round);
        }
        self.take_in(plan, Vec::new(), fresh);
        self.resolution_failed(turn, round, plan, failure);
    }

    fn resolution_failed(&mut self, turn: &mut Turn<'_>, round: Round, plan: &Plan, failure: Failure) {
        if failure.class == FailureClass::Alarm {
            self.alarm(turn, format!("a request cannot be resolved: {failure}"));
        }
        let step = plan.resolution.as_ref().map_or(Step::Decision, resolve_step);
        let class = failure.class;
        match class {
            FailureClass::Retry => {}
            FailureClass::Settle | FailureClass::Alarm => self.remember_refused(turn, plan),
        }
        self.outcome(turn, plan, step, StepResult::Failed(failure));
        self.give_up(turn, round, plan, class);
    }

    /// The request is left alone for a while, unless it changes.
    fn remember_refused(&mut self, turn: &Turn<'_>, plan: &Plan) {
        let Some(request) = plan.requests.first().and_then(|judged| self.view.request(&judged.id)).cloned() else {
            return;
        };
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        let times = state.refused.get(&request.id).map_or(0, |refused| refused.times).saturating_add(1);
        let pause = self.settings.poll_interval.saturating_mul(1 << times.min(REFUSED_DOUBLINGS_MAX));
        let refused = Refused { until: turn.now.after(pause), times, request };
        state.refused.insert(refused.request.id.clone(), refused);
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
    fn take_in(&mut self, plan: &Plan, locks: Vec<LockName>, fresh: Fresh) {
        for (asked, there) in plan.requests.iter().zip(fresh.requests) {
            match there {
                Some(request) => self.view.put_request(request),
                None => self.view.remove_request(&asked.id),
            };
        }
        for (name, there) in locks.into_iter().zip(fresh.locks) {
            match there {
                Some(lock) => self.view.put_lock(lock),
                None => self.view.remove_lock(&name),
            };
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
