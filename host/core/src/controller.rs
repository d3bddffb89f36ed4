//! The controller: follows the cluster, judges each subject in turn, and says what to do. Events in, actions out; it
//! never waits, never reads a clock and never touches anything.
//!
//! One subject is judged by one round at a time, strictly in order; many subjects at once, up to a bound.

mod act;
mod breaker;
mod overrides;
mod plan;
mod round;
mod sight;
mod state;
mod sync;
mod view;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::action::{Action, Event, Reply, ResolveWith, Ticket};
use crate::case::Fact;
use crate::opinion::Panel;
use crate::record::{DecisionId, Lifecycle, Record};
use crate::request::UserName;
use crate::scope::{Exemption, Scope};
use crate::time::Timestamp;

pub use breaker::RoundLimits;

use breaker::Breaker;
pub(crate) use round::{admit_orders, faults_that_count};
use sight::Sight;
use state::{Progress, SubjectState, Turn};
use sync::{Object, Sync};
use view::{Concerns, View};

/// What the operator wants, and who we are.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the root cluster.
    pub cluster: String,
    /// The daemon's own Teleport user.
    pub own_user: UserName,
    /// What makes decision ids of this run differ from those of others.
    pub instance: String,
    /// The first panel, in the order in which enforcement asks it.
    pub panel: Panel,
    /// Time between full lists.
    pub poll_interval: Duration,
    /// Roles that are never given by us.
    pub protected_roles: BTreeSet<String>,
    /// Whether requests approved by people are exempt from being locked.
    pub human_approved: HumanApproved,
    /// When locks of ours that no policy wants any more are released.
    pub release: Release,
    /// By which of Teleport's ways requests are resolved.
    pub resolve_with: ResolveWith,
    /// Decide and record, but do nothing.
    pub dry_run: bool,
    /// How many subjects are judged at once.
    pub subjects_in_flight_max: usize,
    /// What one round may do.
    pub round: RoundLimits,
    /// Why the breaker tripped in an earlier run, if nobody has released it since.
    pub tripped: Option<String>,
    /// Which requests are the daemon's business.
    pub scope: Scope,
    /// What is not locked for a time.
    pub exemptions: Vec<Exemption>,
}

/// What locks mean for requests that a person approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HumanApproved {
    /// They are not locked.
    Exempt,
    /// They are locked like any other.
    Enforce,
}

/// When locks that no policy wants any more are released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// In the round that finds it out.
    WhenClear,
    /// Not by us: they end with the request's own access.
    Never,
}

/// How the controller stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Why nothing is approved right now; none: the view is complete.
    pub blind: Option<String>,
    /// Why nothing is enforced until an operator releases the breaker; none: it has not tripped.
    pub tripped: Option<String>,
    /// When the newest full list was begun.
    pub last_full_list: Option<Timestamp>,
    /// Subjects being judged.
    pub in_flight: usize,
    /// Subjects waiting to be judged.
    pub waiting: usize,
    /// Subjects whose last round failed.
    pub retrying: usize,
}

/// The state of everything; see the [module](self).
#[derive(Clone, Debug)]
pub struct Controller {
    settings: Settings,
    /// Whom new questions go to; what was begun with another panel is finished with that.
    panel: Arc<Panel>,
    view: View,
    facts: Arc<[Fact]>,
    sync: Sync,
    breaker: Breaker,
    subjects: BTreeMap<UserName, SubjectState>,
    /// Subjects to be judged, in the order in which they came.
    queue: VecDeque<UserName>,
    /// When subjects have to be judged anew because time goes by.
    due: BTreeSet<(Timestamp, UserName)>,
    in_flight: usize,
    tickets: BTreeMap<Ticket, UserName>,
    tickets_given: u64,
    decisions_made: u64,
    /// The last blindness that the ledger was told of.
    told_blind: bool,
}

// === impl Controller ===

impl Controller {
    /// A controller that knows nothing yet; the first [`Event::Tick`] makes it list.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let panel = Arc::new(settings.panel.clone());
        let breaker = Breaker::new(settings.tripped.clone());
        Self {
            settings,
            panel,
            view: View::default(),
            facts: Arc::default(),
            sync: Sync::default(),
            breaker,
            subjects: BTreeMap::new(),
            queue: VecDeque::new(),
            due: BTreeSet::new(),
            in_flight: 0,
            tickets: BTreeMap::new(),
            tickets_given: 0,
            decisions_made: 0,
            told_blind: false,
        }
    }

    /// Takes in what happened and says what to do.
    pub fn handle(&mut self, now: Timestamp, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        self.tell_override(now, &event, &mut out);
        match event {
            Event::Tick => {}
            Event::WatchUp => self.sync.watch_up(now),
            Event::WatchDown(why) => self.sync.watch_down(why),
            Event::RequestPut(_) | Event::RequestGone(_) | Event::LockPut(_) | Event::LockGone(_) => {
                Object::of(&event).into_iter().for_each(|object| self.sync.learn(now, object));
                self.apply(event);
            }
            Event::Listed(Ok(listing)) => {
                if self.sync.listed(now, self.settings.poll_interval) {
                    self.view.replace(listing, self.sync.lately());
                    self.wake_everybody();
                }
            }
            Event::Listed(Err(failure)) => self.sync.list_failed(now, failure),
            Event::Facts(facts) => {
                if self.facts != facts {
                    self.facts = facts;
                    self.wake_everybody();
                }
            }
            Event::BreakerReleased => self.release_breaker(now, &mut out),
            Event::PanelChanged(panel) => {
                self.panel = Arc::new(panel);
                let detail = words::panel(&self.panel);
                let record = Record::Lifecycle { at: now, what: Lifecycle::PanelChanged, detail };
                out.push(Action::Record { ticket: None, record: Box::new(record) });
                self.wake_everybody();
            }
            Event::Done(ticket, reply) => self.done(now, ticket, reply, &mut out),
        }
        self.advance(now, &mut out);
        out
    }

    /// When [`Event::Tick`] is due at the latest.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        let due = self.due.first().map(|(at, _)| *at);
        let list = self.sync.next_list();
        // Once it is blind and said so, time alone changes nothing about that.
        let blind = self.sync.blind_from(self.settings.poll_interval).filter(|_| !self.told_blind);
        [due, list, blind].into_iter().flatten().min()
    }

    /// How it stands at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> Status {
        Status {
            blind: self.sync.blind(now, self.settings.poll_interval),
            tripped: self.breaker.tripped().map(str::to_owned),
            last_full_list: self.sync.last_full_list(),
            in_flight: self.in_flight,
            waiting: self.queue.len(),
            retrying: self.subjects.values().filter(|state| state.is_retrying()).count(),
        }
    }

    // Everything that follows from the time and from what there is to do.
    fn advance(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.sync.begin_list(now) {
            out.push(Action::List);
        }
        self.tell_sight(now, out);
        while let Some((at, _)) = self.due.first()
            && *at <= now
            && let Some((_, user)) = self.due.pop_first()
        {
            if let Some(state) = self.subjects.get_mut(&user) {
                state.clear_due();
            }
            self.wake(&user);
        }
        if self.is_halted(now) {
            return;
        }
        while self.in_flight < self.settings.subjects_in_flight_max
            && let Some(user) = self.queue.pop_front()
        {
            self.start_round(&mut Turn { now, user: &user, out });
        }
    }

    fn apply(&mut self, event: Event) {
        let concerns = match event {
            Event::RequestPut(request) => self.view.put_request(*request),
            Event::RequestGone(id) => self.view.remove_request(&id),
            Event::LockPut(lock) => self.view.put_lock(*lock),
            Event::LockGone(name) => self.view.remove_lock(&name),
            Event::Tick
            | Event::WatchUp
            | Event::WatchDown(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => Concerns::Nobody,
        };
        self.wake_concerned(concerns);
    }

    fn wake_concerned(&mut self, concerns: Concerns) {
        match concerns {
            Concerns::Nobody => {}
            Concerns::User(user) => self.wake(&user),
            Concerns::Everybody => self.wake_everybody(),
        }
    }

    fn wake_everybody(&mut self) {
        let users: Vec<_> = self.view.users().cloned().collect();
        for user in users {
            self.wake(&user);
        }
        let view = &self.view;
        self.subjects.retain(|user, state| state.is_busy() || view.has_requests(user));
        let subjects = &self.subjects;
        self.due.retain(|(_, user)| subjects.contains_key(user));
    }

    /// Has a subject judged anew, as soon as there is a place.
    fn wake(&mut self, user: &UserName) {
        let state = self.subjects.entry(user.clone()).or_default();
        if state.wake() {
            self.queue.push_back(user.clone());
        }
    }

    fn is_blind(&self, now: Timestamp) -> bool {
        !mutant!(ActBlindly) && self.sync.blind(now, self.settings.poll_interval).is_some()
    }

    /// Whether nothing may be begun.
    fn is_halted(&self, now: Timestamp) -> bool {
        self.is_blind(now) || self.has_tripped()
    }

    fn has_tripped(&self) -> bool {
        self.breaker.tripped().is_some() && !mutant!(IgnoreTheBreaker)
    }

    fn release_breaker(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        if self.breaker.release(now) {
            let what = Lifecycle::BreakerReleased;
            let detail = String::new();
            out.push(Action::Record { ticket: None, record: Box::new(Record::Lifecycle { at: now, what, detail }) });
            self.wake_everybody();
        }
    }

    fn tell_sight(&mut self, now: Timestamp, out: &mut Vec<Action>) {
        let blind = self.sync.blind(now, self.settings.poll_interval);
        // Before the first full list there is no view yet that could be incomplete, unless that list failed.
        if blind.is_some() == self.told_blind || (self.sync.last_full_list().is_none() && !self.sync.has_failed()) {
            return;
        }
        self.told_blind = blind.is_some();
        let (what, detail) = match blind {
            Some(why) => (Lifecycle::ViewIncomplete, why),
            None => (Lifecycle::ViewComplete, String::new()),
        };
        out.push(Action::Record { ticket: None, record: Box::new(Record::Lifecycle { at: now, what, detail }) });
    }

    fn done(&mut self, now: Timestamp, ticket: Ticket, reply: Reply, out: &mut Vec<Action>) {
        let Some(user) = self.tickets.remove(&ticket) else {
            return;
        };
        let Some(state) = self.subjects.get_mut(&user) else {
            return;
        };
        let progress = std::mem::take(&mut state.progress);
        let turn = &mut Turn { now, user: &user, out };
        match progress {
            Progress::Idle => {}
            Progress::Introducing(asked) => self.introduced(turn, asked, reply),
            Progress::Judging(round, judging) => self.judged(turn, round, *judging, ticket, reply),
            Progress::Planning(round, planning) => self.planned(turn, round, *planning, reply),
            Progress::Acting(round, plan, phase) => self.acted(turn, round, *plan, phase, ticket, reply),
        }
    }

    fn ticket(&mut self, user: &UserName) -> Ticket {
        self.tickets_given += 1;
        let ticket = Ticket(self.tickets_given);
        self.tickets.insert(ticket, user.clone());
        ticket
    }

    /// The id of the next decision; it is used up by [`Self::decided`], so that ids in the ledger have no gaps.
    fn next_decision(&self) -> DecisionId {
        DecisionId::new(format!("{}-{}", self.settings.instance, self.decisions_made + 1))
    }

    fn decided(&mut self) {
        self.decisions_made += 1;
    }

    /// The id that was used up last is not needed.
    fn undecided(&mut self) {
        self.decisions_made -= 1;
    }

    fn set_progress(&mut self, user: &UserName, progress: Progress) {
        if let Some(state) = self.subjects.get_mut(user) {
            state.progress = progress;
        }
    }

    fn sight(&self, now: Timestamp) -> Sight<'_> {
        Sight {
            view: &self.view,
            now,
            cluster: &self.settings.cluster,
            own_user: &self.settings.own_user,
            exempt_human_approved: self.settings.human_approved == HumanApproved::Exempt,
            scope: &self.settings.scope,
            exemptions: &self.settings.exemptions,
            lead: self.lead(),
            facts: &self.facts,
            panel: &self.panel,
        }
    }

    /// How long before its start an approved access counts as started: long enough for two rounds to lock what must
    /// give way to it.
    fn lead(&self) -> Duration {
        self.settings.poll_interval.saturating_mul(2)
    }

    fn set_due(&mut self, user: &UserName, at: Option<Timestamp>) {
        let Some(state) = self.subjects.get_mut(user) else {
            return;
        };
        if let Some(before) = state.clear_due() {
            self.due.remove(&(before, user.clone()));
        }
        if let Some(at) = at {
            state.set_due(at);
            self.due.insert((at, user.clone()));
        }
    }
}
