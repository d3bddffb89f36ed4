//! Looks for the smallest change: all there are, in order of size, as far as the bound goes; beyond it, from what passes
//! with little back to as much as passes. What it finds was approved by the panel itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use tribunal_core::Timestamp;
use tribunal_core::case::Case;
use tribunal_core::hearing::{Answers, Hearing};
use tribunal_core::request::AccessRequest;

use super::change::{Change, hours, moments, roles, submit};
use super::{Bench, approves};

/// Changes that are tried in order of size.
pub const CANDIDATES_MAX: usize = 20_000;
/// Changes that are tried beyond that, of requests for very many things.
const GUESSES_MAX: usize = 5_000;

/// A change with which the request passes.
#[derive(Clone, Debug)]
pub struct Found {
    /// The change.
    pub change: Change,
    /// What the panel says of it.
    pub hearing: Hearing,
    /// Every smaller one was tried.
    pub is_smallest: bool,
    /// How many changes were tried.
    pub tried: usize,
}

/// None was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotFound {
    /// How many changes were tried.
    pub tried: usize,
    /// Those were all that there are.
    pub all: bool,
}

/// A search under way.
struct Search<'a, A> {
    bench: Bench<'a>,
    case: &'a Case,
    request: &'a AccessRequest,
    answers: &'a mut A,
    tried: usize,
}

type RoleChange = (BTreeSet<String>, Option<String>);

pub(super) fn smallest<A: Answers>(
    bench: Bench<'_>,
    case: &Case,
    request: &AccessRequest,
    known_roles: &BTreeSet<String>,
    answers: &mut A,
) -> Result<Found, NotFound> {
    let roles = roles(request, known_roles);
    let mut search = Search { bench, case, request, answers, tried: 0 };
    let moments = search.moments();
    let times = |later: usize| -> Vec<Option<Timestamp>> {
        if later == 0 { vec![None] } else { moments.iter().copied().map(Some).collect() }
    };
    // Resources cannot all go: what is left would be for whole roles.
    let fewest = request.resources.len().saturating_sub(1);
    let roles_most = roles.iter().map(|(without, _)| without.len()).max().unwrap_or(0);
    for size in 0..=fewest.saturating_add(roles_most).saturating_add(1) {
        for later in 0..=size.min(1) {
            for of_roles in 0..=size.saturating_sub(later).min(roles_most) {
                let without = size.saturating_sub(later).saturating_sub(of_roles);
                if without > fewest {
                    continue;
                }
                for role in roles.iter().filter(|(gone, _)| gone.len() == of_roles) {
                    for places in Combinations::new(request.resources.len(), without) {
                        for later in times(later) {
                            if search.tried >= CANDIDATES_MAX {
                                return search.beginning_with_little(&roles, &moments);
                            }
                            if let Some(found) = search.try_it(change(role, places.iter().copied().collect(), later)) {
                                return Ok(found);
                            }
                        }
                    }
                }
            }
        }
    }
    Err(NotFound { tried: search.tried, all: true })
}

fn change((without_roles, with_role): &RoleChange, without: BTreeSet<usize>, later: Option<Timestamp>) -> Change {
    Change { without, without_roles: without_roles.clone(), with_role: with_role.clone(), later }
}

// === impl Search ===

impl<A: Answers> Search<'_, A> {
    fn try_it(&mut self, change: Change) -> Option<Found> {
        self.tried = self.tried.saturating_add(1);
        let case = Arc::new(submit(self.case, self.request, &change));
        let hearing = self.bench.judge(&case, &self.request.id, self.answers);
        approves(&hearing).then_some(Found { change, hearing, is_smallest: true, tried: self.tried })
    }

    /// The times that may matter: when something of the case ends or begins, and those hours at which policies say something
    /// else of the same request than now.
    fn moments(&mut self) -> Vec<Timestamp> {
        let now = self.said_at(None);
        let mut moments = moments(self.case);
        moments.extend(hours(self.case).filter(|hour| self.said_at(Some(*hour)) != now));
        moments.into_iter().collect()
    }

    fn said_at(&mut self, later: Option<Timestamp>) -> Hearing {
        let case = Arc::new(submit(self.case, self.request, &Change { later, ..Change::default() }));
        self.bench.judge(&case, &self.request.id, self.answers)
    }

    /// Begins with one resource, whichever passes, and takes back what else passes with it.
    fn beginning_with_little(&mut self, roles: &[RoleChange], moments: &[Timestamp]) -> Result<Found, NotFound> {
        let places = 0..self.request.resources.len();
        let times = || [None].into_iter().chain(moments.iter().copied().map(Some));
        let bound = self.tried.saturating_add(GUESSES_MAX);
        let mut best: Option<Found> = None;
        for later in times() {
            for role in roles {
                for only in places.clone() {
                    if self.tried >= bound {
                        return best.ok_or(NotFound { tried: self.tried, all: false });
                    }
                    let without: BTreeSet<usize> = places.clone().filter(|place| *place != only).collect();
                    let Some(found) = self.try_it(change(role, without, later)) else { continue };
                    let found = self.grown(found);
                    if best.as_ref().is_none_or(|best| found.change.size() < best.change.size()) {
                        best = Some(found);
                    }
                }
            }
            // What passes now is better than what passes later.
            if best.is_some() {
                break;
            }
        }
        best.map(|best| Found { tried: self.tried, ..best }).ok_or(NotFound { tried: self.tried, all: false })
    }

    fn grown(&mut self, mut found: Found) -> Found {
        for place in found.change.without.clone() {
            let mut wider = found.change.clone();
            wider.without.remove(&place);
            if let Some(more) = self.try_it(wider) {
                found = more;
            }
        }
        Found { is_smallest: false, ..found }
    }
}

/// All ways to choose so many of so many places, in order.
struct Combinations {
    places: usize,
    next: Option<Vec<usize>>,
}

// === impl Combinations ===

impl Combinations {
    fn new(places: usize, chosen: usize) -> Self {
        Self { places, next: (chosen <= places).then(|| (0..chosen).collect()) }
    }
}

impl Iterator for Combinations {
    type Item = Vec<usize>;

    fn next(&mut self) -> Option<Vec<usize>> {
        let now = self.next.take()?;
        let chosen = now.len();
        // The last place that can still move on, and all after it right behind it.
        let moves = (0..chosen).rev().find(|at| now.get(*at).is_some_and(|place| place + chosen - at < self.places));
        self.next = moves.map(|at| {
            let from = now.get(at).map_or(0, |place| place + 1);
            now.iter().take(at).copied().chain(from..from + chosen - at).collect()
        });
        Some(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combinations_are_all_there_are_and_each_once() {
        for places in 0..8_usize {
            for chosen in 0..=places + 1 {
                let all: Vec<Vec<usize>> = Combinations::new(places, chosen).collect();
                let distinct: BTreeSet<Vec<usize>> = all.iter().cloned().collect();
                let expected = (0..1_u32 << places).filter(|bits| bits.count_ones() as usize == chosen).count();
                assert_eq!((all.len(), distinct.len()), (expected, expected), "{chosen} of {places}");
                assert!(all.iter().all(|one| one.len() == chosen && one.iter().all(|place| *place < places)));
            }
        }
    }
}
