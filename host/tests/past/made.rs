//! Cases like those of a real cluster, made by number: the same number makes the same. It must never be random
//! in any other way.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::lock::LockName;
use tribunal_core::request::{
    AccessRequest, Attributes, Decider, EXEMPT_ANNOTATION, RequestId, RequestKind, RequestState, RequestedResource,
    Subject, UserName,
};

/// The settings of the policy `separation` here.
pub(crate) const SEPARATION: &str = r#"{"classes":["prod","research"]}"#;
/// The settings of the policy `cap` here.
pub(crate) const CAP: &str = r#"{"max-resources":3}"#;

const ROLES: [&str; 5] = ["node-access", "prod-read", "prod-admin", "research-lab", "staging"];
const BEGIN_MS: u64 = 1_772_357_400_000;
const HOUR_MS: u64 = 3_600_000;

/// Chance from a number.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

pub(crate) fn node(name: &str) -> RequestedResource {
    RequestedResource {
        cluster: "example.com".to_owned(),
        kind: "node".to_owned(),
        name: name.to_owned(),
        sub_resource: String::new(),
        labels: Some(BTreeMap::from([("env".to_owned(), vec!["staging".to_owned()])])),
        constraints: None,
    }
}

pub(crate) fn request(id: &str, user: &str, state: RequestState, created: u64) -> AccessRequest {
    AccessRequest {
        id: RequestId::new(id),
        revision: "9b2e".to_owned(),
        user: UserName::new(user),
        state,
        kind: RequestKind::ShortTerm,
        roles: Vec::new(),
        resources: Vec::new(),
        reason: "deploy".to_owned(),
        created: Timestamp::from_millis(created),
        access_starts: None,
        access_expires: Some(Timestamp::from_millis(created + 8 * HOUR_MS)),
        request_expires: None,
        decided_by: if state == RequestState::Pending { Decider::Nobody } else { Decider::Tribunal },
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    }
}

/// The case of this number: up to four held requests and a pending one, `pending`.
pub(crate) fn case(number: u64) -> Case {
    let mut chance = Chance::new(number);
    let user = format!("user-{}", chance.below(1_000));
    let now = BEGIN_MS + number * 20;
    let held = chance.below(5);
    let mut requests: Vec<Arc<CaseRequest>> = (0..held)
        .map(|place| {
            let created = now - (held - place) * HOUR_MS;
            let mut request = request(&format!("{number:x}-{place}"), &user, RequestState::Approved, created);
            fill(&mut request, &mut chance);
            let mut locks = Vec::new();
            match chance.below(12) {
                0 => locks.push(CaseLock {
                    name: LockName::new("incident"),
                    message: "an incident".to_owned(),
                    ours: false,
                    expires: None,
                }),
                1 => request.access_starts = Some(Timestamp::from_millis(now + HOUR_MS)),
                2 => {
                    request.decided_by = Decider::Person;
                    request.annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec!["human-approved".to_owned()]);
                }
                _ => {}
            }
            Arc::new(CaseRequest { request, locks })
        })
        .collect();
    let mut pending = request(&pending(number), &user, RequestState::Pending, now);
    fill(&mut pending, &mut chance);
    requests.push(Arc::new(CaseRequest { request: pending, locks: Vec::new() }));
    Case {
        now: Timestamp::from_millis(now),
        cluster: "example.com".to_owned(),
        subject: Subject {
            name: UserName::new(&user),
            roles: Some(vec!["requester".to_owned()]),
            traits: Some(BTreeMap::from([("logins".to_owned(), vec![user])])),
        },
        requests,
        facts: vec![Fact {
            name: "on-call".to_owned(),
            json: format!(r#"{{"week":{},"people":["alice","bob"]}}"#, number / 50),
            fetched: Timestamp::from_millis(BEGIN_MS + number / 50 * 1_000),
            fresh: true,
        }]
        .into(),
    }
}

/// The id of the pending request of this number.
pub(crate) fn pending(number: u64) -> String {
    format!("{number:x}-pending")
}

fn fill(request: &mut AccessRequest, chance: &mut Chance) {
    request.roles.push((*chance.one_of(&ROLES)).to_owned());
    if chance.below(8) == 0 {
        request.roles.push((*chance.one_of(&ROLES)).to_owned());
    }
    let resources = chance.below(5);
    request.resources = (0..resources).map(|place| node(&format!("web-{}", (chance.below(9) + place) % 9))).collect();
    request.resources.dedup();
}
