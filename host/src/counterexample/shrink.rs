//! Makes a counterexample small: whatever can be left out of it, so that the same still does not hold, is left out. Each
//! smaller case is tried before it is taken.

use std::sync::Arc;

use tribunal_core::case::Case;
use tribunal_core::hearing::Answers;
use tribunal_core::request::{Decider, RequestState};

use super::{Counterexample, Trial};

/// How many smaller cases are tried.
const TRIES_MAX: usize = 5_000;

pub(super) fn shrunk<A: Answers>(trial: &mut Trial<'_, A>, mut found: Counterexample) -> Counterexample {
    let mut tries = 0_usize;
    loop {
        let mut smaller = false;
        let mut step = 0_usize;
        while let Some(case) = without(&found.case, step) {
            tries += 1;
            if tries > TRIES_MAX {
                return found;
            }
            let again = if case == found.case { None } else { trial.check(&case) };
            match again.filter(|again| again.broken.invariant == found.broken.invariant) {
                Some(again) => {
                    found = again;
                    smaller = true;
                }
                None => step += 1,
            }
        }
        if !smaller {
            return found;
        }
    }
}

/// The case without one of its things; none, when there are no more.
fn without(case: &Case, step: usize) -> Option<Case> {
    let mut smaller = case.clone();
    let mut left = step;
    let mut here = |count: usize| {
        let is_here = left < count;
        let place = left;
        left = left.saturating_sub(count);
        is_here.then_some(place)
    };
    if let Some(place) = here(case.requests.len()) {
        if case.requests.get(place).is_some_and(|entry| entry.request.state != RequestState::Pending) {
            smaller.requests.remove(place);
        }
        return Some(smaller);
    }
    for (entry, request) in case.requests.iter().zip(0..) {
        if let Some(place) = here(entry.request.resources.len()) {
            let shrunk = smaller.requests.get_mut(request).map(Arc::make_mut)?;
            // Without resources it would be a request for whole roles, which is more and not less.
            if shrunk.request.resources.len() > 1 {
                shrunk.request.resources.remove(place);
            }
            return Some(smaller);
        }
        if let Some(place) = here(entry.request.roles.len()) {
            let shrunk = smaller.requests.get_mut(request).map(Arc::make_mut)?;
            if shrunk.request.roles.len() > 1 {
                shrunk.request.roles.remove(place);
            }
            return Some(smaller);
        }
        if here(1).is_some() {
            let shrunk = smaller.requests.get_mut(request).map(Arc::make_mut)?;
            shrunk.request.access_starts = None;
            return Some(smaller);
        }
        if here(1).is_some() {
            let shrunk = smaller.requests.get_mut(request).map(Arc::make_mut)?;
            shrunk.locks.clear();
            shrunk.request.annotations.clear();
            if shrunk.request.state == RequestState::Approved {
                shrunk.request.decided_by = Decider::Tribunal;
            }
            return Some(smaller);
        }
    }
    if here(1).is_some() {
        smaller.subject.roles = Some(Vec::new());
        return Some(smaller);
    }
    if let Some(place) = here(case.facts.len()) {
        let kept = case.facts.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, fact)| fact.clone());
        smaller.facts = kept.collect();
        return Some(smaller);
    }
    None
}
