//! Policies that fail again and again, and panels that are replaced while they are asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tribunal_core::opinion::{Effect, Fault, FaultKind, Ground, Opinion, PanelId};
use tribunal_core::request::RequestId;
use tribunal_engine::testing::{Guest, OPINION_APPROVE, case, pending};
use tribunal_engine::{Health, Limits, LivePanel, Panel, PluginSpec, RECORDED_MAX, Rehearsal, Workshop};
use tribunal_ports::Engine;

use crate::{assert_fault, patient};

/// A case of this user, with one pending request.
fn case_of(user: &str) -> Arc<tribunal_core::case::Case> {
    let mut case = tribunal_core::case::Case::clone(&case(vec![pending("r1", 2)]));
    case.subject.name = tribunal_core::request::UserName::new(user);
    Arc::new(case)
}

async fn review(engine: &impl Engine, policy: usize, user: &str) -> Result<Opinion, Fault> {
    engine.review(policy, RequestId::new("r1"), case_of(user)).await
}

/// Traps about everybody but alice.
fn picky() -> Vec<u8> {
    // The first byte of the case's subject: a text of the case is found by its address, 4 words in.
    let mut guest = Guest::new();
    let abstain = guest.opinion(0, &[]);
    guest
        .review(&format!(
            "(if (i32.ne (i32.load8_u (i32.load offset=16 (local.get 0))) (i32.const 97)) (then (unreachable)))
             (i32.const {abstain})"
        ))
        .build()
}

fn spec(name: &str, component: Vec<u8>) -> PluginSpec {
    PluginSpec::new(name, component)
}

#[tokio::test]
async fn a_policy_that_faults_again_and_again_is_not_asked_for_a_while_and_then_tried() {
    let limits = Limits { strikes_max: 3, quarantine_ms: 50, quarantine_ms_max: 50, ..patient() };
    let panel = Panel::load(vec![spec("picky", picky()), spec("good", Guest::new().build())], limits).unwrap();
    assert_eq!(review(&panel, 0, "alice").await, Ok(Opinion::Abstain));
    for user in ["bob", "carol", "bob"] {
        assert_eq!(review(&panel, 0, user).await.unwrap_err().kind, FaultKind::Trap);
    }
    let health = || panel.health().into_iter().map(|policy| policy.health).collect::<Vec<_>>();
    // It may be over by now on a machine that is very busy, and then alice's case is the one that is tried.
    match review(&panel, 0, "alice").await {
        Err(fault) => {
            let words = "is in quarantine: it faulted 3 times in a row (`strikes_max`), the last time by `trap`";
            assert_fault(&fault, FaultKind::Unavailable, words);
            assert!(matches!(health()[0], Health::Quarantined { strikes: 3, .. }));
        }
        Ok(opinion) => assert_eq!(opinion, Opinion::Abstain),
    }
    // Its neighbour does not notice.
    assert_eq!(review(&panel, 1, "bob").await, Ok(Opinion::Abstain));
    assert_eq!(health()[1], Health::Asked { strikes: 0 });
    while review(&panel, 0, "alice").await.is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(health()[0], Health::Asked { strikes: 0 });
    assert_eq!(review(&panel, 0, "bob").await.unwrap_err().kind, FaultKind::Trap);
}

/// Approves on this rule.
fn approves(rule: &str) -> Vec<u8> {
    Guest::new().says(OPINION_APPROVE, &[(rule, "fine")]).build()
}

/// Two policies of one version.
fn version(before: Option<&Panel>, rule: &str) -> Panel {
    let specs = vec![spec("one", approves(rule)), spec("two", approves(rule))];
    let (panel, errors) = Panel::assemble(&Workshop::here(), specs, patient(), before).unwrap();
    assert!(errors.is_empty(), "{errors:?}");
    panel
}

fn rule(answer: &Result<Opinion, Fault>) -> &str {
    match answer {
        Ok(Opinion::Approve(Ground { rule, .. })) => rule,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_pinned_panel_answers_as_it_did_and_hears_that_it_is_replaced() {
    let live = LivePanel::new(version(None, "rule-a"));
    let (pinned, panel) = live.pinned().unwrap();
    assert_eq!((panel.members.len(), panel.id), (2, None));
    let replaced = pinned.replaced();
    tokio::pin!(replaced);
    assert!(futures::poll!(&mut replaced).is_pending());
    let next = version(Some(&live.newest()), "rule-b");
    live.replace(next.kept_as(PanelId::new("b")));
    replaced.await;
    assert_eq!(rule(&review(&pinned, 0, "alice").await), "rule-a");
    assert_eq!(rule(&review(&live, 0, "alice").await), "rule-b");
    let (pinned, panel) = live.pinned().unwrap();
    assert_eq!(panel.id, Some(PanelId::new("b")));
    let replaced = pinned.replaced();
    tokio::pin!(replaced);
    assert!(futures::poll!(&mut replaced).is_pending());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_swaps_under_a_stream_of_questions_drop_none_and_mix_none() {
    const SWAPS: usize = 1_000;
    let live = LivePanel::new(version(None, "rule-a"));
    let done = Arc::new(AtomicBool::new(false));
    let stream: Vec<_> = (0..4)
        .map(|number| {
            let (live, done) = (live.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                let mut seen = std::collections::BTreeMap::<String, usize>::new();
                while !done.load(Ordering::SeqCst) {
                    // As a decision does: one panel, from its first question to its last.
                    let (panel, _) = live.pinned().unwrap();
                    let user = format!("user{number}");
                    let (one, two) = tokio::join!(review(&panel, 0, &user), review(&panel, 1, &user));
                    assert_eq!(rule(&one), rule(&two), "one decision, two versions");
                    *seen.entry(rule(&one).to_owned()).or_default() += 1;
                }
                seen
            })
        })
        .collect();
    // Both versions are there and only change places: what takes time is compiled once.
    let versions = ["rule-b", "rule-a"].map(|rule| (rule, approves(rule)));
    let cache = tempfile::tempdir().unwrap();
    let workshop = Workshop::here().with_cache(cache.path().join("compiled"));
    for (_, component) in versions.iter().cycle().take(SWAPS) {
        let before = live.newest();
        let specs = vec![spec("one", component.clone()), spec("two", component.clone())];
        let (panel, errors) = Panel::assemble(&workshop, specs, patient(), Some(&before)).unwrap();
        assert!(errors.is_empty() && !panel.is_same(&before), "{errors:?}");
        live.replace(panel);
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::SeqCst);
    let mut seen = std::collections::BTreeSet::new();
    for task in stream {
        seen.extend(task.await.unwrap().into_keys());
    }
    assert_eq!(seen.len(), 2, "both versions were asked");
}

#[tokio::test]
async fn what_is_the_same_is_taken_over_with_its_strikes() {
    let limits = Limits { strikes_max: 3, ..patient() };
    let broken = || spec("broken", Guest::new().review("(unreachable)").build());
    let first = Panel::load(vec![broken(), spec("other", approves("rule-a"))], limits.clone()).unwrap();
    assert!(review(&first, 0, "alice").await.is_err());
    let specs = vec![broken(), spec("other", approves("rule-b"))];
    let (second, _) = Panel::assemble(&Workshop::here(), specs.clone(), limits.clone(), Some(&first)).unwrap();
    assert_eq!(second.health()[0].health, Health::Asked { strikes: 1 });
    assert!(!second.is_same(&first));
    let (third, _) = Panel::assemble(&Workshop::here(), specs, limits, Some(&second)).unwrap();
    assert!(third.is_same(&second));
}

#[tokio::test]
async fn a_new_plugin_is_tried_on_the_last_cases() {
    let live = LivePanel::new(version(None, "rule-a"));
    let one = |component: Vec<u8>, live: &LivePanel| {
        let specs = vec![spec("one", component), spec("two", approves("rule-a"))];
        Panel::assemble(&Workshop::here(), specs, patient(), Some(&live.newest())).unwrap().0
    };
    // Nothing is remembered yet.
    let broken = one(Guest::new().review("(unreachable)").build(), &live);
    assert_eq!(live.rehearse(&broken).await, Ok(Rehearsal::default()));
    for number in 0..RECORDED_MAX + 5 {
        let _opinion = review(&live, 0, &format!("user{number}")).await.unwrap();
        let _orders = live.enforce(0, case_of("alice")).await.unwrap();
    }
    let why = live.rehearse(&broken).await.unwrap_err();
    assert!(why.contains("policy `one` faults on a case of this run: trap:"), "{why}");
    // It may answer otherwise; who is the same is not asked again.
    let other = live.rehearse(&one(approves("rule-b"), &live)).await.unwrap();
    assert_eq!(other, Rehearsal { asked: 2 * RECORDED_MAX, changed: RECORDED_MAX });
    // What faults as well is no reason to keep it.
    let mut bad = spec("one", Guest::new().review("(unreachable)").build());
    bad.effects = Some([Effect::Deny].into());
    let live = LivePanel::new(Panel::load(vec![bad], patient()).unwrap());
    assert!(review(&live, 0, "alice").await.is_err());
    let again =
        Panel::load(vec![spec("one", Guest::new().review("(loop $l (unreachable)) (unreachable)").build())], patient())
            .unwrap();
    assert_eq!(live.rehearse(&again).await, Ok(Rehearsal { asked: 1, changed: 0 }));
}
