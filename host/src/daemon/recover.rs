//! Closes what the last run left open in the ledger: reads the cluster and records what became of each step. It never
//! repeats a step; the controller judges the cluster anew.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tribunal_core::action::Fresh;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::record::{DecisionId, Outcome, Record, Step};
use tribunal_core::recovery::{settle, touched};
use tribunal_ports::{Clock, Ledger, Teleport};

use super::{Ports, log};

/// Decisions that are looked up at once.
const LOOKUPS_MAX: usize = 8;
/// How often the cluster is read for one decision before the rest is left to the next start.
const TRIES_MAX: u32 = 10;
/// The first pause after a read that failed; doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause after a read that failed.
const PAUSE_MAX: Duration = Duration::from_secs(2);

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
    let lookups = stream::iter(open).map(|(decision, steps)| async move {
        let fresh = look(ports, &steps).await?;
        Ok((decision, steps, fresh))
    });
    let mut lookups = std::pin::pin!(lookups.buffered(LOOKUPS_MAX));
    while let Some(looked_up) = lookups.next().await {
        let (decision, steps, fresh) = looked_up?;
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

/// What became of these steps, as records; none of those that could not be read.
pub(super) async fn look_up<T, C>(teleport: &T, clock: &C, open: Vec<(DecisionId, Vec<Step>)>) -> Vec<Record>
where
    T: Teleport,
    C: Clock,
{
    let mut records = Vec::new();
    for (decision, steps) in open {
        let (requests, locks) = touched(&steps);
        let Ok(fresh) = teleport.reread(requests, locks).await else { continue };
        records.extend(settle(&decision, &steps, &fresh).into_iter().map(|(step, result)| {
            Record::Outcome(Outcome { decision: decision.clone(), at: clock.now(), step, result })
        }));
    }
    records
}

/// Reads what these steps touched. A failure that may pass is waited out for a while: a decision of which one read in
/// twenty fails would stay open otherwise, and all that come after it.
async fn look<T, E, L, C>(ports: &Ports<T, E, L, C>, steps: &[Step]) -> Result<Fresh, Failure>
where
    T: Teleport,
    C: Clock,
{
    let (requests, locks) = touched(steps);
    let mut pause = PAUSE_MIN;
    for _ in 1..TRIES_MAX {
        match ports.teleport.reread(requests.clone(), locks.clone()).await {
            Err(Failure { class: FailureClass::Retry, .. }) => {}
            read => return read,
        }
        ports.clock.sleep_until(ports.clock.now().after(pause)).await;
        pause = pause.saturating_mul(2).min(PAUSE_MAX);
    }
    ports.teleport.reread(requests, locks).await
}

#[cfg(test)]
mod tests;
