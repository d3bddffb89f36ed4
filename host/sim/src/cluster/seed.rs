//! What exists before the first call: the bot's role and user, and the scenario's requests. Seeded requests bypass the rules of creation.

use tribunal_proto::types::{self, AccessRequestSpecV3, AccessRequestV3, RequestState};

use super::{Cluster, KIND_ACCESS_REQUEST, PREVIEW_ROLE, resource_id};
use crate::clock::Moment;
use crate::scenario::{BotDef, ConditionsDef, RequestDef, RoleDef, Scenario, StateDef, UserDef};

pub(super) fn bot_role(bot: &BotDef) -> RoleDef {
    let mut review_requests = bot.review_requests.clone();
    if bot.previews_resources {
        review_requests.get_or_insert_default().preview_as_roles.push(PREVIEW_ROLE.to_owned());
    }
    RoleDef {
        name: bot.name.clone(),
        allow: ConditionsDef { rules: bot.rules.clone(), review_requests, ..ConditionsDef::default() },
        deny: ConditionsDef { rules: bot.deny_rules.clone(), ..ConditionsDef::default() },
        ..RoleDef::default()
    }
}

/// Teleport's preset for looking at requested resources.
pub(super) fn preview_role() -> RoleDef {
    let everything = |name: &str| [(name.to_owned(), name.to_owned())].into();
    RoleDef {
        name: PREVIEW_ROLE.to_owned(),
        allow: ConditionsDef { node_labels: everything("*"), ..ConditionsDef::default() },
        ..RoleDef::default()
    }
}

pub(super) fn bot_user(scenario: &Scenario) -> UserDef {
    UserDef {
        name: scenario.bot_user(),
        roles: vec![scenario.bot.name.clone()],
        bot: true,
        logged_in: false,
        ..UserDef::default()
    }
}

impl Cluster {
    pub(super) fn seed_request(&mut self, request: &RequestDef, now: Moment) {
        let created = now.plus_ms(-request.age.ms());
        let expires = now.plus_ms(request.expires_in.ms());
        let state = match request.state {
            StateDef::Pending => RequestState::Pending,
            StateDef::Approved => RequestState::Approved,
            StateDef::Denied => RequestState::Denied,
            StateDef::Promoted => RequestState::Promoted,
        };
        let kind =
            if request.long_term { types::AccessRequestKind::LongTerm } else { types::AccessRequestKind::ShortTerm };
        let resources: Vec<types::ResourceId> =
            request.resources.iter().filter_map(|text| resource_id::parse(text)).collect();
        let mut roles = request.roles.clone();
        if roles.is_empty()
            && let Some(user) = self.users.get(&request.user)
        {
            roles = self.applicable_roles(&self.search_as_roles(user), &resources.iter().collect::<Vec<_>>());
        }
        let default_threshold =
            types::AccessReviewThreshold { name: "default".to_owned(), filter: String::new(), approve: 1, deny: 1 };
        let one_set = || types::ThresholdIndexSets { sets: vec![types::ThresholdIndexSet { indexes: vec![0] }] };
        let spec = AccessRequestSpecV3 {
            user: request.user.clone(),
            role_threshold_mapping: roles.iter().map(|role| (role.clone(), one_set())).collect(),
            thresholds: vec![default_threshold],
            roles,
            state: state.into(),
            created: Some(created.to_proto()),
            expires: Some(expires.to_proto()),
            max_duration: Some(expires.to_proto()),
            session_ttl: Some(expires.to_proto()),
            resource_expiry: Some(expires.to_proto()),
            request_reason: request.reason.clone(),
            resolve_reason: request.resolve_reason.clone(),
            requested_resource_ids: resources,
            assume_start_time: request.starts_in.map(|starts_in| now.plus_ms(starts_in.ms()).to_proto()),
            request_kind: kind.into(),
            ..AccessRequestSpecV3::default()
        };
        let id = request.id.clone().unwrap_or_else(|| self.ids.request(created.max(Moment::from_unix_ms(0))));
        let stored = AccessRequestV3 {
            kind: KIND_ACCESS_REQUEST.to_owned(),
            sub_kind: String::new(),
            version: "v3".to_owned(),
            metadata: Some(types::Metadata { name: id, namespace: "default".to_owned(), ..types::Metadata::default() }),
            spec: Some(spec),
        };
        self.store_request(now, super::SYSTEM, stored);
    }
}
