//! Users and people, who act on the server as Teleport lets them, and a look at what became of their requests. It acts
//! for nobody but them.

use std::time::Duration;

use tribunal_proto::types::{LockSpecV2, LockTarget, LockV2, Metadata, RequestState};
use tribunal_sim::cluster::{Cluster, in_force};
use tribunal_sim::{Moment, RequestSpec, Span};

use super::World;
use super::observer::{id, spec};

/// How a request stands on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) state: RequestState,
    pub(crate) reason: String,
    /// Messages of locks in force on it, by the locks' names.
    pub(crate) locks: Vec<(String, String)>,
}

// === impl Standing ===

impl Standing {
    fn of(cluster: &Cluster, now: Moment, request: &str) -> Option<Self> {
        let stored = cluster.requests().get(request)?;
        let targets = |lock: &LockV2| {
            lock.spec
                .as_ref()
                .and_then(|spec| spec.target.as_ref())
                .is_some_and(|target| target.access_request == request)
        };
        let locks = cluster.locks().iter().filter(|(_, lock)| in_force(lock, now) && targets(lock));
        Some(Self {
            state: RequestState::try_from(spec(stored).state).unwrap(),
            reason: spec(stored).resolve_reason.clone(),
            locks: locks.map(|(name, lock)| (name.clone(), lock.spec.as_ref().unwrap().message.clone())).collect(),
        })
    }

    pub(crate) fn is_usable(&self) -> bool {
        self.state == RequestState::Approved && self.locks.is_empty()
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.state == RequestState::Approved && !self.locks.is_empty()
    }
}

impl World {
    /// A user asks for nodes.
    pub(crate) fn asks_for_nodes(&self, user: &str, nodes: &[&str]) -> String {
        let resources = nodes.iter().map(|node| format!("/dev/node/{node}")).collect();
        self.asks(RequestSpec { user: user.to_owned(), resources, ..RequestSpec::default() })
    }

    /// A user asks for a node and says why.
    pub(crate) fn asks_for_node_because(&self, user: &str, node: &str, reason: &str) -> String {
        let (user, resources, reason) = (user.to_owned(), vec![format!("/dev/node/{node}")], reason.to_owned());
        self.asks(RequestSpec { user, resources, reason, ..RequestSpec::default() })
    }

    /// A user asks for roles.
    pub(crate) fn asks_for_roles(&self, user: &str, roles: &[&str]) -> String {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.asks(RequestSpec { user: user.to_owned(), roles, ..RequestSpec::default() })
    }

    /// A user asks for nodes for so long.
    pub(crate) fn asks_for_nodes_for(&self, user: &str, nodes: &[&str], lasts: Duration) -> String {
        let resources = nodes.iter().map(|node| format!("/dev/node/{node}")).collect();
        let lasts = Some(span(lasts));
        self.asks(RequestSpec { user: user.to_owned(), resources, lasts, ..RequestSpec::default() })
    }

    pub(crate) fn asks(&self, wish: RequestSpec) -> String {
        if self.clock().is_manual() {
            // Nobody asks twice in one moment.
            self.advance(Duration::from_secs(1));
        }
        let reason = if wish.reason.is_empty() { "work".to_owned() } else { wish.reason.clone() };
        let wish = RequestSpec { reason, ..wish };
        id(&self.server().create_request(&wish).unwrap()).to_owned()
    }

    /// How a request stands now.
    pub(crate) fn standing(&self, request: &str) -> Standing {
        self.server().with(|cluster, now| Standing::of(cluster, now, request)).expect("the request is there")
    }

    /// Waits until a request stands like this.
    pub(crate) async fn until(&self, request: &str, what: &str, mut like: impl FnMut(&Standing) -> bool) -> Standing {
        self.wait_until(what, |cluster, now| Standing::of(cluster, now, request).filter(|standing| like(standing)))
            .await
    }

    pub(crate) async fn until_approved(&self, request: &str) -> Standing {
        self.until(request, "a request is approved", |standing| standing.state == RequestState::Approved).await
    }

    pub(crate) async fn until_denied(&self, request: &str) -> Standing {
        self.until(request, "a request is denied", |standing| standing.state == RequestState::Denied).await
    }

    pub(crate) async fn until_locked(&self, request: &str) -> Standing {
        self.until(request, "a request is locked", Standing::is_locked).await
    }

    pub(crate) async fn until_usable(&self, request: &str) -> Standing {
        self.until(request, "a request is usable", Standing::is_usable).await
    }

    /// A user asks for one node after the other, each as soon as the one before is granted.
    pub(crate) async fn holds_nodes(&self, user: &str, nodes: &[&str]) -> Vec<String> {
        let mut held = Vec::new();
        for node in nodes {
            let request = self.asks_for_nodes(user, &[node]);
            self.until_approved(&request).await;
            held.push(request);
        }
        held
    }

    /// `admin` locks a request, under a name of the admin's own.
    pub(crate) fn admin_locks(&self, name: &str, request: &str) {
        self.server().upsert_lock_as("admin", lock(name, request, "incident")).unwrap();
    }

    /// `admin` rewrites whatever lock there is on a request.
    pub(crate) fn admin_edits(&self, name: &str, request: &str, message: &str) {
        self.server().upsert_lock_as("admin", lock(name, request, message)).unwrap();
    }

    /// When a lock ends, by the first of its two times.
    pub(crate) fn lock_end(&self, name: &str) -> Option<Moment> {
        self.server().with(|cluster, _| {
            let lock = cluster.locks().get(name)?;
            let spec_end = lock.spec.as_ref().and_then(|spec| Moment::from_proto(spec.expires.as_ref()));
            let metadata_end = lock.metadata.as_ref().and_then(|it| Moment::from_proto(it.expires.as_ref()));
            assert_eq!(spec_end, metadata_end, "a lock ends in both places");
            spec_end
        })
    }

    /// When a request's access ends.
    pub(crate) fn access_end(&self, request: &str) -> Option<Moment> {
        self.server().with(|cluster, _| Moment::from_proto(spec(cluster.requests().get(request)?).expires.as_ref()))
    }
}

/// A lock on a request, without end.
pub(crate) fn lock(name: &str, request: &str, message: &str) -> LockV2 {
    LockV2 {
        kind: "lock".to_owned(),
        version: "v2".to_owned(),
        metadata: Some(Metadata { name: name.to_owned(), ..Metadata::default() }),
        spec: Some(LockSpecV2 {
            target: Some(LockTarget { access_request: request.to_owned(), ..LockTarget::default() }),
            message: message.to_owned(),
            ..LockSpecV2::default()
        }),
        ..LockV2::default()
    }
}

/// The name of the daemon's lock on a request.
pub(crate) fn our_lock(request: &str) -> String {
    format!("tribunal-{request}")
}

pub(crate) fn span(duration: Duration) -> Span {
    Span::from_ms(i64::try_from(duration.as_millis()).unwrap())
}
