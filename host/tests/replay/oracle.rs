//! What another limit of the policy `cap` would have changed, by its definition and by sets alone. It must never share code
//! with the policy, nor with what it judges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tribunal::replay::Fate;
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::record::Decided;
use tribunal_core::request::{EXEMPT_ANNOTATION, RequestState};

type Things = BTreeSet<String>;

/// All flips between two limits: the number of the decision, the request, what was and what would be.
pub(crate) fn flips(
    decisions: impl Iterator<Item = Decided>,
    from: usize,
    to: usize,
) -> Vec<(u64, String, Fate, Fate)> {
    let mut flips = Vec::new();
    for (number, decided) in (0_u64..).zip(decisions) {
        let case = decided.case.unwrap();
        let pending = decided.request.map(|request| request.id.as_str().to_owned());
        let (was, is) = (judge(&case, pending.as_deref(), from), judge(&case, pending.as_deref(), to));
        if let (Some(pending), true) = (&pending, was.0 != is.0) {
            flips.push((number, pending.clone(), was.0, is.0));
            continue;
        }
        let ids = case.requests.iter().map(|entry| entry.request.id.as_str().to_owned());
        for id in ids.collect::<BTreeSet<_>>() {
            match (was.1.contains(&id), is.1.contains(&id)) {
                (true, false) => flips.push((number, id, Fate::Lock, Fate::Keep)),
                (false, true) => flips.push((number, id, Fate::Keep, Fate::Lock)),
                (true, true) | (false, false) => {}
            }
        }
    }
    flips
}

/// What becomes of the pending request, and what is locked.
fn judge(case: &Case, pending: Option<&str>, max: usize) -> (Fate, BTreeSet<String>) {
    let counts = |entry: &&Arc<CaseRequest>| {
        let request = &entry.request;
        let held = request.state == RequestState::Approved && request.access_starts.is_none() && entry.locks.is_empty();
        (held && !request.annotations.contains_key(EXEMPT_ANNOTATION)) || Some(request.id.as_str()) == pending
    };
    let counted: Vec<(String, Things)> = case
        .requests
        .iter()
        .filter(counts)
        .map(|entry| (entry.request.id.as_str().to_owned(), things(entry)))
        .collect();
    let Some(pending) = pending else { return (Fate::Nothing, losers(&counted, max)) };
    let asked = counted.iter().find(|(id, _)| id == pending).unwrap();
    if asked.1.len() > max {
        return (Fate::Deny, BTreeSet::new());
    }
    let losers = losers(&counted, max);
    if losers.contains(pending) { (Fate::Leave, BTreeSet::new()) } else { (Fate::Approve, losers) }
}

fn things(entry: &CaseRequest) -> Things {
    if entry.request.resources.is_empty() {
        return BTreeSet::from([entry.request.id.as_str().to_owned()]);
    }
    entry.request.resources.iter().map(|resource| format!("/{}", resource.name)).collect()
}

/// The oldest that have to go, so that the rest fits; those that could not fit alone go first, and none goes for nothing.
fn losers(counted: &[(String, Things)], max: usize) -> BTreeSet<String> {
    let fitting: Vec<&(String, Things)> = counted.iter().filter(|(_, things)| things.len() <= max).collect();
    let union = |some: &[&(String, Things)]| some.iter().flat_map(|(_, things)| things.clone()).collect::<Things>();
    let gone = (0..=fitting.len()).find(|gone| union(&fitting[*gone..]).len() <= max).unwrap();
    let kept: BTreeMap<&str, &Things> = fitting[gone..].iter().map(|(id, things)| (id.as_str(), things)).collect();
    let all = union(&fitting[gone..]);
    let covered = |things: &Things| things.is_subset(&all);
    let lost = counted.iter().filter(|(id, things)| !kept.contains_key(id.as_str()) && !covered(things));
    lost.map(|(id, _)| id.clone()).collect()
}
