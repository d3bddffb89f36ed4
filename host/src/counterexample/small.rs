//! Small cases, all of them: a pending request alone, and beside one that is held. It leaves nothing to chance.

use std::time::Duration;

use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::hearing::Answers;
use tribunal_core::request::{RequestState, RequestedResource};

use super::words::{FLAGS, NOW, Words, flag, pending, request};
use super::{Counterexample, SMALL_CASES_MAX, Trial};

/// Role sets that are combined with each other; users and resources of more roles are left to chance.
const ROLE_SETS_MAX: usize = 14;
/// Resource lists that are.
const RESOURCE_LISTS_MAX: usize = 18;

/// What was found, and whether all small cases were tried.
pub(super) fn search<A: Answers>(
    trial: &mut Trial<'_, A>,
    over: &mut impl FnMut() -> bool,
) -> (Option<Counterexample>, bool) {
    let words = trial.search.words;
    let (share, of) = trial.search.share;
    for (number, case) in cases(words).take(SMALL_CASES_MAX).enumerate() {
        if number % of.max(1) != share {
            continue;
        }
        if let Some(found) = trial.check(&case) {
            return (Some(found), false);
        }
        if over() {
            return (None, false);
        }
    }
    (None, true)
}

type Shape = (Vec<String>, Vec<RequestedResource>);

fn cases(words: &Words) -> impl Iterator<Item = Case> {
    let shapes = shapes(words);
    let asks = |shape: &Shape| shaped(pending(Duration::ZERO), shape);
    let holds =
        |shape: &Shape| shaped(request("held-1", RequestState::Approved, NOW.before(Duration::from_secs(60))), shape);
    let mut cases: Vec<Vec<CaseRequest>> = shapes.iter().map(|asked| vec![asks(asked)]).collect();
    // What is about a held request matters where something is held: the first shapes are enough for that.
    for held in &shapes {
        for which in 0..FLAGS {
            for asked in shapes.iter().take(RESOURCE_LISTS_MAX) {
                let mut held = holds(held);
                flag(&mut held, which);
                cases.push(vec![held, asks(asked)]);
            }
        }
    }
    let flagged = cases.len();
    let room = SMALL_CASES_MAX.saturating_sub(flagged);
    let pairs = shapes.iter().flat_map(|held| shapes.iter().map(move |asked| (held, asked)));
    cases.extend(pairs.take(room).map(|(held, asked)| vec![holds(held), asks(asked)]));
    cases.into_iter().map(|requests| words.case(requests))
}

fn shaped(mut entry: CaseRequest, (roles, resources): &Shape) -> CaseRequest {
    entry.request.roles.clone_from(roles);
    entry.request.resources.clone_from(resources);
    entry
}

fn shapes(words: &Words) -> Vec<Shape> {
    let roles = role_sets(words);
    let lists = resource_lists(words);
    roles.iter().flat_map(|roles| lists.iter().map(|list| (roles.clone(), list.clone()))).collect()
}

/// Each role alone, then pairs.
fn role_sets(words: &Words) -> Vec<Vec<String>> {
    let pairs = words.roles.iter().enumerate().flat_map(|(place, first)| {
        words.roles.iter().skip(place + 1).map(|second| vec![first.clone(), second.clone()])
    });
    words.roles.iter().map(|role| vec![role.clone()]).chain(pairs).take(ROLE_SETS_MAX).collect()
}

/// None; the first so many; the last so many; the first beside each of the others.
fn resource_lists(words: &Words) -> Vec<Vec<RequestedResource>> {
    let all = &words.resources;
    let most = words.most.min(all.len());
    let firsts = (1..=most).map(|count| all.iter().take(count).cloned().collect());
    let lasts = (1..=most).map(|count| all.iter().rev().take(count).cloned().collect());
    let pairs = all.iter().skip(1).map(|other| all.iter().take(1).chain([other]).cloned().collect());
    let mut lists: Vec<Vec<RequestedResource>> = Vec::new();
    for list in std::iter::once(Vec::new()).chain(firsts).chain(lasts).chain(pairs) {
        if lists.len() < RESOURCE_LISTS_MAX && !lists.contains(&list) {
            lists.push(list);
        }
    }
    lists
}
