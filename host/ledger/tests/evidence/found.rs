//! Records as people look for them, and as they prove them to others. It must never find what was not asked for.

use std::fs;

use tribunal_ledger::schema::{Body, Verdict};
use tribunal_ledger::{Decisions, Filter, Match, Proof, ProofError, ReadError, Wanted, decisions, prove, search, show};
use tribunal_ports::Ledger as _;

use crate::made;
use crate::place::{Place, by_nobody};

const RECORDS: usize = 100;

fn ids(place: &Place, filter: &Filter) -> Vec<String> {
    search(place.path(), filter).unwrap().map(|found| found.unwrap().id).collect()
}

#[tokio::test]
async fn decisions_are_found_by_user_request_rule_plugin_verdict_and_time() {
    let place = Place::with(RECORDS).await;
    let all: Vec<u64> = (0..).take_while(|number| ids_of(*number) < RECORDS).collect();
    let of = |keep: &dyn Fn(u64) -> bool| -> Vec<String> {
        all.iter().copied().filter(|number| keep(*number)).map(made::decision_id).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let base = Filter::default();
    let denied = |number: u64| made::verdict(number) == tribunal_core::decision::Verdict::Deny;
    let left = |number: u64| made::verdict(number) == tribunal_core::decision::Verdict::Leave;
    assert_eq!(ids(&place, &base), of(&|_| true));
    assert_eq!(ids(&place, &Filter { user: some("user-7"), ..base.clone() }), of(&|number| number == 7));
    assert_eq!(ids(&place, &Filter { user: some("user-"), ..base.clone() }), of(&|_| false));
    let request = Some(made::request_id(9));
    assert_eq!(ids(&place, &Filter { request, ..base.clone() }), of(&|number| number == 9));
    assert_eq!(ids(&place, &Filter { rule: some("cap/over-cap"), ..base.clone() }), of(&denied));
    assert_eq!(ids(&place, &Filter { rule: some("over-cap"), ..base.clone() }), of(&denied));
    assert_eq!(ids(&place, &Filter { plugin: some("cap"), ..base.clone() }), of(&|number| !left(number)));
    assert_eq!(ids(&place, &Filter { plugin: some("separation"), ..base.clone() }), of(&|_| false));
    assert_eq!(ids(&place, &Filter { verdict: Some(Verdict::Leave), ..base.clone() }), of(&left));
    let (since, until) = (Some(made::at(10).into()), Some(made::at(20).into()));
    assert_eq!(ids(&place, &Filter { since, until, ..base.clone() }), of(&|number| (10..20).contains(&number)));
    let both = Filter { verdict: Some(Verdict::Deny), since, ..base };
    assert_eq!(ids(&place, &both), of(&|number| denied(number) && number >= 10));
}

/// At which record a decision is.
fn ids_of(number: u64) -> usize {
    (0..number).map(|before| 1 + usize::from(made::outcome(before).is_some())).sum()
}

#[tokio::test]
async fn decisions_are_found_from_either_end_however_many_segments_there_are() {
    let place = Place::with(5 * RECORDS).await;
    assert!(place.segment(12).is_file(), "more than are searched at once, from either end");
    let found = || search(place.path(), &Filter::default()).unwrap().map(Result::unwrap);
    let forward: Vec<String> = found().map(|found| found.id).collect();
    let all = (0..).take_while(|number| ids_of(*number) < 5 * RECORDS);
    assert_eq!(forward, all.map(made::decision_id).collect::<Vec<_>>());
    let mut backward: Vec<String> = found().rev().map(|found| found.id).collect();
    backward.reverse();
    assert_eq!(backward, forward);
    let (mut both, mut newest, mut left) = (Vec::new(), Vec::new(), found());
    while let Some(oldest) = left.next() {
        both.push(oldest.id);
        newest.extend(left.next_back().map(|found| found.id));
        newest.extend(left.next_back().map(|found| found.id));
    }
    both.extend(newest.into_iter().rev());
    assert_eq!(both, forward);
}

#[tokio::test]
async fn what_is_damaged_ends_a_search_and_what_lies_before_it_is_found() {
    let place = Place::with(5 * RECORDS).await;
    let path = place.segment(7);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"kind\":\"decided\"", "\"kind\":\"decided\",,", 1)).unwrap();
    let all = || search(place.path(), &Filter::default()).unwrap();
    let ends = |found: Vec<Result<Match, ReadError>>| {
        let good = found.iter().take_while(|found| found.is_ok()).count();
        assert!(good > 0 && good + 1 == found.len(), "{good} of {}", found.len());
        assert!(matches!(&found[good], Err(ReadError::Damage { path: at, .. }) if *at == path));
    };
    ends(all().collect());
    ends(all().rev().collect());
    let newest: Vec<String> = all().rev().take(3).map(|found| found.unwrap().id).collect();
    assert_eq!(newest.len(), 3);
}

#[tokio::test]
async fn a_record_is_shown_with_its_case_its_panel_and_what_became_of_it() {
    let place = Place::with(RECORDS).await;
    let shown = show(place.path(), &Wanted::Decision(made::decision_id(33))).unwrap().unwrap();
    assert_eq!((shown.outcomes.len(), shown.lacking.as_slice()), (1, [].as_slice()));
    let names: Vec<String> = shown.panel.unwrap().policies.into_iter().map(|policy| policy.policy).collect();
    assert_eq!(names, ["separation", "cap"]);
    assert_eq!(by_nobody(shown.record.clone().into_record().unwrap()), made::decided(33));
    let Body::Decided(decided) = &shown.record.body else { panic!("no decision") };
    assert_eq!(decided.case.as_ref().and_then(|case| case.inline()).map(|case| case.requests.len()), Some(2));
    let text = std::fs::read_to_string(&shown.segment).unwrap();
    let line = text.lines().nth(usize::try_from(shown.line).unwrap() - 1).unwrap();
    assert_eq!(line.as_bytes(), shown.bytes);

    let again = show(place.path(), &Wanted::Record(shown.record.seq)).unwrap().unwrap();
    assert_eq!(again.record, shown.record);
    assert_eq!(show(place.path(), &Wanted::Decision("nobody".to_owned())).unwrap(), None);
    assert_eq!(show(place.path(), &Wanted::Record(4_711)).unwrap(), None);
}

#[tokio::test]
async fn every_record_is_proven_by_a_file_that_needs_the_key_and_nothing_else() {
    let place = Place::with(RECORDS).await;
    let key = place.key();
    for seq in 1..=RECORDS as u64 {
        let shown = show(place.path(), &Wanted::Record(seq)).unwrap().unwrap();
        let proof = prove(place.path(), &key, shown.record.seq, &shown.bytes).unwrap();
        let read = Proof::parse(&proof.to_string()).unwrap();
        assert_eq!(read, proof);
        let proven = read.check(&key).unwrap();
        assert_eq!((proven.record, proven.index), (shown.bytes, shown.record.seq - 1));
        assert_eq!(proven.checkpoint.size, RECORDS as u64);
    }
    assert!(matches!(prove(place.path(), &key, 101, b""), Err(ProofError::NotYet(101))));
    assert!(matches!(prove(place.path(), &key, 7, b"{}"), Err(ProofError::Altered)));
}

#[tokio::test]
async fn any_bit_that_changes_spoils_a_proof() {
    let place = Place::with(9).await;
    let key = place.key();
    let shown = show(place.path(), &Wanted::Record(5)).unwrap().unwrap();
    let text = prove(place.path(), &key, 5, &shown.bytes).unwrap().to_string();
    for at in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[at / 8] ^= 1 << (at % 8);
        let spoilt = String::from_utf8(bytes).ok().and_then(|text| Proof::parse(&text).ok());
        assert!(spoilt.is_none_or(|proof| proof.check(&key).is_err()), "bit {at}");
    }
    let other = Place::with(9).await.key();
    assert!(matches!(Proof::parse(&text).unwrap().check(&other), Err(ProofError::Checkpoint(_))));
}

#[tokio::test]
async fn what_is_being_written_is_found_and_verified_beside_the_writer() {
    let place = Place::with(10).await;
    let (ledger, _) = place.open();
    for number in 1_000..1_100 {
        ledger.append(made::decided(number)).await.unwrap();
        if number % 20 == 0 {
            assert_eq!(place.findings(), []);
            let user = Some(made::user(number));
            assert_eq!(
                ids(&place, &Filter { user, since: Some(made::at(1_000).into()), ..Filter::default() }),
                [made::decision_id(number)]
            );
        }
    }
}

#[tokio::test]
async fn what_comes_while_decisions_are_taken_elsewhere_waits_for_the_next_time() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let of = |number: u64| [Some(made::decided(number)), made::outcome(number)].into_iter().flatten();
    let with_outcome: Vec<u64> = (0..).filter(|number| made::outcome(*number).is_some()).take(4).collect();
    let (before, after) = with_outcome.split_at(2);
    for record in before.iter().copied().flat_map(of) {
        ledger.append(record).await.unwrap();
    }
    let first = decisions(place.path(), &Filter::default()).unwrap();
    for record in after.iter().copied().flat_map(of) {
        ledger.append(record).await.unwrap();
    }
    let taken = |found: Decisions| found.map(|found| found.unwrap().outcomes.len()).collect::<Vec<_>>();
    assert_eq!(taken(first), [1, 1], "none without what became of it");
    assert_eq!(taken(decisions(place.path(), &Filter::default()).unwrap()), [1, 1, 1, 1]);
}

#[tokio::test]
async fn a_decision_refers_to_the_panel_that_made_it() {
    let place = Place::new();
    let (ledger, _) = place.open();
    let panel = ledger.store(made::panel(3_000)).unwrap();
    let mut other = made::panel(3_000);
    other.policies[1].settings = "{}".to_owned();
    let other = ledger.store(other).unwrap();
    // The one that is stored last is not the one that decides last.
    ledger.append(made::by(&other, made::decided(3))).await.unwrap();
    ledger.append(made::by(&panel, made::decided(1))).await.unwrap();
    drop(ledger);
    let settings = |number| {
        let shown = show(place.path(), &Wanted::Decision(made::decision_id(number))).unwrap().unwrap();
        shown.panel.unwrap().policies[1].settings.sha256
    };
    assert_eq!(settings(3), tribunal_ledger::Digest::of(b"{}"));
    assert_ne!(settings(1), settings(3));
    assert_eq!(place.findings(), []);
}
