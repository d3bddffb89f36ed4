//! `tribunal explain`: what it says would pass, passes; and where anything passes, it finds it. It must never take the
//! word of the search for that.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "past/made.rs"]
mod made;
#[path = "past/native.rs"]
mod native;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;
use tokio::process::Command;
use tribunal::explain::{Bench, Guards, approves, explain, submit};
use tribunal_core::Timestamp;
use tribunal_core::case::{Case, CaseRequest};
use tribunal_core::decision::Verdict;
use tribunal_core::hearing;
use tribunal_core::request::{AccessRequest, Decider, RequestState, UserName};
use tribunal_core::scope::Scope;
use tribunal_sim::{Scenario, SimClock, SimServer};

use made::{Chance, SEPARATION, case, node};
use native::Natives;

/// Random denials that are explained.
const DENIALS: usize = 1_000;

fn roles_of(case: &Case) -> BTreeSet<String> {
    case.requests.iter().flat_map(|entry| entry.request.roles.clone()).collect()
}

fn guards() -> Guards {
    let protected_roles = BTreeSet::from(["prod-admin".to_owned()]);
    Guards { own_user: UserName::new("bot-tribunal"), protected_roles, scope: Scope::default() }
}

/// A case whose pending request is likely to be denied, and the request.
fn hard(number: u64) -> (Arc<Case>, AccessRequest) {
    let mut chance = Chance::new(number ^ 0x00c0_ffee);
    let mut case = case(number);
    let pending = &mut Arc::make_mut(case.requests.last_mut().unwrap()).request;
    let more = chance.below(4);
    pending.resources.extend((0..more).map(|place| node(&format!("db-{place}"))));
    if chance.below(3) == 0 {
        pending.roles.push("research-lab".to_owned());
    }
    pending.roles.sort();
    pending.roles.dedup();
    // What ends soon, so that later is another answer than now.
    for entry in
        case.requests.iter_mut().map(Arc::make_mut).filter(|entry| entry.request.state == RequestState::Approved)
    {
        if chance.below(3) == 0 {
            entry.request.access_expires =
                Some(Timestamp::from_millis(case.now.as_millis() + 1 + chance.below(7_200_000)));
        }
    }
    let request = case.requests.last().unwrap().request.clone();
    (Arc::new(case), request)
}

/// Whether any way to ask for less, for other roles or later passes, by trying each; written without the search.
fn anything_passes(
    case: &Case,
    request: &AccessRequest,
    known: &BTreeSet<String>,
    natives: &Natives,
    guards: &Guards,
) -> bool {
    let resources = request.resources.len();
    let mut times = vec![case.now];
    for entry in &case.requests {
        times.extend([entry.request.access_expires, entry.request.access_starts].into_iter().flatten());
    }
    times.retain(|at| *at >= case.now);
    let mut role_sets: BTreeSet<Vec<String>> = BTreeSet::new();
    for bits in 0..1_u32 << request.roles.len() {
        let kept: Vec<String> =
            (0..request.roles.len()).filter(|at| bits >> at & 1 == 1).map(|at| request.roles[at].clone()).collect();
        if !kept.is_empty() {
            role_sets.insert(kept.clone());
        }
        if kept.len() < request.roles.len() {
            role_sets.extend(
                known
                    .iter()
                    .filter(|role| !request.roles.contains(*role))
                    .map(|role| [kept.clone(), vec![role.clone()]].concat()),
            );
        }
    }
    for at in times {
        for roles in &role_sets {
            for bits in 0..1_u32 << resources {
                if bits == 0 && resources > 0 {
                    continue;
                }
                let kept = (0..resources).filter(|at| bits >> at & 1 == 1).map(|at| request.resources[at].clone());
                let later = at.since(case.now);
                let again = AccessRequest {
                    roles: roles.clone(),
                    resources: kept.collect(),
                    created: at,
                    access_expires: request.access_expires.map(|end| end.after(later)),
                    ..request.clone()
                };
                let mut there = case.requests.clone();
                there.retain(|entry| {
                    entry.request.id != request.id && entry.request.access_expires.is_none_or(|end| end > at)
                });
                there.push(Arc::new(CaseRequest { request: again.clone(), locks: Vec::new() }));
                there.sort_by(|a, b| a.request.age_key().cmp(&b.request.age_key()));
                let then = Arc::new(Case { now: at, requests: there, ..case.clone() });
                if roles.iter().any(|role| guards.protected_roles.contains(role)) {
                    continue;
                }
                let heard = hearing::judge(&natives.members, &then, &request.id, &mut &*natives);
                if heard.decision.unwrap().verdict == Verdict::Approve {
                    return true;
                }
            }
        }
    }
    false
}

/// What is said of a request that nobody has made, in a cluster with these roles.
async fn hypothetical(asked: &[&str]) -> Value {
    let roles: String = ["prod-admin", "research-ro", "staging", "editor"]
        .map(|role| format!("[[role]]\nname = \"{role}\"\n"))
        .concat();
    let scenario = Scenario::parse(&format!("cluster = \"acme\"\n{roles}")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (listen, place) = ("127.0.0.1:0".parse().unwrap(), Some(dir.path().to_owned()));
    let server = SimServer::start(scenario, listen, place, SimClock::real()).await.unwrap();
    let config = dir.path().join("tribunal.toml");
    let text = format!(
        "[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\n[[plugin]]\nname = \"apart\"\nsource = \
         \"builtin:separation\"\nsettings = {{ classes = [\"prod\", \"research\"], when-compliant = \"approve\" }}\n",
        server.addr()
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    let command = command.args(["explain", "--json", "--user", "alice", "--config"]).arg(&config).args(asked);
    let output = command.output().await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn a_request_that_nobody_has_made_is_explained_by_the_cluster_as_it_is() {
    let said = hypothetical(&["--role", "prod-admin", "--role", "research-ro"]).await;
    assert_eq!(said["decision"]["verdict"], Value::from("deny"));
    assert_eq!(said["decision"]["determined_by"]["rules"][0], Value::from("apart/request-mixes-classes"));
    let passes = &said["passes"];
    assert_eq!((&passes["change"]["size"], &passes["smallest"]), (&Value::from(1), &Value::from(true)), "{said}");
    assert_eq!(passes["then"]["verdict"], Value::from("approve"));
    // A guard has the last word; the cluster knows other roles.
    let said = hypothetical(&["--role", "editor"]).await;
    assert_eq!(said["decision"]["determined_by"]["rules"][0], Value::from("guard/protected-role"));
    assert_eq!(said["passes"]["change"]["without_roles"][0], Value::from("editor"), "{said}");
    assert_eq!(said["passes"]["then"]["verdict"], Value::from("approve"));
    let said = hypothetical(&["--resource", "/acme/node/web-1", "--role", "staging", "--hours", "2"]).await;
    assert_eq!((&said["decision"]["verdict"], &said["passes"]), (&Value::from("approve"), &Value::Null), "{said}");
}

#[test]
fn the_smallest_change_passes_wherever_any_change_does() {
    let natives = Natives::new().separation(SEPARATION).cap(made::CAP);
    let guards = guards();
    let bench = Bench { members: &natives.members, guards: Some(&guards) };
    let (mut denials, mut could, mut did, mut smallest) = (0, 0, 0, 0);
    for number in 0.. {
        if denials == DENIALS {
            break;
        }
        let (case, request) = hard(number);
        let known = roles_of(&case);
        let explained = explain(bench, &case, &request, &known, &mut &natives);
        let Some(passes) = explained.passes else {
            assert!(approves(&explained.hearing));
            continue;
        };
        denials += 1;
        let any = anything_passes(&case, &request, &known, &natives, &guards);
        could += usize::from(any);
        match passes {
            Ok(found) => {
                // Submitted again, judged by panel and core alone.
                let again = Arc::new(submit(&case, &request, &found.change));
                let heard = hearing::judge(&natives.members, &again, &request.id, &mut &natives);
                assert_eq!(heard.decision.unwrap().verdict, Verdict::Approve, "{number}: {:?}", found.change);
                let asked = &again.find(&request.id).unwrap().request;
                assert!(!asked.roles.iter().any(|role| guards.protected_roles.contains(role)), "{number}");
                assert_eq!(asked.resources.is_empty(), request.resources.is_empty(), "{number}: everything is no less");
                assert_eq!((asked.state, asked.decided_by), (RequestState::Pending, Decider::Nobody));
                did += usize::from(any);
                smallest += usize::from(found.is_smallest);
            }
            Err(none) => assert!(!none.all || !any, "{number}: nothing was found, and something passes"),
        }
    }
    assert!(could > DENIALS / 2, "too few can pass to show anything: {could}");
    assert!(did * 100 >= could * 99, "{did} of {could}");
    assert!(smallest * 10 >= did * 9, "{smallest} of {did} are known to be the smallest");
}

#[test]
fn no_smaller_change_passes_than_the_smallest() {
    let natives = Natives::new().cap(r#"{"max-resources":3}"#);
    let bench = Bench { members: &natives.members, guards: None };
    let (case, _) = hard(1);
    let mut case = Case { requests: Vec::new(), ..Case::clone(&case) };
    let mut request = made::request("r", "user", RequestState::Pending, case.now.as_millis());
    request.resources = (0..5).map(|place| node(&format!("web-{place}"))).collect();
    case.requests.push(Arc::new(CaseRequest { request: request.clone(), locks: Vec::new() }));
    let explained = explain(bench, &Arc::new(case), &request, &BTreeSet::new(), &mut &natives);
    let found = explained.passes.unwrap().unwrap();
    assert_eq!((found.change.size(), found.change.without.len(), found.is_smallest), (2, 2, true));
    assert_eq!(found.change.words(&request), ["leave out /example.com/node/web-0, /example.com/node/web-1"]);
}

#[test]
fn of_a_request_for_very_much_a_change_is_found_beyond_the_bound() {
    let natives = Natives::new().cap(r#"{"max-resources":3}"#);
    let bench = Bench { members: &natives.members, guards: None };
    let (case, _) = hard(1);
    let mut case = Case { requests: Vec::new(), ..Case::clone(&case) };
    let mut request = made::request("r", "user", RequestState::Pending, case.now.as_millis());
    request.resources = (0..40).map(|place| node(&format!("web-{place}"))).collect();
    case.requests.push(Arc::new(CaseRequest { request: request.clone(), locks: Vec::new() }));
    let explained = explain(bench, &Arc::new(case), &request, &BTreeSet::new(), &mut &natives);
    let found = explained.passes.unwrap().unwrap();
    assert_eq!((found.change.without.len(), found.is_smallest), (37, false));
}

#[test]
fn where_nothing_passes_that_is_said() {
    let natives = Natives::new().separation(SEPARATION);
    let bench = Bench { members: &natives.members, guards: None };
    let (case, request) = hard(3);
    let explained = explain(bench, &case, &request, &roles_of(&case), &mut &natives);
    assert!(explained.passes.unwrap().is_err(), "separation alone approves nothing");
}
