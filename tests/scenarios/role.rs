//! `tribunal role`: what it prints is enough for all that the daemon does, each verb of it is needed for something, and
//! whoever takes one away is told which. The simulated cluster judges, by the printed text itself.

use std::path::Path;
use std::time::Duration;

use serde_json::Value as Json;
use tribunal::config::Config;
use tribunal::role::{Difference, Needs, RoleName, files, needed};
use tribunal_core::action::ResolveWith;
use tribunal_core::decision::Verdict;
use tribunal_core::record::Lifecycle;
use tribunal_ports::{Before, Clock as _, Kept, LeaseWish, Taken, Teleport as _};
use tribunal_proto::types::RequestState;
use tribunal_sim::Scenario;
use tribunal_sim::scenario::{ConditionsDef, ReviewDef, RoleDef, RuleDef, UserDef};

use crate::world::panel::{self, Panels};
use crate::world::{Setup, World};

/// Classes by roles and by labels, so that the policy looks at all that there is to see.
const SEPARATION: &str = r#"{
    "classes": {
        "prod": { "roles": ["prod-*"], "labels": ["env=prod"] },
        "research": { "roles": ["research-*"], "labels": ["env=research"] }
    },
    "when-compliant": "approve"
}"#;
const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_AND_A_BIT: Duration = Duration::from_secs(3_660);

/// A role as it was printed.
struct Printed {
    needs: Needs,
    way: ResolveWith,
    rules: Vec<RuleDef>,
    reviews: ReviewDef,
    preview: RoleDef,
}

// === impl Printed ===

impl Printed {
    /// For the panel of [`Printed::setup`].
    async fn by(way: ResolveWith) -> Self {
        let with = match way {
            ResolveWith::State => "state",
            ResolveWith::Review => "review",
        };
        let settings: toml::Table = serde_json::from_str(SEPARATION).unwrap();
        let text = format!(
            "[teleport]\naddress = \"dev:3025\"\nidentity-file = \"identity\"\nresolve-with = \"{with}\"\n\
             [[plugin]]\nname = \"separation\"\nsource = \"builtin:separation\"\nsettings = {}\n\
             [[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n",
            toml::Value::Table(settings),
        );
        let origin = Path::new("tribunal.toml");
        let config = Config::from_toml(&text, origin).unwrap();
        let panels = Panels { separation: Some(SEPARATION.to_owned()), ..Panels::default() };
        let needs = needed(&config, &panel::load(&panels).await.members());
        let printed = files(&needs, &config, &RoleName::default(), origin).cluster;
        let documents = printed.split("---\n").map(|document| serde_saphyr::from_str::<Json>(document).unwrap());
        let [role, preview, _bot] = documents.collect::<Vec<_>>().try_into().expect("role, preview, bot");
        let reviews = &role["spec"]["allow"]["review_requests"];
        Self {
            way,
            rules: role["spec"]["allow"]["rules"].as_array().unwrap().iter().map(rule).collect(),
            reviews: ReviewDef {
                roles: texts(&reviews["roles"]),
                r#where: String::new(),
                preview_as_roles: texts(&reviews["preview_as_roles"]),
            },
            preview: RoleDef {
                name: preview["metadata"]["name"].as_str().unwrap().to_owned(),
                allow: ConditionsDef {
                    node_labels: serde_json::from_value(preview["spec"]["allow"]["node_labels"].clone()).unwrap(),
                    ..ConditionsDef::default()
                },
                ..RoleDef::default()
            },
            needs,
        }
    }

    /// Each verb of each rule, as kind and verb.
    fn verbs(&self) -> Vec<(String, String)> {
        let of = |rule: &RuleDef| {
            let kind = rule.resources[0].clone();
            rule.verbs.iter().map(move |verb| (kind.clone(), verb.clone())).collect::<Vec<_>>()
        };
        self.rules.iter().flat_map(of).collect()
    }

    fn take(&mut self, kind: &str, verb: &str) {
        let mut rules = self.rules.iter_mut().filter(|rule| rule.resources == [kind]);
        let rule = rules.find(|rule| rule.verbs.iter().any(|has| has == verb)).expect("a rule that has it");
        rule.verbs.retain(|has| has != verb);
    }

    /// A cluster whose bot has this role and no other, and a daemon with this panel.
    fn setup(&self) -> Setup {
        let setup = match self.way {
            ResolveWith::State => Setup::new(),
            ResolveWith::Review => Setup::new().reviewing(),
        };
        let Self { needs: _, way: _, rules, reviews, preview } = self;
        let change = |scenario: &mut Scenario| {
            scenario.bot.rules.clone_from(rules);
            scenario.bot.review_requests = Some(reviews.clone());
            scenario.bot.previews_resources = false;
            scenario.roles.push(preview.clone());
            let requester = |name: &str| UserDef {
                name: name.to_owned(),
                roles: vec!["requester".to_owned()],
                logged_in: true,
                ..UserDef::default()
            };
            let insiders = vec!["requester".to_owned(), "prod-admin".to_owned()];
            let login_roles = Some(insiders.clone());
            scenario.users.push(UserDef { login_roles, ..requester("insider") });
            scenario.users.push(UserDef { roles: insiders, logged_in: false, ..requester("newcomer") });
        };
        setup.separation(Some(SEPARATION)).scenario(change)
    }

    async fn compare(&self, world: &World) -> Difference {
        let rights = world.client().await.rights().await.unwrap().expect("a server that tells");
        self.needs.compare(&rights)
    }
}

fn texts(json: &Json) -> Vec<String> {
    json.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn rule(json: &Json) -> RuleDef {
    RuleDef { resources: texts(&json["resources"]), verbs: texts(&json["verbs"]) }
}

/// What becomes of a lease that is asked for.
async fn asks_for_lease(world: &World) -> Taken {
    let until = world.clock().now().after(Duration::from_secs(60));
    let wish = LeaseWish { name: "dev".to_owned(), holder: "one".to_owned(), until };
    world.client().await.take_lease(wish).await.unwrap()
}

/// A hoarder whose oldest request is locked for a fourth, which ends in an hour.
async fn hoards(world: &World) -> String {
    let held = world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
    let fourth = world.asks_for_nodes_for("hoarder", &["node-4"], HOUR);
    world.until_usable(&fourth).await;
    world.until_locked(&held[0]).await;
    held[0].clone()
}

#[tokio::test]
async fn the_printed_role_is_enough_for_all_that_the_daemon_does_and_has_nothing_beyond() {
    for way in [ResolveWith::State, ResolveWith::Review] {
        let printed = Printed::by(way).await;
        let mut world = printed.setup().start().await;
        assert_eq!(printed.compare(&world).await, Difference::default());
        let alone = world.asks_for_nodes("alice", &["node-1"]);
        world.until_usable(&alone).await;
        let both = world.asks_for_nodes("straddler", &["node-1", "node-5"]);
        world.until_denied(&both).await;
        for insider in ["insider", "newcomer"] {
            let research = world.asks_for_roles(insider, &["research-admin"]);
            assert!(world.until_denied(&research).await.reason.contains("standing roles"));
        }
        let oldest = hoards(&world).await;
        world.advance(HOUR_AND_A_BIT);
        world.until_usable(&oldest).await;
        world.settle().await;
        assert_eq!(world.witness.lifecycle(Lifecycle::Alarm), [""; 0]);

        let Taken::Ours { lease, before: Before::Nothing } = asks_for_lease(&world).await else {
            panic!("the lease is free, and that is seen")
        };
        let client = world.client().await;
        assert_eq!(client.keep_lease(lease.clone()).await, Ok(Kept::Held));
        assert_eq!(client.release_lease(lease).await, Ok(()));
        world.assert_lawful();
    }
}

/// Every verb that is printed has to be in this table: what nothing breaks without is not needed.
async fn breaks_without(kind: &str, verb: &str, mut world: World) {
    let lacks = format!("lacks {kind}: {verb}");
    match (kind, verb) {
        ("access_request" | "lock", "list" | "read") => {
            let request = world.asks_for_nodes("alice", &["node-1"]);
            world.start_daemon().await;
            let named = |status: &tribunal_core::Status| status.blind.as_ref().is_some_and(|why| why.contains(&lacks));
            world.until_status("it is blind, and says for want of what", named).await;
            assert_eq!(world.standing(&request).state, RequestState::Pending);
            assert_eq!(world.writes(), 0);
        }
        ("access_request", "update") => {
            world.start_daemon().await;
            world.until_seeing().await;
            let request = world.asks_for_nodes("alice", &["node-1"]);
            world.until_alarm(&["`update` on `access_request`"]).await;
            assert_eq!(world.standing(&request).state, RequestState::Pending);
        }
        ("lock", "create" | "update") => {
            world.start_daemon().await;
            world.until_seeing().await;
            world.holds_nodes("hoarder", &["node-1", "node-2", "node-3"]).await;
            let fourth = world.asks_for_nodes("hoarder", &["node-4"]);
            world.until_alarm(&[&format!("`{verb}` on `lock`")]).await;
            assert_eq!(world.standing(&fourth).state, RequestState::Pending);
        }
        ("lock", "delete") => {
            world.start_daemon().await;
            world.until_seeing().await;
            let oldest = hoards(&world).await;
            world.advance(HOUR_AND_A_BIT);
            world.until_alarm(&["`delete` on `lock`"]).await;
            assert!(world.standing(&oldest).is_locked());
        }
        ("user_login_state" | "user", "read") => {
            world.start_daemon().await;
            world.until_seeing().await;
            let user = if kind == "user" { "newcomer" } else { "insider" };
            let research = world.asks_for_roles(user, &["research-admin"]);
            world.until_usable(&research).await;
        }
        ("semaphore", "create" | "update") => {
            let Taken::Unable(why) = asks_for_lease(&world).await else { panic!("a lease without {kind}: {verb}") };
            assert!(why.contains(&lacks), "{why}");
        }
        ("semaphore", "list" | "read") => {
            let taken = asks_for_lease(&world).await;
            assert!(matches!(taken, Taken::Ours { before: Before::Unseen, .. }), "{taken:?}");
        }
        _ => panic!("{kind}: {verb} is printed, and nothing breaks without it"),
    }
}

#[tokio::test]
async fn without_any_one_verb_something_breaks_and_the_verb_is_named() {
    let verbs = Printed::by(ResolveWith::State).await.verbs();
    assert_eq!(verbs.len(), 14, "{verbs:?}");
    for (kind, verb) in verbs {
        let mut printed = Printed::by(ResolveWith::State).await;
        printed.take(&kind, &verb);
        let world = printed.setup().without_daemon().await;
        let Difference { missing, missed, excess } = printed.compare(&world).await;
        let told: Vec<&String> = missing.iter().chain(&missed).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("{kind}: {verb}")), "{told:?}");
        assert_eq!(excess, [""; 0]);
        breaks_without(&kind, &verb, world).await;
    }
}

#[tokio::test]
async fn without_the_right_to_review_nothing_is_decided_and_that_is_named() {
    let mut printed = Printed::by(ResolveWith::Review).await;
    assert!(!printed.verbs().contains(&("access_request".to_owned(), "update".to_owned())));
    printed.reviews.roles.clear();
    let world = printed.setup().start().await;
    let request = world.asks_for_nodes("alice", &["node-1"]);
    world.until_alarm(&["`review_requests.roles`"]).await;
    assert_eq!(world.standing(&request).state, RequestState::Pending);
    let missing = printed.compare(&world).await.missing;
    assert!(missing.len() == 1 && missing[0].starts_with("review_requests.roles: *"), "{missing:?}");
}

#[tokio::test]
async fn without_the_role_that_labels_are_looked_at_as_they_are_unknown_and_that_is_named() {
    for way in [ResolveWith::State, ResolveWith::Review] {
        let mut printed = Printed::by(way).await;
        printed.reviews.preview_as_roles.clear();
        let world = printed.setup().start().await;
        let request = world.asks_for_nodes("alice", &["node-1"]);
        let decided = world.until_decided(1).await;
        let decision = decided[0].decision.as_ref().unwrap();
        let expected = (Verdict::Leave, vec!["separation/labels-unknown".to_owned()]);
        assert_eq!((decision.verdict, decision.because.rules()), expected);
        assert_eq!(world.standing(&request).state, RequestState::Pending);
        let missed = printed.compare(&world).await.missed;
        assert!(missed.len() == 1 && missed[0].starts_with("review_requests.preview_as_roles"), "{missed:?}");
    }
}

/// Rights that are not printed because this configuration does not use them.
#[tokio::test]
async fn whatever_is_granted_beyond_is_named() {
    let mut printed = Printed::by(ResolveWith::Review).await;
    printed.rules.push(RuleDef { resources: vec!["access_request".to_owned()], verbs: vec!["update".to_owned()] });
    printed.rules.push(RuleDef { resources: vec!["role".to_owned()], verbs: vec!["*".to_owned()] });
    let world = printed.setup().without_daemon().await;
    assert_eq!(printed.compare(&world).await.excess, ["access_request: update", "role: *"]);
}
