//! People who look at some requests a while after they were made, and approve, deny, lock or unlock them. They act under
//! their own name and by the cluster's rules; they never touch what the daemon needs to be itself.

use std::collections::VecDeque;

use tribunal_proto::types::{AccessRequestV3, LockSpecV2, LockTarget, LockV2, Metadata, RequestState};
use tribunal_sim::Handle;

use crate::chance::Chance;
use crate::world::PERSON;

/// The share of requests that somebody looks at.
const VISITED_PERCENT: u64 = 12;
/// Requests that are made before somebody comes to look, at most: half come early, to a request that still waits, half
/// late, when it may have had to give way.
const EARLY_MAX: u64 = 30;
const LATE_MAX: u64 = 900;

/// Who looks at what, and when.
#[derive(Debug)]
pub(crate) struct People {
    chance: Chance,
    /// Request ids, each with the number of requests that are made before somebody looks.
    visits: VecDeque<(u64, String)>,
    /// What they did, in all.
    pub(crate) acts: u64,
}

// === impl People ===

impl People {
    pub(crate) fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed ^ 0x9e0b), visits: VecDeque::new(), acts: 0 }
    }

    /// A request was made, as the so manieth.
    pub(crate) fn notice(&mut self, made: u64, id: &str) {
        let times = u64::from(self.chance.percent(VISITED_PERCENT)) + u64::from(self.chance.percent(4));
        for _ in 0..times {
            let after_max = if self.chance.percent(50) { EARLY_MAX } else { LATE_MAX };
            let at = made + self.chance.below(after_max);
            let place = self.visits.partition_point(|(other, _)| *other <= at);
            self.visits.insert(place, (at, id.to_owned()));
        }
    }

    /// Looks at everything whose time has come; at all that is left, when all requests were made.
    pub(crate) fn act(&mut self, made: u64, all_made: bool, server: &Handle) {
        while let Some((_, id)) = self.visits.pop_front_if(|(at, _)| all_made || *at <= made) {
            self.visit(&id, server);
        }
    }

    pub(crate) fn are_done(&self) -> bool {
        self.visits.is_empty()
    }

    fn visit(&mut self, id: &str, server: &Handle) {
        let dice = self.chance.below(100);
        let seen = server.with(|cluster, now| {
            let request = cluster.requests().get(id)?;
            let lock = cluster.lock_on_request(now, id).and_then(|lock| lock.metadata.as_ref());
            Some((AccessRequestV3::clone(request), lock.map(|metadata| metadata.name.clone())))
        });
        let Some((request, lock)) = seen else { return };
        let state = request.spec.as_ref().map_or(RequestState::None, |spec| spec.state());
        // Somebody else may have been faster: then the cluster refuses, and that is that.
        let done = match (state, lock) {
            (RequestState::Pending, _) if dice < 45 => server.approve_as(PERSON, id, "a person says yes"),
            (RequestState::Pending, _) if dice < 90 => server.deny_as(PERSON, id, "a person says no"),
            (RequestState::Approved, None) if dice < 50 => server.upsert_lock_as(PERSON, lock_of(&request, id)),
            (RequestState::Approved, None) if dice < 70 => server.deny_as(PERSON, id, "a person took it back"),
            (RequestState::Approved, Some(lock)) if dice < 70 => server.delete_lock_as(PERSON, &lock),
            (
                RequestState::None
                | RequestState::Pending
                | RequestState::Approved
                | RequestState::Denied
                | RequestState::Promoted,
                _,
            ) => return,
        };
        self.acts += u64::from(done.is_ok());
    }
}

/// A person's lock on a request, for as long as its access lasts.
fn lock_of(request: &AccessRequestV3, id: &str) -> LockV2 {
    lock_on(id, request.spec.as_ref().and_then(|spec| spec.expires))
}

/// A lock on a request with this end.
pub(crate) fn lock_on(id: &str, ends: Option<prost_types::Timestamp>) -> LockV2 {
    LockV2 {
        kind: "lock".to_owned(),
        version: "v2".to_owned(),
        metadata: Some(Metadata { name: format!("incident-{id}"), expires: ends, ..Metadata::default() }),
        spec: Some(LockSpecV2 {
            target: Some(LockTarget { access_request: id.to_owned(), ..LockTarget::default() }),
            message: "a person looks into it".to_owned(),
            expires: ends,
            ..LockSpecV2::default()
        }),
        ..LockV2::default()
    }
}
