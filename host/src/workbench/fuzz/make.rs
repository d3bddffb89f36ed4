//! Cases out of chance: whatever the contract allows, and often what policies are about. It makes none that the daemon could
//! not show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::lock::LockName;
use tribunal_core::request::{
    AccessRequest, Attributes, Constraints, Decider, EXEMPT_ANNOTATION, RequestId, RequestKind, RequestState,
    RequestedResource, Review, Subject, UserName,
};

use super::chance::Chance;

/// Words that settings may well be about.
const COMMON: [&str; 14] = [
    "access",
    "admin",
    "auditor",
    "db",
    "dev",
    "editor",
    "node-access",
    "payments",
    "prod",
    "prod-admin",
    "research",
    "research-ro",
    "staging",
    "ticket 4711",
];
/// Texts that are hard on programs.
const HARD: [&str; 8] = ["", " ", "ä→🦀", "line\nbreak", "\u{202e}reversed", "%s{}\"'\\`", "null", "a\u{0}b"];
const KINDS: [&str; 5] = ["node", "db", "app", "kube_cluster", "windows_desktop"];
/// Requests of a case, mostly.
const REQUESTS_MAX: u64 = 7;
/// Now and then a text is so long, in bytes.
const LONG_BYTES: usize = 5_000;
const HOUR_SECS: u64 = 3_600;
/// The years that cases play in, in seconds since 1970: 2024 to 2031.
const YEARS: (u64, u64) = (1_704_067_200, 1_925_000_000);

/// What texts of a case are made of.
#[derive(Clone, Debug)]
pub struct Words {
    words: Vec<String>,
    /// Names of facts, each with its JSON text.
    facts: Vec<(String, String)>,
}

// === impl Words ===

impl Words {
    /// Common words, every text in a policy's settings, and facts of these names.
    #[must_use]
    pub fn new(settings: &Map<String, Value>, facts: &[(String, String)]) -> Self {
        let mut words: BTreeSet<String> = COMMON.iter().map(|&word| word.to_owned()).collect();
        for (key, value) in settings {
            words.insert(key.clone());
            gather(value, &mut words);
        }
        Self { words: words.into_iter().collect(), facts: facts.to_vec() }
    }

    fn word(&self, chance: &mut Chance) -> String {
        if chance.percent(4) {
            return chance.of(&HARD).copied().unwrap_or_default().to_owned();
        }
        let word = chance.of(&self.words).cloned().unwrap_or_default();
        // What patterns are about is more than the pattern itself.
        let word = word.replace('*', "x");
        match chance.below(6) {
            0 => format!("{word}-{}", chance.below(3)),
            1 => word.to_uppercase(),
            _ => word,
        }
    }

    fn text(&self, chance: &mut Chance) -> String {
        if chance.percent(2) {
            return "x".repeat(LONG_BYTES);
        }
        (0..chance.below(4)).map(|_| self.word(chance)).collect::<Vec<_>>().join(" ")
    }

    fn some(&self, chance: &mut Chance, most: u64) -> Vec<String> {
        (0..chance.below(most.saturating_add(1))).map(|_| self.word(chance)).collect()
    }

    fn attributes(&self, chance: &mut Chance, values_max: u64) -> Attributes {
        let count = chance.below(3);
        let keys = ["env", "team", "region", "owner"];
        let pairs = (0..count).map(|_| {
            let key = chance.of(&keys).copied().unwrap_or_default().to_owned();
            let values = (0..=chance.below(values_max)).map(|_| self.word(chance)).collect();
            (key, values)
        });
        pairs.collect()
    }
}

fn gather(value: &Value, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(words.insert(text.clone())),
        Value::Array(list) => list.iter().for_each(|value| gather(value, words)),
        Value::Object(table) => {
            for (key, value) in table {
                words.insert(key.clone());
                gather(value, words);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A case.
pub(super) fn case(chance: &mut Chance, words: &Words) -> Case {
    let (from, until) = YEARS;
    let now = Timestamp::from_secs(from.saturating_add(chance.below(until.saturating_sub(from))));
    let subject = Subject {
        name: UserName::new(if chance.percent(10) { "bot-ci" } else { "alice" }),
        roles: chance.percent(60).then(|| words.some(chance, 3)),
        traits: chance.percent(60).then(|| words.attributes(chance, 2)),
    };
    let most = if chance.percent(2) { REQUESTS_MAX.saturating_mul(20) } else { REQUESTS_MAX };
    let count = chance.below(most.saturating_add(1));
    let mut requests: Vec<_> =
        (0..count).map(|number| Arc::new(request(chance, words, number, now, &subject.name))).collect();
    requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
    let facts: Arc<[Fact]> = facts(chance, words, now).into();
    Case { now, cluster: "example.com".to_owned(), subject, requests, facts }
}

/// Mostly there, sometimes missing, old, or something else than before.
fn facts(chance: &mut Chance, words: &Words, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    for (name, json) in &words.facts {
        if chance.percent(10) {
            continue;
        }
        let json = if chance.percent(10) { "null".to_owned() } else { json.clone() };
        let fetched = now.before(hours(chance, 48));
        facts.push(Fact { name: name.clone(), json, fetched, fresh: chance.percent(80) });
    }
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    facts
}

fn hours(chance: &mut Chance, most: u64) -> Duration {
    Duration::from_secs(chance.below(most.saturating_mul(HOUR_SECS).max(1)))
}

fn request(chance: &mut Chance, words: &Words, number: u64, now: Timestamp, user: &UserName) -> CaseRequest {
    let state = match chance.below(100) {
        0..45 => RequestState::Pending,
        45..88 => RequestState::Approved,
        88..95 => RequestState::Promoted,
        _ => RequestState::Unknown,
    };
    let decided_by = match (state, chance.below(4)) {
        (RequestState::Pending | RequestState::Unknown, _) => Decider::Nobody,
        (_, 0) => Decider::Person,
        (_, 1) => Decider::OtherBot,
        (_, _) => Decider::Tribunal,
    };
    // Equal ages are told apart by the id alone.
    let created = if chance.percent(15) { now } else { now.before(hours(chance, 48)) };
    let request = AccessRequest {
        id: RequestId::new(format!("request-{number}")),
        revision: String::new(),
        user: user.clone(),
        state,
        kind: match chance.below(20) {
            0 => RequestKind::LongTerm,
            1 => RequestKind::Unknown,
            _ => RequestKind::ShortTerm,
        },
        roles: words.some(chance, 3),
        resources: (0..chance.below(5)).map(|_| resource(chance, words)).collect(),
        reason: words.text(chance),
        created,
        access_starts: match chance.below(6) {
            0 => Some(now.after(hours(chance, 48))),
            1 => Some(now.before(hours(chance, 48))),
            _ => None,
        },
        access_expires: (!chance.percent(8))
            .then(|| now.after(hours(chance, 24).saturating_add(Duration::from_secs(1)))),
        request_expires: chance
            .percent(20)
            .then(|| now.after(hours(chance, 24).saturating_add(Duration::from_secs(1)))),
        decided_by,
        decision: None,
        resolve_reason: if decided_by == Decider::Nobody { String::new() } else { words.text(chance) },
        reviews: (0..chance.below(3)).map(|_| review(chance, words, created)).collect(),
        suggested_reviewers: words.some(chance, 2),
        annotations: annotations(chance, words),
    };
    CaseRequest { locks: locks(chance, words, number, now), request }
}

fn resource(chance: &mut Chance, words: &Words) -> RequestedResource {
    RequestedResource {
        cluster: if chance.percent(15) { "leaf" } else { "example.com" }.to_owned(),
        kind: chance.of(&KINDS).copied().unwrap_or_default().to_owned(),
        name: if chance.percent(80) { format!("n{}", chance.below(6)) } else { format!("x{}", words.word(chance)) },
        sub_resource: if chance.percent(10) { "ns/pod".to_owned() } else { String::new() },
        labels: (!chance.percent(20)).then(|| words.attributes(chance, 1)),
        constraints: match chance.below(20) {
            0 => Some(Constraints::Known("{\"logins\":[\"root\"]}".to_owned())),
            1 => Some(Constraints::Unknown("of tomorrow".to_owned())),
            _ => None,
        },
    }
}

fn review(chance: &mut Chance, words: &Words, created: Timestamp) -> Review {
    let authors = ["carol", "dave", "alice", "bot-other"];
    Review {
        author: UserName::new(chance.of(&authors).copied().unwrap_or_default()),
        state: if chance.percent(70) { RequestState::Approved } else { RequestState::Denied },
        reason: words.text(chance),
        created,
    }
}

fn annotations(chance: &mut Chance, words: &Words) -> Attributes {
    let mut annotations = if chance.percent(30) { words.attributes(chance, 2) } else { BTreeMap::new() };
    if chance.percent(10) {
        annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec!["human-approved".to_owned()]);
    }
    annotations
}

fn locks(chance: &mut Chance, words: &Words, number: u64, now: Timestamp) -> Vec<CaseLock> {
    let lock = |chance: &mut Chance| CaseLock {
        name: LockName::new(format!("incident-{number}")),
        message: words.text(chance),
        ours: chance.percent(30),
        expires: chance.percent(50).then(|| now.after(hours(chance, 24).saturating_add(Duration::from_secs(60)))),
    };
    if chance.percent(15) { vec![lock(chance)] } else { Vec::new() }
}
