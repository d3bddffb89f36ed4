//! Open watch streams: each has a bounded queue, and whoever does not keep up is closed. Streams are never resumed.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc;
use tonic::Status;
use tribunal_proto::proto;

use crate::clock::Moment;
use crate::cluster::{Caller, Change, Cluster, WatchPlan};

/// Events that wait for a slow consumer before it is closed.
pub(super) const WATCH_EVENTS_MAX: usize = 4096;

/// All open streams.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    open: Vec<Watcher>,
}

#[derive(Debug)]
struct Watcher {
    plan: WatchPlan,
    caller: Arc<Caller>,
    events: mpsc::Sender<proto::Event>,
    end: Arc<OnceLock<Status>>,
    /// Events until an injected break.
    left: Option<u64>,
}

/// The stream that a client reads.
#[derive(Debug)]
pub(super) struct WatchStream {
    events: mpsc::Receiver<proto::Event>,
    end: Arc<OnceLock<Status>>,
    ended: bool,
}

impl Watchers {
    /// Opens a stream; its first event is there already.
    pub(super) fn open(&mut self, plan: WatchPlan, caller: Arc<Caller>, drop_after: Option<u64>) -> WatchStream {
        let (sender, events) = mpsc::channel(WATCH_EVENTS_MAX);
        let end = Arc::new(OnceLock::new());
        let mut watcher = Watcher { plan, caller, events: sender, end: Arc::clone(&end), left: drop_after };
        let init = watcher.plan.init();
        if watcher.send(init) {
            self.open.push(watcher);
        }
        WatchStream { events, end, ended: false }
    }

    pub(super) fn tell(&mut self, change: &Change) {
        self.open.retain_mut(|watcher| match watcher.plan.event(change) {
            Some(event) => watcher.send(event),
            None => !watcher.events.is_closed(),
        });
    }

    /// A lock tears down the streams of whom it targets.
    pub(super) fn close_locked(&mut self, cluster: &Cluster, now: Moment) {
        self.open.retain(|watcher| match cluster.admit(&watcher.caller, now) {
            Ok(()) => true,
            Err(refusal) => {
                watcher.close(refusal.into());
                false
            }
        });
    }

    pub(super) fn close_all(&mut self, status: &Status) {
        for watcher in self.open.drain(..) {
            watcher.close(status.clone());
        }
    }

    /// How many somebody still reads. Those that were left are forgotten at the next event, which may be far off.
    pub(super) fn len(&self) -> usize {
        self.open.iter().filter(|watcher| !watcher.events.is_closed()).count()
    }
}

impl Watcher {
    /// Whether the stream goes on.
    fn send(&mut self, event: proto::Event) -> bool {
        match self.events.try_send(event) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.close(Status::unavailable("fanout buffer closed: the watcher is too slow"));
                return false;
            }
        }
        match &mut self.left {
            Some(0 | 1) => {
                self.close(Status::unavailable("watcher closed: injected fault"));
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }

    fn close(&self, status: Status) {
        // The first reason stands.
        let _ = self.end.set(status);
    }
}

impl Stream for WatchStream {
    type Item = Result<proto::Event, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        match self.events.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(event)) => Poll::Ready(Some(Ok(event))),
            Poll::Ready(None) => {
                self.ended = true;
                Poll::Ready(self.end.get().cloned().map(Err))
            }
        }
    }
}
