//! The client against the simulated cluster, which judges rights and predicates by rules of its own.

use std::time::Duration;

use tempfile::TempDir;
use tonic::Code;
use tribunal_core::failure::FailureClass;
use tribunal_core::request::RequestedResource;
use tribunal_ports::Teleport;
use tribunal_sim::{Often, Running, Scenario, SimClock, SimServer};
use tribunal_teleport::rights::{TO_LOCK, TO_RELEASE, TO_RESOLVE, TO_SEE};
use tribunal_teleport::{Client, Limits, Target};

const NODES: &str = r#"
[[node]]
name = "n1"
labels = { env = "prod" }
[[node]]
name = "it's a || b"
labels = { env = "lab" }
[[node]]
name = "orders"
kind = "db"
labels = { env = "prod", team = "blue" }
[[node]]
name = "orders"
kind = "app"
"#;

/// The cluster `dev` with these settings of the bot, and the bot's client.
pub(crate) async fn dev(bot: &str) -> (Running, TempDir, Client) {
    let scenario = Scenario::parse(&format!("cluster = \"dev\"\n[bot]\n{bot}\n{NODES}")).unwrap();
    let dir = TempDir::new().unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let running = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
    let target = Target {
        address: running.addr().to_string().parse().unwrap(),
        identity_file: dir.path().join("identity"),
        dial_timeout: Duration::from_secs(30),
        reach: tribunal_teleport::Reach::default(),
    };
    let client = Client::new(target, Limits::default()).await.unwrap();
    (running, dir, client)
}

fn requested() -> Vec<RequestedResource> {
    let requested = |(cluster, kind, name): (&str, &str, &str)| RequestedResource {
        cluster: cluster.into(),
        kind: kind.into(),
        name: name.into(),
        sub_resource: String::new(),
        labels: None,
        constraints: None,
    };
    [
        ("dev", "node", "n1"),
        ("dev", "node", "it's a || b"),
        ("dev", "node", "gone"),
        ("dev", "db", "orders"),
        ("dev", "app", "orders"),
        ("leaf", "node", "n1"),
    ]
    .map(requested)
    .into()
}

/// What was found, as text.
async fn labels(client: &Client) -> Vec<String> {
    let found = client.labels(&requested()).await.unwrap();
    found.iter().map(|((cluster, kind, name), labels)| format!("/{cluster}/{kind}/{name} {labels:?}")).collect()
}

#[tokio::test]
async fn the_labels_of_requested_resources_are_seen_through_the_preview() {
    let seen = [
        "/dev/app/orders {}",
        r#"/dev/db/orders {"env": ["prod"], "team": ["blue"]}"#,
        r#"/dev/node/it's a || b {"env": ["lab"]}"#,
        r#"/dev/node/n1 {"env": ["prod"]}"#,
    ];
    let (running, _dir, client) = dev("").await;
    assert_eq!(labels(&client).await, seen);
    running.handle().faults(|faults| {
        faults.fail("ListUnifiedResources", tribunal_sim::Often::Next(1), tonic::Code::Unimplemented, "old");
    });
    assert_eq!(labels(&client).await, seen);
    let (_running, _dir, client) = dev("previews-resources = false").await;
    assert_eq!(labels(&client).await, [""; 0]);
    let denied = r#"deny-rules = [{ resources = ["node"], verbs = ["list"] }]"#;
    let (_running, _dir, client) = dev(denied).await;
    assert_eq!(labels(&client).await, seen[..2]);
}

#[tokio::test]
async fn rights_are_what_the_role_says_and_change_with_it() {
    let (_running, _dir, client) = dev("").await;
    let rights = client.rights().await.unwrap().unwrap();
    for needed in [TO_SEE, TO_RESOLVE, TO_LOCK, TO_RELEASE] {
        assert_eq!(rights.missing(needed), [""; 0]);
    }
    let partial = r#"rules = [{ resources = ["access_request"], verbs = ["read"] }, { resources = ["lock"], verbs = ["*"] }]
deny-rules = [{ resources = ["*"], verbs = ["delete"] }]"#;
    let (_running, _dir, client) = dev(partial).await;
    let rights = client.rights().await.unwrap().unwrap();
    assert_eq!(rights.missing(TO_SEE), ["access_request: list"]);
    assert_eq!(rights.missing(TO_RESOLVE), ["access_request: update"]);
    assert_eq!(rights.missing(TO_RELEASE), ["lock: delete"]);
}

#[tokio::test]
async fn whoever_may_not_list_everything_lists_nothing() {
    let (_running, _dir, client) = dev(r#"rules = [{ resources = ["access_request"], verbs = ["read", "update"] },
  { resources = ["lock"], verbs = ["list", "read"] }]"#)
    .await;
    let failure = client.list().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Alarm);
    assert!(failure.detail.contains("lacks access_request: list; add that"), "{failure}");

    let (running, _dir, client) = dev("").await;
    client.list().await.unwrap();
    running.handle().faults(|faults| faults.fail("GetCurrentUserRoles", Often::Next(9), Code::Unimplemented, "no"));
    client.reload().await.unwrap();
    client.list().await.expect("a server that cannot tell is taken at its word");
}
