//! How long a watch that breaks is away. The tests' time is the runtime's, which passes when there is nothing else to do.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prost::Message as _;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tonic::Status;
use tribunal_core::action::Event;
use tribunal_ports::Teleport as _;
use tribunal_proto::proto;
use tribunal_teleport::{Client, Limits};

use super::client::one;
use super::pki::{self, Ca, File};
use super::server::{Call, Reply, Server};

/// After how many failures a watch comes up, and stays for five minutes.
const FAILURES: usize = 9;
const HELD: Duration = Duration::from_secs(300);

fn init() -> Vec<u8> {
    proto::Event { r#type: proto::Operation::Init.into(), resource: None }.encode_to_vec()
}

#[tokio::test(start_paused = true)]
async fn pauses_between_watches_grow_with_jitter_and_begin_anew_after_one_that_held() {
    let ca = Ca::new("root");
    let count = AtomicUsize::new(0);
    let server = Server::new(&ca, move |call: &Call| match call.path.rsplit('/').next().unwrap() {
        "WatchEvents" if count.fetch_add(1, Ordering::Relaxed) == FAILURES => {
            let (sender, receiver) = mpsc::channel(1);
            sender.try_send(Ok(init())).unwrap();
            tokio::spawn(async move {
                tokio::time::sleep(HELD).await;
                drop(sender);
            });
            Reply::Stream(receiver)
        }
        "WatchEvents" => Reply::Fail(Status::unavailable("watcher closed")),
        _ => one(&proto::PingResponse::default()),
    })
    .await;
    let file = File::new(&pki::identity(&ca, "bot-tribunal"));
    let client = Client::new(file.target(&server.address), Limits::default()).await.unwrap();
    client.ping().await.unwrap();
    let (sender, mut events) = mpsc::channel(1);
    let mut pauses: Vec<Duration> = Vec::new();
    tokio::select! {
        () = client.watch(sender) => panic!("a watch that ends by itself"),
        () = async {
            let mut last = Instant::now();
            while pauses.len() < FAILURES + 4 {
                let event = events.recv().await.unwrap();
                assert!(matches!(event, Event::WatchDown(_) | Event::WatchUp), "{event:?}");
                pauses.push(last.elapsed());
                last = Instant::now();
            }
        } => {}
    }
    // The first attempt is made at once. Then each pause is a random half to whole of twice the one before.
    let mut whole: Vec<u128> = vec![0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
    // Up it comes, is down after five minutes, and is tried again soon.
    whole.extend([HELD.as_millis(), 500, 500]);
    let grown: Vec<u128> = pauses.iter().map(Duration::as_millis).collect();
    assert_eq!(grown.len(), whole.len());
    for (index, (grown, whole)) in grown.iter().zip(&whole).enumerate() {
        let least = if index == FAILURES + 1 { *whole } else { whole / 2 };
        assert!((least..=whole + 20).contains(grown), "pause {index}: {grown} of {whole}: {pauses:?}");
    }
    let exact = grown.iter().zip(&whole).skip(1).filter(|(grown, whole)| *grown == *whole).count();
    assert!(exact < 5, "without jitter many daemons would come back at once: {pauses:?}");
}
