//! An explanation, as people and programs read it. It never says that nothing passes where not everything was tried.

use serde_json::{Value, json};
use tribunal_core::hearing::Hearing;
use tribunal_ledger::schema::{DeterminedBy, Enforcement, Evaluation, Request, Time, Verdict};

use super::super::ledger::shown::opinion_text;
use super::{Question, counts};
use crate::explain::{Explanation, Found, LATER_HOURS_MAX, NotFound};
use crate::health::plain;

pub(super) fn as_json(question: &Question, explanation: &Explanation) -> String {
    let passes = explanation.passes.as_ref().map(|passes| match passes {
        Ok(found) => json!({
            "change": found.change.as_json(&question.request),
            "smallest": found.is_smallest,
            "tried": found.tried,
            "then": heard(&found.hearing),
        }),
        Err(NotFound { tried, all }) => json!({ "change": Value::Null, "tried": tried, "all_tried": all }),
    });
    let recorded = question.recorded.as_ref().and_then(|recorded| recorded.decision.as_ref());
    let said = json!({
        "user": question.request.user.as_str(),
        "now": Time::from(question.case.now),
        "request": Request::from(&question.request),
        "recorded": recorded.map(|decision| Verdict::from(decision.verdict)),
        "decision": heard(&explanation.hearing),
        "passes": passes,
    });
    format!("{said}\n")
}

fn heard(hearing: &Hearing) -> Value {
    let evaluations: Vec<Evaluation> = hearing.evaluations.iter().map(Evaluation::from).collect();
    let enforcements: Vec<Enforcement> = hearing.enforcements.iter().map(Enforcement::from).collect();
    let locks: Vec<Value> = hearing
        .orders
        .iter()
        .map(|(policy, order)| {
            let rule = format!("{policy}/{}", order.ground.rule);
            json!({ "request": order.request.as_str(), "rule": rule, "reason": order.ground.reason })
        })
        .collect();
    json!({
        "verdict": hearing.decision.as_ref().map(|decision| Verdict::from(decision.verdict)),
        "determined_by": hearing.decision.as_ref().map(|decision| DeterminedBy::from(&decision.because)),
        "evaluations": evaluations,
        "enforcements": enforcements,
        "locks": locks,
    })
}

/// Lines of a name and a text.
struct Page(String);

// === impl Page ===

impl Page {
    fn say(&mut self, name: &str, what: &str) {
        self.0.push_str(&format!("{name:<10} {}\n", plain(what)));
    }
}

pub(super) fn as_text(question: &Question, explanation: &Explanation) -> String {
    let mut page = Page(String::new());
    let request = &question.request;
    let roles = request.roles.join(", ");
    page.say("request", &format!("{} of {}: roles {roles}", request.id, request.user));
    for it in &request.resources {
        page.say("", &format!("/{}/{}/{} {}", it.cluster, it.kind, it.name, it.sub_resource));
    }
    page.say("at", &Time::from(question.case.now).to_string());
    say_heard(&mut page, question, &explanation.hearing);
    let recorded = question.recorded.as_ref().and_then(|recorded| recorded.decision.as_ref());
    if let (Some(was), Some(is)) = (recorded, &explanation.hearing.decision)
        && was != is
    {
        page.say("recorded", &format!("{}: {}", was.verdict.as_str(), was.because.reason()));
    }
    match &explanation.passes {
        None => {}
        Some(Ok(found)) => say_found(&mut page, question, found),
        Some(Err(NotFound { tried, all: true })) => page.say(
            "passes",
            &format!(
                "nothing: none of the {tried} ways to ask for less, for another role that is known, or within {LATER_HOURS_MAX} hours, is approved"
            ),
        ),
        Some(Err(NotFound { tried, all: false })) => {
            page.say("passes", &format!("nothing that was tried: {tried} ways to ask otherwise, of more that there are"));
        }
    }
    page.0
}

fn say_heard(page: &mut Page, question: &Question, hearing: &Hearing) {
    if let Some(decision) = &hearing.decision {
        let rules = decision.because.rules().join(", ");
        let by = if rules.is_empty() { String::new() } else { format!(", by {rules}") };
        page.say("verdict", &format!("{}{by}", decision.verdict.as_str()));
        page.say("because", &decision.because.reason());
    }
    for evaluation in &hearing.evaluations {
        let shadow = if counts(evaluation.member.mode) { "" } else { " (shadow: does not count)" };
        page.say("opinion", &format!("{}{shadow}", opinion_text(&Evaluation::from(evaluation))));
    }
    for (policy, order) in &hearing.orders {
        let roles = question.case.find(&order.request).map(|entry| entry.request.roles.join(", ")).unwrap_or_default();
        let rule = &order.ground.rule;
        page.say("locks", &format!("{} (roles {roles}), by {policy}/{rule}: {}", order.request, order.ground.reason));
    }
    for (policy, fault) in
        hearing.enforcements.iter().filter_map(|it| Some((&it.member.name, it.answer.as_ref().err()?)))
    {
        page.say("locks", &format!("{policy}: no answer, {}", fault.detail));
    }
}

fn say_found(page: &mut Page, question: &Question, found: &Found) {
    let Found { change, hearing, is_smallest, tried } = found;
    let how = if *is_smallest { "the smallest change" } else { "a change; there may be a smaller one" };
    page.say("passes", &format!("with {how}, of {tried} that were tried"));
    change.words(&question.request).iter().for_each(|words| page.say("", &format!("- {words}")));
    if let Some(decision) = &hearing.decision {
        page.say("", &format!("then {}, by {}", decision.verdict.as_str(), decision.because.rules().join(", ")));
    }
    for (policy, order) in &hearing.orders {
        page.say("", &format!("and {} is locked, by {policy}/{}", order.request, order.ground.rule));
    }
}
