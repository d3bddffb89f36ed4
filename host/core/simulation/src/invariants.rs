//! What must be true, seen from the server's side and never through the controller's eyes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tribunal_core::case::{Case, CaseLock, CaseRequest};
use tribunal_core::controller::HumanApproved;
use tribunal_core::decision::{Verdict, combine};
use tribunal_core::guard::guard;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::opinion::{Effect, Evaluation, LockOrder, Mode};
use tribunal_core::record::Decided;
use tribunal_core::request::{AccessRequest, Decider, EXEMPT_ANNOTATION, RequestId, RequestState, Subject, UserName};
use tribunal_core::scope::Exempt;
use tribunal_core::{Settings, Timestamp};

use super::model::World;
use super::policies::{CAP, Policy, conflicts, count};

/// What is wrong, in words.
pub(crate) type Wrong = String;

/// Law 8, kept from outside: whether the daemon's view may be incomplete.
#[derive(Clone, Debug, Default)]
pub(crate) struct Eyesight {
    began: Timestamp,
    last_full: Option<Timestamp>,
    failed: bool,
    up: bool,
    /// The list that is under way, or the last one, was begun after INIT.
    began_up: bool,
    caught_up: bool,
}

impl Eyesight {
    pub(crate) fn list_begins(&mut self, now: Timestamp) {
        self.began = now;
        self.began_up = self.up;
    }

    pub(crate) fn listed(&mut self, ok: bool) {
        self.failed = !ok;
        if ok {
            self.last_full = Some(self.began);
            self.caught_up = self.began_up;
        }
    }

    pub(crate) fn watch(&mut self, up: bool) {
        self.up = up;
        self.began_up = false;
        self.caught_up = false;
    }

    pub(crate) fn blind(&self, now: Timestamp, poll: Duration) -> bool {
        let old = self.last_full.is_none_or(|at| now.since(at) > poll * 2);
        self.failed || self.last_full.is_none() || (!self.caught_up && old)
    }
}

/// Whether a request is not to be locked at `at`, because a person approved it or an operator said so.
pub(crate) fn is_exempt(request: &AccessRequest, settings: &Settings, at: Timestamp) -> bool {
    let by_person = settings.human_approved == HumanApproved::Exempt && request.decided_by == Decider::Person;
    let by_operator = settings.exemptions.iter().any(|it| it.until > at && it.on == Exempt::User(request.user.clone()));
    request.state == RequestState::Approved && (by_person || by_operator)
}

/// Law 2: what gives access to one user keeps cap and separation, what people brought about left aside.
/// Only users who gained access since `before` are looked at: what was wrong already is not the fault of this step.
pub(crate) fn access(
    world: &World,
    settings: &Settings,
    before: &BTreeSet<RequestId>,
    excused: &BTreeSet<RequestId>,
) -> Result<(), Wrong> {
    let usable = world.usable();
    let gained = usable.difference(before).filter(|id| !excused.contains(*id));
    let users: BTreeSet<_> = gained.map(|id| &world.requests[id].user).collect();
    for user in users {
        let held = || {
            let held = world.requests().filter(|it| it.user == *user && usable.contains(&it.id));
            held.filter(|it| !is_exempt(it, settings, world.now) && !excused.contains(&it.id))
        };
        if count(held()) > CAP {
            return Err(format!("{user} uses more than {CAP} resources"));
        }
        for a in held() {
            if let Some(b) = held().find(|b| conflicts(a, b)) {
                return Err(format!("{user} uses {} and {} together", a.id, b.id));
            }
        }
    }
    Ok(())
}

/// Laws 1 and 5: a resolution stands on a recorded decision that says so, with nobody's fault in it.
pub(crate) fn resolution(settings: &Settings, decided: &Decided, id: &RequestId, approve: bool) -> Result<(), Wrong> {
    let request = decided.request.as_ref().map(|it| &it.id);
    let verdict = combine(&decided.evaluations).verdict;
    let faulted = decided.enforcements.iter().any(|it| it.member.mode == Mode::Enforce && it.answer.is_err());
    let expected = if approve { Verdict::Approve } else { Verdict::Deny };
    let mut roles = decided.request.iter().flat_map(|request| &request.roles);
    if approve && roles.any(|role| settings.protected_roles.contains(role)) {
        Err(format!("{id} is approved though its role is protected"))
    } else if decided.dry_run {
        Err(format!("{id} is resolved in a rehearsal"))
    } else if request != Some(id) || decided.decision.as_ref().map(|it| it.verdict) != Some(expected) {
        Err(format!("{id} is resolved otherwise than its decision says"))
    } else if verdict != expected || (approve && faulted) {
        Err(format!("{id} is resolved against the opinions: {:?}", decided.evaluations))
    } else {
        Ok(())
    }
}

/// A decision stands on the answers of one panel, in its order.
pub(crate) fn one_panel(panels: &[Vec<Policy>], decided: &Decided) -> Result<(), Wrong> {
    let reviewed: Vec<_> = decided.evaluations.iter().map(|it| it.member.clone()).collect();
    let enforced: Vec<_> = decided.enforcements.iter().map(|it| it.member.clone()).collect();
    let is_it = |panel: &Vec<Policy>| {
        let members: Vec<_> = panel.iter().map(|policy| policy.member()).collect();
        let may_lock: Vec<_> = members.iter().filter(|it| it.effects.contains(&Effect::Lock)).cloned().collect();
        (reviewed.is_empty() || reviewed == members) && may_lock.starts_with(&enforced)
    };
    if panels.iter().any(is_it) {
        Ok(())
    } else {
        Err(format!("{} mixes panels: {reviewed:?} and {enforced:?}", decided.id))
    }
}

/// A case as the daemon should build it, from the truth.
pub(crate) fn true_case(world: &World, user: &UserName, settings: &Settings, lead: Duration) -> Case {
    let soon = world.now.after(lead);
    let show = |it: &AccessRequest| {
        let mut request = it.clone();
        if World::has_our_yes(it) {
            request.state = RequestState::Approved;
            request.decided_by = Decider::Tribunal;
        }
        if is_exempt(it, settings, soon) {
            request.annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec!["human-approved".to_owned()]);
        }
        if request.access_starts.is_some_and(|at| at > world.now && at <= soon) {
            request.access_starts = Some(world.now);
        }
        let foreign = |lock: &&Lock| {
            lock.in_force(world.now)
                && lock.covers(it)
                && lock.ours(&World::own_user()).is_none()
                && lock.expires.is_none_or(|end| end > soon || it.access_expires.is_some_and(|over| over <= end))
        };
        let show = |lock: &Lock| CaseLock {
            name: lock.name.clone(),
            message: lock.message.clone(),
            ours: false,
            expires: lock.expires,
        };
        CaseRequest { request, locks: world.locks().filter(foreign).map(show).collect() }
    };
    let live =
        world.requests().filter(|it| it.user == *user && it.state != RequestState::Denied && !it.is_over(world.now));
    let mut requests: Vec<_> = live.map(show).map(Arc::new).collect();
    requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
    Case {
        now: world.now,
        cluster: "c".to_owned(),
        subject: Subject { name: user.clone(), roles: None, traits: None },
        requests,
        facts: Arc::default(),
    }
}

/// The orders of a whole panel about a case.
pub(crate) fn orders(panel: &[Policy], case: &Case) -> Vec<LockOrder> {
    let mut orders: Vec<LockOrder> = Vec::new();
    for policy in panel.iter().filter(|policy| policy.member().mode == Mode::Enforce) {
        let more = policy.enforce(&case.with_orders(&orders));
        orders.extend(more);
    }
    orders
}

/// Whether somebody else has taken the name that our lock on this request would have.
pub(crate) fn is_taken(world: &World, id: &RequestId) -> bool {
    world.locks.get(&LockName::of(id)).is_some_and(|lock| lock.ours(&World::own_user()).is_none())
}

/// When nothing goes wrong any more and nobody does anything, everything ends where it should.
pub(crate) fn settled(world: &World, panel: &[Policy], settings: &Settings, lead: Duration) -> Result<(), Wrong> {
    let users: BTreeSet<_> = world.requests().map(|it| it.user.clone()).collect();
    let mut excused = BTreeSet::new();
    for user in users {
        let case = true_case(world, &user, settings, lead);
        let wanted = orders(panel, &case);
        let none_impossible = wanted.iter().all(|order| !is_taken(world, &order.request));
        for entry in &case.requests {
            let it = &world.requests[&entry.request.id];
            let wanted = wanted.iter().any(|order| order.request == it.id);
            let impossible = is_taken(world, &it.id);
            if impossible {
                excused.insert(it.id.clone());
            }
            let lasts = |lock: &Lock| lock.covers(it) && lock.expires.is_none_or(|end| Some(end) >= it.access_expires);
            if wanted && !impossible && !world.locks().any(lasts) {
                return Err(format!("{} is not locked to its end, as it has to be", it.id));
            }
            let ours = |lock: &Lock| lock.in_force(world.now) && lock.ours(&World::own_user()) == Some(&it.id);
            let gives_access = it.state == RequestState::Approved || World::has_our_yes(it);
            if gives_access && !wanted && none_impossible && world.locks().any(ours) {
                return Err(format!("{} is still locked though nobody wants it", it.id));
            }
            if it.state == RequestState::Pending
                && it.reviews.iter().all(|review| review.author != World::own_user())
                && guard(it, &settings.own_user, &settings.protected_roles, &settings.scope, world.now).is_none()
                && let Some(verdict) = overdue(world, panel, &case, it, settings, lead)
            {
                return Err(format!("{} is still pending though the panel would {}", it.id, verdict.as_str()));
            }
        }
    }
    access(world, settings, &BTreeSet::new(), &excused)
}

/// What the panel would do with a pending request at once, if anything.
fn overdue(
    world: &World,
    panel: &[Policy],
    case: &Case,
    request: &AccessRequest,
    settings: &Settings,
    lead: Duration,
) -> Option<Verdict> {
    let ask = |policy: &Policy| Evaluation { member: policy.member(), answer: Ok(policy.review(case, &request.id)) };
    match combine(&panel.iter().map(ask).collect::<Vec<_>>()).verdict {
        Verdict::Leave | Verdict::Nothing => None,
        Verdict::Deny => Some(Verdict::Deny),
        Verdict::Approve => {
            let impossible = |order: &LockOrder| {
                order.request == request.id
                    || is_taken(world, &order.request)
                    || is_exempt(&world.requests[&order.request], settings, world.now.after(lead))
            };
            let orders = orders(panel, &case.as_if_held(&request.id));
            (!orders.iter().any(impossible)).then_some(Verdict::Approve)
        }
    }
}
