//! Making plans: which locks a decision needs, which of ours are in the way, and what is said with it. It reads the view
//! and changes nothing; carrying out is [`act`](super::act)'s.

use std::sync::Arc;

use super::state::{Approving, Plan, Turn};
use super::words;
use super::{Controller, Release};
use crate::action::Resolution;
use crate::case::Case;
use crate::decision::Decision;
use crate::lock::{Lock, LockName, LockTarget};
use crate::opinion::{Evaluation, LockOrder, PolicyName};
use crate::record::{Decided, DecisionId, Enforcement};
use crate::request::{AccessRequest, RequestState};
use crate::time::Timestamp;

/// A plan and the record of it.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) decided: Decided,
}

/// What it takes to bring one lock order about.
enum LockNeed {
    /// It is in force already, for long enough; by this lock of ours, if it is ours.
    Met(Option<LockName>),
    /// This lock has to be written.
    Write(Box<Lock>),
    /// It cannot be had.
    Impossible(String),
}

// Making plans.
impl Controller {
    pub(crate) fn deny(
        &mut self,
        now: Timestamp,
        request: AccessRequest,
        decision: Decision,
        evaluations: Vec<Evaluation>,
        case: Arc<Case>,
    ) -> Planned {
        let id = self.decision_id();
        let resolution = resolution(&id, &request, &decision, false);
        let decided = self.decided(now, &id, &request, decision, evaluations, Vec::new(), case);
        let plan = Plan {
            id,
            requests: vec![request],
            resolution: Some(resolution),
            writes: Vec::new(),
            releases: Vec::new(),
            relies_on: Vec::new(),
        };
        Planned { plan, decided }
    }

    /// A plan to approve, with all locks that it needs; or why one of them cannot be had.
    pub(crate) fn approve(
        &mut self,
        now: Timestamp,
        approving: Approving,
        orders: &[(PolicyName, LockOrder)],
        enforcements: Vec<Enforcement>,
    ) -> Result<Planned, Box<(Approving, String)>> {
        let id = self.decision_id();
        let mut plan = Plan {
            id: id.clone(),
            requests: vec![approving.request.clone()],
            resolution: Some(resolution(&id, &approving.request, &approving.decision, true)),
            writes: Vec::new(),
            releases: Vec::new(),
            relies_on: Vec::new(),
        };
        let mut wanted = Vec::new();
        for (policy, order) in orders {
            if order.request == approving.request.id {
                let why = format!("approving it would lock it at once: {}", order.ground.reason);
                return Err(Box::new((approving, why)));
            }
            match self.lock_need(now, &id, policy, order) {
                LockNeed::Met(name) => plan.relies_on.extend(name),
                LockNeed::Write(lock) => self.plan_write(&mut plan, &mut wanted, policy, order, *lock),
                LockNeed::Impossible(why) => return Err(Box::new((approving, why))),
            }
        }
        let Approving { request, decision, evaluations, case } = approving;
        let mut decided = self.decided(now, &id, &request, decision, evaluations, enforcements, case);
        decided.locks = wanted;
        Ok(Planned { plan, decided })
    }

    /// A plan that makes the locks on held requests what policies want now; none if they are.
    pub(crate) fn put_in_order(
        &mut self,
        turn: &mut Turn<'_>,
        orders: &[(PolicyName, LockOrder)],
        enforcements: Vec<Enforcement>,
        case: Arc<Case>,
    ) -> Option<Planned> {
        let id = self.decision_id();
        let mut plan = Plan {
            id: id.clone(),
            requests: Vec::new(),
            resolution: None,
            writes: Vec::new(),
            releases: Vec::new(),
            relies_on: Vec::new(),
        };
        let mut wanted = Vec::new();
        for (policy, order) in orders {
            match self.lock_need(turn.now, &id, policy, order) {
                LockNeed::Met(_) | LockNeed::Impossible(_) => {}
                LockNeed::Write(lock) => self.plan_write(&mut plan, &mut wanted, policy, order, *lock),
            }
        }
        match self.settings.release {
            Release::WhenClear => self.plan_releases(turn, orders, &mut plan),
            Release::Never => {}
        }
        if plan.writes.is_empty() && plan.releases.is_empty() {
            return None;
        }
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: None,
            decision: None,
            evaluations: Vec::new(),
            enforcements,
            locks: wanted,
            releases: plan.releases.iter().map(|lock| lock.name.clone()).collect(),
            reason: String::new(),
            case: Some(case),
            dry_run: self.settings.dry_run,
        };
        Some(Planned { plan, decided })
    }

    /// What it takes to bring a lock order about, given the locks that there are.
    fn lock_need(&self, now: Timestamp, id: &DecisionId, policy: &PolicyName, order: &LockOrder) -> LockNeed {
        let Some(request) = self.view.request(&order.request) else {
            return LockNeed::Impossible(format!("request `{}` is gone", order.request));
        };
        if self.sight(now).is_exempt(request) {
            let reason = &order.ground.reason;
            let why = format!("request `{}` would have to be locked, but a person approved it: {reason}", request.id);
            return LockNeed::Impossible(why);
        }
        let end = match (order.until, request.access_expires) {
            (Some(until), Some(end)) => Some(until.min(end)),
            (until, end) => until.or(end),
        };
        let lasts = |lock: &Lock| match (lock.expires, end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(expires), Some(end)) => expires >= end,
        };
        if let Some(lock) = self.view.locks_on(request, now).find(|lock| lasts(lock)) {
            return LockNeed::Met(lock.ours(&self.settings.own_user).is_some().then(|| lock.name.clone()));
        }
        let name = LockName::of(&request.id);
        if self.view.lock(&name).is_some_and(|there| there.ours(&self.settings.own_user).is_none()) {
            return LockNeed::Impossible(format!("lock `{name}` was changed by somebody else, which is respected"));
        }
        LockNeed::Write(Box::new(Lock {
            name,
            target: LockTarget::access_request(request.id.clone()),
            message: words::lock_message(policy, &order.ground, id),
            expires: end,
            created_by: self.settings.own_user.as_str().to_owned(),
        }))
    }

    fn plan_write(
        &self,
        plan: &mut Plan,
        wanted: &mut Vec<(Lock, String)>,
        policy: &PolicyName,
        order: &LockOrder,
        lock: Lock,
    ) {
        if plan.writes.iter().any(|(planned, _)| planned.name == lock.name) {
            return;
        }
        plan.requests.extend(self.view.request(&order.request).cloned());
        wanted.push((lock.clone(), format!("{policy}/{}", order.ground.rule)));
        let there = self.view.lock(&lock.name).cloned();
        plan.writes.push((lock, there));
    }

    /// Locks of ours on live, granted requests that no policy wants any more. Those on requests that are gone or denied
    /// stay until they end: a certificate may outlive its request.
    fn plan_releases(&self, turn: &mut Turn<'_>, orders: &[(PolicyName, LockOrder)], plan: &mut Plan) {
        for request in self.view.requests_of(turn.user) {
            let live = request.state == RequestState::Approved && !request.is_over(turn.now);
            if !live || orders.iter().any(|(_, order)| order.request == request.id) {
                continue;
            }
            let ours =
                self.view.locks_on(request, turn.now).filter(|lock| lock.ours(&self.settings.own_user).is_some());
            let ours: Vec<Lock> = ours.cloned().collect();
            if !ours.is_empty() {
                plan.requests.push(request.clone());
                plan.releases.extend(ours);
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record")]
    fn decided(
        &self,
        now: Timestamp,
        id: &DecisionId,
        request: &AccessRequest,
        decision: Decision,
        evaluations: Vec<Evaluation>,
        enforcements: Vec<Enforcement>,
        case: Arc<Case>,
    ) -> Decided {
        Decided {
            id: id.clone(),
            at: now,
            user: request.user.clone(),
            request: Some(request.clone()),
            reason: words::reason(&decision.because.reason(), id),
            decision: Some(decision),
            evaluations,
            enforcements,
            locks: Vec::new(),
            releases: Vec::new(),
            case: Some(case),
            dry_run: self.settings.dry_run,
        }
    }
}

fn resolution(id: &DecisionId, request: &AccessRequest, decision: &Decision, approve: bool) -> Resolution {
    Resolution {
        request: request.id.clone(),
        approve,
        reason: words::reason(&decision.because.reason(), id),
        decision: id.clone(),
        rules: decision.because.rules(),
    }
}
