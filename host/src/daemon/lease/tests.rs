//! The lease is kept in time, given up in time, and never used before another has stopped. Time jumps to whenever
//! somebody waits for; nothing here waits.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;
use tribunal_core::action::{Event, Fresh, Listing, Resolution};
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_core::record::Record;
use tribunal_core::request::{Background, RequestId, RequestedResource, UserName};

use super::*;

/// When every test begins, in seconds.
const BEGIN_SECS: u64 = 1_000;

/// Answers in this order; after the last it is silent for ever. Remembers what it was asked, and when.
#[derive(Default)]
struct Script {
    takes: Mutex<VecDeque<Result<Taken, Failure>>>,
    keeps: Mutex<VecDeque<Result<Kept, Failure>>>,
    asked: Mutex<Vec<(Timestamp, Timestamp)>>,
    clock: Arc<Jumping>,
}

/// Remembers what it was given.
#[derive(Default)]
struct Memory(Mutex<Vec<(Lifecycle, String)>>);

/// Jumps to whenever somebody waits for.
struct Jumping(AtomicU64);

impl Default for Jumping {
    fn default() -> Self {
        Self(AtomicU64::new(BEGIN_SECS * 1_000))
    }
}

fn unexpected() -> Failure {
    Failure::new(FailureClass::Alarm, "only leases are expected here")
}

fn refused() -> Failure {
    Failure::new(FailureClass::Retry, "not now")
}

impl Script {
    async fn next<T>(&self, answers: &Mutex<VecDeque<T>>, until: Timestamp) -> T {
        self.asked.lock().unwrap().push((self.clock.now(), until));
        let answer = answers.lock().unwrap().pop_front();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

impl Teleport for Script {
    async fn list(&self) -> Result<Listing, Failure> {
        Err(unexpected())
    }

    async fn reread(&self, _requests: Vec<RequestId>, _locks: Vec<LockName>) -> Result<Fresh, Failure> {
        Err(unexpected())
    }

    async fn background(&self, _user: UserName, _resources: Vec<RequestedResource>) -> Result<Background, Failure> {
        Err(unexpected())
    }

    async fn write_lock(&self, _lock: Lock) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn delete_lock(&self, _name: LockName) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn resolve(&self, _resolution: Resolution) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn take_lease(&self, wish: LeaseWish) -> Result<Taken, Failure> {
        self.next(&self.takes, wish.until).await
    }

    async fn keep_lease(&self, lease: Lease) -> Result<Kept, Failure> {
        self.next(&self.keeps, lease.until).await
    }

    async fn release_lease(&self, _lease: Lease) -> Result<(), Failure> {
        Err(unexpected())
    }

    async fn watch(&self, _events: mpsc::Sender<Event>) {}
}

impl Ledger for Memory {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        if let Record::Lifecycle { at: _, what, detail } = record {
            self.0.lock().unwrap().push((what, detail));
        }
        std::future::ready(Ok(()))
    }
}

impl Clock for Jumping {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.0.store(at.as_millis(), Ordering::SeqCst);
    }
}

type Scripted = Ports<Script, (), Memory, Jumping>;

fn ports(takes: Vec<Result<Taken, Failure>>, keeps: Vec<Result<Kept, Failure>>) -> Scripted {
    let clock = Arc::<Jumping>::default();
    let script = Script {
        takes: Mutex::new(takes.into()),
        keeps: Mutex::new(keeps.into()),
        clock: Arc::clone(&clock),
        ..Script::default()
    };
    Ports { teleport: Arc::new(script), engine: Arc::new(()), ledger: Arc::default(), clock }
}

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(BEGIN_SECS + secs)
}

fn lease() -> Lease {
    Lease { name: "c".to_owned(), id: "1".to_owned(), until: at(60) }
}

fn ours(before: Before) -> Result<Taken, Failure> {
    Ok(Taken::Ours { lease: lease(), before })
}

fn theirs(until: Option<Timestamp>) -> Result<Taken, Failure> {
    Ok(Taken::Theirs { holder: Some("b/1".to_owned()), until })
}

fn unable() -> Result<Taken, Failure> {
    Ok(Taken::Unable("its role lacks semaphore: create".to_owned()))
}

/// What came of seeking, what the ledger was told, and how it stands.
async fn sought(mode: Mode, takes: Vec<Result<Taken, Failure>>) -> (Found, Vec<(Lifecycle, String)>, Stand) {
    let ports = ports(takes, Vec::new());
    let terms = Terms { mode, name: "c".to_owned(), holder: "a/1".to_owned() };
    let (status, stand) = (watch::Sender::new(None), watch::Sender::new(Stand::default()));
    let found = Keeper::new(&ports, &terms, &status, &stand).seek().await;
    let told = ports.ledger.0.lock().unwrap().clone();
    (found, told, stand.borrow().clone())
}

/// Why the lease was lost, when in seconds, and each try to keep it: when, and until when.
async fn kept(keeps: Vec<Result<Kept, Failure>>) -> (String, u64, Vec<(Timestamp, Timestamp)>) {
    let ports = ports(Vec::new(), keeps);
    let terms = Terms { mode: Mode::Auto, name: "c".to_owned(), holder: "a/1".to_owned() };
    let (status, stand) = (watch::Sender::new(None), watch::Sender::new(Stand::default()));
    let ends = watch::Sender::new(at(60));
    let why = Keeper::new(&ports, &terms, &status, &stand).keep(&lease(), &ends).await;
    let asked = ports.teleport.asked.lock().unwrap().clone();
    (why, ports.clock.now().since(at(0)).as_secs(), asked)
}

#[tokio::test]
async fn a_lease_is_kept_every_third_of_its_term() {
    let mut keeps: Vec<_> = (0..20).map(|_| Ok(Kept::Held)).collect();
    keeps.push(Ok(Kept::Gone("deleted".to_owned())));
    let (why, _, asked) = kept(keeps).await;
    assert_eq!((why.as_str(), asked.len()), ("deleted", 21));
    let mut last = at(0);
    for (when, until) in asked {
        let pause = when.since(last);
        assert!(pause >= RENEW_AFTER.mul_f64(0.89) && pause <= RENEW_AFTER.mul_f64(1.11), "{pause:?}");
        assert_eq!(until, when.after(TERM));
        last = when;
    }
}

#[tokio::test]
async fn a_lease_that_cannot_be_kept_is_given_up_before_another_can_have_it() {
    let (why, secs, asked) = kept((0..100).map(|_| Err(refused())).collect()).await;
    assert_eq!((why.as_str(), secs), ("not now", 45));
    assert!(asked.len() > 5, "{} tries", asked.len());
    // The first try is never answered.
    let (_, secs, asked) = kept(Vec::new()).await;
    assert_eq!((secs, asked.len()), (45, 1));
    // What was kept once counts from when it was asked for.
    let (_, secs, asked) = kept(vec![Ok(Kept::Held)]).await;
    assert_eq!(secs, asked[0].0.after(TERM).before(MARGIN).since(at(0)).as_secs());
}

#[tokio::test]
async fn without_the_right_to_leases_it_acts_alone_unless_it_must_not() {
    let (found, told, _) = sought(Mode::Auto, vec![Err(refused()), unable()]).await;
    assert!(matches!(found, Found::Alone));
    assert_eq!(told.len(), 1, "{told:?}");
    let (found, told, stand) = sought(Mode::Required, vec![unable(), unable(), unable(), ours(Before::Nothing)]).await;
    assert!(matches!(found, Found::Lease { hold_off: None, .. }), "{found:?}");
    assert_eq!(told.iter().map(|(what, _)| *what).collect::<Vec<_>>(), [Lifecycle::StandbyBegan, Lifecycle::Alarm]);
    assert!(told[1].1.contains("lacks semaphore: create"), "{told:?}");
    assert!(matches!(stand, Stand::Standby(why) if why.contains("lacks semaphore: create")));
}

#[tokio::test]
async fn where_others_heed_the_lease_a_right_that_was_taken_away_is_no_leave_to_act_alone() {
    let (found, told, _) = sought(Mode::Auto, vec![theirs(None), unable(), unable(), ours(Before::Over)]).await;
    assert!(matches!(found, Found::Lease { hold_off: None, .. }), "{found:?}");
    assert_eq!(told[0], (Lifecycle::StandbyBegan, "`b/1` leads".to_owned()));
    assert_eq!((told.len(), told[1].0), (2, Lifecycle::Alarm));
}

#[tokio::test]
async fn a_lease_is_held_off_where_whoever_had_it_may_not_know_that_it_is_gone() {
    // Another's lease as it was seen last, what stood there when ours was taken, and whether that is held off.
    for (seen, before, is_held_off) in [
        (None, Before::Nothing, false),
        (None, Before::Unseen, false),
        (Some(Some(at(60))), Before::Over, false),
        (Some(Some(at(60))), Before::Nothing, true),
        (Some(Some(at(60))), Before::Unseen, true),
        (Some(None), Before::Unseen, true),
        // It had ended by then.
        (Some(Some(at(1))), Before::Nothing, false),
    ] {
        let takes = seen.map(theirs).into_iter().chain([ours(before)]).collect();
        let (found, _, _) = sought(Mode::Auto, takes).await;
        let Found::Lease { hold_off, .. } = found else { panic!("{found:?}") };
        assert_eq!(hold_off.is_some(), is_held_off, "{seen:?} {before:?}");
        // Whoever kept it right before ours was taken has stopped by then.
        assert!(hold_off.is_none_or(|until| until >= at(4).after(TERM).before(MARGIN)), "{hold_off:?}");
    }
}

#[tokio::test]
async fn what_was_decided_before_the_process_slept_is_not_sent_after_it() {
    let (clock, ends) = (Jumping::default(), watch::Sender::new(at(60)));
    let fence = Fence::by(ends.subscribe());
    let mut sent = 0;
    for (now, is_sent) in [(0, true), (44, true), (45, false), (600, false)] {
        clock.sleep_until(at(now)).await;
        let before = sent;
        let call = async {
            sent += 1;
            Ok(())
        };
        assert_eq!(fence.pass(&clock, call).await.is_ok(), is_sent, "{now}");
        assert_eq!(sent > before, is_sent, "{now}");
    }
    ends.send_replace(at(660));
    assert!(fence.is_open(at(600)));
    assert!(Fence::alone().is_open(at(1_000_000)));
}
