//! Follows the cluster's events for ever: connects, waits for INIT, tells what comes, moves to a new connection when there
//! is one, and begins anew after each break.
//!
//! Must never bridge a gap: between [`Event::WatchDown`] and the next [`Event::WatchUp`] anything may have happened.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tonic::Streaming;
use tracing::{debug, info, warn};
use tribunal_core::action::Event;
use tribunal_proto::{proto, types};

use crate::client::{Client, Connection, Limits};
use crate::convert;
use crate::failure::{Method, explain};

const WATCH: Method = Method { name: "WatchEvents", needs: "access_request: read, lock: read" };
/// What is followed.
const KINDS: [&str; 2] = ["access_request", "lock"];

/// The present connection and its successors.
type Connections = watch::Receiver<Arc<Connection>>;

/// Follows `client`'s cluster until `events` is closed.
pub(crate) async fn follow(client: &Client, events: mpsc::Sender<Event>) {
    let mut connections = client.connections();
    let mut identities = client.identity_file().subscribe();
    let limits = client.limits();
    let mut failures: u32 = 0;
    let mut said = String::new();
    loop {
        let mut up_since = None;
        identities.mark_unchanged();
        let why = tokio::select! {
            why = once(client, &mut connections, &events, &mut up_since) => why,
            () = events.closed() => return,
        };
        // An outage of hours is said once, and again when its reason changes.
        if up_since.is_some() || why != said {
            warn!(%why, "Watch is down");
        } else {
            debug!(%why, "Watch is still down");
        }
        said.clone_from(&why);
        if events.send(Event::WatchDown(why)).await.is_err() {
            return;
        }
        // A watch that held on for a while was a good one, and the count begins anew.
        let held = up_since.is_some_and(|since: Instant| since.elapsed() >= limits.watch_pause_max);
        failures = if held { 0 } else { failures.saturating_add(1) };
        tokio::select! {
            () = tokio::time::sleep(pause(limits, failures, random())) => {}
            // It may be what was missing.
            _ = connections.changed() => failures = 0,
            _ = identities.changed() => failures = 0,
            () = events.closed() => return,
        }
    }
}

/// One watch from its beginning to its end, over as many connections as come; returns why it ended.
async fn once(
    client: &Client,
    connections: &mut Connections,
    events: &mpsc::Sender<Event>,
    up_since: &mut Option<Instant>,
) -> String {
    let connection = connections.borrow_and_update().clone();
    let mut stream = match open(client, &connection).await {
        Ok(stream) => stream,
        Err(why) => return why,
    };
    drop(connection);
    info!("Watch is up");
    *up_since = Some(Instant::now());
    loop {
        // Whoever listens makes a full list after it: it shows what an earlier stream told last, and what it did not.
        if events.send(Event::WatchUp).await.is_err() {
            return NOBODY_LISTENS.to_owned();
        }
        stream = tokio::select! {
            why = tell(client, stream, events) => return why,
            // INVARIANT: the next stream has begun before this one is given up, so that nothing falls between them.
            next = next_stream(client, connections) => next,
        };
        info!("Watch moved to the new connection");
    }
}

const NOBODY_LISTENS: &str = "nobody listens any more";

/// A stream on the next connection, once there is one.
async fn next_stream(client: &Client, connections: &mut Connections) -> Streaming<proto::Event> {
    let limits = client.limits();
    let mut failures: u32 = 0;
    loop {
        if failures == 0 && connections.changed().await.is_err() {
            // The client has it, and outlives whoever follows it.
            std::future::pending::<()>().await;
        }
        let connection = connections.borrow_and_update().clone();
        match open(client, &connection).await {
            Ok(stream) => return stream,
            Err(why) => debug!(%why, "Watch cannot move to the new connection yet"),
        }
        failures = failures.saturating_add(1);
        tokio::time::sleep(pause(limits, failures, random())).await;
    }
}

/// Tells what comes on a stream until it ends; returns why it did.
async fn tell(client: &Client, mut stream: Streaming<proto::Event>, events: &mpsc::Sender<Event>) -> String {
    loop {
        let event = match stream.message().await {
            Ok(Some(event)) => event,
            Ok(None) => return "the server ended it".to_owned(),
            Err(status) => return explain(WATCH, &status).detail,
        };
        match convert::event(event) {
            Ok(Some(event)) => {
                if let Event::RequestPut(request) = &event {
                    client.timing().saw([&**request]);
                }
                if events.send(event).await.is_err() {
                    return NOBODY_LISTENS.to_owned();
                }
            }
            Ok(None) => {}
            Err(error) => return error.to_string(),
        }
    }
}

/// A stream whose INIT has come. An idle stream is silent for hours, its beginning is not.
async fn open(client: &Client, connection: &Connection) -> Result<Streaming<proto::Event>, String> {
    let limits = client.limits();
    let watch = proto::Watch {
        kinds: KINDS.map(|kind| types::WatchKind { kind: kind.to_owned(), ..types::WatchKind::default() }).to_vec(),
        // INVARIANT: all kinds or none. A watch without locks would look like a cluster without locks.
        allow_partial_success: false,
    };
    let mut auth = connection.auth();
    let open = async {
        let mut stream = auth.watch_events(watch).await?.into_inner();
        let first = stream.message().await?;
        Ok((stream, first))
    };
    let (stream, first) = match tokio::time::timeout(limits.call, open).await {
        Ok(opened) => {
            let opened = client.answered(connection, opened).await;
            opened.map_err(|status| explain(WATCH, &status).detail)?
        }
        Err(_) => return Err(explain(WATCH, &connection.too_late(limits.call)).detail),
    };
    match first {
        Some(event) if event.r#type() == proto::Operation::Init && event.r#type == 0 => Ok(stream),
        Some(_) => Err("the server began without INIT".to_owned()),
        None => Err("the server ended it before INIT".to_owned()),
    }
}

/// The pause after so many failures in a row: doubled each time up to the longest, of which a random half to whole is
/// waited, so that many daemons do not come back at once.
fn pause(limits: Limits, failures: u32, random: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(u32::BITS - 1);
    let whole = limits.watch_pause_min.saturating_mul(1 << doublings).min(limits.watch_pause_max);
    jittered(whole, random)
}

/// A random half to whole of a pause.
pub(crate) fn jittered(whole: Duration, random: u32) -> Duration {
    let half = whole / 2;
    half.saturating_add(half.mul_f64(f64::from(random) / f64::from(u32::MAX)))
}

/// A random number; the middle of all where the system has none to give.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let limits = Limits::default();
        let whole: Vec<u128> = (1..=9).map(|failures| pause(limits, failures, u32::MAX).as_millis()).collect();
        assert_eq!(whole, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    }

    proptest! {
        #[test]
        fn a_pause_is_neither_too_short_nor_too_long(failures: u32, random: u32) {
            let limits = Limits::default();
            let pause = pause(limits, failures, random);
            prop_assert!(pause >= limits.watch_pause_min / 2);
            prop_assert!(pause <= limits.watch_pause_max);
        }
    }
}
