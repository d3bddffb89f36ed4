//! A ledger taken in pieces, as many threads take it. It must never say anything else than reading it from end to end does.

use std::fs;
use std::io::Write;

use tribunal_ledger::schema::{Body, Line, Request, Verdict};
use tribunal_ledger::{Filter, ReadError, chunks, read_all, search};

use crate::place::Place;

const RECORDS: usize = 200;

fn pieces(place: &Place, filter: &Filter) -> Vec<Result<Line, ReadError>> {
    let (chunks, mut found, mut bytes) = (chunks(place.path()).unwrap(), Vec::new(), 0);
    while let Some(chunk) = chunks.next().unwrap() {
        bytes += chunk.bytes();
        chunk.decisions(filter, |text, line| {
            if let Ok(line) = &line {
                assert!(String::from_utf8_lossy(text).contains(&format!("\"seq\":{},", line.seq)));
            }
            found.push(line);
        });
    }
    assert!(bytes <= chunks.bytes());
    found
}

fn request(line: &Line) -> Option<&Request> {
    let Body::Decided(decided) = &line.body else { return None };
    decided.request.as_ref()
}

/// What people wrote about the request itself is not read with a piece: the case has it.
fn without_words(mut line: Line) -> Line {
    if let Body::Decided(decided) = &mut line.body
        && let Some(request) = &mut decided.request
    {
        (request.reason, request.resolve_reason, request.words) = (String::new(), String::new(), None);
        request.reviews.iter_mut().for_each(|review| review.reason.clear());
    }
    line
}

#[tokio::test]
async fn pieces_are_the_decisions_of_the_whole_with_their_cases() {
    let place = Place::with(RECORDS).await;
    assert!(place.segment(3).is_file(), "several segments");
    let whole: Vec<Line> = read_all(place.path()).unwrap();
    let decisions = whole.into_iter().filter(|line| matches!(line.body, Body::Decided(_)));
    let decisions: Vec<Line> = decisions.map(without_words).collect();
    // What is being written, or was torn by a crash, is not there yet.
    let last = (1..).take_while(|number| place.segment(*number).is_file()).last().unwrap();
    fs::OpenOptions::new().append(true).open(place.segment(last)).unwrap().write_all(b"{\"v\":2,\"seq\":9").unwrap();
    let found: Vec<Line> = pieces(&place, &Filter::default()).into_iter().map(Result::unwrap).collect();
    assert!(found.iter().any(|line| request(line).is_some_and(|request| request.words.is_some())), "words stay stored");
    assert_eq!(found.into_iter().map(without_words).collect::<Vec<_>>(), decisions);
    for filter in [
        Filter { user: Some("user-7".to_owned()), ..Filter::default() },
        Filter { verdict: Some(Verdict::Deny), ..Filter::default() },
        Filter { rule: Some("within-cap".to_owned()), ..Filter::default() },
    ] {
        let listed: Vec<u64> = search(place.path(), &filter).unwrap().map(|found| found.unwrap().seq).collect();
        let found: Vec<u64> = pieces(&place, &filter).into_iter().map(|line| line.unwrap().seq).collect();
        assert_eq!((found, listed.is_empty()), (listed, false));
    }
}

#[tokio::test]
async fn a_case_that_was_replaced_spoils_its_own_decision_and_no_other() {
    let place = Place::with(RECORDS).await;
    let pack = place.segment(1).with_extension("pack");
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&pack, bytes).unwrap();
    let found = pieces(&place, &Filter::default());
    let spoilt = found.iter().filter(|line| line.is_err()).count();
    assert!(spoilt >= 1 && spoilt < found.len() / 2, "{spoilt} of {}", found.len());
    fs::remove_file(&pack).unwrap();
    let without = pieces(&place, &Filter::default());
    let lacking = without.iter().filter_map(|line| line.as_ref().err()).map(ToString::to_string);
    assert!(lacking.clone().count() > spoilt && lacking.clone().all(|why| why.contains("it is missing")));
}
