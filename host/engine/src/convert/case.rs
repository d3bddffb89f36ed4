//! A case as the contract writes it, borrowed from the core's: nothing is copied but the lists that hold it together. It
//! never leaves anything out that the contract names.

use bumpalo::Bump;
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::request::{
    AccessRequest, Attributes, Constraints, Decider, RequestKind, RequestState, RequestedResource, Review, Subject,
};

use crate::bindings::policy::tribunal::policy::types as wit;

/// `case` in the contract's words.
pub(crate) fn case<'a>(case: &'a Case, arena: &'a Bump) -> wit::Case<'a> {
    let Case { now, cluster, subject, requests, facts } = case;
    wit::Case {
        now: now.as_millis(),
        cluster,
        subject: self::subject(subject, arena),
        requests: list(arena, requests, |request| self::request(request, arena)),
        facts: list(arena, facts, fact),
    }
}

fn subject<'a>(subject: &'a Subject, arena: &'a Bump) -> wit::Subject<'a> {
    let Subject { name, roles, traits } = subject;
    wit::Subject {
        name: name.as_str(),
        bot: name.is_bot(),
        roles: roles.as_ref().map(|roles| strings(arena, roles)),
        traits: traits.as_ref().map(|traits| attributes(arena, traits)),
    }
}

fn request<'a>(entry: &'a CaseRequest, arena: &'a Bump) -> wit::AccessRequest<'a> {
    let CaseRequest { request, locks } = entry;
    let AccessRequest {
        id,
        revision: _,
        user,
        state,
        kind,
        roles,
        resources,
        reason,
        created,
        access_starts,
        access_expires,
        request_expires: _,
        decided_by,
        decision: _,
        resolve_reason,
        reviews,
        suggested_reviewers,
        annotations,
    } = request;
    wit::AccessRequest {
        id: id.as_str(),
        user: user.as_str(),
        state: self::state(*state),
        kind: self::kind(*kind),
        roles: strings(arena, roles),
        resources: list(arena, resources, |resource| self::resource(resource, arena)),
        reason,
        created: created.as_millis(),
        access_starts: access_starts.map(Timestamp::as_millis),
        access_expires: access_expires.map(Timestamp::as_millis),
        decided_by: decider(*decided_by),
        resolve_reason,
        reviews: list(arena, reviews, review),
        suggested_reviewers: strings(arena, suggested_reviewers),
        annotations: attributes(arena, annotations),
        locks: list(arena, locks, lock),
    }
}

fn resource<'a>(resource: &'a RequestedResource, arena: &'a Bump) -> wit::RequestedResource<'a> {
    let RequestedResource { cluster, kind, name, sub_resource, labels, constraints } = resource;
    wit::RequestedResource {
        cluster,
        kind,
        name,
        sub_resource,
        labels: labels.as_ref().map(|labels| attributes(arena, labels)),
        constraints: constraints.as_ref().map(|constraints| match constraints {
            Constraints::Known(json) | Constraints::Unknown(json) => json.as_str(),
        }),
    }
}

fn review(review: &Review) -> wit::Review<'_> {
    let Review { author, state, reason, created } = review;
    wit::Review { author: author.as_str(), state: self::state(*state), reason, created: created.as_millis() }
}

fn lock(lock: &CaseLock) -> wit::Lock<'_> {
    let CaseLock { name, message, ours, expires } = lock;
    wit::Lock { name: name.as_str(), message, ours: *ours, expires: expires.map(Timestamp::as_millis) }
}

fn fact(fact: &Fact) -> wit::Fact<'_> {
    let Fact { name, json, fetched, fresh } = fact;
    wit::Fact { name, json, fetched: fetched.as_millis(), fresh: *fresh }
}

const fn state(state: RequestState) -> wit::RequestState {
    match state {
        RequestState::Pending => wit::RequestState::Pending,
        RequestState::Approved => wit::RequestState::Approved,
        RequestState::Denied => wit::RequestState::Denied,
        RequestState::Promoted => wit::RequestState::Promoted,
        RequestState::Unknown => wit::RequestState::Unknown,
    }
}

const fn kind(kind: RequestKind) -> wit::RequestKind {
    match kind {
        RequestKind::ShortTerm => wit::RequestKind::ShortTerm,
        RequestKind::LongTerm => wit::RequestKind::LongTerm,
        RequestKind::Unknown => wit::RequestKind::Unknown,
    }
}

const fn decider(decider: Decider) -> wit::Decider {
    match decider {
        Decider::Nobody => wit::Decider::Nobody,
        Decider::Person => wit::Decider::Person,
        Decider::Tribunal => wit::Decider::Tribunal,
        Decider::OtherBot => wit::Decider::OtherBot,
    }
}

fn attributes<'a>(arena: &'a Bump, attributes: &'a Attributes) -> &'a [wit::Attribute<'a>] {
    arena.alloc_slice_fill_iter(
        attributes.iter().map(|(key, values)| wit::Attribute { key, values: strings(arena, values) }),
    )
}

fn strings<'a>(arena: &'a Bump, strings: &'a [String]) -> &'a [&'a str] {
    list(arena, strings, String::as_str)
}

fn list<'a, T, U>(arena: &'a Bump, items: &'a [T], convert: impl FnMut(&'a T) -> U) -> &'a [U] {
    arena.alloc_slice_fill_iter(items.iter().map(convert))
}
