//! Cases from a seed: small ones, in which everything that `cap` looks at happens often. It never depends on anything but the
//! seed.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::lock::LockName;
use tribunal_core::request::{
    AccessRequest, Constraints, Decider, RequestId, RequestKind, RequestState, RequestedResource, Review, Subject,
    UserName,
};

use crate::chance::Chance;

/// The time around which everything happens.
const NOW_MS: u64 = 1_767_268_800_000;
/// Requests of a case.
const REQUESTS_MAX: u64 = 9;
/// Names that languages order, count or cut differently if they are not careful.
const NAMES: [&str; 9] =
    ["a", "b", "node-3", "Ä", "\u{ff5e}", "\u{1f600}", "a\u{301}", "tab\tand \"quotes\"", "line\nbreak\u{2028}"];
/// Settings, some of which are refused.
const SETTINGS: [&str; 16] = [
    "{}",
    r#"{"max-resources": 1}"#,
    r#"{"max-resources": 2, "order": "skip-fit"}"#,
    r#"{"max-resources": 4294967295, "unit": "roles"}"#,
    r#"{"unit": "roles", "max-resources": 2, "promoted": "count"}"#,
    r#"{"unit": "requests", "max-resources": 2}"#,
    r#"{"unit": "requests", "order": "skip-fit", "when-compliant": "abstain"}"#,
    r#"{"when-compliant": "abstain", "role-only-requests": "ignore"}"#,
    r#"{"role-only-requests": "count", "promoted": "count", "max-resources": 2}"#,
    r#"{"promoted": "count", "order": "skip-fit", "max-resources": 4}"#,
    r#"{"promoted": "ignore", "unit": "resources", "order": "oldest-first"}"#,
    r#"{"max-resources": 0}"#,
    r#"{"max-resources": "3"}"#,
    r#"{"unit": "Roles"}"#,
    r#"{"max": 3}"#,
    r#"{"order": null}"#,
];

/// Settings, and a case to ask about under them.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) settings: &'static str,
    pub(crate) case: Arc<Case>,
}

/// So many questions.
pub(crate) fn questions(seed: u64, count: u64) -> Vec<Question> {
    let mut chance = Chance::new(seed);
    let mut question = |_number| {
        let settings = chance.pick(&SETTINGS).copied().unwrap_or("{}");
        Question { settings, case: Arc::new(case(&mut chance)) }
    };
    (0..count).map(&mut question).collect()
}

/// What users of every day ask: three are held, and one more is asked for.
pub(crate) fn typical() -> Arc<Case> {
    let mut chance = Chance::new(0);
    let mut case = case(&mut chance);
    case.requests = (0..4)
        .map(|number| {
            let mut entry = request(&mut chance, number);
            let is_asked = number == 3;
            entry.request.state = if is_asked { RequestState::Pending } else { RequestState::Approved };
            entry.request.created = Timestamp::from_millis(NOW_MS - 10_000 + number);
            (entry.request.access_starts, entry.request.access_expires) = (None, None);
            entry.request.resources =
                (0..if is_asked { 3 } else { 1 }).map(|node| node_of(&format!("n{number}-{node}"))).collect();
            entry.locks.clear();
            entry.request.annotations.clear();
            Arc::new(entry)
        })
        .collect();
    Arc::new(case)
}

fn case(chance: &mut Chance) -> Case {
    let mut requests: Vec<_> =
        (0..chance.below(REQUESTS_MAX + 1)).map(|number| Arc::new(request(chance, number))).collect();
    requests.sort_by(|a, b| (a.request.created, &a.request.id).cmp(&(b.request.created, &b.request.id)));
    let subject = Subject {
        name: UserName::new(name(chance)),
        roles: chance.percent(60).then(|| names(chance, 2)),
        traits: chance.percent(60).then(|| attributes(chance)),
    };
    let fact = |chance: &mut Chance| Fact {
        name: name(chance),
        json: "[1, {\"a\": null}]".to_owned(),
        fetched: near(chance),
        fresh: chance.percent(50),
    };
    let facts: Vec<Fact> = (0..chance.below(3)).map(|_| fact(chance)).collect();
    Case { now: Timestamp::from_millis(NOW_MS), cluster: name(chance), subject, requests, facts: facts.into() }
}

fn request(chance: &mut Chance, number: u64) -> CaseRequest {
    let states = [
        RequestState::Pending,
        RequestState::Approved,
        RequestState::Approved,
        RequestState::Promoted,
        RequestState::Unknown,
    ];
    let state = chance.pick(&states).copied().unwrap_or(RequestState::Pending);
    let count = chance.below(5);
    let request = AccessRequest {
        // Some begin alike, so that their order shows.
        id: RequestId::new(format!("{}{number}", name(chance))),
        revision: String::new(),
        user: UserName::new("alice"),
        state,
        kind: chance.pick(&[RequestKind::ShortTerm, RequestKind::LongTerm]).copied().unwrap_or(RequestKind::ShortTerm),
        roles: names(chance, 4),
        resources: (0..count).map(|_| resource(chance)).collect(),
        reason: name(chance),
        created: Timestamp::from_millis(NOW_MS - 3 + chance.below(3)),
        access_starts: chance.percent(30).then(|| near(chance)),
        access_expires: chance.percent(50).then(|| near(chance)),
        request_expires: None,
        decided_by: Decider::Tribunal,
        decision: None,
        resolve_reason: name(chance),
        reviews: (0..chance.below(2)).map(|_| review(chance)).collect(),
        suggested_reviewers: names(chance, 2),
        annotations: if chance.percent(20) {
            BTreeMap::from([("tribunal/exempt".to_owned(), vec![name(chance)])])
        } else {
            attributes(chance)
        },
    };
    let lock = |chance: &mut Chance| CaseLock {
        name: LockName::of(&request.id),
        message: name(chance),
        ours: chance.percent(50),
        expires: chance.percent(50).then(|| near(chance)),
    };
    let locks = if chance.percent(15) { vec![lock(chance)] } else { Vec::new() };
    CaseRequest { request, locks }
}

fn resource(chance: &mut Chance) -> RequestedResource {
    let mut resource = node_of(&name(chance));
    if chance.percent(20) {
        resource.kind = "db".to_owned();
    }
    if chance.percent(20) {
        resource.sub_resource = name(chance);
    }
    if chance.percent(20) {
        resource.cluster = "leaf".to_owned();
    }
    resource.labels = chance.percent(70).then(|| attributes(chance));
    resource.constraints = chance.percent(20).then(|| Constraints::Known("{}".to_owned()));
    resource
}

fn node_of(name: &str) -> RequestedResource {
    let (cluster, kind) = ("root".to_owned(), "node".to_owned());
    RequestedResource {
        cluster,
        kind,
        name: name.to_owned(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    }
}

fn review(chance: &mut Chance) -> Review {
    let (author, reason, created) = (UserName::new(name(chance)), name(chance), near(chance));
    Review { author, state: RequestState::Approved, reason, created }
}

fn attributes(chance: &mut Chance) -> BTreeMap<String, Vec<String>> {
    (0..chance.below(3)).map(|_| (name(chance), names(chance, 2))).collect()
}

/// Just before, at or just after the time of the case.
fn near(chance: &mut Chance) -> Timestamp {
    Timestamp::from_millis(NOW_MS - 1 + chance.below(3))
}

fn names(chance: &mut Chance, most: u64) -> Vec<String> {
    (0..chance.below(most + 1)).map(|_| name(chance)).collect()
}

fn name(chance: &mut Chance) -> String {
    chance.pick(&NAMES).copied().unwrap_or("a").to_owned()
}
