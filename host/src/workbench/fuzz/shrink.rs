//! Makes a case smaller for as long as it still shows what it shows. It never makes one larger.

use std::sync::Arc;

use tribunal_core::case::{Case, CaseRequest};

/// Smaller cases that are tried in all.
const TRIES_MAX: usize = 2_000;

/// A change that makes a request say less.
type Less = fn(&mut CaseRequest);

const LESS: [Less; 14] = [
    |entry| entry.locks.clear(),
    |entry| entry.request.reviews.clear(),
    |entry| entry.request.annotations.clear(),
    |entry| entry.request.suggested_reviewers.clear(),
    |entry| entry.request.resources.clear(),
    |entry| entry.request.roles.clear(),
    |entry| drop(entry.request.resources.pop()),
    |entry| drop(entry.request.roles.pop()),
    |entry| entry.request.reason.clear(),
    |entry| entry.request.resolve_reason.clear(),
    |entry| entry.request.access_starts = None,
    |entry| entry.request.request_expires = None,
    |entry| entry.request.resources.iter_mut().for_each(|resource| resource.constraints = None),
    |entry| entry.request.resources.iter_mut().for_each(|resource| resource.labels = Some([].into())),
];

/// The smallest case that was found of which `shows` still holds; it holds of `case`.
pub(super) fn shrink(case: Case, mut shows: impl FnMut(&Case) -> bool) -> Case {
    let mut smallest = case;
    let mut tries = 0_usize;
    loop {
        let mut progress = false;
        let mut next = 0;
        while let Some(smaller) = nth(&smallest, next) {
            tries = tries.saturating_add(1);
            if tries > TRIES_MAX {
                return smallest;
            }
            if smaller != smallest && shows(&smaller) {
                smallest = smaller;
                progress = true;
            } else {
                next = next.saturating_add(1);
            }
        }
        if !progress {
            return smallest;
        }
    }
}

/// The case with one thing less: first whole requests, then what all of them have beside, then parts of each.
fn nth(case: &Case, number: usize) -> Option<Case> {
    let mut smaller = case.clone();
    let requests = case.requests.len();
    if number < requests {
        smaller.requests.remove(number);
        return Some(smaller);
    }
    let number = number.saturating_sub(requests);
    match number {
        0 => smaller.facts = Arc::default(),
        1 => smaller.subject.roles = None,
        2 => smaller.subject.traits = None,
        _ => {
            let number = number.saturating_sub(3);
            let entry = smaller.requests.get_mut(number.checked_div(LESS.len())?).map(Arc::make_mut)?;
            let less = LESS.get(number.checked_rem(LESS.len())?)?;
            less(entry);
        }
    }
    Some(smaller)
}
