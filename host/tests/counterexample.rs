//! `tribunal counterexample`: every mistake that is built into the reference policies is found, and nothing is found where
//! there is none. It must never know beforehand where a mistake is.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

#[path = "past/native.rs"]
mod native;

use std::fs;
use std::process::Command;

use native::{Native, Natives};
use serde_json::Value;
use tribunal::counterexample::{Bench, Outcome, Search, parse};
use tribunal_guest::testing::configure;
use tribunal_guest::{AccessRequest, Case, LockOrder, Opinion, RequestState, approve};

const INVARIANTS: &str = r#"
    [[invariant]]
    name = "at most three"
    held-resources-max = 3

    [[invariant]]
    name = "apart"
    never-together = { prod = { roles = ["prod-*"], labels = ["env=prod"] }, research = { roles = ["research-*"], labels = ["env=research"] } }
"#;
const CLASSES: &str = r#"{"classes":{"prod":{"roles":["prod-*"],"labels":["env=prod"]},"research":{"roles":["research-*"],"labels":["env=research"]}}}"#;
/// Cases within which each mistake is to be found: fewer than the engine judges in a minute on one thread.
const CASES_MAX: u64 = 150_000;

/// Cases that are tried where there is no mistake: all small ones, and some.
const QUIET_CASES: u64 = 70_000;

/// A reference policy with a mistake: it is shown something else than what there is, or something else is heard.
struct Mutant<P> {
    policy: P,
    shown: fn(&mut Case),
    opinion: fn(Opinion, &Case, &str) -> Opinion,
    orders: fn(Vec<LockOrder>, &Case) -> Vec<LockOrder>,
}

impl<P> Mutant<P> {
    fn of(policy: P) -> Self {
        Self { policy, shown: |_| (), opinion: |opinion, _, _| opinion, orders: |orders, _| orders }
    }

    fn shown(self, shown: fn(&mut Case)) -> Self {
        Self { shown, ..self }
    }

    fn opinion(self, opinion: fn(Opinion, &Case, &str) -> Opinion) -> Self {
        Self { opinion, ..self }
    }

    fn orders(self, orders: fn(Vec<LockOrder>, &Case) -> Vec<LockOrder>) -> Self {
        Self { orders, ..self }
    }
}

impl<P: Native> Native for Mutant<P> {
    fn review(&self, case: &Case, request: &str) -> Opinion {
        let mut shown = case.clone();
        (self.shown)(&mut shown);
        // What a mistake hides from the policy it cannot be asked about.
        let opinion = if shown.find(request).is_some() {
            self.policy.review(&shown, request)
        } else {
            approve("within-cap", "not looked at")
        };
        (self.opinion)(opinion, case, request)
    }

    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        let mut shown = case.clone();
        (self.shown)(&mut shown);
        (self.orders)(self.policy.enforce(&shown), case)
    }
}

fn cap() -> Mutant<tribunal_cap::Cap> {
    cap_of(r#"{"max-resources":3}"#)
}

fn cap_of(settings: &str) -> Mutant<tribunal_cap::Cap> {
    Mutant::of(configure(settings).unwrap())
}

fn separation() -> Mutant<tribunal_separation::Separation> {
    separation_of(CLASSES)
}

fn separation_of(settings: &str) -> Mutant<tribunal_separation::Separation> {
    Mutant::of(configure(settings).unwrap())
}

fn each(case: &mut Case, change: impl Fn(&mut AccessRequest)) {
    case.requests.iter_mut().for_each(change);
}

/// Only those requests that a policy would still look at; pending ones always.
fn only(case: &mut Case, looked_at: impl Fn(&AccessRequest) -> bool) {
    case.requests.retain(|request| request.state == RequestState::Pending || looked_at(request));
}

/// Mistakes of the cap, each of which lets somebody hold more than three.
fn caps() -> Vec<(&'static str, Mutant<tribunal_cap::Cap>)> {
    vec![
        ("one too many", cap_of(r#"{"max-resources":4}"#)),
        ("counts requests instead of resources", cap_of(r#"{"max-resources":3,"unit":"requests"}"#)),
        ("counts roles instead of resources", cap_of(r#"{"max-resources":3,"unit":"roles"}"#)),
        ("forgets requests of roles alone", cap_of(r#"{"max-resources":3,"role-only-requests":"ignore"}"#)),
        ("locks nothing", cap().orders(|_, _| Vec::new())),
        ("locks one at most", cap().orders(|orders, _| orders.into_iter().take(1).collect())),
        (
            "forgets the newest that would give way",
            cap().orders(|mut orders, _| {
                orders.pop();
                orders
            }),
        ),
        (
            "takes kinds for the same",
            cap().shown(|case| each(case, |it| it.resources.iter_mut().for_each(|it| it.kind = "node".to_owned()))),
        ),
        (
            "takes clusters for the same",
            cap().shown(|case| each(case, |it| it.resources.iter_mut().for_each(|it| it.cluster.clear()))),
        ),
        (
            "takes what is inside for the whole",
            cap().shown(|case| each(case, |it| it.resources.iter_mut().for_each(|it| it.sub_resource.clear()))),
        ),
        ("counts three of each request", cap().shown(|case| each(case, |it| it.resources.truncate(3)))),
        (
            "does not see what people approved",
            cap().shown(|case| only(case, |it| it.decided_by == tribunal_guest::Decider::Tribunal)),
        ),
        (
            "does not see what begins just now",
            cap().shown(|case| {
                let now = case.now;
                only(case, |it| it.access_starts != Some(now));
            }),
        ),
        ("does not see what never ends", cap().shown(|case| only(case, |it| it.access_expires.is_some()))),
        (
            "does not see what soon ends",
            cap().shown(|case| {
                let soon = case.now + 60_000;
                only(case, |it| it.access_expires.is_none_or(|end| end > soon));
            }),
        ),
        ("sees the first four requests", cap().shown(|case| case.requests.truncate(4))),
        (
            "gives up beyond five requests",
            cap().orders(|orders, case| if case.requests.len() > 5 { Vec::new() } else { orders }),
        ),
        (
            "takes a denial back",
            cap()
                .opinion(|opinion, _, _| match opinion {
                    Opinion::Deny(_) => approve("within-cap", "taken back"),
                    Opinion::Approve(_) | Opinion::Abstain | Opinion::Escalate(_) => opinion,
                })
                .orders(|orders, case| {
                    orders
                        .into_iter()
                        .filter(|order| case.find(&order.request).is_some_and(|it| it.resources.len() <= 3))
                        .collect()
                }),
        ),
        (
            "is fond of two roles at once",
            cap().orders(
                |orders, case| {
                    if case.requests.iter().any(|it| it.roles.len() > 1) { Vec::new() } else { orders }
                },
            ),
        ),
    ]
}

/// Mistakes of separation, each of which lets somebody hold two classes.
fn separations() -> Vec<(&'static str, Mutant<tribunal_separation::Separation>)> {
    let roles_only = r#"{"classes":{"prod":{"roles":["prod-*"]},"research":{"roles":["research-*"]}}}"#;
    let longer = r#"{"classes":{"prod":{"roles":["prod-?*"],"labels":["env=prod"]},"research":{"roles":["research-lab*"],"labels":["env=research"]}}}"#;
    let ignores = format!(r#"{},"standing-roles":"ignore"}}"#, CLASSES.strip_suffix('}').unwrap());
    vec![
        ("locks nothing", separation().orders(|_, _| Vec::new())),
        ("locks one at most", separation().orders(|orders, _| orders.into_iter().take(1).collect())),
        ("does not know labels", separation_of(roles_only)),
        ("has a pattern that is too narrow", separation_of(longer)),
        ("does not count standing roles", separation_of(&ignores)),
        ("sees the first role alone", separation().shown(|case| each(case, |it| it.roles.truncate(1)))),
        ("sees the first resource alone", separation().shown(|case| each(case, |it| it.resources.truncate(1)))),
        (
            "does not see what was promoted",
            separation().shown(|case| only(case, |it| it.state != RequestState::Promoted)),
        ),
        ("does not see what is exempt", separation().shown(|case| only(case, |it| !it.is_exempt()))),
        (
            "does not see what begins just now",
            separation().shown(|case| {
                let now = case.now;
                only(case, |it| it.access_starts != Some(now));
            }),
        ),
        (
            "forgives those who ask for both at once",
            separation()
                .opinion(|opinion, case, request| {
                    let both = case.find(request).is_some_and(|it| it.roles.len() > 1);
                    if both { tribunal_guest::abstain() } else { opinion }
                })
                .orders(|orders, case| {
                    orders
                        .into_iter()
                        .filter(|order| case.find(&order.request).is_some_and(|it| it.roles.len() < 2))
                        .collect()
                }),
        ),
        (
            "sees the newest three requests",
            separation().shown(|case| {
                let more = case.requests.len().saturating_sub(3);
                case.requests.drain(..more);
            }),
        ),
    ]
}

fn hunt(natives: &Natives, seed: u64, cases_max: u64) -> Outcome {
    let (invariants, words) = parse(INVARIANTS).unwrap();
    let bench = Bench { members: &natives.members, guards: None };
    let search = Search { bench, invariants: &invariants, words: &words, seed, share: (0, 1) };
    let mut cases = 0;
    search.run(&mut &*natives, || {
        cases += 1;
        cases > cases_max
    })
}

#[test]
fn every_mistake_in_the_reference_policies_is_found() {
    let mut panels: Vec<(String, Natives)> = Vec::new();
    for (name, mutant) in caps() {
        panels.push((format!("cap: {name}"), Natives::new().with("separation", separation()).with("cap", mutant)));
    }
    for (name, mutant) in separations() {
        panels.push((format!("separation: {name}"), Natives::new().with("separation", mutant).with("cap", cap())));
    }
    assert!(panels.len() >= 20, "{}", panels.len());
    let missed: Vec<String> = std::thread::scope(|scope| {
        let hunts: Vec<_> =
            panels.iter().map(|(name, natives)| (name, scope.spawn(move || hunt(natives, 1, CASES_MAX)))).collect();
        hunts
            .into_iter()
            .filter_map(|(name, hunt)| {
                let outcome = hunt.join().unwrap();
                let Some(found) = outcome.found else { return Some(format!("{name}: {} cases", outcome.tried)) };
                let expected = if name.starts_with("cap") { "at most three" } else { "apart" };
                assert_eq!(found.broken.invariant, expected, "{name}");
                // It is small enough to be read: what does not matter is not in it.
                let requests = found.case.requests.len();
                assert!(requests <= 7, "{name}: {requests} requests");
                let decision = found.hearing.decision.unwrap();
                assert_eq!(decision.verdict.as_str(), "approve", "{name}");
                None
            })
            .collect()
    });
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn where_there_is_no_mistake_none_is_found() {
    let natives = Natives::new().separation(CLASSES).cap(r#"{"max-resources":3}"#);
    let outcome = hunt(&natives, 7, QUIET_CASES);
    if let Some(found) = &outcome.found {
        unreachable!("{:?}: {:#?}", found.broken, found.case);
    }
    assert!(outcome.all_small && outcome.tried >= QUIET_CASES && outcome.kinds > 50, "{outcome:?}");
}

#[test]
fn a_rule_that_must_have_fired_is_looked_for() {
    let text = "[[invariant]]\nname = \"by the book\"\nrole = \"admin\"\nonly-by-rule = \"cap/newer-fill-cap\"\n";
    let (invariants, words) = parse(text).unwrap();
    let natives = Natives::new().with("cap", cap());
    let bench = Bench { members: &natives.members, guards: None };
    let search = Search { bench, invariants: &invariants, words: &words, seed: 1, share: (0, 1) };
    let found = search.run(&mut &natives, || false).found.unwrap();
    assert_eq!(found.broken.what, "role `admin` is approved by cap/within-cap, and not by cap/newer-fill-cap");
    assert_eq!(
        (found.case.requests.len(), found.case.requests[0].request.roles.clone()),
        (1, vec!["admin".to_owned()])
    );
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    for (text, why) in [
        ("", "no `[[invariant]]`"),
        ("[[invariant]]\nname = \"x\"", "says nothing"),
        ("[[invariant]]\nname = \"x\"\nrole = \"r\"", "go together"),
        (
            "[[invariant]]\nname = \"x\"\nheld-resources-max = 3\nrole = \"r\"\nonly-by-rule = \"p/r\"",
            "says two things",
        ),
        ("[[invariant]]\nname = \"x\"\nnever-together = [\"prod\"]", "at least two classes"),
        ("[[invariant]]\nname = \"x\"\nheld = 3", "unknown field"),
        ("[words]\nresources = [\"web\"]\n[[invariant]]\nname = \"x\"\nheld-resources-max = 3", "`web` is no resource"),
    ] {
        let error = parse(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn the_command_asks_the_plugins_themselves_and_prints_the_case() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let config = r#"
        [teleport]
        address = "example.com:3025"
        identity-file = "identity"
        [[plugin]]
        name = "cap"
        source = "builtin:cap"
        settings = { max-resources = 3, role-only-requests = "ignore" }
    "#;
    fs::write(path("tribunal.toml"), config).unwrap();
    fs::write(path("invariants.toml"), "[[invariant]]\nname = \"at most three\"\nheld-resources-max = 3\n").unwrap();
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.current_dir(root.path()).args(["counterexample", "invariants.toml"]).args(more).output().unwrap()
    };
    let output = run(&["--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &said["ok"]), (Some(1), &Value::from(false)));
    assert_eq!(said["found"]["invariant"], Value::from("at most three"));
    // What was found is a case that `explain` can be asked about.
    let output = run(&["--out", "found.json"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("`at most three` does not hold any more: 4 would be held"), "{told}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    let explained =
        command.current_dir(root.path()).args(["explain", "--case", "found.json", "--json"]).output().unwrap();
    let said: Value = serde_json::from_slice(&explained.stdout).unwrap();
    assert_eq!(said["decision"]["verdict"], Value::from("approve"), "{said}");
}
