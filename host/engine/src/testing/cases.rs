//! Cases of one subject, `alice`.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::request::{
    AccessRequest, Decider, RequestId, RequestKind, RequestState, RequestedResource, Subject, UserName,
};

/// The time of every case: 2025-01-01.
const NOW: Timestamp = Timestamp::from_secs(1_735_689_600);

/// Alice's case with these requests.
#[must_use]
pub fn case(requests: Vec<CaseRequest>) -> Arc<Case> {
    let requests = requests.into_iter().map(Arc::new).collect();
    let subject = Subject { name: UserName::new("alice"), roles: Some(vec!["access".into()]), traits: None };
    Arc::new(Case { now: NOW, cluster: "root".into(), subject, requests, facts: Arc::default() })
}

/// A pending request of alice's for `resources` nodes.
#[must_use]
pub fn pending(id: &str, resources: usize) -> CaseRequest {
    request(id, resources, RequestState::Pending, Decider::Nobody)
}

/// An approved request of alice's for `resources` nodes.
#[must_use]
pub fn held(id: &str, resources: usize) -> CaseRequest {
    request(id, resources, RequestState::Approved, Decider::Tribunal)
}

fn request(id: &str, resources: usize, state: RequestState, decided_by: Decider) -> CaseRequest {
    let request = AccessRequest {
        id: RequestId::new(id),
        revision: String::new(),
        user: UserName::new("alice"),
        state,
        kind: RequestKind::ShortTerm,
        roles: vec!["node-access".into()],
        resources: (0..resources).map(|number| node(&format!("{id}-node-{number}"))).collect(),
        reason: "ticket 1".into(),
        created: Timestamp::from_secs(1_735_686_000),
        access_starts: None,
        access_expires: Some(Timestamp::from_secs(1_735_700_000)),
        request_expires: None,
        decided_by,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: BTreeMap::new(),
    };
    CaseRequest { request, locks: Vec::new() }
}

fn node(name: &str) -> RequestedResource {
    let labels = [("env", "prod"), ("team", "payments")].map(|(key, value)| (key.to_owned(), vec![value.to_owned()]));
    RequestedResource {
        cluster: "root".into(),
        kind: "node".into(),
        name: name.into(),
        sub_resource: String::new(),
        labels: Some(BTreeMap::from(labels)),
        constraints: None,
    }
}
