//! The state of a simulated Teleport cluster and the Auth server's rules over it: pure and synchronous, time passed in. It must never do I/O,
//! read a clock or draw randomness of its own.

mod caller;
mod capabilities;
mod create;
mod expression;
mod history;
mod ids;
mod lifetimes;
mod list_view;
mod listing;
mod lock_index;
mod locks;
mod people;
mod plugin_data;
pub(crate) mod predicate;
mod rbac;
mod refusal;
mod resolve;
pub mod resource_id;
mod resource_predicate;
mod resources;
mod review;
mod seed;
mod semaphores;
mod sweep;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal_proto::types;

pub use caller::Caller;
pub use history::{Change, Entry, HISTORY_ENTRIES_MAX, History};
pub use locks::in_force;
pub use refusal::{Refusal, RefusalKind};
pub(crate) use resources::PREVIEW_ROLE;
pub use watch::{Subscription, WatchPlan};

use crate::clock::{Moment, go_zero_time};
use crate::release::Release;
use crate::scenario::{NodeDef, RoleDef, Scenario, SweepDef, UserDef};
use ids::Ids;
use list_view::ListView;
use lock_index::LockIndex;

/// Who is named as the author of what the server does by itself.
pub const SYSTEM: &str = "system";

/// `access_request`
pub(crate) const KIND_ACCESS_REQUEST: &str = "access_request";
/// `lock`
pub(crate) const KIND_LOCK: &str = "lock";
/// `role`
pub(crate) const KIND_ROLE: &str = "role";
/// `user`
pub(crate) const KIND_USER: &str = "user";
/// `user_login_state`
pub(crate) const KIND_USER_LOGIN_STATE: &str = "user_login_state";
/// `semaphore`
pub(crate) const KIND_SEMAPHORE: &str = "semaphore";
/// `access_plugin_data`
pub(crate) const KIND_ACCESS_PLUGIN_DATA: &str = "access_plugin_data";

/// A request as stored; shared, because lists and streams carry many.
pub type StoredRequest = Arc<types::AccessRequestV3>;
/// A lock as stored.
pub type StoredLock = Arc<types::LockV2>;

/// What the cluster is, apart from its objects.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's name.
    pub cluster: String,
    /// What `Ping` reports.
    pub version: String,
    /// Methods that answer `Unimplemented`, named as in [`crate::release::METHODS`].
    pub lacks: BTreeSet<String>,
    /// Clients that say they are older than this version are hung up on.
    pub oldest_client: Option<String>,
    /// `Ping` tells entitlements.
    pub entitlements: bool,
    /// Reviews and other Enterprise features.
    pub enterprise: bool,
    /// People need a second factor for administrative actions.
    pub admin_mfa: bool,
    /// When expired objects go.
    pub sweep: SweepDef,
    /// Lists work in their default order only.
    pub cache_down: bool,
}

/// A simulated cluster.
#[derive(Debug)]
pub struct Cluster {
    settings: Settings,
    roles: BTreeMap<String, RoleDef>,
    users: BTreeMap<String, UserDef>,
    nodes: BTreeMap<(String, String), NodeDef>,
    requests: BTreeMap<String, StoredRequest>,
    locks: BTreeMap<String, StoredLock>,
    lock_index: LockIndex,
    plugin_data: BTreeMap<String, types::PluginDataV3>,
    semaphores: BTreeMap<(String, String), types::SemaphoreV3>,
    list_view: ListView,
    history: History,
    outbox: Vec<Arc<Entry>>,
    ids: Ids,
}

impl Cluster {
    /// The cluster that a scenario describes, at `now`.
    #[must_use]
    pub fn new(scenario: &Scenario, now: Moment) -> Self {
        let settings = Settings {
            cluster: scenario.cluster.clone(),
            version: scenario.version(),
            lacks: scenario.lacks.iter().cloned().chain(scenario.release.iter().flat_map(|it| it.lacks())).collect(),
            oldest_client: scenario.oldest_client(),
            entitlements: scenario.release.is_none_or(Release::has_entitlements),
            enterprise: scenario.enterprise,
            admin_mfa: scenario.admin_mfa,
            sweep: scenario.sweep.clone(),
            cache_down: scenario.faults.cache_down,
        };
        let mut roles: BTreeMap<_, _> = scenario.roles.iter().map(|role| (role.name.clone(), role.clone())).collect();
        roles.insert(scenario.bot.name.clone(), seed::bot_role(&scenario.bot));
        if scenario.bot.previews_resources {
            roles.entry(PREVIEW_ROLE.to_owned()).or_insert_with(seed::preview_role);
        }
        let mut users: BTreeMap<_, _> = scenario.users.iter().map(|user| (user.name.clone(), user.clone())).collect();
        users.insert(scenario.bot_user(), seed::bot_user(scenario));
        let nodes = scenario.nodes.iter().map(|node| ((node.kind.clone(), node.name.clone()), node.clone())).collect();
        let mut cluster = Self {
            settings,
            roles,
            users,
            nodes,
            requests: BTreeMap::new(),
            locks: BTreeMap::new(),
            lock_index: LockIndex::default(),
            plugin_data: BTreeMap::new(),
            semaphores: BTreeMap::new(),
            list_view: ListView::new(scenario.faults.stale_list),
            history: History::default(),
            outbox: Vec::new(),
            ids: Ids::new(scenario.faults.seed),
        };
        for request in &scenario.requests {
            cluster.seed_request(request, now);
        }
        cluster
    }

    /// What the cluster is.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// For tests that change the rules under way.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The server is another release from now on, and what it holds stays. Connections do not notice; cut them, as an
    /// upgrade does.
    pub fn become_release(&mut self, release: Release) {
        let settings = &mut self.settings;
        release.version().clone_into(&mut settings.version);
        settings.lacks = release.lacks();
        settings.oldest_client = release.oldest_client().map(str::to_owned);
        settings.entitlements = release.has_entitlements();
    }

    /// All requests in the backend, expired ones that were not swept yet among them, by id.
    #[must_use]
    pub const fn requests(&self) -> &BTreeMap<String, StoredRequest> {
        &self.requests
    }

    /// All locks in the backend, those no longer in force among them, by name.
    #[must_use]
    pub const fn locks(&self) -> &BTreeMap<String, StoredLock> {
        &self.locks
    }

    /// All semaphores, by kind and name.
    #[must_use]
    pub const fn semaphores(&self) -> &BTreeMap<(String, String), types::SemaphoreV3> {
        &self.semaphores
    }

    /// All users, by name.
    #[must_use]
    pub const fn users(&self) -> &BTreeMap<String, UserDef> {
        &self.users
    }

    /// Everything that changed since the server started.
    #[must_use]
    pub const fn history(&self) -> &History {
        &self.history
    }

    /// How many changes lists of requests and locks stay behind; 0 catches up.
    pub fn set_stale_list(&mut self, changes: usize) {
        self.list_view.set_lag(changes);
    }

    /// Changes that watchers have not been told yet.
    pub(crate) fn take_outbox(&mut self) -> Vec<Arc<Entry>> {
        std::mem::take(&mut self.outbox)
    }

    fn record(&mut self, now: Moment, by: &str, change: Change) {
        let entry = self.history.push(now, by, change);
        self.list_view.push(&entry);
        self.outbox.push(entry);
    }

    fn store_request(&mut self, now: Moment, by: &str, mut request: types::AccessRequestV3) -> StoredRequest {
        complete(&mut request);
        let metadata = request.metadata.get_or_insert_default();
        metadata.revision = self.ids.revision();
        let id = metadata.name.clone();
        let stored = Arc::new(request);
        self.requests.insert(id, Arc::clone(&stored));
        self.record(now, by, Change::RequestPut(Arc::clone(&stored)));
        stored
    }

    fn remove_request(&mut self, now: Moment, by: &str, id: &str) -> bool {
        let removed = self.requests.remove(id).is_some();
        if removed {
            self.record(now, by, Change::RequestDeleted(id.to_owned()));
        }
        removed
    }
}

/// The end of a request object: `spec.resource_expiry`, or else `metadata.expires`.
#[must_use]
pub fn object_expiry(request: &types::AccessRequestV3) -> Option<Moment> {
    request
        .spec
        .as_ref()
        .and_then(|spec| Moment::from_proto(spec.resource_expiry.as_ref()))
        .or_else(|| request.metadata.as_ref().and_then(|metadata| Moment::from_proto(metadata.expires.as_ref())))
}

/// Go never leaves these fields out: unset moments travel as its zero time, unset annotations as empty ones.
fn complete(request: &mut types::AccessRequestV3) {
    let spec = request.spec.get_or_insert_default();
    for field in [&mut spec.created, &mut spec.expires, &mut spec.max_duration, &mut spec.session_ttl] {
        field.get_or_insert_with(go_zero_time);
    }
    spec.resolve_annotations.get_or_insert_default();
    spec.system_annotations.get_or_insert_default();
    for review in &mut spec.reviews {
        review.created.get_or_insert_with(go_zero_time);
        review.annotations.get_or_insert_default();
    }
}

/// The request's id.
pub(crate) fn id_of(request: &types::AccessRequestV3) -> &str {
    request.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

/// The request's spec; every stored request has one.
pub(crate) fn spec_of(request: &types::AccessRequestV3) -> &types::AccessRequestSpecV3 {
    const EMPTY: &types::AccessRequestSpecV3 = &types::AccessRequestSpecV3 {
        user: String::new(),
        roles: Vec::new(),
        state: 0,
        created: None,
        expires: None,
        request_reason: String::new(),
        resolve_reason: String::new(),
        resolve_annotations: None,
        system_annotations: None,
        thresholds: Vec::new(),
        role_threshold_mapping: BTreeMap::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        requested_resource_ids: Vec::new(),
        login_hint: String::new(),
        dry_run: false,
        max_duration: None,
        session_ttl: None,
        access_list: None,
        assume_start_time: None,
        resource_expiry: None,
        dry_run_enrichment: None,
        request_kind: 0,
        long_term_grouping: None,
        requested_resource_access_ids: Vec::new(),
    };
    request.spec.as_ref().unwrap_or(EMPTY)
}
