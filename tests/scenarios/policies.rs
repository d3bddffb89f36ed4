//! Policies that misbehave, in the whole system: a fault never approves, never releases and never locks. How guests can
//! misbehave is the engine's to test.

use std::time::Duration;

use tribunal_core::decision::{Because, Verdict};
use tribunal_core::opinion::FaultKind;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, OPINION_DENY, OPINION_ESCALATE, Order};
use tribunal_proto::types::RequestState;

use crate::world::panel::Seat;
use crate::world::{Setup, World};

const LOOP: &str = "(loop $l (br $l)) (unreachable)";
const TRAP: &str = "(unreachable)";

async fn with(seat: Seat) -> World {
    Setup::new().separation(None).guest(seat).start().await
}

async fn faults(world: &World, wanted: FaultKind) {
    let decided = world.until_decided(1).await;
    let decision = decided[0].decision.as_ref().unwrap();
    assert_eq!(decision.verdict, Verdict::Leave);
    let Because::Faults(faults, _) = &decision.because else { panic!("{decision:?}") };
    assert_eq!(faults.iter().map(|(_, fault)| fault.kind).collect::<Vec<_>>(), [wanted]);
}

#[tokio::test]
async fn a_policy_that_traps_or_hangs_never_approves_and_is_told_of_once() {
    for (review, kind) in [(TRAP, FaultKind::Trap), (LOOP, FaultKind::Deadline)] {
        let mut world = with(Seat::new("broken", &Guest::new().review(review))).await;
        let request = world.asks_for_nodes("alice", &["node-1"]);
        faults(&world, kind).await;
        for _ in 0..3 {
            world.settle().await;
        }
        assert_eq!(world.standing(&request).state, RequestState::Pending);
        let decided = world.witness.decided();
        assert_eq!(decided.len(), 1, "{decided:?}");
        assert_eq!(world.writes(), 0);
    }
}

#[tokio::test]
async fn a_policy_that_cannot_say_what_to_lock_never_lets_approve() {
    let mut world = with(Seat::new("broken", &Guest::new().enforce(TRAP))).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    faults(&world, FaultKind::Trap).await;
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn on_a_fault_locks_stay_as_they_are() {
    let mut world = Setup::new().start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let short = world.asks_for_nodes_for("hoarder", &["node-4"], Duration::from_secs(3_600));
    world.until_usable(&short).await;
    world.until_locked(&held[0]).await;
    world.stop_daemon().await;
    let writes = world.writes();
    world.add_guest(Seat::new("broken", &Guest::new().enforce(TRAP)));
    world.start_daemon().await;
    world.until_seeing().await;
    // The lock is needed no more, but nobody can say so for certain.
    world.advance(Duration::from_secs(3_700));
    world.settle().await;
    world.settle().await;
    assert!(world.standing(&held[0]).is_locked());
    assert_eq!(world.writes(), writes);
    world.assert_lawful();
}

#[tokio::test]
async fn one_denial_outweighs_all_approvals() {
    let seat = Seat::new("strict", &Guest::new().says(OPINION_DENY, &[("rule-a", "not here"), ("rule-b", "not now")]));
    let world = with(seat).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    assert_eq!(world.until_denied(&request).await.reason, "not here; not now");
    world.assert_lawful();
}

#[tokio::test]
async fn one_escalation_leaves_the_request_to_people() {
    let seat = Seat::new("careful", &Guest::new().says(OPINION_ESCALATE, &[("rule-a", "ask the owner")]));
    let mut world = with(seat).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    let decided = world.until_decided(1).await;
    assert_eq!(decided[0].reason, "ask the owner");
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    world.server().approve_as("admin", &request, "the owner agrees").unwrap();
    world.settle().await;
    assert_eq!(world.standing(&request).reason, "the owner agrees");
    assert_eq!(world.writes(), 0);
}

#[tokio::test]
async fn a_policy_in_the_shadow_changes_nothing_and_is_on_record() {
    let deny = Guest::new().says(OPINION_DENY, &[("rule-a", "never")]);
    let setup = Setup::new()
        .separation(None)
        .guest(Seat::shadow("denier", &deny))
        .guest(Seat::shadow("broken", &Guest::new().review(TRAP).enforce(TRAP)));
    let world = setup.start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&request).await;
    let decided = world.until_decided(1).await;
    assert_eq!(decided[0].evaluations.len(), 3, "all were asked");
    world.assert_lawful();
}

#[tokio::test]
async fn an_approval_alone_approves_and_nothing_else_does() {
    let seat = Seat::new("generous", &Guest::new().says(OPINION_APPROVE, &[("rule-a", "welcome")]));
    let world = Setup::new().cap(None).separation(None).guest(seat).start().await;
    let request = world.asks_for_nodes("alice", &["node-1", "node-2", "node-3", "node-4"]);
    assert_eq!(world.until_approved(&request).await.reason, "welcome");
    world.assert_lawful_without_limits();
}

#[tokio::test]
async fn an_order_about_a_request_that_is_not_there_is_a_fault() {
    let order = Order { request: "01a00000-0000-7000-8000-000000000000", rule: "rule-a", reason: "gone", until: None };
    let mut world = with(Seat::new("confused", &Guest::new().orders(&[order]))).await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    faults(&world, FaultKind::Nonsense).await;
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(world.writes(), 0);
}
