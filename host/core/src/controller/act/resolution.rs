//! The resolution of a plan: right after everything that it stands on was read once more, and read again where nobody
//! knows whether it was done.

use super::super::Controller;
use super::super::state::{Phase, Plan, Progress, Refused, Round, Turn};
use super::super::sync::Object;
use super::{is_as_wanted, locks_after, resolve_step};
use crate::action::{Action, Fresh};
use crate::failure::{Failure, FailureClass};
use crate::lock::Lock;
use crate::record::{Step, StepResult};
use crate::request::{AccessRequest, Decider, RequestState, Review};

/// A request that Teleport would not let us resolve is tried again after two poll intervals; that doubles so often less
/// one.
const REFUSED_DOUBLINGS_MAX: u32 = 6;

impl Controller {
    /// Reads the locks that the resolution needs, and after them the request and what else was judged with it.
    pub(super) fn confirm(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        if mutant!(SkipTheReread) {
            return self.resolve(turn, round, plan);
        }
        let ticket = self.ticket(turn.user);
        let requests = plan.requests.iter().map(|request| request.id.clone()).collect();
        let locks = locks_after(&plan).map(|lock| lock.name.clone()).collect();
        turn.out.push(Action::Reread { ticket, requests, locks });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Confirming));
    }

    pub(super) fn confirmed(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, fresh: Fresh) {
        let in_force = |(wanted, there): (&Lock, &Option<Lock>)| {
            there.as_ref().is_some_and(|there| there.in_force(turn.now) && is_as_wanted(there, wanted))
        };
        let in_force =
            locks_after(&plan).count() == fresh.locks.len() && locks_after(&plan).zip(&fresh.locks).all(in_force);
        let why = self.outdated(turn, &plan, &fresh).or((!in_force).then_some("a lock that it needs is not in force"));
        if let Some(why) = why {
            let names = locks_after(&plan).map(|lock| lock.name.clone()).collect();
            self.take_in(turn, &plan, names, fresh);
            return self.supersede(turn, round, &plan, why);
        }
        self.resolve(turn, round, plan);
    }

    pub(super) fn resolve(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
        let Some(resolution) = plan.resolution.clone() else {
            return self.finish_round(turn, &round);
        };
        let ticket = self.ticket(turn.user);
        self.may_be_resolved(turn, &plan);
        turn.out.push(Action::Resolve { ticket, resolution: Box::new(resolution) });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), Phase::Resolving));
    }

    /// From here on the request may give access, whatever becomes of the reply: no stale list must make us forget it.
    pub(super) fn may_be_resolved(&mut self, turn: &Turn<'_>, plan: &Plan) {
        if let Some(resolution) = &plan.resolution {
            self.sync.learn(turn.now, Object::Request(resolution.request.clone()));
        }
    }

    /// Takes in what became of a request under our hands, which lists need not know yet.
    pub(super) fn know(&mut self, turn: &Turn<'_>, request: AccessRequest) {
        self.sync.learn(turn.now, Object::Request(request.id.clone()));
        self.view.put_request(request);
    }

    /// The request is resolved: it counts as that from now on.
    pub(super) fn resolved(&mut self, turn: &mut Turn<'_>, mut round: Round, plan: &Plan) {
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
    pub(super) fn reviewed(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan) {
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
    pub(super) fn review_read(&mut self, turn: &mut Turn<'_>, mut round: Round, plan: &Plan, fresh: Option<Fresh>) {
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
    pub(super) fn reread_resolved(&mut self, turn: &mut Turn<'_>, round: Round, plan: Plan, phase: Phase) {
        let requests = plan.requests.iter().take(1).map(|request| request.id.clone()).collect();
        let ticket = self.ticket(turn.user);
        turn.out.push(Action::Reread { ticket, requests, locks: Vec::new() });
        self.set_progress(turn.user, Progress::Acting(round, Box::new(plan), phase));
    }

    pub(super) fn resolution_verified(
        &mut self,
        turn: &mut Turn<'_>,
        round: Round,
        plan: &Plan,
        failure: Failure,
        fresh: Fresh,
    ) {
        let there = fresh.requests.first().and_then(Option::as_ref);
        let ours = there.filter(|request| request.carries(&plan.id)).cloned();
        if let (Some(request), Some(resolution)) = (ours, &plan.resolution) {
            let result = StepResult::of_resolution(&request, &plan.id);
            self.know(turn, request);
            self.outcome(turn, plan, resolve_step(resolution), result);
            return self.next_in_round(turn, round);
        }
        self.take_in(turn, plan, Vec::new(), fresh);
        self.resolution_failed(turn, round, plan, failure);
    }

    pub(super) fn resolution_failed(&mut self, turn: &mut Turn<'_>, round: Round, plan: &Plan, failure: Failure) {
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
    pub(super) fn remember_refused(&mut self, turn: &Turn<'_>, plan: &Plan) {
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
}
