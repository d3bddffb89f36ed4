//! Small scopes completely: two users, three requests, and every order in which what may happen can happen between any
//! two steps of the daemon, with at most one crash.
//!
//! A step is a call that the server or the ledger sees, with its answer. Policies answer at once, since they see nothing
//! but their case: whatever happens meanwhile can as well happen before or after. States that differ in nothing but the
//! numbers of tickets, decisions and revisions are one.

mod canon;

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::time::Duration;

use tribunal_core::action::{Action, Event};
use tribunal_core::controller::HumanApproved;
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::request::{RequestId, RequestState};

use canon::Canon;

use super::driver::{Call, Driver, Luck, POLL};
use super::invariants::Wrong;
use super::policies::Policy;

/// How many different things happen at most, the crash left aside.
pub const EVENTS_MAX: u32 = 8;
/// What it may take at most to come to rest.
const REST_STEPS_MAX: u32 = 3_000;

/// States between two words about how far the search is.
const TOLD_STATES: usize = 1_000_000;

/// What may happen, once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happening {
    /// This request is made.
    Asked(usize),
    /// A person approves this request.
    Approved(usize),
    /// A person denies it.
    Denied(usize),
    /// A person deletes a lock of ours.
    LockDeleted,
    /// A person edits a lock of ours.
    LockEdited,
    /// The next call is done, but its reply is lost.
    ReplyLost,
    /// The next call fails, and nothing is done.
    CallFails,
    /// The watch stream breaks and comes back.
    WatchBreaks,
    /// Nothing happens until the daemon wakes by itself.
    TimePasses,
}

/// A set of happenings to be put into every order.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    name: &'static str,
    happenings: &'static [Happening],
}

/// The scopes that are searched: what people do, and what goes wrong.
pub const SCOPES: [Scope; 2] = [
    Scope {
        name: "people",
        happenings: &[
            Happening::Asked(0),
            Happening::Asked(1),
            Happening::Asked(2),
            Happening::Approved(1),
            Happening::Denied(0),
            Happening::LockDeleted,
            Happening::LockEdited,
            Happening::TimePasses,
        ],
    },
    Scope {
        name: "faults",
        happenings: &[
            Happening::Asked(0),
            Happening::Asked(1),
            Happening::Asked(2),
            Happening::ReplyLost,
            Happening::CallFails,
            Happening::WatchBreaks,
            Happening::Denied(1),
            Happening::TimePasses,
        ],
    },
];

/// The requests: the first two are the same user's, and cannot be held together.
const REQUESTS: [(&str, &str, &str, &[&str]); 3] = [
    ("r1", "switcher", "prod-a", &["n1", "n2"]),
    ("r2", "switcher", "research-a", &["n3", "n4"]),
    ("r3", "hoarder", "node", &["n5"]),
];

/// One step of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Something happens, by its place in the scope.
    Happens(usize),
    /// The oldest call moves on.
    Call,
    /// The stream brings all that there is.
    News,
    /// The daemon dies and starts again; what it had sent arrives, or does not.
    Crash { arrives: bool },
}

/// A state, and what has happened so far.
#[derive(Clone)]
struct Node {
    driver: Driver,
    happened: u32,
    crashed: bool,
    path: Vec<Step>,
}

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Different states.
    pub states: usize,
    /// Of them at rest; each is followed until everything has to be settled.
    pub at_rest: usize,
}

/// A way to a state that breaks a law.
#[derive(Debug)]
pub struct Broken {
    wrong: Wrong,
    story: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.wrong, self.story.join("\n"))
    }
}

// === impl Scope ===

impl Scope {
    /// What people call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Searches every order of up to so many happenings and one crash, depth first. From time to time `told` hears of
    /// how many states there were so far.
    ///
    /// # Errors
    /// The first way that breaks a law.
    pub fn search(&self, events_max: u32, told: impl Fn(usize)) -> Result<Found, Box<Broken>> {
        let broken = |path: &[Step], wrong| Box::new(Broken { wrong, story: self.story(path) });
        let events_max = events_max.min(EVENTS_MAX);
        let mut seen = BTreeSet::new();
        let mut canon = Canon::default();
        let mut found = Found { states: 0, at_rest: 0 };
        let mut open = vec![Node::begin(false)];
        while let Some(node) = open.pop() {
            if !seen.insert(node.fingerprint(&mut canon)) {
                continue;
            }
            found.states += 1;
            if found.states.is_multiple_of(TOLD_STATES) {
                told(found.states);
            }
            if node.is_at_rest() {
                found.at_rest += 1;
                node.clone().comes_to_its_end().map_err(|wrong| broken(&node.path, wrong))?;
            }
            for step in node.steps(self, events_max) {
                let mut next = node.clone();
                next.path.push(step);
                next.take(self, step).map_err(|wrong| broken(&next.path, wrong))?;
                open.push(next);
            }
        }
        Ok(found)
    }

    fn story(&self, path: &[Step]) -> Vec<String> {
        let mut node = Node::begin(true);
        let went = path.iter().try_for_each(|step| node.take(self, *step));
        if went.is_ok() && node.is_at_rest() {
            let _known = node.clone().comes_to_its_end();
        }
        node.driver.story
    }
}

// === impl Node ===

impl Node {
    fn begin(telling: bool) -> Self {
        let mut driver = Driver::new(vec![Policy::Separation, Policy::Cap], HumanApproved::Exempt);
        driver.telling = telling;
        driver.calm = false;
        let mut node = Self { driver, happened: 0, crashed: false, path: Vec::new() };
        node.follow().expect("nothing can go wrong yet");
        node.driver.drain(REST_STEPS_MAX).expect("nothing can go wrong yet");
        node
    }

    fn follow(&mut self) -> Result<(), Wrong> {
        self.driver.deliver(Event::Tick)?;
        self.driver.watch_up()
    }

    fn is_at_rest(&self) -> bool {
        self.driver.calls.is_empty() && self.driver.stream.is_empty()
    }

    /// What can come next.
    fn steps(&self, scope: &Scope, events_max: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.driver.calls.is_empty() {
            steps.push(Step::Call);
        }
        if !self.driver.stream.is_empty() {
            steps.push(Step::News);
        }
        if !self.crashed {
            steps.push(Step::Crash { arrives: false });
            if self.driver.calls.iter().any(|call| matches!(call, Call::Sent(_))) {
                steps.push(Step::Crash { arrives: true });
            }
        }
        if self.happened.count_ones() < events_max {
            let rest = (0..scope.happenings.len()).filter(|at| self.happened & (1 << at) == 0);
            steps.extend(rest.filter(|at| self.can_happen(scope.happenings[*at])).map(Step::Happens));
        }
        steps
    }

    fn can_happen(&self, what: Happening) -> bool {
        let state = |at: usize| self.driver.world.requests.get(&RequestId::new(REQUESTS[at].0)).map(|it| it.state);
        match what {
            Happening::Asked(_) => true,
            Happening::Approved(at) => state(at) == Some(RequestState::Pending),
            Happening::Denied(at) => state(at).is_some_and(|state| state != RequestState::Denied),
            Happening::LockDeleted | Happening::LockEdited => !self.driver.world.locks.is_empty(),
            Happening::ReplyLost | Happening::CallFails => {
                matches!(self.driver.calls.front(), Some(Call::Sent(_)))
            }
            Happening::WatchBreaks => true,
            Happening::TimePasses => self.is_at_rest(),
        }
    }

    fn take(&mut self, scope: &Scope, step: Step) -> Result<(), Wrong> {
        self.step(scope, step)?;
        self.think()
    }

    fn step(&mut self, scope: &Scope, step: Step) -> Result<(), Wrong> {
        match step {
            Step::Call => self.call(Luck::Good),
            Step::News => {
                while let Some(key) = self.driver.stream.keys().next().cloned() {
                    self.driver.stream_next(&key, false)?;
                }
                Ok(())
            }
            Step::Crash { arrives } => {
                self.crashed = true;
                self.driver.crash(|| arrives)?;
                self.driver.publish();
                self.driver.world.catch_up();
                self.follow()
            }
            Step::Happens(at) => {
                self.happened |= 1 << at;
                self.happen(scope.happenings[at])?;
                self.driver.publish();
                Ok(())
            }
        }
    }

    fn happen(&mut self, what: Happening) -> Result<(), Wrong> {
        self.driver.tell(|| format!("{what:?}"));
        match what {
            Happening::Asked(at) => {
                let (id, user, role, nodes) = REQUESTS[at];
                let request = self.driver.world.request(id, user, role, nodes);
                self.driver.world.put_request(request);
            }
            Happening::Approved(at) => self.decide(at, true),
            Happening::Denied(at) => self.decide(at, false),
            Happening::LockDeleted => {
                let name = self.first_lock();
                self.driver.world.by_person(name.as_str(), |world| world.drop_lock(&name));
            }
            Happening::LockEdited => {
                let name = self.first_lock();
                let mut lock = Lock::clone(&self.driver.world.locks[&name]);
                lock.message.push('!');
                self.driver.world.by_person(name.as_str(), |world| world.put_lock(lock));
            }
            Happening::ReplyLost => self.call(Luck::LostReply)?,
            Happening::CallFails => self.call(Luck::Fails(FailureClass::Retry))?,
            Happening::WatchBreaks => {
                self.driver.watch_down()?;
                self.driver.watch_up()?;
            }
            Happening::TimePasses => {
                let now = self.driver.world.now;
                let at = self.driver.poll_timeout().map_or(now, |at| at.max(now));
                self.driver.wait(at.after(Duration::from_millis(1)))?;
            }
        }
        Ok(())
    }

    /// The oldest call is seen, and answered.
    fn call(&mut self, luck: Luck) -> Result<(), Wrong> {
        self.driver.advance(0, luck, |_| 0)?;
        if matches!(self.driver.calls.front(), Some(Call::Answered(_))) {
            self.driver.advance(0, Luck::Good, |_| 0)?;
        }
        Ok(())
    }

    /// What nothing else can tell from happening at another time.
    fn think(&mut self) -> Result<(), Wrong> {
        let thinks = |call: &Call| matches!(call, Call::Sent(Action::Ask { .. } | Action::ReadSubject { .. }));
        while let Some(at) = self.driver.calls.iter().position(thinks) {
            self.driver.advance(at, Luck::Good, |_| 0)?;
            self.driver.advance(at, Luck::Good, |_| 0)?;
        }
        Ok(())
    }

    fn decide(&mut self, at: usize, approve: bool) {
        let id = RequestId::new(REQUESTS[at].0);
        self.driver.world.by_person(id.as_str(), |world| {
            world.set_state(&id, approve, None).expect("people do what can be done");
        });
    }

    fn first_lock(&self) -> LockName {
        self.driver.world.locks.keys().next().cloned().expect("there is a lock")
    }

    /// Nothing happens any more: within two poll intervals everything is as it has to be.
    fn comes_to_its_end(mut self) -> Result<(), Wrong> {
        let end = self.driver.world.now.after(POLL * 2);
        while self.driver.world.now < end {
            self.driver.drain(REST_STEPS_MAX)?;
            let next = self.driver.poll_timeout().map_or(end, |at| at.min(end));
            self.driver.wait(next)?;
        }
        self.driver.drain(REST_STEPS_MAX)?;
        if self.driver.is_blind() || self.driver.in_flight() > 0 {
            return Err("is blind or busy though nothing is wrong".to_owned());
        }
        self.driver.settled()
    }

    /// The same for states that differ in numbers alone that nothing depends on.
    fn fingerprint(&self, canon: &mut Canon) -> u64 {
        canon.begin();
        let wrote = write!(canon, "{} {} ", self.happened, self.crashed).and_then(|()| self.driver.write_state(canon));
        wrote.expect("a hash takes in everything");
        canon.end()
    }
}
