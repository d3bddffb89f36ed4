//! `tribunal ledger show`: one record as people read it. It never leaves out what it cannot read without saying so.

use std::process::ExitCode;

use tribunal_ledger::schema::{
    Answer, Body, Decided, Enforcement, EnforcementAnswer, Evaluation, Lifecycle, Opinion, Outcome, Shown as CaseShown,
    Step, StepResult,
};
use tribunal_ledger::{Shown, show as look_up};

use super::super::args::ShowRecordArgs;
use super::list::word;
use super::{directory, no_such_record, print, wanted};
use crate::health::plain;

pub(super) fn show(args: &ShowRecordArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    let shown = look_up(&directory, &wanted(&args.id))?.ok_or_else(|| no_such_record(&args.id, &directory))?;
    print(&if args.json { format!("{}\n", serde_json::to_string(&shown)?) } else { as_text(&shown) })?;
    Ok(ExitCode::SUCCESS)
}

/// Lines of a name and a text.
struct Page(String);

// === impl Page ===

impl Page {
    fn say(&mut self, name: &str, what: &str) {
        self.0.push_str(&format!("{name:<10} {}\n", plain(what)));
    }
}

fn as_text(shown: &Shown) -> String {
    let mut page = Page(String::new());
    let record = &shown.record;
    page.say("record", &format!("{}, `{}:{}`", record.seq, shown.segment.display(), shown.line));
    page.say("at", &record.at.to_string());
    match &record.body {
        Body::Decided(decided) => say_decided(&mut page, decided),
        Body::Outcome(outcome) => page.say("outcome", &format!("of {}: {}", outcome.decision, outcome_text(outcome))),
        Body::Lifecycle(Lifecycle { what, detail }) => {
            page.say("daemon", &format!("{}: {detail}", tribunal_core::record::Lifecycle::from(*what).as_str()));
        }
    }
    for line in &shown.outcomes {
        if let Body::Outcome(outcome) = &line.body {
            page.say("outcome", &format!("{} {}", line.at, outcome_text(outcome)));
        }
    }
    for policy in shown.panel.iter().flat_map(|panel| &panel.policies) {
        let (wasm, settings) = (policy.wasm.sha256, policy.settings.sha256);
        page.say("plugin", &format!("{} {}: sha256:{wasm}, settings sha256:{settings}", policy.policy, policy.version));
    }
    for lacking in &shown.lacking {
        page.say("LACKING", lacking);
    }
    page.0
}

fn say_decided(page: &mut Page, decided: &Decided) {
    let rehearsed = if decided.dry_run { " (dry run: nothing was done)" } else { "" };
    page.say("decision", &format!("{}{rehearsed}", decided.id));
    page.say("user", &decided.user);
    if let Some(verdict) = decided.verdict {
        let rules = decided.determined_by.as_ref().map(|by| by.rules.join(", ")).unwrap_or_default();
        page.say("verdict", &format!("{}, by {rules}", word(verdict)));
        page.say("reason", &decided.reason);
    }
    if let Some(request) = &decided.request {
        page.say("request", &format!("{}: roles {}", request.id, request.roles.join(", ")));
        for resource in &request.resources {
            page.say("", &format!("/{}/{}/{}", resource.cluster, resource.kind, resource.name));
        }
        let words = if request.words.is_some() { "erased" } else { request.reason.as_str() };
        page.say("words", words);
    }
    for evaluation in &decided.evaluations {
        page.say("opinion", &opinion_text(evaluation));
    }
    for enforcement in &decided.enforcements {
        page.say("orders", &orders_text(enforcement));
    }
    for lock in &decided.locks {
        page.say("lock", &format!("{} by {}: {}", lock.lock.name, lock.rule, lock.lock.message));
    }
    for release in &decided.releases {
        page.say("release", release);
    }
    if let Some(CaseShown::Erased(_)) = &decided.case {
        page.say("shown", "erased");
    }
    if let Some(case) = decided.case.as_ref().and_then(|shown| shown.inline()) {
        let (requests, facts) = (case.requests.len(), case.facts.len());
        page.say("shown", &format!("{requests} requests and {facts} facts, at {}; `--json` has them", case.now));
    }
}

pub(in super::super) fn opinion_text(evaluation: &Evaluation) -> String {
    let policy = &evaluation.policy;
    match &evaluation.answer {
        Answer::Opinion(Opinion::Abstain) => format!("{policy}: abstain"),
        Answer::Opinion(Opinion::Approve(ground)) => format!("{policy}: approve, {}: {}", ground.rule, ground.reason),
        Answer::Opinion(Opinion::Escalate(ground)) => format!("{policy}: escalate, {}: {}", ground.rule, ground.reason),
        Answer::Opinion(Opinion::Deny { grounds }) => {
            let grounds: Vec<String> =
                grounds.iter().map(|ground| format!("{}: {}", ground.rule, ground.reason)).collect();
            format!("{policy}: deny, {}", grounds.join("; "))
        }
        Answer::Fault(fault) => format!("{policy}: no answer, {}", fault.detail),
    }
}

fn orders_text(enforcement: &Enforcement) -> String {
    let policy = &enforcement.policy;
    match &enforcement.answer {
        EnforcementAnswer::Orders(orders) => {
            let orders: Vec<String> =
                orders.iter().map(|order| format!("{} by {}", order.request, order.rule)).collect();
            if orders.is_empty() {
                format!("{policy}: no locks")
            } else {
                format!("{policy}: lock {}", orders.join(", "))
            }
        }
        EnforcementAnswer::Fault(fault) => format!("{policy}: no answer, {}", fault.detail),
    }
}

fn outcome_text(outcome: &Outcome) -> String {
    let step = match &outcome.step {
        Step::Lock(name) => format!("lock {name}"),
        Step::Unlock(name) => format!("unlock {name}"),
        Step::Approve(request) => format!("approve {request}"),
        Step::Deny(request) => format!("deny {request}"),
        Step::Decision => "the rest of it".to_owned(),
    };
    match &outcome.result {
        StepResult::Applied => format!("{step}: done"),
        StepResult::Reviewed { state } => format!("{step}: reviewed, the request is {state:?}"),
        StepResult::Failed { class: _, detail } => format!("{step}: failed: {detail}"),
        StepResult::Superseded { why } => format!("{step}: not done: {why}"),
    }
}
