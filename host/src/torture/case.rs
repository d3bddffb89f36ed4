//! The cases that everybody is asked about: those of one user who holds something and asks for more. Data alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::request::{
    AccessRequest, Decider, RequestId, RequestKind, RequestState, RequestedResource, Subject, UserName,
};

/// The time of every case: 2025-01-01.
const NOW: Timestamp = Timestamp::from_secs(1_735_689_600);

/// The pending request.
pub(super) fn pending() -> RequestId {
    RequestId::new("p1")
}

/// A user who holds two nodes and asks for a third.
pub(super) fn asking() -> Arc<Case> {
    case(vec![request("h1", 2, RequestState::Approved), request("p1", 1, RequestState::Pending)])
}

/// A user who holds one node more than may be: the oldest has to give way.
pub(super) fn hoarding() -> Arc<Case> {
    case(vec![request("h1", 2, RequestState::Approved), request("h2", 2, RequestState::Approved)])
}

fn case(requests: Vec<CaseRequest>) -> Arc<Case> {
    let roles = Some(vec!["access".into(), "requester".into()]);
    let traits = BTreeMap::from([("logins".to_owned(), vec!["alice".to_owned(), "root".to_owned()])]);
    let subject = Subject { name: UserName::new("alice"), roles, traits: Some(traits) };
    let requests = requests.into_iter().map(Arc::new).collect();
    Arc::new(Case { now: NOW, cluster: "example.com".into(), subject, requests, facts: Arc::default() })
}

fn request(id: &str, nodes: usize, state: RequestState) -> CaseRequest {
    let decided_by = if state == RequestState::Approved { Decider::Tribunal } else { Decider::Nobody };
    let request = AccessRequest {
        id: RequestId::new(id),
        revision: String::new(),
        user: UserName::new("alice"),
        state,
        kind: RequestKind::ShortTerm,
        roles: vec!["prod-node-access".into()],
        resources: (0..nodes).map(|number| node(&format!("{id}-node-{number}"))).collect(),
        reason: "the disk of the payment database is full, OPS-42".into(),
        created: Timestamp::from_secs(1_735_686_000),
        access_starts: None,
        access_expires: Some(Timestamp::from_secs(1_735_700_000)),
        request_expires: None,
        decided_by,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: vec!["bob".into()],
        annotations: BTreeMap::new(),
    };
    CaseRequest { request, locks: Vec::new() }
}

fn node(name: &str) -> RequestedResource {
    let labels = [("env", "prod"), ("region", "eu-west-1"), ("team", "payments")];
    let labels = labels.map(|(key, value)| (key.to_owned(), vec![value.to_owned()]));
    RequestedResource {
        cluster: "example.com".into(),
        kind: "node".into(),
        name: name.into(),
        sub_resource: String::new(),
        labels: Some(BTreeMap::from(labels)),
        constraints: None,
    }
}
