//! The policy `separation` against oracles that try everything.
//! It must never share code with the policy.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use proptest::prelude::*;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{CaseBuilder, NOW_MS, case, configure, held, pending};
use tribunal_separation::Separation;

const CLASSES: [&str; 3] = ["alpha", "beta", "gamma"];

/// A request: age, the classes of its roles, and what else may be about it.
#[derive(Clone, Debug)]
struct Held {
    age: u64,
    classes: BTreeSet<usize>,
    about: u8,
}

fn requests() -> impl Strategy<Value = Vec<Held>> {
    let classes = prop_oneof![
        1 => Just(BTreeSet::new()),
        6 => (0..3_usize).prop_map(|class| BTreeSet::from([class])),
        1 => prop::collection::btree_set(0..3_usize, 2..3),
    ];
    let one = (0..5_u64, classes, 0..10_u8).prop_map(|(age, classes, about)| Held { age, classes, about });
    prop::collection::vec(one, 0..7)
}

fn roles(classes: &BTreeSet<usize>) -> Vec<&'static str> {
    CLASSES.iter().enumerate().filter(|(index, _)| classes.contains(index)).map(|(_, class)| *class).collect()
}

fn build(standing: &BTreeSet<usize>, requests: &[Held]) -> CaseBuilder {
    let start = case("alice").standing_roles(roles(standing));
    requests.iter().enumerate().fold(start, |case, (n, request)| {
        let builder = held(&format!("r{n}")).created(NOW_MS - request.age).roles(roles(&request.classes));
        case.request(match request.about {
            0 => builder.locked("incident"),
            1 => builder.exempt("human-approved"),
            2 => builder.expires(NOW_MS),
            _ => builder,
        })
    })
}

fn policy(conflict: &str) -> Separation {
    configure(&format!(r#"{{"classes": ["alpha", "beta", "gamma"], "conflict": "{conflict}"}}"#)).unwrap()
}

fn lock_ids(conflict: &str, case: &Case) -> Vec<String> {
    policy(conflict).enforce(case).into_iter().map(|order| order.request).collect()
}

/// The classes of a request's roles.
fn own(request: &AccessRequest) -> BTreeSet<&str> {
    request.roles.iter().map(String::as_str).collect()
}

fn conflict(a: &BTreeSet<&str>, b: &BTreeSet<&str>) -> bool {
    a.iter().any(|a| b.iter().any(|b| a != b))
}

fn usable(case: &Case) -> Vec<&AccessRequest> {
    case.requests.iter().filter(|request| request.locks.is_empty() && request.access_expires.is_none()).collect()
}

/// Pairwise, as the words of the documentation have it.
fn oracle(newest_first: bool, case: &Case) -> Vec<String> {
    let standing: BTreeSet<&str> = case.subject.roles.iter().flatten().map(String::as_str).collect();
    let (exempt, mut free): (Vec<&AccessRequest>, Vec<&AccessRequest>) =
        usable(case).into_iter().partition(|request| !request.annotations.is_empty());
    if newest_first {
        free.reverse();
    }
    let mut kept: Vec<BTreeSet<&str>> = exempt.into_iter().map(own).chain([standing]).collect();
    let mut lost = BTreeSet::new();
    for request in free {
        let own = own(request);
        if own.len() > 1 || kept.iter().any(|other| conflict(&own, other)) {
            lost.insert(request.id.as_str());
        } else {
            kept.push(own);
        }
    }
    case.requests.iter().map(|request| request.id.clone()).filter(|id| lost.contains(id.as_str())).collect()
}

fn few() -> impl Strategy<Value = BTreeSet<usize>> {
    prop_oneof![4 => Just(BTreeSet::new()), 1 => prop::collection::btree_set(0..3_usize, 1..3)]
}

proptest! {
    #[test]
    fn exactly_what_conflicts_with_the_kept_is_locked(standing in few(), requests in requests()) {
        let case = build(&standing, &requests).build();
        prop_assert_eq!(lock_ids("newest-wins", &case), oracle(true, &case));
        prop_assert_eq!(lock_ids("oldest-wins", &case), oracle(false, &case));
    }

    #[test]
    fn without_exceptions_no_two_classes_stay(requests in requests()) {
        let mut case = build(&BTreeSet::new(), &requests).build();
        for request in &mut case.requests {
            request.annotations.clear();
        }
        for mode in ["newest-wins", "oldest-wins"] {
            let ids = lock_ids(mode, &case);
            let kept = usable(&case).into_iter().filter(|request| !ids.contains(&request.id));
            prop_assert!(kept.flat_map(own).collect::<BTreeSet<_>>().len() <= 1);
        }
    }

    #[test]
    fn the_order_of_the_case_changes_nothing(
        standing in few(),
        requests in requests(),
        mode in prop::sample::select(vec!["newest-wins", "oldest-wins", "escalate"]),
    ) {
        let case = build(&standing, &requests).build();
        let mut reversed = case.clone();
        reversed.requests.reverse();
        prop_assert_eq!(policy(mode).enforce(&case), policy(mode).enforce(&reversed));
    }

    #[test]
    fn enforcing_twice_locks_nothing_more(standing in few(), requests in requests()) {
        for mode in ["newest-wins", "oldest-wins", "escalate"] {
            let mut case = build(&standing, &requests).build();
            let ids = lock_ids(mode, &case);
            for request in case.requests.iter_mut().filter(|request| ids.contains(&request.id)) {
                let lock = Lock { name: "t".to_owned(), message: String::new(), ours: false, expires: None };
                request.locks.push(lock);
            }
            prop_assert_eq!(lock_ids(mode, &case), Vec::<String>::new());
        }
    }

    #[test]
    fn an_admitted_request_is_never_the_one_that_gives_way(
        standing in few(),
        requests in requests(),
        asked in prop::collection::btree_set(0..3_usize, 0..3),
        age in 0..6_u64,
        mode in prop::sample::select(vec!["newest-wins", "oldest-wins", "escalate"]),
    ) {
        // Under `oldest-wins` something that is held wins over an older request that still waits.
        let age = if mode == "oldest-wins" { 0 } else { age };
        let new = pending("z").created(NOW_MS - age).roles(roles(&asked));
        let mut case = build(&standing, &requests).request(new).build();
        let opinion = policy(mode).review(&case, case.find("z").unwrap());
        for request in case.requests.iter_mut().filter(|request| request.id == "z") {
            request.state = RequestState::Approved;
        }
        let loses = lock_ids(mode, &case).contains(&"z".to_owned());
        match opinion {
            Opinion::Abstain => prop_assert!(!loses),
            Opinion::Deny(_) => prop_assert!(loses),
            // People decide in this mode, and nothing but a mixed request is locked.
            Opinion::Escalate(_) => prop_assert_eq!(loses, mode != "escalate"),
            Opinion::Approve(_) => prop_assert!(false, "not configured"),
        }
    }
}
