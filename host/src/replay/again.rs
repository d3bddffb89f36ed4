//! One decision, made again. It never repairs a record, and never counts as different what was a matter of the moment.

use std::sync::Arc;

use memchr::memmem;
use serde::Serialize;
use tribunal_core::case::Case;
use tribunal_core::decision::{Because, Decision, Verdict};
use tribunal_core::guard::guard;
use tribunal_core::hearing::{self, Answers, Hearing};
use tribunal_core::opinion::{Fault, FaultKind, LockOrder, Member, Mode, Opinion, PolicyName};
use tribunal_core::record::{Decided, Record};
use tribunal_core::request::{RequestId, UserName};
use tribunal_engine::{Asking, Hand, is_of_the_moment};
use tribunal_ledger::schema::{
    Body, DeterminedBy, Enforcement, Evaluation, Line, Shown, Time, Verdict as RecordedVerdict,
};

use super::flip::{Fate, Flip};
use super::panels::Seated;
use super::tally::{Difference, Remade};
use super::{Against, Work};

/// Makes the decision of this line again.
pub(super) fn remake(work: &Work<'_>, hand: &Hand, bytes: &[u8], line: Line) -> Remade {
    let (seq, at) = (line.seq, line.at);
    let panel = match &line.body {
        Body::Decided(decided) if matches!(decided.case, Some(Shown::Erased(_))) => return Remade::Erased,
        Body::Decided(decided) => decided.panel,
        Body::Outcome(_) | Body::Lifecycle(_) => return Remade::Unasked,
    };
    let past = match line.into_record() {
        Ok(Record::Decided(past)) => past,
        Ok(Record::Outcome(_) | Record::Lifecycle { .. }) => return Remade::Unasked,
        Err(error) => return Remade::Differs(Difference { seq: Some(seq), decision: None, what: error.to_string() }),
    };
    let past = Past { seq, at, decided: *past };
    let Some(case) = past.decided.case.clone() else { return Remade::Unasked };
    if past.decided.evaluations.is_empty() && past.decided.enforcements.is_empty() {
        return Remade::Unasked;
    }
    if let Some(other) = &work.other {
        return past.otherwise(other, hand, &case);
    }
    let Some(panel) = panel else { return Remade::WithoutPanel };
    let seated = match work.panels.get(&panel) {
        Ok(seated) => seated,
        Err(why) => return Remade::Unloadable(panel, why),
    };
    match work.against {
        Against::Recorded => past.again(&seated, hand, &case, bytes),
        Against::Changed(_) | Against::Other(_) => past.otherwise(&seated, hand, &case),
    }
}

/// A decision of the past.
struct Past {
    seq: u64,
    at: Time,
    decided: Decided,
}

/// The recorded panel, asked again; faults of the moment are as they were.
struct Again<'a> {
    past: &'a Decided,
    members: &'a [Member],
    seated: &'a Seated<'a>,
    hand: &'a Hand,
    of_time: bool,
}

// === impl Past ===

impl Past {
    /// The same once more, byte for byte.
    fn again(&self, seated: &Seated<'_>, hand: &Hand, case: &Arc<Case>, bytes: &[u8]) -> Remade {
        let past = &self.decided;
        // Who was asked, and what it was granted, is on record.
        let members: Vec<Member> = match &past.request {
            Some(_) => past.evaluations.iter().map(|said| said.member.clone()).collect(),
            None => past.enforcements.iter().map(|said| said.member.clone()).collect(),
        };
        let mut again = Again { past, members: &members, seated, hand, of_time: false };
        let heard = hear(past, &members, case, &mut again);
        let of_time = again.of_time;
        match difference(past, &heard, bytes) {
            None => Remade::Again { flips: Vec::new(), of_time },
            Some(what) => {
                Remade::Differs(Difference { seq: Some(self.seq), decision: Some(past.id.to_string()), what })
            }
        }
    }

    /// What another panel makes of it.
    fn otherwise(&self, seated: &Seated<'_>, hand: &Hand, case: &Arc<Case>) -> Remade {
        let past = &self.decided;
        let answers = past.evaluations.iter().filter_map(|said| said.answer.as_ref().err());
        let mut faults = answers.chain(past.enforcements.iter().filter_map(|said| said.answer.as_ref().err()));
        if faults.any(is_of_the_moment) {
            return Remade::OfTime;
        }
        let guarded = match (&past.request, seated.guards) {
            (Some(request), Some((other, scope))) => {
                // Whose requests are our own, no configuration says: such a one was never shown to policies.
                guard(request, &UserName::new(""), &other.protected_roles, scope, case.now)
            }
            (_, None) | (None, _) => None,
        };
        let heard = match guarded {
            Some(guard) => Hearing {
                evaluations: Vec::new(),
                enforcements: Vec::new(),
                orders: Vec::new(),
                decision: Some(Decision::guarded(guard)),
            },
            None => hear(past, &seated.members, case, &mut Asking { panel: seated.panel.get(), hand }),
        };
        Remade::Again { flips: self.flips(&heard, case), of_time: false }
    }

    fn flips(&self, heard: &Hearing, case: &Case) -> Vec<Flip> {
        let past = &self.decided;
        if heard.evaluations == past.evaluations && heard.enforcements == past.enforcements && asked(heard) {
            return Vec::new();
        }
        let (old, new) = (orders_of(past), orders_that_stand(past, heard));
        if let (Some(request), Some(was), Some(is)) = (&past.request, &past.decision, &heard.decision) {
            // A lock that could not be had then could not be had for the same orders now.
            let same_locks = matches!(was.because, Because::LockImpossible(_)) && is.verdict == Verdict::Approve;
            if was.verdict != is.verdict && !(same_locks && wanted(past) == ids(&new)) {
                let (from, to) = (was.verdict.into(), is.verdict.into());
                let (was, rules) = (was.because.rules(), is.because.rules());
                return vec![self.flip(&request.id, request.roles.clone(), (from, to), was, rules)];
            }
        }
        let rule = |orders: &[Order], id: &RequestId| {
            let of = orders.iter().filter(|(_, order)| order.request == *id);
            of.map(|(policy, order)| format!("{policy}/{}", order.ground.rule)).collect::<Vec<_>>()
        };
        let mut flips = Vec::new();
        for entry in &case.requests {
            let (id, roles) = (&entry.request.id, &entry.request.roles);
            let (was, rules) = (rule(&old, id), rule(&new, id));
            let turn = match (was.is_empty(), rules.is_empty()) {
                (true, false) => (Fate::Keep, Fate::Lock),
                (false, true) => (Fate::Lock, Fate::Keep),
                (true, true) | (false, false) => continue,
            };
            flips.push(self.flip(id, roles.clone(), turn, was, rules));
        }
        flips
    }

    fn flip(
        &self,
        request: &RequestId,
        roles: Vec<String>,
        (from, to): (Fate, Fate),
        was: Vec<String>,
        rules: Vec<String>,
    ) -> Flip {
        Flip {
            seq: self.seq,
            at: self.at,
            decision: self.decided.id.to_string(),
            user: self.decided.user.as_str().to_owned(),
            request: request.as_str().to_owned(),
            roles,
            from,
            to,
            was,
            rules,
        }
    }
}

type Order = (PolicyName, LockOrder);

fn hear(past: &Decided, members: &[Member], case: &Arc<Case>, answers: &mut impl Answers) -> Hearing {
    match &past.request {
        Some(request) => hearing::judge(members, case, &request.id, answers),
        None => hearing::put_in_order(members, case, answers),
    }
}

/// Whether any policy was asked.
fn asked(heard: &Hearing) -> bool {
    !heard.evaluations.is_empty() || !heard.enforcements.is_empty()
}

/// What policies that count wanted locked, whatever came of it.
fn counted(past: &Decided) -> impl Iterator<Item = Order> + '_ {
    let counts = |mode: Mode| match mode {
        Mode::Enforce => true,
        Mode::Shadow => false,
    };
    let said = past.enforcements.iter().filter(move |said| counts(said.member.mode));
    said.flat_map(|said| {
        said.answer.iter().flatten().map(|order| (said.member.name.clone(), order.clone())).collect::<Vec<_>>()
    })
}

fn wanted(past: &Decided) -> Vec<RequestId> {
    ids(&counted(past).collect::<Vec<_>>())
}

fn ids(orders: &[Order]) -> Vec<RequestId> {
    orders.iter().map(|(_, order)| order.request.clone()).collect()
}

/// The orders that followed from it.
fn orders_of(past: &Decided) -> Vec<Order> {
    let stands = match (&past.request, &past.decision) {
        (Some(_), Some(decision)) => decision.verdict == Verdict::Approve,
        (Some(_), None) => false,
        (None, _) => true,
    };
    if stands { counted(past).collect() } else { Vec::new() }
}

/// The orders that would follow.
fn orders_that_stand(past: &Decided, heard: &Hearing) -> Vec<Order> {
    let stands = match (&past.request, &heard.decision) {
        (Some(_), Some(decision)) => decision.verdict == Verdict::Approve,
        (Some(_), None) => false,
        (None, decision) => decision.is_none(),
    };
    if stands { heard.orders.clone() } else { Vec::new() }
}

/// What is not as it is recorded: the very bytes of the record are looked for.
fn difference(past: &Decided, heard: &Hearing, bytes: &[u8]) -> Option<String> {
    let evaluations: Vec<Evaluation> = heard.evaluations.iter().map(Evaluation::from).collect();
    let enforcements: Vec<Enforcement> = heard.enforcements.iter().map(Enforcement::from).collect();
    let said = [json(&evaluations), b",\"enforcements\":".to_vec(), json(&enforcements)];
    if !stands_behind(b"\"evaluations\":", &said.concat(), bytes) {
        return Some(first_difference(past, heard));
    }
    let (Some(was), Some(is)) = (&past.decision, &heard.decision) else {
        // Of held requests alone: what is left to people there is a matter of locks, or of faults that are the same.
        return None;
    };
    match (&was.because, &is.because) {
        // Whether a lock can be had is a question of the moment.
        (Because::LockImpossible(_), _) | (_, Because::LockImpossible(_)) => None,
        _ => {
            let verdict = RecordedVerdict::from(is.verdict);
            let by = DeterminedBy::from(&is.because);
            let decided = [json(&verdict), b",\"determined_by\":".to_vec(), json(&by)];
            let same = stands_behind(b"\"verdict\":", &decided.concat(), bytes);
            (!same).then(|| {
                format!(
                    "the verdict is {}, and {} is recorded, or other grounds",
                    is.verdict.as_str(),
                    was.verdict.as_str()
                )
            })
        }
    }
}

/// Whether this text stands behind this key, in one place at least: a requester's words may look like a key.
fn stands_behind(key: &[u8], text: &[u8], bytes: &[u8]) -> bool {
    let behind = |at: usize| bytes.get(at.saturating_add(key.len())..).is_some_and(|rest| rest.starts_with(text));
    memmem::find_iter(bytes, key).any(behind)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // These types give the writer no cause to refuse; an empty text is found in no record, and so is a difference.
    serde_json::to_vec(value).unwrap_or_else(|_| b"\0".to_vec())
}

/// Names the first policy that says something else.
fn first_difference(past: &Decided, heard: &Hearing) -> String {
    for (was, is) in past.evaluations.iter().zip(&heard.evaluations) {
        if was != is {
            let (was_said, is_said) = (opinion(&was.answer), opinion(&is.answer));
            return format!("policy `{}` answers {is_said}, and {was_said} is recorded", was.member.name);
        }
    }
    for (was, is) in past.enforcements.iter().zip(&heard.enforcements) {
        if was != is {
            return format!("policy `{}` orders other locks than are recorded", was.member.name);
        }
    }
    if past.enforcements.len() != heard.enforcements.len() {
        let (was, is) = (past.enforcements.len(), heard.enforcements.len());
        return format!("{is} policies are asked for locks, and the answers of {was} are recorded");
    }
    "the answers mean the same, and are not the same bytes".to_owned()
}

fn opinion(answer: &Result<Opinion, Fault>) -> String {
    match answer {
        Ok(opinion) => {
            let rules: Vec<&str> = opinion.grounds().iter().map(|ground| ground.rule.as_str()).collect();
            if rules.is_empty() {
                opinion.word().to_owned()
            } else {
                format!("{} ({})", opinion.word(), rules.join(", "))
            }
        }
        Err(fault) => format!("with a fault ({fault})"),
    }
}

// === impl Again ===

impl Again<'_> {
    fn place(&self, policy: usize) -> Result<usize, Fault> {
        let name = self.members.get(policy).map(|member| &member.name);
        let place = name.and_then(|name| self.seated.place(name));
        place.ok_or_else(|| Fault::new(FaultKind::Unavailable, "is not in the panel that is recorded"))
    }

    fn time<'f>(&mut self, recorded: Option<&'f Fault>) -> Option<&'f Fault> {
        let fault = recorded.filter(|fault| is_of_the_moment(fault));
        self.of_time |= fault.is_some();
        fault
    }
}

impl Answers for Again<'_> {
    fn review(&mut self, policy: usize, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault> {
        let past = self.past;
        let recorded = past.evaluations.get(policy).and_then(|said| said.answer.as_ref().err());
        if let Some(fault) = self.time(recorded) {
            return Err(fault.clone());
        }
        self.seated.panel.get().review_here(self.hand, self.place(policy)?, case, request)
    }

    fn enforce(&mut self, policy: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        let past = self.past;
        let name = self.members.get(policy).map(|member| &member.name);
        let recorded = past.enforcements.iter().find(|said| Some(&said.member.name) == name);
        if let Some(fault) = self.time(recorded.and_then(|said| said.answer.as_ref().err())) {
            return Err(fault.clone());
        }
        self.seated.panel.get().enforce_here(self.hand, self.place(policy)?, case)
    }
}
