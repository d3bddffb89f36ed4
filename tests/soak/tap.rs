//! Listens to what the simulated server says of itself: faults that struck, and which requests were read by their id. It
//! never changes anything.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What was heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap(Arc<Mutex<Heard>>);

#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Calls that failed on purpose.
    pub(crate) errors: u64,
    /// Calls that took effect and whose reply was lost.
    pub(crate) lost: u64,
    /// By request id: the cluster's newest change whenever it was read by that id.
    pub(crate) reads: BTreeMap<String, Vec<u64>>,
}

#[derive(Default)]
struct Fields {
    message: String,
    id: String,
    sequence: u64,
}

// === impl Tap ===

impl Tap {
    /// Begins to listen.
    pub(crate) fn start() -> Result<Self, String> {
        let tap = Self::default();
        let simulator = Targets::new().with_target("tribunal_sim", LevelFilter::TRACE);
        tracing_subscriber::registry()
            .with(tap.clone().with_filter(simulator))
            .try_init()
            .map_err(|error| format!("the simulator cannot be listened to: {error}"))?;
        Ok(tap)
    }

    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut Heard) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber> Layer<S> for Tap {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { message, id, sequence } = fields;
        self.with(|heard| match message.as_str() {
            "Call failed on purpose" => heard.errors += 1,
            "Reply lost on purpose" => heard.lost += 1,
            "Request read by its id" => heard.reads.entry(id).or_default().push(sequence),
            _ => {}
        });
    }
}

// === impl Fields ===

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "id" => self.id = format!("{value:?}"),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "id" => value.clone_into(&mut self.id),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "sequence" {
            self.sequence = value;
        }
    }
}
