//! What the server sees of the daemon: when a request is read again before it is resolved, and when it is resolved. It
//! never changes anything.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tribunal_proto::types::RequestState;
use tribunal_sim::{Change, Handle};

/// When each request was first read by its id: the daemon has asked its panel and written its ledger, and is about to
/// resolve it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads(Arc<Mutex<HashMap<String, Instant>>>);

/// When each request was resolved, how often, and whether it was approved.
pub(crate) type Verdicts = BTreeMap<String, Verdict>;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict {
    pub(crate) at: Instant,
    pub(crate) approved: bool,
    pub(crate) times: u64,
}

#[derive(Default)]
struct Fields {
    message: String,
    id: String,
}

// === impl Reads ===

impl Reads {
    /// Begins to listen to what the simulated server says.
    pub(crate) fn start() -> Result<Self, String> {
        let reads = Self::default();
        let simulator = Targets::new().with_target("tribunal_sim::server::auth_service", LevelFilter::TRACE);
        tracing_subscriber::registry()
            .with(reads.clone().with_filter(simulator))
            .try_init()
            .map_err(|error| format!("the simulator cannot be listened to: {error}"))?;
        Ok(reads)
    }

    /// All that were read; begins anew.
    pub(crate) fn take(&self) -> HashMap<String, Instant> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber> Layer<S> for Reads {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let at = Instant::now();
        let mut fields = Fields::default();
        event.record(&mut fields);
        if fields.message == "Request read by its id" {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(fields.id).or_insert(at);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "id" => self.id = format!("{value:?}"),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "id" {
            value.clone_into(&mut self.id);
        }
    }
}

/// Notes what the daemon does from this change on; whoever calls it ends it. What it is late to notice makes latencies
/// longer, never shorter.
pub(crate) async fn verdicts(server: Handle, mut sequence: u64, into: Arc<Mutex<Verdicts>>) {
    loop {
        server.changed_since(sequence).await;
        let at = Instant::now();
        for entry in server.history_since(sequence) {
            sequence = entry.sequence;
            let Change::RequestPut(request) = &entry.change else { continue };
            let state = request.spec.as_ref().map_or(0, |spec| spec.state);
            if state == i32::from(RequestState::Pending) {
                continue;
            }
            let id = request.metadata.as_ref().map(|metadata| metadata.name.clone()).unwrap_or_default();
            let approved = state == i32::from(RequestState::Approved);
            let mut all = into.lock().unwrap_or_else(PoisonError::into_inner);
            all.entry(id).or_insert(Verdict { at, approved, times: 0 }).times += 1;
        }
    }
}
