//! From what is written to the whole case: every default is here. It never changes what is said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::lock::LockName;
use tribunal_core::request::{
    AccessRequest, Constraints, Decider, EXEMPT_ANNOTATION, RequestId, RequestKind, RequestState, RequestedResource,
    Review, Subject, UserName,
};

use super::flex::{Flex, attributes};
use super::form::{
    CaseForm, CaseLockForm, ConstraintsForm, FactForm, FactsForm, Labels, RequestForm, ResourceForm, ReviewForm,
    SubjectForm,
};
use super::when::{Ends, When};

/// `now` where nothing is said: Monday, 5 January 2026, noon UTC.
pub const NOW_DEFAULT: Timestamp = Timestamp::from_secs(1_767_614_400);
/// The root cluster where nothing is said.
pub const CLUSTER_DEFAULT: &str = "example.com";
/// The subject where nothing is said.
pub const SUBJECT_DEFAULT: &str = "alice";
/// The kind of a resource where nothing is said.
const KIND_DEFAULT: &str = "node";
/// How long before the one after it a request was made, where nothing is said.
const APART: Duration = Duration::from_secs(60);
/// How long access lasts from `now`, where nothing is said.
const ACCESS: Duration = Duration::from_secs(8 * 60 * 60);

/// What several cases have in common, where they say nothing themselves.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    /// The policy's only clock.
    pub now: Option<When>,
    /// The root cluster.
    pub cluster: Option<String>,
    /// The subject.
    pub subject: Option<Flex<SubjectForm>>,
    /// Data of the operator's.
    pub facts: Option<FactsForm>,
    /// What the paths of `from` are relative to.
    pub base: PathBuf,
}

/// What requests are filled in from.
struct Around<'a> {
    now: Timestamp,
    cluster: &'a str,
    user: &'a UserName,
}

// === impl CaseForm ===

impl CaseForm {
    /// The whole case.
    ///
    /// # Errors
    /// What is wrong in it.
    pub fn build(&self, shared: &Shared) -> Result<Case, String> {
        if let Some(whole) = &self.whole {
            return Ok(whole.clone());
        }
        let recorded = self.from.as_deref().map(|from| recorded(&shared.base, from)).transpose()?;
        // What a recorded case says counts more than what a suite says of all of its cases.
        let suite = if recorded.is_some() { &Shared::default() } else { shared };
        let now = match self.now.or(suite.now) {
            None => recorded.as_ref().map_or(NOW_DEFAULT, |case| case.now),
            Some(When::At(now)) => now,
            Some(When::Before(_) | When::After(_)) => {
                return Err(
                    "`now` is what other times count from: write it in full, such as `2026-03-02T10:00:00Z`".to_owned()
                );
            }
        };
        let cluster = self.cluster.clone().or_else(|| suite.cluster.clone());
        let cluster = cluster
            .or_else(|| recorded.as_ref().map(|case| case.cluster.clone()))
            .unwrap_or_else(|| CLUSTER_DEFAULT.to_owned());
        let subject = match self.subject.as_ref().or(suite.subject.as_ref()) {
            Some(Flex(form)) => subject(form),
            None => recorded.as_ref().map_or_else(|| subject(&SubjectForm::default()), |case| case.subject.clone()),
        };
        let facts = match self.facts.as_ref().or(suite.facts.as_ref()) {
            Some(form) => facts(form, now)?,
            None => recorded.as_ref().map_or_else(Arc::default, |case| Arc::clone(&case.facts)),
        };
        let around = Around { now, cluster: &cluster, user: &subject.name };
        let mut requests = self.written(&around)?;
        if let (Some(case), true) = (recorded, requests.is_empty()) {
            requests = case.requests;
        }
        requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
        let mut ids = BTreeSet::new();
        if let Some(twice) = requests.iter().find(|entry| !ids.insert(entry.request.id.clone())) {
            return Err(format!("two requests are called `{}`: give one of them another `id`", twice.request.id));
        }
        Ok(Case { now, cluster, subject, requests, facts })
    }

    /// The requests that are written in this case, oldest first where no times are given: what is held, then the rest in
    /// the order of the file, then what is asked for.
    fn written(&self, around: &Around<'_>) -> Result<Vec<Arc<CaseRequest>>, String> {
        let groups = [
            ("held", &self.held, RequestState::Approved),
            ("request", &self.requests, RequestState::Pending),
            ("ask", &self.asks, RequestState::Pending),
        ];
        let count = |many: &Option<super::flex::Many<RequestForm>>| many.as_ref().map_or(0, |many| many.0.len());
        let mut left = groups.iter().map(|(_, many, _)| count(many)).fold(0, usize::saturating_add);
        let mut requests = Vec::new();
        for (word, many, state) in groups {
            for (index, form) in many.iter().flat_map(|many| &many.0).enumerate() {
                let id = form.id.clone().unwrap_or_else(|| format!("{word}-{}", index.saturating_add(1)));
                let apart = APART.saturating_mul(u32::try_from(left).unwrap_or(u32::MAX));
                let made = request(form, &id, state, around.now.before(apart), around);
                requests.push(Arc::new(made.map_err(|why| format!("request `{id}`: {why}"))?));
                left = left.saturating_sub(1);
            }
        }
        Ok(requests)
    }
}

/// The case of another file.
fn recorded(base: &Path, from: &str) -> Result<Case, String> {
    super::read(&base.join(from)).map_err(|trouble| trouble.to_string())
}

fn subject(form: &SubjectForm) -> Subject {
    let SubjectForm { name, roles, traits } = form;
    Subject {
        name: UserName::new(name.as_deref().unwrap_or(SUBJECT_DEFAULT)),
        roles: roles.as_ref().map(|roles| roles.0.clone()),
        traits: traits.as_ref().map(attributes),
    }
}

fn facts(form: &FactsForm, now: Timestamp) -> Result<Arc<[Fact]>, String> {
    let mut facts = match form {
        FactsForm::ByName(values) => {
            let fact = |(name, value): (&String, &Value)| Fact {
                name: name.clone(),
                json: value.to_string(),
                fetched: now,
                fresh: true,
            };
            values.iter().map(fact).collect()
        }
        FactsForm::List(list) => list.iter().map(|form| fact(form, now)).collect::<Result<Vec<_>, _>>()?,
    };
    facts.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(facts.into())
}

fn fact(form: &FactForm, now: Timestamp) -> Result<Fact, String> {
    let FactForm { name, json, value, fetched, fresh } = form;
    let json = match (json, value) {
        (Some(json), None) => json.clone(),
        (None, Some(value)) => value.to_string(),
        (Some(_), Some(_)) | (None, None) => {
            return Err(format!("fact `{name}`: give it either a `value`, or its text as `json`"));
        }
    };
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&json) {
        return Err(format!("fact `{name}`: its `json` is no JSON text: {error}"));
    }
    Ok(Fact { name: name.clone(), json, fetched: fetched.map_or(now, |when| when.from(now)), fresh: *fresh })
}

fn request(
    form: &RequestForm,
    id: &str,
    state: RequestState,
    created: Timestamp,
    around: &Around<'_>,
) -> Result<CaseRequest, String> {
    let RequestForm {
        id: _,
        revision,
        user,
        state: own_state,
        term,
        roles,
        resources,
        reason,
        created: own_created,
        access_starts,
        access_expires,
        request_expires,
        decided_by,
        decision,
        resolve_reason,
        reviews,
        suggested_reviewers,
        annotations,
        exempt,
        locks,
    } = form;
    let at = |when: &When| when.from(around.now);
    let state = own_state.map_or(state, |own| own.0);
    let created = own_created.as_ref().map_or(created, at);
    let mut annotations = attributes(annotations);
    if let Some(why) = exempt {
        annotations.insert(EXEMPT_ANNOTATION.to_owned(), vec![why.clone()]);
    }
    let mut locks = locks.0.iter().map(|form| lock(form, around.now)).collect::<Result<Vec<_>, _>>()?;
    locks.sort_by(|a, b| a.name.cmp(&b.name));
    let request = AccessRequest {
        id: RequestId::new(id),
        revision: revision.clone(),
        user: user.as_ref().map_or_else(|| around.user.clone(), UserName::new),
        state,
        kind: term.map_or(RequestKind::ShortTerm, |term| term.0),
        roles: roles.0.clone(),
        resources: resources.0.iter().map(|form| resource(form, around.cluster)).collect::<Result<_, _>>()?,
        reason: reason.clone().unwrap_or_default(),
        created,
        access_starts: access_starts.as_ref().map(at),
        access_expires: match access_expires {
            None => Some(around.now.after(ACCESS)),
            Some(Ends::At(when)) => Some(at(when)),
            Some(Ends::Unknown) => None,
        },
        request_expires: request_expires.as_ref().map(at),
        decided_by: decided_by.map_or_else(|| decider(state), |decider| decider.0),
        decision: decision.clone(),
        resolve_reason: resolve_reason.clone(),
        reviews: reviews.iter().map(|form| review(form, created, around.now)).collect(),
        suggested_reviewers: suggested_reviewers.0.clone(),
        annotations,
    };
    Ok(CaseRequest { request, locks })
}

/// Who decides where nothing is said: this host, what it can decide.
const fn decider(state: RequestState) -> Decider {
    match state {
        RequestState::Pending | RequestState::Unknown => Decider::Nobody,
        RequestState::Approved | RequestState::Denied => Decider::Tribunal,
        RequestState::Promoted => Decider::Person,
    }
}

fn resource(form: &ResourceForm, cluster: &str) -> Result<RequestedResource, String> {
    let ResourceForm { cluster: own_cluster, kind, name, sub_resource, labels, constraints } = form;
    if name.is_empty() {
        return Err("one of its resources has no `name`".to_owned());
    }
    let labels = match labels {
        None => Some(attributes(&Default::default())),
        Some(Flex(Labels::Unreadable)) => None,
        Some(Flex(Labels::Are(labels))) => Some(attributes(labels)),
    };
    Ok(RequestedResource {
        cluster: own_cluster.as_deref().unwrap_or(cluster).to_owned(),
        kind: kind.as_deref().unwrap_or(KIND_DEFAULT).to_owned(),
        name: name.clone(),
        sub_resource: sub_resource.clone(),
        labels,
        constraints: constraints.as_ref().map(|constraints| match constraints {
            ConstraintsForm::Known(json) => Constraints::Known(json.clone()),
            ConstraintsForm::Unknown(text) => Constraints::Unknown(text.clone()),
        }),
    })
}

fn review(form: &ReviewForm, created: Timestamp, now: Timestamp) -> Review {
    let ReviewForm { author, state, reason, created: own } = form;
    Review {
        author: UserName::new(author),
        state: state.0,
        reason: reason.clone(),
        created: own.map_or(created, |when| when.from(now)),
    }
}

fn lock(form: &CaseLockForm, now: Timestamp) -> Result<CaseLock, String> {
    let CaseLockForm { name, message, ours, expires } = form;
    if name.is_empty() {
        return Err("one of its locks has no `name`".to_owned());
    }
    Ok(CaseLock {
        name: LockName::new(name),
        message: message.clone(),
        ours: *ours,
        expires: expires.map(|when| when.from(now)),
    })
}
