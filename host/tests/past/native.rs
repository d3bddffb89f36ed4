//! The reference policies as plain Rust beside the host's own types, to answer as their components do. It must never share
//! code with the engine, whose conversions it is held against.

use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest};
use tribunal_core::hearing::Answers;
use tribunal_core::opinion::{Effect, Fault, Ground, LockOrder, Member, Mode, Opinion, PolicyName};
use tribunal_core::request::{
    Attributes, Constraints, Decider, RequestId, RequestKind, RequestState, RequestedResource, Review,
};
use tribunal_guest as guest;
use tribunal_guest::Policy;
use tribunal_guest::testing::configure;

/// What a native policy answers.
pub(crate) trait Native {
    fn review(&self, case: &guest::Case, request: &str) -> guest::Opinion;
    fn enforce(&self, case: &guest::Case) -> Vec<guest::LockOrder>;
}

impl<P: Policy> Native for P {
    fn review(&self, case: &guest::Case, request: &str) -> guest::Opinion {
        Policy::review(self, case, case.find(request).unwrap())
    }

    fn enforce(&self, case: &guest::Case) -> Vec<guest::LockOrder> {
        Policy::enforce(self, case)
    }
}

/// A panel of native policies.
pub(crate) struct Natives {
    pub(crate) members: Vec<Member>,
    policies: Vec<Box<dyn Native + Send + Sync>>,
}

// === impl Natives ===

impl Natives {
    pub(crate) fn new() -> Self {
        Self { members: Vec::new(), policies: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &str, policy: impl Native + Send + Sync + 'static) -> Self {
        self.members.push(member(name));
        self.policies.push(Box::new(policy));
        self
    }

    /// With the policy `cap`.
    pub(crate) fn cap(self, settings: &str) -> Self {
        self.with("cap", configure::<tribunal_cap::Cap>(settings).unwrap())
    }

    /// With the policy `separation`.
    pub(crate) fn separation(self, settings: &str) -> Self {
        self.with("separation", configure::<tribunal_separation::Separation>(settings).unwrap())
    }
}

/// A policy that is granted everything.
pub(crate) fn member(name: &str) -> Member {
    Member { name: PolicyName::new(name), effects: Effect::ALL.into(), mode: Mode::Enforce }
}

impl Answers for &Natives {
    fn review(&mut self, policy: usize, case: &Arc<Case>, request: &RequestId) -> Result<Opinion, Fault> {
        Ok(opinion(self.policies[policy].review(&self::case(case), request.as_str())))
    }

    fn enforce(&mut self, policy: usize, case: &Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        Ok(self.policies[policy].enforce(&self::case(case)).into_iter().map(order).collect())
    }
}

fn ground(ground: guest::Ground) -> Ground {
    Ground { rule: ground.rule, reason: ground.reason }
}

fn opinion(opinion: guest::Opinion) -> Opinion {
    match opinion {
        guest::Opinion::Abstain => Opinion::Abstain,
        guest::Opinion::Approve(why) => Opinion::Approve(ground(why)),
        guest::Opinion::Deny(why) => Opinion::Deny(why.into_iter().map(ground).collect()),
        guest::Opinion::Escalate(why) => Opinion::Escalate(ground(why)),
    }
}

fn order(order: guest::LockOrder) -> LockOrder {
    LockOrder {
        request: RequestId::new(order.request),
        ground: ground(order.ground),
        until: order.until.map(Timestamp::from_millis),
    }
}

pub(crate) fn case(case: &Case) -> guest::Case {
    guest::Case {
        now: case.now.as_millis(),
        cluster: case.cluster.clone(),
        subject: guest::Subject {
            name: case.subject.name.as_str().to_owned(),
            bot: case.subject.name.is_bot(),
            roles: case.subject.roles.clone(),
            traits: case.subject.traits.as_ref().map(attributes),
        },
        requests: case.requests.iter().map(request).collect(),
        facts: case
            .facts
            .iter()
            .map(|fact| guest::Fact {
                name: fact.name.clone(),
                json: fact.json.clone(),
                fetched: fact.fetched.as_millis(),
                fresh: fact.fresh,
            })
            .collect(),
    }
}

fn request(entry: &Arc<CaseRequest>) -> guest::AccessRequest {
    let CaseRequest { request, locks } = &**entry;
    guest::AccessRequest {
        id: request.id.as_str().to_owned(),
        user: request.user.as_str().to_owned(),
        state: state(request.state),
        kind: match request.kind {
            RequestKind::ShortTerm => guest::RequestKind::ShortTerm,
            RequestKind::LongTerm => guest::RequestKind::LongTerm,
            RequestKind::Unknown => guest::RequestKind::Unknown,
        },
        roles: request.roles.clone(),
        resources: request.resources.iter().map(resource).collect(),
        reason: request.reason.clone(),
        created: request.created.as_millis(),
        access_starts: request.access_starts.map(Timestamp::as_millis),
        access_expires: request.access_expires.map(Timestamp::as_millis),
        decided_by: match request.decided_by {
            Decider::Nobody => guest::Decider::Nobody,
            Decider::Person => guest::Decider::Person,
            Decider::Tribunal => guest::Decider::Tribunal,
            Decider::OtherBot => guest::Decider::OtherBot,
        },
        resolve_reason: request.resolve_reason.clone(),
        reviews: request.reviews.iter().map(review).collect(),
        suggested_reviewers: request.suggested_reviewers.clone(),
        annotations: attributes(&request.annotations),
        locks: locks.iter().map(lock).collect(),
    }
}

fn resource(resource: &RequestedResource) -> guest::RequestedResource {
    guest::RequestedResource {
        cluster: resource.cluster.clone(),
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        sub_resource: resource.sub_resource.clone(),
        labels: resource.labels.as_ref().map(attributes),
        constraints: resource.constraints.as_ref().map(|constraints| match constraints {
            Constraints::Known(text) | Constraints::Unknown(text) => text.clone(),
        }),
    }
}

fn review(review: &Review) -> guest::Review {
    guest::Review {
        author: review.author.as_str().to_owned(),
        state: state(review.state),
        reason: review.reason.clone(),
        created: review.created.as_millis(),
    }
}

fn lock(lock: &CaseLock) -> guest::Lock {
    guest::Lock {
        name: lock.name.as_str().to_owned(),
        message: lock.message.clone(),
        ours: lock.ours,
        expires: lock.expires.map(Timestamp::as_millis),
    }
}

fn state(state: RequestState) -> guest::RequestState {
    match state {
        RequestState::Pending => guest::RequestState::Pending,
        RequestState::Approved => guest::RequestState::Approved,
        RequestState::Denied => guest::RequestState::Denied,
        RequestState::Promoted => guest::RequestState::Promoted,
        RequestState::Unknown => guest::RequestState::Unknown,
    }
}

fn attributes(attributes: &Attributes) -> Vec<guest::Attribute> {
    attributes.iter().map(|(key, values)| guest::Attribute { key: key.clone(), values: values.clone() }).collect()
}
