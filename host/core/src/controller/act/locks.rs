//! The locks of a plan: read right before they are written, and read again where nobody knows whether they were.

use super::super::Controller;
use super::super::state::{Locking, Phase, Plan, Progress, Round, Turn};
use super::{is_as_wanted, lock_step, locks_before};
use crate::action::{Action, Fresh};
use crate::failure::{Failure, FailureClass};
use crate::lock::LockName;
use crate::record::StepResult;

impl Controller {
    /// Law 4: reads everything that the plan touches or stands on, right before it is touched.
    pub(super) fn check(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        let ticket = self.ticket(turn.user);
        let requests = plan.requests.iter().map(|request| request.id.clone()).collect();
        let locks = locks_before(&plan).map(|(name, _)| name.clone()).collect();
        turn.out.push(Action::Reread { ticket, requests, locks });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Checking));
    }

    pub(super) fn checked(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, fresh: Fresh) {
        let locks_same = locks_before(&plan).map(|(_, there)| there).eq(fresh.locks.iter().map(Option::as_ref));
        let why =
            self.outdated(turn, &plan, &fresh).or((!locks_same).then_some("a lock changed before it was written"));
        if let Some(why) = why {
            let names = locks_before(&plan).map(|(name, _)| name.clone()).collect();
            self.take_in(turn, &plan, names, fresh);
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
    pub(super) fn lock_done(&mut self, turn: &mut Turn<'_>, plan: &Plan, name: &LockName) {
        let there = plan.writes.iter().find(|(lock, _)| lock.name == *name).map(|(lock, _)| lock.clone());
        self.take_in_lock(turn, name, there);
        self.outcome(turn, plan, lock_step(plan, name), StepResult::Applied);
    }

    /// Goes on once every lock write has been answered.
    pub(super) fn locked(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, locking: Locking) {
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
    pub(super) fn all_locked(&mut self, turn: &mut Turn<'_>, round: Round, mut plan: Plan) {
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
    pub(super) fn locks_verified(
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
            self.take_in_lock(turn, &name, there);
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
}
