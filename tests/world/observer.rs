//! An observer on the server's side, which shares no code with what it judges: replays every change of state and every
//! moment at which time alone changes something, and says what must never have been. It never acts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_proto::types::{AccessRequestV3, AccessReview, LockV2, RequestState};
use tribunal_sim::{Change, Entry, Moment};

use super::witness::Intent;

/// What must hold in this world.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    /// Distinct resources that a user may have usable at one time.
    pub(crate) cap: usize,
    /// Role names that contain one of these, in any case, are of that class.
    pub(crate) classes: Vec<String>,
    /// Whether requests that a person approved are left out of it.
    pub(crate) exempt: bool,
    /// The daemon's user.
    pub(crate) bot: String,
}

/// Everything as far as it was replayed.
#[derive(Debug, Default)]
struct Replay {
    requests: BTreeMap<String, Seen>,
    /// By name, with who wrote it last.
    locks: BTreeMap<String, (Arc<LockV2>, String)>,
    /// Users in a forbidden state that somebody else than the daemon brought about.
    excused: BTreeSet<String>,
}

#[derive(Debug)]
struct Seen {
    request: Arc<AccessRequestV3>,
    /// Who brought it into its present state.
    decided_by: String,
}

/// All that was wrong, in order.
pub(crate) fn faults(
    history: &[Arc<Entry>],
    intents: &BTreeMap<String, Intent>,
    rules: &Rules,
    now: Moment,
) -> Vec<String> {
    let mut replay = Replay::default();
    let mut found = Vec::new();
    let mut last = history.first().map_or(now, |entry| entry.at);
    for entry in history {
        replay.pass_time(last, entry.at, rules, &mut found);
        last = entry.at;
        replay.judge(entry, intents, rules, &mut found);
        replay.take_in(entry);
        replay.look(entry.at, &entry.by, &format!("{:?}", name_of(&entry.change)), rules, &mut found);
    }
    replay.pass_time(last, now, rules, &mut found);
    found.extend(replay.excused.iter().map(|user| format!("`{user}` was left in a forbidden state")));
    found
}

// === impl Replay ===

impl Replay {
    /// Looks at every moment between two changes at which something begins or ends.
    fn pass_time(&mut self, from: Moment, to: Moment, rules: &Rules, found: &mut Vec<String>) {
        let mut moments = BTreeSet::new();
        for seen in self.requests.values() {
            let spec = spec(&seen.request);
            moments.extend(Moment::from_proto(spec.expires.as_ref()));
            moments.extend(Moment::from_proto(spec.assume_start_time.as_ref()));
        }
        moments.extend(self.locks.values().filter_map(|(lock, _)| lock_end(lock)));
        for moment in moments.into_iter().filter(|moment| *moment > from && *moment <= to) {
            self.look(moment, "time", "time passed", rules, found);
        }
    }

    /// Looks for users in a forbidden state at this moment.
    fn look(&mut self, at: Moment, by: &str, what: &str, rules: &Rules, found: &mut Vec<String>) {
        let users: BTreeSet<String> = self.requests.values().map(|seen| spec(&seen.request).user.clone()).collect();
        for user in users {
            match self.forbidden(&user, at, rules) {
                None => drop(self.excused.remove(&user)),
                Some(why) if by == rules.bot || by == "time" => {
                    if !self.excused.contains(&user) {
                        found.push(format!("after {what} by {by}: `{user}` {why}"));
                    }
                }
                Some(_) => drop(self.excused.insert(user)),
            }
        }
    }

    fn forbidden(&self, user: &str, at: Moment, rules: &Rules) -> Option<String> {
        let mut resources = BTreeSet::new();
        let mut classes = BTreeSet::new();
        for (id, seen) in &self.requests {
            if spec(&seen.request).user != user || !self.is_usable(seen, at) {
                continue;
            }
            if rules.exempt && seen.decided_by != rules.bot {
                continue;
            }
            let named = resources_of(&seen.request);
            if named.is_empty() {
                resources.insert(id.clone());
            }
            resources.extend(named);
            for role in &spec(&seen.request).roles {
                let role = role.to_lowercase();
                classes.extend(rules.classes.iter().filter(|class| role.contains(class.as_str())));
            }
        }
        if resources.len() > rules.cap {
            return Some(format!("can use {} resources: {resources:?}", resources.len()));
        }
        (classes.len() > 1).then(|| format!("can use two classes: {classes:?}"))
    }

    fn is_usable(&self, seen: &Seen, at: Moment) -> bool {
        let spec = spec(&seen.request);
        spec.state == i32::from(RequestState::Approved)
            && Moment::from_proto(spec.expires.as_ref()).is_none_or(|end| at < end)
            && Moment::from_proto(spec.assume_start_time.as_ref()).is_none_or(|start| start <= at)
            && !self.locks.values().any(|(lock, _)| bites(lock, &seen.request, at))
    }

    /// Whether the daemon may have made this change, given what was before.
    fn judge(&self, entry: &Entry, intents: &BTreeMap<String, Intent>, rules: &Rules, found: &mut Vec<String>) {
        if entry.by != rules.bot {
            return;
        }
        let before = entry.sequence;
        let durable = |intent: &Intent| intent.durable_at < before;
        match &entry.change {
            Change::RequestPut(request) => {
                let id = id(request);
                match self.requests.get(id) {
                    Some(seen) if spec(&seen.request).state == i32::from(RequestState::Pending) => {}
                    Some(seen) => {
                        found.push(format!("{before}: `{id}` was changed after `{}` decided it", seen.decided_by))
                    }
                    None => found.push(format!("{before}: `{id}` came from nowhere")),
                }
                let before_it = self.requests.get(id).map_or(&[][..], |seen| &spec(&seen.request).reviews);
                let (decision, approved) = match new_reviews(before_it, request, &rules.bot).as_slice() {
                    [] => (decision_of(request), spec(request).state == i32::from(RequestState::Approved)),
                    [review] => (decision_in(review), review.proposed_state == i32::from(RequestState::Approved)),
                    more => {
                        found.push(format!("{before}: `{id}` has {} reviews of ours", more.len()));
                        (None, false)
                    }
                };
                let intent = decision.and_then(|decision| intents.get(&decision));
                if !intent.is_some_and(|intent| durable(intent) && intent.resolves == Some((id.to_owned(), approved))) {
                    found.push(format!("{before}: `{id}` was resolved without a durable intent: {intent:?}"));
                }
            }
            Change::LockPut(lock) => {
                let name = lock.metadata.as_ref().map_or("", |metadata| metadata.name.as_str());
                if let Some((_, by)) = self.locks.get(name)
                    && *by != rules.bot
                {
                    found.push(format!("{before}: lock `{name}` of `{by}` was overwritten"));
                }
                let message = lock.spec.as_ref().map_or("", |spec| spec.message.as_str());
                let intent = intents.iter().find(|(decision, _)| names(message, decision)).map(|(_, intent)| intent);
                if !intent.is_some_and(|intent| durable(intent) && intent.locks.iter().any(|planned| planned == name)) {
                    found.push(format!("{before}: lock `{name}` without a durable intent: {message}"));
                }
            }
            Change::LockDeleted(name) => {
                if let Some((_, by)) = self.locks.get(name)
                    && *by != rules.bot
                {
                    found.push(format!("{before}: lock `{name}` of `{by}` was deleted"));
                }
                if !intents.values().any(|intent| durable(intent) && intent.releases.contains(name)) {
                    found.push(format!("{before}: lock `{name}` was deleted without a durable intent"));
                }
            }
            Change::RequestDeleted(id) => found.push(format!("{before}: request `{id}` was deleted by the daemon")),
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => {}
        }
    }

    fn take_in(&mut self, entry: &Entry) {
        match &entry.change {
            Change::RequestPut(request) => {
                let same_state =
                    self.requests.get(id(request)).filter(|seen| spec(&seen.request).state == spec(request).state);
                let decided_by = same_state.map_or_else(|| entry.by.clone(), |seen| seen.decided_by.clone());
                self.requests.insert(id(request).to_owned(), Seen { request: Arc::clone(request), decided_by });
            }
            Change::RequestDeleted(id) => drop(self.requests.remove(id)),
            Change::LockPut(lock) => {
                let name = lock.metadata.as_ref().map_or_else(String::new, |metadata| metadata.name.clone());
                self.locks.insert(name, (Arc::clone(lock), entry.by.clone()));
            }
            Change::LockDeleted(name) => drop(self.locks.remove(name)),
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => {}
        }
    }
}

fn name_of(change: &Change) -> String {
    match change {
        Change::RequestPut(request) => format!("request {} put", id(request)),
        Change::RequestDeleted(id) => format!("request {id} deleted"),
        Change::LockPut(lock) => format!("lock {} put", lock.metadata.as_ref().map_or("", |it| it.name.as_str())),
        Change::LockDeleted(name) => format!("lock {name} deleted"),
        Change::PluginDataPut(_)
        | Change::SemaphorePut(_)
        | Change::SemaphoreDeleted(..)
        | Change::UserPut(_)
        | Change::UserDeleted(_)
        | Change::RolePut(_) => "another change".to_owned(),
    }
}

pub(crate) fn id(request: &AccessRequestV3) -> &str {
    request.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

pub(crate) fn spec(request: &AccessRequestV3) -> &tribunal_proto::types::AccessRequestSpecV3 {
    request.spec.as_ref().unwrap()
}

/// The decision that a request carries.
pub(crate) fn decision_of(request: &AccessRequestV3) -> Option<String> {
    let annotations = spec(request).resolve_annotations.as_ref()?;
    annotations.values.get("tribunal/decision")?.values.first().cloned()
}

/// The daemon's reviews, if this change brought the newest of them.
fn new_reviews<'a>(before: &[AccessReview], request: &'a AccessRequestV3, bot: &str) -> Vec<&'a AccessReview> {
    let of_bot = |review: &&AccessReview| review.author == bot;
    let now: Vec<&AccessReview> = spec(request).reviews.iter().filter(of_bot).collect();
    if before.iter().filter(of_bot).count() < now.len() { now } else { Vec::new() }
}

/// The decision that a review of the daemon names at the end of its words.
fn decision_in(review: &AccessReview) -> Option<String> {
    let (_, decision) = review.reason.strip_suffix(')')?.rsplit_once("(tribunal decision ")?;
    Some(decision.to_owned())
}

fn resources_of(request: &AccessRequestV3) -> BTreeSet<String> {
    let spec = spec(request);
    let constrained = spec.requested_resource_access_ids.iter().filter_map(|access| access.id.as_ref());
    let all = spec.requested_resource_ids.iter().chain(constrained);
    all.map(|id| format!("{}/{}/{}/{}", id.cluster_name, id.kind, id.name, id.sub_resource_name)).collect()
}

/// The first of a lock's two ends.
fn lock_end(lock: &LockV2) -> Option<Moment> {
    let ends = [
        lock.spec.as_ref().and_then(|spec| Moment::from_proto(spec.expires.as_ref())),
        lock.metadata.as_ref().and_then(|metadata| Moment::from_proto(metadata.expires.as_ref())),
    ];
    ends.into_iter().flatten().min()
}

fn bites(lock: &LockV2, request: &AccessRequestV3, at: Moment) -> bool {
    let Some(target) = lock.spec.as_ref().and_then(|spec| spec.target.as_ref()) else { return false };
    let fits = |wanted: &str, is: &dyn Fn(&str) -> bool| wanted.is_empty() || is(wanted);
    let anything = !(target.access_request.is_empty() && target.user.is_empty() && target.role.is_empty());
    anything
        && lock_end(lock).is_none_or(|end| at < end)
        && fits(&target.access_request, &|wanted| wanted == id(request))
        && fits(&target.user, &|wanted| wanted == spec(request).user)
        && fits(&target.role, &|wanted| spec(request).roles.iter().any(|role| role == wanted))
}

/// Whether a message names this decision, and not one whose id only begins like it.
fn names(message: &str, decision: &str) -> bool {
    message.match_indices(decision).any(|(at, _)| {
        let next = message.get(at + decision.len()..).and_then(|rest| rest.chars().next());
        next.is_none_or(|next| !next.is_ascii_alphanumeric())
    })
}
