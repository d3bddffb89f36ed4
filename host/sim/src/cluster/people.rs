//! Users, roles and login states as Teleport shows them. Passwords and other secrets do not exist here.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_proto::types::{self, RoleV6, UserV2};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_proto::{header_v1, trait_v1, userloginstate_v1};

use super::locks::page;
use super::refusal::{bad_parameter, not_found};
use super::{Caller, Change, Cluster, KIND_ROLE, KIND_USER, KIND_USER_LOGIN_STATE, Refusal};
use crate::clock::Moment;
use crate::scenario::{AskDef, ConditionsDef, ReviewDef, RoleDef, Span, UserDef};

/// Largest page of roles.
const ROLES_PAGE_MAX: usize = 16_000;
/// Roles in a page when the caller names no number.
const ROLES_PAGE_DEFAULT: i32 = 100;
/// Largest page of users and login states.
const USERS_PAGE_MAX: usize = 1000;

impl Cluster {
    /// `GetUser`; the caller's own record needs no verb.
    ///
    /// # Errors
    /// Without `user: read` for others; when there is no such user.
    pub fn get_user(&self, caller: &Caller, name: &str) -> Result<UserV2, Refusal> {
        if name.is_empty() {
            return Err(bad_parameter("missing user name"));
        }
        if name != caller.user {
            self.require(caller, KIND_USER, &["read"])?;
        }
        self.users.get(name).map(user_to_proto).ok_or_else(|| not_found(format!("user `{name}` is not found")))
    }

    /// `ListUsers`: a page by name, and the next page's token.
    ///
    /// # Errors
    /// Without `user: list, read`.
    pub fn list_users(
        &self,
        caller: &Caller,
        filter: &types::UserFilter,
        size: i32,
        token: &str,
    ) -> Result<(Vec<UserV2>, String), Refusal> {
        self.require(caller, KIND_USER, &["list", "read"])?;
        let wanted = |user: &&UserDef| {
            filter.search_keywords.iter().all(|keyword| {
                user.name.contains(keyword.as_str()) || user.roles.iter().any(|role| role.contains(keyword.as_str()))
            })
        };
        let (users, next) =
            page(self.users.values().filter(wanted).collect(), size, USERS_PAGE_MAX, token, |user| user.name.clone());
        Ok((users.into_iter().map(user_to_proto).collect(), next))
    }

    /// `GetUserLoginState`; the caller's own needs no verb.
    ///
    /// # Errors
    /// Without `user_login_state: read` for others; for users who never logged in.
    pub fn get_login_state(&self, caller: &Caller, name: &str) -> Result<userloginstate_v1::UserLoginState, Refusal> {
        if name != caller.user {
            self.require(caller, KIND_USER_LOGIN_STATE, &["read"])?;
        }
        let user = self.users.get(name).filter(|user| user.logged_in && !user.bot);
        user.map(login_state_to_proto).ok_or_else(|| not_found(format!("user login state `{name}` is not found")))
    }

    /// `ListUserLoginStates`: a page by name, and the next page's token.
    ///
    /// # Errors
    /// Without `user_login_state: list, read`.
    pub fn list_login_states(
        &self,
        caller: &Caller,
        size: i32,
        token: &str,
    ) -> Result<(Vec<userloginstate_v1::UserLoginState>, String), Refusal> {
        self.require(caller, KIND_USER_LOGIN_STATE, &["list", "read"])?;
        let known = self.users.values().filter(|user| user.logged_in && !user.bot).collect();
        let (users, next) = page(known, size, USERS_PAGE_MAX, token, |user: &&UserDef| user.name.clone());
        Ok((users.into_iter().map(login_state_to_proto).collect(), next))
    }

    /// `GetRole`; a role that the caller holds needs no verb.
    ///
    /// # Errors
    /// Without `role: read` for other roles; when there is no such role.
    pub fn get_role(&self, caller: &Caller, name: &str) -> Result<RoleV6, Refusal> {
        if name.is_empty() {
            return Err(bad_parameter("missing role name"));
        }
        if !caller.roles.iter().any(|role| role == name) {
            self.require(caller, KIND_ROLE, &["read"])?;
        }
        self.roles.get(name).map(role_to_proto).ok_or_else(|| not_found(format!("role `{name}` is not found")))
    }

    /// `GetCurrentUserRoles`: the roles of the caller's certificate, each whole; needs no verb.
    ///
    /// # Errors
    /// When one of them does not exist any more.
    pub fn current_roles(&self, caller: &Caller) -> Result<Vec<RoleV6>, Refusal> {
        let role = |name: &String| {
            self.roles.get(name).map(role_to_proto).ok_or_else(|| not_found(format!("role `{name}` is not found")))
        };
        self.caller_roles(caller).iter().map(role).collect()
    }

    /// `ListRoles`: a page by name, and the next page's key.
    ///
    /// # Errors
    /// Without `role: list, read`.
    pub fn list_roles(
        &self,
        caller: &Caller,
        filter: &types::RoleFilter,
        limit: i32,
        start: &str,
    ) -> Result<(Vec<RoleV6>, String), Refusal> {
        self.require(caller, KIND_ROLE, &["list", "read"])?;
        let wanted =
            |role: &&RoleDef| filter.search_keywords.iter().all(|keyword| role.name.contains(keyword.as_str()));
        let limit = if limit <= 0 { ROLES_PAGE_DEFAULT } else { limit };
        let (roles, next) =
            page(self.roles.values().filter(wanted).collect(), limit, ROLES_PAGE_MAX, start, |role| role.name.clone());
        Ok((roles.into_iter().map(role_to_proto).collect(), next))
    }

    /// For embedding: creates or replaces a user.
    pub fn put_user(&mut self, now: Moment, user: UserDef) {
        self.users.insert(user.name.clone(), user.clone());
        self.record(now, super::SYSTEM, Change::UserPut(Arc::new(user)));
    }

    /// For embedding: removes a user; their requests stay.
    pub fn remove_user(&mut self, now: Moment, name: &str) {
        if self.users.remove(name).is_some() {
            self.record(now, super::SYSTEM, Change::UserDeleted(name.to_owned()));
        }
    }

    /// For embedding: creates or replaces a role, also the bot's.
    pub fn put_role(&mut self, now: Moment, role: RoleDef) {
        self.roles.insert(role.name.clone(), role.clone());
        self.record(now, super::SYSTEM, Change::RolePut(Arc::new(role)));
    }

    /// The role of this name.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&RoleDef> {
        self.roles.get(name)
    }
}

fn metadata(name: &str) -> types::Metadata {
    types::Metadata { name: name.to_owned(), namespace: "default".to_owned(), ..types::Metadata::default() }
}

fn labels(map: &BTreeMap<String, Vec<String>>) -> LabelValues {
    LabelValues {
        values: map.iter().map(|(key, values)| (key.clone(), StringValues { values: values.clone() })).collect(),
    }
}

pub(super) fn user_to_proto(user: &UserDef) -> UserV2 {
    let mut metadata = metadata(&user.name);
    if user.bot {
        let bot = user.name.strip_prefix("bot-").unwrap_or(&user.name);
        metadata.labels.insert("teleport.internal/bot".to_owned(), bot.to_owned());
    }
    UserV2 {
        kind: KIND_USER.to_owned(),
        sub_kind: String::new(),
        version: "v2".to_owned(),
        metadata: Some(metadata),
        spec: Some(types::UserSpecV2 {
            roles: user.roles.clone(),
            traits: Some(labels(&user.traits)),
            status: Some(types::LoginStatus { is_locked: false }),
            expires: Some(crate::clock::go_zero_time()),
        }),
    }
}

fn login_state_to_proto(user: &UserDef) -> userloginstate_v1::UserLoginState {
    userloginstate_v1::UserLoginState {
        header: Some(header_v1::ResourceHeader {
            kind: KIND_USER_LOGIN_STATE.to_owned(),
            sub_kind: String::new(),
            version: "v1".to_owned(),
            metadata: Some(header_v1::Metadata {
                name: user.name.clone(),
                namespace: "default".to_owned(),
                ..header_v1::Metadata::default()
            }),
        }),
        spec: Some(userloginstate_v1::Spec {
            roles: user.effective_roles().to_vec(),
            traits: user
                .traits
                .iter()
                .map(|(key, values)| trait_v1::Trait { key: key.clone(), values: values.clone() })
                .collect(),
            user_type: "local".to_owned(),
            original_roles: user.roles.clone(),
        }),
    }
}

fn nanoseconds(span: Option<Span>) -> i64 {
    span.map_or(0, |span| span.ms().saturating_mul(1_000_000))
}

pub(super) fn role_to_proto(role: &RoleDef) -> RoleV6 {
    RoleV6 {
        kind: KIND_ROLE.to_owned(),
        sub_kind: String::new(),
        version: "v7".to_owned(),
        metadata: Some(metadata(&role.name)),
        spec: Some(types::RoleSpecV6 {
            options: Some(types::RoleOptions {
                max_session_ttl: nanoseconds(role.max_session_ttl),
                request_access: role.request_access.clone().unwrap_or_default(),
            }),
            allow: Some(conditions_to_proto(&role.allow)),
            deny: Some(conditions_to_proto(&role.deny)),
        }),
    }
}

fn conditions_to_proto(half: &ConditionsDef) -> types::RoleConditions {
    let rule = |rule: &crate::scenario::RuleDef| types::Rule {
        resources: rule.resources.clone(),
        verbs: rule.verbs.clone(),
        r#where: String::new(),
        actions: Vec::new(),
    };
    let review = |review: &ReviewDef| types::AccessReviewConditions {
        roles: review.roles.clone(),
        r#where: review.r#where.clone(),
        preview_as_roles: review.preview_as_roles.clone(),
    };
    types::RoleConditions {
        rules: half.rules.iter().map(rule).collect(),
        request: Some(ask_to_proto(&half.request)),
        review_requests: half.review_requests.as_ref().map(review),
    }
}

fn ask_to_proto(ask: &AskDef) -> types::AccessRequestConditions {
    let threshold = |threshold: &crate::scenario::ThresholdDef| types::AccessReviewThreshold {
        name: threshold.name.clone(),
        filter: threshold.filter.clone(),
        approve: threshold.approve,
        deny: threshold.deny,
    };
    types::AccessRequestConditions {
        roles: ask.roles.clone(),
        annotations: Some(labels(&ask.annotations)),
        thresholds: ask.thresholds.iter().map(threshold).collect(),
        suggested_reviewers: ask.suggested_reviewers.clone(),
        search_as_roles: ask.search_as_roles.clone(),
        max_duration: nanoseconds(ask.max_duration),
        reason: Some(types::AccessRequestConditionsReason {
            mode: ask.reason.mode.clone(),
            prompt: ask.reason.prompt.clone(),
        }),
    }
}
