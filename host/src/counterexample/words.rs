//! What cases are made of: roles, resources and facts that matter to what must hold, and some that do not. It makes parts of
//! cases, and never judges one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tribunal_classes::{Classes, Setting};
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::lock::LockName;
use tribunal_core::request::{
    AccessRequest, Attributes, Decider, EXEMPT_ANNOTATION, RequestId, RequestKind, RequestState, RequestedResource,
    Subject, UserName,
};

use super::chance::Chance;
use super::invariant::{Holds, Invariants};

/// The time of every case: Monday, 5 January 2026, noon UTC.
pub(super) const NOW: Timestamp = Timestamp::from_secs(1_767_614_400);
/// The user of every case.
const USER: &str = "alice";
/// Where resources are, but for some.
const CLUSTER: &str = "example.com";
/// How long access lasts.
const ACCESS: Duration = Duration::from_secs(8 * 3_600);
/// How many resources somebody may hold where nothing is said of that.
const HELD_DEFAULT: usize = 3;
/// A limit beyond which cases are not made large enough to exceed it.
const HELD_CEILING: usize = 64;

/// What cases are made of.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// Roles.
    pub roles: Vec<String>,
    /// Resources; the first of them differ from each other in one thing only.
    pub resources: Vec<RequestedResource>,
    /// Facts by name, each with the JSON texts that it may be.
    pub facts: BTreeMap<String, Vec<String>>,
    /// How many resources are enough to exceed what may be held.
    pub(super) most: usize,
}

/// Words as people write them, beside those that invariants name.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WordsForm {
    roles: Vec<String>,
    resources: Vec<String>,
    facts: BTreeMap<String, Vec<Value>>,
}

// === impl Words ===

impl Words {
    /// Those that follow from what must hold, and these.
    pub(super) fn of(invariants: &Invariants, more: WordsForm) -> Result<Self, String> {
        let mut words = Self { most: HELD_DEFAULT + 1, ..Self::default() };
        for invariant in &invariants.0 {
            match &invariant.holds {
                Holds::HeldResourcesMax(max) => words.most = words.most.max(max.saturating_add(1)).min(HELD_CEILING),
                Holds::NeverTogether { setting, classes } => words.of_classes(setting, classes),
                Holds::OnlyByRule { role, rule: _ } => words.roles.push(role.clone()),
            }
        }
        words.roles.extend(more.roles);
        words.roles.push("plain".to_owned());
        words.roles.dedup();
        let twins = [("db", CLUSTER, ""), ("node", "leaf.example.com", ""), ("node", CLUSTER, "inside")];
        let mut resources = vec![resource(CLUSTER, "node", "r1", "")];
        resources.extend(twins.map(|(kind, cluster, sub)| resource(cluster, kind, "r1", sub)));
        resources.extend((2..=words.most + 1).map(|number| resource(CLUSTER, "node", &format!("r{number}"), "")));
        resources.append(&mut words.resources);
        for path in more.resources {
            resources.push(parse(&path).ok_or_else(|| format!("`{path}` is no resource: write `/cluster/kind/name`"))?);
        }
        words.resources = resources;
        let text = |values: Vec<Value>| values.iter().map(Value::to_string).collect();
        words.facts = more.facts.into_iter().map(|(name, values)| (name, text(values))).collect();
        Ok(words)
    }

    fn of_classes(&mut self, setting: &Setting, classes: &Classes) {
        let mut role = |role: String| {
            if !classes.of_role(&role).is_empty() && !self.roles.contains(&role) {
                self.roles.push(role);
            }
        };
        match setting {
            Setting::Patterns(patterns) => {
                for pattern in patterns {
                    role(pattern.clone());
                    role(format!("my-{}-x", pattern.to_uppercase()));
                }
            }
            Setting::Named(named) => {
                for members in named.values() {
                    members.roles.iter().for_each(|pattern| role(instance(pattern)));
                    for (key, value) in members.labels.iter().filter_map(|label| label.split_once('=')) {
                        let labels = BTreeMap::from([(key.to_owned(), vec![instance(value)])]);
                        let name = format!("{key}-{}", self.resources.len());
                        self.resources
                            .push(RequestedResource { labels: Some(labels), ..resource(CLUSTER, "node", &name, "") });
                    }
                }
            }
        }
    }

    /// A case with these requests.
    pub(super) fn case(&self, mut requests: Vec<CaseRequest>) -> Case {
        requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
        let requests = requests.into_iter().map(Arc::new).collect();
        let subject = Subject { name: UserName::new(USER), roles: Some(Vec::new()), traits: Some(BTreeMap::new()) };
        Case { now: NOW, cluster: CLUSTER.to_owned(), subject, requests, facts: self.first_facts() }
    }

    fn first_facts(&self) -> Arc<[Fact]> {
        self.facts.iter().filter_map(|(name, texts)| Some(fact(name, texts.first()?))).collect()
    }

    /// Other facts.
    pub(super) fn any_facts(&self, chance: &mut Chance) -> Arc<[Fact]> {
        let mut facts: Vec<Fact> =
            self.facts.iter().filter_map(|(name, texts)| Some(fact(name, chance.one_of(texts)?))).collect();
        for fact in &mut facts {
            fact.fresh = !chance.once_in(6);
        }
        facts.into()
    }

    /// Some roles.
    pub(super) fn any_roles(&self, chance: &mut Chance) -> Vec<String> {
        let mut roles: Vec<String> = Vec::new();
        while roles.is_empty() || chance.once_in(4) {
            roles.extend(chance.one_of(&self.roles).filter(|role| !roles.contains(role)).cloned());
        }
        roles
    }

    /// Some resources, most often few.
    pub(super) fn any_resources(&self, chance: &mut Chance) -> Vec<RequestedResource> {
        let count = if chance.once_in(4) { chance.below(self.most + 2) } else { chance.below(4) };
        let mut resources: Vec<RequestedResource> = Vec::new();
        for _ in 0..count {
            resources.extend(chance.one_of(&self.resources).filter(|it| !resources.contains(it)).cloned());
        }
        resources
    }

    /// A held request that may be anything.
    pub(super) fn any_held(&self, chance: &mut Chance, number: usize) -> CaseRequest {
        let age = Duration::from_secs(60 * (1 + u64::try_from(chance.below(9)).unwrap_or(0)));
        let mut entry = request(&format!("held-{number}"), RequestState::Approved, NOW.before(age));
        entry.request.roles = self.any_roles(chance);
        entry.request.resources = self.any_resources(chance);
        flag(&mut entry, chance.below(FLAGS * 3));
        entry
    }

    /// A pending request that may be anything.
    pub(super) fn any_pending(&self, chance: &mut Chance) -> CaseRequest {
        let age = if chance.once_in(4) { chance.below(600) } else { 0 };
        let mut entry = pending(Duration::from_secs(u64::try_from(age).unwrap_or(0)));
        entry.request.roles = self.any_roles(chance);
        entry.request.resources = self.any_resources(chance);
        if chance.once_in(8) {
            entry.request.access_expires = None;
        }
        entry
    }
}

/// How many things a held request may have about it.
pub(super) const FLAGS: usize = 9;

/// Something about a held request; numbers beyond [`FLAGS`] are nothing.
pub(super) fn flag(entry: &mut CaseRequest, which: usize) {
    let request = &mut entry.request;
    match which {
        0 => request.access_starts = Some(NOW),
        1 => request.access_starts = Some(NOW.before(Duration::from_secs(30))),
        2 => request.access_starts = Some(NOW.after(Duration::from_secs(3_600))),
        3 => request.access_expires = None,
        4 => request.access_expires = Some(NOW.after(Duration::from_millis(1))),
        5 => request.decided_by = Decider::Person,
        6 => {
            request.decided_by = Decider::Person;
            request.annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec!["human-approved".to_owned()]);
        }
        7 => entry.locks.push(CaseLock {
            name: LockName::new("incident"),
            message: "an incident".to_owned(),
            ours: false,
            expires: None,
        }),
        8 => {
            request.state = RequestState::Promoted;
            request.decided_by = Decider::Person;
        }
        _ => {}
    }
}

/// A request of this state, for nothing yet.
pub(super) fn request(id: &str, state: RequestState, created: Timestamp) -> CaseRequest {
    let decided_by = if state == RequestState::Pending { Decider::Nobody } else { Decider::Tribunal };
    let request = AccessRequest {
        id: RequestId::new(id),
        revision: String::new(),
        user: UserName::new(USER),
        state,
        kind: RequestKind::ShortTerm,
        roles: Vec::new(),
        resources: Vec::new(),
        reason: String::new(),
        created,
        access_starts: None,
        access_expires: Some(NOW.after(ACCESS)),
        request_expires: None,
        decided_by,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    };
    CaseRequest { request, locks: Vec::new() }
}

/// The pending request of a case.
pub(super) fn pending(age: Duration) -> CaseRequest {
    request("asked", RequestState::Pending, NOW.before(age))
}

/// The id of the newest pending request.
pub(super) fn pending_of(case: &Case) -> Option<RequestId> {
    let pending = case.requests.iter().rev().find(|entry| entry.request.state == RequestState::Pending);
    pending.map(|entry| entry.request.id.clone())
}

fn resource(cluster: &str, kind: &str, name: &str, sub_resource: &str) -> RequestedResource {
    RequestedResource {
        cluster: cluster.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        sub_resource: sub_resource.to_owned(),
        labels: Some(BTreeMap::new()),
        constraints: None,
    }
}

fn parse(path: &str) -> Option<RequestedResource> {
    let mut parts = path.strip_prefix('/')?.splitn(4, '/');
    let (cluster, kind, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(resource(cluster, kind, name, parts.next().unwrap_or_default()))
}

/// A text that a pattern matches.
fn instance(pattern: &str) -> String {
    pattern.replace('*', "x").replace('?', "y")
}

fn fact(name: &str, json: &str) -> Fact {
    Fact { name: name.to_owned(), json: json.to_owned(), fetched: NOW, fresh: true }
}
