//! A policy's place in the panel: taken by a plugin, which is asked through its own queue and watched over, or vacant, whose
//! every answer is a fault that says why. It never blocks an async worker and never lets one plugin wait for another.

mod reply;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, oneshot};
use tracing::{info, warn};
use tribunal_core::opinion::{Effect, Fault, FaultKind, Member, PolicyName};
use tribunal_core::request::UserName;

use self::reply::Reply;
use crate::compile::Workshop;
use crate::digest::Digest;
use crate::engine::limits::{Limits, named};
use crate::engine::{OpenLane, Runtime};
use crate::load::{self, LoadProblem};
use crate::panel::{PluginSpec, PolicyInfo};
use crate::policy::Policy;
use crate::quarantine::{Admission, Quarantine, Standing, Turn};

/// A policy's place in the panel.
pub(crate) struct Seat {
    pub(crate) member: Member,
    pub(crate) taken: Taken,
}

/// By whom.
pub(crate) enum Taken {
    By(Arc<Occupant>),
    Vacant { why: String },
}

/// A plugin that can be asked.
pub(crate) struct Occupant {
    pub(crate) policy: Arc<Policy>,
    /// What the operator grants; none: all that it declares.
    granted: Option<BTreeSet<Effect>>,
    lane: OpenLane,
    /// Places for evaluations of this policy, running and waiting.
    places: Arc<Semaphore>,
    quarantine: Mutex<Quarantine>,
    /// What it ran into last.
    last_fault: Mutex<Option<FaultKind>>,
}

/// How a policy of the panel stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is asked; so many faults in a row came last.
    Asked {
        /// Faults in a row.
        strikes: usize,
    },
    /// It faulted too often in a row, and is not asked for so long; zero: it is being tried.
    Quarantined {
        /// Faults in a row.
        strikes: usize,
        /// How long it takes until it is tried.
        again_in: Duration,
    },
    /// It is not loaded, for this reason.
    Vacant(String),
}

/// A policy of the panel, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyHealth {
    /// What the operator calls it.
    pub name: PolicyName,
    /// The SHA-256 of its bytes; none: it is not loaded.
    pub digest: Option<Digest>,
    /// How it stands.
    pub health: Health,
}

// === impl Health ===

impl Health {
    /// Whether it is asked as a matter of course.
    #[must_use]
    pub const fn is_asked(&self) -> bool {
        match self {
            Self::Asked { .. } => true,
            Self::Quarantined { .. } | Self::Vacant(_) => false,
        }
    }
}

/// A question under way: whatever comes of it, or nothing, its quarantine hears of it.
struct Asked<'a> {
    occupant: &'a Occupant,
    admission: Admission,
    settled: bool,
}

// === impl Seat ===

impl Seat {
    /// Asks the policy, about a case of `user`. The one way to a guest.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        user: &UserName,
        question: impl FnOnce(&Policy, &Member) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        match &self.taken {
            Taken::By(occupant) => occupant.ask(&self.member, user, question).await,
            Taken::Vacant { why } => Err(unavailable(format!("is not loaded: {why}"))),
        }
    }

    /// How it stands.
    pub(crate) fn health(&self) -> PolicyHealth {
        let (digest, health) = match &self.taken {
            Taken::By(occupant) => {
                let health = match occupant.quarantine().standing(Instant::now()) {
                    Standing::Asked { strikes } => Health::Asked { strikes },
                    Standing::Quarantined { strikes, again_in } => Health::Quarantined { strikes, again_in },
                };
                (Some(occupant.policy.digest), health)
            }
            Taken::Vacant { why } => (None, Health::Vacant(why.clone())),
        };
        PolicyHealth { name: self.member.name.clone(), digest, health }
    }

    /// Whether it is the very same as this one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let taken = match (&self.taken, &other.taken) {
            (Taken::By(occupant), Taken::By(other)) => Arc::ptr_eq(occupant, other),
            (Taken::Vacant { why }, Taken::Vacant { why: other }) => why == other,
            (Taken::By(_), Taken::Vacant { .. }) | (Taken::Vacant { .. }, Taken::By(_)) => false,
        };
        taken && self.member == other.member
    }

    /// What is known of the plugin; none: the seat is vacant.
    pub(crate) fn info(&self) -> Option<PolicyInfo> {
        let Taken::By(occupant) = &self.taken else { return None };
        let policy = &occupant.policy;
        Some(PolicyInfo {
            name: self.member.name.clone(),
            digest: policy.digest,
            description: policy.description.clone(),
            settings: policy.settings.clone(),
            limits: policy.sandbox.limits.clone(),
        })
    }
}

// === impl Occupant ===

impl Occupant {
    /// Loads a plugin.
    pub(crate) fn load(runtime: &Arc<Runtime>, workshop: &Workshop, spec: &PluginSpec) -> Result<Self, LoadProblem> {
        let limits = runtime.limits.lowered(&spec.limits).map_err(LoadProblem::Raised)?;
        let places = Semaphore::new(limits.concurrency.saturating_add(limits.queue).min(Semaphore::MAX_PERMITS));
        let lane = OpenLane::new(runtime, limits.concurrency);
        let quarantine = Mutex::new(Quarantine::new(&limits));
        let policy = load::load(runtime, workshop, spec, &lane, limits)?;
        Ok(Self {
            policy: Arc::new(policy),
            granted: spec.effects.clone(),
            lane,
            places: Arc::new(places),
            quarantine,
            last_fault: Mutex::default(),
        })
    }

    /// Whether loading `spec` under these limits would give the same plugin again.
    pub(crate) fn is(&self, spec: &PluginSpec, limits: &Limits) -> bool {
        spec.unread.is_none()
            && spec.digest.is_none_or(|digest| digest == self.policy.digest)
            && self.granted == spec.effects
            && self.policy.settings == spec.settings
            && limits.lowered(&spec.limits).as_ref() == Ok(&self.policy.sandbox.limits)
            && self.policy.digest == Digest::of(&spec.bytes)
    }

    async fn ask<T: Send + 'static>(
        &self,
        member: &Member,
        user: &UserName,
        question: impl FnOnce(&Policy, &Member) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let asked = self.admit()?;
        let limits = &self.policy.sandbox.limits;
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            let detail = format!("has {} evaluations waiting, its limit (`queue`)", limits.queue);
            let fault = Fault::new(FaultKind::Limit, detail);
            tell(member, &fault);
            return Err(fault);
        };
        let (reply, answer) = oneshot::channel();
        let (policy, of) = (Arc::clone(&self.policy), member.clone());
        self.lane.submit(Box::new(move || {
            // Who asked has gone: nobody needs the answer.
            if reply.is_closed() {
                return;
            }
            let reply = Reply::new(reply);
            let watch = reply.by(&policy.sandbox);
            let result = question(&policy, &of);
            drop(watch);
            drop(place);
            reply.give(result);
        }));
        let lost = || Err(unavailable("the host gave up on the evaluation: see its log"));
        let answer = answer.await.unwrap_or_else(|_| lost());
        asked.settle(member, user, answer.as_ref().err());
        answer
    }

    /// Asks past the queue's bound and the quarantine, which do not hear of it: for rehearsals.
    pub(crate) async fn try_out<T: Send + 'static>(
        &self,
        member: &Member,
        question: impl FnOnce(&Policy, &Member) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (reply, answer) = oneshot::channel();
        let (policy, of) = (Arc::clone(&self.policy), member.clone());
        self.lane.submit(Box::new(move || {
            let _ = reply.send(question(&policy, &of));
        }));
        answer.await.unwrap_or_else(|_| Err(unavailable("the host gave up on the evaluation: see its log")))
    }

    /// Whether it may be asked; a policy in quarantine may not.
    fn admit(&self) -> Result<Asked<'_>, Fault> {
        let admission = self.quarantine().admit(Instant::now());
        match admission {
            Admission::Open | Admission::Trial => Ok(Asked { occupant: self, admission, settled: false }),
            // The same words each time: a decision that says nothing new is not told again.
            Admission::Refused { .. } => {
                let last = *self.last_fault.lock().unwrap_or_else(PoisonError::into_inner);
                let last = last.map_or_else(String::new, |kind| format!(", the last time by `{}`", kind.as_str()));
                let strikes = self.policy.sandbox.limits.strikes_max;
                Err(unavailable(format!("is in quarantine: it faulted {strikes} times in a row (`strikes_max`){last}")))
            }
        }
    }

    fn quarantine(&self) -> MutexGuard<'_, Quarantine> {
        self.quarantine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Asked ===

impl Asked<'_> {
    /// Tells the quarantine, and the log, what came of it.
    fn settle(mut self, member: &Member, user: &UserName, fault: Option<&Fault>) {
        let Some(fault) = fault else {
            self.settled = true;
            let turn = self.occupant.quarantine().answered(self.admission);
            if turn == Turn::Ended {
                info!(policy.id = %member.name, "Policy answers again, its quarantine is over");
            }
            return;
        };
        tell(member, fault);
        if fault.kind == FaultKind::Unavailable {
            // The host's doing, not the policy's.
            return;
        }
        self.settled = true;
        *self.occupant.last_fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.kind);
        let turn = self.occupant.quarantine().faulted(self.admission, user, Instant::now());
        if let Turn::Began(pause) = turn {
            warn!(
                policy.id = %member.name,
                secs = pause.as_secs_f64(),
                "Policy in quarantine, it is not asked for a while; requests that it might object to are left to people"
            );
        }
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.occupant.quarantine().abandoned(self.admission, Instant::now());
        }
    }
}

fn tell(member: &Member, fault: &Fault) {
    let limit = named::limit_of(fault).unwrap_or("none");
    warn!(policy.id = %member.name, kind = fault.kind.as_str(), limit, detail = fault.detail, "Policy faulted");
}

pub(crate) fn unavailable(detail: impl Into<String>) -> Fault {
    Fault::new(FaultKind::Unavailable, detail)
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::mpsc;

    use super::*;
    use crate::panel::Panel;
    use crate::testing::Guest;

    #[test]
    fn nobody_waits_for_what_cannot_be_interrupted() {
        let limits = Limits { deadline_ms: 1, setup_deadline_ms: 30_000, ..Limits::default() };
        let panel = Panel::load(vec![PluginSpec::new("p", Guest::new().build())], limits).unwrap();
        let seat = panel.seats().first().unwrap();
        let (release, held) = mpsc::channel::<()>();
        let question = move |_: &Policy, _: &Member| Ok(held.recv().is_err());
        let fault = futures::executor::block_on(seat.ask(&UserName::new("alice"), question)).unwrap_err();
        // In the words of one that could be interrupted: which of the two it was is a matter of the moment.
        assert_eq!(fault, Fault::new(FaultKind::Deadline, crate::fault::late(1)));
        // Only now does the thread get on.
        drop(release);
    }
}
