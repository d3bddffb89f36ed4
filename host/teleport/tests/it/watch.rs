//! The watch: up, down, and up again.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost::Message as _;
use tokio::sync::mpsc;
use tonic::Status;
use tribunal_core::action::Event;
use tribunal_core::lock::LockName;
use tribunal_core::request::RequestId;
use tribunal_ports::Teleport as _;
use tribunal_proto::proto::event::Resource;
use tribunal_proto::{proto, types};
use tribunal_teleport::{Client, Limits};

use super::pki::{self, Ca, File};
use super::server::{Call, Reply, Server};

/// How long a test waits for an event that has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// Short pauses, so that tests need not wait.
fn limits() -> Limits {
    let pause = Duration::from_millis(2);
    Limits { watch_pause_min: pause, watch_pause_max: pause, ..Limits::default() }
}

fn told(operation: proto::Operation, resource: Option<Resource>) -> Vec<u8> {
    proto::Event { r#type: operation.into(), resource }.encode_to_vec()
}

fn init() -> Vec<u8> {
    told(proto::Operation::Init, Some(Resource::WatchStatus(types::WatchStatusV1::default())))
}

fn put(id: &str) -> Vec<u8> {
    let request = types::AccessRequestV3 {
        metadata: Some(types::Metadata { name: id.into(), ..Default::default() }),
        spec: Some(types::AccessRequestSpecV3 { user: "u".into(), state: 1, ..Default::default() }),
        ..Default::default()
    };
    told(proto::Operation::Put, Some(Resource::AccessRequest(request)))
}

fn gone(kind: &str, name: &str) -> Vec<u8> {
    let header = types::ResourceHeader {
        kind: kind.into(),
        metadata: Some(types::Metadata { name: name.into(), ..Default::default() }),
        ..Default::default()
    };
    told(proto::Operation::Delete, Some(Resource::ResourceHeader(header)))
}

async fn next(events: &mut mpsc::Receiver<Event>) -> Event {
    tokio::time::timeout(PATIENCE, events.recv()).await.expect("an event has to come").expect("the watch goes on")
}

async fn next_down(events: &mut mpsc::Receiver<Event>) -> String {
    let event = next(events).await;
    let Event::WatchDown(why) = event else { panic!("{event:?}") };
    why
}

/// Follows a server that answers its n-th watch by `script(n)`.
async fn follow(
    script: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Server, tokio::task::JoinHandle<()>, mpsc::Receiver<Event>, File) {
    let ca = Ca::new("root");
    let count = AtomicUsize::new(0);
    let server = Server::new(&ca, move |_: &Call| script(count.fetch_add(1, Ordering::Relaxed))).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&server.address), limits()).await.unwrap();
    let (sender, receiver) = mpsc::channel(1);
    let task = tokio::spawn(async move { client.watch(sender).await });
    (server, task, receiver, file)
}

#[tokio::test]
async fn a_watch_comes_up_tells_what_happens_goes_down_and_comes_up_again() {
    let (server, _task, mut events, _file) =
        follow(|_| Reply::Messages(vec![init(), put("a"), gone("access_request", "a"), gone("lock", "l")])).await;
    for _ in 0..3 {
        assert_eq!(next(&mut events).await, Event::WatchUp);
        assert!(matches!(next(&mut events).await, Event::RequestPut(request) if request.id.as_str() == "a"));
        assert_eq!(next(&mut events).await, Event::RequestGone(RequestId::new("a")));
        assert_eq!(next(&mut events).await, Event::LockGone(LockName::new("l")));
        assert_eq!(next_down(&mut events).await, "the server ended it");
    }
    let watch = proto::Watch::decode(server.calls("WatchEvents")[0].message.as_slice()).unwrap();
    let kinds: Vec<(&str, usize)> = watch.kinds.iter().map(|kind| (kind.kind.as_str(), kind.filter.len())).collect();
    // No filter by state: it would hide that a request leaves that state.
    assert_eq!(kinds, [("access_request", 0), ("lock", 0)]);
    assert!(!watch.allow_partial_success);
}

#[tokio::test]
async fn a_watch_without_init_is_not_up() {
    let (_server, _task, mut events, _file) = follow(|count| match count {
        0 => Reply::Messages(vec![put("a")]),
        1 => Reply::Messages(vec![]),
        2 => Reply::Fail(Status::permission_denied("access denied")),
        _ => Reply::Messages(vec![init()]),
    })
    .await;
    assert_eq!(next_down(&mut events).await, "the server began without INIT");
    assert_eq!(next_down(&mut events).await, "the server ended it before INIT");
    assert_eq!(
        next_down(&mut events).await,
        "`WatchEvents`: permission denied: access denied; the daemon's role needs access_request: read, lock: read"
    );
    assert_eq!(next(&mut events).await, Event::WatchUp);
}

#[tokio::test]
async fn a_watch_that_cannot_be_understood_is_broken_off() {
    let nameless = told(proto::Operation::Put, Some(Resource::Lock(types::LockV2::default())));
    let (_server, _task, mut events, _file) =
        follow(move |_| Reply::Messages(vec![init(), nameless.clone(), put("never told")])).await;
    assert_eq!(next(&mut events).await, Event::WatchUp);
    assert!(next_down(&mut events).await.starts_with("an event with a lock without `metadata.name`"));
}

#[tokio::test]
async fn what_is_not_followed_is_passed_over() {
    let user = told(proto::Operation::Put, Some(Resource::User(types::UserV2::default())));
    let (_server, _task, mut events, _file) =
        follow(move |_| Reply::Messages(vec![init(), user.clone(), gone("user", "u"), put("a")])).await;
    assert_eq!(next(&mut events).await, Event::WatchUp);
    assert!(matches!(next(&mut events).await, Event::RequestPut(_)));
}

#[tokio::test]
async fn a_broken_connection_takes_the_watch_down_and_a_new_one_brings_it_up() {
    // Kept open: a stream whose sender is gone has ended.
    let open = Mutex::new(Vec::new());
    let (server, _task, mut events, _file) = follow(move |_| {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(init())).unwrap();
        open.lock().unwrap().push(sender);
        Reply::Stream(receiver)
    })
    .await;
    assert_eq!(next(&mut events).await, Event::WatchUp);
    server.kick();
    next_down(&mut events).await;
    loop {
        let event = next(&mut events).await;
        if event == Event::WatchUp {
            break;
        }
        // An attempt that found the connection broken.
        assert!(matches!(event, Event::WatchDown(_)), "{event:?}");
    }
}

#[tokio::test]
async fn a_watch_ends_when_nobody_listens() {
    let open = Mutex::new(Vec::new());
    let (_server, task, mut events, _file) = follow(move |_| {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(Ok(init())).unwrap();
        open.lock().unwrap().push(sender);
        Reply::Stream(receiver)
    })
    .await;
    assert_eq!(next(&mut events).await, Event::WatchUp);
    drop(events);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_silent_beginning_is_given_up() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, |_: &Call| Reply::Silence).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let limits = Limits { call: Duration::from_millis(200), ..limits() };
    let client = Client::new(file.target(&server.address), limits).await.unwrap();
    let (sender, mut events) = mpsc::channel(1);
    let _task = tokio::spawn(async move { client.watch(sender).await });
    assert_eq!(next_down(&mut events).await, "`WatchEvents`: too late: no answer within 0.2 s");
}

/// A server each of whose streams begins with INIT and is kept open; the sender of each comes out of the channel.
async fn streams(ca: &Ca) -> (Server, mpsc::UnboundedReceiver<mpsc::Sender<Result<Vec<u8>, Status>>>) {
    let (opened, streams) = mpsc::unbounded_channel();
    let server = Server::new(ca, move |call: &Call| {
        if !call.path.ends_with("/WatchEvents") {
            return Reply::Messages(vec![proto::PingResponse::default().encode_to_vec()]);
        }
        let (sender, receiver) = mpsc::channel(4);
        sender.try_send(Ok(init())).unwrap();
        opened.send(sender).unwrap();
        Reply::Stream(receiver)
    });
    (server.await, streams)
}

#[tokio::test]
async fn a_reload_moves_the_watch_to_the_new_identity_without_a_break() {
    let ca = Ca::new("root");
    let (server, mut streams) = streams(&ca).await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let client = std::sync::Arc::new(Client::new(file.target(&server.address), limits()).await.unwrap());
    let (sender, mut events) = mpsc::channel(1);
    let watching = std::sync::Arc::clone(&client);
    let _task = tokio::spawn(async move { watching.watch(sender).await });
    assert_eq!(next(&mut events).await, Event::WatchUp);
    let first = streams.recv().await.unwrap();
    first.send(Ok(put("a"))).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::RequestPut(request) if request.id.as_str() == "a"));
    file.replace(&pki::identity_with(&ca, "second"));
    client.reload().await.unwrap();
    // The list that follows it shows whatever the first stream did not tell any more.
    assert_eq!(next(&mut events).await, Event::WatchUp);
    let second = streams.recv().await.unwrap();
    second.send(Ok(put("b"))).await.unwrap();
    assert!(matches!(next(&mut events).await, Event::RequestPut(request) if request.id.as_str() == "b"));
    // Nobody listens to the first any more, and its connection ends with it.
    first.closed().await;
    let roles: Vec<String> = server.calls("WatchEvents").into_iter().map(|call| call.role).collect();
    assert_eq!(roles, ["first", "second"]);
}

#[tokio::test]
async fn a_watch_stays_where_it_is_until_the_next_one_has_begun() {
    let ca = Ca::new("root");
    let opened = Mutex::new(Vec::new());
    let (tell, mut streams) = mpsc::unbounded_channel();
    let server = Server::new(&ca, move |call: &Call| {
        // The second identity is refused twice.
        let mut opened = opened.lock().unwrap();
        opened.push(call.role.clone());
        if call.role == "second" && opened.iter().filter(|role| *role == "second").count() <= 2 {
            return Reply::Fail(Status::unavailable("not now"));
        }
        let (sender, receiver) = mpsc::channel(4);
        sender.try_send(Ok(init())).unwrap();
        tell.send(sender).unwrap();
        Reply::Stream(receiver)
    })
    .await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let client = std::sync::Arc::new(Client::new(file.target(&server.address), limits()).await.unwrap());
    let (sender, mut events) = mpsc::channel(1);
    let watching = std::sync::Arc::clone(&client);
    let _task = tokio::spawn(async move { watching.watch(sender).await });
    assert_eq!(next(&mut events).await, Event::WatchUp);
    let _first = streams.recv().await.unwrap();
    file.replace(&pki::identity_with(&ca, "second"));
    client.reload().await.unwrap();
    assert_eq!(next(&mut events).await, Event::WatchUp, "and it was never down");
    let roles: Vec<String> = server.calls("WatchEvents").into_iter().map(|call| call.role).collect();
    assert_eq!(roles, ["first", "second", "second", "second"]);
}
