//! Law 10 as a table.

use super::*;
use crate::request::{Decider, RequestId, RequestedResource};
use crate::scope::{Pattern, Selector};

fn request() -> AccessRequest {
    AccessRequest {
        id: RequestId::new("r"),
        revision: String::new(),
        user: UserName::new("alice"),
        state: RequestState::Pending,
        kind: RequestKind::ShortTerm,
        roles: vec!["node".to_owned()],
        resources: Vec::new(),
        reason: String::new(),
        created: Timestamp::from_secs(1),
        access_starts: None,
        access_expires: Some(Timestamp::from_secs(100)),
        request_expires: Some(Timestamp::from_secs(50)),
        decided_by: Decider::Nobody,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: std::collections::BTreeMap::new(),
    }
}

fn resource(constraints: Option<Constraints>) -> RequestedResource {
    let text = String::new;
    RequestedResource { cluster: text(), kind: text(), name: text(), sub_resource: text(), labels: None, constraints }
}

#[test]
fn what_is_not_ours_to_give_is_guarded() {
    type Change = fn(&mut AccessRequest);
    let table: [(Change, Option<&str>); 16] = [
        (|_| {}, None),
        (|it| it.user = UserName::new("bot-tribunal"), Some("own-request")),
        (|it| it.state = RequestState::Unknown, Some("unknown-state")),
        (|it| it.kind = RequestKind::LongTerm, Some("long-term")),
        (|it| it.kind = RequestKind::Unknown, Some("unknown-kind")),
        (|it| it.access_expires = Some(Timestamp::from_secs(10)), Some("over")),
        (|it| it.request_expires = Some(Timestamp::from_secs(10)), Some("over")),
        (|it| it.request_expires = Some(Timestamp::from_millis(10_001)), None),
        (|it| it.access_expires = None, None),
        (|it| it.roles.clear(), Some("empty")),
        (|it| it.roles.push("editor".to_owned()), Some("protected-role")),
        (|it| it.roles = vec!["editor-ish".to_owned()], None),
        (|it| it.resources = vec![resource(Some(Constraints::Unknown("x".to_owned())))], Some("unknown-constraint")),
        (|it| it.resources = vec![resource(Some(Constraints::Known("{}".to_owned())))], None),
        (
            |it| {
                it.roles.clear();
                it.resources = vec![resource(None)];
            },
            None,
        ),
        (|it| it.roles = vec!["not-ours-a".to_owned()], Some("out-of-scope")),
    ];
    let roles = Selector { include: Vec::new(), exclude: vec![Pattern::new("not-ours-*")] };
    let scope = Scope { users: Selector::default(), roles };
    let protected = BTreeSet::from(["editor".to_owned(), "auditor".to_owned()]);
    for (row, (change, expected)) in table.into_iter().enumerate() {
        let mut request = request();
        change(&mut request);
        let found = guard(&request, &UserName::new("bot-tribunal"), &protected, &scope, Timestamp::from_secs(10));
        assert_eq!(found.as_ref().map(Guard::name), expected, "row {row}: {found:?}");
    }
}
