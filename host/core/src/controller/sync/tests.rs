//! Law 8: when a view may be incomplete, and how it stays true between lists.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;
use crate::failure::FailureClass;
use crate::lock::LockName;

const POLL: Duration = Duration::from_secs(30);

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(secs)
}

fn listed(sync: &mut Sync, begun: u64, came: u64) {
    assert!(sync.begin_list(at(begun)));
    assert!(sync.listed(at(came), POLL));
}

fn is_blind(sync: &Sync, secs: u64) -> bool {
    sync.blind(at(secs), POLL).is_some()
}

#[test]
fn before_the_first_list_it_is_blind() {
    let mut sync = Sync::default();
    assert!(is_blind(&sync, 0));
    sync.watch_up(at(0));
    assert!(is_blind(&sync, 0), "a watch alone shows nothing of what was before");
    listed(&mut sync, 0, 1);
    assert!(!is_blind(&sync, 1));
}

#[test]
fn after_a_failed_list_it_is_blind_until_one_succeeds() {
    let mut sync = Sync::default();
    sync.watch_up(at(0));
    listed(&mut sync, 0, 1);
    assert!(sync.begin_list(at(31)));
    assert!(!is_blind(&sync, 31));
    sync.list_failed(at(32), Failure::new(FailureClass::Retry, "no"));
    assert!(is_blind(&sync, 32), "though the watch is up");
    let again = sync.next_list().unwrap();
    assert!(again > at(32) && again <= at(48));
    assert!(sync.begin_list(again));
    assert!(sync.listed(again, POLL));
    assert!(!is_blind(&sync, 48));
}

#[test]
fn without_a_watch_it_is_blind_after_two_intervals() {
    let mut sync = Sync::default();
    listed(&mut sync, 0, 20);
    assert!(!is_blind(&sync, 60), "the age counts from when the list was begun");
    assert!(sync.blind(Timestamp::from_millis(60_001), POLL).is_some());
    assert_eq!(sync.blind_from(POLL), Some(Timestamp::from_millis(60_001)));
}

#[test]
fn a_watch_that_is_up_again_heals_nothing_before_the_next_list() {
    let mut sync = Sync::default();
    sync.watch_up(at(0));
    listed(&mut sync, 0, 1);
    assert!(!is_blind(&sync, 1_000), "a live watch misses nothing");
    sync.watch_down("broken".to_owned());
    assert!(is_blind(&sync, 1_000));
    sync.watch_up(at(1_001));
    assert!(is_blind(&sync, 1_001), "what happened during the break is not in the stream");
    listed(&mut sync, 1_001, 1_002);
    assert!(!is_blind(&sync, 5_000));
}

#[test]
fn a_list_begun_before_init_does_not_count_as_one_after_it() {
    let mut sync = Sync::default();
    assert!(sync.begin_list(at(0)));
    sync.watch_up(at(5));
    assert!(sync.listed(at(6), POLL));
    assert_eq!(sync.next_list(), Some(at(6)), "it lists again at once");
    assert!(is_blind(&sync, 100));
}

#[test]
fn what_was_learnt_while_a_list_is_under_way_or_shortly_before_it_outlives_it() {
    let mut sync = Sync::default();
    sync.watch_up(at(0));
    let lock = |name: &str| Object::Lock(LockName::new(name));
    let known =
        |sync: &Sync| sync.lately().map(|(object, learnt)| (object.clone(), learnt.streamed)).collect::<Vec<_>>();
    sync.learn(at(1), lock("long ago"));
    sync.learn(at(10), lock("just before"));
    assert!(sync.begin_list(at(20)));
    sync.learn(at(21), lock("meanwhile"));
    assert!(sync.listed(at(50), POLL));
    assert_eq!(known(&sync), [(lock("just before"), true), (lock("meanwhile"), true)]);
    assert!(!sync.listed(at(50), POLL), "nobody asked for another");
    sync.watch_down("broken".to_owned());
    assert_eq!(known(&sync), [(lock("just before"), false), (lock("meanwhile"), false)]);
}

#[test]
fn lists_come_at_the_interval_and_never_two_at_once() {
    let mut sync = Sync::default();
    assert!(sync.begin_list(at(0)));
    assert!(!sync.begin_list(at(100)));
    assert!(sync.listed(at(2), POLL));
    assert_eq!(sync.next_list(), Some(at(30)));
    assert!(!sync.begin_list(at(29)));
    assert!(sync.begin_list(at(30)));
    assert!(sync.listed(at(90), POLL));
    assert_eq!(sync.next_list(), Some(at(90)), "a slow list does not make the next one be in the past");
}
