//! Making plans: which locks a decision needs, which of ours are in the way, and what is said with it. It reads the view
//! and changes nothing; carrying out is [`act`](super::act)'s.

use std::sync::Arc;

use super::round::Standing;
use super::sight::Basis;
use super::state::{Approving, Judging, Plan, Turn};
use super::words;
use super::{Controller, Release};
use crate::action::{Resolution, ResolveWith};
use crate::decision::Decision;
use crate::hearing;
use crate::lock::{Lock, LockName, LockTarget};
use crate::opinion::{Evaluation, LockOrder, PolicyName};
use crate::record::{Decided, DecisionId, Enforcement};
use crate::request::{AccessRequest, RequestState};
use crate::time::Timestamp;

/// The most requests and the most locks that a plan has read anew beside those that it changes. A subject with more of
/// them is judged on what lists and the watch stream say of the rest.
const REREAD_MAX: usize = 64;

/// A plan and the record of it.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) decided: Decided,
}

/// A request that policies would approve and that stays pending: a lock that it needs cannot be had.
pub(crate) struct NotNow {
    pub(crate) approving: Approving,
    pub(crate) enforcements: Vec<Enforcement>,
    pub(crate) why: String,
}

/// What it takes to bring one lock order about.
enum LockNeed {
    /// It is in force already, for long enough, by this lock.
    Met(Box<Lock>),
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
        judging: Judging,
        decision: Decision,
        evaluations: Vec<Evaluation>,
    ) -> Planned {
        let Judging { panel, request, case, basis, asked: _, answers: _ } = judging;
        let id = self.next_decision();
        let resolution = self.resolution(&id, &request, &decision, false);
        let mut plan = self.plan(id.clone(), case.now, basis, Some(request.clone()));
        let decided = Decided {
            id: id.clone(),
            at: now,
            user: request.user.clone(),
            request: Some(AccessRequest::clone(&request)),
            reason: resolution.reason.clone(),
            decision: Some(decision),
            evaluations,
            enforcements: Vec::new(),
            locks: Vec::new(),
            releases: Vec::new(),
            panel: panel.id.clone(),
            case: Some(case),
            dry_run: self.settings.dry_run,
        };
        plan.resolution = Some(resolution);
        self.decided();
        Planned { plan, decided }
    }

    /// A plan to approve, with all locks that it needs; or why one of them cannot be had.
    pub(crate) fn approve(
        &mut self,
        now: Timestamp,
        approving: Approving,
        basis: Basis,
        orders: &[(PolicyName, LockOrder)],
        enforcements: Vec<Enforcement>,
    ) -> Result<Planned, Box<NotNow>> {
        let id = self.next_decision();
        let resolution = self.resolution(&id, &approving.request, &approving.decision, true);
        let mut plan = self.plan(id.clone(), approving.case.now, basis, Some(approving.request.clone()));
        let mut wanted = Vec::new();
        for (policy, order) in orders {
            if mutant!(ApproveWithoutLocks) {
                continue;
            }
            if order.request == approving.request.id {
                let why = hearing::at_once(&order.ground.reason);
                return Err(Box::new(NotNow { approving, enforcements, why }));
            }
            match self.lock_need(now, &id, policy, order) {
                LockNeed::Met(lock) => rely_on(&mut plan, *lock),
                LockNeed::Write(lock) => self.plan_write(&mut plan, &mut wanted, policy, order, *lock),
                LockNeed::Impossible(why) => return Err(Box::new(NotNow { approving, enforcements, why })),
            }
        }
        let Approving { panel, request, decision, evaluations, case } = approving;
        let decided = Decided {
            id: id.clone(),
            at: now,
            user: request.user.clone(),
            request: Some(AccessRequest::clone(&request)),
            reason: resolution.reason.clone(),
            decision: Some(decision),
            evaluations,
            enforcements,
            locks: wanted,
            releases: Vec::new(),
            panel: panel.id.clone(),
            case: Some(case),
            dry_run: self.settings.dry_run,
        };
        plan.resolution = Some(resolution);
        self.decided();
        Ok(Planned { plan, decided })
    }

    /// A plan that makes the locks on held requests what policies want now, if they are not; and why some of them cannot
    /// be had. Without `release`, what is locked stays so.
    pub(crate) fn put_in_order(
        &mut self,
        turn: &mut Turn<'_>,
        standing: &Standing,
        release: bool,
    ) -> (Option<Planned>, Vec<String>) {
        let Standing { panel, case, basis, enforcements, orders, .. } = standing;
        let id = self.next_decision();
        let mut plan = self.plan(id.clone(), case.now, basis.clone(), None);
        let mut wanted = Vec::new();
        let mut impossible = Vec::new();
        for (policy, order) in orders {
            match self.lock_need(turn.now, &id, policy, order) {
                LockNeed::Met(lock) => rely_on(&mut plan, *lock),
                LockNeed::Impossible(why) => impossible.push(why),
                LockNeed::Write(lock) => self.plan_write(&mut plan, &mut wanted, policy, order, *lock),
            }
        }
        // Policies reckon with a lock that cannot be had: what they do not order now may be needed in its place.
        let release = release && impossible.is_empty();
        match self.settings.release {
            Release::WhenClear if release => self.plan_releases(turn, orders, &mut plan),
            Release::WhenClear | Release::Never => {}
        }
        if plan.writes.is_empty() && plan.releases.is_empty() {
            return (None, impossible);
        }
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: None,
            decision: None,
            evaluations: Vec::new(),
            enforcements: enforcements.clone(),
            locks: wanted,
            releases: plan.releases.iter().map(|lock| lock.name.clone()).collect(),
            reason: String::new(),
            panel: panel.id.clone(),
            case: Some(Arc::clone(case)),
            dry_run: self.settings.dry_run,
        };
        self.decided();
        (Some(Planned { plan, decided }), impossible)
    }

    /// What it takes to bring a lock order about, given the locks that there are.
    fn lock_need(&self, now: Timestamp, id: &DecisionId, policy: &PolicyName, order: &LockOrder) -> LockNeed {
        let Some(request) = self.view.request(&order.request) else {
            return LockNeed::Impossible(format!("request `{}` is gone", order.request));
        };
        if let Some(exempt) = self.sight(now).exempt(request) {
            return LockNeed::Impossible(hearing::exempted(&request.id, &exempt, &order.ground.reason));
        }
        let over = request.access_expires.or(request.request_expires);
        let over = if mutant!(LockForAnHour) { Some(now.after(std::time::Duration::from_secs(3_600))) } else { over };
        let end = match (order.until, over) {
            (Some(until), Some(end)) => Some(until.min(end)),
            (until, end) => until.or(end),
        };
        let lasts = |lock: &Lock| match (lock.expires, end) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(expires), Some(end)) => expires >= end,
        };
        if let Some(lock) = self.view.locks_on(request, now).find(|lock| lasts(lock)) {
            return LockNeed::Met(Box::new(lock.clone()));
        }
        let name = LockName::of(&request.id);
        let edited = self.view.lock(&name).is_some_and(|there| there.ours(&self.settings.own_user).is_none());
        if edited && !mutant!(OverwriteEditedLocks) {
            return LockNeed::Impossible(format!("lock `{name}` was changed by somebody else, which is respected"));
        }
        LockNeed::Write(Box::new(Lock {
            name,
            target: LockTarget::access_request(request.id.clone()),
            message: words::lock_message(policy, &order.ground, id, &request.id, end),
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
        if let Some((planned, _)) = plan.writes.iter_mut().find(|(planned, _)| planned.name == lock.name) {
            // Two policies want it: it lasts as long as either does.
            planned.end_at(planned.expires.zip(lock.expires).map(|(a, b)| a.max(b)));
            wanted.iter_mut().filter(|(said, _)| said.name == lock.name).for_each(|(said, _)| said.clone_from(planned));
            return;
        }
        if let Some(request) = self.view.request(&order.request) {
            must_stay(plan, request);
        }
        wanted.push((lock.clone(), format!("{policy}/{}", order.ground.rule)));
        let there = self.view.lock(&lock.name).cloned();
        plan.writes.push((lock, there));
    }

    /// Locks of ours on live, granted requests that no policy wants any more. Those on requests that are gone or denied
    /// stay until they end: a certificate may outlive its request.
    fn plan_releases(&self, turn: &mut Turn<'_>, orders: &[(PolicyName, LockOrder)], plan: &mut Plan) {
        for request in self.view.requests_of(turn.user) {
            let live = !mutant!(NeverRelease)
                && self.gives_access(request)
                && !request.is_over(turn.now)
                && self.settings.scope.takes(request);
            if !live || orders.iter().any(|(_, order)| order.request == request.id) {
                continue;
            }
            let ours =
                self.view.locks_on(request, turn.now).filter(|lock| lock.ours(&self.settings.own_user).is_some());
            let ours: Vec<Lock> = ours.cloned().collect();
            if !ours.is_empty() {
                must_stay(plan, request);
                plan.releases.extend(ours);
            }
        }
    }

    /// A plan that does nothing yet, about this pending request if there is one. It stands on all that the policies were
    /// shown: the rest of the subject's live requests, those that give access first, and the locks of others on them.
    fn plan(&self, id: DecisionId, judged: Timestamp, basis: Basis, request: Option<Arc<AccessRequest>>) -> Plan {
        let seen = basis.seen.iter().map(|(seen, _)| seen);
        let (granted, waiting): (Vec<_>, Vec<_>) = seen.partition(|seen| self.gives_access(seen));
        let others =
            granted.into_iter().chain(waiting).filter(|seen| request.as_ref().is_none_or(|it| it.id != seen.id));
        let others: Vec<_> = others.take(REREAD_MAX).cloned().collect();
        let relies_on: Vec<_> = basis.seen.iter().flat_map(|(_, locks)| locks).take(REREAD_MAX).cloned().collect();
        let mut plan = Plan {
            id,
            judged,
            requests: request.into_iter().chain(others).collect(),
            resolution: None,
            writes: Vec::new(),
            releases: Vec::new(),
            relies_on: Vec::new(),
            basis,
        };
        relies_on.into_iter().for_each(|lock| rely_on(&mut plan, lock));
        plan
    }

    fn resolution(&self, id: &DecisionId, request: &AccessRequest, decision: &Decision, approve: bool) -> Resolution {
        let reason = decision.because.reason();
        let with = self.settings.resolve_with;
        Resolution {
            request: request.id.clone(),
            with,
            approve,
            reason: match with {
                ResolveWith::State => words::reason(&reason, id),
                ResolveWith::Review => words::review(&reason, id),
            },
            decision: id.clone(),
            rules: decision.because.rules(),
        }
    }

    /// Whether it is approved, or was by us and may be by others at any time.
    fn gives_access(&self, request: &AccessRequest) -> bool {
        request.state == RequestState::Approved || request.is_half_approved_by(&self.settings.own_user)
    }
}

fn rely_on(plan: &mut Plan, lock: Lock) {
    if plan.relies_on.iter().all(|there| there.name != lock.name) {
        plan.relies_on.push(lock);
    }
}

/// A request whose locks change is read anew in any case.
fn must_stay(plan: &mut Plan, request: &Arc<AccessRequest>) {
    if plan.requests.iter().all(|there| there.id != request.id) {
        plan.requests.push(Arc::clone(request));
    }
}
