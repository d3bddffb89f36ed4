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

/// Says that an operator wanted to release the breaker, though it had not tripped.
pub fn nothing_to_release() {
    info!("The breaker has not tripped; there is nothing to release");
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
            warn!(
                why = detail,
                "The view of the cluster may be incomplete; nothing is approved until it is whole again"
            );
        }
        Lifecycle::BreakerTripped => error!(
            why = detail,
            "The breaker tripped; nothing is enforced until a person has looked and released it: \
             send SIGUSR1 to this daemon, or start it with --release-breaker"
        ),
        Lifecycle::BreakerReleased => warn!("An operator released the breaker"),
        Lifecycle::Alarm => error!(what = detail, "A person has to act"),
        Lifecycle::StandbyBegan => info!(why = detail, "Stands by; another daemon leads, or may"),
        Lifecycle::Leading => info!(lease = detail, "Leads"),
        Lifecycle::PanelChanged => info!(panel = detail, "Another panel is asked; all is judged anew"),
        Lifecycle::Overridden => warn!(what = detail, "A person overrode a decision"),
        // Whoever finds it out says it with more particulars.
        Lifecycle::PanelRefused
        | Lifecycle::ConfigurationRead
        | Lifecycle::IdentityChanged
        | Lifecycle::Quarantined
        | Lifecycle::QuarantineEnded
        | Lifecycle::Erased
        | Lifecycle::Archived => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::io;
    use std::sync::{Arc, Mutex};

    use tribunal_core::Timestamp;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The log of these events of the daemon's life.
    fn logged(events: &[(Lifecycle, &str)]) -> Vec<String> {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().compact().with_ansi(false).without_time().with_target(false);
        tracing::subscriber::with_default(log.with_writer(move || writer.clone()).finish(), || {
            for (what, detail) in events {
                record(&Record::Lifecycle { at: Timestamp::default(), what: *what, detail: (*detail).to_owned() });
            }
        });
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| line.trim().to_owned()).collect()
    }

    #[test]
    fn lost_sight_its_return_and_an_alarm_are_one_clear_line_each() {
        let events = [
            (Lifecycle::ViewIncomplete, "the full list failed"),
            (Lifecycle::ViewComplete, ""),
            (Lifecycle::Alarm, "a right is missing"),
        ];
        let lines = [
            "WARN The view of the cluster may be incomplete; nothing is approved until it is whole again why=\"the full list failed\"",
            "INFO The view of the cluster is complete again",
            "ERROR A person has to act what=\"a right is missing\"",
        ];
        assert_eq!(logged(&events), lines);
    }
}
