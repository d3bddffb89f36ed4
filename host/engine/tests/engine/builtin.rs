//! The reference policies, real components built from Rust.

use std::time::Instant;

use tribunal_core::opinion::{FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{case, held, pending};
use tribunal_engine::{Anatomy, Introduced, Limits, Panel, PluginSpec, Solo, Workshop};
use tribunal_ports::Engine;

fn cap(settings: &str) -> PluginSpec {
    let mut spec = PluginSpec::new("cap", tribunal_plugins::CAP.to_vec());
    spec.settings = settings.into();
    spec
}

#[tokio::test]
async fn cap_judges_through_the_sandbox() {
    let panel = crate::load(cap(r#"{"max-resources": 3}"#)).unwrap();
    let fits = panel.review(0, RequestId::new("r1"), case(vec![pending("r1", 2)])).await.unwrap();
    assert!(matches!(fits, Opinion::Approve(_)), "{fits:?}");
    let bulk = panel.review(0, RequestId::new("r1"), case(vec![pending("r1", 5)])).await.unwrap();
    assert!(matches!(&bulk, Opinion::Deny(grounds) if !grounds.is_empty()), "{bulk:?}");
    let over = panel.enforce(0, case(vec![held("h1", 2), held("h2", 2)])).await.unwrap();
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!(over[0].request.as_str(), "h1");
    assert_eq!(panel.enforce(0, case(vec![held("h1", 1)])).await, Ok(Vec::new()));
}

#[test]
fn cap_refuses_settings_that_it_does_not_know() {
    let (problem, message) = crate::problem(cap(r#"{"max-resources": 0, "no-such-key": 1}"#));
    assert!(matches!(problem, tribunal_engine::LoadProblem::Settings(_)), "{message}");
}

#[tokio::test]
async fn both_reference_policies_load_into_one_panel() {
    let specs = tribunal_plugins::BUILTINS
        .iter()
        .filter(|builtin| ["separation", "cap"].contains(&builtin.name))
        .map(|builtin| PluginSpec {
            settings: settings_of(builtin.name).into(),
            ..PluginSpec::new(builtin.name, builtin.bytes.to_vec())
        })
        .collect();
    let panel = Panel::load(specs, Limits::default()).unwrap();
    let names: Vec<_> = panel.policies().into_iter().map(|policy| policy.description.name).collect();
    assert_eq!(names, ["separation", "cap"]);
    for policy in 0..2 {
        let opinion = panel.review(policy, RequestId::new("r1"), case(vec![pending("r1", 1)])).await;
        assert!(opinion.is_ok(), "{opinion:?}");
    }
}

fn settings_of(name: &str) -> &'static str {
    match name {
        "separation" => r#"{"classes": {"prod": {"roles": ["prod"]}, "research": {"roles": ["research"]}}}"#,
        _ => "{}",
    }
}

fn solo(limits: Limits) -> Solo {
    Introduced::new(&Workshop::here(), cap("{}"), limits).unwrap().configured("{}", None).unwrap()
}

#[test]
fn without_the_standard_library_a_policy_imports_the_contract_alone() {
    for builtin in tribunal_plugins::BUILTINS.iter().filter(|builtin| ["separation", "cap"].contains(&builtin.name)) {
        let imports = Anatomy::of(builtin.bytes, &Limits::default()).imports;
        assert!(
            !imports.is_empty() && imports.iter().all(|import| import.name.starts_with("tribunal:policy/")),
            "{imports:?}"
        );
    }
}

#[test]
fn without_the_standard_library_a_panic_is_a_fault_and_a_line_of_the_log() {
    let (answer, traces) = solo(crate::patient()).review(&case(vec![pending("r1", 1)]), &RequestId::new("r2"));
    assert_eq!(answer.unwrap_err().kind, FaultKind::Trap);
    let log: Vec<_> = traces.log.iter().map(|line| (line.level, line.text.as_str())).collect();
    assert!(
        matches!(log[..], [("warn", text)] if text.starts_with("panicked at ")
            && text.ends_with(": `review` of a request that is not in the case")),
        "{log:?}"
    );
}

#[test]
fn without_the_standard_library_memory_grows_up_to_its_limit() {
    let many = case(vec![held("h1", 2_000), pending("r1", 1)]);
    let (answer, traces) = solo(crate::patient()).review(&many, &RequestId::new("r1"));
    assert!(answer.is_ok(), "{answer:?}");
    assert!(traces.memory_bytes > 1024 * 1024, "{traces:?}");
    let little = Limits { memory_bytes_max: 512 * 1024, ..crate::patient() };
    let (answer, traces) = solo(little).review(&many, &RequestId::new("r1"));
    assert_eq!(answer.unwrap_err().kind, FaultKind::Memory);
    assert!(traces.memory_bytes <= 512 * 1024, "{traces:?}");
}

/// Not a benchmark: it fails only if evaluations take absurdly long.
#[test]
fn an_evaluation_takes_far_less_than_its_deadline() {
    let panel = crate::load(cap("{}")).unwrap();
    let mut micros = Vec::new();
    for resources in [1, 10, 100] {
        let shown = case(vec![held("h1", resources), pending("r1", resources)]);
        let mut took: Vec<_> = (0..200)
            .map(|_| {
                let start = Instant::now();
                let answer = futures::executor::block_on(panel.review(0, RequestId::new("r1"), shown.clone()));
                assert!(answer.is_ok(), "{answer:?}");
                start.elapsed().as_micros()
            })
            .collect();
        took.sort_unstable();
        micros.push((resources, took[100], took[197]));
    }
    assert!(micros.iter().all(|(_, median, _)| *median < 50_000), "{micros:?}");
}
