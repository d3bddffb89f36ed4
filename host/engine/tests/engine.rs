//! The sandbox against real guests: what loads, what is refused, what each misbehaviour is called. It never sleeps and
//! asserts no time but generous ones.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "engine/authority.rs"]
mod authority;
#[path = "engine/builtin.rs"]
mod builtin;
#[path = "engine/canary.rs"]
mod canary;
#[path = "engine/compiling.rs"]
mod compiling;
#[path = "engine/faults.rs"]
mod faults;
#[path = "engine/honest.rs"]
mod honest;
#[path = "engine/lasting.rs"]
mod lasting;
#[path = "engine/loading.rs"]
mod loading;
#[path = "engine/solo.rs"]
mod solo;
#[path = "engine/versions.rs"]
mod versions;

use tribunal_core::opinion::{Fault, FaultKind, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, case, pending};
use tribunal_engine::{Limits, LoadError, LoadProblem, Panel, PluginSpec};
use tribunal_ports::Engine;

/// The default limits, with deadlines that an honest guest meets on any machine.
fn patient() -> Limits {
    Limits { deadline_ms: 30_000, setup_deadline_ms: 30_000, ..Limits::default() }
}

/// A panel of one.
fn panel(guest: &Guest) -> Panel {
    load(PluginSpec::new("guest", guest.build())).unwrap()
}

fn load(spec: PluginSpec) -> Result<Panel, Vec<LoadError>> {
    Panel::load(vec![spec], patient())
}

/// A panel of one under the default limits, for a guest that misses its deadline.
fn strict(guest: &Guest) -> Panel {
    Panel::load(vec![PluginSpec::new("guest", guest.build())], Limits::default()).unwrap()
}

/// The one problem of a plugin that does not load, and the message that goes with it.
fn problem(spec: PluginSpec) -> (LoadProblem, String) {
    problem_under(patient(), spec)
}

fn problem_under(limits: Limits, spec: PluginSpec) -> (LoadProblem, String) {
    let mut errors = Panel::load(vec![spec], limits).unwrap_err();
    assert_eq!(errors.len(), 1, "{errors:?}");
    let message = errors[0].to_string();
    assert!(!message.chars().any(char::is_control), "{message:?}");
    (errors.remove(0).problem, message)
}

/// What the guest says about the pending request `r1`.
async fn review(guest: &Guest) -> Result<Opinion, Fault> {
    ask(&panel(guest)).await
}

async fn ask(panel: &Panel) -> Result<Opinion, Fault> {
    panel.review(0, RequestId::new("r1"), case(vec![pending("r1", 2)])).await
}

/// The fault that the guest runs into when it reviews.
async fn fault(guest: &Guest) -> Fault {
    let fault = review(guest).await.unwrap_err();
    assert!(!fault.detail.chars().any(char::is_control), "{fault:?}");
    fault
}

/// Asserts a fault by its kind and a part of its detail.
#[track_caller]
fn assert_fault(fault: &Fault, kind: FaultKind, detail: &str) {
    assert_eq!(fault.kind, kind, "{fault:?}");
    assert!(fault.detail.contains(detail), "{fault:?}");
}
