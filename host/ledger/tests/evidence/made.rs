//! Records like those of a real cluster, made by number: the same number makes the same record. It must never be random.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest, Fact};
use tribunal_core::decision::{Because, Decision, Verdict};
use tribunal_core::opinion::{Effect, Evaluation, Ground, Member, Mode, Opinion, PanelId, PolicyName};
use tribunal_core::record::{Decided, DecisionId, Outcome, Record, Step, StepResult};
use tribunal_core::request::{
    AccessRequest, Attributes, Decider, RequestId, RequestKind, RequestState, RequestedResource, Subject, UserName,
};
use tribunal_ledger::{PanelParts, PolicyParts};

/// How many users there are.
pub(crate) const USERS: u64 = 1_000;
/// A day in March 2026.
const BEGIN_MS: u64 = 1_772_357_400_000;
/// Between two records.
const STEP_MS: u64 = 20;

/// When the record of this number is made.
pub(crate) fn at(number: u64) -> Timestamp {
    Timestamp::from_millis(BEGIN_MS + number * STEP_MS)
}

pub(crate) fn user(number: u64) -> String {
    format!("user-{}", number % USERS)
}

pub(crate) fn request_id(number: u64) -> String {
    format!("5f1c7f0e-0f6b-4b57-8a54-{number:012x}")
}

pub(crate) fn decision_id(number: u64) -> String {
    format!("18f3a-{number}")
}

/// The verdict of the decision of this number.
pub(crate) const fn verdict(number: u64) -> Verdict {
    match number % 10 {
        0 => Verdict::Deny,
        2 => Verdict::Leave,
        _ => Verdict::Approve,
    }
}

fn member(name: &str) -> Member {
    let effects = [Effect::Approve, Effect::Deny, Effect::Lock].into_iter().collect();
    Member { name: PolicyName::new(name), effects, mode: Mode::Enforce }
}

fn request(number: u64, state: RequestState) -> AccessRequest {
    let resource = |place: u64| RequestedResource {
        cluster: "example.com".to_owned(),
        kind: "node".to_owned(),
        name: format!("web-{}", (number + place) % 97),
        sub_resource: String::new(),
        labels: Some(BTreeMap::from([("env".to_owned(), vec!["staging".to_owned()])])),
        constraints: None,
    };
    AccessRequest {
        id: RequestId::new(request_id(number)),
        revision: format!("{number:x}"),
        user: UserName::new(user(number)),
        state,
        kind: RequestKind::ShortTerm,
        roles: vec!["node-access".to_owned()],
        resources: (0..2).map(resource).collect(),
        reason: format!("deploy {number}"),
        created: at(number),
        access_starts: None,
        access_expires: Some(Timestamp::from_millis(at(number).as_millis() + 28_800_000)),
        request_expires: None,
        decided_by: Decider::Nobody,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    }
}

fn case(number: u64) -> Case {
    let shown = |request| Arc::new(CaseRequest { request, locks: Vec::new() });
    Case {
        now: at(number),
        cluster: "example.com".to_owned(),
        subject: Subject {
            name: UserName::new(user(number)),
            roles: Some(vec!["requester".to_owned()]),
            traits: Some(BTreeMap::from([("logins".to_owned(), vec![user(number)])])),
        },
        requests: vec![
            shown(request(number + 1_000_000_000, RequestState::Approved)),
            shown(request(number, RequestState::Pending)),
        ],
        facts: vec![Fact {
            name: "on-call".to_owned(),
            json: format!(r#"{{"week":{},"people":["alice","bob"]}}"#, number / 50),
            fetched: at(number / 50 * 50),
            fresh: true,
        }]
        .into(),
    }
}

/// The decision of this number.
pub(crate) fn decided(number: u64) -> Record {
    let ground = |rule: &str| Ground { rule: rule.to_owned(), reason: "complies with access policies".to_owned() };
    let rule = match verdict(number) {
        Verdict::Deny => "over-cap",
        Verdict::Approve | Verdict::Leave | Verdict::Nothing => "within-cap",
    };
    let opinion = match verdict(number) {
        Verdict::Approve => Opinion::Approve(ground(rule)),
        Verdict::Deny => Opinion::Deny(vec![ground(rule)]),
        Verdict::Leave | Verdict::Nothing => Opinion::Abstain,
    };
    let because = match verdict(number) {
        Verdict::Approve | Verdict::Deny => Because::Grounds(vec![(PolicyName::new("cap"), ground(rule))]),
        Verdict::Leave | Verdict::Nothing => Because::Silence,
    };
    Record::Decided(Box::new(Decided {
        id: DecisionId::new(decision_id(number)),
        at: at(number),
        user: UserName::new(user(number)),
        request: Some(request(number, RequestState::Pending)),
        decision: Some(Decision { verdict: verdict(number), because }),
        evaluations: vec![
            Evaluation { member: member("separation"), answer: Ok(Opinion::Abstain) },
            Evaluation { member: member("cap"), answer: Ok(opinion) },
        ],
        enforcements: Vec::new(),
        locks: Vec::new(),
        releases: Vec::new(),
        reason: "complies with access policies".to_owned(),
        panel: None,
        case: Some(Arc::new(case(number))),
        dry_run: false,
    }))
}

/// What became of the decision of this number, if anything follows from it.
pub(crate) fn outcome(number: u64) -> Option<Record> {
    let request = RequestId::new(request_id(number));
    let step = match verdict(number) {
        Verdict::Approve => Step::Approve(request),
        Verdict::Deny => Step::Deny(request),
        Verdict::Leave | Verdict::Nothing => return None,
    };
    let decision = DecisionId::new(decision_id(number));
    Some(Record::Outcome(Outcome { decision, at: at(number), step, result: StepResult::Applied }))
}

/// The record, if a decision, as made by this panel.
pub(crate) fn by(panel: &PanelId, record: Record) -> Record {
    match record {
        Record::Decided(decided) => Record::Decided(Box::new(Decided { panel: Some(panel.clone()), ..*decided })),
        Record::Outcome(_) | Record::Lifecycle { .. } => record,
    }
}

/// Decisions and outcomes, without end.
pub(crate) fn records() -> impl Iterator<Item = Record> {
    (0..).flat_map(|number| [Some(decided(number)), outcome(number)]).flatten()
}

/// A panel of two plugins, each so many bytes long.
pub(crate) fn panel(bytes: usize) -> PanelParts {
    let policy = |name: &str, seed: usize| PolicyParts {
        member: member(name),
        version: "0.1.0".to_owned(),
        wasm: (0..bytes).map(|place| u8::try_from((place * seed) % 251).unwrap_or(0)).collect(),
        settings: format!(r#"{{"policy":"{name}"}}"#),
        limits: BTreeMap::from([("deadline_ms".to_owned(), 50)]),
    };
    PanelParts { host: "0.1.0".to_owned(), policies: vec![policy("separation", 7), policy("cap", 13)] }
}
