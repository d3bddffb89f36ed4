//! The policy `ticket` against tickets of all kinds.
//! It must never share code with the policy.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{case, configure, faults_of_opinion, faults_of_orders, held, pending};
use tribunal_ticket::Ticket;

/// Numbers with their states; none: nobody lists it.
fn tickets() -> impl Strategy<Value = BTreeMap<u8, bool>> {
    prop::collection::btree_map(0..6_u8, any::<bool>(), 0..6)
}

fn policy(more: &str) -> Ticket {
    configure(&format!(r#"{{"pattern": "T-\\d+", "example": "T-1", "when-open": "approve"{more}}}"#)).unwrap()
}

fn as_list(tickets: &BTreeMap<u8, bool>) -> String {
    let one = |(number, open): (&u8, &bool)| {
        format!(r#"{{"id": "T-{number}", "status": "{}"}}"#, if *open { "open" } else { "closed" })
    };
    format!("[{}]", tickets.iter().map(one).collect::<Vec<_>>().join(","))
}

fn as_object(tickets: &BTreeMap<u8, bool>) -> String {
    let one = |(number, open): (&u8, &bool)| format!(r#""t-{number}": "{}""#, if *open { "OPEN" } else { "closed" });
    format!("{{{}}}", tickets.iter().map(one).collect::<Vec<_>>().join(","))
}

fn reason(named: &[u8]) -> String {
    named.iter().map(|number| format!("for T-{number}")).collect::<Vec<_>>().join(", ")
}

proptest! {
    #[test]
    fn it_approves_exactly_if_a_named_ticket_is_open(tickets in tickets(), named in prop::collection::vec(0..6_u8, 0..4)) {
        for fact in [as_list(&tickets), as_object(&tickets)] {
            let case = case("alice").fact("tickets", &fact).request(pending("new").reason(&reason(&named))).build();
            let opinion = policy("").review(&case, case.find("new").unwrap());
            let open = named.iter().any(|number| tickets.get(number) == Some(&true));
            prop_assert_eq!(matches!(opinion, Opinion::Approve(_)), open);
            prop_assert!(open || matches!(opinion, Opinion::Deny(_)));
            prop_assert_eq!(faults_of_opinion(&Ticket::describe(), &opinion), [""; 0]);
        }
    }

    #[test]
    fn it_locks_exactly_if_all_named_tickets_are_closed(
        tickets in tickets(),
        named in prop::collection::vec(0..6_u8, 0..4),
        unlisted in any::<bool>(),
    ) {
        let more = if unlisted { r#", "when-closed": "lock-unlisted""# } else { "" };
        let case = case("alice").fact("tickets", &as_list(&tickets)).request(held("h").reason(&reason(&named))).build();
        let orders = policy(more).enforce(&case);
        let is_closed = |number: &u8| tickets.get(number).map_or(unlisted, |open| !open);
        prop_assert_eq!(orders.len() == 1, !named.is_empty() && named.iter().all(is_closed));
        prop_assert_eq!(faults_of_orders(&Ticket::describe(), &case, &orders), [""; 0]);
    }

    #[test]
    fn no_fact_is_too_odd(json in r#"[\[\]{}",:a-zT0-9 -]{0,40}"#) {
        let case = case("alice").fact("tickets", &json).request(pending("new").reason("T-1")).request(held("h").reason("T-1")).build();
        let opinion = policy("").review(&case, case.find("new").unwrap());
        prop_assert!(!matches!(opinion, Opinion::Abstain));
        drop(policy("").enforce(&case));
    }
}
