//! The cluster that the daemon stands before, and what its users ask for. It describes; it does not act.

use tribunal_sim::scenario::{NodeDef, UserDef};
use tribunal_sim::{RequestSpec, Scenario};

/// How many nodes there are to ask for.
const NODES: u64 = 400;
/// How many requests each user makes: so many as do not reach the cap.
const REQUESTS_OF_USER: u64 = 3;
/// Every so many-th request is for two classes at once, which is denied; the others are approved.
const DENIED_EACH: u64 = 10;

const ROLES: &str = r#"
cluster = "latency"

[[role]]
name = "requester"
[role.allow.request]
roles = ["prod-admin", "research-admin"]
search-as-roles = ["node-access"]

[[role]]
name = "node-access"
max-session-ttl = "8h"
[role.allow]
node-labels = { "*" = "*" }

[[role]]
name = "prod-admin"
[[role]]
name = "research-admin"
"#;

/// The cluster for so many requests.
pub(crate) fn scenario(requests: u64) -> Result<Scenario, String> {
    let mut scenario = Scenario::parse(ROLES).map_err(|error| error.to_string())?;
    scenario.users.extend((0..users(requests)).map(|number| UserDef {
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
    Ok(scenario)
}

/// The request with this number of so many, and whether it is to be approved.
pub(crate) fn request(number: u64, requests: u64) -> (RequestSpec, bool) {
    let denied = number % DENIED_EACH == DENIED_EACH - 1;
    let wish = RequestSpec {
        user: user(number % users(requests)),
        reason: format!("work {number}"),
        ..RequestSpec::default()
    };
    let wish = if denied {
        RequestSpec { roles: vec!["prod-admin".to_owned(), "research-admin".to_owned()], ..wish }
    } else {
        RequestSpec { resources: vec![format!("/latency/node/{}", node(number % NODES))], ..wish }
    };
    (wish, !denied)
}

fn users(requests: u64) -> u64 {
    requests.div_ceil(REQUESTS_OF_USER)
}

fn user(number: u64) -> String {
    format!("user-{number}")
}

fn node(number: u64) -> String {
    format!("node-{number}")
}
