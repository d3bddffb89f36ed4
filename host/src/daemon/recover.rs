//! Closes what the last run left open in the ledger: reads the cluster and records what became of each step. It never
//! repeats a step; the controller judges the cluster anew.

use tribunal_core::failure::Failure;
use tribunal_core::record::{DecisionId, Outcome, Record, Step};
use tribunal_core::recovery::{settle, touched};
use tribunal_ports::{Clock, Ledger, Teleport};

use super::{Ports, log};

/// Records an outcome for each of these steps of decisions, which have none.
///
/// # Errors
/// If the cluster cannot be read; what is open then stays open for the next start.
pub async fn close<T, E, L, C>(ports: &Ports<T, E, L, C>, open: Vec<(DecisionId, Vec<Step>)>) -> Result<(), Failure>
where
    T: Teleport,
    L: Ledger,
    C: Clock,
{
    for (decision, steps) in open {
        let (requests, locks) = touched(&steps);
        let fresh = ports.teleport.reread(requests, locks).await?;
        for (step, result) in settle(&decision, &steps, &fresh) {
            let outcome = Outcome { decision: decision.clone(), at: ports.clock.now(), step, result };
            let record = Record::Outcome(outcome);
            log::record(&record);
            if let Err(error) = ports.ledger.append(record).await {
                tracing::error!(%error, "The ledger cannot be written; nothing new is enforced until it can");
            }
        }
    }
    Ok(())
}
