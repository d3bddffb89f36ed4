//! What a lock is on, whose it is and how long it bites.

use super::*;
use crate::request::{Decider, RequestKind, RequestState};

fn request() -> AccessRequest {
    AccessRequest {
        id: RequestId::new("r1"),
        revision: String::new(),
        user: UserName::new("alice"),
        state: RequestState::Approved,
        kind: RequestKind::ShortTerm,
        roles: vec!["node".to_owned(), "db".to_owned()],
        resources: Vec::new(),
        reason: String::new(),
        created: Timestamp::from_secs(1),
        access_starts: None,
        access_expires: None,
        request_expires: None,
        decided_by: Decider::Tribunal,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: std::collections::BTreeMap::new(),
    }
}

fn lock(name: &str, target: LockTarget, created_by: &str) -> Lock {
    let request = target.access_request.clone().unwrap_or_else(|| RequestId::new("none"));
    let message = sealed("too much (cap/held-over-cap)", &request, None);
    Lock { name: LockName::new(name), target, message, expires: None, created_by: created_by.to_owned() }
}

#[test]
fn a_lock_covers_a_request_if_every_field_matches_over_all_targets() {
    let request = request();
    let choices = |right: &str| [None, Some(right.to_owned()), Some("other".to_owned())];
    for user in choices("alice") {
        for role in choices("db") {
            for id in choices("r1") {
                for other in [false, true] {
                    let fields = [&user, &role, &id];
                    let none_wrong = !fields.iter().any(|it| it.as_deref() == Some("other"));
                    let some_right = fields.iter().any(|it| it.is_some());
                    let target = LockTarget {
                        user: user.clone().map(UserName::new),
                        role: role.clone(),
                        access_request: id.clone().map(RequestId::new),
                        other,
                    };
                    let covers = lock("l", target.clone(), "").covers(&request);
                    assert_eq!(covers, none_wrong && some_right && !other, "{target:?}");
                }
            }
        }
    }
}

#[test]
fn only_a_lock_that_nobody_else_touched_is_ours() {
    let on = |id: &str| LockTarget::access_request(RequestId::new(id));
    let with_user = LockTarget { user: Some(UserName::new("alice")), ..on("r1") };
    let with_role = LockTarget { role: Some("db".to_owned()), ..on("r1") };
    let with_other = LockTarget { other: true, ..on("r1") };
    let table = [
        ("tribunal-r1", on("r1"), "bot-tribunal", true),
        ("tribunal-r1", on("r1"), "", true),
        ("tribunal-r1", on("r1"), "admin", false),
        ("tribunal-r1", on("r1"), "bot-other", false),
        ("jit-watcher-r1", on("r1"), "bot-tribunal", true),
        ("jit-watcher-r1", on("r1"), "bot-jit-watcher", true),
        ("jit-watcher-r1", on("r1"), "", true),
        ("jit-watcher-r1", on("r1"), "admin", false),
        ("jit-watcher-r2", on("r1"), "bot-jit-watcher", false),
        ("tribunal-r2", on("r1"), "bot-tribunal", false),
        ("tribunal-", on("r1"), "bot-tribunal", false),
        ("maintenance", on("r1"), "bot-tribunal", false),
        ("tribunal-r1", with_user, "bot-tribunal", false),
        ("tribunal-r1", with_role, "bot-tribunal", false),
        ("tribunal-r1", with_other, "bot-tribunal", false),
        ("tribunal-r1", LockTarget::default(), "bot-tribunal", false),
    ];
    for (name, target, by, ours) in table {
        let lock = lock(name, target, by);
        assert_eq!(lock.ours(&UserName::new("bot-tribunal")).is_some(), ours, "{lock:?}");
    }
}

#[test]
fn a_lock_bites_until_just_before_its_end() {
    let mut lock = lock("l", LockTarget::default(), "");
    assert!(lock.in_force(Timestamp::from_millis(u64::MAX)));
    lock.expires = Some(Timestamp::from_millis(10));
    assert!(lock.in_force(Timestamp::from_millis(9)));
    assert!(!lock.in_force(Timestamp::from_millis(10)));
}

#[test]
fn an_edited_lock_is_not_ours_even_if_it_still_names_us_as_its_writer() {
    let us = UserName::new("bot-tribunal");
    let end = Timestamp::from_millis(1_000_849);
    let request = RequestId::new("r1");
    let mut untouched = lock("tribunal-r1", LockTarget::access_request(request.clone()), "bot-tribunal");
    untouched.expires = Some(end);
    untouched.message = sealed("too much (cap/held-over-cap)", &request, Some(end));
    assert!(untouched.ours(&us).is_some());
    assert_eq!(untouched.message.len(), "too much (cap/held-over-cap)".len() + SEAL_BYTES);
    let edits: [fn(&mut Lock); 5] = [
        |lock| lock.expires = None,
        |lock| lock.expires = Some(Timestamp::from_millis(500_000)),
        |lock| lock.message = "kept for the incident".to_owned(),
        |lock| lock.message.insert(0, '!'),
        |lock| lock.message.clear(),
    ];
    for edit in edits {
        let mut edited = untouched.clone();
        edit(&mut edited);
        assert_eq!(edited.ours(&us), None, "{edited:?}");
    }
    let mut in_whole_seconds = untouched;
    in_whole_seconds.expires = Some(Timestamp::from_secs(1_000));
    assert!(in_whole_seconds.ours(&us).is_some(), "a server may keep whole seconds");
}

#[test]
fn a_lock_of_which_the_end_is_moved_before_it_is_written_stays_ours() {
    let mut lock = lock("tribunal-r1", LockTarget::access_request(RequestId::new("r1")), "");
    let text = unsealed(&lock.message).map(|(text, _)| text.to_owned());
    for end in [Some(Timestamp::from_secs(7)), None, Some(Timestamp::from_secs(9))] {
        lock.end_at(end);
        assert_eq!(lock.expires, end);
        assert!(lock.ours(&UserName::new("bot-tribunal")).is_some());
        assert_eq!(unsealed(&lock.message).map(|(text, _)| text.to_owned()), text);
    }
}
