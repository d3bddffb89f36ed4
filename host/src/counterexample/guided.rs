//! Larger cases by chance: anew, or one that once got an answer of a new kind, with something about it changed. The same
//! seed tries the same cases.

use std::collections::BTreeMap;
use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::hearing::{Answers, Hearing};
use tribunal_core::opinion::{Fault, Opinion};
use tribunal_core::request::RequestState;

use super::chance::Chance;
use super::words::{FLAGS, Words, flag};
use super::{Counterexample, Trial};

/// Cases that are kept, one of each kind of answer.
const KEPT_MAX: usize = 4_096;
/// Held requests of a case.
const HELD_MAX: usize = 9;
/// Orders and requests are told apart up to this number.
const TOLD_APART_MAX: usize = 6;

/// Searches until it is over: what was found, and how many kinds of answers there were.
pub(super) fn search<A: Answers>(
    trial: &mut Trial<'_, A>,
    over: &mut impl FnMut() -> bool,
) -> (Option<Counterexample>, usize) {
    let words = trial.search.words;
    let share = u64::try_from(trial.search.share.0).unwrap_or(0);
    let mut chance = Chance::new(trial.search.seed.wrapping_add(share.wrapping_mul(0x9e37_79b9)));
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut kept: Vec<Case> = Vec::new();
    while !over() {
        let case = match chance.one_of(&kept) {
            Some(known) if !chance.once_in(3) => changed(known.clone(), words, &mut chance),
            Some(_) | None => anew(words, &mut chance),
        };
        let Some((request, hearing, broken)) = trial.hear(&case) else { continue };
        if let Some(broken) = broken {
            return (Some(Counterexample { case, request, broken, hearing }), kinds.len());
        }
        let seen = kinds.entry(kind(&case, &hearing)).or_default();
        *seen += 1;
        if *seen == 1 && kept.len() < KEPT_MAX {
            kept.push(case);
        }
    }
    (None, kinds.len())
}

/// What tells an answer from others: who said what by which rules, how many locks are ordered, how much is held.
fn kind(case: &Case, hearing: &Hearing) -> String {
    let opinion = |answer: &Result<Opinion, Fault>| match answer {
        Ok(opinion) => {
            let rules: Vec<&str> = opinion.grounds().iter().map(|ground| ground.rule.as_str()).collect();
            format!("{}:{}", opinion.word(), rules.join("+"))
        }
        Err(fault) => fault.kind.as_str().to_owned(),
    };
    let opinions: Vec<String> = hearing.evaluations.iter().map(|said| opinion(&said.answer)).collect();
    let mut rules: Vec<String> =
        hearing.orders.iter().map(|(policy, order)| format!("{policy}/{}", order.ground.rule)).collect();
    rules.sort();
    rules.truncate(TOLD_APART_MAX);
    let held = case.requests.iter().filter(|entry| entry.request.is_granted(case.now)).count().min(TOLD_APART_MAX);
    format!("{} | {} | {held}", opinions.join(","), rules.join(","))
}

fn anew(words: &Words, chance: &mut Chance) -> Case {
    let most = if chance.once_in(3) { HELD_MAX } else { 4 };
    let held = chance.below(most);
    let mut requests: Vec<_> = (0..held).map(|number| words.any_held(chance, number)).collect();
    requests.push(words.any_pending(chance));
    let mut case = words.case(requests);
    about_the_subject(&mut case, words, chance);
    case.facts = words.any_facts(chance);
    case
}

fn about_the_subject(case: &mut Case, words: &Words, chance: &mut Chance) {
    case.subject.roles = match chance.below(6) {
        0 => None,
        1 => Some(words.any_roles(chance)),
        _ => Some(Vec::new()),
    };
}

/// The same case, with one to three things about it changed.
fn changed(mut case: Case, words: &Words, chance: &mut Chance) -> Case {
    for _ in 0..=chance.below(3) {
        let number = chance.below(case.requests.len());
        match chance.below(9) {
            0 if case.requests.len() <= HELD_MAX => {
                let free =
                    (0..).find(|n| !case.requests.iter().any(|it| it.request.id.as_str() == format!("held-{n}")));
                case.requests.push(Arc::new(words.any_held(chance, free.unwrap_or(0))));
            }
            1 => {
                let pending = case.requests.get(number).is_some_and(|it| it.request.state == RequestState::Pending);
                if !pending {
                    case.requests.remove(number);
                }
            }
            2 => about_the_subject(&mut case, words, chance),
            3 => case.facts = words.any_facts(chance),
            4 => share_a_resource(&mut case, chance),
            what => {
                let Some(entry) = case.requests.get_mut(number).map(Arc::make_mut) else { continue };
                match what {
                    5 => entry.request.roles = words.any_roles(chance),
                    6 => entry.request.resources = words.any_resources(chance),
                    7 => {
                        let more = chance.one_of(&words.resources).filter(|it| !entry.request.resources.contains(it));
                        entry.request.resources.extend(more.cloned());
                    }
                    _ if entry.request.state == RequestState::Approved => flag(entry, chance.below(FLAGS)),
                    _ => {}
                }
            }
        }
    }
    case.requests.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
    case
}

/// A resource of one request is asked for in another one, too.
fn share_a_resource(case: &mut Case, chance: &mut Chance) {
    let from = chance.below(case.requests.len());
    let shared = case.requests.get(from).and_then(|it| chance.one_of(&it.request.resources)).cloned();
    let to = chance.below(case.requests.len());
    if let (Some(shared), Some(entry)) = (shared, case.requests.get_mut(to).map(Arc::make_mut))
        && !entry.request.resources.contains(&shared)
    {
        entry.request.resources.push(shared);
    }
}
