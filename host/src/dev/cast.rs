//! The cast of `tribunal dev`: who asks for what, what must become of it, and what must never have been. It must never
//! wait for anything but what tribunal does.

use super::DevError;
use super::safety::{most_resources, most_roles};
use super::shown::{FinalState, ShownRequest};
use super::stage::{RESOURCES_MAX, Stage};
use super::story::Story;
use super::user::Wish;

const PROD: &str = "prod-admin";
const RESEARCH: &str = "research-admin";

/// What must have become of a request in the end: `(user, what was asked, state, locked, a rule that must be named)`.
const EXPECTED: [(&str, &[&str], &str, bool, &str); 9] = [
    ("hoarder", &["node-1"], "APPROVED", true, "cap/held-over-cap"),
    ("hoarder", &["node-2"], "APPROVED", false, "cap/within-cap"),
    ("hoarder", &["node-3"], "APPROVED", false, "cap/within-cap"),
    ("hoarder", &["node-4"], "APPROVED", false, "cap/within-cap"),
    ("straddler", &[PROD, RESEARCH], "DENIED", false, "separation/request-mixes-classes"),
    ("switcher", &[PROD], "APPROVED", true, "separation/held-conflict"),
    ("switcher", &[RESEARCH], "APPROVED", false, "separation/classes-separate"),
    ("bulk", &["node-1", "node-2", "node-3", "node-4", "node-5"], "DENIED", false, "cap/request-over-cap"),
    ("climber", &["editor"], "PENDING", false, "guard/protected-role"),
];

/// Words that the reason of a user's denial must name.
const REASONS: [(&str, &[&str]); 2] = [("straddler", &["prod", "research"]), ("bulk", &["5", "3"])];

/// Plays all acts, one request after the other, each told as it is decided.
///
/// # Errors
/// When the server refuses, or a decision does not come in time.
pub(super) async fn play(stage: &mut Stage, story: &mut Story) -> Result<(), DevError> {
    for (user, asked, _, _, _) in EXPECTED {
        let wish = wish(stage.cluster(), user, asked);
        let id = stage.ask(user, &wish).await?;
        story.asks(user, &wish, &id)?;
        let judged = stage.decided(&id).await?;
        story.decides(&id, &judged)?;
    }
    Ok(())
}

/// Replays what happened, tells what was never so, and gives what should not have been.
///
/// # Errors
/// When the story cannot be told.
pub(super) fn check_history(stage: &Stage, story: &mut Story) -> Result<Vec<String>, DevError> {
    let history = stage.history();
    let changes = history.len();
    let (resources, roles) = (most_resources(&history, "hoarder"), most_roles(&history, "switcher", &[PROD, RESEARCH]));
    let mut wrong = Vec::new();
    if resources > RESOURCES_MAX {
        wrong.push(format!("hoarder could use {resources} resources at once, {RESOURCES_MAX} are allowed"));
    } else {
        let never =
            format!("hoarder never could use more than {RESOURCES_MAX} resources at once ({changes} changes replayed)");
        story.says("checked", &never)?;
    }
    if roles > 1 {
        wrong.push(format!("switcher could use `{PROD}` and `{RESEARCH}` at once"));
    } else {
        story.says("checked", &format!("switcher never could use `{PROD}` and `{RESEARCH}` at once"))?;
    }
    Ok(wrong)
}

/// Where the final state is not the expected one.
pub(super) fn differences(state: &FinalState) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut left: Vec<&ShownRequest> = state.requests.iter().collect();
    for (user, asked, expected, locked, rule) in EXPECTED {
        let place = left.iter().position(|request| request.user == user && asks_for(request, asked));
        let Some(request) = place.map(|place| left.remove(place)) else {
            wrong.push(format!("there is no request of {user} for {}", asked.join(", ")));
            continue;
        };
        let about = format!("request {} of {user} for {}", request.id, asked.join(", "));
        if request.state != expected {
            wrong.push(format!("{about}: is {}, expected {expected}", request.state));
        }
        if request.locked != locked {
            let (is, should) = if locked { ("not locked", "locked") } else { ("locked", "not locked") };
            wrong.push(format!("{about}: is {is}, expected {should}"));
        }
        if !request.rules.iter().any(|named| named == rule) {
            wrong.push(format!("{about}: rules are {}, expected {rule} among them", request.rules.join(", ")));
        }
        for word in REASONS.iter().filter(|(of, _)| *of == user).flat_map(|(_, words)| *words) {
            if !request.resolve_reason.contains(word) {
                wrong.push(format!("{about}: reason `{}` does not name `{word}`", request.resolve_reason));
            }
        }
    }
    wrong.extend(left.iter().map(|request| format!("request {} of {} is not expected", request.id, request.user)));
    wrong
}

fn wish(cluster: &str, user: &str, asked: &[&str]) -> Wish {
    let (nodes, roles): (Vec<&str>, Vec<&str>) = asked.iter().partition(|name| name.starts_with("node-"));
    Wish {
        roles: roles.into_iter().map(str::to_owned).collect(),
        resources: nodes.into_iter().map(|node| format!("/{cluster}/node/{node}")).collect(),
        reason: format!("the story of {user}"),
    }
}

fn asks_for(request: &ShownRequest, asked: &[&str]) -> bool {
    let nodes: Vec<&str> = request.resources.iter().filter_map(|resource| resource.rsplit('/').next()).collect();
    let roles: Vec<&str> = request.roles.iter().map(String::as_str).collect();
    if nodes.is_empty() { roles == asked } else { nodes == asked }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    fn expected() -> FinalState {
        let request = |(user, asked, state, locked, rule): (&str, &[&str], &'static str, bool, &str)| {
            let Wish { roles, resources, .. } = wish("dev", user, asked);
            ShownRequest {
                id: format!("{user}-{}", asked.join("-")),
                user: user.to_owned(),
                roles,
                resources,
                state,
                resolve_reason: "5 prod, 3 research".to_owned(),
                locked,
                lock_reason: String::new(),
                rules: vec![rule.to_owned()],
                why: String::new(),
            }
        };
        FinalState { requests: EXPECTED.into_iter().map(request).collect(), decisions: 9, elapsed_ms: 1 }
    }

    #[test]
    fn the_expected_state_differs_in_nothing() {
        assert_eq!(differences(&expected()), Vec::<String>::new());
    }

    #[test]
    fn every_difference_is_named() {
        let change: [fn(&mut FinalState); 6] = [
            |state| state.requests[0].locked = false,
            |state| state.requests[4].state = "APPROVED",
            |state| state.requests[4].resolve_reason = "prod".to_owned(),
            |state| state.requests[8].rules.clear(),
            |state| state.requests.truncate(8),
            |state| state.requests.push(state.requests[1].clone()),
        ];
        for (index, change) in change.into_iter().enumerate() {
            let mut state = expected();
            change(&mut state);
            assert_eq!(differences(&state).len(), 1, "change {index}: {:?}", differences(&state));
        }
        let mut state = expected();
        state.requests[0].locked = false;
        let told = differences(&state).pop().unwrap();
        assert_eq!(told, "request hoarder-node-1 of hoarder for node-1: is not locked, expected locked");
    }
}
