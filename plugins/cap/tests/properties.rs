//! The policy `cap` against oracles that try everything.
//! It must never share code with the policy.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use tribunal_cap::Cap;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{NOW_MS, case, configure, held, pending};

/// A request: age, nodes by number (none: role-only), and what else may be about it.
#[derive(Clone, Debug)]
struct Held {
    age: u64,
    nodes: BTreeSet<u8>,
    about: u8,
}

fn requests() -> impl Strategy<Value = Vec<Held>> {
    let one = (0..4_u64, prop::collection::btree_set(0..7_u8, 0..5), 0..10_u8);
    prop::collection::vec(one.prop_map(|(age, nodes, about)| Held { age, nodes, about }), 0..7)
}

fn build(requests: &[Held]) -> Case {
    let add = |(case, n), request: &Held| {
        let names: Vec<String> = request.nodes.iter().map(u8::to_string).collect();
        let builder = held(&format!("r{n}")).created(NOW_MS - request.age).nodes(names.iter().map(String::as_str));
        let builder = match request.about {
            0 => builder.locked("incident"),
            1 => builder.exempt("human-approved"),
            2 => builder.starts(NOW_MS + 1),
            3 => builder.expires(NOW_MS),
            _ => builder,
        };
        (tribunal_guest::testing::CaseBuilder::request(case, builder), n + 1)
    };
    requests.iter().fold((case("alice"), 0), add).0.build()
}

/// What counts: node names, or the id of a role-only request.
fn things(request: &AccessRequest) -> BTreeSet<&str> {
    if request.resources.is_empty() {
        return BTreeSet::from([request.id.as_str()]);
    }
    request.resources.iter().map(|resource| resource.name.as_str()).collect()
}

fn usage<'a>(requests: impl IntoIterator<Item = &'a AccessRequest>) -> usize {
    requests.into_iter().flat_map(things).collect::<BTreeSet<_>>().len()
}

fn counted(case: &Case) -> Vec<&AccessRequest> {
    case.requests
        .iter()
        .filter(|request| {
            request.locks.is_empty()
                && request.annotations.is_empty()
                && request.access_starts.is_none()
                && request.access_expires.is_none()
        })
        .collect()
}

fn lock_ids(max: usize, order: &str, case: &Case) -> Vec<String> {
    let settings = format!(r#"{{"max-resources": {max}, "order": "{order}"}}"#);
    configure::<Cap>(&settings).unwrap().enforce(case).into_iter().map(|order| order.request).collect()
}

proptest! {
    #[test]
    fn what_is_left_fits_and_nothing_is_locked_without_need(max in 1..5_usize, requests in requests()) {
        let case = build(&requests);
        let ids = lock_ids(max, "oldest-first", &case);
        let counted = counted(&case);
        let (lost, kept): (Vec<&AccessRequest>, Vec<&AccessRequest>) =
            counted.iter().partition(|request| ids.contains(&request.id));

        prop_assert_eq!(lost.len(), ids.len(), "only what counts is locked");
        prop_assert!(lost.iter().map(|request| &request.id).eq(&ids), "oldest first");
        prop_assert!(usage(kept.iter().copied()) <= max, "what is left fits");
        for request in &lost {
            prop_assert!(usage(kept.iter().copied().chain([*request])) > usage(kept.iter().copied()), "makes room");
        }
        // Of those that could fit, all newer ones than the newest loser stay, and beside them it does not fit.
        let fitting: Vec<_> = lost.iter().filter(|request| usage([**request]) <= max).collect();
        if let Some(newest) = fitting.last() {
            prop_assert!(usage(kept.iter().copied().chain([**newest])) > max, "unlocking the newest would exceed");
        }
        // Nobody older is kept for anything but being covered, as soon as somebody newer had to go.
        if let Some(newest) = fitting.last() {
            let younger = |request: &&&AccessRequest| request.age() > newest.age();
            let young: Vec<_> = kept.iter().filter(younger).copied().collect();
            for request in kept.iter().filter(|request| request.age() < newest.age()) {
                prop_assert_eq!(usage(young.iter().copied().chain([*request])), usage(young.iter().copied()));
            }
        }
    }

    #[test]
    fn skip_fit_is_the_walk_from_newest_to_oldest(max in 1..5_usize, requests in requests()) {
        let case = build(&requests);
        let mut kept: Vec<&AccessRequest> = Vec::new();
        let mut lost = Vec::new();
        for request in counted(&case).into_iter().rev() {
            if usage(kept.iter().copied().chain([request])) <= max {
                kept.push(request);
            } else {
                lost.insert(0, request.id.clone());
            }
        }
        prop_assert_eq!(lock_ids(max, "skip-fit", &case), lost);
    }

    #[test]
    fn the_order_of_the_case_changes_nothing(
        max in 1..5_usize,
        requests in requests(),
        order in prop::sample::select(vec!["oldest-first", "skip-fit"]),
        seed in any::<u64>(),
    ) {
        let case = build(&requests);
        let mut shuffled = case.clone();
        shuffled.requests.sort_by_key(|request| request.id.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(29)
        }));
        prop_assert_eq!(lock_ids(max, order, &case), lock_ids(max, order, &shuffled));
    }

    #[test]
    fn enforcing_twice_locks_nothing_more(max in 1..5_usize, requests in requests()) {
        for order in ["oldest-first", "skip-fit"] {
            let mut case = build(&requests);
            let ids = lock_ids(max, order, &case);
            for request in &mut case.requests {
                if ids.contains(&request.id) {
                    let lock = Lock { name: "t".to_owned(), message: String::new(), ours: false, expires: None };
                    request.locks.push(lock);
                }
            }
            prop_assert_eq!(lock_ids(max, order, &case), Vec::<String>::new());
        }
    }

    #[test]
    fn an_approved_request_is_never_the_one_that_gives_way(
        max in 1..5_usize,
        requests in requests(),
        asked in prop::collection::btree_set(0..7_u8, 0..6),
        age in 0..5_u64,
    ) {
        let mut case = build(&requests);
        let names: Vec<String> = asked.iter().map(u8::to_string).collect();
        let new = pending("new").created(NOW_MS - age).nodes(names.iter().map(String::as_str));
        case.requests.extend(tribunal_guest::testing::case("alice").request(new).build().requests);
        case.requests.sort_by(|a, b| a.age().cmp(&b.age()));

        let cap = configure::<Cap>(&format!(r#"{{"max-resources": {max}}}"#)).unwrap();
        let opinion = cap.review(&case, case.find("new").unwrap());
        for request in case.requests.iter_mut().filter(|request| request.id == "new") {
            request.state = RequestState::Approved;
        }
        let loses = cap.enforce(&case).iter().any(|order| order.request == "new");
        match opinion {
            Opinion::Approve(_) => prop_assert!(!loses),
            Opinion::Deny(_) => prop_assert!(usage([case.find("new").unwrap()]) > max && loses),
            Opinion::Escalate(_) => prop_assert!(usage([case.find("new").unwrap()]) <= max && loses),
            Opinion::Abstain => prop_assert!(false, "not configured"),
        }
    }
}
