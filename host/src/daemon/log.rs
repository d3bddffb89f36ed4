//! The log lines of the daemon, made from the same records as the ledger's: one info line for each decision. It logs
//! neither secrets nor the requesters' words.

use tracing::{error, info, warn};
use tribunal_core::record::{Decided, Lifecycle, Outcome, Record, Step, StepResult};

/// Writes the log line of a record.
pub fn record(record: &Record) {
    match record {
        Record::Decided(decided) => decision(decided),
        Record::Outcome(done) => outcome(done),
        Record::Lifecycle { at: _, what, detail } => lifecycle(*what, detail),
    }
}

fn decision(decided: &Decided) {
    let verdict = decided.decision.as_ref().map_or("enforce", |decision| decision.verdict.as_str());
    let mut rules = decided.decision.as_ref().map_or_else(Vec::new, |decision| decision.because.rules());
    rules.extend(decided.locks.iter().map(|(_, rule)| rule.clone()));
    let locks: Vec<&str> = decided.locks.iter().map(|(lock, _)| lock.name.as_str()).collect();
    let releases: Vec<&str> = decided.releases.iter().map(tribunal_core::lock::LockName::as_str).collect();
    info!(
        decision = %decided.id,
        user = %decided.user,
        request = decided.request.as_ref().map_or("", |request| request.id.as_str()),
        verdict,
        rules = rules.join(","),
        reason = decided.reason,
        locks = locks.join(","),
        releases = releases.join(","),
        dry_run = decided.dry_run,
        "Decided"
    );
}

fn outcome(outcome: &Outcome) {
    let (step, target) = match &outcome.step {
        Step::Lock(name) => ("lock", name.as_str()),
        Step::Unlock(name) => ("unlock", name.as_str()),
        Step::Approve(id) => ("approve", id.as_str()),
        Step::Deny(id) => ("deny", id.as_str()),
        Step::Decision => ("decision", ""),
    };
    let decision = &outcome.decision;
    match &outcome.result {
        StepResult::Applied => info!(%decision, step, target, "Done"),
        StepResult::Reviewed(state) => info!(%decision, step, target, %state, "Reviewed"),
        StepResult::Superseded(why) => info!(%decision, step, target, why, "Superseded; judged anew"),
        StepResult::Failed(failure) => {
            warn!(%decision, step, target, class = failure.class.as_str(), error = %failure, "Failed; tried anew");
        }
    }
}

fn lifecycle(what: Lifecycle, detail: &str) {
    match what {
        Lifecycle::Started => info!("Started"),
        Lifecycle::Stopped => info!("Stopped"),
        Lifecycle::ViewComplete => info!("The view of the cluster is complete again"),
        Lifecycle::ViewIncomplete => {
            warn!(why = detail, "The view of the cluster may be incomplete; nothing is approved until it is");
        }
        Lifecycle::Alarm => error!(what = detail, "A person has to act"),
    }
}
