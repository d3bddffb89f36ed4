//! Drives one controller against the model: carries its actions out in two steps (the server does it, the answer comes
//! back), tells it the news, and checks every step. It decides nothing about order; schedules and scenarios do.

mod server;
pub(crate) mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tribunal_core::action::{Action, Event, ResolveWith};
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::Lock;
use tribunal_core::opinion::Panel;
use tribunal_core::record::{Decided, Lifecycle, Record};
use tribunal_core::request::RequestId;
use tribunal_core::scope::Scope;
use tribunal_core::{Controller, RoundLimits, Settings, Timestamp};

use words::brief;

use super::invariants::{self, Eyesight, Wrong};
use super::model::World;
use super::policies::Policy;
use super::rehearing::same_again;

pub(crate) const POLL: Duration = Duration::from_secs(30);
const LEAD: Duration = Duration::from_secs(60);

/// A call on its way.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// The server has not seen it yet.
    Sent(Action),
    /// Its answer is on the way back.
    Answered(Event),
}

/// What happens to a call when the server should see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Luck {
    Good,
    /// It fails before anything is done.
    Fails(FailureClass),
    /// It is done, and the answer is lost.
    LostReply,
}

/// One controller, the model, and all that is on the way between them.
#[derive(Clone)]
pub(crate) struct Driver {
    pub(crate) world: World,
    controller: Controller,
    pub(crate) settings: Settings,
    /// All panels of this run; questions go to the one that they name.
    panels: Vec<Vec<Policy>>,
    pub(crate) calls: VecDeque<Call>,
    /// What the watch stream is still to bring, in order for each object.
    pub(crate) stream: BTreeMap<String, VecDeque<Event>>,
    pub(crate) watching: bool,
    eyes: Eyesight,
    /// What is durable.
    pub(crate) ledger: Vec<Arc<Record>>,
    pub(crate) ledger_works: bool,
    starts: u32,
    /// Questions to policies so far.
    pub(crate) asked: u64,
    /// How often the server would not let the daemon resolve a request.
    pub(crate) refusals: u32,
    /// Whether the breaker said stop, and no operator let it go on.
    pub(crate) tripped: bool,
    /// When an operator let it go on.
    released: Option<Timestamp>,
    /// Access that began, on a person's word or by time, since the daemon last came to rest.
    begun: BTreeSet<RequestId>,
    /// Access that starts by itself is the daemon's to foresee.
    pub(crate) calm: bool,
    /// Whether the story is kept.
    pub(crate) telling: bool,
    pub(crate) story: Vec<String>,
}

// === impl Driver ===

impl Driver {
    pub(crate) fn new(panel: Vec<Policy>, people: HumanApproved) -> Self {
        let settings = Settings {
            cluster: "c".to_owned(),
            own_user: World::own_user(),
            instance: "a".to_owned(),
            panel: panel.iter().map(|policy| policy.member()).collect::<Vec<_>>().into(),
            poll_interval: POLL,
            protected_roles: BTreeSet::from(["editor".to_owned()]),
            human_approved: people,
            release: Release::WhenClear,
            resolve_with: ResolveWith::State,
            dry_run: false,
            subjects_in_flight_max: 2,
            round: RoundLimits::default(),
            tripped: None,
            scope: Scope::default(),
            exemptions: Vec::new(),
        };
        let mut world = World::default();
        world.now = Timestamp::from_secs(1_000_000);
        Self {
            world,
            controller: Controller::new(settings.clone()),
            settings,
            panels: vec![panel],
            calls: VecDeque::new(),
            stream: BTreeMap::new(),
            watching: false,
            eyes: Eyesight::default(),
            ledger: Vec::new(),
            ledger_works: true,
            starts: 0,
            asked: 0,
            refusals: 0,
            tripped: false,
            released: None,
            begun: BTreeSet::new(),
            calm: true,
            telling: false,
            story: Vec::new(),
        }
    }

    /// From the next start on it reviews, where so many approvals approve.
    pub(crate) fn review_with(&mut self, approvals_needed: usize) {
        self.settings.resolve_with = ResolveWith::Review;
        self.world.approvals_needed = approvals_needed;
    }

    /// A person's review; what it completes was foreseen by ours.
    pub(crate) fn person_reviews(&mut self, id: &RequestId, author: &str, approve: bool) -> Result<(), Wrong> {
        let verb = if approve { "approves" } else { "denies" };
        let before = self.world.usable();
        let done = self.world.reviewed_by_person(id, author, approve);
        if !self.calm && self.world.requests.get(id).is_some_and(|request| request.access_starts.is_some()) {
            // It may have begun while the daemon was dead: then nobody could lock in time what must give way to it.
            self.world.by_people.insert(id.clone());
            self.begun.insert(id.clone());
        }
        self.tell(|| match done {
            Ok(()) => format!("{author} {verb} {id} in a review"),
            Err(failure) => format!("{author} {verb} {id} in a review, in vain: {failure}"),
        });
        // Nor had anybody time to lock it before this, though the daemon may have read of it by now.
        let excused = self.world.by_people.union(&self.begun).cloned().collect();
        invariants::access(&self.world, &self.settings, &before, &excused)
    }

    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.telling {
            let line = line();
            self.story.push(line);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Timestamp> {
        self.controller.poll_timeout()
    }

    pub(crate) fn is_blind(&self) -> bool {
        self.controller.status(self.world.now).blind.is_some()
    }

    /// Whether the daemon did all that it could and had to do.
    fn is_at_rest(&self) -> bool {
        let nothing_comes = self.calls.is_empty() && self.stream.is_empty() && !self.tripped;
        nothing_comes && {
            let status = self.controller.status(self.world.now);
            status.blind.is_none() && status.retrying == 0
        }
    }

    /// The controller without anything to remember, as text.
    pub(crate) fn remembered(&self) -> String {
        format!("{:?}", self.controller)
    }

    /// All that what comes next depends on, as text.
    pub(crate) fn write_state(&self, to: &mut impl fmt::Write) -> fmt::Result {
        let Self { world, controller, calls, stream, watching, eyes, tripped, .. } = self;
        world.write_state(to)?;
        write!(to, " {controller:?} {calls:?} {stream:?} {watching} {eyes:?} {tripped}")
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.controller.status(self.world.now).in_flight
    }

    /// The panel that new questions go to.
    pub(crate) fn panel(&self) -> &[Policy] {
        self.panels.last().expect("there is one from the beginning")
    }

    /// Other policies are asked from now on.
    pub(crate) fn change_panel(&mut self, panel: Vec<Policy>) -> Result<(), Wrong> {
        self.tell(|| format!("the panel is {panel:?} from now on"));
        let generation = u64::try_from(self.panels.len()).expect("few");
        let members = panel.iter().map(|policy| policy.member()).collect();
        self.panels.push(panel);
        self.deliver(Event::PanelChanged(Panel { generation, id: None, members }))
    }

    /// A controller that heeds the settings as they are now.
    pub(crate) fn restart(&mut self) {
        self.settings.panel = self.panel().iter().map(|policy| policy.member()).collect::<Vec<_>>().into();
        self.controller = Controller::new(self.settings.clone());
    }

    /// The process dies: what it knew is gone; what was sent is done or not, as `arrives` says.
    pub(crate) fn crash(&mut self, mut arrives: impl FnMut() -> bool) -> Result<(), Wrong> {
        let calls = std::mem::take(&mut self.calls);
        for call in calls {
            match call {
                Call::Sent(action) if arrives() => {
                    self.serve(action, Luck::LostReply, |_| 0)?;
                }
                Call::Sent(_) | Call::Answered(_) => {}
            }
        }
        self.calls.clear();
        self.stream.clear();
        self.watching = false;
        self.starts += 1;
        self.settings.instance = format!("{}", char::from(b'a' + u8::try_from(self.starts % 26).expect("a letter")));
        self.tripped = false;
        for at in 0..self.ledger.len() {
            self.tripped = self.tripped_after(&self.ledger[at]);
        }
        self.settings.tripped = self.tripped.then(|| "in an earlier run".to_owned());
        self.panels.drain(..self.panels.len() - 1);
        self.restart();
        self.eyes = Eyesight::default();
        self.tell(|| "the daemon dies and starts again".to_owned());
        Ok(())
    }

    pub(crate) fn watch_up(&mut self) -> Result<(), Wrong> {
        self.watching = true;
        self.stream.clear();
        self.world.catch_up();
        self.eyes.watch(true);
        self.deliver(Event::WatchUp)
    }

    pub(crate) fn watch_down(&mut self) -> Result<(), Wrong> {
        self.watching = false;
        self.stream.clear();
        self.eyes.watch(false);
        self.deliver(Event::WatchDown("broken".to_owned()))
    }

    /// Time goes by. The daemon's timer never fails.
    pub(crate) fn wait(&mut self, until: Timestamp) -> Result<(), Wrong> {
        while self.world.now < until {
            let next = self.poll_timeout().filter(|at| *at > self.world.now && *at < until).unwrap_or(until);
            self.step_to(next)?;
            if self.poll_timeout().is_some_and(|at| at <= self.world.now) {
                self.deliver(Event::Tick)?;
            }
        }
        Ok(())
    }

    fn step_to(&mut self, now: Timestamp) -> Result<(), Wrong> {
        let before = self.world.usable();
        let in_force: Vec<Lock> = self.world.locks().filter(|lock| lock.in_force(self.world.now)).cloned().collect();
        self.world.now = now;
        let mut excused = self.world.by_people.clone();
        for id in self.world.usable().difference(&before) {
            let request = &self.world.requests[id];
            let ended = in_force.iter().filter(|lock| lock.covers(request) && !lock.in_force(now));
            for lock in ended {
                if lock.ours(&World::own_user()).is_some() {
                    return Err(format!("lock {} ended before the access that it is on", lock.name));
                }
            }
            // Nothing is enforced while the breaker has tripped, so that nothing could be done about it in time either.
            let tripped = self.tripped || self.released.is_some_and(|at| now.since(at) <= LEAD);
            if !self.calm || tripped {
                excused.insert(id.clone());
                self.begun.insert(id.clone());
            }
        }
        if excused.len() > self.world.by_people.len() {
            self.world.by_people.clone_from(&excused);
        }
        invariants::access(&self.world, &self.settings, &before, &excused)
    }

    /// Puts the news into the stream, if there is one.
    pub(crate) fn publish(&mut self) {
        for event in std::mem::take(&mut self.world.news) {
            if self.watching {
                let key = match &event {
                    Event::RequestPut(request) => request.id.as_str().to_owned(),
                    Event::RequestGone(id) => id.as_str().to_owned(),
                    Event::LockPut(lock) => lock.name.as_str().to_owned(),
                    Event::LockGone(name) => name.as_str().to_owned(),
                    Event::Tick
                    | Event::WatchUp
                    | Event::WatchDown(_)
                    | Event::Listed(_)
                    | Event::Facts(_)
                    | Event::BreakerReleased
                    | Event::PanelChanged(_)
                    | Event::Done(..) => continue,
                };
                self.stream.entry(key).or_default().push_back(event);
            }
        }
    }

    /// The stream brings the next event about this object; with `again`, it will bring it once more.
    pub(crate) fn stream_next(&mut self, key: &str, again: bool) -> Result<(), Wrong> {
        let Some(queue) = self.stream.get_mut(key) else { return Ok(()) };
        let event = if again { queue.front().cloned() } else { queue.pop_front() };
        if queue.is_empty() {
            self.stream.remove(key);
        }
        event.map_or(Ok(()), |event| self.deliver(event))
    }

    /// One step of the call at this place: the server sees it, or its answer arrives.
    pub(crate) fn advance(&mut self, at: usize, luck: Luck, pick: impl FnOnce(usize) -> usize) -> Result<(), Wrong> {
        match self.calls.remove(at) {
            Some(Call::Sent(action)) => {
                if let Some(answer) = self.serve(action, luck, pick)? {
                    self.calls.insert(at, Call::Answered(answer));
                }
                self.publish();
                Ok(())
            }
            Some(Call::Answered(event)) => self.deliver(event),
            None => Ok(()),
        }
    }

    pub(crate) fn deliver(&mut self, event: Event) -> Result<(), Wrong> {
        if let Event::Listed(listed) = &event {
            self.eyes.listed(listed.is_ok());
        }
        if event == Event::BreakerReleased {
            self.released = Some(self.world.now);
        }
        let brief = self.telling.then(|| brief(&event)).flatten();
        brief.into_iter().for_each(|line| self.story.push(line));
        let actions = self.controller.handle(self.world.now, event);
        for action in actions {
            self.accept(action)?;
        }
        if self.is_at_rest() {
            self.begun.clear();
        }
        match self.controller.poll_timeout() {
            Some(at) if at <= self.world.now => Err(format!("wants to be woken at {at}, which is over: it would spin")),
            Some(_) | None => Ok(()),
        }
    }

    /// What the controller asks for is checked when it asks.
    fn accept(&mut self, action: Action) -> Result<(), Wrong> {
        let enforces = matches!(action, Action::WriteLock { .. } | Action::DeleteLock { .. } | Action::Resolve { .. });
        if enforces && self.tripped {
            return Err(format!("goes on though the breaker tripped: {action:?}"));
        }
        if let Action::Record { record, .. } = &action
            && let Record::Decided(decided) = record.as_ref()
        {
            invariants::one_panel(&self.panels, decided)?;
            same_again(decided)?;
        }
        match &action {
            Action::List => self.eyes.list_begins(self.world.now),
            Action::Record { ticket: None, record } => {
                self.tripped = self.tripped_after(record);
                if self.ledger_works {
                    self.note(record);
                    self.ledger.push(Arc::from(record.clone()));
                }
                return Ok(());
            }
            Action::Resolve { resolution, .. } => {
                if self.eyes.blind(self.world.now, POLL) {
                    return Err(format!("{} is resolved blindly", resolution.request));
                }
                let decided = self.intent(|it| it.id == resolution.decision);
                let decided = decided.ok_or_else(|| format!("{} is resolved without intent", resolution.request))?;
                invariants::resolution(&self.settings, decided, &resolution.request, resolution.approve)?;
            }
            Action::WriteLock { lock, .. } => {
                let intended = self.intent(|it| !it.dry_run && it.locks.iter().any(|(it, _)| it == lock.as_ref()));
                intended.map(|_| ()).ok_or_else(|| format!("{} is written without intent", lock.name))?;
            }
            Action::DeleteLock { name, .. } => {
                let intended = self.intent(|it| !it.dry_run && it.releases.contains(name));
                intended.map(|_| ()).ok_or_else(|| format!("{name} is deleted without intent"))?;
            }
            Action::Ask { .. } => self.asked += 1,
            Action::ReadSubject { .. } | Action::Record { .. } | Action::Reread { .. } => {}
        }
        self.calls.push_back(Call::Sent(action));
        Ok(())
    }

    fn tripped_after(&self, record: &Record) -> bool {
        match record {
            Record::Lifecycle { what: Lifecycle::BreakerTripped, .. } => true,
            Record::Lifecycle { what: Lifecycle::BreakerReleased, .. } => false,
            Record::Lifecycle { .. } | Record::Decided(_) | Record::Outcome(_) => self.tripped,
        }
    }

    fn intent(&self, is_it: impl Fn(&Decided) -> bool) -> Option<&Decided> {
        self.ledger.iter().rev().find_map(|record| match record.as_ref() {
            Record::Decided(decided) if is_it(decided) => Some(decided.as_ref()),
            Record::Decided(_) | Record::Outcome(_) | Record::Lifecycle { .. } => None,
        })
    }

    /// Whether everything is as it has to be once nothing goes wrong any more.
    pub(crate) fn settled(&self) -> Result<(), Wrong> {
        invariants::settled(&self.world, self.panel(), &self.settings, LEAD)
    }

    /// Whether time alone changes something soon, in the world or in what the daemon makes of it.
    pub(crate) fn something_ends_within(&self, span: Duration) -> bool {
        let requests = self.world.requests();
        let of_requests = requests.flat_map(|it| [it.access_expires, it.request_expires, it.access_starts]);
        let exemptions = self.settings.exemptions.iter().map(|it| it.until);
        let times = of_requests.chain(self.world.locks().map(|lock| lock.expires)).flatten().chain(exemptions);
        let soon = self.world.now.after(span);
        let mut both = times.flat_map(|at| [at, at.before(LEAD)]);
        both.any(|at| at > self.world.now && at <= soon)
    }

    /// Lets everything that is on the way arrive, in order, without bad luck; at most `steps_max` steps.
    pub(crate) fn drain(&mut self, steps_max: u32) -> Result<u32, Wrong> {
        for step in 0..steps_max {
            self.publish();
            if !self.calls.is_empty() {
                self.advance(0, Luck::Good, |_| 0)?;
            } else if let Some(key) = self.stream.keys().next().cloned() {
                self.stream_next(&key, false)?;
            } else {
                return Ok(step);
            }
        }
        Err(format!("does not come to rest within {steps_max} steps: {:?}", self.calls))
    }
}
