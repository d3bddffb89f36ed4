//! What systemd is told, and when. Under a paused clock time goes by as soon as nothing else happens.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tribunal_core::Status;

use super::*;
use crate::health::tests::outlook;
use crate::signs::LIVE_SECS_MAX;
use crate::signs::tests::{NOW, Told, seeing};

struct Heard(mpsc::UnboundedSender<String>);

impl Tell for Heard {
    fn tell(&mut self, states: &[NotifyState<'_>]) -> io::Result<()> {
        let lines: Vec<String> = states.iter().map(ToString::to_string).collect();
        self.0.send(lines.join("|")).map_err(io::Error::other)
    }
}

struct Noted {
    told: Told,
    notes: mpsc::UnboundedReceiver<String>,
    running: JoinHandle<()>,
}

fn begin(told: Told, watchdog: Option<Duration>) -> Noted {
    let (heard, notes) = mpsc::unbounded_channel();
    let running = tokio::spawn(run(outlook(&told), Heard(heard), watchdog, told.stop.clone()));
    Noted { told, notes, running }
}

impl Noted {
    async fn next(&mut self) -> String {
        self.notes.recv().await.unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn ready_is_said_when_the_daemon_has_begun_and_stopping_when_it_stops() {
    let mut noted = begin(Told::new(), None);
    tokio::task::yield_now().await;
    assert!(noted.notes.try_recv().is_err(), "it has not begun");
    noted.told.status.send_replace(Some(seeing(NOW)));
    assert_eq!(noted.next().await, "READY=1|STATUS=ready: sees cluster dev");
    noted.told.stop.cancel();
    assert_eq!(noted.next().await, "STOPPING=1|STATUS=stopping");
    noted.running.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_blind_daemon_is_there_all_the_same_and_its_status_says_that_it_is_blind() {
    let told = Told::new();
    let status = |why: &str| Some(Status { blind: Some(why.to_owned()), ..seeing(NOW) });
    told.status.send_replace(status("refused\nREADY=0"));
    let mut noted = begin(told, None);
    assert_eq!(noted.next().await, "READY=1|STATUS=not ready: it does not see the cluster: refused READY=0");
    noted.told.status.send_replace(Some(seeing(NOW)));
    assert_eq!(noted.next().await, "STATUS=ready: sees cluster dev");
    // What changes by time alone is seen without a change of the status.
    noted.told.at(NOW + 61);
    assert_eq!(noted.next().await, "STATUS=not ready: the last full list is 61 s old, and one is made every 30 s");
    noted.running.abort();
}

#[tokio::test(start_paused = true)]
async fn the_watchdog_hears_of_a_loop_that_turns_and_not_of_one_that_hangs() {
    let within = Duration::from_secs(20);
    let mut noted = begin(Told::seeing(), Some(within));
    assert!(noted.next().await.starts_with("READY=1"));
    let begun = tokio::time::Instant::now();
    let mut last = begun;
    // Nobody lets the loop turn.
    loop {
        match noted.next().await.as_str() {
            "WATCHDOG=1" => {
                assert!(last.elapsed() <= within / 2);
                last = tokio::time::Instant::now();
            }
            status => {
                assert_eq!(status.split(" has").next(), Some("STATUS=not ready: the daemon's loop"));
                break;
            }
        }
    }
    assert!(last - begun >= Duration::from_secs(LIVE_SECS_MAX / 2), "it was heard of while it turned");
    assert!(last - begun <= Duration::from_secs(LIVE_SECS_MAX));
    // It turns again.
    let signs = Arc::clone(&noted.told.signs);
    let follow = tokio::spawn(async move { signs.follow().await });
    while noted.next().await != "WATCHDOG=1" {}
    follow.abort();
    noted.running.abort();
}

#[tokio::test(start_paused = true)]
async fn who_is_stopped_before_the_beginning_says_only_that() {
    let mut noted = begin(Told::new(), Some(Duration::from_secs(20)));
    noted.told.stop.cancel();
    assert_eq!(noted.next().await, "STOPPING=1|STATUS=stopping");
    noted.running.await.unwrap();
}
