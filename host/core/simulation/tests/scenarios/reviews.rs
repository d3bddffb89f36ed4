//! Scenarios of resolving by review: one voice of ours, thresholds of one and of two, and what people do beside.

use super::{Scene, is_resolve};
use crate::simulation::driver::{Driver, Luck};
use crate::simulation::policies::Policy;

use tribunal_core::action::{Action, Event};
use tribunal_core::controller::HumanApproved;
use tribunal_core::request::RequestId;

/// Everybody's approvals count alike; so many of them approve.
fn reviewing(people: HumanApproved, approvals_needed: usize) -> Scene {
    let mut driver = Driver::new(vec![Policy::Separation, Policy::Cap], people);
    driver.review_with(approvals_needed);
    driver.restart();
    Scene::of(driver)
}

/// Three requests at the cap that two voices approved, ours the first.
fn three_held(people: HumanApproved) -> Scene {
    let mut scene = reviewing(people, 2);
    for (id, node) in [("r1", "n1"), ("r2", "n2"), ("r3", "n3")] {
        scene.ask_and_settle(id, "hoarder", "node", &[node]);
        scene.review(id, "ann", true);
        scene.settle();
    }
    scene
}

impl Scene {
    fn review(&mut self, id: &str, author: &str, approve: bool) {
        self.driver.person_reviews(&RequestId::new(id), author, approve).unwrap();
        self.driver.publish();
    }

    fn crash(&mut self, arrives: bool) {
        self.driver.crash(|| arrives).unwrap();
        self.driver.publish();
        self.driver.deliver(Event::Tick).unwrap();
        self.driver.watch_up().unwrap();
    }
}

#[test]
fn one_review_approves_where_one_is_enough_and_locks_before() {
    let mut scene = reviewing(HumanApproved::Exempt, 1);
    for (id, node) in [("r1", "n1"), ("r2", "n2"), ("r3", "n3"), ("r4", "n4")] {
        scene.ask_and_settle(id, "hoarder", "node", &[node]);
    }
    scene.ends_as("review-approves");
}

#[test]
fn where_two_are_needed_we_review_once_and_people_complete_it() {
    let mut scene = reviewing(HumanApproved::Exempt, 2);
    scene.ask("r1", "hoarder", "node", &["n1"]);
    scene.wait(120);
    scene.crash(false);
    scene.wait(120);
    scene.review("r1", "ann", true);
    scene.wait(60);
    scene.ends_as("review-of-two");
}

#[test]
fn what_we_reviewed_counts_as_held_until_people_have_decided() {
    let mut scene = three_held(HumanApproved::Enforce);
    scene.ask("r4", "hoarder", "node", &["n4"]);
    scene.wait(60);
    // The next one is judged as if the fourth were held.
    scene.ask("r5", "hoarder", "node", &["n5"]);
    scene.wait(60);
    scene.review("r4", "ann", true);
    scene.review("r5", "ann", true);
    scene.wait(60);
    scene.ends_as("review-counts-as-held");
}

#[test]
fn a_veto_after_our_review_stands_and_the_lock_made_for_it_is_released() {
    let mut scene = three_held(HumanApproved::Enforce);
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.review("r4", "ann", false);
    scene.wait(60);
    scene.ends_as("review-vetoed");
}

#[test]
fn a_person_who_completes_our_review_has_decided() {
    let mut scene = three_held(HumanApproved::Exempt);
    scene.ask_and_settle("r4", "hoarder", "node", &["n4"]);
    scene.review("r4", "ann", true);
    scene.wait(60);
    scene.ends_as("review-completed-by-a-person");
}

#[test]
fn a_lost_reply_to_a_review_is_recognised_by_reading() {
    let mut scene = reviewing(HumanApproved::Exempt, 2);
    scene.ask("r1", "hoarder", "node", &["n1"]);
    scene.unlucky(Luck::LostReply, is_resolve);
    scene.wait(60);
    scene.ends_as("review-lost-reply");
}

#[test]
fn a_crash_before_the_reply_to_a_review_does_not_make_a_second_one() {
    let mut scene = reviewing(HumanApproved::Exempt, 2);
    scene.ask("r1", "hoarder", "node", &["n1"]);
    scene.until(is_resolve);
    scene.crash(true);
    scene.wait(60);
    scene.ends_as("review-crash");
}

#[test]
fn a_review_that_cannot_be_read_counts_all_the_same() {
    let mut scene = reviewing(HumanApproved::Enforce, 2);
    for (id, node) in [("r1", "n1"), ("r2", "n2"), ("r3", "n3"), ("r4", "n4")] {
        scene.ask(id, "hoarder", "node", &[node]);
        let at = scene.until(is_resolve);
        scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
        // The watch keeps silent, and nobody can read what became of the review.
        scene.driver.stream.clear();
        scene.driver.advance(at, Luck::Good, |_| 0).unwrap();
        let is_read = |action: &Action| matches!(action, Action::Reread { .. });
        scene.unlucky(Luck::Fails(tribunal_core::failure::FailureClass::Retry), is_read);
    }
    scene.ends_as("review-unread");
}
