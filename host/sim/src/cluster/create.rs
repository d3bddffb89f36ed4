//! Making access requests: who may ask for what, what the server fills in, and what it refuses. It never resolves one.

mod form;

use std::collections::{BTreeMap, BTreeSet};

use tribunal_proto::types::{self, AccessRequestSpecV3, AccessRequestV3, RequestState};
use tribunal_proto::wrappers::{LabelValues, StringValues};

pub(super) use form::REASON_BYTES_MAX;
use form::check_form;

use super::lifetimes::{self, Limits};
use super::rbac::{matches, no_verb};
use super::refusal::{access_denied, bad_parameter, not_found};
use super::{Caller, Cluster, KIND_ACCESS_REQUEST, Refusal, StoredRequest, object_expiry};
use crate::clock::Moment;
use crate::scenario::{AskDef, RoleDef, Span, UserDef};

impl Cluster {
    /// `CreateAccessRequestV2`: validates, fills in and (unless it is a dry run) stores a request.
    ///
    /// # Errors
    /// As Teleport refuses them; see the module's tests.
    pub fn create_request(
        &mut self,
        caller: &Caller,
        now: Moment,
        request: AccessRequestV3,
    ) -> Result<AccessRequestV3, Refusal> {
        let expiry = object_expiry(&request);
        let mut spec = check_form(&request)?;
        self.check_author(caller, &spec)?;
        let user = self
            .users
            .get(&spec.user)
            .cloned()
            .ok_or_else(|| not_found(format!("user `{}` is not found", spec.user)))?;
        self.expand_roles(&user, &mut spec)?;
        self.check_reason(&user, &spec)?;
        // Who creates for others does so with their own certificate, whose end says nothing about the requester's.
        let left = (caller.user == spec.user).then_some(caller.expires).flatten().map(|expires| expires.since_ms(now));
        let ends = lifetimes::ends(&spec, expiry, left, &self.limits(&user, &spec.roles), now)?;
        lifetimes::check_start(Moment::from_proto(spec.assume_start_time.as_ref()), now, Some(ends.access))?;
        let approved = spec.state == i32::from(RequestState::Approved);
        spec.created = Some(now.to_proto());
        spec.expires = Some(ends.access.to_proto());
        spec.max_duration = Some(ends.access.to_proto());
        spec.session_ttl = Some(ends.session.to_proto());
        spec.resource_expiry = Some(if approved { ends.access } else { ends.pending }.to_proto());
        self.fill_from_roles(&user, &mut spec);
        let stored = AccessRequestV3 {
            kind: KIND_ACCESS_REQUEST.to_owned(),
            sub_kind: String::new(),
            version: "v3".to_owned(),
            metadata: Some(types::Metadata {
                name: self.ids.request(now),
                namespace: "default".to_owned(),
                labels: request.metadata.map(|metadata| metadata.labels).unwrap_or_default(),
                ..types::Metadata::default()
            }),
            spec: Some(spec),
        };
        if stored.spec.as_ref().is_some_and(|spec| spec.dry_run) {
            return Ok(self.enrich_dry_run(&user, stored));
        }
        Ok(AccessRequestV3::clone(&self.store_request(now, &caller.user, stored)))
    }

    /// Own pending requests need no verb unless it is denied; everything else needs `create`, and what is resolved from the start a
    /// certificate without assumed requests.
    fn check_author(&self, caller: &Caller, spec: &AccessRequestSpecV3) -> Result<(), Refusal> {
        let pending = spec.state == i32::from(RequestState::Pending);
        if caller.user == spec.user {
            if !pending {
                return Err(access_denied(
                    "a user cannot create an access request of their own that is already resolved",
                ));
            }
            if self.denied(caller, KIND_ACCESS_REQUEST, "create") {
                return Err(no_verb(KIND_ACCESS_REQUEST, "create"));
            }
            return Ok(());
        }
        self.require(caller, KIND_ACCESS_REQUEST, &["create"])?;
        if !pending && !caller.active_requests.is_empty() {
            return Err(access_denied(
                "resolved access requests cannot be created by an identity with elevated access: drop the assumed requests first",
            ));
        }
        self.require_admin_action(caller)?;
        if spec.state == i32::from(RequestState::Promoted) {
            return Err(bad_parameter("an access request cannot be created in this state"));
        }
        Ok(())
    }

    /// Checks requested roles against what the user may ask for, and finds the roles for requested resources.
    fn expand_roles(&self, user: &UserDef, spec: &mut AccessRequestSpecV3) -> Result<(), Refusal> {
        let resources: Vec<types::ResourceId> = requested_resources(spec).cloned().collect();
        for resource in &resources {
            if resource.cluster_name != self.settings.cluster {
                return Err(not_found(format!(
                    "cluster `{}` of the requested resource is not found",
                    resource.cluster_name
                )));
            }
        }
        let searchable = self.search_as_roles(user);
        if resources.is_empty() {
            if spec.roles == ["*"] {
                spec.roles = self.requestable_roles(user);
            }
        } else if searchable.is_empty() {
            let message =
                format!("resource access requests need usable `search_as_roles`, and user `{}` has none", user.name);
            return Err(access_denied(message));
        } else if spec.roles.is_empty() {
            spec.roles = self.applicable_roles(&searchable, &resources.iter().collect::<Vec<_>>());
            if spec.roles.is_empty() {
                return Err(access_denied(
                    "no roles configured in `search_as_roles` of this user allow access to the requested resources, or they do not exist",
                ));
            }
            return Ok(());
        }
        if spec.roles.is_empty() {
            return Err(bad_parameter("the access request asks for nothing: it needs roles or resources"));
        }
        for role in &spec.roles {
            let may = if resources.is_empty() { self.may_request(user, role) } else { searchable.contains(role) };
            if !may {
                return Err(bad_parameter(format!("user `{}` can not request role `{role}`", user.name)));
            }
        }
        Ok(())
    }

    fn check_reason(&self, user: &UserDef, spec: &AccessRequestSpecV3) -> Result<(), Refusal> {
        if !spec.request_reason.trim().is_empty() || !self.reason_required(user, &spec.roles) {
            return Ok(());
        }
        Err(bad_parameter(format!("request reason must be specified (required for roles {})", spec.roles.join(", "))))
    }

    pub(super) fn reason_required(&self, user: &UserDef, roles: &[String]) -> bool {
        let by_option = |role: &RoleDef| role.request_access.as_deref() == Some("reason");
        let by_role = |ask: &AskDef| {
            ask.reason.mode == "required"
                && roles.iter().any(|role| ask.roles.contains(role) || ask.search_as_roles.contains(role))
        };
        self.role_set(user.effective_roles()).any(|role| by_option(role) || by_role(&role.allow.request))
    }

    fn limits(&self, user: &UserDef, requested: &[String]) -> Limits {
        let duration_ms = |wanted: &String| {
            self.role_set(user.effective_roles())
                .filter(|role| covers(&role.allow.request, wanted))
                .filter_map(|role| role.allow.request.max_duration)
                .map(Span::ms)
                .fold(0, i64::max)
        };
        Limits {
            session_ms_max: self.role_set(requested).filter_map(|role| role.max_session_ttl).map(Span::ms).min(),
            durations_ms_max: requested.iter().map(duration_ms).collect(),
        }
    }

    /// Thresholds, annotations and suggested reviewers come from the standing roles that allow the request.
    fn fill_from_roles(&self, user: &UserDef, spec: &mut AccessRequestSpecV3) {
        spec.thresholds = Vec::new();
        spec.reviews = Vec::new();
        spec.role_threshold_mapping = BTreeMap::new();
        let mut annotations: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut reviewers = BTreeSet::new();
        for role in self.role_set(user.effective_roles()) {
            let ask = &role.allow.request;
            reviewers.extend(ask.suggested_reviewers.iter().cloned());
            for requested in spec.roles.clone().iter().filter(|requested| covers(ask, requested)) {
                let set = types::ThresholdIndexSet { indexes: threshold_indexes(&mut spec.thresholds, ask) };
                let sets = &mut spec.role_threshold_mapping.entry(requested.clone()).or_default().sets;
                if !sets.contains(&set) {
                    sets.push(set);
                }
                for (key, values) in &ask.annotations {
                    annotations.entry(key.clone()).or_default().extend(values.iter().cloned());
                }
            }
        }
        if spec.suggested_reviewers.is_empty() {
            spec.suggested_reviewers = reviewers.into_iter().collect();
        }
        let values = |set: BTreeSet<String>| StringValues { values: set.into_iter().collect() };
        spec.system_annotations =
            Some(LabelValues { values: annotations.into_iter().map(|(key, set)| (key, values(set))).collect() });
    }

    fn enrich_dry_run(&self, user: &UserDef, mut request: AccessRequestV3) -> AccessRequestV3 {
        if let Some(spec) = &mut request.spec {
            let prompts: BTreeSet<String> = self
                .role_set(user.effective_roles())
                .filter(|role| spec.roles.iter().any(|wanted| covers(&role.allow.request, wanted)))
                .map(|role| role.allow.request.reason.prompt.clone())
                .filter(|prompt| !prompt.is_empty())
                .collect();
            let mode = if self.reason_required(user, &spec.roles) { "required" } else { "optional" };
            spec.dry_run_enrichment = Some(types::AccessRequestDryRunEnrichment {
                reason_mode: mode.to_owned(),
                reason_prompts: prompts.into_iter().collect(),
            });
        }
        request
    }

    /// `DeleteAccessRequest`.
    ///
    /// # Errors
    /// Without the verb `delete`, and when there is no such request.
    pub fn delete_request(&mut self, caller: &Caller, now: Moment, id: &str) -> Result<(), Refusal> {
        self.require(caller, KIND_ACCESS_REQUEST, &["delete"])?;
        self.require_admin_action(caller)?;
        if self.remove_request(now, &caller.user, id) { Ok(()) } else { Err(request_not_found(id)) }
    }

    /// For embedding: stores a request as it stands, whoever could have made it.
    pub fn insert_request(&mut self, now: Moment, request: AccessRequestV3) -> StoredRequest {
        self.store_request(now, super::SYSTEM, request)
    }
}

pub(super) fn request_not_found(id: &str) -> Refusal {
    not_found(format!("access request `{id}` is not found"))
}

/// The requested resources: the newer list when it is not empty, otherwise the older one.
pub(super) fn requested_resources(spec: &AccessRequestSpecV3) -> impl Iterator<Item = &types::ResourceId> {
    let newer = &spec.requested_resource_access_ids;
    let older = if newer.is_empty() { spec.requested_resource_ids.as_slice() } else { &[] };
    newer.iter().filter_map(|access| access.id.as_ref()).chain(older)
}

fn covers(ask: &AskDef, role: &str) -> bool {
    ask.roles.iter().any(|pattern| matches(pattern, role)) || ask.search_as_roles.iter().any(|name| name == role)
}

/// The indexes of a role's thresholds in the request's list, which grows where they are new.
fn threshold_indexes(list: &mut Vec<types::AccessReviewThreshold>, ask: &AskDef) -> Vec<u32> {
    let mut wanted: Vec<types::AccessReviewThreshold> = ask
        .thresholds
        .iter()
        .map(|threshold| types::AccessReviewThreshold {
            name: threshold.name.clone(),
            filter: threshold.filter.clone(),
            approve: threshold.approve,
            deny: threshold.deny,
        })
        .collect();
    if wanted.is_empty() {
        wanted.push(types::AccessReviewThreshold {
            name: "default".to_owned(),
            filter: String::new(),
            approve: 1,
            deny: 1,
        });
    }
    let mut indexes = Vec::new();
    for threshold in wanted {
        let at = list.iter().position(|known| *known == threshold).unwrap_or_else(|| {
            list.push(threshold);
            list.len() - 1
        });
        indexes.push(u32::try_from(at).unwrap_or(u32::MAX));
    }
    indexes
}
