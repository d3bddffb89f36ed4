//! The cluster that the daemon stands before: its roles, users and nodes, and what goes wrong in it. It describes; it does
//! not act.

use tribunal_sim::Scenario;
use tribunal_sim::scenario::{ErrorFault, FaultCode, LostReply, NodeDef, Span, UserDef};

/// How many nodes there are to ask for.
pub(crate) const NODES: u64 = 400;
/// Who acts for people.
pub(crate) const PERSON: &str = "admin";
/// Each watch stream breaks by itself after so many events.
const WATCH_EVENTS_MAX: u64 = 400;

/// Errors of all methods together: 5 %.
const ERRORS: [(FaultCode, f64); 4] = [
    (FaultCode::Unavailable, 0.02),
    (FaultCode::DeadlineExceeded, 0.01),
    (FaultCode::ResourceExhausted, 0.01),
    (FaultCode::Aborted, 0.01),
];
/// Writes of which the reply is lost in 2 % of calls.
const LOST: [&str; 3] = ["UpsertLock", "DeleteLock", "SetAccessRequestState"];
const LOST_PROBABILITY: f64 = 0.02;

const ROLES: &str = r#"
cluster = "soak"

[[role]]
name = "requester"
[role.allow.request]
roles = ["prod-*", "research-*", "billing", "editor"]
search-as-roles = ["node-access"]

[[role]]
name = "node-access"
max-session-ttl = "8h"
[role.allow]
node-labels = { "*" = "*" }

[[role]]
name = "prod-admin"
[[role]]
name = "prod-reader"
[[role]]
name = "research-admin"
[[role]]
name = "research-reader"
[[role]]
name = "billing"

[[role]]
name = "editor"
[[role.allow.rules]]
resources = ["*"]
verbs = ["*"]

[[role]]
name = "admin"
[[role.allow.rules]]
resources = ["*"]
verbs = ["*"]

[[user]]
name = "admin"
roles = ["admin"]
"#;

/// The cluster with so many users.
pub(crate) fn scenario(subjects: u64, seed: u64) -> Result<Scenario, String> {
    let mut scenario = Scenario::parse(ROLES).map_err(|error| error.to_string())?;
    scenario.users.extend((0..subjects).map(|number| UserDef {
        name: user(number),
        roles: vec!["requester".to_owned()],
        logged_in: true,
        ..UserDef::default()
    }));
    scenario.nodes.extend((0..NODES).map(|number| NodeDef {
        name: node(number),
        kind: "node".to_owned(),
        labels: [("env".to_owned(), "any".to_owned())].into(),
    }));
    let faults = &mut scenario.faults;
    faults.seed = seed;
    faults.latency = Span::from_ms(1);
    faults.latency_jitter = Span::from_ms(49);
    faults.drop_watch_after = WATCH_EVENTS_MAX;
    faults.error.extend(ERRORS.map(|(code, probability)| ErrorFault {
        method: "*".to_owned(),
        code,
        next: None,
        probability: Some(probability),
        message: None,
    }));
    faults.lost_reply.extend(LOST.map(|method| LostReply {
        method: method.to_owned(),
        next: None,
        probability: Some(LOST_PROBABILITY),
    }));
    Ok(scenario)
}

/// The name of a user.
pub(crate) fn user(number: u64) -> String {
    format!("user-{number:05}")
}

/// The name of a node.
pub(crate) fn node(number: u64) -> String {
    format!("node-{number:03}")
}
