//! The observer sees what is forbidden: here the daemon's user does it. Without these nobody knew whether it can.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::net::{Ipv4Addr, SocketAddr};

use tribunal_sim::{RequestSpec, Running, SimClock, SimServer};

use super::*;
use crate::world;

const BOT: &str = "bot-tribunal";

/// A cluster without faults in which the daemon's user does what a test wants.
struct Stage {
    sim: Running,
    observer: Observer,
    tap: Tap,
}

// === impl Stage ===

impl Stage {
    async fn new() -> Self {
        let mut scenario = world::scenario(1, 1).unwrap();
        scenario.faults = tribunal_sim::scenario::FaultDef::default();
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sim = SimServer::start(scenario, listen, None, SimClock::real()).await.unwrap();
        Self { sim, observer: Observer::new(BOT.to_owned()), tap: Tap::default() }
    }

    fn asks(&self, roles: &[&str], nodes: &[u64]) -> String {
        let wish = RequestSpec {
            user: world::user(0),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            resources: nodes.iter().map(|number| format!("/soak/node/{}", world::node(*number))).collect(),
            ..RequestSpec::default()
        };
        replay::id(&self.sim.handle().create_request(&wish).unwrap()).to_owned()
    }

    fn approves(&self, who: &str, id: &str) {
        self.sim.handle().approve_as(who, id, "").unwrap();
    }

    /// What the observer has found by now.
    fn found(&mut self) -> Vec<String> {
        self.observer.follow(self.sim.handle(), &self.tap);
        self.observer.violations.clone()
    }
}

#[tokio::test]
async fn a_fourth_resource_is_a_violation() {
    let mut stage = Stage::new().await;
    stage.approves(BOT, &stage.asks(&[], &[1, 2, 3]));
    stage.approves(BOT, &stage.asks(&[], &[3, 2]));
    assert_eq!(stage.found(), Vec::<String>::new(), "the same resources again are no more of them");
    stage.approves(BOT, &stage.asks(&["billing"], &[]));
    let found = stage.found();
    assert!(matches!(found.as_slice(), [one] if one.contains("can use 4 resources")), "{found:?}");
}

#[tokio::test]
async fn two_classes_are_a_violation_unless_one_is_locked_first() {
    for locked in [true, false] {
        let mut stage = Stage::new().await;
        let first = stage.asks(&["prod-admin"], &[]);
        stage.approves(BOT, &first);
        if locked {
            stage.sim.handle().upsert_lock_as(BOT, crate::people::lock_on(&first, None)).unwrap();
        }
        stage.approves(BOT, &stage.asks(&["research-admin"], &[]));
        assert_eq!(stage.found().len(), usize::from(!locked), "{locked}");
        assert_eq!(stage.observer.forbidden_now().len(), usize::from(!locked), "{locked}");
    }
}

#[tokio::test]
async fn what_a_person_approved_or_unlocked_is_not_the_daemons_doing() {
    let mut stage = Stage::new().await;
    let first = stage.asks(&["prod-admin"], &[]);
    stage.approves(BOT, &first);
    stage.approves(world::PERSON, &stage.asks(&["research-admin"], &[]));
    assert_eq!(stage.found(), Vec::<String>::new());
    let lock = crate::people::lock_on(&first, None);
    let name = replay::lock_name(&lock).to_owned();
    stage.sim.handle().upsert_lock_as(BOT, lock).unwrap();
    stage.approves(BOT, &stage.asks(&["research-reader"], &[]));
    stage.sim.handle().delete_lock_as(world::PERSON, &name).unwrap();
    assert_eq!(stage.found(), Vec::<String>::new());
    assert_eq!((stage.observer.counts.excused, stage.observer.forbidden_now().len()), (1, 1), "but it must not last");
}

#[tokio::test]
async fn a_persons_decision_that_the_daemon_had_seen_is_not_its_to_change() {
    for seen in [true, false] {
        let mut stage = Stage::new().await;
        let id = stage.asks(&["prod-admin"], &[]);
        stage.approves(world::PERSON, &id);
        let sequence = stage.sim.handle().snapshot().sequence;
        stage.tap.with(|heard| heard.reads.insert(id.clone(), vec![if seen { sequence } else { sequence - 1 }]));
        stage.sim.handle().deny_as(BOT, &id, "").unwrap();
        assert_eq!(stage.found().len(), usize::from(seen));
        assert_eq!(stage.observer.counts.races, u64::from(!seen));
    }
}

#[tokio::test]
async fn the_lock_of_a_person_is_not_the_daemons_to_touch() {
    let mut stage = Stage::new().await;
    let lock = crate::people::lock_on(&stage.asks(&["prod-admin"], &[]), None);
    let name = replay::lock_name(&lock).to_owned();
    stage.sim.handle().upsert_lock_as(world::PERSON, lock).unwrap();
    stage.sim.handle().delete_lock_as(BOT, &name).unwrap();
    assert_eq!(stage.found().len(), 1);
}
