//! What the server, the engine and the ledger do when a call arrives, with its luck; who may use what afterwards is
//! checked at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::action::{Action, Event, Question, Reply, ResolveWith, Ticket};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::Lock;
use tribunal_core::opinion::{Fault, FaultKind};
use tribunal_core::record::Record;
use tribunal_core::request::{AccessRequest, Background, RequestState, Subject, UserName};

use super::super::invariants::{self, Wrong};
use super::super::model::{OWN_USER, World};
use super::words::line;
use super::{Driver, Luck};

impl Driver {
    /// The server (or the engine, or the ledger) does what it is asked to. Gives the answer.
    pub(super) fn serve(
        &mut self,
        action: Action,
        luck: Luck,
        pick: impl FnOnce(usize) -> usize,
    ) -> Result<Option<Event>, Wrong> {
        let bad = match luck {
            Luck::Good => None,
            Luck::Fails(class) => Some(Failure::new(class, "injected")),
            Luck::LostReply => Some(Failure::new(FailureClass::Retry, "the reply was lost")),
        };
        let read = || bad.clone().map_or(Ok(()), Err);
        let fault = || bad.as_ref().map(|_| Fault::new(FaultKind::Deadline, "injected"));
        let (ticket, reply) = match action {
            Action::List => {
                let listed = read().map(|()| self.world.cached(pick));
                return Ok(Some(Event::Listed(listed)));
            }
            Action::Ask { ticket, generation, policy, question, case } => {
                let panel = usize::try_from(generation).ok().and_then(|generation| self.panels.get(generation));
                let policy = panel.ok_or("asks a panel that never was")?[policy];
                let reply = match question {
                    Question::Review(id) => Reply::Opinion(fault().map_or_else(|| Ok(policy.review(&case, &id)), Err)),
                    Question::Enforce => Reply::Orders(fault().map_or_else(|| Ok(policy.enforce(&case)), Err)),
                };
                (ticket, reply)
            }
            Action::ReadSubject { ticket, user, resources: _ } => {
                (ticket, Reply::Subject(read().map(|()| background(user))))
            }
            Action::Record { ticket, record } => (ticket.unwrap_or(Ticket(0)), self.append(&record, luck)),
            Action::Reread { ticket, requests, locks } => {
                let fresh = read().map(|()| self.world.read(&requests, &locks));
                (ticket, Reply::Reread(fresh))
            }
            Action::WriteLock { ticket, lock } => {
                let name = lock.name.clone();
                let result = self.write(luck, &format!("write lock {name}"), |driver| {
                    driver.must_be_ours(name.as_str(), driver.world.locks.get(&name).map(AsRef::as_ref))?;
                    driver.world.put_lock(*lock);
                    Ok(Ok(()))
                })?;
                (ticket, Reply::Written(result))
            }
            Action::DeleteLock { ticket, name } => {
                let result = self.write(luck, &format!("delete lock {name}"), |driver| {
                    driver.must_be_ours(name.as_str(), driver.world.locks.get(&name).map(AsRef::as_ref))?;
                    driver.world.drop_lock(&name);
                    Ok(Ok(()))
                })?;
                (ticket, Reply::Written(result))
            }
            Action::Resolve { ticket, resolution } => {
                let verb = match (resolution.with, resolution.approve) {
                    (ResolveWith::State, true) => "approve",
                    (ResolveWith::State, false) => "deny",
                    (ResolveWith::Review, true) => "review as approved",
                    (ResolveWith::Review, false) => "review as denied",
                };
                let result = self.write(luck, &format!("{verb} {}", resolution.request), |driver| {
                    let id = &resolution.request;
                    let there = driver.world.requests.get(id).map(|it| it.state);
                    if resolution.with == ResolveWith::Review {
                        let ours = |it: &AccessRequest| it.reviews.iter().any(|it| it.author == World::own_user());
                        if driver.world.requests.get(id).is_some_and(|it| ours(it)) {
                            return Err(format!("{id} is reviewed twice"));
                        }
                    }
                    let open = there.is_none_or(|state| state == RequestState::Pending);
                    if !open && !driver.world.changed_since_read(id.as_str()) {
                        return Err(format!("{id} was decided already, as could be read"));
                    }
                    Ok(match resolution.with {
                        ResolveWith::State => driver.world.set_state(id, resolution.approve, Some(&resolution)),
                        ResolveWith::Review => {
                            driver.world.review(id, OWN_USER, resolution.approve, &resolution.reason)
                        }
                    })
                })?;
                (ticket, Reply::Written(result))
            }
        };
        Ok(Some(Event::Done(ticket, reply)))
    }

    /// A write, with its luck; who may use what afterwards is checked at once.
    fn write(
        &mut self,
        luck: Luck,
        what: &str,
        act: impl FnOnce(&mut Self) -> Result<Result<(), Failure>, Wrong>,
    ) -> Result<Result<(), Failure>, Wrong> {
        if let Luck::Fails(class) = luck {
            self.refusals += u32::from(class != FailureClass::Retry);
            self.tell(|| format!("  {what}: fails ({})", class.as_str()));
            return Ok(Err(Failure::new(class, "injected")));
        }
        let before = self.world.usable();
        let mut done = act(self)?;
        let lost = luck == Luck::LostReply;
        self.tell(|| match &done {
            Ok(()) => format!("  {what}{}", if lost { ": done, but the reply is lost" } else { "" }),
            Err(failure) => format!("  {what}: {failure}"),
        });
        invariants::access(&self.world, &self.settings, &before, &self.world.by_people)?;
        if lost {
            done = Err(Failure::new(FailureClass::Retry, "the reply was lost"));
        }
        Ok(done)
    }

    fn must_be_ours(&self, name: &str, there: Option<&Lock>) -> Result<(), Wrong> {
        let foreign = there.is_some_and(|lock| lock.ours(&World::own_user()).is_none());
        if foreign && !self.world.changed_since_read(name) {
            return Err(format!("{name} was changed by somebody else, as could be read"));
        }
        Ok(())
    }

    fn append(&mut self, record: &Record, luck: Luck) -> Reply {
        if !self.ledger_works || matches!(luck, Luck::Fails(_)) {
            return Reply::Recorded(Err("disk full".to_owned()));
        }
        self.note(record);
        self.ledger.push(Arc::new(record.clone()));
        Reply::Recorded(if luck == Luck::LostReply { Err("interrupted".to_owned()) } else { Ok(()) })
    }

    pub(super) fn note(&mut self, record: &Record) {
        self.tell(|| line(record));
    }
}

fn background(user: UserName) -> Background {
    Background { subject: Subject { name: user, roles: None, traits: None }, labels: BTreeMap::new() }
}
