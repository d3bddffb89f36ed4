//! Every record survives its line, and nothing else is taken for one. It must never touch a file.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use memchr::memmem;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option::of;
use proptest::prelude::*;
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseLock, CaseRequest, Fact};
use tribunal_core::decision::{Because, Decision, Verdict};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::guard::Guard;
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::opinion::{
    Effect, Evaluation, Fault, FaultKind, Ground, LockOrder, Member, Mode, Opinion, PanelId, PolicyName,
};
use tribunal_core::record::{Decided, DecisionId, Enforcement, Lifecycle, Outcome, Record, Step, StepResult};
use tribunal_core::request::{
    AccessRequest, Attributes, Constraints, Decider, RequestId, RequestKind, RequestState, RequestedResource, Review,
    Subject, UserName,
};

use super::{Body, DecidedLine, IS_DECIDED, Line, Time};

/// Whatever people may type, with what JSON has to escape.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z-]{0,8}", any::<String>().prop_map(|text| text.chars().take(12).collect())]
}

fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        9 => (0..4_000_000_000_000_u64).prop_map(Timestamp::from_millis),
        1 => any::<u64>().prop_map(Timestamp::from_millis),
    ]
}

fn attributes() -> impl Strategy<Value = Attributes> {
    btree_map(text(), vec(text(), 0..3), 0..3)
}

fn request_id() -> impl Strategy<Value = RequestId> {
    text().prop_map(RequestId::new)
}

fn user() -> impl Strategy<Value = UserName> {
    text().prop_map(UserName::new)
}

fn policy() -> impl Strategy<Value = PolicyName> {
    text().prop_map(PolicyName::new)
}

fn state() -> impl Strategy<Value = RequestState> {
    use RequestState::{Approved, Denied, Pending, Promoted, Unknown};
    prop::sample::select(vec![Pending, Approved, Denied, Promoted, Unknown])
}

fn kind() -> impl Strategy<Value = RequestKind> {
    prop::sample::select(vec![RequestKind::ShortTerm, RequestKind::LongTerm, RequestKind::Unknown])
}

fn decider() -> impl Strategy<Value = Decider> {
    prop::sample::select(vec![Decider::Nobody, Decider::Person, Decider::Tribunal, Decider::OtherBot])
}

fn constraints() -> impl Strategy<Value = Constraints> {
    prop_oneof![text().prop_map(Constraints::Known), text().prop_map(Constraints::Unknown)]
}

fn resource() -> impl Strategy<Value = RequestedResource> {
    (text(), text(), text(), text(), of(attributes()), of(constraints())).prop_map(
        |(cluster, kind, name, sub_resource, labels, constraints)| RequestedResource {
            cluster,
            kind,
            name,
            sub_resource,
            labels,
            constraints,
        },
    )
}

fn review() -> impl Strategy<Value = Review> {
    (user(), state(), text(), time()).prop_map(|(author, state, reason, created)| Review {
        author,
        state,
        reason,
        created,
    })
}

fn request() -> impl Strategy<Value = AccessRequest> {
    let who = (request_id(), text(), user(), state(), kind(), vec(text(), 0..3), vec(resource(), 0..3), text());
    let when = (time(), of(time()), of(time()), of(time()));
    let how = (decider(), of(text()), text(), vec(review(), 0..2), vec(text(), 0..2), attributes());
    (who, when, how).prop_map(|(who, when, how)| {
        let (id, revision, user, state, kind, roles, resources, reason) = who;
        let (created, access_starts, access_expires, request_expires) = when;
        let (decided_by, decision, resolve_reason, reviews, suggested_reviewers, annotations) = how;
        AccessRequest {
            id,
            revision,
            user,
            state,
            kind,
            roles,
            resources,
            reason,
            created,
            access_starts,
            access_expires,
            request_expires,
            decided_by,
            decision,
            resolve_reason,
            reviews,
            suggested_reviewers,
            annotations,
        }
    })
}

fn ground() -> impl Strategy<Value = Ground> {
    (text(), text()).prop_map(|(rule, reason)| Ground { rule, reason })
}

fn fault() -> impl Strategy<Value = Fault> {
    use FaultKind::{Deadline, Limit, Memory, Nonsense, NotGranted, Settings, Trap, Unavailable};
    let kinds = vec![Trap, Deadline, Memory, Limit, Nonsense, NotGranted, Settings, Unavailable];
    (prop::sample::select(kinds), text()).prop_map(|(kind, detail)| Fault { kind, detail })
}

fn opinion() -> impl Strategy<Value = Opinion> {
    prop_oneof![
        Just(Opinion::Abstain),
        ground().prop_map(Opinion::Approve),
        vec(ground(), 0..3).prop_map(Opinion::Deny),
        ground().prop_map(Opinion::Escalate),
    ]
}

fn member() -> impl Strategy<Value = Member> {
    let effects = btree_set(prop::sample::select(Effect::ALL.to_vec()), 0..4);
    let mode = prop::sample::select(vec![Mode::Enforce, Mode::Shadow]);
    (policy(), effects, mode).prop_map(|(name, effects, mode)| Member { name, effects, mode })
}

fn evaluation() -> impl Strategy<Value = Evaluation> {
    (member(), prop_oneof![opinion().prop_map(Ok), fault().prop_map(Err)])
        .prop_map(|(member, answer)| Evaluation { member, answer })
}

fn order() -> impl Strategy<Value = LockOrder> {
    (request_id(), ground(), of(time())).prop_map(|(request, ground, until)| LockOrder { request, ground, until })
}

fn enforcement() -> impl Strategy<Value = Enforcement> {
    (member(), prop_oneof![vec(order(), 0..3).prop_map(Ok), fault().prop_map(Err)])
        .prop_map(|(member, answer)| Enforcement { member, answer })
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        Just(Guard::UnknownState),
        Just(Guard::UnknownKind),
        Just(Guard::LongTerm),
        Just(Guard::OwnRequest),
        text().prop_map(Guard::ProtectedRole),
        text().prop_map(Guard::UnknownConstraint),
        Just(Guard::Over),
        Just(Guard::Empty),
        Just(Guard::OutOfScope),
    ]
}

fn because() -> impl Strategy<Value = Because> {
    let grounds = || vec((policy(), ground()), 0..3);
    prop_oneof![
        grounds().prop_map(Because::Grounds),
        (vec((policy(), fault()), 0..3), grounds()).prop_map(|(faults, grounds)| Because::Faults(faults, grounds)),
        guard().prop_map(Because::Guarded),
        text().prop_map(Because::LockImpossible),
        Just(Because::Silence),
    ]
}

fn decision() -> impl Strategy<Value = Decision> {
    let verdict = prop::sample::select(vec![Verdict::Approve, Verdict::Deny, Verdict::Leave, Verdict::Nothing]);
    (verdict, because()).prop_map(|(verdict, because)| Decision { verdict, because })
}

fn lock() -> impl Strategy<Value = Lock> {
    let target = (of(user()), of(text()), of(request_id()), any::<bool>())
        .prop_map(|(user, role, access_request, other)| LockTarget { user, role, access_request, other });
    (text(), target, text(), of(time()), text()).prop_map(|(name, target, message, expires, created_by)| Lock {
        name: LockName::new(name),
        target,
        message,
        expires,
        created_by,
    })
}

fn case() -> impl Strategy<Value = Case> {
    let lock = (text(), text(), any::<bool>(), of(time())).prop_map(|(name, message, ours, expires)| CaseLock {
        name: LockName::new(name),
        message,
        ours,
        expires,
    });
    let request = (request(), vec(lock, 0..2)).prop_map(|(request, locks)| Arc::new(CaseRequest { request, locks }));
    let fact = (text(), text(), time(), any::<bool>()).prop_map(|(name, json, fetched, fresh)| Fact {
        name,
        json,
        fetched,
        fresh,
    });
    let subject = (user(), of(vec(text(), 0..3)), of(attributes())).prop_map(|(name, roles, traits)| Subject {
        name,
        roles,
        traits,
    });
    (time(), text(), subject, vec(request, 0..2), vec(fact, 0..2)).prop_map(
        |(now, cluster, subject, requests, facts)| Case { now, cluster, subject, requests, facts: facts.into() },
    )
}

fn panel() -> impl Strategy<Value = PanelId> {
    any::<[u8; 32]>().prop_map(|bytes| PanelId::new(crate::digest::hex(&bytes)))
}

fn decided() -> impl Strategy<Value = Decided> {
    let what = (text(), time(), user(), of(request()), of(decision()), vec(evaluation(), 0..3));
    let locks = vec((lock(), text()), 0..2);
    let releases = vec(text().prop_map(LockName::new), 0..2);
    let then = (vec(enforcement(), 0..3), locks, releases, text(), of(case()), (of(panel()), any::<bool>()));
    (what, then).prop_map(|(what, then)| {
        let (id, at, user, request, decision, evaluations) = what;
        let (enforcements, locks, releases, reason, case, (panel, dry_run)) = then;
        Decided {
            id: DecisionId::new(id),
            at,
            user,
            request,
            decision,
            evaluations,
            enforcements,
            locks,
            releases,
            reason,
            panel,
            case: case.map(Arc::new),
            dry_run,
        }
    })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let step = prop_oneof![
        text().prop_map(|name| Step::Lock(LockName::new(name))),
        text().prop_map(|name| Step::Unlock(LockName::new(name))),
        request_id().prop_map(Step::Approve),
        request_id().prop_map(Step::Deny),
        Just(Step::Decision),
    ];
    let class = prop::sample::select(vec![FailureClass::Retry, FailureClass::Settle, FailureClass::Alarm]);
    let result = prop_oneof![
        Just(StepResult::Applied),
        state().prop_map(StepResult::Reviewed),
        (class, text()).prop_map(|(class, detail)| StepResult::Failed(Failure { class, detail })),
        text().prop_map(StepResult::Superseded),
    ];
    (text(), time(), step, result).prop_map(|(decision, at, step, result)| Outcome {
        decision: DecisionId::new(decision),
        at,
        step,
        result,
    })
}

fn lifecycle() -> impl Strategy<Value = Record> {
    use Lifecycle::{
        Alarm, Archived, BreakerReleased, BreakerTripped, ConfigurationRead, Erased, IdentityChanged, Leading,
        Overridden, PanelChanged, PanelRefused, QuarantineEnded, Quarantined, StandbyBegan, Started, Stopped,
        ViewComplete, ViewIncomplete,
    };
    let daemon = [Started, Stopped, ViewIncomplete, ViewComplete, Alarm];
    let stand = [BreakerTripped, BreakerReleased, StandbyBegan, Leading];
    let itself = [PanelChanged, PanelRefused, ConfigurationRead, IdentityChanged, Quarantined, QuarantineEnded];
    let what = [daemon.as_slice(), &stand, &itself, &[Overridden, Erased, Archived]].concat();
    let what = prop::sample::select(what);
    (time(), what, text()).prop_map(|(at, what, detail)| Record::Lifecycle { at, what, detail })
}

fn record() -> impl Strategy<Value = Record> {
    prop_oneof![
        3 => decided().prop_map(|decided| Record::Decided(Box::new(decided))),
        1 => outcome().prop_map(Record::Outcome),
        1 => lifecycle(),
    ]
}

proptest! {
    #[test]
    fn every_record_survives_its_line(record in record(), seq in any::<u64>()) {
        let mut bytes = Vec::new();
        Line::new(seq, None, &record).write_to(&mut bytes).unwrap();
        prop_assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
        let line = Line::parse(&bytes).unwrap();
        prop_assert_eq!(line.seq, seq);
        let is_decision = matches!(line.body, Body::Decided(_));
        let at_once = serde_json::from_slice(&bytes).ok().map(|DecidedLine(line)| line);
        prop_assert_eq!(at_once, is_decision.then(|| line.clone()));
        prop_assert_eq!(Line::parse_with_care(&bytes), Ok(line.clone()));
        prop_assert_eq!(memmem::find(&bytes, IS_DECIDED).is_some(), is_decision);
        prop_assert_eq!(line.into_record().unwrap(), record);
    }

    #[test]
    fn no_text_makes_parsing_panic(bytes in vec(any::<u8>(), 0..64)) {
        let _either: Result<Line, _> = Line::parse(&bytes);
    }
}

fn json(time: Timestamp) -> String {
    serde_json::to_string(&Time::from(time)).unwrap()
}

#[test]
fn times_are_rfc_3339_in_utc_with_milliseconds() {
    assert_eq!(json(Timestamp::from_millis(0)), r#""1970-01-01T00:00:00.000Z""#);
    assert_eq!(json(Timestamp::from_millis(1_772_357_400_125)), r#""2026-03-01T09:30:00.125Z""#);
    assert_eq!(json(Timestamp::from_millis(u64::MAX)), "18446744073709551615");
}

#[test]
fn a_time_before_the_epoch_is_refused_and_not_wrapped() {
    assert!(serde_json::from_str::<Time>(r#""1969-12-31T23:59:59.999Z""#).is_err());
    assert!(serde_json::from_str::<Time>(r#""yesterday""#).is_err());
}

#[test]
fn another_version_is_named_and_not_guessed_at() {
    for line in [
        r#"{"v":5,"seq":1,"shape":"new"}"#,
        r#"{"v":5,"seq":1,"at":"1970-01-01T00:00:00Z","kind":"lifecycle","what":"started","detail":""}"#,
    ] {
        let error = Line::parse(line.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "schema version 5 is not known to this build, which reads versions 1 to 4");
    }
}

#[test]
fn what_people_wrote_is_read_from_lines_of_older_versions_where_it_stood() {
    let line = r#"{"v":2,"seq":1,"at":"2026-03-01T09:30:00.125Z","kind":"decided","id":"d","user":"u","dry_run":false,
        "reason":"","request":{"id":"r","revision":"","user":"u","state":"PENDING","term":"short-term","roles":[],
        "resources":[],"reason":"deploy","created":"2026-03-01T09:29:59.000Z","decided_by":"nobody","resolve_reason":"so",
        "reviews":[{"author":"a","state":"DENIED","reason":"no","created":"2026-03-01T09:29:59.000Z"}],
        "suggested_reviewers":[],"annotations":{}},"evaluations":[],"enforcements":[],"locks":[],"releases":[]}"#;
    let Record::Decided(decided) = Line::parse(line.as_bytes()).unwrap().into_record().unwrap() else {
        unreachable!("it is a decision")
    };
    let request = decided.request.unwrap();
    let review = request.reviews.first().unwrap();
    assert_eq!([request.reason, request.resolve_reason, review.reason.clone()], ["deploy", "so", "no"]);
}

#[test]
fn what_stands_beside_a_decision_stands_there_once() {
    let line = r#"{"v":4,"seq":1,"at":"2026-03-01T09:30:00.125Z","kind":"decided","id":"d","user":"u","dry_run":false,
        "reason":"","evaluations":[],"enforcements":[],"locks":[],"releases":[]}"#;
    assert!(Line::parse(line.as_bytes()).is_ok());
    for (there, other) in [
        ("\"v\":4", "\"v\":5"),
        ("\"v\":4", "\"v\":4,\"v\":4"),
        ("\"seq\":1,", ""),
        ("\"seq\":1", "\"seq\":1,\"seq\":1"),
        ("\"kind\":\"decided\",", ""),
        ("\"kind\":\"decided\"", "\"kind\":\"decided\",\"kind\":\"decided\""),
        ("\"kind\":\"decided\"", "\"kind\":\"outcome\""),
        ("\"kind\":\"decided\"", "\"kind\":\"decided\",\"case\":\"lost\""),
        ("\"kind\":\"decided\"", "\"kind\":\"decided\",\"case\":7"),
        ("\"kind\":\"decided\"", "\"kind\":\"decided\",\"determined_by\":{\"rules\":[],\"by\":\"grounds\"}"),
        (
            "\"kind\":\"decided\"",
            "\"kind\":\"decided\",\"determined_by\":{\"rules\":[],\"by\":\"guard\",\"guard\":\"x\"}",
        ),
    ] {
        let other = line.replacen(there, other, 1);
        assert_ne!(other, line);
        assert!(Line::parse(other.as_bytes()).is_err(), "{other}");
        assert_eq!(Line::parse(other.as_bytes()), Line::parse_with_care(other.as_bytes()));
    }
}

#[test]
fn a_verdict_without_its_cause_is_no_record() {
    let line = r#"{"v":1,"seq":1,"at":"2026-03-01T09:30:00.125Z","kind":"decided","id":"d","user":"u","dry_run":false,
        "verdict":"approve","reason":"","evaluations":[],"enforcements":[],"locks":[],"releases":[]}"#;
    let error = Line::parse(line.as_bytes()).unwrap().into_record().unwrap_err().to_string();
    assert_eq!(error, "`verdict` without `determined_by`");
}

#[test]
fn what_people_search_for_is_at_the_top_of_the_line() {
    let because = Because::Grounds(vec![(
        PolicyName::new("cap"),
        Ground { rule: "within-cap".to_owned(), reason: "fine".to_owned() },
    )]);
    let case = Case {
        now: Timestamp::from_millis(1),
        cluster: "example.com".to_owned(),
        subject: Subject { name: UserName::new("alice"), roles: None, traits: None },
        requests: Vec::new(),
        facts: Arc::default(),
    };
    let record = Record::Decided(Box::new(Decided {
        id: DecisionId::new("d-1"),
        at: Timestamp::from_millis(1),
        user: UserName::new("alice"),
        request: None,
        decision: Some(Decision { verdict: Verdict::Approve, because }),
        evaluations: Vec::new(),
        enforcements: Vec::new(),
        locks: Vec::new(),
        releases: Vec::new(),
        reason: "fine".to_owned(),
        panel: None,
        case: Some(Arc::new(case)),
        dry_run: false,
    }));
    let mut bytes = Vec::new();
    Line::new(7, None, &record).write_to(&mut bytes).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["kind"], "decided");
    assert_eq!(json["verdict"], "approve");
    assert_eq!(json["cluster"], "example.com");
    assert_eq!(json["determined_by"]["rules"][0], "cap/within-cap");
    assert_eq!(json["at"], "1970-01-01T00:00:00.001Z");
}

#[test]
fn each_json_line_of_the_schema_page_is_a_record_and_each_kind_has_one() {
    let page = include_str!("../../SCHEMA.md");
    let mut kinds = Vec::new();
    for example in page.lines().filter(|line| line.starts_with(r#"{"v""#)) {
        let line = Line::parse(example.as_bytes()).unwrap();
        kinds.push(serde_json::to_value(&line).unwrap()["kind"].as_str().unwrap().to_owned());
        // Nothing in the example is ignored, and nothing is left out of it.
        let shown: serde_json::Value = serde_json::from_str(example).unwrap();
        assert_eq!(serde_json::to_value(&line).unwrap(), shown);
        line.into_record().unwrap();
    }
    kinds.sort();
    kinds.dedup();
    assert_eq!(kinds, ["decided", "lifecycle", "outcome"]);
}
