//! Honest guests, alone and beside others.

use std::sync::Arc;

use futures::future::join_all;
use tribunal_core::Timestamp;
use tribunal_core::opinion::{FaultKind, Ground, LockOrder, Opinion};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, OPINION_DENY, OPINION_ESCALATE, Order, case, held, pending};
use tribunal_engine::{LimitOverrides, Limits, Panel, PluginSpec};
use tribunal_ports::Engine;

use crate::{ask, assert_fault, panel, review, strict};

fn ground(rule: &str, reason: &str) -> Ground {
    Ground { rule: rule.into(), reason: reason.into() }
}

#[tokio::test]
async fn every_opinion_arrives_as_it_was_given() {
    let (a, b) = (("rule-a", "first"), ("rule-b", "second"));
    for (guest, expected) in [
        (Guest::new(), Opinion::Abstain),
        (Guest::new().says(OPINION_APPROVE, &[a]), Opinion::Approve(ground("rule-a", "first"))),
        (
            Guest::new().says(OPINION_DENY, &[b, a]),
            Opinion::Deny(vec![ground("rule-b", "second"), ground("rule-a", "first")]),
        ),
        (Guest::new().says(OPINION_ESCALATE, &[b]), Opinion::Escalate(ground("rule-b", "second"))),
    ] {
        assert_eq!(review(&guest).await, Ok(expected));
    }
}

#[tokio::test]
async fn orders_arrive_as_they_were_given() {
    let now = case(Vec::new()).now;
    let orders = [
        Order { request: "h2", rule: "rule-a", reason: "second", until: Some(now.as_millis()) },
        Order { request: "h1", rule: "rule-b", reason: "first", until: None },
    ];
    let found = panel(&Guest::new().orders(&orders)).enforce(0, case(vec![held("h1", 1), held("h2", 1)])).await;
    let order = |id: &str, ground, until: Option<Timestamp>| LockOrder { request: RequestId::new(id), ground, until };
    assert_eq!(
        found,
        Ok(vec![order("h2", ground("rule-a", "second"), Some(now)), order("h1", ground("rule-b", "first"), None),])
    );
}

#[tokio::test]
async fn every_evaluation_runs_in_a_fresh_instance() {
    // Abstains in the first call of an instance and traps in the second.
    let mut guest = Guest::new();
    let abstain = guest.opinion(0, &[]);
    let guest = guest.field("(global $calls (mut i32) (i32.const 0))").review(&format!(
        "(if (global.get $calls) (then (unreachable)))
         (if (i32.load (i32.const 60000)) (then (unreachable)))
         (global.set $calls (i32.const 1)) (i32.store (i32.const 60000) (i32.const 1)) (i32.const {abstain})"
    ));
    let panel = panel(&guest);
    for _ in 0..20 {
        assert_eq!(ask(&panel).await, Ok(Opinion::Abstain));
    }
}

#[tokio::test]
async fn a_hundred_evaluations_at_once_are_all_answered() {
    let panel = panel(&Guest::new().says(OPINION_APPROVE, &[("rule-a", "yes")]));
    let answers = join_all((0..100).map(|_| ask(&panel))).await;
    assert_eq!(answers.len(), 100);
    for answer in answers {
        assert_eq!(answer, Ok(Opinion::Approve(ground("rule-a", "yes"))));
    }
}

#[tokio::test]
async fn who_finds_the_queue_full_gets_a_fault_that_says_so() {
    // It keeps its thread for as long as it takes to ask twenty times, on any machine.
    let mut spec = PluginSpec::new("p", Guest::new().review("(loop $l (br $l)) (unreachable)").build());
    spec.limits = LimitOverrides { concurrency: Some(1), queue: Some(2), deadline_ms: Some(250), ..Default::default() };
    let panel = crate::load(spec).unwrap();
    // All of them are asked before any is answered: futures of one task are polled in turn.
    let answers = join_all((0..20).map(|_| ask(&panel))).await;
    let faults: Vec<_> = answers.into_iter().map(Result::unwrap_err).collect();
    let (late, refused): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.kind == FaultKind::Deadline);
    assert!(late.len() >= 3 && !refused.is_empty(), "{late:?} {refused:?}");
    for fault in refused {
        assert_fault(&fault, FaultKind::Limit, "has 2 evaluations waiting, its limit (`queue`)");
    }
    // It is not the policy's failure, and it is asked again at once.
    assert_eq!(ask(&panel).await.unwrap_err().kind, FaultKind::Deadline);
}

#[tokio::test]
async fn a_looping_plugin_does_not_hold_up_its_neighbour() {
    let looping = Guest::new().review("(loop $l (br $l)) (unreachable)").build();
    let specs = vec![PluginSpec::new("looping", looping), PluginSpec::new("honest", Guest::new().build())];
    let limits = Limits { concurrency: 1, deadline_ms: 1_000, ..Limits::default() };
    let panel = Arc::new(Panel::load(specs, limits).unwrap());
    let (done, mut order) = tokio::sync::mpsc::unbounded_channel();
    let tasks: Vec<_> = [0, 0, 0, 1, 1, 1]
        .into_iter()
        .map(|policy| {
            let (panel, done) = (Arc::clone(&panel), done.clone());
            tokio::spawn(async move {
                let answer = panel.review(policy, RequestId::new("r1"), case(vec![pending("r1", 1)])).await;
                done.send((policy, answer)).unwrap();
            })
        })
        .collect();
    drop(done);
    let mut answers = Vec::new();
    while let Some(answer) = order.recv().await {
        answers.push(answer);
    }
    for task in tasks {
        task.await.unwrap();
    }
    // All of the honest one's are there before the third of the other's, which takes three seconds of looping.
    let order: Vec<_> = answers.iter().map(|(policy, _)| *policy).collect();
    assert_eq!(order.last(), Some(&0), "{order:?}");
    assert!(order.iter().take(4).filter(|policy| **policy == 1).count() == 3, "{order:?}");
    for (policy, answer) in answers {
        match policy {
            1 => assert_eq!(answer, Ok(Opinion::Abstain)),
            _ => assert_eq!(answer.unwrap_err().kind, FaultKind::Deadline),
        }
    }
}

#[tokio::test]
async fn who_goes_away_leaves_nothing_behind() {
    let looping = Guest::new().review("(loop $l (br $l)) (unreachable)");
    let panel = strict(&looping);
    for _ in 0..3 {
        let asked = ask(&panel);
        tokio::pin!(asked);
        // Polled once, so that it is queued, then dropped.
        assert!(futures::poll!(&mut asked).is_pending());
    }
    assert_eq!(ask(&panel).await.unwrap_err().kind, FaultKind::Deadline);
}
