//! The indexes against a model that has none: a map of requests, a map of locks, and looking through all of them.

use super::*;
use crate::lock::LockTarget;
use crate::request::{Decider, RequestKind, RequestState};

/// SplitMix64.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }

    fn request(&mut self) -> AccessRequest {
        AccessRequest {
            id: RequestId::new(format!("r{}", self.below(6))),
            revision: self.below(2).to_string(),
            user: UserName::new(format!("u{}", self.below(3))),
            state: RequestState::Approved,
            kind: RequestKind::ShortTerm,
            roles: vec![format!("role{}", self.below(3))],
            resources: Vec::new(),
            reason: String::new(),
            created: Timestamp::from_secs(self.below(3)),
            access_starts: Some(Timestamp::from_secs(self.below(100))),
            access_expires: Some(Timestamp::from_secs(50 + self.below(100))),
            request_expires: None,
            decided_by: Decider::Tribunal,
            decision: None,
            resolve_reason: String::new(),
            reviews: Vec::new(),
            suggested_reviewers: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }

    fn lock(&mut self) -> Lock {
        let target = LockTarget {
            user: (self.below(3) == 0).then(|| UserName::new(format!("u{}", self.below(3)))),
            role: (self.below(3) == 0).then(|| format!("role{}", self.below(3))),
            access_request: (self.below(2) == 0).then(|| RequestId::new(format!("r{}", self.below(6)))),
            other: self.below(8) == 0,
        };
        let expires = (self.below(2) == 0).then(|| Timestamp::from_secs(self.below(100)));
        let name = LockName::new(format!("l{}", self.below(5)));
        Lock { name, target, message: String::new(), expires, created_by: String::new() }
    }
}

#[derive(Default)]
struct Naive {
    requests: BTreeMap<RequestId, AccessRequest>,
    locks: BTreeMap<LockName, Lock>,
}

impl Naive {
    /// Of each user the requests, whatever their revision, and the locks that cover any of them.
    fn seen(&self) -> BTreeMap<UserName, (Vec<AccessRequest>, Vec<Lock>)> {
        let mut seen = BTreeMap::<_, (Vec<_>, Vec<_>)>::new();
        for request in self.requests.values() {
            let (requests, locks) = seen.entry(request.user.clone()).or_default();
            requests.push(AccessRequest { revision: String::new(), ..request.clone() });
            locks.extend(self.locks.values().filter(|lock| lock.covers(request)).cloned());
        }
        seen
    }

    fn agrees_with(&self, view: &View, now: Timestamp) {
        let users: BTreeSet<_> = self.requests.values().map(|it| &it.user).collect();
        assert!(view.users().eq(users.iter().copied()));
        for user in (0..3).map(|user| UserName::new(format!("u{user}"))) {
            let mut of: Vec<_> = self.requests.values().filter(|it| it.user == user).collect();
            of.sort_by_key(|it| (it.created, it.id.clone()));
            assert!(view.requests_of(&user).into_iter().map(AsRef::as_ref).eq(of.iter().copied()));
            assert_eq!(view.has_requests(&user), !of.is_empty());
        }
        for request in self.requests.values() {
            let on: Vec<_> = self.locks.values().filter(|it| it.in_force(now) && it.covers(request)).collect();
            assert_eq!(view.locks_on(request, now).collect::<Vec<_>>(), on);
        }
        let leftovers = view.locks_by_request.values().any(BTreeSet::is_empty);
        assert!(!leftovers && view.locks.len() == self.locks.len());
    }
}

#[test]
fn the_indexes_say_what_looking_through_everything_says() {
    for seed in 0..300 {
        let mut rng = Rng(seed);
        let (mut view, mut naive) = (View::default(), Naive::default());
        for _ in 0..60 {
            match rng.below(9) {
                0..=2 => {
                    let request = rng.request();
                    naive.requests.insert(request.id.clone(), request.clone());
                    view.put_request(request);
                }
                3..=5 => {
                    let lock = rng.lock();
                    naive.locks.insert(lock.name.clone(), lock.clone());
                    view.put_lock(lock);
                }
                6 => {
                    let id = rng.request().id;
                    naive.requests.remove(&id);
                    view.remove_request(&id);
                }
                7 => {
                    let name = rng.lock().name;
                    naive.locks.remove(&name);
                    view.remove_lock(&name);
                }
                _ => {
                    let listing = Listing {
                        requests: naive.requests.values().filter(|_| rng.below(3) > 0).cloned().map(Arc::new).collect(),
                        locks: naive.locks.values().take(3).cloned().collect(),
                    };
                    let before = naive.seen();
                    let keep = |id: &RequestId| listing.requests.iter().any(|it| it.id == *id);
                    naive.requests.retain(|id, _| keep(id));
                    naive.locks.retain(|name, _| listing.locks.iter().any(|it| it.name == *name));
                    let concerned = view.replace(listing.clone(), std::iter::empty());
                    for (user, seen) in naive.seen() {
                        let is_told = concerned.everybody || concerned.users.contains(&user);
                        assert!(is_told || before.get(&user) == Some(&seen), "{user} is not told");
                    }
                    assert_eq!(view.replace(listing, std::iter::empty()), Concerned::default(), "it says nothing new");
                }
            }
            naive.agrees_with(&view, Timestamp::from_secs(rng.below(120)));
        }
    }
}

#[test]
fn a_list_that_may_be_older_does_not_undo_what_was_learnt() {
    let request = |id: &str, state: RequestState| AccessRequest { id: RequestId::new(id), state, ..Rng(1).request() };
    let (old, new) = (RequestState::Pending, RequestState::Approved);
    let after = |streamed: bool, known: Option<RequestState>, listed: Option<RequestState>| {
        let mut sync = super::super::sync::Sync::default();
        if streamed {
            sync.watch_up(Timestamp::from_secs(1));
        }
        assert!(sync.begin_list(Timestamp::from_secs(1)));
        sync.learn(Timestamp::from_secs(1), Object::Request(RequestId::new("r")));
        let mut view = View::default();
        known.into_iter().for_each(|state| drop(view.put_request(request("r", state))));
        view.put_request(request("unheard of since", new));
        let requests = listed.into_iter().map(|state| Arc::new(request("r", state))).collect();
        view.replace(Listing { requests, locks: Vec::new() }, sync.lately());
        assert_eq!(view.users_count(), usize::from(view.request(&RequestId::new("r")).is_some()));
        view.request(&RequestId::new("r")).map(|it| it.state)
    };
    for streamed in [true, false] {
        assert_eq!(after(streamed, Some(new), None), Some(new), "a list lacks it");
        assert_eq!(after(streamed, Some(new), Some(old)), Some(new), "a list has it as it was");
        assert_eq!(after(streamed, None, Some(old)), None, "a list has it still");
    }
    assert_eq!(after(true, Some(old), Some(new)), Some(old), "the stream will tell");
    assert_eq!(after(false, Some(old), Some(new)), Some(new), "nothing else would tell");
}

#[test]
fn locks_are_kept_as_learnt_only_while_the_stream_tells_of_them() {
    let lock = Lock { name: LockName::new("l"), ..Rng(1).lock() };
    for streamed in [true, false] {
        let mut sync = super::super::sync::Sync::default();
        if streamed {
            sync.watch_up(Timestamp::from_secs(1));
        }
        assert!(sync.begin_list(Timestamp::from_secs(1)));
        sync.learn(Timestamp::from_secs(1), Object::Lock(lock.name.clone()));
        let mut view = View::default();
        view.put_lock(lock.clone());
        view.replace(Listing { requests: Vec::new(), locks: Vec::new() }, sync.lately());
        assert_eq!(view.lock(&lock.name).is_some(), streamed);
        let mut view = View::default();
        view.replace(Listing { requests: Vec::new(), locks: vec![lock.clone()] }, sync.lately());
        assert_eq!(view.lock(&lock.name).is_none(), streamed);
    }
}

#[test]
fn whoever_a_change_concerns_is_woken() {
    let mut rng = Rng(7);
    let mut view = View::default();
    let mut request = rng.request();
    request.user = UserName::new("u0");
    let user = |name: &str| Concerns::User(UserName::new(name));
    assert_eq!(view.put_request(request.clone()), user("u0"));
    assert_eq!(view.put_request(request.clone()), Concerns::Nobody, "nothing changed");
    request.revision.push_str(", written once more");
    assert_eq!(view.put_request(request.clone()), Concerns::Nobody, "only its revision changed");
    assert_eq!(view.request(&request.id).map(AsRef::as_ref), Some(&request), "and that is known");
    request.user = UserName::new("u1");
    assert_eq!(view.put_request(request.clone()), Concerns::Everybody, "it was one's and is another's");
    let lock = |target| Lock {
        name: LockName::new("l"),
        target,
        message: String::new(),
        expires: None,
        created_by: String::new(),
    };
    assert_eq!(view.put_lock(lock(LockTarget::access_request(RequestId::new("nobody's")))), Concerns::Nobody);
    assert_eq!(view.put_lock(lock(LockTarget::access_request(request.id.clone()))), user("u1"));
    let on_user = LockTarget { user: Some(UserName::new("u2")), ..LockTarget::default() };
    assert_eq!(view.put_lock(lock(on_user)), Concerns::Everybody, "it left one for the other");
    let on_role = LockTarget { role: Some("role".to_owned()), ..LockTarget::default() };
    assert_eq!(view.put_lock(lock(on_role)), Concerns::Everybody);
    assert_eq!(view.remove_lock(&LockName::new("l")), Concerns::Everybody);
    assert_eq!(view.remove_request(&request.id), user("u1"));
    assert_eq!(view.remove_request(&request.id), Concerns::Nobody);
}

#[test]
fn the_next_change_is_the_earliest_start_or_end_and_each_of_them_in_time() {
    let mut rng = Rng(1);
    let mut view = View::default();
    let (mut request, lead) = (rng.request(), std::time::Duration::from_secs(60));
    request.access_starts = Some(Timestamp::from_secs(500));
    request.access_expires = Some(Timestamp::from_secs(900));
    let end = Some(Timestamp::from_secs(700));
    let target = LockTarget::access_request(request.id.clone());
    let name = LockName::new("l");
    view.put_lock(Lock { name, target, message: String::new(), expires: end, created_by: String::new() });
    let user = request.user.clone();
    view.put_request(request);
    let mut now = Timestamp::from_secs(0);
    let mut times = Vec::new();
    while let Some(next) = view.next_change(&user, now, lead) {
        times.push(next.as_millis() / 1_000);
        now = next;
    }
    assert_eq!(times, [440, 640, 700, 900]);
}
