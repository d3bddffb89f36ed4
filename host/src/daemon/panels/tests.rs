//! Panels that are replaced a thousand times under a stream of requests: each request is decided, and by one panel. Time passes
//! when everybody waits; nothing here waits for it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tribunal_core::action::{Fresh, Listing, Resolution, ResolveWith};
use tribunal_core::case::Case;
use tribunal_core::controller::{HumanApproved, Release, RoundLimits};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::opinion::{Effect, Ground, LockOrder, Member, Mode, Opinion, PanelId, PolicyName};
use tribunal_core::record::Record;
use tribunal_core::request::{
    AccessRequest, Background, Decider, RequestId, RequestKind, RequestState, RequestedResource, Subject, UserName,
};
use tribunal_core::scope::Scope;
use tribunal_core::{Settings, Timestamp};
use tribunal_ports::{Clock, Kept, Lease, LeaseWish, Ledger, Taken, Teleport};

use super::*;
use crate::daemon::{Operator, Ports, run};

const SWAPS: u64 = 1_000;
/// A request comes every so many swaps.
const SWAPS_PER_REQUEST: u64 = 4;
/// When every test begins, in seconds.
const BEGIN_SECS: u64 = 1_000;

/// A panel of two, each of which approves on a rule that is called by the panel's number.
#[derive(Debug, Default)]
struct Numbered {
    newest: Arc<watch::Sender<u64>>,
    pinned: Option<u64>,
}

impl Engine for Numbered {
    async fn review(&self, _: usize, _: RequestId, _: Arc<Case>) -> Result<Opinion, Fault> {
        let number = self.pinned.unwrap_or_else(|| *self.newest.borrow());
        // So that answers of different panels overlap.
        tokio::task::yield_now().await;
        Ok(Opinion::Approve(Ground { rule: format!("v{number}"), reason: "fine".to_owned() }))
    }

    async fn enforce(&self, _: usize, _: Arc<Case>) -> Result<Vec<LockOrder>, Fault> {
        tokio::task::yield_now().await;
        Ok(Vec::new())
    }

    fn pinned(&self) -> Option<(Self, Panel)> {
        let number = *self.newest.borrow();
        let effects = [Effect::Approve, Effect::Lock];
        let member = |name| Member { name: PolicyName::new(name), effects: effects.into(), mode: Mode::Enforce };
        let id = Some(PanelId::new(format!("v{number}")));
        let panel = Panel { generation: 0, id, members: ["one", "two"].map(member).to_vec() };
        Some((Self { newest: Arc::clone(&self.newest), pinned: Some(number) }, panel))
    }

    async fn replaced(&self) {
        let mut newest = self.newest.subscribe();
        newest.wait_for(|number| Some(*number) != self.pinned).await.unwrap();
    }
}

/// A cluster of requests alone, and who resolved each of them on which rules.
#[derive(Default)]
struct Cluster {
    requests: Mutex<BTreeMap<RequestId, AccessRequest>>,
    resolved: Mutex<BTreeMap<RequestId, Vec<Vec<String>>>>,
    events: Mutex<Option<mpsc::Sender<Event>>>,
    changed: Notify,
}

fn unexpected() -> Failure {
    Failure::new(FailureClass::Alarm, "this is not expected here")
}

impl Cluster {
    fn all(&self) -> Vec<AccessRequest> {
        self.requests.lock().unwrap().values().cloned().collect()
    }

    /// A request of a user of its own.
    async fn ask(&self, number: u64) {
        let request = AccessRequest {
            id: RequestId::new(format!("r{number}")),
            revision: "1".to_owned(),
            user: UserName::new(format!("user{number}")),
            state: RequestState::Pending,
            kind: RequestKind::ShortTerm,
            roles: vec!["access".to_owned()],
            resources: Vec::new(),
            reason: String::new(),
            created: Timestamp::from_secs(BEGIN_SECS),
            access_starts: None,
            access_expires: Some(Timestamp::from_secs(BEGIN_SECS + 1_000_000)),
            request_expires: None,
            decided_by: Decider::Nobody,
            decision: None,
            resolve_reason: String::new(),
            reviews: Vec::new(),
            suggested_reviewers: Vec::new(),
            annotations: BTreeMap::default(),
        };
        self.requests.lock().unwrap().insert(request.id.clone(), request.clone());
        let events = self.events.lock().unwrap().clone();
        if let Some(events) = events {
            events.send(Event::RequestPut(Arc::new(request))).await.unwrap();
        }
    }
}

impl Teleport for Cluster {
    async fn list(&self) -> Result<Listing, Failure> {
        Ok(Listing { requests: self.all().into_iter().map(Arc::new).collect(), locks: Vec::new() })
    }

    async fn reread(&self, requests: Vec<RequestId>, locks: Vec<LockName>) -> Result<Fresh, Failure> {
        let known = self.requests.lock().unwrap();
        let requests = requests.iter().map(|id| known.get(id).cloned()).collect();
        Ok(Fresh { requests, locks: locks.iter().map(|_| None).collect() })
    }

    async fn background(&self, user: UserName, _: Vec<RequestedResource>) -> Result<Background, Failure> {
        Ok(Background { subject: Subject { name: user, roles: None, traits: None }, labels: BTreeMap::default() })
    }

    async fn write_lock(&self, _: Lock) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn delete_lock(&self, _: LockName) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn resolve(&self, resolution: Resolution) -> Result<(), Failure> {
        let Resolution { request: id, decision, rules, approve, .. } = resolution;
        assert!(approve, "nobody denies");
        let put = {
            let mut requests = self.requests.lock().unwrap();
            let request = requests.get_mut(&id).unwrap();
            request.state = RequestState::Approved;
            request.revision = "2".to_owned();
            request.decided_by = Decider::Tribunal;
            request.decision = Some(decision.as_str().to_owned());
            request.clone()
        };
        self.resolved.lock().unwrap().entry(id).or_default().push(rules);
        self.changed.notify_one();
        let events = self.events.lock().unwrap().clone().unwrap();
        events.send(Event::RequestPut(Arc::new(put))).await.unwrap();
        Ok(())
    }

    async fn take_lease(&self, _: LeaseWish) -> Result<Taken, Failure> {
        Err(unexpected())
    }

    async fn keep_lease(&self, _: Lease) -> Result<Kept, Failure> {
        Err(unexpected())
    }

    async fn release_lease(&self, _: Lease) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn watch(&self, events: mpsc::Sender<Event>) {
        events.send(Event::WatchUp).await.unwrap();
        *self.events.lock().unwrap() = Some(events);
        self.changed.notify_one();
        std::future::pending().await
    }
}

/// Keeps what was decided.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

impl Ledger for Memory {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        self.0.lock().unwrap().push(record);
        std::future::ready(Ok(()))
    }
}

/// The clock of the runtime, which stands still while anybody works.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(BEGIN_SECS).after(self.0.elapsed())
    }

    async fn sleep_until(&self, at: Timestamp) {
        tokio::time::sleep(at.since(self.now())).await;
    }
}

fn settings() -> Settings {
    Settings {
        cluster: "c".to_owned(),
        own_user: UserName::new("bot-tribunal"),
        instance: "i".to_owned(),
        panel: Vec::new().into(),
        poll_interval: Duration::from_secs(30),
        protected_roles: Default::default(),
        human_approved: HumanApproved::Exempt,
        release: Release::WhenClear,
        resolve_with: ResolveWith::State,
        dry_run: false,
        subjects_in_flight_max: 64,
        round: RoundLimits::default(),
        tripped: None,
        scope: Scope::default(),
        exemptions: Vec::new(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_panels_under_a_stream_of_requests_drop_none_and_mix_none() {
    let (cluster, ledger) = (Arc::<Cluster>::default(), Arc::<Memory>::default());
    let engine = Arc::<Numbered>::default();
    let newest = Arc::clone(&engine.newest);
    let clock = Arc::new(Paused(Instant::now()));
    let ports = Ports { teleport: Arc::clone(&cluster), engine, ledger: Arc::clone(&ledger), clock };
    let (tell, _status) = watch::channel(None);
    let stop = CancellationToken::new();
    let daemon = tokio::spawn(run(ports, settings(), tell, Operator::default(), stop.clone()));
    cluster.changed.notified().await;

    for swap in 1..=SWAPS {
        if swap % SWAPS_PER_REQUEST == 0 {
            cluster.ask(swap).await;
        }
        // At ever other steps of what is under way.
        for _ in 0..swap % 13 {
            tokio::task::yield_now().await;
        }
        newest.send_replace(swap);
    }
    while cluster.all().iter().any(|request| request.state == RequestState::Pending) {
        cluster.changed.notified().await;
    }
    stop.cancel();
    daemon.await.unwrap().unwrap();

    let resolved = cluster.resolved.lock().unwrap().clone();
    assert_eq!(resolved.len(), usize::try_from(SWAPS / SWAPS_PER_REQUEST).unwrap(), "none is dropped");
    let mut panels = std::collections::BTreeSet::new();
    for (request, resolutions) in resolved {
        let [rules] = resolutions.as_slice() else { panic!("{request} was resolved as {resolutions:?}") };
        let [one, two] = rules.as_slice() else { panic!("{request}: {rules:?}") };
        let number = one.strip_prefix("one/").unwrap();
        assert_eq!(two.strip_prefix("two/"), Some(number), "{request} was decided by two panels");
        panels.insert(number.to_owned());
    }
    assert!(panels.len() > 10, "many panels decided: {panels:?}");
    for record in ledger.0.lock().unwrap().iter() {
        let Record::Decided(decided) = record else { continue };
        let rules: std::collections::BTreeSet<_> = decided
            .evaluations
            .iter()
            .filter_map(|evaluation| evaluation.answer.as_ref().ok())
            .flat_map(|opinion| opinion.grounds().iter().map(|ground| ground.rule.clone()))
            .collect();
        assert!(rules.len() <= 1, "{decided:?}");
        let panel = decided.panel.as_ref().map(PanelId::as_str);
        assert!(rules.iter().all(|rule| Some(rule.as_str()) == panel), "{decided:?} names another panel");
    }
}

#[test]
fn a_question_goes_to_the_panel_of_its_generation_or_to_none() {
    let engine = Arc::<Numbered>::default();
    let (mut panels, panel) = Panels::begin(&engine);
    assert_eq!(panel.unwrap().members.len(), 2);
    let asked = |panels: &Panels<Numbered>, generation| panels.of(generation).map(|panel| panel.pinned.unwrap());
    assert_eq!(asked(&panels, 0), Ok(0));
    for number in 1..10 {
        engine.newest.send_replace(number);
        let Event::PanelChanged(panel) = panels.replace(&engine) else { panic!("the panel changed") };
        assert_eq!((panel.generation, panel.members.len()), (number, 2));
        assert_eq!(asked(&panels, number), Ok(number));
        assert_eq!(asked(&panels, number - 1), Ok(number - 1));
        assert_eq!(asked(&panels, number + 1).unwrap_err().kind, FaultKind::Unavailable);
        if number >= 2 {
            assert_eq!(asked(&panels, number - 2).unwrap_err().kind, FaultKind::Unavailable);
        }
    }
}
