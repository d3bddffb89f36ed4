//! Replays every change of a cluster and looks for the states that must never be, not even between two calls. It must
//! never ask the daemon what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_proto::types::{AccessRequestV3, LockV2};
use tribunal_sim::{Change, Entry};

use super::wire::{id_of, is_granted, resources_of, takes_away, user_of};

/// The most different resources that this user could use at one time. Looks after each change, at its time.
pub(super) fn most_resources(history: &[Arc<Entry>], user: &str) -> usize {
    let mut most = 0;
    replay(history, user, |usable| {
        let resources: BTreeSet<String> =
            usable.iter().filter_map(|request| request.spec.as_ref()).flat_map(resources_of).collect();
        most = most.max(resources.len());
    });
    most
}

/// The most of these roles that this user could use at one time.
pub(super) fn most_roles(history: &[Arc<Entry>], user: &str, roles: &[&str]) -> usize {
    let mut most = 0;
    replay(history, user, |usable| {
        let held = |role: &&&str| {
            usable
                .iter()
                .filter_map(|request| request.spec.as_ref())
                .any(|spec| spec.roles.iter().any(|has| has == **role))
        };
        most = most.max(roles.iter().filter(held).count());
    });
    most
}

/// Shows the requests of this user that give access, after each change.
fn replay(history: &[Arc<Entry>], user: &str, mut look: impl FnMut(&[&AccessRequestV3])) {
    let mut requests: BTreeMap<&str, &AccessRequestV3> = BTreeMap::new();
    let mut locks: BTreeMap<&str, &LockV2> = BTreeMap::new();
    for entry in history {
        match &entry.change {
            Change::RequestPut(request) => {
                requests.insert(id_of(request), request);
            }
            Change::RequestDeleted(id) => {
                requests.remove(id.as_str());
            }
            Change::LockPut(lock) => {
                locks.insert(lock.metadata.as_ref().map_or("", |metadata| &metadata.name), lock);
            }
            Change::LockDeleted(name) => {
                locks.remove(name.as_str());
            }
            Change::PluginDataPut(_)
            | Change::SemaphorePut(_)
            | Change::SemaphoreDeleted(..)
            | Change::UserPut(_)
            | Change::UserDeleted(_)
            | Change::RolePut(_) => continue,
        }
        let usable: Vec<&AccessRequestV3> = requests
            .values()
            .copied()
            .filter(|request| user_of(request) == user && is_granted(request, entry.at))
            .filter(|request| !locks.values().any(|lock| takes_away(lock, request, entry.at)))
            .collect();
        look(&usable);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use tribunal_proto::proto::RequestStateSetter;
    use tribunal_proto::types::{LockSpecV2, LockTarget, Metadata, RequestState};
    use tribunal_sim::{Caller, Cluster, Moment, default_scenario};

    use super::*;
    use tribunal_sim::cluster::resource_id;

    struct Bench {
        cluster: Cluster,
        now: Moment,
    }

    impl Bench {
        fn new() -> Self {
            let now = Moment::from_unix_ms(1_700_000_000_000);
            Self { cluster: Cluster::new(&default_scenario().unwrap(), now), now }
        }

        fn hold(&mut self, user: &str, roles: &[&str], resources: &[&str]) -> String {
            let spec = tribunal_proto::types::AccessRequestSpecV3 {
                user: user.to_owned(),
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                state: RequestState::Pending.into(),
                requested_resource_ids: resources.iter().map(|text| resource_id::parse(text).unwrap()).collect(),
                ..Default::default()
            };
            let caller = Caller::person(user, &["requester"]);
            let metadata = Some(Metadata { name: uuid::Uuid::nil().to_string(), ..Default::default() });
            let request = AccessRequestV3 { metadata, spec: Some(spec), ..Default::default() };
            let id = id_of(&self.cluster.create_request(&caller, self.now, request).unwrap()).to_owned();
            let update =
                RequestStateSetter { id: id.clone(), state: RequestState::Approved.into(), ..Default::default() };
            self.cluster.set_request_state(&Caller::person("admin", &["admin"]), self.now, update).unwrap();
            id
        }

        fn lock(&mut self, id: &str) {
            let target = LockTarget { access_request: id.to_owned(), ..Default::default() };
            let lock = LockV2 {
                metadata: Some(Metadata { name: format!("l-{id}"), ..Default::default() }),
                spec: Some(LockSpecV2 { target: Some(target), ..Default::default() }),
                ..Default::default()
            };
            self.cluster.upsert_lock(&Caller::person("admin", &["admin"]), self.now, lock).unwrap();
        }

        fn history(&self) -> Vec<Arc<Entry>> {
            self.cluster.history().since(0).cloned().collect()
        }
    }

    #[test]
    fn a_lock_that_comes_after_the_approval_comes_too_late() {
        let mut bench = Bench::new();
        let first = bench.hold("hoarder", &[], &["/dev/node/node-1"]);
        bench.hold("hoarder", &[], &["/dev/node/node-2", "/dev/node/node-1"]);
        bench.hold("bulk", &[], &["/dev/node/node-3"]);
        assert_eq!(most_resources(&bench.history(), "hoarder"), 2);
        bench.lock(&first);
        assert_eq!(most_resources(&bench.history(), "hoarder"), 2);
    }

    #[test]
    fn a_lock_that_comes_before_the_approval_comes_in_time() {
        let mut bench = Bench::new();
        let first = bench.hold("switcher", &["prod-admin"], &[]);
        bench.lock(&first);
        bench.hold("switcher", &["research-admin"], &[]);
        assert_eq!(most_roles(&bench.history(), "switcher", &["prod-admin", "research-admin"]), 1);
        bench.hold("switcher", &["prod-admin"], &[]);
        assert_eq!(most_roles(&bench.history(), "switcher", &["prod-admin", "research-admin"]), 2);
    }
}
