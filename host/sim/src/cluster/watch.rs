//! What a watcher may see and which events it gets. It has no streams; those belong to the server.

use tribunal_proto::proto::{self, Operation, event::Resource};
use tribunal_proto::types::{
    AccessRequestV3, Metadata, RequestState, ResourceHeader, WatchKind, WatchStatusSpecV1, WatchStatusV1,
};

use super::history::Change;
use super::people::{role_to_proto, user_to_proto};
use super::refusal::{access_denied, bad_parameter};
use super::{
    Caller, Cluster, KIND_ACCESS_REQUEST, KIND_LOCK, KIND_ROLE, KIND_SEMAPHORE, KIND_USER, KIND_USER_LOGIN_STATE,
    Refusal, id_of, spec_of,
};

/// Kinds that can be watched.
const KINDS: [&str; 6] = [KIND_ACCESS_REQUEST, KIND_LOCK, KIND_USER, KIND_ROLE, KIND_USER_LOGIN_STATE, KIND_SEMAPHORE];
/// Most kinds in one call.
const KINDS_MAX: usize = 128;

/// A watcher's confirmed kinds.
#[derive(Clone, Debug)]
pub struct WatchPlan {
    kinds: Vec<(WatchKind, Subscription)>,
}

/// One confirmed kind with its parsed filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// Access requests; each field narrows when set.
    Requests {
        /// Only this one.
        id: Option<String>,
        /// Only of this requester.
        user: Option<String>,
        /// Only in this state, at the time of the event.
        state: Option<RequestState>,
    },
    /// Everything of another kind.
    Kind(String),
}

impl Cluster {
    /// `WatchEvents`, up to its first event.
    ///
    /// # Errors
    /// No kinds at all; a kind without the verb `read` (unless partial success is allowed and another kind is left); an unknown filter key.
    pub fn plan_watch(&self, caller: &Caller, watch: &proto::Watch) -> Result<WatchPlan, Refusal> {
        if watch.kinds.is_empty() {
            return Err(access_denied("a watch of everything is not allowed: name the kinds"));
        }
        if watch.kinds.len() > KINDS_MAX {
            return Err(bad_parameter(format!("too many kinds: at most {KINDS_MAX}")));
        }
        let mut kinds = Vec::new();
        for kind in &watch.kinds {
            match self.subscribe(caller, kind) {
                Ok(subscription) => kinds.push((kind.clone(), subscription)),
                Err(_) if watch.allow_partial_success => {}
                Err(refusal) => return Err(refusal),
            }
        }
        if kinds.is_empty() {
            return Err(bad_parameter("none of the requested kinds can be watched"));
        }
        Ok(WatchPlan { kinds })
    }

    fn subscribe(&self, caller: &Caller, kind: &WatchKind) -> Result<Subscription, Refusal> {
        if kind.load_secrets {
            self.require(caller, &kind.kind, &["read"])?;
            return Err(access_denied(format!("secrets of `{}` cannot be watched", kind.kind)));
        }
        if kind.kind != KIND_ACCESS_REQUEST {
            self.require(caller, &kind.kind, &["read"])?;
            if !KINDS.contains(&kind.kind.as_str()) {
                return Err(bad_parameter(format!("watching `{}` is not supported", kind.kind)));
            }
            return Ok(Subscription::Kind(kind.kind.clone()));
        }
        let own = kind.filter.get("user").is_some_and(|user| *user == caller.user);
        if !own {
            self.require(caller, KIND_ACCESS_REQUEST, &["read"])?;
        }
        let (mut id, mut user, mut state) = (None, None, None);
        for (key, value) in &kind.filter {
            match key.as_str() {
                "id" => id = Some(value.clone()),
                "user" => user = Some(value.clone()),
                "state" => {
                    let named = RequestState::from_str_name(&value.to_uppercase())
                        .ok_or_else(|| bad_parameter(format!("unknown request state `{value}`")))?;
                    state = (named != RequestState::None).then_some(named);
                }
                other => return Err(bad_parameter(format!("unknown filter key `{other}` for access requests"))),
            }
        }
        Ok(Subscription::Requests { id, user, state })
    }
}

impl WatchPlan {
    /// The first event of every stream: the kinds that were confirmed.
    #[must_use]
    pub fn init(&self) -> proto::Event {
        let status = WatchStatusV1 {
            kind: "watch_status".to_owned(),
            sub_kind: String::new(),
            version: "v1".to_owned(),
            metadata: Some(Metadata {
                name: "watch-status".to_owned(),
                namespace: "default".to_owned(),
                ..Metadata::default()
            }),
            spec: Some(WatchStatusSpecV1 { kinds: self.kinds.iter().map(|(kind, _)| kind.clone()).collect() }),
        };
        proto::Event { r#type: Operation::Init.into(), resource: Some(Resource::WatchStatus(status)) }
    }

    /// The event that this change is to the watcher, if any. Filters are for changed objects only; the end of one is always told.
    #[must_use]
    pub fn event(&self, change: &Change) -> Option<proto::Event> {
        match change {
            Change::RequestPut(request) => self
                .any(|subscription| subscription.wants(request))
                .then(|| put(Resource::AccessRequest(AccessRequestV3::clone(request)))),
            Change::RequestDeleted(id) => self
                .any(|subscription| matches!(subscription, Subscription::Requests { .. }))
                .then(|| delete(KIND_ACCESS_REQUEST, "", "v3", id)),
            Change::LockPut(lock) => {
                self.has(KIND_LOCK).then(|| put(Resource::Lock(tribunal_proto::types::LockV2::clone(lock))))
            }
            Change::LockDeleted(name) => self.has(KIND_LOCK).then(|| delete(KIND_LOCK, "", "v2", name)),
            Change::UserPut(user) => self.has(KIND_USER).then(|| put(Resource::User(user_to_proto(user)))),
            Change::UserDeleted(name) => self.has(KIND_USER).then(|| delete(KIND_USER, "", "v2", name)),
            Change::RolePut(role) => self.has(KIND_ROLE).then(|| put(Resource::Role(role_to_proto(role)))),
            Change::SemaphoreDeleted(kind, name) => {
                self.has(KIND_SEMAPHORE).then(|| delete(KIND_SEMAPHORE, kind, "v3", name))
            }
            // Teleport sends plugin data and semaphores in variants that our protocol leaves out.
            Change::PluginDataPut(_) | Change::SemaphorePut(_) => None,
        }
    }

    fn any(&self, wanted: impl Fn(&Subscription) -> bool) -> bool {
        self.kinds.iter().any(|(_, subscription)| wanted(subscription))
    }

    fn has(&self, kind: &str) -> bool {
        self.any(|subscription| matches!(subscription, Subscription::Kind(name) if name == kind))
    }
}

impl Subscription {
    fn wants(&self, request: &AccessRequestV3) -> bool {
        match self {
            Self::Kind(_) => false,
            Self::Requests { id, user, state } => {
                let spec = spec_of(request);
                id.as_ref().is_none_or(|id| id_of(request) == id)
                    && user.as_ref().is_none_or(|user| spec.user == *user)
                    && state.is_none_or(|state| spec.state == i32::from(state))
            }
        }
    }
}

fn put(resource: Resource) -> proto::Event {
    proto::Event { r#type: Operation::Put.into(), resource: Some(resource) }
}

/// Kind, version and name: never the object.
fn delete(kind: &str, sub_kind: &str, version: &str, name: &str) -> proto::Event {
    let header = ResourceHeader {
        kind: kind.to_owned(),
        sub_kind: sub_kind.to_owned(),
        version: version.to_owned(),
        metadata: Some(Metadata { name: name.to_owned(), namespace: "default".to_owned(), ..Metadata::default() }),
    };
    proto::Event { r#type: Operation::Delete.into(), resource: Some(Resource::ResourceHeader(header)) }
}
