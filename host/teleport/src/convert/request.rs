//! Access requests from the wire, and their resolutions to it.

use std::collections::BTreeMap;

use tribunal_core::action::Resolution;
use tribunal_core::request::{
    AccessRequest, Constraints, DECISION_ANNOTATION, Decider, RequestId, RequestKind, RequestState, RequestedResource,
    Review, UserName,
};
use tribunal_proto::types::resource_constraints::Details;
use tribunal_proto::{proto, types, wrappers};

use super::{attributes, timestamp, timestamp_not_before};

/// On whose behalf requests are resolved, as Teleport's audit log shows it.
pub const DELEGATOR: &str = "tribunal";

/// The resolve annotation that names the rules behind a decision.
pub const RULES_ANNOTATION: &str = "tribunal/rules";

/// The version of constraints that is understood.
const CONSTRAINTS_VERSION: &str = "v1";

/// Why a message is no access request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// It has no id.
    #[error("an access request without `metadata.name`; the server does not speak the API that this client knows")]
    NoId,
    /// It is nobody's.
    #[error("access request `{0}` without `spec.user`; the server does not speak the API that this client knows")]
    NoUser(RequestId),
}

/// An access request as the server tells it. States, kinds and constraints that this build does not know stay unknown.
///
/// # Errors
/// If it has no id, or is nobody's.
pub fn access_request(request: types::AccessRequestV3) -> Result<AccessRequest, InvalidRequest> {
    let types::AccessRequestV3 { kind: _, sub_kind: _, version: _, metadata, spec } = request;
    let metadata = metadata.unwrap_or_default();
    if metadata.name.is_empty() {
        return Err(InvalidRequest::NoId);
    }
    let id = RequestId::new(metadata.name);
    let types::AccessRequestSpecV3 {
        user,
        roles,
        state,
        created,
        expires,
        request_reason,
        resolve_reason,
        resolve_annotations,
        system_annotations,
        thresholds: _,
        role_threshold_mapping: _,
        reviews,
        suggested_reviewers,
        requested_resource_ids,
        login_hint: _,
        dry_run: _,
        max_duration: _,
        session_ttl: _,
        access_list: _,
        assume_start_time,
        resource_expiry,
        dry_run_enrichment: _,
        request_kind,
        long_term_grouping: _,
        requested_resource_access_ids,
    } = spec.unwrap_or_default();
    if user.is_empty() {
        return Err(InvalidRequest::NoUser(id));
    }
    let state = request_state(state);
    let reviews: Vec<(Review, bool)> = reviews.into_iter().map(review).collect();
    let decision = attributes(resolve_annotations)
        .remove(DECISION_ANNOTATION)
        .map(|values| values.into_iter().next().unwrap_or_default());
    Ok(AccessRequest {
        id,
        revision: metadata.revision,
        user: UserName::new(user),
        state,
        kind: request_kind_of(request_kind),
        roles,
        resources: resources(requested_resource_access_ids, requested_resource_ids),
        reason: request_reason,
        // Never unset in practice; if it were, the request would count as the oldest, which is the first to give way.
        created: timestamp(created.as_ref()).unwrap_or_default(),
        access_starts: timestamp(assume_start_time.as_ref()),
        access_expires: timestamp_not_before(expires.as_ref()),
        request_expires: timestamp(resource_expiry.as_ref()).or_else(|| timestamp(metadata.expires.as_ref())),
        decided_by: decider(state, decision.as_deref(), &resolve_reason, &reviews),
        decision,
        resolve_reason,
        reviews: reviews.into_iter().map(|(review, _)| review).collect(),
        suggested_reviewers,
        annotations: attributes(system_annotations),
    })
}

/// A resolution as it is written: marked as ours, with the decision and the rules behind it.
#[must_use]
pub fn resolution_to_proto(resolution: Resolution) -> proto::RequestStateSetter {
    let Resolution { request, with: _, approve, reason, decision, rules } = resolution;
    let state = if approve { types::RequestState::Approved } else { types::RequestState::Denied };
    let mut annotations = BTreeMap::from([(
        DECISION_ANNOTATION.to_owned(),
        wrappers::StringValues { values: vec![decision.as_str().to_owned()] },
    )]);
    if !rules.is_empty() {
        annotations.insert(RULES_ANNOTATION.to_owned(), wrappers::StringValues { values: rules });
    }
    proto::RequestStateSetter {
        id: request.as_str().to_owned(),
        state: state.into(),
        delegator: DELEGATOR.to_owned(),
        reason,
        annotations: Some(wrappers::LabelValues { values: annotations }),
        roles: Vec::new(),
        assume_start_time: None,
    }
}

/// A resolution as a review: of our own user, with the decision in its words. What reviews are refused with (annotations,
/// roles) is not in it.
#[must_use]
pub fn review_to_proto(resolution: Resolution) -> types::AccessReviewSubmission {
    let Resolution { request, with: _, approve, reason, decision: _, rules: _ } = resolution;
    let state = if approve { types::RequestState::Approved } else { types::RequestState::Denied };
    let review = types::AccessReview { proposed_state: state.into(), reason, ..types::AccessReview::default() };
    types::AccessReviewSubmission { request_id: request.as_str().to_owned(), review: Some(review) }
}

fn request_state(state: i32) -> RequestState {
    match types::RequestState::try_from(state) {
        Ok(types::RequestState::Pending) => RequestState::Pending,
        Ok(types::RequestState::Approved) => RequestState::Approved,
        Ok(types::RequestState::Denied) => RequestState::Denied,
        Ok(types::RequestState::Promoted) => RequestState::Promoted,
        Ok(types::RequestState::None) | Err(_) => RequestState::Unknown,
    }
}

fn request_kind_of(kind: i32) -> RequestKind {
    match types::AccessRequestKind::try_from(kind) {
        Ok(types::AccessRequestKind::Undefined | types::AccessRequestKind::ShortTerm) => RequestKind::ShortTerm,
        Ok(types::AccessRequestKind::LongTerm) => RequestKind::LongTerm,
        Err(_) => RequestKind::Unknown,
    }
}

/// A review, and whether it counts for a threshold.
fn review(review: types::AccessReview) -> (Review, bool) {
    let types::AccessReview {
        author,
        roles: _,
        proposed_state,
        reason,
        created,
        annotations: _,
        threshold_indexes,
        access_list: _,
        assume_start_time: _,
    } = review;
    let review = Review {
        author: UserName::new(author),
        state: request_state(proposed_state),
        reason,
        created: timestamp(created.as_ref()).unwrap_or_default(),
    };
    (review, !threshold_indexes.is_empty())
}

/// Who decided.
///
/// * What carries our annotation was set by us: tribunal.
/// * Otherwise reviews decided, if the resolve reason is the words of one of those that counted for this state: Teleport
///   takes it from the review that met a threshold (`lib/services/access_request.go`). A person, if any of these reviews
///   is a person's, whoever gave the last one; tribunal, if not, and one of them is ours; else another bot. A review is
///   ours if its words end with a decision as ours do: who imitates that takes nothing from others, only a person's
///   exemption from their own approval.
/// * Otherwise the state was set, which tells nothing of its author, and counts as a person's.
///
/// A review counts that the server counted for a threshold; where it names no thresholds at all, each counts.
fn decider(state: RequestState, decision: Option<&str>, resolve_reason: &str, reviews: &[(Review, bool)]) -> Decider {
    match state {
        RequestState::Pending | RequestState::Unknown => return Decider::Nobody,
        RequestState::Approved | RequestState::Denied | RequestState::Promoted => {}
    }
    if decision.is_some() {
        return Decider::Tribunal;
    }
    let some_count = reviews.iter().any(|(_, counted)| *counted);
    let voices = || {
        let counting = reviews.iter().filter(|(_, counted)| *counted || !some_count);
        counting.map(|(review, _)| review).filter(|review| review.state == state)
    };
    let decided = voices().any(|review| review.reason == resolve_reason);
    let is_ours = |review: &Review| review.decision().is_some();
    if !decided || voices().any(|review| !is_ours(review) && !review.author.is_bot()) {
        Decider::Person
    } else if voices().any(is_ours) {
        Decider::Tribunal
    } else {
        Decider::OtherBot
    }
}

/// The resources of both fields, each once. Field 26 knows constraints and is the newer; what only field 14 has is
/// taken too, so that nothing that was asked for is overlooked.
fn resources(with_constraints: Vec<types::ResourceAccessId>, plain: Vec<types::ResourceId>) -> Vec<RequestedResource> {
    let mut resources: Vec<RequestedResource> = Vec::new();
    for types::ResourceAccessId { id, constraints } in with_constraints {
        let resource = match id {
            Some(id) => resource(id, constraints.map(constraint)),
            None => resource(
                types::ResourceId::default(),
                Some(Constraints::Unknown("a requested resource without an id".to_owned())),
            ),
        };
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    for id in plain {
        let resource = resource(id, None);
        if !resources.iter().any(|known| same(known, &resource)) {
            resources.push(resource);
        }
    }
    resources
}

fn resource(id: types::ResourceId, constraints: Option<Constraints>) -> RequestedResource {
    let types::ResourceId { cluster_name, kind, name, sub_resource_name } = id;
    RequestedResource { cluster: cluster_name, kind, name, sub_resource: sub_resource_name, labels: None, constraints }
}

/// Whether two are the same but for labels and constraints.
fn same(a: &RequestedResource, b: &RequestedResource) -> bool {
    let key = |resource: &RequestedResource| {
        let RequestedResource { cluster, kind, name, sub_resource, labels: _, constraints: _ } = resource;
        [cluster.clone(), kind.clone(), name.clone(), sub_resource.clone()]
    };
    key(a) == key(b)
}

fn constraint(constraints: types::ResourceConstraints) -> Constraints {
    let types::ResourceConstraints { version, details } = constraints;
    if version != CONSTRAINTS_VERSION {
        return Constraints::Unknown(format!("version `{version}`"));
    }
    match details {
        Some(Details::AwsConsole(types::AwsConsoleResourceConstraints { role_arns })) => {
            Constraints::Known(serde_json::json!({ "aws_console": { "role_arns": role_arns } }).to_string())
        }
        Some(Details::Ssh(types::SshResourceConstraints { logins })) => {
            Constraints::Known(serde_json::json!({ "ssh": { "logins": logins } }).to_string())
        }
        Some(Details::WindowsDesktop(types::WindowsDesktopResourceConstraints { logins })) => {
            Constraints::Known(serde_json::json!({ "windows_desktop": { "logins": logins } }).to_string())
        }
        None => Constraints::Unknown(format!("version `{version}`, of an unknown kind")),
    }
}

#[cfg(test)]
mod tests;
