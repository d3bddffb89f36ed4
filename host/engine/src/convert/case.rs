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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use tribunal_core::lock::LockName;
    use tribunal_core::request::{RequestId, UserName};

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn attributes(key: &str, value: &str) -> Attributes {
        BTreeMap::from([(key.to_owned(), vec![value.to_owned(), "second".to_owned()])])
    }

    fn full_request() -> AccessRequest {
        AccessRequest {
            id: RequestId::new("id"),
            revision: "not shown".into(),
            user: UserName::new("bot-user"),
            state: RequestState::Promoted,
            kind: RequestKind::LongTerm,
            roles: vec!["role".into()],
            resources: vec![
                RequestedResource {
                    cluster: "leaf".into(),
                    kind: "node".into(),
                    name: "name".into(),
                    sub_resource: "sub".into(),
                    labels: Some(BTreeMap::new()),
                    constraints: Some(Constraints::Unknown("?".into())),
                },
                RequestedResource {
                    cluster: "root".into(),
                    kind: "db".into(),
                    name: "other".into(),
                    sub_resource: String::new(),
                    labels: None,
                    constraints: Some(Constraints::Known("{}".into())),
                },
            ],
            reason: "reason".into(),
            created: at(1),
            access_starts: Some(at(2)),
            access_expires: Some(at(3)),
            request_expires: Some(at(4)),
            decided_by: Decider::OtherBot,
            decision: Some("not shown".into()),
            resolve_reason: "resolved".into(),
            reviews: vec![Review {
                author: UserName::new("bob"),
                state: RequestState::Denied,
                reason: "no".into(),
                created: at(5),
            }],
            suggested_reviewers: vec!["carol".into()],
            annotations: attributes("tribunal/exempt", "human-approved"),
        }
    }

    fn full() -> Case {
        let lock = CaseLock { name: LockName::new("l"), message: "locked".into(), ours: true, expires: Some(at(6)) };
        Case {
            now: at(10),
            cluster: "root".into(),
            subject: Subject {
                name: UserName::new("bot-user"),
                roles: Some(vec!["standing".into()]),
                traits: Some(attributes("logins", "root")),
            },
            requests: vec![Arc::new(CaseRequest { request: full_request(), locks: vec![lock] })],
            facts: [Fact { name: "f".into(), json: "[]".into(), fetched: at(7), fresh: true }].into(),
        }
    }

    #[test]
    #[expect(clippy::indexing_slicing, reason = "a test")]
    fn a_policy_is_shown_everything_that_the_contract_names() {
        let (full, arena) = (full(), Bump::new());
        let shown = case(&full, &arena);
        assert_eq!((shown.now, shown.cluster), (10, "root"));
        assert_eq!((shown.subject.name, shown.subject.bot), ("bot-user", true));
        assert_eq!(shown.subject.roles, Some(&["standing"][..]));
        assert_eq!(shown.subject.traits.map(|traits| traits[0].values), Some(&["root", "second"][..]));
        assert_eq!((shown.facts[0].name, shown.facts[0].json), ("f", "[]"));
        assert_eq!((shown.facts[0].fetched, shown.facts[0].fresh), (7, true));

        let request = &shown.requests[0];
        assert_eq!((request.id, request.user), ("id", "bot-user"));
        assert!(matches!(request.state, wit::RequestState::Promoted));
        assert!(matches!(request.kind, wit::RequestKind::LongTerm));
        assert!(matches!(request.decided_by, wit::Decider::OtherBot));
        assert_eq!(request.roles, ["role"]);
        assert_eq!((request.reason, request.resolve_reason), ("reason", "resolved"));
        assert_eq!((request.created, request.access_starts, request.access_expires), (1, Some(2), Some(3)));
        assert_eq!(request.suggested_reviewers, ["carol"]);
        assert_eq!(
            (request.annotations[0].key, request.annotations[0].values[0]),
            ("tribunal/exempt", "human-approved")
        );
        assert_eq!(
            (request.reviews[0].author, request.reviews[0].reason, request.reviews[0].created),
            ("bob", "no", 5)
        );
        assert!(matches!(request.reviews[0].state, wit::RequestState::Denied));
        let lock = &request.locks[0];
        assert_eq!((lock.name, lock.message, lock.ours, lock.expires), ("l", "locked", true, Some(6)));
    }

    #[test]
    #[expect(clippy::indexing_slicing, reason = "a test")]
    fn labels_that_could_not_be_read_are_not_shown_as_no_labels() {
        let (full, arena) = (full(), Bump::new());
        let shown = case(&full, &arena);
        let [readable, unreadable] = shown.requests[0].resources else { unreachable!("two resources") };
        assert_eq!(readable.labels.map(<[_]>::len), Some(0));
        assert!(unreadable.labels.is_none());
        assert_eq!(
            (readable.cluster, readable.kind, readable.name, readable.sub_resource),
            ("leaf", "node", "name", "sub")
        );
        assert_eq!((readable.constraints, unreadable.constraints), (Some("?"), Some("{}")));
    }
}
