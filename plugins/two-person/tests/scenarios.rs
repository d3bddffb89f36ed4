//! The policy `two-person` on reviews that people and machines give.
//! It must never look inside of the policy: settings and a case go in, an answer comes out.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{
    CaseBuilder, NOW_MS, RequestBuilder, case, configure, faults_of_description, faults_of_opinion, pending,
};
use tribunal_two_person::{APPROVALS_MISSING, ENOUGH_APPROVED, REVIEWERS_NOT_KNOWN, SOMEBODY_DENIED, TwoPerson};

const TWO: &str = r#"{"approvals": 2, "when-met": "approve"}"#;
const LEADS: &str = r#"{"reviewer-roles": ["lead-*"], "other-team": true, "when-met": "approve"}"#;
const PEOPLE: &str = r#"{
    "alice": {"team": "db"},
    "bob": {"roles": ["lead-db"], "team": "db"},
    "carol": {"roles": ["lead-web"], "team": "web", "phone": 7},
    "dave": {"roles": ["dev"], "team": "web"},
    "erin": {"roles": ["lead-web"]}
}"#;

fn review_with(settings: &str, case: CaseBuilder) -> Opinion {
    let case = case.build();
    let opinion = configure::<TwoPerson>(settings).unwrap().review(&case, case.find("new").unwrap());
    assert_eq!(faults_of_opinion(&TwoPerson::describe(), &opinion), [""; 0]);
    opinion
}

fn review(settings: &str, request: RequestBuilder) -> Opinion {
    review_with(settings, case("alice").request(request))
}

fn asks() -> RequestBuilder {
    pending("new").roles(["prod-db"])
}

fn yes(request: RequestBuilder, author: &str) -> RequestBuilder {
    request.review(author, RequestState::Approved, "")
}

fn rule(opinion: &Opinion) -> &str {
    match opinion {
        Opinion::Approve(ground) | Opinion::Escalate(ground) => &ground.rule,
        Opinion::Abstain | Opinion::Deny(_) => "",
    }
}

#[test]
fn the_description_keeps_the_contract() {
    assert_eq!(faults_of_description(&TwoPerson::describe()), [""; 0]);
}

#[test]
fn people_are_asked_until_enough_have_approved() {
    let reason = "This needs 2 approvals by people other than the requester; nobody whose approval counts has approved yet: ask \
                  for 2 more approvals";
    assert_eq!(review(TWO, asks()), escalate(APPROVALS_MISSING, reason));
    let reason = "This needs 2 approvals by people other than the requester; `bob` approved: ask for 1 more approval";
    assert_eq!(review(TWO, yes(asks(), "bob")), escalate(APPROVALS_MISSING, reason));
    let both = yes(yes(asks(), "bob"), "carol");
    assert_eq!(review(TWO, both.clone()), approve(ENOUGH_APPROVED, "Approved by `bob`, `carol`, as needed"));
    assert_eq!(review(r#"{"approvals": 2}"#, both), abstain());
}

#[test]
fn the_requester_machines_and_the_same_person_twice_do_not_count() {
    for other in ["alice", "bot-helper", "bob", ""] {
        assert_eq!(rule(&review(TWO, yes(yes(asks(), "bob"), other))), APPROVALS_MISSING, "{other}");
    }
}

/// Whoever makes a request writes what is in it; a review that is no younger may be a part of that.
#[test]
fn a_review_that_was_there_with_the_request_does_not_count() {
    let one = r#"{"when-met": "approve"}"#;
    let at = |created: u64| {
        let mut case = case("alice").request(yes(asks(), "bob")).build();
        for request in &mut case.requests {
            request.created = NOW_MS - 10;
            request.reviews.iter_mut().for_each(|review| review.created = created);
        }
        rule(&configure::<TwoPerson>(one).unwrap().review(&case, case.find("new").unwrap())).to_owned()
    };
    assert_eq!([at(NOW_MS - 11), at(NOW_MS - 10), at(NOW_MS + 1)], [APPROVALS_MISSING; 3]);
    assert_eq!([at(NOW_MS - 9), at(NOW_MS)], [ENOUGH_APPROVED; 2]);
}

#[test]
fn a_denial_is_for_people_to_weigh() {
    let torn = yes(yes(asks(), "bob"), "carol").review("dave", RequestState::Denied, "no");
    assert_eq!(review(TWO, torn), escalate(SOMEBODY_DENIED, "`dave` denied this: people decide whether that stands"));
    let by_bot = yes(yes(asks(), "bob"), "carol").review("bot-x", RequestState::Denied, "no");
    assert_eq!(rule(&review(TWO, by_bot)), ENOUGH_APPROVED);
}

#[test]
fn only_named_reviewers_count_where_some_are_named() {
    let named = r#"{"reviewers": ["lead-*"], "when-met": "approve"}"#;
    assert_eq!(rule(&review(named, yes(asks(), "bob"))), APPROVALS_MISSING);
    assert_eq!(rule(&review(named, yes(asks(), "lead-bob"))), ENOUGH_APPROVED);
}

#[test]
fn reviewers_are_known_by_role_and_team() {
    let by = |author: &str| {
        let opinion = review_with(LEADS, case("alice").fact("people", PEOPLE).request(yes(asks(), author)));
        rule(&opinion).to_owned()
    };
    assert_eq!(by("carol"), ENOUGH_APPROVED);
    // Of her own team; no lead; of no known team; not known at all.
    assert_eq!(["bob", "dave", "erin", "mallory"].map(by), [APPROVALS_MISSING; 4]);
}

#[test]
fn without_the_fact_about_reviewers_nobody_is_believed() {
    let asked = || yes(asks(), "carol");
    assert_eq!(rule(&review(LEADS, asked())), REVIEWERS_NOT_KNOWN);
    let mut stale = case("alice").fact("people", PEOPLE).request(asked()).build();
    stale.facts.iter_mut().for_each(|fact| fact.fresh = false);
    let opinion = configure::<TwoPerson>(LEADS).unwrap().review(&stale, stale.find("new").unwrap());
    assert_eq!(rule(&opinion), REVIEWERS_NOT_KNOWN);
    for damaged in ["null", "[]", r#"{"carol": {"roles": "lead-web"}}"#, r#"{"carol": {}, "carol": {}}"#] {
        let opinion = review_with(LEADS, case("alice").fact("people", damaged).request(asked()));
        assert_eq!(rule(&opinion), REVIEWERS_NOT_KNOWN, "{damaged}");
    }
}

#[test]
fn what_needs_nobody_is_left_to_others() {
    assert_eq!(review(r#"{"only": [{"roles": ["lab-*"]}]}"#, asks()), abstain());
    assert_eq!(review(r#"{"unless-marked": "BREAK-GLASS"}"#, asks().reason("BREAK-GLASS down")), abstain());
}

#[test]
fn a_number_of_approvals_that_makes_no_sense_is_refused() {
    for approvals in [0, 17] {
        assert_eq!(
            configure::<TwoPerson>(&format!(r#"{{"approvals": {approvals}}}"#)).map(|_policy| ()).unwrap_err(),
            [format!("`approvals` is {approvals}: it has to be 1 to 16")]
        );
    }
}

proptest! {
    #[test]
    fn it_approves_exactly_if_enough_different_people_said_yes_and_nobody_no(
        reviews in prop::collection::vec((prop::sample::select(vec!["alice", "bob", "carol", "dave", "bot-x"]), any::<bool>()), 0..6),
        wanted in 1..4_usize,
    ) {
        let request = reviews.iter().fold(asks(), |request, (author, approves)| {
            request.review(author, if *approves { RequestState::Approved } else { RequestState::Denied }, "")
        });
        let counts = |author: &str| author != "alice" && author != "bot-x";
        let mut yes: Vec<&str> = reviews.iter().filter(|(author, approves)| counts(author) && *approves).map(|(author, _)| *author).collect();
        yes.sort_unstable();
        yes.dedup();
        let no = reviews.iter().any(|(author, approves)| counts(author) && !approves);
        let opinion = review(&format!(r#"{{"approvals": {wanted}, "when-met": "approve"}}"#), request);
        prop_assert_eq!(matches!(opinion, Opinion::Approve(_)), yes.len() >= wanted && !no);
    }
}
