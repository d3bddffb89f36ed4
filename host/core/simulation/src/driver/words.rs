//! What happened, in one line each.

use tribunal_core::action::Event;
use tribunal_core::record::{Decided, Outcome, Record, Step, StepResult};

/// An event in one line, where it is worth one.
pub(super) fn brief(event: &Event) -> Option<String> {
    match event {
        Event::Listed(Ok(_)) => None,
        Event::Listed(Err(failure)) => Some(format!("the list fails: {failure}")),
        Event::WatchUp => Some("the watch is up".to_owned()),
        Event::WatchDown(why) => Some(format!("the watch is down: {why}")),
        Event::BreakerReleased => Some("an operator releases the breaker".to_owned()),
        Event::Tick
        | Event::RequestPut(_)
        | Event::RequestGone(_)
        | Event::LockPut(_)
        | Event::LockGone(_)
        | Event::Facts(_)
        | Event::PanelChanged(_)
        | Event::Done(..) => None,
    }
}

/// A record in one line.
pub(crate) fn line(record: &Record) -> String {
    match record {
        Record::Decided(decided) => decided_line(decided),
        Record::Outcome(Outcome { decision, step, result, .. }) => {
            let step = match step {
                Step::Lock(name) => format!("write lock {name}"),
                Step::Unlock(name) => format!("delete lock {name}"),
                Step::Approve(id) => format!("approve {id}"),
                Step::Deny(id) => format!("deny {id}"),
                Step::Decision => "the decision".to_owned(),
            };
            let result = match result {
                StepResult::Applied => "applied".to_owned(),
                StepResult::Reviewed(state) => format!("reviewed, now {state}"),
                StepResult::Failed(failure) => format!("failed: {failure}"),
                StepResult::Superseded(why) => format!("superseded: {why}"),
            };
            format!("  outcome {decision}: {step} {result}")
        }
        Record::Lifecycle { what, detail, .. } => format!("ledger: {} {detail}", what.as_str()),
    }
}

fn decided_line(decided: &Decided) -> String {
    let what = match (&decided.request, &decided.decision) {
        (Some(request), Some(decision)) => {
            format!("{} {} [{}]", decision.verdict.as_str(), request.id, decision.because.rules().join(", "))
        }
        (None, Some(decision)) => format!("{} what is held: {}", decision.verdict.as_str(), decision.because.reason()),
        (Some(_) | None, None) if decided.locks.is_empty() && decided.releases.is_empty() => {
            "hear what shadows would lock".to_owned()
        }
        (Some(_) | None, None) => "put what is held in order".to_owned(),
    };
    let locks: Vec<_> = decided.locks.iter().map(|(lock, rule)| format!("; lock {} [{rule}]", lock.name)).collect();
    let releases: Vec<_> = decided.releases.iter().map(|name| format!("; release {name}")).collect();
    let rehearsal = if decided.dry_run { " (dry run)" } else { "" };
    format!("{}{rehearsal}: {what}{}{}", decided.id, locks.concat(), releases.concat())
}
