//! Access requests as servers send them, and what is made of them. It must never need a server.
#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use prost_types::Timestamp as Proto;
use tribunal_core::Timestamp;
use tribunal_core::action::ResolveWith;
use tribunal_core::record::DecisionId;

use super::*;

/// A pending request of `u`, as Go sends it: what is unset is in the year 1.
fn spec() -> types::AccessRequestSpecV3 {
    let zero = Some(Proto { seconds: -62_135_596_800, nanos: 0 });
    types::AccessRequestSpecV3 {
        user: "u".into(),
        state: 1,
        created: at(10),
        expires: zero,
        max_duration: zero,
        session_ttl: zero,
        resolve_annotations: Some(wrappers::LabelValues::default()),
        ..Default::default()
    }
}

fn at(seconds: i64) -> Option<Proto> {
    Some(Proto { seconds, nanos: 0 })
}

fn told(spec: types::AccessRequestSpecV3) -> AccessRequest {
    let metadata = types::Metadata { name: "r".into(), ..Default::default() };
    access_request(types::AccessRequestV3 { metadata: Some(metadata), spec: Some(spec), ..Default::default() }).unwrap()
}

fn annotated(key: &str, value: &str) -> Option<wrappers::LabelValues> {
    let values = wrappers::StringValues { values: vec![value.into()] };
    Some(wrappers::LabelValues { values: BTreeMap::from([(key.into(), values)]) })
}

fn reviewed(author: &str, state: types::RequestState) -> types::AccessReview {
    types::AccessReview { author: author.into(), proposed_state: state.into(), ..Default::default() }
}

fn id(name: &str) -> types::ResourceId {
    types::ResourceId { cluster_name: "c".into(), kind: "node".into(), name: name.into(), ..Default::default() }
}

fn limited(name: &str, version: &str, details: Option<Details>) -> types::ResourceAccessId {
    let constraints = types::ResourceConstraints { version: version.into(), details };
    types::ResourceAccessId { id: Some(id(name)), constraints: Some(constraints) }
}

#[test]
fn a_request_without_id_or_user_is_an_error() {
    let message = types::AccessRequestV3 { spec: Some(spec()), ..Default::default() };
    assert_eq!(access_request(message), Err(InvalidRequest::NoId));
    let metadata = types::Metadata { name: "r".into(), ..Default::default() };
    let message = types::AccessRequestV3 { metadata: Some(metadata), ..Default::default() };
    assert_eq!(access_request(message), Err(InvalidRequest::NoUser(RequestId::new("r"))));
}

#[test]
fn times_in_the_year_1_are_unset_and_not_over() {
    let request = told(spec());
    assert_eq!(request.created, Timestamp::from_secs(10));
    assert_eq!((request.access_starts, request.access_expires, request.request_expires), (None, None, None));
    assert!(!request.is_over(Timestamp::from_millis(u64::MAX)));
}

#[test]
fn a_request_lapses_by_its_own_expiry_before_that_of_its_metadata() {
    for (own, metadata, lapses) in
        [(at(1), at(2), Some(1)), (None, at(2), Some(2)), (at(-62_135_596_800), at(2), Some(2)), (None, None, None)]
    {
        let message = types::AccessRequestV3 {
            metadata: Some(types::Metadata { name: "r".into(), expires: metadata, ..Default::default() }),
            spec: Some(types::AccessRequestSpecV3 { resource_expiry: own, expires: at(3), ..spec() }),
            ..Default::default()
        };
        let request = access_request(message).unwrap();
        assert_eq!(request.request_expires, lapses.map(Timestamp::from_secs));
        assert_eq!(request.access_expires, Some(Timestamp::from_secs(3)));
    }
}

#[test]
fn numbers_that_nobody_knows_stay_unknown() {
    for (state, expected) in [
        (0, RequestState::Unknown),
        (1, RequestState::Pending),
        (2, RequestState::Approved),
        (3, RequestState::Denied),
        (4, RequestState::Promoted),
        (5, RequestState::Unknown),
        (-1, RequestState::Unknown),
    ] {
        assert_eq!(told(types::AccessRequestSpecV3 { state, ..spec() }).state, expected);
    }
    for (request_kind, expected) in [
        (0, RequestKind::ShortTerm),
        (1, RequestKind::ShortTerm),
        (2, RequestKind::LongTerm),
        (3, RequestKind::Unknown),
        (-1, RequestKind::Unknown),
    ] {
        assert_eq!(told(types::AccessRequestSpecV3 { request_kind, ..spec() }).kind, expected);
    }
}

#[test]
fn who_decided_is_told_by_annotation_then_by_review() {
    use types::RequestState::{Approved, Denied, Pending, Promoted};
    let ours = || annotated(DECISION_ANNOTATION, "d");
    let cases = [
        (Pending, ours(), vec![], Decider::Nobody),
        (Approved, ours(), vec![], Decider::Tribunal),
        (Denied, ours(), vec![reviewed("bot-x", Denied)], Decider::Tribunal),
        (Approved, None, vec![], Decider::Person),
        (Approved, annotated("other", "d"), vec![], Decider::Person),
        (Approved, None, vec![reviewed("bot-x", Approved)], Decider::OtherBot),
        (Approved, None, vec![reviewed("ann", Approved)], Decider::Person),
        // A person's voice among them is enough, whoever gave the last one.
        (Approved, None, vec![reviewed("ann", Approved), reviewed("bot-x", Approved)], Decider::Person),
        (Approved, None, vec![reviewed("bot-x", Approved), reviewed("ann", Approved)], Decider::Person),
        // The bot's no did not count.
        (Approved, None, vec![reviewed("ann", Approved), reviewed("bot-x", Denied)], Decider::Person),
        (Denied, None, vec![reviewed("bot-x", Denied)], Decider::OtherBot),
        (Promoted, None, vec![], Decider::Person),
    ];
    for (state, resolve_annotations, reviews, expected) in cases {
        let request = told(types::AccessRequestSpecV3 {
            state: state.into(),
            resolve_annotations,
            reviews: reviews.clone(),
            ..spec()
        });
        assert_eq!(request.decided_by, expected, "{state:?} {reviews:?}");
    }
}

#[test]
fn what_reviews_decided_is_a_persons_if_any_of_those_that_counted_is() {
    use types::RequestState::{Approved, Denied, Promoted};
    const OURS: &str = "within the cap (tribunal decision 1-a)";
    let said = |author: &str, state, reason: &str, counts: bool| types::AccessReview {
        reason: reason.into(),
        threshold_indexes: if counts { vec![0] } else { Vec::new() },
        ..reviewed(author, state)
    };
    let ours = |counts| said("bot-tribunal", Approved, OURS, counts);
    let ann = |counts| said("ann", Approved, "fine", counts);
    let bot = |counts| said("bot-x", Approved, "on call", counts);
    let cases = [
        (Approved, OURS, vec![ours(true)], Decider::Tribunal),
        // A plain user's identity, or another bot's of an earlier time.
        (Approved, OURS, vec![said("robot", Approved, OURS, true)], Decider::Tribunal),
        (Approved, "fine", vec![ours(true), ann(true)], Decider::Person),
        (Approved, OURS, vec![ann(true), ours(true)], Decider::Person),
        (Approved, "on call", vec![ours(true), bot(true)], Decider::Tribunal),
        (Approved, "on call", vec![bot(true)], Decider::OtherBot),
        // Hers was not counted for any threshold.
        (Approved, OURS, vec![ann(false), ours(true)], Decider::Tribunal),
        // A server that counts for nobody counts for everybody.
        (Approved, OURS, vec![ann(false), ours(false)], Decider::Person),
        (Approved, OURS, vec![ours(false)], Decider::Tribunal),
        // Ours left it pending, and somebody set the state.
        (Approved, "because I say so", vec![ours(true)], Decider::Person),
        (Approved, "", vec![ours(true)], Decider::Person),
        (Denied, "no", vec![ours(true), said("ann", Denied, "no", true)], Decider::Person),
        (Denied, OURS, vec![ann(true), said("bot-tribunal", Denied, OURS, true)], Decider::Tribunal),
        (Promoted, "listed", vec![ours(true), said("ann", Promoted, "listed", true)], Decider::Person),
    ];
    for (state, resolve_reason, reviews, expected) in cases {
        let request = told(types::AccessRequestSpecV3 {
            state: state.into(),
            resolve_reason: resolve_reason.into(),
            reviews: reviews.clone(),
            ..spec()
        });
        assert_eq!(request.decided_by, expected, "{state:?} {resolve_reason} {reviews:?}");
    }
}

#[test]
fn a_review_carries_its_words_and_nothing_that_reviews_are_refused_with() {
    for (approve, state) in [(true, 2), (false, 3)] {
        let submission = review_to_proto(Resolution {
            request: RequestId::new("r"),
            with: ResolveWith::Review,
            approve,
            reason: "why (tribunal decision d)".into(),
            decision: DecisionId::new("d"),
            rules: vec!["cap/within".into()],
        });
        let review = types::AccessReview {
            proposed_state: state,
            reason: "why (tribunal decision d)".into(),
            ..types::AccessReview::default()
        };
        assert_eq!(submission, types::AccessReviewSubmission { request_id: "r".into(), review: Some(review) });
    }
}

#[test]
fn the_decision_that_a_request_carries_is_read() {
    let spec =
        types::AccessRequestSpecV3 { state: 2, resolve_annotations: annotated(DECISION_ANNOTATION, "d"), ..spec() };
    assert_eq!(told(spec).decision.as_deref(), Some("d"));
    let empty = wrappers::LabelValues { values: BTreeMap::from([(DECISION_ANNOTATION.into(), Default::default())]) };
    let request = told(types::AccessRequestSpecV3 { state: 2, resolve_annotations: Some(empty), ..self::spec() });
    assert_eq!((request.decision.as_deref(), request.decided_by), (Some(""), Decider::Tribunal));
}

#[test]
fn both_fields_of_resources_are_read_and_each_resource_once() {
    let ssh = || Details::Ssh(types::SshResourceConstraints { logins: vec!["root".into()] });
    let spec = types::AccessRequestSpecV3 {
        requested_resource_access_ids: vec![
            limited("a", "v1", Some(ssh())),
            limited("a", "v1", Some(ssh())),
            types::ResourceAccessId { id: Some(id("b")), constraints: None },
        ],
        requested_resource_ids: vec![id("a"), id("b"), id("c"), id("c")],
        ..spec()
    };
    let resources = told(spec).resources;
    let told: Vec<_> =
        resources.iter().map(|resource| (resource.name.as_str(), resource.constraints.clone())).collect();
    let known = Constraints::Known(r#"{"ssh":{"logins":["root"]}}"#.into());
    assert_eq!(told, [("a", Some(known)), ("b", None), ("c", None)]);
    assert!(resources.iter().all(|resource| resource.labels.is_none()));
}

#[test]
fn a_constraint_that_nobody_knows_stays_unknown() {
    let aws = Details::AwsConsole(types::AwsConsoleResourceConstraints { role_arns: vec!["arn".into()] });
    let constraint = |resource| {
        told(types::AccessRequestSpecV3 { requested_resource_access_ids: vec![resource], ..spec() })
            .resources
            .remove(0)
            .constraints
            .unwrap()
    };
    assert_eq!(
        constraint(limited("a", "v1", Some(aws.clone()))),
        Constraints::Known(r#"{"aws_console":{"role_arns":["arn"]}}"#.into())
    );
    let desktop = Details::WindowsDesktop(types::WindowsDesktopResourceConstraints { logins: vec!["admin".into()] });
    assert_eq!(
        constraint(limited("a", "v1", Some(desktop))),
        Constraints::Known(r#"{"windows_desktop":{"logins":["admin"]}}"#.into())
    );
    assert_eq!(constraint(limited("a", "v2", Some(aws))), Constraints::Unknown("version `v2`".into()));
    assert_eq!(constraint(limited("a", "v1", None)), Constraints::Unknown("version `v1`, of an unknown kind".into()));
    assert_eq!(constraint(limited("a", "", None)), Constraints::Unknown("version ``".into()));
    assert_eq!(
        constraint(types::ResourceAccessId::default()),
        Constraints::Unknown("a requested resource without an id".into())
    );
}

#[test]
fn a_resolution_carries_its_decision_and_its_rules() {
    let resolution = |approve, rules| Resolution {
        request: RequestId::new("r"),
        with: ResolveWith::State,
        approve,
        reason: "why".into(),
        decision: DecisionId::new("d"),
        rules,
    };
    let setter = resolution_to_proto(resolution(true, vec!["cap/within".into(), "x/y".into()]));
    assert_eq!((setter.id.as_str(), setter.state, setter.reason.as_str()), ("r", 2, "why"));
    assert_eq!(setter.delegator, "tribunal");
    let values = attributes(setter.annotations);
    assert_eq!(values.get(DECISION_ANNOTATION).unwrap(), &["d"]);
    assert_eq!(values.get(RULES_ANNOTATION).unwrap(), &["cap/within", "x/y"]);
    let setter = resolution_to_proto(resolution(false, Vec::new()));
    assert_eq!(setter.state, 3);
    assert_eq!(setter.annotations.unwrap().values.len(), 1);
}

proptest! {
    #[test]
    fn what_is_resolved_by_us_is_read_as_ours(approve: bool, decision in ".{1,12}", rules in prop::collection::vec(".{1,8}", 0..3)) {
        let setter = resolution_to_proto(Resolution {
            request: RequestId::new("r"),
            with: ResolveWith::State,
            approve,
            reason: String::new(),
            decision: DecisionId::new(decision.clone()),
            rules,
        });
        // As the server stores it.
        let request = told(types::AccessRequestSpecV3 {
            state: setter.state,
            resolve_annotations: setter.annotations,
            ..spec()
        });
        prop_assert_eq!(request.decided_by, Decider::Tribunal);
        prop_assert_eq!(request.decision, Some(decision));
    }

    #[test]
    fn no_resource_is_lost(with in prop::collection::vec(0..4_u8, 0..6), plain in prop::collection::vec(0..4_u8, 0..6)) {
        let name = |number: &u8| number.to_string();
        let spec = types::AccessRequestSpecV3 {
            requested_resource_access_ids: with.iter().map(|number| limited(&name(number), "v1", None)).collect(),
            requested_resource_ids: plain.iter().map(|number| id(&name(number))).collect(),
            ..spec()
        };
        let mut asked: Vec<String> = with.iter().chain(&plain).map(name).collect();
        asked.sort();
        asked.dedup();
        let mut known: Vec<String> = told(spec).resources.into_iter().map(|resource| resource.name).collect();
        known.sort();
        prop_assert_eq!(known, asked);
    }
}
