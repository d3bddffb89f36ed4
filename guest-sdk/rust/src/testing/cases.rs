//! Builders of cases and requests with plausible defaults.
//! It must never build a case that the host could not: requests come out oldest first, attributes sorted by key.

use crate::{
    AccessRequest, Attribute, Case, Decider, EXEMPT_ANNOTATION, Fact, Lock, RequestKind, RequestState,
    RequestedResource, Review, Subject, Timestamp,
};

/// `now` of a case that does not say otherwise: 2026-01-01 12:00 UTC.
pub const NOW_MS: Timestamp = 1_767_268_800_000;

/// How long before `now` the first request was created that does not say otherwise; each further one a second later.
const FIRST_REQUEST_AGE_MS: u64 = 3_600_000;
const REQUEST_STEP_MS: u64 = 1_000;

/// Builds a [`Case`].
#[derive(Clone, Debug)]
#[must_use]
pub struct CaseBuilder {
    case: Case,
}

/// Builds an [`AccessRequest`] for [`CaseBuilder::request`].
#[derive(Clone, Debug)]
#[must_use]
pub struct RequestBuilder {
    request: AccessRequest,
    created: Option<Timestamp>,
}

/// A case about this user: no requests, standing roles and traits known to be none.
pub fn case(user: &str) -> CaseBuilder {
    let subject = Subject { name: user.to_owned(), bot: false, roles: Some(Vec::new()), traits: Some(Vec::new()) };
    let case = Case { now: NOW_MS, cluster: "root".to_owned(), subject, requests: Vec::new(), facts: Vec::new() };
    CaseBuilder { case }
}

/// A request that waits for a decision.
pub fn pending(id: &str) -> RequestBuilder {
    RequestBuilder::new(id, RequestState::Pending, Decider::Nobody)
}

/// A request that this host approved and that gives access, unless further steps say otherwise.
pub fn held(id: &str) -> RequestBuilder {
    RequestBuilder::new(id, RequestState::Approved, Decider::Tribunal)
}

/// A request that a person turned into a long-lived membership of an access list.
pub fn promoted(id: &str) -> RequestBuilder {
    RequestBuilder::new(id, RequestState::Promoted, Decider::Person)
}

/// A node of the root cluster without labels.
#[must_use]
pub fn node(name: &str) -> RequestedResource {
    resource("node", name, [])
}

/// A resource of the root cluster with these labels.
#[must_use]
pub fn resource<'a>(kind: &str, name: &str, labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> RequestedResource {
    let labels = labels.into_iter().map(|(key, value)| attribute(key, [value])).collect();
    RequestedResource {
        cluster: "root".to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        sub_resource: String::new(),
        labels: Some(labels),
        constraints: None,
    }
}

// === impl CaseBuilder ===

impl CaseBuilder {
    /// The time of the case, milliseconds since the Unix epoch. Say it before adding requests.
    pub fn now(mut self, now: Timestamp) -> Self {
        self.case.now = now;
        self
    }

    /// The subject is a Machine ID bot.
    pub fn bot(mut self) -> Self {
        self.case.subject.bot = true;
        self
    }

    /// The roles that the subject has without any request.
    pub fn standing_roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.case.subject.roles = Some(strings(roles));
        self
    }

    /// The host may see neither the standing roles nor the traits of the subject.
    pub fn unseen_subject(mut self) -> Self {
        self.case.subject.roles = None;
        self.case.subject.traits = None;
        self
    }

    /// Adds a trait of the subject.
    pub fn with_trait<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        let traits = self.case.subject.traits.get_or_insert_default();
        traits.push(attribute(key, values));
        traits.sort_by(|a, b| a.key.cmp(&b.key));
        self
    }

    /// Adds a fresh fact.
    pub fn fact(mut self, name: &str, json: &str) -> Self {
        let fact = Fact { name: name.to_owned(), json: json.to_owned(), fetched: self.case.now, fresh: true };
        self.case.facts.push(fact);
        self.case.facts.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }

    /// Adds a request of the subject. One that does not say when it was created is a second younger than the one that
    /// was added before it.
    pub fn request(mut self, builder: RequestBuilder) -> Self {
        let RequestBuilder { mut request, created } = builder;
        let steps = u64::try_from(self.case.requests.len()).unwrap_or(u64::MAX);
        let first = self.case.now.saturating_sub(FIRST_REQUEST_AGE_MS);
        request.created =
            created.unwrap_or_else(|| first.saturating_add(REQUEST_STEP_MS.saturating_mul(steps)).min(self.case.now));
        request.user.clone_from(&self.case.subject.name);
        self.case.requests.push(request);
        self
    }

    /// The case, its requests oldest first.
    #[must_use]
    pub fn build(mut self) -> Case {
        self.case.requests.sort_by(|a, b| a.age().cmp(&b.age()));
        self.case
    }
}

// === impl RequestBuilder ===

impl RequestBuilder {
    fn new(id: &str, state: RequestState, decided_by: Decider) -> Self {
        let request = AccessRequest {
            id: id.to_owned(),
            user: String::new(),
            state,
            kind: RequestKind::ShortTerm,
            roles: Vec::new(),
            resources: Vec::new(),
            reason: String::new(),
            created: 0,
            access_starts: None,
            access_expires: None,
            decided_by,
            resolve_reason: String::new(),
            reviews: Vec::new(),
            suggested_reviewers: Vec::new(),
            annotations: Vec::new(),
            locks: Vec::new(),
        };
        Self { request, created: None }
    }

    /// The requested roles, or the roles that give access to the requested resources.
    pub fn roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.request.roles = strings(roles);
        self
    }

    /// Adds nodes of the root cluster without labels.
    pub fn nodes<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.request.resources.extend(names.into_iter().map(node));
        self
    }

    /// Adds resources.
    pub fn resources(mut self, resources: impl IntoIterator<Item = RequestedResource>) -> Self {
        self.request.resources.extend(resources);
        self
    }

    /// The requester's words.
    pub fn reason(mut self, reason: &str) -> Self {
        reason.clone_into(&mut self.request.reason);
        self
    }

    /// The kind of access.
    pub fn kind(mut self, kind: RequestKind) -> Self {
        self.request.kind = kind;
        self
    }

    /// When it was created, milliseconds since the Unix epoch.
    pub fn created(mut self, created: Timestamp) -> Self {
        self.created = Some(created);
        self
    }

    /// When its access may first be used.
    pub fn starts(mut self, starts: Timestamp) -> Self {
        self.request.access_starts = Some(starts);
        self
    }

    /// When its access ends.
    pub fn expires(mut self, expires: Timestamp) -> Self {
        self.request.access_expires = Some(expires);
        self
    }

    /// Who decided it.
    pub fn decided_by(mut self, decider: Decider, resolve_reason: &str) -> Self {
        self.request.decided_by = decider;
        resolve_reason.clone_into(&mut self.request.resolve_reason);
        self
    }

    /// Adds a review.
    pub fn review(mut self, author: &str, state: RequestState, reason: &str) -> Self {
        let review = Review { author: author.to_owned(), state, reason: reason.to_owned(), created: NOW_MS };
        self.request.reviews.push(review);
        self
    }

    /// Adds an annotation.
    pub fn annotation<'a>(mut self, key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        self.request.annotations.push(attribute(key, values));
        self.request.annotations.sort_by(|a, b| a.key.cmp(&b.key));
        self
    }

    /// The operator exempts it from being locked.
    pub fn exempt(self, why: &str) -> Self {
        self.annotation(EXEMPT_ANNOTATION, [why])
    }

    /// Somebody else's lock without end is in force on it.
    pub fn locked(mut self, name: &str) -> Self {
        self.request.locks.push(Lock { name: name.to_owned(), message: String::new(), ours: false, expires: None });
        self.request.locks.sort_by(|a, b| a.name.cmp(&b.name));
        self
    }
}

fn attribute<'a>(key: &str, values: impl IntoIterator<Item = &'a str>) -> Attribute {
    Attribute { key: key.to_owned(), values: strings(values) }
}

fn strings<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}
