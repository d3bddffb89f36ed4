//! A round: the subject's pending requests are judged, oldest first, then what is held is put in order. Asks policies
//! and makes plans; carrying them out is [`plan`](super::plan)'s.

mod orders;
mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use orders::{admit_orders, faults_that_count};
use telling::Said;

use super::plan::NotNow;
use super::sight::Basis;
use super::state::{Approving, Judging, Known, Planning, Progress, Round, Turn};
use super::{Controller, Settings};
use crate::action::{Action, Question, Reply, Ticket};
use crate::case::Case;
use crate::decision::{Because, Decision, Verdict, combine};
use crate::guard::guard;
use crate::opinion::{Effect, Evaluation, Fault, FaultKind, LockOrder, Mode, Panel, PolicyName};
use crate::record::Enforcement;
use crate::request::{AccessRequest, Background, RequestId, RequestState, RequestedResource, ResourceKey};

/// How often a round starts a step anew because something changed under its hands, before it pauses.
pub(crate) const RESTARTS_MAX: u32 = 8;
/// Standing roles are read anew after this many poll intervals.
const STANDING_INTERVALS: u32 = 2;

impl Controller {
    pub(crate) fn start_round(&mut self, turn: &mut Turn<'_>) {
        let fresh_since = self.settings.poll_interval.saturating_mul(STANDING_INTERVALS);
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        state.begin();
        if !self.view.requests_of(turn.user).into_iter().any(|request| self.settings.scope.takes(request)) {
            self.set_due(turn.user, None);
            self.forget(turn.user);
            return;
        }
        self.in_flight += 1;
        let resources: BTreeMap<ResourceKey, RequestedResource> = self
            .view
            .requests_of(turn.user)
            .into_iter()
            .filter(|request| !request.is_settled() && !request.is_over(turn.now))
            .flat_map(|request| request.resources.iter().map(|resource| (resource.key(), resource.clone())))
            .collect();
        let known = state.known.as_ref().filter(|known| {
            turn.now.since(known.read) <= fresh_since && resources.keys().all(|key| known.asked.contains(key))
        });
        if let Some(known) = known {
            let background = known.background.clone();
            self.run_round(turn, background);
        } else {
            state.progress = Progress::Introducing(resources.keys().cloned().collect());
            let ticket = self.ticket(turn.user);
            let resources = resources.into_values().collect();
            turn.out.push(Action::ReadSubject { ticket, user: turn.user.clone(), resources });
        }
    }

    pub(crate) fn introduced(&mut self, turn: &mut Turn<'_>, asked: BTreeSet<ResourceKey>, reply: Reply) {
        match reply {
            Reply::Subject(Ok(background)) => {
                if let Some(state) = self.subjects.get_mut(turn.user) {
                    state.known = Some(Known { background: background.clone(), asked, read: turn.now });
                }
                self.run_round(turn, background);
            }
            Reply::Subject(Err(_))
            | Reply::Opinion(_)
            | Reply::Orders(_)
            | Reply::Recorded(_)
            | Reply::Reread(_)
            | Reply::Written(_) => self.end_round(turn, true),
        }
    }

    fn run_round(&mut self, turn: &mut Turn<'_>, mut background: Background) {
        background.subject.name.clone_from(turn.user);
        let pending = self.view.requests_of(turn.user).into_iter().filter(|request| self.waits_for_us(request));
        let waiting = pending.map(|request| request.id.clone()).collect();
        self.next_in_round(turn, Round { background, waiting, restarts: 0, failed: false, unfinished: false });
    }

    /// Goes on with the next pending request, or with what is held when there is none.
    pub(crate) fn next_in_round(&mut self, turn: &mut Turn<'_>, mut round: Round) {
        if self.is_halted(turn.now) {
            return self.end_round(turn, true);
        }
        while let Some(id) = round.waiting.pop_front() {
            let waits = |request: &&Arc<AccessRequest>| self.waits_for_us(request) && !self.is_refused(turn, request);
            let Some(request) = self.view.request(&id).filter(waits) else {
                continue;
            };
            let request = Arc::clone(request);
            let Settings { own_user, protected_roles, scope, .. } = &self.settings;
            match guard(&request, own_user, protected_roles, scope, turn.now) {
                Some(guard) => self.tell(turn, &request, Decision::guarded(guard), self.nothing_said()),
                // Without a panel nobody is asked, and many requests must not nest many calls.
                None if self.panel.members.is_empty() => self.tell(turn, &request, combine(&[]), self.nothing_said()),
                None => return self.judge(turn, round, request),
            }
        }
        self.plan_orders(turn, round, None);
    }

    /// Whether it is pending and we have not said all that we can say about it: one review is all that Teleport takes.
    fn waits_for_us(&self, request: &AccessRequest) -> bool {
        request.state == RequestState::Pending && request.review_by(&self.settings.own_user).is_none()
    }

    /// Whether Teleport would not let us resolve it lately, and it is as it was then.
    fn is_refused(&self, turn: &Turn<'_>, request: &AccessRequest) -> bool {
        let refused = self.subjects.get(turn.user).and_then(|state| state.refused.get(&request.id));
        refused.is_some_and(|refused| refused.until > turn.now && refused.request.looks_like(request))
    }

    fn judge(&mut self, turn: &mut Turn<'_>, round: Round, request: Arc<AccessRequest>) {
        let sight = self.sight(turn.now);
        let (case, basis) = (Arc::new(sight.case(&round.background)), sight.basis(turn.user));
        let panel = Arc::clone(&self.panel);
        let mut asked = BTreeMap::new();
        for policy in 0..panel.members.len() {
            let ticket = self.ticket(turn.user);
            asked.insert(ticket, policy);
            let (generation, question) = (panel.generation, Question::Review(request.id.clone()));
            turn.out.push(Action::Ask { ticket, generation, policy, question, case: Arc::clone(&case) });
        }
        let judging = Judging { panel, request, case, basis, asked, answers: BTreeMap::new() };
        self.set_progress(turn.user, Progress::Judging(round, Box::new(judging)));
    }

    pub(crate) fn judged(
        &mut self,
        turn: &mut Turn<'_>,
        round: Round,
        mut judging: Judging,
        ticket: Ticket,
        reply: Reply,
    ) {
        let answer = match reply {
            Reply::Opinion(answer) => answer,
            Reply::Orders(_) | Reply::Subject(_) | Reply::Recorded(_) | Reply::Reread(_) | Reply::Written(_) => {
                Err(Fault::new(FaultKind::Nonsense, "answered another question"))
            }
        };
        if let Some(policy) = judging.asked.remove(&ticket)
            && let Some(member) = judging.panel.members.get(policy)
        {
            let answer = answer.and_then(|opinion| member.admit(opinion));
            judging.answers.insert(policy, Evaluation { member: member.clone(), answer });
        }
        if judging.asked.is_empty() {
            self.weigh(turn, round, judging);
        } else {
            self.set_progress(turn.user, Progress::Judging(round, Box::new(judging)));
        }
    }

    /// Every policy has answered.
    fn weigh(&mut self, turn: &mut Turn<'_>, round: Round, mut judging: Judging) {
        if judging.basis != self.sight(turn.now).basis(turn.user) {
            return self.judge_anew(turn, round, judging.request.id.clone());
        }
        let evaluations: Vec<_> = std::mem::take(&mut judging.answers).into_values().collect();
        let decision = combine(&evaluations);
        match decision.verdict {
            Verdict::Approve => {
                let Judging { panel, request, case, basis: _, asked: _, answers: _ } = judging;
                let approving = Approving { panel, request, decision, evaluations, case };
                self.plan_orders(turn, round, Some(approving));
            }
            Verdict::Deny => {
                let plan = self.deny(turn.now, judging, decision, evaluations);
                self.record_plan(turn, round, plan);
            }
            Verdict::Leave | Verdict::Nothing => {
                let Judging { panel, request, case, basis: _, asked: _, answers: _ } = judging;
                let said = Said { panel, evaluations, enforcements: Vec::new(), case: Some(case) };
                self.tell(turn, &request, decision, said);
                self.next_in_round(turn, round);
            }
        }
    }

    /// Something changed under our hands: judges a request anew, at once, or after a pause if that happens often.
    pub(crate) fn judge_anew(&mut self, turn: &mut Turn<'_>, mut round: Round, request: RequestId) {
        round.waiting.push_front(request);
        self.start_anew(turn, round);
    }

    /// Goes on with the round, or ends it for a while if that happens often.
    pub(crate) fn start_anew(&mut self, turn: &mut Turn<'_>, mut round: Round) {
        round.restarts += 1;
        if round.restarts > RESTARTS_MAX {
            return self.end_round(turn, true);
        }
        self.next_in_round(turn, round);
    }

    /// Begins to ask the policies, one after the other, what must be locked.
    fn plan_orders(&mut self, turn: &mut Turn<'_>, round: Round, approving: Option<Approving>) {
        let sight = self.sight(turn.now);
        let basis = sight.basis(turn.user);
        // Made from the very case of the review: one case in the ledger is enough to ask all of it again.
        let case = Arc::new(match &approving {
            Some(approving) => approving.case.as_if_held(&approving.request.id),
            None => sight.case(&round.background),
        });
        let panel = match &approving {
            Some(approving) if !mutant!(MixPanels) => Arc::clone(&approving.panel),
            Some(_) | None => Arc::clone(&self.panel),
        };
        let planning =
            Planning { panel, approving, asking: 0, case, basis, enforcements: Vec::new(), orders: Vec::new() };
        self.ask_for_orders(turn, round, planning);
    }

    /// Asks the next policy that may lock; when there is none, the orders are complete.
    fn ask_for_orders(&mut self, turn: &mut Turn<'_>, round: Round, mut planning: Planning) {
        let anything_held = planning.case.requests.iter().any(|entry| entry.request.is_granted(planning.case.now));
        while let Some(member) = planning.panel.members.get(planning.asking) {
            if anything_held && member.effects.contains(&Effect::Lock) {
                let ticket = self.ticket(turn.user);
                let case = if planning.orders.is_empty() || mutant!(CountLockedRequests) {
                    Arc::clone(&planning.case)
                } else {
                    // What earlier policies lock is locked for the later ones.
                    Arc::new(planning.case.with_orders(planning.orders.iter().map(|(_, order)| order)))
                };
                let (generation, policy) = (planning.panel.generation, planning.asking);
                turn.out.push(Action::Ask { ticket, generation, policy, question: Question::Enforce, case });
                return self.set_progress(turn.user, Progress::Planning(round, Box::new(planning)));
            }
            planning.asking += 1;
        }
        self.ordered(turn, round, planning);
    }

    pub(crate) fn planned(&mut self, turn: &mut Turn<'_>, round: Round, mut planning: Planning, reply: Reply) {
        let answer = match reply {
            Reply::Orders(answer) => answer,
            Reply::Opinion(_) | Reply::Subject(_) | Reply::Recorded(_) | Reply::Reread(_) | Reply::Written(_) => {
                Err(Fault::new(FaultKind::Nonsense, "answered another question"))
            }
        };
        if let Some(member) = planning.panel.members.get(planning.asking) {
            let member = member.clone();
            let answer = answer.and_then(|orders| admit_orders(orders, &planning.case));
            let counts = match member.mode {
                Mode::Enforce => true,
                Mode::Shadow => false,
            };
            if let (true, Ok(orders)) = (counts, &answer) {
                planning.orders.extend(orders.iter().map(|order| (member.name.clone(), order.clone())));
            }
            let stop = counts && answer.is_err();
            planning.enforcements.push(Enforcement { member, answer });
            if stop {
                return self.ordered(turn, round, planning);
            }
        }
        planning.asking += 1;
        self.ask_for_orders(turn, round, planning);
    }

    /// All lock orders are in.
    fn ordered(&mut self, turn: &mut Turn<'_>, round: Round, planning: Planning) {
        let Planning { panel, approving, asking: _, case, basis, enforcements, orders } = planning;
        let faults = if mutant!(JudgeOnAFault) { Vec::new() } else { faults_that_count(&enforcements) };
        let Some(approving) = approving else {
            let standing = Standing { panel, case, basis, enforcements, orders, faults };
            return self.order_held(turn, round, &standing);
        };
        let (approving, enforcements, decision) = if faults.is_empty() {
            match self.approve(turn.now, approving, basis, &orders, enforcements) {
                Ok(plan) => return self.record_plan(turn, round, plan),
                Err(left) => {
                    let NotNow { approving, enforcements, why } = *left;
                    (approving, enforcements, Decision::lock_impossible(why))
                }
            }
        } else {
            let because = Because::Faults(faults, Vec::new());
            (approving, enforcements, Decision { verdict: Verdict::Leave, because })
        };
        let Approving { panel, request, decision: _, evaluations, case } = approving;
        self.tell(turn, &request, decision, Said { panel, evaluations, enforcements, case: Some(case) });
        self.next_in_round(turn, round);
    }

    /// Nothing is pending any more: puts the locks on held requests in order.
    fn order_held(&mut self, turn: &mut Turn<'_>, round: Round, standing: &Standing) {
        if !standing.faults.is_empty() {
            let because = Because::Faults(standing.faults.clone(), Vec::new());
            self.tell_standing(turn, Some(because), standing);
            return self.finish_round(turn, &round);
        }
        let release = !round.unfinished;
        let (planned, impossible) = self.put_in_order(turn, standing, release);
        let because = (!impossible.is_empty()).then(|| Because::LockImpossible(impossible.join("; ")));
        match planned {
            Some(plan) => {
                // Its record says what they said.
                self.shadows_are_told(turn, standing);
                self.record_plan(turn, round, plan);
            }
            None => {
                if let Some(state) = self.subjects.get_mut(turn.user) {
                    state.told_rehearsal = None;
                    let is_in_order = because.is_none() && standing.enforcements.iter().all(|it| it.answer.is_ok());
                    state.in_order_at = is_in_order.then_some(standing.case.now);
                }
                self.tell_shadows(turn, standing);
                self.finish_round(turn, &round);
            }
        }
        self.tell_standing(turn, because, standing);
    }

    pub(crate) fn finish_round(&mut self, turn: &mut Turn<'_>, round: &Round) {
        self.end_round(turn, round.failed);
    }

    /// Frees the subject's place; it comes back when something changes, when its time comes, or after a pause.
    pub(crate) fn end_round(&mut self, turn: &mut Turn<'_>, failed: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let lead = self.lead();
        // What started or ended while policies were asked was not so when they were.
        let in_order_at = self.subjects.get(turn.user).and_then(|state| state.in_order_at);
        let judged = in_order_at.unwrap_or(turn.now);
        let mut due = self.view.next_change(turn.user, judged, lead).filter(|_| !mutant!(LetLocksLapse));
        let exemptions = self.settings.exemptions.iter().map(|exemption| exemption.until.before(lead));
        due = due.into_iter().chain(exemptions.filter(|end| *end > judged).min()).min();
        let live: Vec<RequestId> = self.view.requests_of(turn.user).iter().map(|request| request.id.clone()).collect();
        let pending = self.view.requests_of(turn.user).into_iter().any(|request| self.waits_for_us(request));
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        state.told.retain(|id, _| live.contains(id));
        state.refused.retain(|id, _| live.contains(id));
        let refused = state.refused.values().map(|refused| refused.until).filter(|at| *at > turn.now);
        due = due.into_iter().chain(refused.min()).min();
        let again = state.is_dirty() || (state.enforced && pending);
        if in_order_at.is_some() && !failed && !pending && !again {
            state.rest(turn.now);
        }
        let was_retrying = state.is_retrying();
        let pause = state.end(failed, turn.user.as_str());
        self.retrying = self.retrying + usize::from(state.is_retrying()) - usize::from(was_retrying);
        if let Some(pause) = pause {
            let at = turn.now.after(pause);
            due = Some(due.map_or(at, |due| due.min(at)));
        } else if again {
            self.wake(turn.user);
        }
        self.set_due(turn.user, due);
    }
}

/// What policies said about held requests, and what that stands on.
pub(crate) struct Standing {
    pub(crate) panel: Arc<Panel>,
    pub(crate) case: Arc<Case>,
    pub(crate) basis: Basis,
    pub(crate) enforcements: Vec<Enforcement>,
    pub(crate) orders: Vec<(PolicyName, LockOrder)>,
    faults: Vec<(PolicyName, Fault)>,
}
