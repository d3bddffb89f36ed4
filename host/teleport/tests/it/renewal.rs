//! A client that follows its identity file, before a server that sees who calls; its time is moved by hand.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tribunal_core::Timestamp;
use tribunal_ports::Clock;
use tribunal_proto::proto::PingResponse;
use tribunal_teleport::identity::{LOOK_SECS, SETTLE_MILLIS};
use tribunal_teleport::{Client, Limits};

use super::pki::{self, Ca, File};
use super::place::pong;
use super::server::{Call, Reply, Server};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// A clock that stands still but for [`Hand::pass`], and knows how often somebody went to sleep.
#[derive(Debug)]
struct Hand {
    now: watch::Sender<Timestamp>,
    sleeps: watch::Sender<u64>,
}

impl Hand {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        let now = Timestamp::from_millis(u64::try_from(now).unwrap());
        Self { now: watch::Sender::new(now), sleeps: watch::Sender::new(0) }
    }

    /// Waits until whoever lives by it sleeps for the `nth` time, and lets this much time pass.
    async fn pass(&self, nth: u64, time: Duration) {
        let mut sleeps = self.sleeps.subscribe();
        tokio::time::timeout(PATIENCE, sleeps.wait_for(|sleeps| *sleeps >= nth)).await.unwrap().unwrap();
        self.now.send_modify(|now| *now = now.after(time));
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.sleeps.send_modify(|sleeps| *sleeps += 1);
        self.now.subscribe().wait_for(|now| *now >= at).await.unwrap();
    }
}

/// A client that follows its file, and how often its time was let go on.
struct Followed {
    client: Arc<Client>,
    clock: Arc<Hand>,
    passed: u64,
    following: AbortHandle,
}

impl Followed {
    async fn new(file: &File, server: &Server) -> Self {
        let client = Arc::new(Client::new(file.target(&server.address), Limits::default()).await.unwrap());
        let clock = Arc::new(Hand::new());
        let follow = {
            let (client, clock) = (Arc::clone(&client), Arc::clone(&clock));
            tokio::spawn(async move { client.follow_identity(clock.as_ref()).await })
        };
        client.ping().await.unwrap();
        // What is written to the file from here on, its first look has not seen.
        clock.pass(1, Duration::ZERO).await;
        Self { client, clock, passed: 0, following: follow.abort_handle() }
    }

    /// A look, and another one once what it saw has settled; ends when both are over.
    async fn looks(&mut self) {
        for pause in [Duration::from_secs(LOOK_SECS), Duration::from_millis(SETTLE_MILLIS)] {
            self.passed += 1;
            self.clock.pass(self.passed, pause).await;
        }
        self.clock.pass(self.passed + 1, Duration::ZERO).await;
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.following.abort();
    }
}

fn roles(server: &Server) -> Vec<String> {
    server.calls("Ping").into_iter().map(|call| call.role).collect()
}

#[tokio::test]
async fn a_fresh_identity_is_used_from_then_on_and_calls_under_way_end_on_the_old_connection() {
    let ca = Ca::new("root");
    let (tell, mut held) = mpsc::unbounded_channel();
    let server = Server::new(&ca, move |call: &Call| {
        // Whoever is called slow waits for an answer.
        if call.role != "slow" {
            return pong(call);
        }
        let (answer, answers) = mpsc::channel(1);
        tell.send(answer).unwrap();
        Reply::Stream(answers)
    })
    .await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let mut followed = Followed::new(&file, &server).await;
    file.replace(&pki::identity_with(&ca, "slow"));
    followed.client.reload().await.unwrap();
    let client = Arc::clone(&followed.client);
    let under_way = tokio::spawn(async move { client.ping().await });
    let answer = held.recv().await.unwrap();
    file.replace(&pki::identity_with(&ca, "second"));
    followed.looks().await;
    assert_eq!(followed.client.identity().roles(), ["second"]);
    followed.client.ping().await.unwrap();
    assert_eq!(
        roles(&server),
        ["first", "slow", "second", "second"],
        "the first of the last two looks whether it works"
    );
    let pong = PingResponse { cluster_name: "late".into(), ..PingResponse::default() };
    answer.send(Ok(pong.encode_to_vec())).await.unwrap();
    drop(answer);
    assert_eq!(under_way.await.unwrap().unwrap().name, "late");
    let held = followed.client.identity_file().held();
    assert_eq!((held.renewals, held.problem), (2, None));
}

#[tokio::test]
async fn a_fresh_identity_that_the_server_refuses_is_not_moved_to() {
    let (ca, other) = (Ca::new("root"), Ca::new("other"));
    let server = Server::new(&ca, pong).await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let mut followed = Followed::new(&file, &server).await;
    // Of another cluster: our server neither believes it nor is believed.
    file.replace(&pki::identity_with(&other, "second"));
    followed.looks().await;
    followed.client.ping().await.unwrap();
    assert_eq!(roles(&server), ["first", "first"]);
    file.replace(&pki::identity_with(&ca, "third"));
    followed.looks().await;
    followed.client.ping().await.unwrap();
    assert_eq!(roles(&server), ["first", "first", "third", "third"]);
}

#[tokio::test]
async fn a_torn_file_changes_nothing_and_the_whole_one_that_follows_is_taken() {
    let ca = Ca::new("root");
    let server = Server::new(&ca, pong).await;
    let file = File::new(&pki::identity_with(&ca, "first"));
    let mut followed = Followed::new(&file, &server).await;
    let next = pki::identity_with(&ca, "second");
    file.replace(next.get(..next.len() / 2).unwrap());
    followed.looks().await;
    followed.client.ping().await.unwrap();
    assert!(followed.client.identity_file().held().problem.unwrap().contains("truncated"));
    file.replace(&next);
    followed.looks().await;
    assert_eq!(followed.client.identity_file().held().problem, None);
    followed.client.ping().await.unwrap();
    assert_eq!(roles(&server), ["first", "first", "second", "second"]);
}
