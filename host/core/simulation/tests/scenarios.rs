//! Scenarios told as text: what happens, what the daemon records and does, and how it ends. `BLESS=1` writes the texts
//! anew; they are to be read before they are committed.

use std::fmt::Write;
use std::time::Duration;

use tribunal_core::action::{Action, Event};
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::request::{AccessRequest, RequestId, RequestState};

use crate::simulation::driver::{Call, Driver, Luck, POLL};
use crate::simulation::policies::Policy;

mod reviews;
mod shadow;

const STEPS_MAX: u32 = 2_000;

struct Scene {
    driver: Driver,
}

// === impl Scene ===

impl Scene {
    fn new() -> Self {
        Self::with(HumanApproved::Exempt)
    }

    fn with(people: HumanApproved) -> Self {
        Self::of(Driver::new(vec![Policy::Separation, Policy::Cap], people))
    }

    fn of(mut driver: Driver) -> Self {
        driver.telling = true;
        driver.deliver(Event::Tick).unwrap();
        driver.watch_up().unwrap();
        let mut scene = Self { driver };
        scene.settle();
        scene
    }

    fn says(&mut self, line: &str) {
        self.driver.tell(|| line.to_owned());
    }

    fn ask(&mut self, id: &str, user: &str, role: &str, nodes: &[&str]) {
        self.ask_with(id, user, role, nodes, |_| {});
    }

    fn ask_with(&mut self, id: &str, user: &str, role: &str, nodes: &[&str], with: impl FnOnce(&mut AccessRequest)) {
        self.says(&format!("{user} asks for {id}: {role} {nodes:?}"));
        let mut request = self.driver.world.request(id, user, role, nodes);
        with(&mut request);
        self.driver.world.put_request(request);
        self.driver.publish();
        self.driver.world.now = self.driver.world.now.after(Duration::from_millis(1));
    }

    fn settle(&mut self) {
        self.driver.drain(STEPS_MAX).unwrap();
    }

    fn ask_and_settle(&mut self, id: &str, user: &str, role: &str, nodes: &[&str]) {
        self.ask(id, user, role, nodes);
        self.settle();
    }

    fn wait(&mut self, secs: u64) {
        self.says(&format!("{secs} s later"));
        let until = self.driver.world.now.after(Duration::from_secs(secs));
        while self.driver.world.now < until {
            self.settle();
            let next = self.driver.poll_timeout().map_or(until, |at| at.min(until));
            self.driver.wait(next).unwrap();
        }
        self.settle();
    }

    /// Goes on until the server is about to see such a call; gives its place.
    fn until(&mut self, is_it: impl Fn(&Action) -> bool) -> usize {
        for _ in 0..STEPS_MAX {
            self.driver.publish();
            let sent = |call: &Call| matches!(call, Call::Sent(action) if is_it(action));
            if let Some(at) = self.driver.calls.iter().position(sent) {
                return at;
            }
            if self.driver.calls.is_empty() {
                let key = self.driver.stream.keys().next().cloned().expect("it comes to such a call");
                self.driver.stream_next(&key, false).unwrap();
            } else {
                self.driver.advance(0, Luck::Good, |_| 0).unwrap();
            }
        }
        panic!("it never came to such a call:\n{}", self.driver.story.join("\n"));
    }

    fn unlucky(&mut self, luck: Luck, is_it: impl Fn(&Action) -> bool) {
        let at = self.until(is_it);
        self.driver.advance(at, luck, |_| 0).unwrap();
    }

    fn person(&mut self, approve: bool, id: &str) {
        self.says(&format!("a person {} {id}", if approve { "approves" } else { "denies" }));
        let id = RequestId::new(id);
        self.driver.world.by_person(id.as_str(), |world| world.set_state(&id, approve, None).unwrap());
        self.driver.publish();
    }

    fn person_edits(&mut self, lock: Lock) {
        self.says(&format!("a person writes lock {} until {:?}", lock.name, lock.expires));
        let name = lock.name.as_str().to_owned();
        self.driver.world.by_person(&name, |world| world.put_lock(lock));
        self.driver.publish();
    }

    fn drop_request(&mut self, id: &str) {
        self.says(&format!("{id} is deleted"));
        let id = RequestId::new(id);
        self.driver.world.by_person(id.as_str(), |world| world.drop_request(&id));
        self.driver.publish();
    }

    fn is_locked(&self, id: &str) -> bool {
        self.driver.world.is_locked(&self.driver.world.requests[&RequestId::new(id)])
    }

    fn is_locked_by_us(&self, id: &str) -> bool {
        self.driver.world.locks.contains_key(&LockName::of(&RequestId::new(id)))
    }

    /// Ends the story with what there is, and compares it with the text of that name.
    fn ends_as(mut self, name: &str) {
        self.settle();
        let world = &self.driver.world;
        let mut text = self.driver.story.join("\n");
        text.push_str("\n== in the end ==\n");
        for it in world.requests() {
            let locked = if world.is_locked(it) { ", locked" } else { "" };
            writeln!(text, "{} {}: {}{locked}", it.user, it.id, it.state).unwrap();
        }
        check(name, &text);
    }
}

#[expect(clippy::disallowed_methods, reason = "whether texts are written anew is the author's to say")]
fn check(name: &str, text: &str) {
    let path = format!("{}/simulation/tests/stories/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var("BLESS").is_ok() {
        std::fs::write(&path, text).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "{name} is told otherwise; if that is right, run with BLESS=1");
}

fn is_lock(action: &Action) -> bool {
    matches!(action, Action::WriteLock { .. })
}

fn is_resolve(action: &Action) -> bool {
    matches!(action, Action::Resolve { .. })
}

fn is_record(action: &Action) -> bool {
    matches!(action, Action::Record { .. })
}

fn three_held() -> Scene {
    let mut scene = Scene::new();
    for (id, node) in [("r1", "n1"), ("r2", "n2"), ("r3", "n3")] {
        scene.ask_and_settle(id, "hoarder", "node", &[node]);
    }
    scene
}

#[test]
fn the_oldest_of_a_hoarder_gives_way_before_the_newest_is_approved() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.ends_as("hoarder");
}

#[test]
fn whoever_rests_is_not_asked_about_until_something_changes_or_much_time_goes_by() {
    let mut scene = three_held();
    scene.ask_and_settle("r4", "switcher", "prod-a", &[]);
    let polls = |polls: u64| POLL.as_secs() * polls;
    scene.wait(polls(1));
    let asked = scene.driver.asked;
    scene.wait(polls(3));
    assert_eq!(scene.driver.asked, asked, "four lists said nothing new");

    // Only a list tells of it.
    scene.driver.watch_down().unwrap();
    scene.drop_request("r1");
    scene.wait(polls(1));
    assert_eq!(scene.driver.asked, asked + 2, "cap and separation about the hoarder, and nobody about the switcher");

    scene.driver.watch_up().unwrap();
    scene.wait(polls(11));
    assert!(scene.driver.asked >= asked + 6, "policies see the time: {} of both", scene.driver.asked - asked);
}

#[test]
fn what_is_left_to_people_is_judged_anew_with_each_list() {
    let mut scene = Scene::of(Driver::new(vec![Policy::Moody], HumanApproved::Exempt));
    scene.ask_and_settle("r0", "hoarder", "node", &["n1"]);
    let is_pending = |scene: &Scene| scene.driver.world.requests().any(|it| it.state == RequestState::Pending);
    assert!(is_pending(&scene), "the mood is to leave it");
    scene.wait(POLL.as_secs());
    let asked = scene.driver.asked;
    scene.wait(POLL.as_secs() * 4);
    assert_eq!(scene.driver.asked, asked + 4);
}

#[test]
fn a_straddler_is_denied() {
    let mut scene = Scene::new();
    scene.ask_with("r1", "straddler", "prod-a", &[], |it| it.roles.push("research-a".to_owned()));
    scene.ends_as("straddler");
}

#[test]
fn a_switcher_loses_prod_before_research_is_given() {
    let mut scene = Scene::new();
    scene.ask_and_settle("r1", "switcher", "prod-a", &[]);
    scene.ask("r2", "switcher", "research-a", &[]);
    scene.ends_as("switcher");
}

#[test]
fn bulk_is_denied() {
    let mut scene = Scene::new();
    scene.ask("r1", "bulk", "node", &["n1", "n2", "n3", "n4", "n5"]);
    scene.ends_as("bulk");
}

#[test]
fn a_protected_role_is_left_to_people_and_told_once() {
    let mut scene = Scene::new();
    scene.ask("r1", "climber", "editor", &[]);
    scene.wait(120);
    scene.ends_as("climber");
}

#[test]
fn a_crash_between_lock_and_approve_ends_in_the_same_state() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.until(is_resolve);
    scene.driver.crash(|| false).unwrap();
    scene.wait(10);
    scene.driver.watch_up().unwrap();
    scene.ends_as("crash-between-lock-and-approve");
}

#[test]
fn a_human_denial_between_list_and_write_stands_and_the_lock_is_released() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::Good, is_lock);
    scene.person(false, "r4");
    scene.ends_as("human-denies-meanwhile");
}

#[test]
fn a_lost_reply_to_an_approval_is_recognised_by_reading() {
    let mut scene = Scene::new();
    scene.ask("r1", "hoarder", "node", &["n1"]);
    scene.unlucky(Luck::LostReply, is_resolve);
    scene.wait(60);
    scene.ends_as("lost-reply-on-approve");
}

#[test]
fn a_lost_reply_to_a_lock_is_recognised_by_reading() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::LostReply, is_lock);
    scene.ends_as("lost-reply-on-lock");
}

#[test]
fn a_lock_that_fails_leaves_the_request_pending_and_is_tried_again() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::Fails(FailureClass::Retry), is_lock);
    scene.settle();
    scene.says("-- so far --");
    scene.wait(1);
    scene.ends_as("lock-fails");
}

#[test]
fn an_approval_that_fails_keeps_its_locks_while_it_may_still_succeed() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::Fails(FailureClass::Retry), is_resolve);
    scene.settle();
    scene.says("-- so far --");
    scene.wait(1);
    scene.ends_as("approve-fails");
}

#[test]
fn an_approval_that_is_not_permitted_gives_its_locks_back_and_is_not_tried_again_at_once() {
    let mut scene = three_held();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::Fails(FailureClass::Alarm), is_resolve);
    scene.settle();
    scene.says("-- so far --");
    scene.wait(65);
    scene.ends_as("approve-not-permitted");
}

#[test]
fn without_a_ledger_nothing_is_enforced() {
    let mut scene = three_held();
    scene.driver.ledger_works = false;
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.unlucky(Luck::Good, is_record);
    scene.wait(60);
    scene.says("-- the ledger works again --");
    scene.driver.ledger_works = true;
    scene.wait(60);
    scene.ends_as("ledger-down");
}

#[test]
fn a_blind_daemon_is_silent_and_says_so() {
    let mut scene = three_held();
    scene.wait(25);
    scene.driver.watch_down().unwrap();
    let now = scene.driver.world.now;
    scene.driver.wait(now.after(Duration::from_secs(6))).unwrap();
    scene.unlucky(Luck::Fails(FailureClass::Retry), |action| matches!(action, Action::List));
    scene.driver.advance(0, Luck::Good, |_| 0).unwrap();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.says("-- seen again --");
    scene.wait(1);
    scene.ends_as("blind");
}

#[test]
fn a_lock_is_released_when_there_is_room_again() {
    let mut scene = three_held();
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.drop_request("r2");
    scene.ends_as("release-when-clear");
}

#[test]
fn locks_are_never_released_where_the_operator_says_so() {
    let mut scene = three_held();
    scene.driver.settings.release = Release::Never;
    scene.driver.crash(|| false).unwrap();
    scene.driver.deliver(Event::Tick).unwrap();
    scene.driver.watch_up().unwrap();
    scene.settle();
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.drop_request("r2");
    scene.ends_as("release-never");
}

#[test]
fn a_lock_that_ends_before_the_access_is_renewed() {
    let mut scene = three_held();
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.says("the lock would end in an hour, as those of the sample watcher do");
    let mut lock = Lock::clone(&scene.driver.world.locks[&LockName::new("tribunal-r1")]);
    lock.expires = Some(scene.driver.world.now.after(Duration::from_secs(3_600)));
    let text = lock.message.rsplit_once(" [").unwrap().0.to_owned();
    lock.message = tribunal_core::lock::sealed(&text, &RequestId::new("r1"), lock.expires);
    scene.driver.world.put_lock(lock);
    scene.wait(4_000);
    scene.ends_as("lock-renewed");
}

#[test]
fn a_lock_of_the_sample_watcher_is_adopted_and_released_when_nobody_wants_it() {
    let mut scene = three_held();
    let lock = Lock {
        name: LockName::new("jit-watcher-r1"),
        target: LockTarget::access_request(RequestId::new("r1")),
        message: String::new(),
        expires: Some(scene.driver.world.now.after(Duration::from_secs(3_600))),
        created_by: "bot-jit-watcher".to_owned(),
    };
    scene.says("the sample watcher left a lock behind");
    scene.driver.world.put_lock(lock);
    scene.driver.publish();
    scene.ends_as("watcher-lock-adopted");
}

#[test]
fn what_a_person_approved_is_neither_counted_nor_locked() {
    let mut scene = Scene::new();
    scene.ask("big", "hoarder", "editor", &["n1", "n2", "n3", "n4"]);
    scene.settle();
    scene.person(true, "big");
    scene.settle();
    for (id, node) in [("r1", "n5"), ("r2", "n6"), ("r3", "n7")] {
        scene.ask_and_settle(id, "hoarder", "node", &[node]);
    }
    scene.ends_as("human-approved-exempt");
}

#[test]
fn a_lock_that_a_person_edited_is_respected_and_told_once() {
    let mut scene = three_held();
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    let mut lock = Lock::clone(&scene.driver.world.locks[&LockName::new("tribunal-r1")]);
    lock.expires = Some(scene.driver.world.now);
    scene.person_edits(lock);
    scene.settle();
    scene.ask("r5", "hoarder", "node", &["n5"]);
    scene.wait(120);
    scene.ends_as("edited-lock");
}

#[test]
fn what_a_foreign_lock_covers_is_locked_by_us_before_that_ends() {
    let mut scene = three_held();
    let lock = Lock {
        name: LockName::new("incident"),
        target: LockTarget::access_request(RequestId::new("r1")),
        message: String::new(),
        expires: Some(scene.driver.world.now.after(Duration::from_secs(300))),
        created_by: "admin".to_owned(),
    };
    scene.person_edits(lock);
    scene.settle();
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.wait(235);
    scene.says("-- a minute before the end --");
    scene.wait(10);
    scene.ends_as("foreign-lock-ends");
}

#[test]
fn a_stale_list_does_not_undo_our_approval() {
    let mut scene = Scene::new();
    scene.wait(29);
    scene.ask_and_settle("r1", "hoarder", "node", &["n1", "n2", "n3"]);
    // The next list is served from a cache that does not know r1 at all.
    let now = scene.driver.world.now;
    scene.driver.wait(now.after(Duration::from_secs(1))).unwrap();
    let at = scene.until(|action| matches!(action, Action::List));
    scene.driver.advance(at, Luck::Good, |versions| versions - 1).unwrap();
    scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
    scene.says("-- after the stale list --");
    scene.ask("r2", "hoarder", "node", &["n4"]);
    scene.ends_as("stale-list");
}

#[test]
fn a_stale_list_does_not_undo_an_approval_of_which_nobody_knows_whether_it_was_done() {
    let mut scene = Scene::new();
    scene.wait(29);
    scene.ask("r1", "switcher", "prod-a", &[]);
    scene.unlucky(Luck::LostReply, is_resolve);
    // Neither the reply comes nor what is there now can be read.
    scene.unlucky(Luck::Fails(FailureClass::Retry), |action| matches!(action, Action::Reread { .. }));
    let now = scene.driver.world.now;
    scene.driver.wait(now.after(Duration::from_secs(1))).unwrap();
    let at = scene.until(|action| matches!(action, Action::List));
    scene.driver.advance(at, Luck::Good, |versions| versions - 1).unwrap();
    scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
    scene.says("-- after the stale list --");
    scene.ask("r2", "switcher", "research-a", &[]);
    scene.ends_as("stale-list-in-doubt");
}

#[test]
fn what_ends_while_policies_are_asked_about_it_is_seen_to_have_ended() {
    let mut scene = Scene::new();
    let end = scene.driver.world.now.after(POLL / 2);
    scene.ask_and_settle("r1", "hoarder", "node", &["n1", "n2"]);
    scene.ask_with("r2", "hoarder", "node", &["n3", "n4"], |request| request.access_expires = Some(end));
    scene.settle();
    assert!(scene.is_locked("r1"));
    // No round has ended yet that could have set a time for the next one.
    scene.driver.crash(|| true).unwrap();
    scene.driver.watch_up().unwrap();
    scene.until(|action| matches!(action, Action::Ask { .. }));
    scene.driver.wait(end.after(Duration::from_millis(1))).unwrap();
    scene.settle();
    assert!(!scene.is_locked("r1"), "{}", scene.driver.story.join("\n"));
}

#[test]
fn what_is_read_for_one_user_is_news_for_others() {
    let mut scene = Scene::new();
    for user in ["switcher", "hoarder"] {
        scene.ask_and_settle(&format!("prod of {user}"), user, "prod-a", &[]);
    }
    let by_role = LockTarget { role: Some("prod-a".to_owned()), ..LockTarget::default() };
    let name = LockName::new("stop");
    let stop = Lock {
        name: name.clone(),
        target: by_role,
        message: String::new(),
        expires: None,
        created_by: "ann".to_owned(),
    };
    scene.person_edits(stop);
    scene.ask_and_settle("research of switcher", "switcher", "research-a", &[]);
    assert!(!scene.is_locked_by_us("prod of switcher"), "others locked it");
    // The lock is gone before this round reads it, and the round before the stream.
    scene.ask("research of hoarder", "hoarder", "research-a", &[]);
    scene.until(|action| matches!(action, Action::Reread { .. }));
    scene.driver.world.by_person(name.as_str(), |world| world.drop_lock(&name));
    let at = scene.until(|action| matches!(action, Action::Reread { .. }));
    scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
    scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
    scene.settle();
    assert!(scene.is_locked_by_us("prod of switcher"), "{}", scene.driver.story.join("\n"));
}

#[test]
fn two_pending_requests_are_judged_oldest_first_and_never_both_too_many() {
    let mut scene = Scene::new();
    scene.driver.watch_down().unwrap();
    scene.ask("r1", "hoarder", "node", &["n1", "n2"]);
    scene.ask("r2", "hoarder", "node", &["n3", "n4"]);
    scene.driver.watch_up().unwrap();
    scene.ends_as("two-pending");
}

#[test]
fn a_newer_request_does_not_overtake_an_older_one_whose_approval_was_late() {
    let mut scene = Scene::new();
    scene.driver.watch_down().unwrap();
    scene.ask("r1", "switcher", "prod-a", &[]);
    scene.ask("r2", "switcher", "research-a", &[]);
    scene.driver.watch_up().unwrap();
    scene.unlucky(Luck::Fails(FailureClass::Retry), is_resolve);
    scene.settle();
    scene.says("-- so far --");
    scene.wait(1);
    scene.ends_as("no-overtaking");
}

#[test]
fn a_rehearsal_records_once_and_does_nothing() {
    let mut scene = three_held();
    scene.driver.settings.dry_run = true;
    scene.driver.crash(|| false).unwrap();
    scene.driver.deliver(Event::Tick).unwrap();
    scene.driver.watch_up().unwrap();
    scene.settle();
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.wait(120);
    scene.ends_as("dry-run");
}

#[test]
fn access_that_starts_later_takes_nothing_before_its_time() {
    let mut scene = three_held();
    let start = scene.driver.world.now.after(Duration::from_secs(300));
    scene.ask_with("r4", "hoarder", "node", &["n4"], |it| it.access_starts = Some(start));
    scene.wait(230);
    scene.says("-- two intervals before the start --");
    scene.wait(30);
    scene.ends_as("starts-later");
}

#[test]
fn many_pending_requests_without_a_panel_end() {
    let mut driver = Driver::new(Vec::new(), HumanApproved::Exempt);
    for number in 0..5_000 {
        let request = driver.world.request(&format!("r{number}"), "bulk", "node", &[]);
        driver.world.put_request(request);
    }
    driver.deliver(Event::Tick).unwrap();
    driver.drain(STEPS_MAX).unwrap();
    assert_eq!(driver.ledger.len(), 5_000);
}
