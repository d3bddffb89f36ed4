//! Where answers are otherwise than expected, in words that say what to change. It asks nothing.

use std::collections::BTreeSet;

use tribunal_core::case::Case;
use tribunal_core::opinion::{Fault, Ground, LockOrder, Opinion};

use super::super::advice::advice;
use super::super::ask::{Answer, Question};
use super::super::case::{Expect, FaultWord, Flex, LockForm, Many, Opined, OpinionForm};
use super::Asked;

/// Everything that is otherwise.
pub(super) fn failures(expect: &Expect, asked: &[Asked], case: &Case) -> Vec<String> {
    let mut failures = Vec::new();
    let main = expect.opined();
    for Asked { question, answer, traces: _ } in asked {
        let before = failures.len();
        match (question, answer) {
            (Question::Review(id), Answer::Opinion(answer)) => {
                let own = expect.opinions.get(id.as_str()).map(|Flex(form)| form);
                // Whatever is expected beside, a fault is none of it.
                opinion(own.or(main.as_ref()).unwrap_or(&OpinionForm::default()), answer, &mut failures);
            }
            (Question::Enforce, Answer::Orders(answer)) => {
                orders(expect.locks.as_ref(), main.as_ref(), answer, case, &mut failures);
            }
            (Question::EnforceIf(_), Answer::Orders(answer)) => {
                orders(expect.locks_if_approved.as_ref(), None, answer, case, &mut failures);
            }
            (Question::Review(_), Answer::Orders(_))
            | (Question::Enforce | Question::EnforceIf(_), Answer::Opinion(_)) => {}
        }
        for failure in failures.iter_mut().skip(before) {
            *failure = format!("{question}: {failure}");
        }
    }
    log(&expect.log, asked, &mut failures);
    limits(expect, asked, &mut failures);
    failures
}

fn opinion(form: &OpinionForm, answer: &Result<Opinion, Fault>, failures: &mut Vec<String>) {
    if form.fault.is_some() || !form.detail.0.is_empty() {
        let said = answer.as_ref().map(|opinion| Answer::Opinion(Ok(opinion.clone())).to_string());
        return fault(form, said, failures);
    }
    let opinion = match answer {
        Ok(opinion) => opinion,
        Err(fault) => return failures.push(unexpected(fault)),
    };
    let said = Answer::Opinion(Ok(opinion.clone()));
    let is_wanted = |wanted: &Opined| *wanted == Opined::Any || wanted.as_str() == opinion.word();
    if !form.opinion.0.is_empty() && !form.opinion.0.iter().any(is_wanted) {
        let wanted: Vec<_> = form.opinion.0.iter().map(|word| format!("`{}`", word.as_str())).collect();
        failures.push(format!("expected {}, it answered {said}", wanted.join(" or ")));
    }
    if let Some(Many(rules)) = &form.rules {
        let named: Vec<&String> = opinion.grounds().iter().map(|Ground { rule, reason: _ }| rule).collect();
        if !named.iter().copied().eq(rules) {
            failures.push(format!("expected the rules {}, it answered {said}", listed(rules)));
        }
    }
    for text in &form.reason.0 {
        if !opinion.grounds().iter().any(|ground| ground.reason.contains(text.as_str())) {
            failures.push(format!("expected `{text}` in a reason, it answered {said}"));
        }
    }
}

/// A fault is expected; `said` is what was answered instead, if anything was.
fn fault(form: &OpinionForm, said: Result<String, &Fault>, failures: &mut Vec<String>) {
    let found = match said {
        Ok(said) => {
            let word = form.fault.unwrap_or(FaultWord::Any).as_str();
            return failures.push(format!("expected a fault (`{word}`), it answered {said}"));
        }
        Err(found) => found,
    };
    match form.fault {
        Some(FaultWord::Of(kind)) if kind != found.kind => {
            let told = format!("fault `{}`: {}", found.kind.as_str(), found.detail);
            failures.push(format!("expected the fault `{}`, it ran into {told}", kind.as_str()));
        }
        Some(FaultWord::Of(_) | FaultWord::Any) | None => {}
    }
    for text in &form.detail.0 {
        if !found.detail.contains(text.as_str()) {
            failures.push(format!("expected `{text}` in the fault, which is: {}", found.detail));
        }
    }
}

fn orders(
    locks: Option<&Many<LockForm>>,
    main: Option<&OpinionForm>,
    answer: &Result<Vec<LockOrder>, Fault>,
    case: &Case,
    failures: &mut Vec<String>,
) {
    let orders = match (answer, main) {
        (answer, Some(form)) if form.fault.is_some() && locks.is_none() => {
            let said = answer.as_ref().map(|orders| Answer::Orders(Ok(orders.clone())).to_string());
            return fault(form, said, failures);
        }
        (Ok(orders), _) => orders,
        (Err(fault), _) => return failures.push(unexpected(fault)),
    };
    let Some(Many(locks)) = locks else { return };
    let said = Answer::Orders(Ok(orders.clone()));
    let wanted: BTreeSet<&str> = locks.iter().map(|lock| lock.request.as_str()).collect();
    let found: BTreeSet<&str> = orders.iter().map(|order| order.request.as_str()).collect();
    if wanted != found {
        let wanted: Vec<String> = wanted.into_iter().map(str::to_owned).collect();
        return failures.push(format!("expected locks on {}, it {said}", listed(&wanted)));
    }
    for LockForm { request, rule, reason, until } in locks {
        let Some(order) = orders.iter().find(|order| order.request.as_str() == request) else { continue };
        let Ground { rule: named, reason: given } = &order.ground;
        if let Some(rule) = rule.as_ref().filter(|rule| *rule != named) {
            failures.push(format!("expected the rule `{rule}` for the lock on `{request}`, it {said}"));
        }
        if let Some(text) = reason.as_ref().filter(|text| !given.contains(text.as_str())) {
            failures.push(format!("expected `{text}` in the reason for the lock on `{request}`, it {said}"));
        }
        if let Some(until) = until.map(|until| until.from(case.now)).filter(|until| Some(*until) != order.until) {
            let time = |time: tribunal_core::Timestamp| tribunal_ledger::schema::Time::from(time).to_string();
            let found = order.until.map_or_else(|| "no end of its own".to_owned(), time);
            failures.push(format!("expected the lock on `{request}` to end at {}, it has {found}", time(until)));
        }
    }
}

fn log(wanted: &Many<String>, asked: &[Asked], failures: &mut Vec<String>) {
    let lines: Vec<&str> = asked.iter().flat_map(|asked| &asked.traces.log).map(|line| line.text.as_str()).collect();
    for text in &wanted.0 {
        if !lines.iter().any(|line| line.contains(text.as_str())) {
            let said = if lines.is_empty() {
                "it logged nothing".to_owned()
            } else {
                format!("it logged: {}", lines.join(" | "))
            };
            failures.push(format!("expected `{text}` in the log, {said}"));
        }
    }
}

fn limits(expect: &Expect, asked: &[Asked], failures: &mut Vec<String>) {
    for Asked { question, answer: _, traces } in asked {
        let ms = traces.elapsed.as_secs_f64() * 1_000.0;
        if let Some(max) = expect.max_ms.filter(|max| ms > *max) {
            failures.push(format!("{question}: took {ms:.3} ms, `max-ms` is {max}"));
        }
        let kib = traces.memory_bytes.div_ceil(1_024);
        if let Some(max) = expect.max_memory_kib.filter(|max| u64::try_from(kib).unwrap_or(u64::MAX) > *max) {
            failures.push(format!("{question}: held {kib} KiB of memory, `max-memory-kib` is {max}"));
        }
        if let (Some(max), Some(ran)) = (expect.max_instructions, traces.instructions)
            && ran > max
        {
            failures.push(format!("{question}: ran {ran} instructions, `max-instructions` is {max}"));
        }
    }
}

fn unexpected(fault: &Fault) -> String {
    format!("it ran into the fault `{}`: {}; {}", fault.kind.as_str(), fault.detail, advice(fault))
}

fn listed(words: &[String]) -> String {
    if words.is_empty() {
        return "nothing".to_owned();
    }
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
