//! A round: the subject's pending requests are judged, oldest first, then what is held is put in order. Asks policies
//! and makes plans; carrying them out is [`plan`](super::plan)'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Controller;
use super::state::{Approving, Judging, Planning, Progress, Round, Turn};
use crate::action::{Action, Question, Reply, Ticket};
use crate::case::Case;
use crate::decision::{Because, Decision, Verdict, combine};
use crate::guard::guard;
use crate::opinion::{Effect, Evaluation, Fault, FaultKind, LockOrder, Mode, PolicyName};
use crate::record::{Decided, Enforcement, Record};
use crate::request::{AccessRequest, RequestId, RequestState, Subject};

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
        if !self.view.has_requests(turn.user) {
            self.subjects.remove(turn.user);
            return;
        }
        self.in_flight += 1;
        let standing = state.standing.as_ref().filter(|(_, read)| turn.now.since(*read) <= fresh_since);
        if let Some((subject, _)) = standing {
            let subject = subject.clone();
            self.run_round(turn, subject);
        } else {
            state.progress = Progress::Introducing;
            let ticket = self.ticket(turn.user);
            turn.out.push(Action::ReadSubject { ticket, user: turn.user.clone() });
        }
    }

    pub(crate) fn introduced(&mut self, turn: &mut Turn<'_>, reply: Reply) {
        match reply {
            Reply::Subject(Ok(subject)) => {
                if let Some(state) = self.subjects.get_mut(turn.user) {
                    state.standing = Some((subject.clone(), turn.now));
                }
                self.run_round(turn, subject);
            }
            Reply::Subject(Err(_))
            | Reply::Opinion(_)
            | Reply::Orders(_)
            | Reply::Recorded(_)
            | Reply::Reread(_)
            | Reply::Written(_) => self.end_round(turn, true),
        }
    }

    fn run_round(&mut self, turn: &mut Turn<'_>, subject: Subject) {
        let pending =
            self.view.requests_of(turn.user).into_iter().filter(|request| request.state == RequestState::Pending);
        let round =
            Round { subject, waiting: pending.map(|request| request.id.clone()).collect(), restarts: 0, failed: false };
        self.next_in_round(turn, round);
    }

    /// Goes on with the next pending request, or with what is held when there is none.
    pub(crate) fn next_in_round(&mut self, turn: &mut Turn<'_>, mut round: Round) {
        if self.is_blind(turn.now) {
            return self.end_round(turn, true);
        }
        while let Some(id) = round.waiting.pop_front() {
            let Some(request) = self.view.request(&id).filter(|request| request.state == RequestState::Pending) else {
                continue;
            };
            let request = request.clone();
            match guard(&request, &self.settings.own_user, &self.settings.protected_roles, turn.now) {
                Some(guard) => self.tell(turn, &request, Decision::guarded(guard), Vec::new(), None),
                None => return self.judge(turn, round, request),
            }
        }
        self.plan_orders(turn, round, None);
    }

    fn judge(&mut self, turn: &mut Turn<'_>, round: Round, request: AccessRequest) {
        let case = Arc::new(self.sight(turn.now).case(&round.subject, None));
        let mut asked = BTreeMap::new();
        for policy in 0..self.settings.panel.len() {
            let ticket = self.ticket(turn.user);
            asked.insert(ticket, policy);
            let question = Question::Review(request.id.clone());
            turn.out.push(Action::Ask { ticket, policy, question, case: Arc::clone(&case) });
        }
        let judging = Judging { request, case, asked, answers: BTreeMap::new() };
        if judging.asked.is_empty() {
            return self.weigh(turn, round, judging);
        }
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
            && let Some(member) = self.settings.panel.get(policy)
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
    fn weigh(&mut self, turn: &mut Turn<'_>, round: Round, judging: Judging) {
        let Judging { request, case, asked: _, answers } = judging;
        let evaluations: Vec<_> = answers.into_values().collect();
        let decision = combine(&evaluations);
        match decision.verdict {
            Verdict::Approve => {
                let approving = Approving { request, decision, evaluations, case };
                self.plan_orders(turn, round, Some(approving));
            }
            Verdict::Deny => {
                let plan = self.deny(turn.now, request, decision, evaluations, case);
                self.record_plan(turn, round, plan);
            }
            Verdict::Leave | Verdict::Nothing => {
                self.tell(turn, &request, decision, evaluations, Some(case));
                self.next_in_round(turn, round);
            }
        }
    }

    /// Begins to ask the policies, one after the other, what must be locked.
    fn plan_orders(&mut self, turn: &mut Turn<'_>, round: Round, approving: Option<Approving>) {
        let as_if_held = approving.as_ref().map(|approving| &approving.request.id);
        let case = Arc::new(self.sight(turn.now).case(&round.subject, as_if_held));
        let planning = Planning { approving, asking: 0, case, enforcements: Vec::new(), orders: Vec::new() };
        self.ask_for_orders(turn, round, planning);
    }

    /// Asks the next policy that may lock; when there is none, the orders are complete.
    fn ask_for_orders(&mut self, turn: &mut Turn<'_>, round: Round, mut planning: Planning) {
        let anything_held = planning.case.requests.iter().any(|entry| entry.request.is_granted(turn.now));
        while let Some(member) = self.settings.panel.get(planning.asking) {
            if anything_held && member.effects.contains(&Effect::Lock) {
                let ticket = self.ticket(turn.user);
                let case = if planning.orders.is_empty() {
                    Arc::clone(&planning.case)
                } else {
                    // What earlier policies lock is locked for the later ones.
                    Arc::new(planning.case.with_orders(planning.orders.iter().map(|(_, order)| order)))
                };
                turn.out.push(Action::Ask { ticket, policy: planning.asking, question: Question::Enforce, case });
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
        if let Some(member) = self.settings.panel.get(planning.asking) {
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
        let Planning { approving, asking: _, case, enforcements, orders } = planning;
        let faults = faults_that_count(&enforcements);
        let Some(approving) = approving else {
            if !faults.is_empty() {
                self.tell_faults(turn, faults, enforcements, case);
                return self.finish_round(turn, &round);
            }
            if let Some(state) = self.subjects.get_mut(turn.user) {
                state.told_faults.clear();
            }
            return match self.put_in_order(turn, &orders, enforcements, case) {
                Some(plan) => self.record_plan(turn, round, plan),
                None => self.finish_round(turn, &round),
            };
        };
        if faults.is_empty() {
            match self.approve(turn.now, approving, &orders, enforcements) {
                Ok(plan) => self.record_plan(turn, round, plan),
                Err(left) => {
                    let (Approving { request, decision: _, evaluations, case }, why) = *left;
                    let decision = Decision::lock_impossible(why);
                    self.tell(turn, &request, decision, evaluations, Some(case));
                    self.next_in_round(turn, round);
                }
            }
        } else {
            let decision = Decision { verdict: Verdict::Leave, because: Because::Faults(faults, Vec::new()) };
            let Approving { request, decision: _, evaluations, case } = approving;
            self.tell(turn, &request, decision, evaluations, Some(case));
            self.next_in_round(turn, round);
        }
    }

    /// Tells the ledger of a request that stays pending, once for each different decision.
    fn tell(
        &mut self,
        turn: &mut Turn<'_>,
        request: &AccessRequest,
        decision: Decision,
        evaluations: Vec<Evaluation>,
        case: Option<Arc<Case>>,
    ) {
        let id = self.decision_id();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        if state.told.get(&request.id) == Some(&decision) {
            return;
        }
        state.told.insert(request.id.clone(), decision.clone());
        let reason = decision.because.reason();
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: Some(request.clone()),
            decision: Some(decision),
            evaluations,
            enforcements: Vec::new(),
            locks: Vec::new(),
            releases: Vec::new(),
            reason,
            case,
            dry_run: self.settings.dry_run,
        };
        turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Decided(Box::new(decided))) });
    }

    /// Tells the ledger of policies that did not say what must be locked, once for each different set of faults.
    fn tell_faults(
        &mut self,
        turn: &mut Turn<'_>,
        faults: Vec<(PolicyName, Fault)>,
        enforcements: Vec<Enforcement>,
        case: Arc<Case>,
    ) {
        let id = self.decision_id();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        if state.told_faults == faults {
            return;
        }
        state.told_faults.clone_from(&faults);
        let decision = Decision { verdict: Verdict::Leave, because: Because::Faults(faults, Vec::new()) };
        let decided = Decided {
            id,
            at: turn.now,
            user: turn.user.clone(),
            request: None,
            reason: decision.because.reason(),
            decision: Some(decision),
            evaluations: Vec::new(),
            enforcements,
            locks: Vec::new(),
            releases: Vec::new(),
            case: Some(case),
            dry_run: self.settings.dry_run,
        };
        turn.out.push(Action::Record { ticket: None, record: Box::new(Record::Decided(Box::new(decided))) });
    }

    pub(crate) fn finish_round(&mut self, turn: &mut Turn<'_>, round: &Round) {
        self.end_round(turn, round.failed);
    }

    /// Frees the subject's place; it comes back when something changes, when its time comes, or after a pause.
    pub(crate) fn end_round(&mut self, turn: &mut Turn<'_>, failed: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let lead = self.lead();
        let mut due = self.view.next_change(turn.user, turn.now, lead);
        let live: Vec<RequestId> = self.view.requests_of(turn.user).iter().map(|request| request.id.clone()).collect();
        let Some(state) = self.subjects.get_mut(turn.user) else {
            return;
        };
        state.told.retain(|id, _| live.contains(id));
        let again = state.is_dirty();
        if let Some(pause) = state.end(failed, turn.user.as_str()) {
            let at = turn.now.after(pause);
            due = Some(due.map_or(at, |due| due.min(at)));
        } else if again {
            self.wake(turn.user);
        }
        self.set_due(turn.user, due);
    }
}

/// Orders as far as they are about granted requests of the case, one each.
fn admit_orders(orders: Vec<LockOrder>, case: &Case) -> Result<Vec<LockOrder>, Fault> {
    let mut seen: Vec<&RequestId> = Vec::new();
    for order in &orders {
        let granted = case.find(&order.request).is_some_and(|entry| entry.request.is_granted(case.now));
        if !granted {
            let detail = format!("ordered a lock on `{}`, which is not a held request of the case", order.request);
            return Err(Fault::new(FaultKind::Nonsense, detail));
        }
        if seen.contains(&&order.request) {
            return Err(Fault::new(FaultKind::Nonsense, format!("ordered `{}` to be locked twice", order.request)));
        }
        seen.push(&order.request);
    }
    Ok(orders)
}

fn faults_that_count(enforcements: &[Enforcement]) -> Vec<(PolicyName, Fault)> {
    let counts = |mode: Mode| match mode {
        Mode::Enforce => true,
        Mode::Shadow => false,
    };
    enforcements
        .iter()
        .filter(|enforcement| counts(enforcement.member.mode))
        .filter_map(|Enforcement { member, answer }| {
            answer.as_ref().err().map(|fault| (member.name.clone(), fault.clone()))
        })
        .collect()
}
