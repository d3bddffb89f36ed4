//! The ledger's port with a witness: remembers what the server had seen when an intent became durable. It passes
//! everything on and answers nothing itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tribunal_core::decision::Verdict;
use tribunal_core::record::{Decided, Lifecycle, Outcome, Record};
use tribunal_ledger::Ledger;
use tribunal_sim::Handle;

/// What a decision was about to do.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    /// The server's newest change when the ledger acknowledged it.
    pub(crate) durable_at: u64,
    /// The request that it resolves, and whether to approve it.
    pub(crate) resolves: Option<(String, bool)>,
    pub(crate) locks: Vec<String>,
    pub(crate) releases: Vec<String>,
}

/// Everything that ledgers of one world acknowledged, over all runs of its daemon.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    acknowledged: Mutex<Acknowledged>,
    /// How many records there were; tells whoever waits for one.
    records: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Acknowledged {
    intents: BTreeMap<String, Intent>,
    decided: Vec<Decided>,
    outcomes: Vec<Outcome>,
    lifecycle: Vec<(Lifecycle, String)>,
}

/// A ledger under a witness's eyes.
#[derive(Debug)]
pub(crate) struct Witnessed {
    pub(crate) ledger: Ledger,
    pub(crate) witness: Arc<Witness>,
    pub(crate) handle: Handle,
}

// === impl Witness ===

impl Witness {
    fn with<R>(&self, act: impl FnOnce(&mut Acknowledged) -> R) -> R {
        act(&mut self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, record: Record, durable_at: u64) {
        self.with(|all| match record {
            Record::Decided(decided) => {
                all.intents.insert(decided.id.as_str().to_owned(), intent(&decided, durable_at));
                all.decided.push(*decided);
            }
            Record::Outcome(outcome) => all.outcomes.push(outcome),
            Record::Lifecycle { at: _, what, detail } => all.lifecycle.push((what, detail)),
        });
        self.records.send_modify(|records| *records += 1);
    }

    /// Ends when the records are like this. Put a deadline around it.
    pub(crate) async fn until(&self, mut like: impl FnMut(&Self) -> bool) {
        self.records.subscribe().wait_for(|_| like(self)).await.unwrap();
    }

    /// Every acknowledged decision, by its id.
    pub(crate) fn intents(&self) -> BTreeMap<String, Intent> {
        self.with(|all| all.intents.clone())
    }

    pub(crate) fn decided(&self) -> Vec<Decided> {
        self.with(|all| all.decided.clone())
    }

    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.with(|all| all.outcomes.clone())
    }

    /// The particulars of every record of this kind.
    pub(crate) fn lifecycle(&self, kind: Lifecycle) -> Vec<String> {
        self.with(|all| {
            all.lifecycle.iter().filter(|(what, _)| *what == kind).map(|(_, detail)| detail.clone()).collect()
        })
    }
}

fn intent(decided: &Decided, durable_at: u64) -> Intent {
    let resolves = match (&decided.request, decided.decision.as_ref().map(|decision| decision.verdict)) {
        (Some(request), Some(Verdict::Approve)) => Some((request.id.as_str().to_owned(), true)),
        (Some(request), Some(Verdict::Deny)) => Some((request.id.as_str().to_owned(), false)),
        (_, Some(Verdict::Approve | Verdict::Deny | Verdict::Leave | Verdict::Nothing) | None) => None,
    };
    Intent {
        durable_at,
        resolves,
        locks: decided.locks.iter().map(|(lock, _)| lock.name.as_str().to_owned()).collect(),
        releases: decided.releases.iter().map(|name| name.as_str().to_owned()).collect(),
    }
}

// === impl Witnessed ===

impl tribunal_ports::Ledger for Witnessed {
    fn append(&self, record: Record) -> impl Future<Output = Result<(), String>> + Send + 'static {
        let durable = self.ledger.append(record.clone());
        let (witness, handle) = (Arc::clone(&self.witness), self.handle.clone());
        async move {
            durable.await?;
            let seen = handle.with(|cluster, _| cluster.history().last_sequence());
            witness.note(record, seen);
            Ok(())
        }
    }
}
