//! What people do: ask, decide, review, lock, edit, delete.

use std::time::Duration;

use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::request::{RequestId, RequestState, UserName};

use super::super::invariants::Wrong;
use super::super::model::node;
use super::{Schedule, USERS};

const ROLES: [&str; 7] = ["node", "node", "prod-a", "research-a", "prod-b", "research-b", "editor"];
const NODES: [&str; 5] = ["n1", "n2", "n3", "n4", "n5"];

impl Schedule {
    pub(super) fn ask_for_access(&mut self) {
        if self.driver.world.requests.len() > 6 {
            return;
        }
        self.made += 1;
        let id = format!("r{}", self.made);
        let user = *self.rng.pick(&USERS);
        let role = *self.rng.pick(&ROLES);
        let mut request = self.driver.world.request(&id, user, role, &[]);
        for _ in 0..self.rng.below(5) {
            let name: &str = NODES[self.rng.below(NODES.len())];
            request.resources.push(node(name));
        }
        if self.rng.percent(10) {
            request.roles.push((*self.rng.pick(&ROLES)).to_owned());
        }
        let now = self.driver.world.now;
        if self.rng.percent(20) {
            let minutes = 1 + self.rng.next() % 6;
            request.access_expires = Some(now.after(Duration::from_secs(minutes * 60)));
            request.request_expires = request.access_expires;
        } else if self.rng.percent(20) {
            request.access_starts = Some(now.after(Duration::from_secs(self.rng.next() % 300)));
        }
        self.driver.tell(|| {
            let nodes: Vec<_> = request.resources.iter().map(|it| it.name.as_str()).collect();
            format!("{user} asks for {id}: {:?} {nodes:?} from {:?}", request.roles, request.access_starts)
        });
        self.driver.world.put_request(request);
    }

    pub(super) fn person(&mut self) -> Result<(), Wrong> {
        let requests: Vec<_> = self.driver.world.requests.keys().cloned().collect();
        if self.reviews.is_some() && !requests.is_empty() && (self.reviews == Some(2) || self.rng.percent(50)) {
            // Where it takes two, one person never approves alone: all that is approved is foreseen by us.
            let id = self.rng.pick(&requests).clone();
            let approve = self.rng.percent(70);
            return self.driver.person_reviews(&id, "ann", approve);
        }
        let locks: Vec<_> = self.driver.world.locks.keys().cloned().collect();
        match self.rng.below(10) {
            0..=3 if !requests.is_empty() => {
                let id = self.rng.pick(&requests).clone();
                let approve = self.rng.percent(60);
                self.decide(&id, approve);
            }
            4 if !requests.is_empty() => {
                let id = self.rng.pick(&requests).clone();
                self.driver.tell(|| format!("a person deletes {id}"));
                self.driver.world.by_person(id.as_str(), |world| world.drop_request(&id));
            }
            5 if !requests.is_empty() => self.lock(&requests),
            6 if !locks.is_empty() => {
                let name = self.rng.pick(&locks).clone();
                self.driver.tell(|| format!("a person deletes lock {name}"));
                self.driver.world.by_person(name.as_str(), |world| world.drop_lock(&name));
            }
            7 | 8 if !locks.is_empty() => {
                let name = self.rng.pick(&locks).clone();
                self.edit(&name);
            }
            _ => self.ask_for_access(),
        }
        Ok(())
    }

    fn decide(&mut self, id: &RequestId, approve: bool) {
        let there = self.driver.world.requests[id].state;
        if there == RequestState::Denied {
            return;
        }
        self.driver.tell(|| format!("a person {} {id}", if approve { "approves" } else { "denies" }));
        self.driver.world.by_person(id.as_str(), |world| {
            world.set_state(id, approve, None).expect("people do what can be done");
        });
    }

    fn lock(&mut self, requests: &[RequestId]) {
        let id = self.rng.pick(requests).clone();
        let request = &self.driver.world.requests[&id];
        let (user, role) = (request.user.clone(), request.roles.first().cloned());
        let target = match self.rng.below(4) {
            0 => LockTarget { user: Some(user), ..LockTarget::default() },
            1 => LockTarget { role, ..LockTarget::default() },
            _ => LockTarget::access_request(id),
        };
        let name = LockName::new(format!("people-{}", self.rng.below(3)));
        let minutes = 1 + self.rng.next() % 5;
        let expires = self.rng.percent(50).then(|| self.driver.world.now.after(Duration::from_secs(minutes * 60)));
        let lock = Lock { name, target, message: "stop".to_owned(), expires, created_by: "admin".to_owned() };
        self.driver.tell(|| format!("a person makes {lock:?}"));
        self.driver.world.by_person(lock.name.as_str(), |world| world.put_lock(lock.clone()));
    }

    fn edit(&mut self, name: &LockName) {
        let mut lock = Lock::clone(&self.driver.world.locks[name]);
        // A server that fills in the writer only where it is left empty goes on naming us.
        if self.rng.below(2) == 0 {
            lock.created_by = "admin".to_owned();
        }
        let now = self.driver.world.now;
        match self.rng.below(4) {
            0 => lock.message.push('!'),
            1 => lock.expires = Some(now),
            2 => lock.expires = Some(now.after(Duration::from_secs(90))),
            _ => lock.target = LockTarget { user: Some(UserName::new("nobody")), ..LockTarget::default() },
        }
        self.driver.tell(|| format!("a person edits {lock:?}"));
        self.driver.world.by_person(name.as_str(), |world| world.put_lock(lock.clone()));
    }
}
