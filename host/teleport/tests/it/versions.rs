//! The whole client against each release that can be simulated, and against a server that lacks whatever can be done
//! without: what comes out may not depend on it.

use std::collections::BTreeSet;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc;
use tribunal_core::Timestamp;
use tribunal_core::action::{Event, Resolution, ResolveWith};
use tribunal_core::failure::FailureClass;
use tribunal_core::lock::{Lock, LockName, LockTarget};
use tribunal_core::record::DecisionId;
use tribunal_core::request::{RequestId, RequestState, RequestedResource, UserName};
use tribunal_ports::{Before, Kept, LeaseWish, Taken, Teleport as _};
use tribunal_sim::{Release, RequestSpec, Running, Scenario, SimClock, SimServer};
use tribunal_teleport::rights::{TO_LOCK, TO_RESOLVE, TO_SEE};
use tribunal_teleport::{Client, Limits, Target};

/// How long a test waits for an event that has to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// More than two pages.
const MANY: usize = 450;

const WORLD: &str = r#"
cluster = "dev"
[bot]
review-requests = { roles = ["*"] }
[[role]]
name = "prod"
[[role]]
name = "asker"
allow.request.roles = ["prod"]
[[user]]
name = "alice"
roles = ["asker"]
login-roles = ["asker", "prod"]
traits = { team = ["blue"] }
[[user]]
name = "bob"
roles = ["asker"]
logged-in = false
[[node]]
name = "n1"
labels = { env = "prod" }
[[node]]
name = "orders"
kind = "db"
labels = { env = "lab" }
"#;

/// All that a client can do without: what it falls back from.
const WITHOUT_ALL: &str = r#"lacks = ["ListAccessRequests", "ListLocks", "ListSemaphores", "ListUnifiedResources",
  "UsersService/GetUser", "UsersService/ListUsers", "GetCurrentUserRoles", "GetLock"]"#;

/// The server that `head` describes, and the bot's client.
async fn world(head: &str) -> (Running, TempDir, Client) {
    let scenario = Scenario::parse(&format!("{head}\n{WORLD}")).unwrap();
    let dir = TempDir::new().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let running = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
    let target = Target {
        address: running.addr().to_string().parse().unwrap(),
        identity_file: dir.path().join("identity"),
        dial_timeout: Duration::from_secs(30),
        reach: tribunal_teleport::Reach::default(),
    };
    let pause = Duration::from_millis(2);
    let limits = Limits { watch_pause_min: pause, watch_pause_max: pause, ..Limits::default() };
    let client = Client::new(target, limits).await.unwrap();
    (running, dir, client)
}

fn ask(running: &Running) -> RequestId {
    let wish = RequestSpec { user: "bob".into(), roles: vec!["prod".into()], ..RequestSpec::default() };
    RequestId::new(running.handle().create_request(&wish).unwrap().metadata.unwrap().name)
}

fn lock_on(request: &RequestId) -> Lock {
    Lock {
        name: LockName::new(format!("tribunal-{}", request.as_str())),
        target: LockTarget::access_request(request.clone()),
        message: "over the cap".into(),
        expires: Some(Timestamp::from_secs(4_000_000_000)),
        created_by: String::new(),
    }
}

async fn lists_and_rereads(running: &Running, client: &Client) {
    let first = ask(running);
    let wanted: BTreeSet<RequestId> = (1..MANY).map(|_| ask(running)).chain([first.clone()]).collect();
    for request in &wanted {
        client.write_lock(lock_on(request)).await.unwrap();
    }
    let listing = client.list().await.unwrap();
    assert_eq!((listing.requests.len(), listing.locks.len()), (MANY, MANY), "each once");
    assert_eq!(listing.requests.iter().map(|request| request.id.clone()).collect::<BTreeSet<_>>(), wanted);
    let lock = lock_on(&first);
    let gone = (RequestId::new("0190a7c6-7c00-7000-8000-000000000001"), LockName::new("gone"));
    let read = |ids: &[&RequestId], names: &[&LockName]| {
        let owned = (ids.iter().copied().cloned().collect(), names.iter().copied().cloned().collect());
        async move { client.reread(owned.0, owned.1).await.unwrap() }
    };
    let fresh = read(&[&gone.0, &first], &[&gone.1, &lock.name]).await;
    let ids: Vec<_> = fresh.requests.iter().map(|request| request.as_ref().map(|request| &request.id)).collect();
    let locks: Vec<_> = fresh.locks.iter().map(|lock| lock.as_ref().map(|lock| &lock.message)).collect();
    assert_eq!((ids, locks), (vec![None, Some(&first)], vec![None, Some(&lock.message)]));
    client.delete_lock(lock.name.clone()).await.unwrap();
    assert_eq!(read(&[], &[&lock.name]).await.locks, [None]);
}

async fn sees_users_labels_and_itself(client: &Client) {
    let resource = |kind: &str, name: &str| RequestedResource {
        cluster: "dev".into(),
        kind: kind.into(),
        name: name.into(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    };
    let resources = vec![resource("node", "n1"), resource("db", "orders"), resource("node", "gone")];
    let background = client.background(UserName::new("alice"), resources).await.unwrap();
    assert_eq!(background.subject.roles.unwrap(), ["asker", "prod"], "as of the last login");
    assert_eq!(background.subject.traits.unwrap()["team"], ["blue"]);
    let labels: Vec<_> = background.labels.iter().map(|((_, kind, name), it)| (&**kind, &**name, &it["env"])).collect();
    assert_eq!(labels, [("db", "orders", &vec!["lab".to_owned()]), ("node", "n1", &vec!["prod".to_owned()])]);
    let never_logged_in = client.background(UserName::new("bob"), Vec::new()).await.unwrap().subject;
    assert_eq!(never_logged_in.roles.unwrap(), ["asker"], "as stored");
    let roles = client.roles().await.unwrap();
    assert!(["asker", "prod", "tribunal"].iter().all(|role| roles.contains(&(*role).to_owned())), "{roles:?}");
    if let Some(rights) = client.rights().await.unwrap() {
        for needed in [TO_SEE, TO_RESOLVE, TO_LOCK] {
            assert_eq!(rights.missing(needed), [""; 0]);
        }
    }
}

async fn leases_one_at_a_time(running: &Running, client: &Client) {
    let now = u64::try_from(running.handle().now().unix_ms()).unwrap();
    let wish = |holder: &str| LeaseWish {
        name: "dev".into(),
        holder: holder.into(),
        until: Timestamp::from_millis(now).after(Duration::from_secs(60)),
    };
    let Taken::Ours { lease, before } = client.take_lease(wish("a")).await.unwrap() else { panic!("not taken") };
    assert_eq!(before, Before::Nothing);
    let theirs = Taken::Theirs { holder: Some("a".into()), until: Some(lease.until) };
    assert_eq!(client.take_lease(wish("b")).await.unwrap(), theirs);
    assert_eq!(client.keep_lease(lease.clone()).await.unwrap(), Kept::Held);
    client.release_lease(lease).await.unwrap();
    assert!(matches!(client.take_lease(wish("b")).await.unwrap(), Taken::Ours { before: Before::Over, .. }));
}

async fn resolves_by_state_and_by_review(running: &Running, client: &Client) {
    for (with, approve, state) in [
        (ResolveWith::State, true, RequestState::Approved),
        (ResolveWith::State, false, RequestState::Denied),
        (ResolveWith::Review, true, RequestState::Approved),
        (ResolveWith::Review, false, RequestState::Denied),
    ] {
        let request = ask(running);
        let resolution = Resolution {
            request: request.clone(),
            with,
            approve,
            reason: "by the book".into(),
            decision: DecisionId::new("d"),
            rules: vec!["cap/within".into()],
        };
        client.resolve(resolution.clone()).await.unwrap();
        let fresh = client.reread(vec![request], Vec::new()).await.unwrap();
        assert_eq!(fresh.requests[0].as_ref().unwrap().state, state, "{with:?}");
        if with == ResolveWith::Review {
            let twice = client.resolve(resolution).await.unwrap_err();
            assert_eq!(twice.class, FailureClass::Settle, "{twice}");
        }
    }
}

async fn next(events: &mut mpsc::Receiver<Event>) -> Event {
    tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event has to come").expect("the watch goes on")
}

async fn watches_and_comes_back(running: &Running, client: &Client) {
    let (sender, mut events) = mpsc::channel(16);
    let follow = async {
        assert_eq!(next(&mut events).await, Event::WatchUp);
        let request = ask(running);
        assert!(matches!(next(&mut events).await, Event::RequestPut(put) if put.id == request));
        let lock = lock_on(&request);
        client.write_lock(lock.clone()).await.unwrap();
        assert!(matches!(next(&mut events).await, Event::LockPut(put) if put.name == lock.name));
        client.delete_lock(lock.name.clone()).await.unwrap();
        assert_eq!(next(&mut events).await, Event::LockGone(lock.name));
        running.handle().drop_watches();
        assert!(matches!(next(&mut events).await, Event::WatchDown(_)));
        assert_eq!(next(&mut events).await, Event::WatchUp);
        client.list().await.unwrap();
    };
    tokio::select! {
        () = client.watch(sender) => panic!("a watch that ends by itself"),
        () = follow => {}
    }
}

async fn conforms(head: &str, version: &str) {
    let (running, _dir, client) = world(head).await;
    assert_eq!(client.ping().await.unwrap().version, version);
    assert!(client.ping().await.unwrap().advanced_workflows);
    lists_and_rereads(&running, &client).await;
    sees_users_labels_and_itself(&client).await;
    leases_one_at_a_time(&running, &client).await;
    resolves_by_state_and_by_review(&running, &client).await;
    Box::pin(watches_and_comes_back(&running, &client)).await;
}

#[tokio::test]
async fn all_works_with_release_16() {
    conforms("release = 16", "16.0.0").await;
}

#[tokio::test]
async fn all_works_with_release_17() {
    conforms("release = 17", "17.0.0").await;
}

#[tokio::test]
async fn all_works_with_release_18() {
    conforms("release = 18", "18.0.0").await;
}

#[tokio::test]
async fn all_works_with_release_19() {
    conforms("release = 19", "19.0.0").await;
}

#[tokio::test]
async fn all_works_with_a_server_that_lacks_all_that_something_older_does_as_well() {
    conforms(&format!("release = 16\n{WITHOUT_ALL}"), "16.0.0").await;
}

#[tokio::test]
async fn an_upgrade_and_a_downgrade_under_way_are_followed() {
    let (running, _dir, client) = world("release = 16").await;
    let request = ask(&running);
    client.write_lock(lock_on(&request)).await.unwrap();
    for release in [Release::V16, Release::V19, Release::V17, Release::V18] {
        running.handle().with(|cluster, _| {
            cluster.become_release(release);
            // As a release to come may do: the older way goes.
            let gone =
                if release == Release::V19 { &["GetLocks", "GetAccessRequestsV2", "GetSemaphores"][..] } else { &[] };
            cluster.settings_mut().lacks.extend(gone.iter().map(|method| (*method).to_owned()));
        });
        running.handle().cut_connections();
        // A call may be the one that finds the connection broken.
        while client.ping().await.is_err() {}
        let listing = client.list().await.unwrap();
        assert_eq!((listing.requests.len(), listing.locks.len()), (1, 1), "{release:?}");
    }
}

#[tokio::test]
async fn a_server_that_takes_no_client_as_old_as_this_one_is_a_clear_error() {
    let (_running, _dir, client) = world("version = \"20.1.0\"\noldest-client = \"19.0.0\"").await;
    let said =
        "client version is unsupported: the server's is `20.1.0`, this client speaks as `18.0.0`; update tribunal";
    let failures = [
        client.ping().await.unwrap_err(),
        client.list().await.unwrap_err(),
        client.write_lock(lock_on(&RequestId::new("r"))).await.unwrap_err(),
        client.background(UserName::new("alice"), Vec::new()).await.unwrap_err(),
        client.rights().await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.class, FailureClass::Alarm, "{failure}");
        assert!(failure.detail.contains(said), "{failure}");
    }
    let (sender, mut events) = mpsc::channel(1);
    tokio::select! {
        () = client.watch(sender) => panic!("a watch that ends by itself"),
        event = next(&mut events) => assert!(matches!(&event, Event::WatchDown(why) if why.contains(said)), "{event:?}"),
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_for_a_reason_of_its_own_is_only_broken() {
    let (_running, _dir, client) = world("version = \"18.2.0\"\noldest-client = \"18.2.0\"").await;
    let failure = client.ping().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry, "{failure}");
    assert!(!failure.detail.contains("update tribunal"), "{failure}");
}
