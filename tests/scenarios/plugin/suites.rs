//! Suites that are run on guests, and cases that are found by chance.

use serde_json::Map;
use tribunal::workbench::fuzz::{Finding, Words, Wrong, fuzz};
use tribunal::workbench::test::{Options, run};
use tribunal::workbench::workshop;
use tribunal_core::opinion::FaultKind;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, OPINION_DENY, Order};
use tribunal_engine::{Introduced, PluginSpec};

use super::guests::{one, patient, shop, suite, tested};

const NO: &[(&str, &str)] = &[("rule-a", "no such thing"), ("rule-b", "nor this")];

fn orders() -> Guest {
    Guest::new().orders(&[Order {
        request: "held-1",
        rule: "rule-b",
        reason: "too much",
        until: Some(4_000_000_000_000),
    }])
}

#[test]
fn what_is_as_expected_passes() {
    let expect = "[case.expect]\nopinion = [\"escalate\", \"deny\"]\nrules = [\"rule-a\", \"rule-b\"]\nreason = [\"such\", \"nor\"]\n\
                  max-ms = 30_000\nmax-memory-kib = 128\nmax-instructions = 1_000_000";
    let result = tested(&Guest::new().says(OPINION_DENY, NO), &format!("asks = \"a\"\n{expect}"), &patient());
    assert_eq!(result.failures, [""; 0]);
    assert!(result.instructions > Some(0) && result.memory_bytes == 131_072);
    let lock = "held = { roles = \"r\" }\n[case.expect.locks]\nrequest = \"held-1\"\nrule = \"rule-b\"\nreason = \"much\"\n\
                until = 4_000_000_000_000";
    assert_eq!(tested(&orders(), lock, &patient()).failures, [""; 0]);
    let fault = "asks = \"a\"\nexpect = { fault = \"trap\", detail = \"unreachable\" }";
    assert_eq!(tested(&Guest::new().review("(unreachable)"), fault, &patient()).failures, [""; 0]);
}

#[test]
fn what_is_otherwise_is_told_as_it_is() {
    let denies = Guest::new().says(OPINION_DENY, NO);
    let held = "held = [{ id = \"held-1\", roles = \"r\" }, \"b\"]\n";
    for (guest, case, says) in [
        (
            &denies,
            "asks = \"a\"\nexpect = \"approve\"",
            "expected `approve`, it answered deny (rule-a: no such thing) (rule-b: nor this)",
        ),
        (&denies, "asks = \"a\"\nexpect = { rules = [\"rule-b\"] }", "expected the rules `rule-b`"),
        (&denies, "asks = \"a\"\nexpect = { reason = \"else\" }", "expected `else` in a reason"),
        (&denies, "asks = \"a\"\nexpect = { fault = \"trap\" }", "expected a fault (`trap`), it answered deny"),
        (&denies, "asks = \"a\"\nexpect = { log = \"hello\" }", "expected `hello` in the log, it logged nothing"),
        (&denies, "asks = \"a\"\nexpect = { max-memory-kib = 127 }", "held 128 KiB of memory, `max-memory-kib` is 127"),
        (&denies, "asks = \"a\"\nexpect = { max-instructions = 1 }", "instructions, `max-instructions` is 1"),
        (&denies, "asks = \"a\"\nexpect = { max-ms = 0.0 }", "ms, `max-ms` is 0"),
        (&orders(), &format!("{held}expect = {{ locks = [] }}"), "expected locks on nothing, it locks `held-1`"),
        (&orders(), &format!("{held}expect = {{ locks = [\"b\"] }}"), "expected locks on `b`, it locks `held-1`"),
        (
            &orders(),
            &format!("{held}[case.expect.locks]\nrequest = \"held-1\"\nuntil = \"+1h\""),
            "to end at 2026-01-05T13:00:00.000Z",
        ),
        (&Guest::new().review("(unreachable)"), "asks = \"a\"\nexpect = {}", "it ran into the fault `trap`"),
    ] {
        let said = tested(guest, case, &patient()).failures.join("\n");
        assert!(said.contains(says), "{case}\n{said}");
    }
}

/// What is found about a guest by this seed.
fn found(guest: &Guest) -> Vec<Finding> {
    let spec = PluginSpec::new("guest", guest.build());
    let introduced = Introduced::new(&workshop(), spec, patient()).unwrap();
    let solo = introduced.configured("{}", None).unwrap();
    fuzz(&solo, &Words::new(&Map::new(), &[]), 1, |number, _| number < 50).findings
}

/// The suite of a finding fails for the guest that it was found in, and passes for another.
fn proves(finding: &Finding, guest: &Guest, other: &Guest) {
    let text = finding.as_suite("policy.wasm", &Map::new(), 1).unwrap();
    for (guest, passes) in [(guest, false), (other, true)] {
        let dir = shop(&guest.build());
        let path = dir.path().join("found.suite.toml");
        std::fs::write(&path, &text).unwrap();
        let result = one(&path, &patient());
        assert_eq!(result.passed(), passes, "{text}\n{:?}", result.failures);
    }
}

#[test]
fn a_fault_is_found_and_shrunk_to_a_suite() {
    let guest = Guest::new().review("(unreachable)");
    let findings = found(&guest);
    assert_eq!(findings.iter().map(|finding| finding.wrong).collect::<Vec<_>>(), [Wrong::Fault(FaultKind::Trap)]);
    let case = &findings[0].case;
    assert_eq!((case.requests.len(), case.facts.len()), (1, 0), "one pending request is all that it takes");
    assert!(case.requests[0].request.resources.is_empty() && case.requests[0].request.reason.is_empty());
    proves(&findings[0], &guest, &Guest::new());
}

#[test]
fn broken_promises_are_found() {
    let nowhere = Guest::new().orders(&[Order { request: "nowhere", rule: "rule-a", reason: "r", until: None }]);
    let undeclared = Guest::new().effects(&[1]).says(OPINION_APPROVE, &[("rule-a", "yes")]);
    for (guest, kind, says) in [
        (nowhere, FaultKind::Nonsense, "`nowhere`, which is no approved request"),
        (undeclared, FaultKind::NotGranted, "`approve`, which is not granted"),
    ] {
        let findings = found(&guest);
        let finding = findings.iter().find(|finding| finding.wrong == Wrong::Fault(kind)).unwrap();
        assert!(finding.detail.contains(says), "{finding:?}");
        proves(finding, &guest, &Guest::new());
    }
}

/// Approves everything, and orders a lock on the oldest request as soon as that is approved.
fn contradictory() -> Guest {
    let le = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>();
    let mut guest = Guest::new().says(OPINION_APPROVE, &[("rule-a", "yes")]);
    let (rule, reason) = (guest.text("rule-b"), guest.text("no"));
    let order = guest.put(&le(&[0, 0, rule, 6, reason, 2, 0, 0, 0, 0]));
    let (none, one) = (guest.put(&le(&[0, 0])), guest.put(&le(&[order, 1])));
    // The requests are the parameters 12 and 13; in each its id comes first, its state at 16.
    guest.enforce(&format!(
        "(if (i32.eqz (local.get 13)) (then (return (i32.const {none}))))
         (if (i32.ne (i32.load8_u offset=16 (local.get 12)) (i32.const 1)) (then (return (i32.const {none}))))
         (i32.store (i32.const {order}) (i32.load (local.get 12)))
         (i32.store offset=4 (i32.const {order}) (i32.load offset=4 (local.get 12)))
         (i32.const {one})"
    ))
}

#[test]
fn an_approval_that_would_be_locked_at_once_is_found() {
    let guest = contradictory();
    let findings = found(&guest);
    let finding = findings.iter().find(|finding| finding.wrong == Wrong::Contradicts).unwrap();
    assert!(finding.detail.contains("would lock that very request: rule-b: no"), "{finding:?}");
    assert_eq!(finding.case.requests.len(), 1);
    proves(finding, &guest, &Guest::new());
}

#[test]
fn an_honest_policy_has_no_findings() {
    assert!(found(&Guest::new()).is_empty());
    assert!(found(&Guest::new().says(OPINION_DENY, NO)).is_empty());
}

#[test]
fn a_plugin_that_does_not_load_is_trouble_and_no_failure() {
    let dir = shop(b"(module)");
    let path = suite(&dir, "[[case]]\nasks = \"a\"\nexpect = \"deny\"");
    let trouble = run(&path, &Options { limits: patient(), ..Options::default() }).unwrap_err().to_string();
    assert!(trouble.contains("is WebAssembly text") && trouble.contains("tribunal plugin inspect"), "{trouble}");
    let granted = "effects = [\"lock\"]\n[[case]]\nasks = \"a\"\nexpect = \"deny\"";
    let dir = shop(&Guest::new().effects(&[1]).build());
    let path = suite(&dir, granted);
    let trouble = run(&path, &Options { limits: patient(), ..Options::default() }).unwrap_err().to_string();
    assert!(trouble.contains("is granted `lock`, which it does not declare"), "{trouble}");
}
