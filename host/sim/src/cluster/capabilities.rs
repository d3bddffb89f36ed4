//! What a user may ask for: requestable roles, roles for resources, `GetAccessCapabilities`. It reads roles and stores nothing.

use tribunal_proto::types::{AccessCapabilities, AccessCapabilitiesRequest, ResourceId};

use super::rbac::matches;
use super::refusal::not_found;
use super::resources::labels_cover;
use super::{Caller, Cluster, KIND_ROLE, KIND_USER, Refusal};
use crate::scenario::{RoleDef, UserDef};

impl Cluster {
    /// Whether the user's standing roles let them ask for this role by name.
    pub(super) fn may_request(&self, user: &UserDef, role: &str) -> bool {
        let any = |list: &[String]| list.iter().any(|pattern| matches(pattern, role));
        let mine = user.effective_roles();
        self.roles.contains_key(role)
            && self.role_set(mine).any(|held| any(&held.allow.request.roles))
            && !self.role_set(mine).any(|held| any(&held.deny.request.roles))
    }

    /// All roles that the user may ask for and does not hold.
    pub(super) fn requestable_roles(&self, user: &UserDef) -> Vec<String> {
        let held = user.effective_roles();
        self.roles.keys().filter(|role| !held.contains(role) && self.may_request(user, role)).cloned().collect()
    }

    /// The roles that the user's resource requests go through.
    pub(super) fn search_as_roles(&self, user: &UserDef) -> Vec<String> {
        let mine = user.effective_roles();
        let denied = |role: &String| {
            self.role_set(mine)
                .any(|held| held.deny.request.search_as_roles.iter().any(|pattern| matches(pattern, role)))
        };
        let mut roles: Vec<String> = self
            .role_set(mine)
            .flat_map(|held| &held.allow.request.search_as_roles)
            .filter(|role| self.roles.contains_key(*role) && !denied(role))
            .cloned()
            .collect();
        roles.sort();
        roles.dedup();
        roles
    }

    /// Those of these roles that open one of the resources; none when a resource exists that none opens.
    pub(super) fn applicable_roles(&self, roles: &[String], resources: &[&ResourceId]) -> Vec<String> {
        let opens = |role: &RoleDef, id: &ResourceId| {
            self.nodes.get(&(id.kind.clone(), id.name.clone())).is_some_and(|node| {
                labels_cover(&role.allow.node_labels, node) && !labels_cover(&role.deny.node_labels, node)
            })
        };
        if resources.iter().any(|id| !self.role_set(roles).any(|role| opens(role, id))) {
            return Vec::new();
        }
        self.role_set(roles)
            .filter(|role| resources.iter().any(|id| opens(role, id)))
            .map(|role| role.name.clone())
            .collect()
    }

    /// `GetAccessCapabilities`.
    ///
    /// # Errors
    /// For another user without `user: read` and `role: list, read`; for a user who does not exist.
    pub fn access_capabilities(
        &self,
        caller: &Caller,
        request: &AccessCapabilitiesRequest,
    ) -> Result<AccessCapabilities, Refusal> {
        let name = if request.user.is_empty() { &caller.user } else { &request.user };
        if *name != caller.user {
            self.require(caller, KIND_USER, &["read"])?;
            self.require(caller, KIND_ROLE, &["list", "read"])?;
        }
        let user = self.users.get(name).ok_or_else(|| not_found(format!("user `{name}` is not found")))?;
        let mine: Vec<&RoleDef> = self.role_set(user.effective_roles()).collect();
        let mut answer = AccessCapabilities {
            require_reason: mine.iter().any(|role| role.request_access.as_deref() == Some("reason")),
            auto_request: mine.iter().any(|role| matches!(role.request_access.as_deref(), Some("always" | "reason"))),
            request_prompt: mine.iter().filter_map(|role| role.request_prompt.clone()).next().unwrap_or_default(),
            ..AccessCapabilities::default()
        };
        if request.requestable_roles {
            answer.requestable_roles = self.requestable_roles(user);
        }
        if request.suggested_reviewers {
            answer.suggested_reviewers =
                mine.iter().flat_map(|role| role.allow.request.suggested_reviewers.clone()).collect();
            answer.suggested_reviewers.sort();
            answer.suggested_reviewers.dedup();
        }
        if !request.resource_ids.is_empty() {
            let resources: Vec<&ResourceId> = request.resource_ids.iter().collect();
            answer.applicable_roles_for_resources = self.applicable_roles(&self.search_as_roles(user), &resources);
        }
        Ok(answer)
    }
}
