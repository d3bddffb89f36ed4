//! The policy `allow-rules` against an oracle that reads the rules by hand.
//! It must never share code with the policy.

#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;
use tribunal_allow_rules::AllowRules;
use tribunal_guest::prelude::*;
use tribunal_guest::testing::{case, configure, pending};

const ROLES: [&str; 4] = ["a", "b", "ab", "c"];

fn roles() -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(ROLES.to_vec()), 1..4)
}

/// Patterns of a rule, each with the names that it matches.
fn patterns() -> impl Strategy<Value = Vec<(&'static str, Vec<&'static str>)>> {
    let one = prop::sample::select(vec![
        ("a", vec!["a"]),
        ("a*", vec!["a", "ab"]),
        ("*b", vec!["b", "ab"]),
        ("?", vec!["a", "b", "c"]),
        ("*", ROLES.to_vec()),
        ("d", vec![]),
    ]);
    prop::collection::vec(one, 1..3)
}

proptest! {
    #[test]
    fn the_first_rule_that_reads_as_fitting_decides(
        asked in roles(),
        rules in prop::collection::vec((patterns(), prop::sample::select(vec!["approve", "deny", "escalate"])), 0..5),
    ) {
        let mut expected = "abstain";
        for (patterns, then) in &rules {
            let named = |role: &&str| patterns.iter().any(|(_, names)| names.contains(role));
            let fits = if *then == "approve" { asked.iter().all(&named) } else { asked.iter().any(named) };
            if fits {
                expected = then;
                break;
            }
        }
        let texts: Vec<String> = rules.iter().map(|(patterns, then)| {
            let roles: Vec<String> = patterns.iter().map(|(pattern, _)| format!("\"{pattern}\"")).collect();
            format!(r#"{{"name": "r", "when": {{"roles": [{}]}}, "then": "{then}"}}"#, roles.join(","))
        }).collect();
        let policy = configure::<AllowRules>(&format!(r#"{{"rules": [{}]}}"#, texts.join(","))).unwrap();
        let case = case("alice").request(pending("new").roles(asked)).build();
        let answer = match policy.review(&case, case.find("new").unwrap()) {
            Opinion::Abstain => "abstain",
            Opinion::Approve(_) => "approve",
            Opinion::Deny(_) => "deny",
            Opinion::Escalate(_) => "escalate",
        };
        prop_assert_eq!(answer, expected);
    }
}
