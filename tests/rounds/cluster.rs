//! The cluster that the daemon stands before, and what happens in it. It must never do what people and users could not.

use std::collections::BTreeMap;

use tribunal_proto::types::{
    AccessRequestSpecV3, AccessRequestV3, AccessReviewThreshold, Metadata, RequestState, ResourceId, ThresholdIndexSet,
    ThresholdIndexSets,
};
use tribunal_proto::wrappers::{LabelValues, StringValues};
use tribunal_sim::cluster::Cluster;
use tribunal_sim::scenario::{NodeDef, UserDef};
use tribunal_sim::{Caller, Handle, Moment, RequestSpec, Scenario};

/// Requests of a user.
pub(crate) const REQUESTS_OF_USER: u64 = 10;
/// How many nodes there are to ask for.
const NODES: u64 = 200;
/// Milliseconds that a request lasts.
const LASTS_MS: i64 = 8 * 60 * 60 * 1_000;
/// In a round with changes, one in so many requests is another.
const CHANGED_EACH: u64 = 100;

const ROLES: &str = r#"
cluster = "rounds"

[[role]]
name = "requester"
[role.allow.request]
search-as-roles = ["node-access"]

[[role]]
name = "node-access"
max-session-ttl = "8h"
[role.allow]
node-labels = { "*" = "*" }

[[role]]
name = "cleaner"
[[role.allow.rules]]
resources = ["access_request"]
verbs = ["list", "read", "delete"]
"#;

/// The cluster for so many requests, without them.
pub(crate) fn scenario(live: u64) -> Result<Scenario, String> {
    let mut scenario = Scenario::parse(ROLES).map_err(|error| error.to_string())?;
    scenario.users.extend((0..users(live)).map(|number| UserDef {
        name: user(number),
        roles: vec!["requester".to_owned()],
        logged_in: true,
        ..UserDef::default()
    }));
    scenario.nodes.extend((0..NODES).map(|number| NodeDef {
        name: format!("node-{number}"),
        kind: "node".to_owned(),
        labels: [("env", "any"), ("team", "rounds")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    }));
    Ok(scenario)
}

/// How many users so many requests have.
pub(crate) fn users(live: u64) -> u64 {
    live.div_ceil(REQUESTS_OF_USER)
}

/// Stores so many requests, as they would be there after an earlier run of the daemon; gives how many of them are pending.
pub(crate) fn seed(server: &Handle, live: u64) -> u64 {
    server.with(|cluster, now| {
        for number in 0..live {
            cluster.insert_request(now, request(number, now));
        }
    });
    (0..live).filter(|number| is_pending(*number)).count().try_into().unwrap_or(u64::MAX)
}

/// One in a hundred requests, each of another user where there are enough of them, ends, and its user asks for the same once
/// more; gives how many.
pub(crate) fn change(server: &Handle, live: u64) -> Result<u64, String> {
    let cleaner = Caller::person("cleaner", &["cleaner"]);
    let changed = (live / CHANGED_EACH).max(1);
    for number in 0..changed {
        // The third of a user was approved from the first.
        let gone = (number % users(live)) * REQUESTS_OF_USER + 2;
        let delete = |cluster: &mut Cluster, now| cluster.delete_request(&cleaner, now, &id(gone));
        server.with(delete).map_err(|refusal| format!("a request cannot be deleted: {refusal:?}"))?;
        ask(server, gone / REQUESTS_OF_USER, &node_of(gone))?;
    }
    Ok(changed)
}

/// So many users each ask for what they have not got.
pub(crate) fn burst(server: &Handle, live: u64, count: u64) -> Result<(), String> {
    (0..count).try_for_each(|number| {
        let user = number % users(live);
        let more = REQUESTS_OF_USER + number / users(live);
        ask(server, user, &node(user, more))
    })
}

/// How many requests wait for a decision.
pub(crate) fn pending(server: &Handle) -> usize {
    let is_pending = |request: &AccessRequestV3| {
        request.spec.as_ref().is_some_and(|spec| spec.state == i32::from(RequestState::Pending))
    };
    server.with(|cluster, _| cluster.requests().values().filter(|request| is_pending(request)).count())
}

fn ask(server: &Handle, of: u64, node: &str) -> Result<(), String> {
    let wish = RequestSpec {
        user: user(of),
        resources: vec![format!("/rounds/node/{node}")],
        reason: "more work".to_owned(),
        ..RequestSpec::default()
    };
    server.create_request(&wish).map(drop).map_err(|refusal| format!("a request is refused: {refusal:?}"))
}

const fn is_pending(number: u64) -> bool {
    number % REQUESTS_OF_USER == REQUESTS_OF_USER - 1
}

fn user(number: u64) -> String {
    format!("user-{number}@example.com")
}

fn node(user: u64, number: u64) -> String {
    format!("node-{}", (user * REQUESTS_OF_USER + number) % NODES)
}

fn node_of(number: u64) -> String {
    node(number / REQUESTS_OF_USER, number % REQUESTS_OF_USER)
}

fn id(number: u64) -> String {
    format!("0190a7c6-7c00-7000-8000-{number:012x}")
}

fn request(number: u64, now: Moment) -> AccessRequestV3 {
    let pending = is_pending(number);
    let state = if pending { RequestState::Pending } else { RequestState::Approved };
    let texts = |text: String| StringValues { values: vec![text] };
    let decided = [
        ("tribunal/decision".to_owned(), texts(format!("0-{number}"))),
        ("tribunal/rules".to_owned(), texts("cap/within-cap".to_owned())),
    ];
    let place = i64::try_from(number % REQUESTS_OF_USER).unwrap_or_default();
    let (created, expires) = (now.plus_ms(place - 60_000), now.plus_ms(LASTS_MS));
    let role = "node-access".to_owned();
    let sets = ThresholdIndexSets { sets: vec![ThresholdIndexSet { indexes: vec![0] }] };
    let spec = AccessRequestSpecV3 {
        user: user(number / REQUESTS_OF_USER),
        roles: vec![role.clone()],
        state: state.into(),
        created: Some(created.to_proto()),
        expires: Some(expires.to_proto()),
        max_duration: Some(expires.to_proto()),
        session_ttl: Some(expires.to_proto()),
        resource_expiry: Some(expires.to_proto()),
        request_reason: format!("ticket {number}: rotate the certificates"),
        resolve_reason: if pending { String::new() } else { "Auto-approved: complies with access policies".to_owned() },
        resolve_annotations: (!pending).then(|| LabelValues { values: decided.into() }),
        thresholds: vec![AccessReviewThreshold {
            name: "default".to_owned(),
            approve: 1,
            deny: 1,
            ..Default::default()
        }],
        role_threshold_mapping: BTreeMap::from([(role, sets)]),
        requested_resource_ids: vec![ResourceId {
            cluster_name: "rounds".to_owned(),
            kind: "node".to_owned(),
            name: node_of(number),
            ..ResourceId::default()
        }],
        ..AccessRequestSpecV3::default()
    };
    AccessRequestV3 {
        kind: "access_request".to_owned(),
        version: "v3".to_owned(),
        metadata: Some(Metadata { name: id(number), namespace: "default".to_owned(), ..Metadata::default() }),
        spec: Some(spec),
        ..AccessRequestV3::default()
    }
}
