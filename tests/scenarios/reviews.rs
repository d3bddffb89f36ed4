//! Resolving by review: one voice of ours beside those of people. Thresholds and vetoes stay in force, whatever the daemon
//! thinks, and what an approval needs is locked before our voice is given.

use tribunal::assembly::{AssemblyError, assemble};
use tribunal::config::Config;
use tribunal_core::failure::FailureClass;
use tribunal_core::record::{Lifecycle, StepResult};
use tribunal_core::request::RequestState as Stands;
use tribunal_core::scope::{Pattern, Scope, Selector};
use tribunal_proto::types::{AccessReview, RequestState};
use tribunal_sim::Often;
use tribunal_sim::scenario::ThresholdDef;

use crate::world::gate::Place;
use crate::world::observer::spec;
use crate::world::people::our_lock;
use crate::world::witness::Witness;
use crate::world::{Setup, World, within};

/// Whatever is asked for takes two approvals; one denial is enough.
fn two_eyes() -> Setup {
    Setup::new().scenario(|scenario| {
        let requester = scenario.roles.iter_mut().find(|role| role.name == "requester").unwrap();
        let two = ThresholdDef { name: "two".to_owned(), filter: String::new(), approve: 2, deny: 1 };
        requester.allow.request.thresholds = vec![two];
    })
}

/// The daemon's reviews of a request.
fn ours(world: &World, request: &str) -> Vec<AccessReview> {
    let bot = world.bot();
    world.server().with(|cluster, _| {
        let reviews = &spec(&cluster.requests()[request]).reviews;
        reviews.iter().filter(|review| review.author == bot).cloned().collect()
    })
}

async fn until_reviewed(world: &World, request: &str) {
    let bot = world.bot();
    world
        .wait_until("our review is on the request", |cluster, _| {
            spec(cluster.requests().get(request)?).reviews.iter().find(|review| review.author == bot).map(drop)
        })
        .await;
}

fn person_reviews(world: &World, request: &str, approve: bool, reason: &str) {
    world.server().review_as("admin", request, approve, reason).unwrap();
}

/// Waits until the ledger says what became of so many reviews of ours: nobody else waits for that.
async fn on_record(world: &World, count: usize) -> Vec<Stands> {
    let stands = |result: StepResult| match result {
        StepResult::Reviewed(state) => Some(state),
        StepResult::Applied | StepResult::Failed(_) | StepResult::Superseded(_) => None,
    };
    let all = |witness: &Witness| -> Vec<Stands> {
        witness.outcomes().into_iter().filter_map(|outcome| stands(outcome.result)).collect()
    };
    within("it is on record", world.witness.until(|witness| all(witness).len() >= count)).await;
    all(&world.witness)
}

/// Three requests of a hoarder that two voices approved, ours the first; and a fourth, for which the first is locked and
/// which has our voice only.
async fn fourth_is_half_approved() -> (World, Vec<String>, String) {
    let mut world = two_eyes().reviewing().enforced_on_people().start().await;
    let mut held = Vec::new();
    for node in ["node-1", "node-2", "node-3"] {
        let request = world.asks_for_nodes("hoarder", &[node]);
        until_reviewed(&world, &request).await;
        person_reviews(&world, &request, true, "fine");
        world.settle().await;
        held.push(request);
    }
    world.gate.close(Place::BeforeResolve);
    let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
    within("the review is on its way", world.gate.reached()).await;
    assert!(world.standing(&held[0]).is_locked(), "the lock comes first");
    assert_eq!(ours(&world, &fourth), []);
    world.gate.open();
    until_reviewed(&world, &fourth).await;
    (world, held, fourth)
}

#[tokio::test]
async fn h20_setting_the_state_jumps_over_thresholds_and_is_the_default() {
    let world = two_eyes().start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_usable(&request).await;
    assert_eq!(ours(&world, &request), []);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_where_one_review_is_enough_ours_decides_at_once() {
    let mut world = Setup::new().reviewing().start().await;
    let fine = world.asks_for_nodes("alice", &["node-1"]);
    let reason = world.until_usable(&fine).await.reason;
    let mixed = world.asks_for_roles("straddler", &["prod-admin", "research-admin"]);
    world.until_denied(&mixed).await;
    world.settle().await;
    assert!(reason.contains("(tribunal decision run1-"), "{reason}");
    assert_eq!((ours(&world, &fine).len(), ours(&world, &mixed).len()), (1, 1));
    assert_eq!(world.writes(), 2);
    assert_eq!(on_record(&world, 2).await, [Stands::Approved, Stands::Denied]);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_where_two_are_needed_ours_is_one_and_a_person_completes_it() {
    let mut world = two_eyes().reviewing().start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    until_reviewed(&world, &request).await;
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(ours(&world, &request).len(), 1);
    assert_eq!(on_record(&world, 1).await, [Stands::Pending]);
    person_reviews(&world, &request, true, "agreed");
    world.settle().await;
    let standing = world.standing(&request);
    assert!(standing.is_usable(), "{standing:?}");
    assert_eq!(standing.reason, "agreed");
    assert_eq!(world.writes(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_what_an_approval_needs_is_locked_before_our_review_and_for_as_long_as_it_is_half_approved() {
    let (mut world, held, fourth) = fourth_is_half_approved().await;
    for _ in 0..3 {
        world.settle().await;
        assert_eq!(world.standing(&fourth).state, RequestState::Pending);
        assert!(world.standing(&held[0]).is_locked(), "people may complete it at any time");
    }
    person_reviews(&world, &fourth, true, "agreed");
    world.settle().await;
    assert!(world.standing(&fourth).is_usable());
    assert_eq!(world.standing(&held[0]).locks[0].0, our_lock(&held[0]));
    assert_eq!(world.server().snapshot().locks.len(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_a_veto_beats_our_review_and_what_was_locked_for_it_is_released() {
    let (mut world, held, fourth) = fourth_is_half_approved().await;
    person_reviews(&world, &fourth, false, "not today");
    world.until_usable(&held[0]).await;
    world.settle().await;
    let standing = world.standing(&fourth);
    assert_eq!((standing.state, standing.reason.as_str()), (RequestState::Denied, "not today"));
    assert_eq!(world.server().snapshot().locks.len(), 0);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_a_veto_right_before_our_review_stands_and_is_nothing_to_worry_about() {
    let mut world = Setup::new().reviewing().start().await;
    world.gate.close(Place::BeforeResolve);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    within("the review is on its way", world.gate.reached()).await;
    person_reviews(&world, &request, false, "not today");
    world.gate.open();
    let settled = |witness: &Witness| {
        let refused = |result: &StepResult| matches!(result, StepResult::Failed(failure) if failure.class == FailureClass::Settle);
        witness.outcomes().iter().any(|outcome| refused(&outcome.result))
    };
    within("the refusal is on record", world.witness.until(settled)).await;
    world.settle().await;
    let standing = world.standing(&request);
    assert_eq!((standing.state, standing.reason.as_str()), (RequestState::Denied, "not today"));
    assert_eq!(world.writes(), 0);
    assert_eq!(world.witness.lifecycle(Lifecycle::Alarm), [""; 0]);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_a_restart_does_not_review_twice() {
    let mut world = two_eyes().reviewing().start().await;
    world.gate.close(Place::AfterResolve);
    let request = world.asks_for_nodes("alice", &["node-1"]);
    within("the review is given, and nobody heard of it", world.gate.reached()).await;
    world.kill_daemon().await;
    world.start_daemon().await;
    world.until_seeing().await;
    world.settle().await;
    assert_eq!(ours(&world, &request).len(), 1);
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(on_record(&world, 1).await, [Stands::Pending], "the next start says what became of it");
    assert_eq!(world.writes(), 1);
    world.assert_lawful();
    world.stop_daemon().await;
    let (_, recovery) = tribunal_ledger::Ledger::open(&world.ledger_dir()).unwrap();
    assert_eq!(recovery.open, []);
}

#[tokio::test]
async fn h20_a_lost_reply_to_a_review_is_recognised() {
    let mut world = two_eyes().reviewing().in_real_time().start().await;
    world.server().faults(|faults| faults.lose_reply("SubmitAccessReview", Often::Next(1)));
    let request = world.asks_for_nodes("alice", &["node-1"]);
    until_reviewed(&world, &request).await;
    world.settle().await;
    assert_eq!(on_record(&world, 1).await, [Stands::Pending]);
    assert_eq!(ours(&world, &request).len(), 1);
    assert_eq!(world.writes(), 1);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_a_request_that_our_role_may_not_review_stays_pending_with_an_alarm() {
    let setup = Setup::new().reviewing().scenario(|scenario| {
        scenario.bot.review_requests.as_mut().unwrap().roles = vec!["node-access".to_owned()];
    });
    let mut world = setup.start().await;
    let request = world.asks_for_roles("alice", &["prod-admin"]);
    let alarms = |witness: &Witness| witness.lifecycle(Lifecycle::Alarm);
    within("the alarm is on record", world.witness.until(|witness| !alarms(witness).is_empty())).await;
    let alarm = alarms(&world.witness).remove(0);
    assert!(alarm.contains("cannot review request") && alarm.contains("`review_requests.roles`"), "{alarm}");
    let other = world.asks_for_nodes("climber", &["node-1"]);
    world.until_usable(&other).await;
    world.settle().await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert_eq!(ours(&world, &request), []);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_what_our_role_may_not_review_disturbs_nobody_where_it_is_out_of_scope() {
    let nodes = Selector { include: vec![Pattern::new("node-*")], ..Selector::default() };
    let setup = Setup::new().reviewing().scope(Scope { roles: nodes, ..Scope::default() }).scenario(|scenario| {
        scenario.bot.review_requests.as_mut().unwrap().roles = vec!["node-*".to_owned()];
    });
    let mut world = setup.start().await;
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let request = world.asks_for_roles("hoarder", &["prod-admin"]);
    for _ in 0..3 {
        world.settle().await;
    }
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    assert!(held.iter().all(|request| world.standing(request).is_usable()));
    assert_eq!(world.writes(), 3, "the three that were approved");
    assert_eq!(world.witness.lifecycle(Lifecycle::Alarm), [""; 0]);
    world.assert_lawful();
}

#[tokio::test]
async fn h20_where_the_edition_has_no_reviews_the_start_says_what_to_do() {
    let world = Setup::new().reviewing().scenario(|scenario| scenario.enterprise = false).without_daemon().await;
    for (with, starts) in [("review", false), ("state", true)] {
        let text = format!(
            "[teleport]\naddress = \"{}\"\nidentity-file = \"{}\"\nresolve-with = \"{with}\"\n\
             [ledger]\ndir = \"{}\"\n[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n",
            world.sim().addr(),
            world.identity_file().display(),
            world.ledger_dir().display(),
        );
        let config = Config::from_toml(&text, &world.ledger_dir().with_file_name("tribunal.toml")).unwrap();
        match within("the start ends", assemble(&config)).await {
            Ok(_) => assert!(starts, "`{with}`"),
            Err(AssemblyError::Teleport(failure)) => {
                assert!(!starts && failure.detail.contains("`resolve-with = \"state\"`"), "{failure}");
            }
            Err(AssemblyError::Parts(_) | AssemblyError::Identity(_) | AssemblyError::Ledger(_)) => {
                panic!("it did not fail for the edition")
            }
        }
    }
}
