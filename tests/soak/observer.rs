//! An observer on the server's side: follows every change of state and every moment at which time alone changes something,
//! and notes what must never have been. It never acts, and asks nobody but the server.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_proto::types::{AccessRequestV3, LockV2, RequestState};
use tribunal_sim::{Change, Entry, Handle, Moment};

use crate::replay;
use crate::tap::Tap;

/// Distinct resources that a user may have usable at one time; a request for roles alone counts as one.
const CAP: usize = 3;
/// Role names that contain one of these are of that class; nobody may use two classes.
const CLASSES: [&str; 2] = ["prod", "research"];
/// The kind of semaphores that are leases of daemons.
const LEASE_KIND: &str = "tribunal";

/// Everything as far as it was followed.
#[derive(Debug)]
pub(crate) struct Observer {
    bot: String,
    sequence: u64,
    requests: BTreeMap<String, Seen>,
    of_user: BTreeMap<String, BTreeSet<String>>,
    /// By name, with who wrote it last.
    locks: BTreeMap<String, (Arc<LockV2>, String)>,
    locks_on: BTreeMap<String, BTreeSet<String>>,
    /// When time alone changes what a user can use.
    due: BTreeSet<(Moment, String)>,
    /// Users of whom a person removed a lock: what follows from it is the person's doing.
    exempt: BTreeSet<String>,
    /// Users who are in a forbidden state now.
    forbidden: BTreeMap<String, String>,
    /// Requests that nobody has decided yet.
    pub(crate) pending: BTreeSet<String>,
    /// Requests that ended undecided.
    pub(crate) ended_pending: Vec<String>,
    /// The daemon's changes since they were last taken.
    pub(crate) writes: Vec<Write>,
    pub(crate) counts: Counts,
    pub(crate) violations: Vec<String>,
}

#[derive(Debug)]
struct Seen {
    request: Arc<AccessRequestV3>,
    /// Who brought it into its present state, and with which change.
    by: String,
    since: u64,
}

/// Something that the daemon changed on the server.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) sequence: u64,
    pub(crate) at: Moment,
    /// The decision that the change names.
    pub(crate) decision: Option<String>,
    pub(crate) what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Approved(String),
    Denied(String),
    Locked(String),
    Unlocked(String),
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) approvals: u64,
    pub(crate) denials: u64,
    pub(crate) locks: u64,
    pub(crate) releases: u64,
    pub(crate) by_people: u64,
    /// Times at which a person's removal of a lock led to a forbidden state.
    pub(crate) excused: u64,
    /// Times at which a person decided between the daemon's last look and its write, which Teleport cannot exclude.
    pub(crate) races: u64,
}

// === impl Observer ===

impl Observer {
    pub(crate) fn new(bot: String) -> Self {
        Self {
            bot,
            sequence: 0,
            requests: BTreeMap::new(),
            of_user: BTreeMap::new(),
            locks: BTreeMap::new(),
            locks_on: BTreeMap::new(),
            due: BTreeSet::new(),
            exempt: BTreeSet::new(),
            forbidden: BTreeMap::new(),
            pending: BTreeSet::new(),
            ended_pending: Vec::new(),
            writes: Vec::new(),
            counts: Counts::default(),
            violations: Vec::new(),
        }
    }

    /// Takes in all that happened since the last call.
    pub(crate) fn follow(&mut self, server: &Handle, tap: &Tap) {
        let (entries, now) = server.with(|cluster, now| {
            let entries: Vec<_> = cluster.history().since(self.sequence).cloned().collect();
            (entries, now)
        });
        for entry in entries {
            if entry.sequence != self.sequence + 1 {
                self.violations.push(format!("the server forgot changes {} to {}", self.sequence + 1, entry.sequence));
            }
            self.sequence = entry.sequence;
            self.pass_time(entry.at);
            self.judge(&entry, tap);
            if let Some(user) = self.take_in(&entry) {
                self.look(&user, entry.at, &format!("change {} by `{}`", entry.sequence, entry.by));
            }
        }
        self.pass_time(now);
    }

    /// Whether nobody is in a forbidden state now.
    pub(crate) fn forbidden_now(&self) -> Vec<String> {
        self.forbidden.iter().map(|(user, why)| format!("`{user}` was left in a forbidden state: {why}")).collect()
    }

    /// How many users have ever made a request.
    pub(crate) fn users(&self) -> usize {
        self.of_user.len()
    }

    pub(crate) fn live(&self) -> usize {
        self.requests.len()
    }

    /// Looks at every moment until now at which something begins or ends.
    fn pass_time(&mut self, now: Moment) {
        while let Some((at, user)) = self.due.pop_first() {
            if at > now {
                self.due.insert((at, user));
                return;
            }
            self.look(&user, at, "time passed");
        }
    }

    fn look(&mut self, user: &str, at: Moment, after: &str) {
        let Some(why) = self.is_forbidden(user, at) else {
            self.forbidden.remove(user);
            return;
        };
        if self.forbidden.insert(user.to_owned(), why.clone()).is_some() {
            return;
        }
        if self.exempt.contains(user) {
            self.counts.excused += 1;
        } else {
            self.violations.push(format!("{after}, at {}: `{user}` {why}", at.unix_ms()));
        }
    }

    fn is_forbidden(&self, user: &str, at: Moment) -> Option<String> {
        let mut resources = BTreeSet::new();
        let mut classes: BTreeSet<&str> = BTreeSet::new();
        for id in self.of_user.get(user).into_iter().flatten() {
            // What a person approved is exempt.
            let Some(seen) = self.requests.get(id).filter(|seen| seen.by == self.bot) else { continue };
            if !self.is_usable(id, &seen.request, at) {
                continue;
            }
            let named = replay::resources(&seen.request);
            if named.is_empty() {
                resources.insert(id.clone());
            }
            resources.extend(named);
            for role in replay::roles(&seen.request) {
                classes.extend(CLASSES.iter().filter(|class| role.contains(*class)));
            }
        }
        if resources.len() > CAP {
            return Some(format!("can use {} resources: {resources:?}", resources.len()));
        }
        (classes.len() > 1).then(|| format!("can use two classes: {classes:?}"))
    }

    fn is_usable(&self, id: &str, request: &AccessRequestV3, at: Moment) -> bool {
        replay::state(request) == RequestState::Approved
            && replay::access_end(request).is_none_or(|end| at < end)
            && replay::access_start(request).is_none_or(|start| start <= at)
            && !self.locks_on.get(id).into_iter().flatten().any(|name| {
                let lock = self.locks.get(name);
                lock.is_some_and(|(lock, _)| replay::lock_end(lock).is_none_or(|end| at < end))
            })
    }

    /// Whether the daemon may have made this change, given what was before.
    fn judge(&mut self, entry: &Entry, tap: &Tap) {
        if entry.by != self.bot {
            self.counts.by_people += u64::from(entry.by == crate::world::PERSON);
            return;
        }
        let sequence = entry.sequence;
        let (decision, what) = match &entry.change {
            Change::RequestPut(request) => {
                self.judge_resolution(sequence, request, tap);
                let id = replay::id(request).to_owned();
                let what = match replay::state(request) {
                    RequestState::Approved => What::Approved(id),
                    RequestState::Denied => What::Denied(id),
                    RequestState::None | RequestState::Pending | RequestState::Promoted => {
                        return self.violations.push(format!("change {sequence}: the daemon made `{id}` pending"));
                    }
                };
                (replay::decision(request).map(str::to_owned), what)
            }
            Change::LockPut(lock) => {
                let name = replay::lock_name(lock);
                self.must_be_its_own(sequence, name);
                (replay::lock_decision(lock).map(str::to_owned), What::Locked(name.to_owned()))
            }
            Change::LockDeleted(name) => {
                self.must_be_its_own(sequence, name);
                (None, What::Unlocked(name.clone()))
            }
            // The lease, by which daemons keep out of each other's way.
            Change::SemaphorePut(semaphore) if semaphore.sub_kind == LEASE_KIND => return,
            Change::RequestDeleted(_)
            | Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => {
                return self
                    .violations
                    .push(format!("change {sequence}: not the daemon's business: {:?}", entry.change));
            }
        };
        match &what {
            What::Approved(_) => self.counts.approvals += 1,
            What::Denied(_) => self.counts.denials += 1,
            What::Locked(_) => self.counts.locks += 1,
            What::Unlocked(_) => self.counts.releases += 1,
        }
        self.writes.push(Write { sequence, at: entry.at, decision, what });
    }

    /// What was decided already is not decided by the daemon, unless it could not know.
    fn judge_resolution(&mut self, sequence: u64, request: &AccessRequestV3, tap: &Tap) {
        let id = replay::id(request);
        let Some(seen) = self.requests.get(id) else {
            return self.violations.push(format!("change {sequence}: `{id}` came from nowhere"));
        };
        if replay::state(&seen.request) == RequestState::Pending {
            return;
        }
        let since = seen.since;
        let knew = tap.with(|heard| {
            heard.reads.get(id).is_some_and(|reads| reads.iter().any(|read| *read >= since && *read < sequence))
        });
        if knew || seen.by == self.bot {
            let by = &seen.by;
            self.violations
                .push(format!("change {sequence}: `{id}` was decided by `{by}` with change {since} already"));
        } else {
            self.counts.races += 1;
        }
    }

    fn must_be_its_own(&mut self, sequence: u64, name: &str) {
        if let Some((_, by)) = self.locks.get(name).filter(|(_, by)| *by != self.bot) {
            self.violations.push(format!("change {sequence}: lock `{name}` is `{by}`'s"));
        }
    }

    /// Makes the change; whose access may have changed with it.
    fn take_in(&mut self, entry: &Entry) -> Option<String> {
        match &entry.change {
            Change::RequestPut(request) => Some(self.put_request(entry, request)),
            Change::RequestDeleted(id) => {
                let seen = self.requests.remove(id)?;
                if self.pending.remove(id) {
                    self.ended_pending.push(id.clone());
                }
                let user = replay::user(&seen.request);
                if let Some(of_user) = self.of_user.get_mut(user) {
                    of_user.remove(id);
                }
                Some(user.to_owned())
            }
            Change::LockPut(lock) => {
                let (name, target) = (replay::lock_name(lock), replay::lock_target(lock));
                self.locks.insert(name.to_owned(), (Arc::clone(lock), entry.by.clone()));
                self.locks_on.entry(target.to_owned()).or_default().insert(name.to_owned());
                let user = self.user_of(target)?;
                self.due.extend(replay::lock_end(lock).map(|end| (end, user.clone())));
                Some(user)
            }
            Change::LockDeleted(name) => {
                let (lock, _) = self.locks.remove(name)?;
                let target = replay::lock_target(&lock);
                if let Some(names) = self.locks_on.get_mut(target) {
                    names.remove(name);
                }
                let user = self.user_of(target)?;
                if entry.by == crate::world::PERSON {
                    self.exempt.insert(user.clone());
                }
                Some(user)
            }
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => None,
        }
    }

    fn put_request(&mut self, entry: &Entry, request: &Arc<AccessRequestV3>) -> String {
        let (id, user) = (replay::id(request).to_owned(), replay::user(request).to_owned());
        let state = replay::state(request);
        let same = self.requests.get(&id).filter(|seen| replay::state(&seen.request) == state);
        let (by, since) = same.map_or_else(|| (entry.by.clone(), entry.sequence), |seen| (seen.by.clone(), seen.since));
        if state == RequestState::Pending {
            self.pending.insert(id.clone());
        } else {
            self.pending.remove(&id);
        }
        let ends = [replay::access_end(request), replay::access_start(request)];
        self.due.extend(ends.into_iter().flatten().map(|end| (end, user.clone())));
        self.of_user.entry(user.clone()).or_default().insert(id.clone());
        self.requests.insert(id, Seen { request: Arc::clone(request), by, since });
        user
    }

    fn user_of(&self, id: &str) -> Option<String> {
        self.requests.get(id).map(|seen| replay::user(&seen.request).to_owned())
    }
}

#[cfg(test)]
#[path = "observer/tests.rs"] // `week` uses this file as well
mod tests;
