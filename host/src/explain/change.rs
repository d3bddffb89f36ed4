//! How a request could be asked for otherwise: fewer resources, other roles, later. It never makes a request wider: what is
//! added is a role in the place of another, and never everything in the place of something.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::request::{AccessRequest, Decider, RequestState};

/// Full hours after now that are tried: a week of them, for what depends on hours and days.
pub const LATER_HOURS_MAX: u64 = 168;
/// Moments at which something of the case ends or begins that are tried, the next ones first.
pub const MOMENTS_MAX: usize = 64;
/// Roles of a request of which any may be left out; those beyond stay.
pub const ROLES_MAX: usize = 8;
/// Known roles that are tried in the place of others.
pub const ROLES_TRIED_MAX: usize = 64;

const HOUR_MS: u64 = 3_600_000;

/// What is asked for otherwise, when it is submitted again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Resources that are left out, by their place in the request.
    pub without: BTreeSet<usize>,
    /// Roles that are left out.
    pub without_roles: BTreeSet<String>,
    /// A role that is asked for in their place.
    pub with_role: Option<String>,
    /// When it is submitted; none: now.
    pub later: Option<Timestamp>,
}

/// The same for programs.
#[derive(Debug, Serialize)]
struct Told<'a> {
    size: usize,
    without_resources: Vec<String>,
    without_roles: &'a BTreeSet<String>,
    with_role: Option<&'a str>,
    later: Option<tribunal_ledger::schema::Time>,
}

// === impl Change ===

impl Change {
    /// How much it changes: each resource, each role, and the time count one.
    #[must_use]
    pub fn size(&self) -> usize {
        self.without.len() + self.without_roles.len() + usize::from(self.later.is_some())
    }

    /// The request with it.
    fn of(&self, request: &AccessRequest, now: Timestamp) -> AccessRequest {
        let at = self.later.unwrap_or(now);
        // Submitted later, it begins and ends later.
        let moved = |time: Option<Timestamp>| time.map(|time| time.after(at.since(now)));
        let resources = request.resources.iter().enumerate().filter(|(place, _)| !self.without.contains(place));
        let mut roles: Vec<String> =
            request.roles.iter().filter(|role| !self.without_roles.contains(*role)).cloned().collect();
        roles.extend(self.with_role.clone());
        AccessRequest {
            state: RequestState::Pending,
            decided_by: Decider::Nobody,
            decision: None,
            reviews: Vec::new(),
            resolve_reason: String::new(),
            created: at,
            access_starts: moved(request.access_starts),
            access_expires: moved(request.access_expires),
            request_expires: moved(request.request_expires),
            resources: resources.map(|(_, resource)| resource.clone()).collect(),
            roles,
            ..request.clone()
        }
    }

    /// For programs.
    #[must_use]
    pub fn as_json(&self, request: &AccessRequest) -> serde_json::Value {
        let told = Told {
            size: self.size(),
            without_resources: self.resources(request),
            without_roles: &self.without_roles,
            with_role: self.with_role.as_deref(),
            later: self.later.map(Into::into),
        };
        serde_json::to_value(told).unwrap_or_default()
    }

    /// For people, a line for each thing.
    #[must_use]
    pub fn words(&self, request: &AccessRequest) -> Vec<String> {
        let mut words = Vec::new();
        if !self.without.is_empty() {
            words.push(format!("leave out {}", self.resources(request).join(", ")));
        }
        let without: Vec<&str> = self.without_roles.iter().map(String::as_str).collect();
        match (&self.with_role, without.is_empty()) {
            (Some(role), _) => words.push(format!("ask for role {role} in place of {}", without.join(", "))),
            (None, false) => words.push(format!("leave out role {}", without.join(", "))),
            (None, true) => {}
        }
        if let Some(later) = self.later {
            words.push(format!("ask at {} or later", tribunal_ledger::schema::Time::from(later)));
        }
        if words.is_empty() {
            words.push("ask for the same again, now".to_owned());
        }
        words
    }

    fn resources(&self, request: &AccessRequest) -> Vec<String> {
        let all = request.resources.iter().enumerate().filter(|(place, _)| self.without.contains(place));
        all.map(|(_, it)| {
            let path = format!("/{}/{}/{}", it.cluster, it.kind, it.name);
            if it.sub_resource.is_empty() { path } else { format!("{path}/{}", it.sub_resource) }
        })
        .collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} changes", self.size())
    }
}

/// The case in which the request is submitted again with a change: as it will be then, as far as anybody knows now.
#[must_use]
pub fn submit(case: &Case, request: &AccessRequest, change: &Change) -> Case {
    let now = change.later.unwrap_or(case.now);
    let asked = CaseRequest { request: change.of(request, case.now), locks: Vec::new() };
    let others = case.requests.iter().filter(|entry| entry.request.id != request.id);
    let others = others.filter(|entry| !entry.request.is_over(now)).cloned().map(|mut entry| {
        Arc::make_mut(&mut entry).locks.retain(|lock| lock.expires.is_none_or(|end| end > now));
        entry
    });
    let mut requests: Vec<_> = others.chain([Arc::new(asked)]).collect();
    requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
    Case { now, requests, ..case.clone() }
}

/// When something of the case ends or begins, the soonest first.
pub(super) fn moments(case: &Case) -> BTreeSet<Timestamp> {
    let others = case.requests.iter().flat_map(|entry| {
        let locks = entry.locks.iter().filter_map(|lock| lock.expires);
        let request = &entry.request;
        [request.access_expires, request.access_starts, request.request_expires].into_iter().flatten().chain(locks)
    });
    let all: BTreeSet<Timestamp> = others.filter(|at| *at > case.now).collect();
    all.into_iter().take(MOMENTS_MAX).collect()
}

/// The full hours of the days to come.
pub(super) fn hours(case: &Case) -> impl Iterator<Item = Timestamp> {
    let hour = case.now.as_millis() / HOUR_MS;
    (1..=LATER_HOURS_MAX).map(move |later| Timestamp::from_millis(hour.saturating_add(later).saturating_mul(HOUR_MS)))
}

/// What the roles may be changed to, the smallest changes first.
pub(super) fn roles(request: &AccessRequest, known: &BTreeSet<String>) -> Vec<(BTreeSet<String>, Option<String>)> {
    let own: BTreeSet<&String> = request.roles.iter().collect();
    let movable: Vec<&String> = own.iter().take(ROLES_MAX).copied().collect();
    let tried: Vec<&String> = known.iter().filter(|role| !own.contains(role)).take(ROLES_TRIED_MAX).collect();
    let mut changes = vec![(BTreeSet::new(), None)];
    for bits in 1..1_u32 << movable.len() {
        let without: BTreeSet<String> = movable
            .iter()
            .enumerate()
            .filter(|(place, _)| bits >> place & 1 == 1)
            .map(|(_, role)| (*role).clone())
            .collect();
        if without.len() < own.len() {
            changes.push((without.clone(), None));
        }
        changes.extend(tried.iter().map(|role| (without.clone(), Some((*role).clone()))));
    }
    changes.sort_by_key(|(without, with)| (without.len(), with.is_some()));
    changes
}
