//! What a person undid: locks of ours that were deleted or changed, requests that we resolved and somebody resolved otherwise.
//! It only tells; what follows from it is judged as ever, and it stands.

use std::time::Duration;

use super::Controller;
use super::state::Progress;
use crate::action::{Action, Event};
use crate::lock::LockName;
use crate::record::{Lifecycle, Record};
use crate::request::{AccessRequest, Decider};
use crate::time::Timestamp;

/// A lock that goes so shortly before its end went by itself: clocks differ.
const END_NEAR: Duration = Duration::from_secs(60);

impl Controller {
    /// Tells the ledger if this event shows that somebody undid what we had decided. To be called before it is taken in.
    pub(super) fn tell_override(&self, now: Timestamp, event: &Event, out: &mut Vec<Action>) {
        if let Some(detail) = self.overridden(now, event) {
            let record = Record::Lifecycle { at: now, what: Lifecycle::Overridden, detail };
            out.push(Action::Record { ticket: None, record: Box::new(record) });
        }
    }

    fn overridden(&self, now: Timestamp, event: &Event) -> Option<String> {
        match event {
            Event::LockGone(name) => self.lock_undone(now, name, "deleted"),
            Event::LockPut(lock) if lock.ours(&self.settings.own_user).is_none() => {
                self.lock_undone(now, &lock.name, "changed")
            }
            Event::RequestPut(request) => self.resolved_otherwise(request),
            Event::LockPut(_)
            | Event::Tick
            | Event::WatchUp
            | Event::WatchDown(_)
            | Event::RequestGone(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => None,
        }
    }

    /// A lock of ours on access that is not over, which we are not changing ourselves.
    fn lock_undone(&self, now: Timestamp, name: &LockName, how: &str) -> Option<String> {
        let lock = self.view.lock(name)?;
        let request = self.view.request(lock.ours(&self.settings.own_user)?)?;
        let soon = now.after(END_NEAR);
        let ends = |at: Option<Timestamp>| at.is_some_and(|at| at <= soon);
        if ends(lock.expires) || ends(request.access_expires) || self.changes(request, name) {
            return None;
        }
        Some(format!("lock `{name}` on request `{}` of `{}` was {how} by somebody else", request.id, request.user))
    }

    /// Whether a plan that is under way writes or deletes this lock.
    fn changes(&self, request: &AccessRequest, name: &LockName) -> bool {
        match self.subjects.get(&request.user).map(|state| &state.progress) {
            Some(Progress::Acting(_, plan, _)) => {
                plan.releases.iter().chain(plan.writes.iter().map(|(lock, _)| lock)).any(|lock| lock.name == *name)
            }
            Some(Progress::Idle | Progress::Introducing(_) | Progress::Judging(..) | Progress::Planning(..)) | None => {
                false
            }
        }
    }

    fn resolved_otherwise(&self, now: &AccessRequest) -> Option<String> {
        let before = self.view.request(&now.id)?;
        let overridden =
            before.decided_by == Decider::Tribunal && now.decided_by == Decider::Person && before.state != now.state;
        let (id, user, from, to) = (&now.id, &now.user, before.state, now.state);
        overridden.then(|| format!("request `{id}` of `{user}`, {from} by this daemon, is {to} by a person"))
    }
}
