//! Connections on which nothing is said: probed as Teleport's own client does it, kept while the other end answers, and
//! given up when it does not. The tests' time is the runtime's, which passes when there is nothing else to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tribunal_core::action::Event;
use tribunal_core::failure::FailureClass;
use tribunal_ports::Teleport as _;
use tribunal_proto::proto;
use tribunal_teleport::{Client, Limits};

use super::client::one;
use super::pki::{self, Ca, File};
use super::server::{Call, Reply, Server};

const HOUR: Duration = Duration::from_secs(3_600);

/// A wire to the server that can go dead without being cut.
struct Wire {
    address: String,
    /// How often the client said something.
    said: Arc<AtomicUsize>,
    /// Wires that were laid before the newest of these are dead.
    dead: watch::Sender<usize>,
    _task: JoinSet<()>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (said, dead) = (Arc::new(AtomicUsize::new(0)), watch::Sender::new(0));
        let mut task = JoinSet::new();
        let (counted, mut deaths) = (Arc::clone(&said), dead.subscribe());
        task.spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                deaths.mark_unchanged();
                wires.spawn(carry(client, server, Arc::clone(&counted), deaths.clone()));
            }
        });
        Self { address, said, dead, _task: task }
    }

    fn said(&self) -> usize {
        self.said.load(Ordering::Relaxed)
    }

    fn die(&self) {
        self.dead.send_modify(|dead| *dead += 1);
    }
}

/// Carries bytes both ways until the wire is dead; then it holds on to both ends, and is silent.
async fn carry(client: TcpStream, server: TcpStream, said: Arc<AtomicUsize>, mut dead: watch::Receiver<usize>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let forth = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
            said.fetch_add(1, Ordering::Relaxed);
            to_server.write_all(&buffer[..read]).await.unwrap();
        }
    };
    let back = async { tokio::io::copy(&mut from_server, &mut to_client).await };
    tokio::select! {
        _ = dead.changed() => {}
        _ = async { tokio::join!(forth, back) } => return,
    }
    std::future::pending::<()>().await;
}

/// Answers pings, and watches with INIT and nothing more.
fn quiet(call: &Call) -> Reply {
    if call.path.ends_with("WatchEvents") {
        let (sender, receiver) = mpsc::channel(1);
        let init = proto::Event { r#type: proto::Operation::Init.into(), resource: None };
        sender.try_send(Ok(init.encode_to_vec())).unwrap();
        std::mem::forget(sender);
        return Reply::Stream(receiver);
    }
    one(&proto::PingResponse::default())
}

async fn quiet_place() -> (Server, Wire, File, Client) {
    let ca = Ca::new("root");
    let server = Server::new(&ca, quiet).await;
    let wire = Wire::to(server.address.clone()).await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&wire.address), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    (server, wire, file, client)
}

#[tokio::test(start_paused = true)]
async fn a_connection_on_which_nothing_is_asked_is_probed_each_minute_and_kept() {
    let (server, wire, _file, client) = quiet_place().await;
    let before = wire.said();
    tokio::time::sleep(HOUR).await;
    let probes = wire.said() - before;
    assert!((50..=61).contains(&probes), "{probes} in an hour");
    client.ping().await.unwrap();
    assert_eq!(server.connections_made(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_silent_for_an_hour_stays_up() {
    let (server, wire, _file, client) = quiet_place().await;
    let (sender, mut events) = mpsc::channel(1);
    let before = wire.said();
    tokio::select! {
        () = client.watch(sender) => panic!("a watch that ends by itself"),
        () = async {
            assert_eq!(events.recv().await, Some(Event::WatchUp));
            let silent = tokio::time::timeout(HOUR, events.recv()).await;
            assert!(silent.is_err(), "{silent:?}");
        } => {}
    }
    assert!(wire.said() - before > 50);
    assert_eq!(server.connections_made(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_watch_on_a_dead_wire_goes_down_within_four_minutes_and_comes_back() {
    let (_server, wire, _file, client) = quiet_place().await;
    let (sender, mut events) = mpsc::channel(1);
    tokio::select! {
        () = client.watch(sender) => panic!("a watch that ends by itself"),
        () = async {
            assert_eq!(events.recv().await, Some(Event::WatchUp));
            wire.die();
            let died = Instant::now();
            let down = events.recv().await;
            let after = died.elapsed();
            assert!(matches!(down, Some(Event::WatchDown(_))), "{down:?}");
            // A minute until the probe, and three for its answer.
            assert!((180..=241).contains(&after.as_secs()), "{after:?}");
            while events.recv().await != Some(Event::WatchUp) {}
        } => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_on_a_dead_wire_ends_by_its_deadline_and_later_ones_find_another() {
    let (_server, wire, _file, client) = quiet_place().await;
    wire.die();
    let died = Instant::now();
    let failure = client.ping().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retry);
    assert_eq!(died.elapsed().as_secs(), 10, "{failure}");
    while client.ping().await.is_err() {}
    assert!(died.elapsed() < Duration::from_secs(270), "{:?}", died.elapsed());
}
