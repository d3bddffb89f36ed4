//! Signs, told by hand.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use tribunal_core::RoundLimits;
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::opinion::{Effect, Mode, PolicyName};
use tribunal_core::record::{Outcome, Step, StepResult};
use tribunal_core::request::{
    AccessRequest, Decider, RequestId, RequestKind, RequestState, RequestedResource, UserName,
};
use tribunal_core::scope::Scope;

use super::holdings::{Count, Stand as Stands};
use super::metrics::{Now, RULE_BYTES_MAX, RULES_MAX};
use super::*;

/// The time of all tests here, in seconds.
pub(crate) const NOW: u64 = 1_800_000_000;

/// Signs whose status is told by the sender.
pub(crate) struct Told {
    pub(crate) signs: Arc<Signs>,
    pub(crate) status: watch::Sender<Option<Status>>,
    pub(crate) stand: watch::Sender<Stand>,
    pub(crate) stop: CancellationToken,
    now: Arc<Mutex<Timestamp>>,
}

impl Told {
    pub(crate) fn new() -> Self {
        let settings = Settings {
            cluster: "dev".to_owned(),
            own_user: UserName::new("bot-tribunal"),
            instance: "i".to_owned(),
            panel: vec![Member {
                name: PolicyName::new("cap"),
                effects: BTreeSet::from([Effect::Approve, Effect::Lock]),
                mode: Mode::Enforce,
            }]
            .into(),
            poll_interval: Duration::from_secs(30),
            protected_roles: BTreeSet::new(),
            human_approved: HumanApproved::Exempt,
            release: Release::WhenClear,
            dry_run: false,
            subjects_in_flight_max: 1,
            resolve_with: tribunal_core::action::ResolveWith::State,
            round: RoundLimits::default(),
            tripped: None,
            scope: Scope::default(),
            exemptions: Vec::new(),
        };
        let (status, statuses) = watch::channel(None);
        let (stand, stands) = watch::channel(Stand::Alone);
        let stop = CancellationToken::new();
        let now = Arc::new(Mutex::new(Timestamp::from_secs(NOW)));
        let clock = Arc::clone(&now);
        let feeds = Feeds { status: statuses, stand: Some(stands), stop: stop.clone() };
        let signs = Signs::new(&settings, feeds, move || *clock.lock().unwrap());
        Self { signs, status, stand, stop, now }
    }

    /// One that sees everything.
    pub(crate) fn seeing() -> Self {
        let told = Self::new();
        told.status.send_replace(Some(seeing(NOW)));
        told
    }

    pub(crate) fn at(&self, secs: u64) {
        *self.now.lock().unwrap() = Timestamp::from_secs(secs);
    }

    pub(crate) fn append(&self, result: Result<(), &str>) {
        self.signs.appended(&result.map_err(str::to_owned));
    }

    pub(crate) fn list_took(&self, secs: u64) {
        self.signs.list_ended(Duration::from_secs(secs), Duration::ZERO, true);
    }

    pub(crate) fn listed(&self, requests: Vec<AccessRequest>, locks: Vec<Lock>) {
        let requests = requests.into_iter().map(Arc::new).collect();
        self.signs.listed(Some(&Listing { requests, locks }));
    }

    pub(crate) fn recorded(&self, record: &Record) {
        self.signs.recorded(record);
    }

    fn metrics(&self) -> String {
        self.signs.metrics().text(&Now::default())
    }
}

pub(crate) fn seeing(listed: u64) -> Status {
    Status {
        blind: None,
        last_full_list: Some(Timestamp::from_secs(listed)),
        in_flight: 1,
        waiting: 2,
        retrying: 3,
        tripped: None,
    }
}

pub(crate) fn request(id: &str, user: &str, state: RequestState, nodes: &[&str]) -> AccessRequest {
    let resource = |name: &&str| RequestedResource {
        cluster: "dev".to_owned(),
        kind: "node".to_owned(),
        name: (*name).to_owned(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    };
    AccessRequest {
        id: RequestId::new(id),
        revision: String::new(),
        user: UserName::new(user),
        state,
        kind: RequestKind::ShortTerm,
        roles: vec!["node-access".to_owned()],
        resources: nodes.iter().map(resource).collect(),
        reason: "secret words".to_owned(),
        created: Timestamp::from_secs(NOW - 60),
        access_starts: None,
        access_expires: Some(Timestamp::from_secs(NOW + 3_600)),
        request_expires: None,
        decided_by: Decider::Tribunal,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: BTreeMap::new(),
    }
}

pub(crate) fn lock(name: &str, target: LockTarget) -> Lock {
    Lock { name: LockName::new(name), target, message: String::new(), expires: None, created_by: String::new() }
}

fn on(id: &str) -> LockTarget {
    LockTarget::access_request(RequestId::new(id))
}

fn put(request: AccessRequest) -> Event {
    Event::RequestPut(Arc::new(request))
}

#[test]
fn what_gives_access_is_held_and_nothing_else() {
    let now = Timestamp::from_secs(NOW);
    let mut later = request("later", "a", RequestState::Approved, &["n1"]);
    later.access_starts = Some(Timestamp::from_secs(NOW + 10));
    let mut over = request("over", "a", RequestState::Approved, &["n1"]);
    over.access_expires = Some(now);
    let told = Told::new();
    told.listed(
        vec![
            request("held", "a", RequestState::Approved, &["n1", "n2"]),
            request("again", "a", RequestState::Approved, &["n1"]),
            request("locked", "a", RequestState::Approved, &["n3"]),
            request("pending", "a", RequestState::Pending, &["n4"]),
            request("denied", "a", RequestState::Denied, &["n5"]),
            request("promoted", "a", RequestState::Promoted, &["n6"]),
            later,
            over,
            request("other", "b", RequestState::Approved, &["n1"]),
            request("gone", "c", RequestState::Denied, &["n1"]),
        ],
        vec![lock("l", on("locked"))],
    );
    let holdings = told.signs.holdings();
    let a = Count { pending: 1, held: 2, locked: 1, later: 1, promoted: 1, resources: 2, holders: 1 };
    assert_eq!(holdings.count_of(&UserName::new("a"), now), a);
    let b = Count { held: 1, resources: 1, holders: 1, ..Count::default() };
    let (users, left_out) = holdings.users(now);
    assert_eq!((users, left_out), (vec![(UserName::new("a"), a), (UserName::new("b"), b)], 0));
    assert_eq!(holdings.count(now), Count { held: 3, resources: 3, holders: 2, ..a });
    let user = UserName::new("a");
    let (requests, _) = holdings.requests_of(&user, now);
    let stands: Vec<_> = requests.iter().map(|(request, stand)| (request.id.as_str(), *stand)).collect();
    assert_eq!(
        stands,
        [
            ("again", Stands::Held),
            ("held", Stands::Held),
            ("later", Stands::Later),
            ("locked", Stands::Locked),
            ("pending", Stands::Pending),
            ("promoted", Stands::Promoted),
        ]
    );
    let tomorrow = Timestamp::from_secs(NOW + 86_400);
    assert_eq!(holdings.count(tomorrow), Count { promoted: 1, ..Count::default() }, "what ends, ends by itself");
}

#[test]
fn a_lock_on_the_user_or_on_a_role_takes_access_away_as_well() {
    let now = Timestamp::from_secs(NOW);
    let targets = [
        LockTarget { user: Some(UserName::new("a")), ..LockTarget::default() },
        LockTarget { role: Some("node-access".to_owned()), ..LockTarget::default() },
    ];
    for target in targets {
        let told = Told::new();
        told.listed(vec![request("r", "a", RequestState::Approved, &["n"])], vec![lock("l", target)]);
        assert_eq!(told.signs.holdings().count(now), Count { locked: 1, ..Count::default() });
        told.signs.sees(&Event::LockGone(LockName::new("l")));
        assert_eq!(told.signs.holdings().count(now).held, 1);
    }
}

#[test]
fn what_comes_while_a_list_is_under_way_is_newer_than_the_list() {
    let now = Timestamp::from_secs(NOW);
    let told = Told::new();
    told.signs.list_begins();
    told.signs.sees(&put(request("r", "a", RequestState::Approved, &["n"])));
    told.signs.sees(&Event::LockPut(Box::new(lock("l", on("r")))));
    told.listed(vec![request("r", "a", RequestState::Pending, &["n"])], Vec::new());
    assert_eq!(told.signs.holdings().count(now).locked, 1);
    // The next list is newer.
    told.signs.list_begins();
    told.listed(vec![request("r", "a", RequestState::Pending, &["n"])], Vec::new());
    assert_eq!(told.signs.holdings().count(now).pending, 1);
    // One that fails says nothing.
    told.signs.list_begins();
    told.signs.listed(None);
    assert_eq!(told.signs.holdings().count(now).pending, 1);
    told.signs.sees(&Event::RequestGone(RequestId::new("r")));
    assert_eq!(told.signs.holdings().count(now), Count::default());
}

#[test]
fn whoever_looks_at_holdings_holds_up_nobody_and_sees_them_unchanged() {
    let now = Timestamp::from_secs(NOW);
    let told = Told::new();
    told.signs.sees(&put(request("r", "a", RequestState::Approved, &["n"])));
    let before = told.signs.holdings();
    told.signs.sees(&Event::RequestGone(RequestId::new("r")));
    assert_eq!((before.count(now).held, told.signs.holdings().count(now).held), (1, 0));
}

#[test]
fn a_daemon_that_stands_by_shows_no_old_holdings() {
    let told = Told::new();
    told.signs.sees(&put(request("r", "a", RequestState::Approved, &["n"])));
    told.signs.stands_by();
    assert_eq!(told.signs.holdings().count(Timestamp::from_secs(NOW)), Count::default());
}

#[test]
fn every_metric_has_a_prefix_a_help_and_a_unit() {
    let told = Told::new();
    told.recorded(&Record::Outcome(Outcome {
        decision: tribunal_core::record::DecisionId::new("d"),
        at: Timestamp::from_secs(NOW),
        step: Step::Lock(LockName::new("l")),
        result: StepResult::Failed(Failure::new(FailureClass::Retry, "no")),
    }));
    told.signs.list_ended(Duration::ZERO, Duration::from_millis(3), true);
    let text = told.metrics();
    let types: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    assert!(types.len() > 10, "{text}");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        assert!(line.starts_with("tribunal_"), "{line}");
        let name = line.split(['{', ' ']).next().unwrap();
        let counter =
            types.iter().any(|of| of.ends_with(" counter") && name.starts_with(of.trim_end_matches(" counter")));
        assert_eq!(counter, name.ends_with("_total"), "{line}");
    }
    for line in [
        "tribunal_decisions_total{verdict=\"approve\",dry_run=\"false\"} 0",
        "tribunal_steps_total{step=\"lock\",result=\"failed\"} 1",
        "tribunal_list_duration_seconds_count{result=\"ok\"} 1",
        "# UNIT tribunal_list_duration_seconds seconds",
        "# EOF",
    ] {
        assert!(text.lines().any(|there| there == line), "`{line}` is missing:\n{text}");
    }
    assert!(text.contains("tribunal_build_info{"), "{text}");
}

#[test]
fn what_is_not_known_is_not_shown_as_zero() {
    let told = Told::new();
    let known = Now { skew_secs: [Some(-0.5), None], identity_expiry_secs: Some(5.0), ..Now::default() };
    let text = told.signs.metrics().text(&known);
    assert!(text.contains("tribunal_clock_skew_seconds{bound=\"lower\"} -0.5"), "{text}");
    assert!(text.contains("tribunal_identity_expiry_timestamp_seconds{} 5"), "{text}");
    assert!(!text.contains("bound=\"upper\""), "{text}");
    let text = told.metrics();
    assert!(!text.contains("tribunal_clock_skew_seconds{"), "{text}");
    assert!(!text.contains("tribunal_identity_expiry_timestamp_seconds{} 5"), "{text}");
}

#[test]
fn a_policy_cannot_make_more_labels_than_there_is_room_for() {
    let told = Told::new();
    for number in 0..RULES_MAX * 2 {
        told.signs.metrics.fired("cap", &format!("rule-{number}"), "deny");
    }
    told.signs.metrics.fired("cap", &"x".repeat(RULE_BYTES_MAX + 1), "deny");
    told.signs.metrics.fired("cap", "line\nbreak\"quote", "deny");
    let text = told.metrics();
    let rules = text.lines().filter(|line| line.starts_with("tribunal_rules_fired_total{")).count();
    assert_eq!(rules, RULES_MAX + 1);
    let others = format!("policy=\"other\",rule=\"other\",verdict=\"deny\"}} {}", RULES_MAX + 2);
    assert!(text.contains(&others), "{text}");
}

#[test]
fn a_ledger_that_fails_is_known_since_its_first_failure_until_it_works_again() {
    let told = Told::new();
    told.append(Err("disk full"));
    told.at(NOW + 5);
    told.append(Err("disk still full"));
    let fault = told.signs.standing().ledger_fault;
    assert_eq!(fault, Some((Timestamp::from_secs(NOW), "disk still full".to_owned())));
    told.append(Ok(()));
    assert_eq!(told.signs.standing().ledger_fault, None);
    let text = told.metrics();
    assert!(text.contains("tribunal_ledger_appends_total{result=\"failed\"} 2"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_does_not_turn_is_not_live_and_is_again_when_it_does() {
    let told = Told::seeing();
    let follow = tokio::spawn({
        let signs = Arc::clone(&told.signs);
        async move { signs.follow().await }
    });
    tokio::task::yield_now().await;
    assert!(told.signs.is_live());
    tokio::time::advance(Duration::from_secs(LIVE_SECS_MAX + 1)).await;
    assert!(!told.signs.is_live());
    // As the loop does when nothing changes.
    told.status.send_modify(|_same| ());
    tokio::task::yield_now().await;
    assert!(told.signs.is_live());
    drop(told.status);
    follow.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_daemon_that_has_not_begun_does_not_hang() {
    let told = Told::new();
    tokio::time::advance(Duration::from_secs(10 * LIVE_SECS_MAX)).await;
    assert!(told.signs.is_live());
}
